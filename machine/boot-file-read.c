/*
 * boot-file-read.c - what the tables of a boot-test file mean: interface.md's section on boot tests,
 * docs/boot-tests.md.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "boot-file-priv.h"

enum { DEFAULT_SHIFT = 1, DEFAULT_RESETS = 3, SHIFT_MAX = 10 };

static const char *const root_keys[] = { "name", "skip", NULL };
static const char *const vm_keys[] = { "arch",    "machine", "cpu",  "cpus",  "memory",  "system",
                                       "kernel",  "initrd",  "bios", "dtb",   "append",  "disk",
                                       "network", "symbols", "time", "shift", "options", NULL };
static const char *const limit_keys[] = { "guest", "host", "silence", "resets", "panic", "oops", NULL };
static const char *const step_keys[] = { "expect", "regex", "send", "run",   "status", "exit",
                                         "reset",  "pace",  "limit", "fail_on", "name", NULL };

/* ---- [vm] ---- */

static bool read_names(struct boot_file *f, struct toml_table *t, struct error *e)
{
    struct boot_vm *vm = &f->vm;
    const struct {
        const char *key;
        const char **out;
    } rows[] = { { "arch", &vm->arch },     { "machine", &vm->machine }, { "cpu", &vm->cpu },
                 { "bios", &vm->bios },     { "kernel", &vm->kernel },   { "initrd", &vm->initrd },
                 { "dtb", &vm->dtb },       { "append", &vm->append },   { "symbols", &vm->symbols } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!boot_string(f, t, rows[i].key, rows[i].out, e))
            return false;
    }
    return true;
}

/* A key whose value is one of two words. */
static bool read_choice(struct boot_file *f, struct toml_table *t, const char *key, const char *no, const char *yes,
                        bool *out, struct error *e)
{
    const char *word = NULL;

    if (!boot_string(f, t, key, &word, e))
        return false;
    if (!word)
        return true;
    *out = !strcmp(word, yes);
    return *out || (no && !strcmp(word, no)) ||
           boot_wrong(f, toml_get(t, key), e, "%s is %s%s%s, not \"%s\"", key, no ? no : "", no ? " or " : "", yes,
                      word);
}

static bool read_network(struct boot_file *f, struct toml_table *t, struct error *e)
{
    struct toml_value *v = toml_get(t, "network");

    if (v && v->kind == TOML_STRING && !strcmp(v->text, "open"))
        f->vm.network = f->vm.open_network = true;
    else if (v && v->kind != TOML_BOOLEAN)
        return boot_wrong(f, v, e, "network is true, false or \"open\"");
    else if (v)
        f->vm.network = v->truth;
    f->script.outside = f->vm.network;
    return true;
}

/* One value or an array of them; what the values mean is the door's to check. */
static bool read_axis(struct boot_file *f, struct toml_table *t, const char *key, enum toml_kind kind,
                      struct toml_value **out, struct error *e)
{
    struct toml_value *v = *out = toml_get(t, key);

    if (v && v->kind == TOML_ARRAY && !v->items)
        return boot_wrong(f, v, e, "%s = [] makes no case", key);
    for (size_t i = 0; v && v->kind == TOML_ARRAY && i < v->items; i++) {
        if (v->item[i].kind != kind)
            return boot_wrong(f, &v->item[i], e, "%s takes %s, or an array of such", key, toml_kind_name(kind));
    }
    return !v || v->kind == TOML_ARRAY || v->kind == kind ||
           boot_wrong(f, v, e, "%s takes %s, or an array of such", key, toml_kind_name(kind));
}

static bool read_options(struct boot_file *f, struct toml_table *t, struct error *e)
{
    struct toml_value *v = f->vm.options = toml_get(t, "options");

    if (v && v->kind != TOML_ARRAY)
        return boot_wrong(f, v, e, "options takes an array of strings: [\"-device\", \"...\"]");
    for (size_t i = 0; v && i < v->items; i++) {
        if (v->item[i].kind != TOML_STRING)
            return boot_wrong(f, &v->item[i], e, "options takes an array of strings");
    }
    return true;
}

static bool check_vm(struct boot_file *f, const struct toml_table *t, struct error *e)
{
    const struct boot_vm *vm = &f->vm;

    if (vm->arch && strcmp(vm->arch, "riscv64") && strcmp(vm->arch, "riscv32"))
        return toml_error(&f->toml, t->line, t->column, e, "arch is riscv64 or riscv32, not \"%s\"", vm->arch);
    if (vm->debian && (vm->kernel || vm->initrd || vm->bios))
        return toml_error(
            &f->toml, t->line, t->column, e,
            "system = \"debian\" brings its own kernel, initrd and firmware: leave kernel, initrd, bios out");
    if (!vm->debian && !vm->kernel && !vm->bios)
        return toml_error(&f->toml, t->line, t->column, e,
                          "what is to boot? [vm] needs kernel = \"FILE\", bios = \"FILE\" or system = \"debian\"");
    return true;
}

static bool read_vm(struct boot_file *f, struct toml_table *t, struct error *e)
{
    struct boot_vm *vm = &f->vm;

    vm->shift = DEFAULT_SHIFT;
    return read_names(f, t, e) && read_choice(f, t, "system", NULL, "debian", &vm->debian, e) &&
           read_choice(f, t, "time", "virtual", "real", &vm->real_time, e) && read_network(f, t, e) &&
           boot_number(f, t, "shift", 0, SHIFT_MAX, &vm->shift, e) &&
           boot_texts(f, t, "disk", vm->disk, BOOT_DISKS, &vm->disks, e) &&
           read_axis(f, t, "cpus", TOML_INTEGER, &vm->cpus, e) &&
           read_axis(f, t, "memory", TOML_STRING, &vm->memory, e) && read_options(f, t, e) &&
           boot_unused(f, t, vm_keys, e) && check_vm(f, t, e);
}

/* ---- [limits] ---- */

static bool read_limits(struct boot_file *f, struct toml_table *t, struct error *e)
{
    int64_t resets = DEFAULT_RESETS;

    if (!boot_duration(f, t, "guest", &f->script.guest_limit, e) || !boot_duration(f, t, "host", &f->host_limit, e) ||
        !boot_duration(f, t, "silence", &f->script.silence_limit, e) ||
        !boot_number(f, t, "resets", 0, 1000, &resets, e) || !boot_flag(f, t, "panic", &f->script.panic, e) ||
        !boot_flag(f, t, "oops", &f->script.oops, e))
        return false;
    f->script.resets = (unsigned)resets;
    return boot_unused(f, t, limit_keys, e);
}

/* ---- [[step]] ---- */

static bool refuse_missing(struct boot_file *f, struct toml_table *t, struct error *e)
{
    static const struct {
        const char *key, *why;
    } missing[] = { { "screen", "screens: there is no display yet, so a test can only look at the serial line" },
                    { "snapshot", "snapshots: they cannot be taken yet" } };

    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        struct toml_value *v = toml_get(t, missing[i].key);
        if (v)
            return boot_wrong(f, v, e, "this Lyrebird does not know %s", missing[i].why);
    }
    return true;
}

static bool read_expect(struct boot_file *f, struct toml_table *t, struct boot_step *s, struct error *e)
{
    const char *regex = NULL;

    if (!boot_string(f, t, "expect", &s->expect.text, e) || !boot_string(f, t, "regex", &regex, e))
        return false;
    if (regex && s->expect.text)
        return boot_wrong(f, toml_get(t, "regex"), e, "a step has either expect (a text) or regex");
    s->expect.regex = regex;
    s->expect.text = regex ? regex : s->expect.text;
    return !s->expect.text || *s->expect.text ||
           boot_wrong(f, toml_get(t, regex ? "regex" : "expect"), e, "an empty text is always there");
}

/* What the step is; each of the keys but expect makes one. */
static bool read_kind(struct boot_file *f, struct toml_table *t, struct boot_step *s, struct error *e)
{
    const char *send = NULL, *run = NULL;
    bool reset = false;
    int64_t exit_status = -1, status = 0;

    if (!read_expect(f, t, s, e) || !boot_string(f, t, "send", &send, e) || !boot_string(f, t, "run", &run, e) ||
        !boot_flag(f, t, "reset", &reset, e) || !boot_number(f, t, "exit", 0, 255, &exit_status, e) ||
        !boot_number(f, t, "status", 0, 255, &status, e))
        return false;
    unsigned kinds = !!send + !!run + reset + (exit_status >= 0);
    if (kinds > 1 || (!kinds && !s->expect.text) || (kinds && !run && s->expect.text))
        return toml_error(&f->toml, t->line, t->column, e,
                          "a step is one of expect, regex, send, run, reset = true and exit; "
                          "only run goes together with expect or regex");
    if (!run && toml_get(t, "status"))
        return boot_wrong(f, toml_get(t, "status"), e, "status goes with run");
    s->kind = run ? BOOT_RUN : send ? BOOT_SEND : reset ? BOOT_RESET : exit_status >= 0 ? BOOT_EXIT : BOOT_EXPECT;
    s->text = run ? run : send;
    s->status = (int)(run ? status : exit_status);
    if (run && strchr(run, '\n'))
        return boot_wrong(f, toml_get(t, "run"), e, "run takes one line; write ; between commands");
    return true;
}

static void name_step(struct boot_step *s, const char *name)
{
    static const char *const verbs[] = { "expect", "send", "run", "reset", "exit" };
    const char *text = s->kind == BOOT_EXPECT ? s->expect.text : s->text;

    if (name)
        snprintf(s->name, sizeof s->name, "%s", name);
    else
        snprintf(s->name, sizeof s->name, "%s%s%s", verbs[s->kind], text ? " " : "", text ? text : "");
    for (char *p = s->name; *p; p++) {
        if (iscntrl((unsigned char)*p))
            *p = ' ';
    }
    for (size_t n = strlen(s->name); n && s->name[n - 1] == ' '; n--)
        s->name[n - 1] = 0;
}

static bool read_step(struct boot_file *f, struct toml_table *t, struct error *e)
{
    struct boot_step *s = &f->script.step[f->script.steps];
    const char *name = NULL, *pace = NULL;

    if (f->script.steps == BOOT_STEPS_MAX)
        return toml_error(&f->toml, t->line, t->column, e, "a test has at most %d steps", BOOT_STEPS_MAX);
    if (!refuse_missing(f, t, e) || !read_kind(f, t, s, e) || !boot_string(f, t, "name", &name, e) ||
        !boot_string(f, t, "pace", &pace, e) || !boot_duration(f, t, "limit", &s->limit, e) ||
        !boot_texts(f, t, "fail_on", s->fail_on, BOOT_FAIL_ON_MAX, &s->fail_ons, e) ||
        !boot_unused(f, t, step_keys, e))
        return false;
    s->burst = pace && !strcmp(pace, "burst");
    if (pace && !s->burst && strcmp(pace, "uart"))
        return boot_wrong(f, toml_get(t, "pace"), e, "pace is \"uart\" or \"burst\", not \"%s\"", pace);
    if (pace && s->kind != BOOT_SEND && s->kind != BOOT_RUN)
        return boot_wrong(f, toml_get(t, "pace"), e, "pace goes with send or run");
    name_step(s, name);
    f->script.steps++;
    return true;
}

/* ---- the file ---- */

static bool read_root(struct boot_file *f, struct toml_table *t, struct error *e)
{
    const char *name = NULL;

    if (!boot_string(f, t, "name", &name, e) || !boot_string(f, t, "skip", &f->skip, e))
        return false;
    if (name && name[strcspn(name, "/\n\r\t")])
        return boot_wrong(f, toml_get(t, "name"), e, "the name is part of file names: no / and no control characters");
    if (name && *name)
        snprintf(f->name, sizeof f->name, "%s", name);
    return boot_unused(f, t, root_keys, e);
}

static bool read_table(struct boot_file *f, struct toml_table *t, struct error *e)
{
    if (!*t->name)
        return read_root(f, t, e);
    if (!strcmp(t->name, "vm") && !t->array)
        return read_vm(f, t, e);
    if (!strcmp(t->name, "limits") && !t->array)
        return read_limits(f, t, e);
    if (!strcmp(t->name, "step") && t->array)
        return read_step(f, t, e);
    return toml_error(&f->toml, t->line, t->column, e, "a boot test has [vm], [limits] and [[step]], not %s%s%s",
                      t->array ? "[[" : "[", t->name, t->array ? "]]" : "]");
}

bool boot_file_read(struct boot_file *f, struct error *e)
{
    bool vm = false;

    f->script.panic = f->script.oops = true;
    f->script.resets = DEFAULT_RESETS;
    f->script.guest_limit = 300 * NS_PER_SEC;
    f->host_limit = 600 * NS_PER_SEC;
    for (size_t i = 0; i < f->toml.tables; i++) {
        if (!read_table(f, &f->toml.table[i], e))
            return false;
        vm |= !strcmp(f->toml.table[i].name, "vm");
    }
    if (!vm)
        return error_set(e, "%s: there is no [vm], which says what boots", f->toml.file);
    return f->script.steps || error_set(e, "%s: there is no [[step]], so nothing is tested", f->toml.file);
}
