/* options.c - see options.h: finds each option's row in options.def and does what the row says. */
#include "options.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"
#include "nearest.h"
#include "options-take.h"

enum row_how { HOW_GROUP, HOW_FLAG, HOW_TEXT, HOW_ITEM, HOW_RAW, HOW_DISK, HOW_CALL, HOW_INERT, HOW_UNBUILT };
enum row_state { READY, MISSING };

struct row {
    const char *name; /* for a group, its title */
    enum row_how how;
    enum row_state state;
    enum option_kind kind;
    size_t field;
    const char *text; /* implied key, prefix of a disk, or why */
    bool (*take)(struct taking *t, const char *arg);
    const char *arg; /* NULL when it takes none */
    const char *help;
};

static const struct row rows[] = {
#define GROUP(title) { .name = title, .how = HOW_GROUP },
#define FLAG(n, f, h) { .name = n, .how = HOW_FLAG, .field = offsetof(struct options, f), .help = h },
#define TEXT(n, s, f, a, h) \
    { .name = n, .how = HOW_TEXT, .state = s, .field = offsetof(struct options, f), .arg = a, .help = h },
#define ITEM(n, k, i, a, h) { .name = n, .how = HOW_ITEM, .kind = k, .text = i, .arg = a, .help = h },
#define RAW(n, k, a, h) { .name = n, .how = HOW_RAW, .kind = k, .arg = a, .help = h },
#define DISK(n, p, a, h) { .name = n, .how = HOW_DISK, .kind = OPTION_DRIVE, .text = p, .arg = a, .help = h },
#define CALL(n, f, a, h) { .name = n, .how = HOW_CALL, .take = take_##f, .arg = a, .help = h },
#define INERT(n, a, w) { .name = n, .how = HOW_INERT, .arg = a, .text = w },
#define UNBUILT(n, a, w) { .name = n, .how = HOW_UNBUILT, .arg = a, .text = w },
#include "options.def"
};

/* Options whose argument "help" or "?" asks what there is. */
static const char *const lists[] = {
    "machine", "M",       "cpu", "accel", "device",  "object", "netdev",
    "nic",     "chardev", "d",   "t",     "display", "vga",    "jit",
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Joins the command line, and tells where argv[which] begins in it. */
static void add_caret(struct taking *t, int which)
{
    struct bytes line = { 0 };
    size_t at = 0;

    bytes_addf(&line, "%s", t->o->program);
    for (int i = 1; i < t->argc; i++) {
        bytes_addf(&line, " ");
        if (i == which)
            at = line.len;
        bytes_addf(&line, "%s", t->argv[i]);
    }
    if (which >= t->argc)
        caret_add(t->e, line.data, line.len, 1);
    else
        caret_add(t->e, line.data, at, strlen(t->argv[which]));
    bytes_free(&line);
}

bool bad_argument(struct taking *t, const char *fmt, ...)
{
    char why[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    error_set(t->e, "%s: %s", t->option, why);
    add_caret(t, t->at + 1);
    return false;
}

bool bad_word(struct taking *t, const char *what, const char *word, const char *const *known, size_t count)
{
    struct nearest near;

    nearest_init(&near, word);
    for (size_t i = 0; i < count; i++)
        nearest_try(&near, known[i]);
    error_set(t->e, "%s: %s '%.80s' is not known", t->option, what, word);
    nearest_suggest(&near, "", t->e);
    add_caret(t, t->at + 1);
    return false;
}

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].how != HOW_GROUP && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static bool unknown_option(struct taking *t, const char *name)
{
    struct nearest near;

    nearest_init(&near, name);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].how != HOW_GROUP)
            nearest_try(&near, rows[i].name);
    error_set(t->e, "unknown option '%.80s'", t->argv[t->at]);
    nearest_suggest(&near, "-", t->e);
    add_caret(t, t->at);
    return false;
}

static bool says_none(const char *arg)
{
    static const char *const words[] = { "", "none", "null", "off", "/dev/null" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(arg, words[i]) == 0)
            return true;
    return false;
}

static bool not_built(struct taking *t, const char *what_to_do)
{
    error_set(t->e, "%s is not built in yet: %s", t->option, what_to_do);
    add_caret(t, t->at);
    return false;
}

static struct option_item *add_item(struct options *o, enum option_kind kind, const char *option,
                                    const char *text)
{
    o->item = alloc_resize(o->item, o->items + 1, sizeof *o->item);
    o->item[o->items] = (struct option_item){ .kind = kind, .option = option, .text = text };
    return &o->item[o->items++];
}

/* Parsing leaves nothing behind when it fails, so an item can always be freed. */
static bool take_item(struct taking *t, const struct row *row, const char *arg)
{
    struct option_item *item = add_item(t->o, row->kind, t->option, arg);

    if (*arg == '{')
        return bad_argument(t, "JSON is not built in yet: write it as key=value,key=value");
    return keyvals_parse(&item->kv, t->option, arg, row->text, t->e);
}

static bool take_disk(struct taking *t, const char *prefix, const char *file)
{
    struct option_item *item = add_item(t->o, OPTION_DRIVE, t->option, NULL);
    struct bytes text = { 0 };

    bytes_addf(&text, "%s,file=", prefix);
    for (const char *p = file; *p; p++)
        bytes_addf(&text, *p == ',' ? ",," : "%c", *p);
    bool ok = keyvals_parse(&item->kv, t->option, text.data, NULL, t->e);
    item->text = item->kv.text;
    bytes_free(&text);
    return ok;
}

static bool wants_list(struct taking *t, const struct row *row, const char *arg)
{
    if (strcmp(arg, "help") != 0 && strcmp(arg, "?") != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (strcmp(row->name, lists[i]) != 0)
            continue;
        if (t->o->action == OPTIONS_RUN) {
            t->o->action = OPTIONS_LIST;
            t->o->list = strcmp(row->name, "M") == 0 ? "machine" : row->name;
        }
        return true;
    }
    return false;
}

static bool take_row(struct taking *t, const struct row *row, const char *arg)
{
    char *field = (char *)t->o + row->field;

    switch (row->how) {
    case HOW_FLAG:
        *(bool *)(void *)field = true;
        return true;
    case HOW_TEXT:
        if (row->state == MISSING && !says_none(arg))
            return not_built(t, "leave it out, or say none");
        *(const char **)(void *)field = arg;
        return true;
    case HOW_ITEM: return take_item(t, row, arg);
    case HOW_RAW: add_item(t->o, row->kind, t->option, arg); return true;
    case HOW_DISK: return take_disk(t, row->text, arg);
    case HOW_CALL: return row->take(t, arg);
    case HOW_INERT:
        if (!row->arg || !says_none(arg))
            strings_addf(&t->o->warnings, "%s has no effect: %s", t->option, row->text);
        return true;
    case HOW_UNBUILT: return not_built(t, row->text);
    case HOW_GROUP: break;
    }
    assert(!"a heading is no option");
    return false;
}

/* One option with its argument; t->at moves to the last word that belongs to it. */
static bool take_option(struct taking *t)
{
    const char *word = t->argv[t->at];

    if (*word != '-') {
        t->option = "-hda";
        t->at--; /* the file name is its own argument */
        bool ok = take_disk(t, "index=0,media=disk", word);
        t->at++;
        return ok;
    }
    const char *name = word + (word[1] == '-' ? 2 : 1);
    const struct row *row = find_row(name);
    const char *arg = NULL;
    if (!row)
        return unknown_option(t, name);
    t->option = word + (word[1] == '-');
    if (row->arg) {
        arg = t->at + 1 < t->argc ? t->argv[t->at + 1] : NULL;
        if (!arg)
            return bad_argument(t, "needs an argument: %s", row->arg);
    }
    if ((!arg || !wants_list(t, row, arg)) && !take_row(t, row, arg))
        return false;
    t->at += row->arg != NULL;
    return true;
}

static const char *guest_of(const char *program)
{
    const char *p = strstr(program, "-system-");

    return p && p[8] ? p + 8 : "riscv64";
}

bool options_parse(struct options *o, int argc, char **argv, struct error *e)
{
    struct taking t = { .o = o, .argc = argc, .argv = argv, .option = "", .e = e };

    *o = (struct options){ .cpus = 1, .ram_size = OPTIONS_DEFAULT_RAM, .echr = 1, .jit = jit_config_plain };
    o->program = base_name(argc > 0 ? argv[0] : "lyrebird-system-riscv64");
    o->guest = guest_of(o->program);
    o->icount.sleep = true;
    for (t.at = 1; t.at < argc; t.at++)
        if (!take_option(&t))
            return false;
    settle_machine(&t);
    return settle_accel(&t);
}

void options_free(struct options *o)
{
    for (size_t i = 0; i < o->items; i++)
        keyvals_free(&o->item[i].kv);
    free(o->item);
    keyvals_free(&o->machine);
    keyvals_free(&o->name_kv);
    strings_free(&o->warnings);
    strings_free(&o->jit_insns);
    *o = (struct options){ 0 };
}

struct option_item *options_next(struct options *o, enum option_kind kind, struct option_item *prev)
{
    for (size_t i = prev ? (size_t)(prev - o->item) + 1 : 0; i < o->items; i++) {
        if (o->item[i].kind != kind)
            continue;
        o->item[i].taken = true;
        return &o->item[i];
    }
    return NULL;
}

bool options_finish(const struct options *o, struct error *e)
{
    for (size_t i = 0; i < o->items; i++) {
        const struct option_item *item = &o->item[i];
        if (item->taken || says_none(item->text))
            continue;
        error_set(e, "%s is not built in yet for this machine: leave it out", item->option);
        caret_add(e, item->text, 0, strlen(item->text));
        return false;
    }
    return true;
}

void options_print_version(FILE *out)
{
    fputs("Lyrebird emulator version 9.0.0 (QEMU-compatible; Lyrebird 0.1.0)\n", out);
}

static void print_row(const struct row *row, FILE *out)
{
    int width = fprintf(out, "  -%s%s%s", row->name, row->arg ? " " : "", row->arg ? row->arg : "");

    if (width > 30)
        width = fprintf(out, "\n") - 1;
    fprintf(out, "%*s%s%s\n", 32 - width, "", row->help ? row->help : row->how == HOW_INERT
            ? "no effect: " : "not built in yet: ", row->help ? "" : row->text);
}

void options_print_help(const struct options *o, FILE *out)
{
    options_print_version(out);
    fprintf(out, "usage: %s [options] [disk image]\n\n", o->program);
    fprintf(out,
            "A full-system emulator. It takes QEMU's common options; -option and --option mean the same.\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].how == HOW_GROUP)
            fprintf(out, "\n%s:\n", rows[i].name);
        else
            print_row(&rows[i], out);
    }
}
