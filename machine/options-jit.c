/*
 * options-jit.c - what -jit takes: stats, perf, gdb, blocks=A..B, off=WORD,WORD... A word behind off= belongs to it,
 * too, unless it is one of the others.
 */
#define _GNU_SOURCE 1
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "options-take.h"

struct choice {
    const char *name;
    size_t field;
    const char *help;
};

static const struct choice flags[] = {
    { "stats", offsetof(struct jit_config, stats), "at the end, on standard error: what the JIT did" },
    { "perf", offsetof(struct jit_config, perf), "write perf's map file: names for its samples in host code" },
    { "gdb", offsetof(struct jit_config, gdb), "tell a GDB that debugs this process the blocks' names (slow)" },
};

enum { FLAGS = sizeof flags / sizeof flags[0] };

static bool take_blocks(struct taking *t, const char *range)
{
    struct jit_config *c = &t->o->jit;
    const char *dots = strstr(range, "..");
    char first[24];

    if (dots && (size_t)(dots - range) < sizeof first) {
        snprintf(first, sizeof first, "%.*s", (int)(dots - range), range);
        c->first = 1;
        c->last = UINT64_MAX;
        if ((!*first || parse_u64(first, &c->first)) && (!dots[2] || parse_u64(dots + 2, &c->last)) && c->first &&
            c->first <= c->last)
            return true;
    }
    return bad_argument(t, "blocks=%s: give the numbers of the first and the last block that become host code, "
                           "such as 1..500, 501.. or ..500", range);
}

static bool take_flag(struct jit_config *c, const char *word)
{
    for (size_t i = 0; i < FLAGS; i++) {
        if (strcmp(word, flags[i].name))
            continue;
        *((bool *)(void *)((char *)c + flags[i].field)) = true;
        return true;
    }
    return false;
}

static bool take_word(struct taking *t, const char *word, bool *off)
{
    static const char *const known[] = { "stats", "perf", "gdb", "blocks=", "off=" };

    if (take_flag(&t->o->jit, word)) {
        *off = false;
        return true;
    }
    if (!strncmp(word, "blocks=", 7)) {
        *off = false;
        return take_blocks(t, word + 7);
    }
    if (!strncmp(word, "off=", 4)) {
        *off = true;
        word += 4;
    }
    if (!*off)
        return bad_word(t, "word", word, known, sizeof known / sizeof known[0]);
    if (!*word)
        return bad_argument(t, "off= is followed by what is to be off; -jit help lists it");
    if (!jit_config_off(&t->o->jit, word))
        strings_addf(&t->o->jit_insns, "%s", word); /* an instruction, or a mistake: the guest knows */
    return true;
}

bool take_jit(struct taking *t, const char *arg)
{
    char *text = alloc_text(arg), *rest = text, *word;
    bool ok = *arg || bad_argument(t, "say what: -jit help lists it"), off = false;

    while (ok && (word = strsep(&rest, ",")))
        ok = take_word(t, word, &off);
    free(text);
    return ok;
}

void options_print_jit(FILE *out)
{
    const char *name, *help;

    fprintf(out, "-jit takes, separated by commas:\n");
    for (size_t i = 0; i < FLAGS; i++)
        fprintf(out, "  %-12s %s\n", flags[i].name, flags[i].help);
    fprintf(out, "  %-12s %s\n", "blocks=A..B",
            "only these become host code, in order of translation and for each vCPU");
    fprintf(out, "  %-12s %s\n", "off=WORD,...", "switch off; WORD is an instruction (and those like it) or one of:");
    for (unsigned i = 0; jit_config_name(i, &name, &help) && help; i++)
        fprintf(out, "    %-10s %s\n", name, help);
    fprintf(out, "   or an operation of the IR:");
    for (unsigned i = 0, n = 0; jit_config_name(i, &name, &help); i++) {
        if (!help)
            fprintf(out, "%s%s", n++ % 16 ? " " : "\n    ", name);
    }
    fprintf(out, "\n");
}
