#include "harness-options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "nearest.h"
#include "options.h"

struct opt {
    struct options o;
    struct error e;
    bool ok;
};

struct opt *opt_parse(int argc, char **argv)
{
    struct opt *t = calloc(1, sizeof *t);

    t->ok = options_parse(&t->o, argc, argv, &t->e);
    return t;
}

void opt_free(struct opt *t)
{
    options_free(&t->o);
    free(t);
}

bool opt_ok(const struct opt *t)
{
    return t->ok;
}

const char *opt_error(const struct opt *t)
{
    return t->e.text;
}

uint64_t opt_number(const struct opt *t, const char *field)
{
    const struct options *o = &t->o;
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        { "cpus", o->cpus },
        { "ram_size", o->ram_size },
        { "snapshot", o->snapshot },
        { "action", o->action },
        { "nographic", o->nographic },
        { "nodefaults", o->nodefaults },
        { "start_paused", o->start_paused },
        { "rtc.base", o->rtc.base },
        { "rtc.clock", o->rtc.clock },
        { "rtc.date", (uint64_t)o->rtc.date },
        { "icount.on", o->icount.on },
        { "icount.shift", o->icount.shift },
        { "icount.auto", o->icount.automatic },
        { "icount.sleep", o->icount.sleep },
        { "on_reboot", o->on_reboot },
        { "on_shutdown", o->on_shutdown },
        { "on_panic", o->on_panic },
        { "on_watchdog", o->on_watchdog },
        { "echr", o->echr },
        { "uuid.first", o->uuid[0] },
        { "uuid.last", o->uuid[15] },
        { "has_uuid", o->has_uuid },
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (strcmp(field, fields[i].name) == 0)
            return fields[i].value;
    return UINT64_MAX;
}

const char *opt_text(const struct opt *t, const char *field)
{
    const struct options *o = &t->o;
    const struct {
        const char *name, *value;
    } fields[] = {
        { "kernel", o->kernel },     { "initrd", o->initrd },
        { "append", o->append },     { "dtb", o->dtb },
        { "bios", o->bios },         { "cpu", o->cpu },
        { "list", o->list },         { "guest", o->guest },
        { "name", o->name },         { "log_items", o->log_items },
        { "log_file", o->log_file }, { "pidfile", o->pidfile },
        { "trace", o->trace },       { "program", o->program },
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (strcmp(field, fields[i].name) == 0)
            return fields[i].value ? fields[i].value : "";
    return "no such field";
}

const char *opt_item(struct opt *t, const char *kind, unsigned n, const char *key)
{
    static const struct {
        const char *name;
        enum option_kind kind;
    } kinds[] = {
        { "device", OPTION_DEVICE }, { "drive", OPTION_DRIVE }, { "serial", OPTION_SERIAL },
        { "fw_cfg", OPTION_FW_CFG }, { "chardev", OPTION_CHARDEV }, { "netdev", OPTION_NETDEV },
        { "qmp", OPTION_QMP },       { "monitor", OPTION_MONITOR },
    };
    struct option_item *item = NULL;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kind, kinds[i].name) != 0)
            continue;
        do
            item = options_next(&t->o, kinds[i].kind, item);
        while (item && n--);
        return !item ? NULL : key ? keyvals_get(&item->kv, key) : item->text;
    }
    return NULL;
}

const char *opt_machine(struct opt *t, const char *key)
{
    return keyvals_get(&t->o.machine, key);
}

size_t opt_warnings(const struct opt *t)
{
    return t->o.warnings.count;
}

const char *opt_warning(const struct opt *t, size_t n)
{
    return t->o.warnings.item[n];
}

const char *opt_finish(struct opt *t)
{
    return options_finish(&t->o, &t->e) ? "" : t->e.text;
}

char *opt_help(const struct opt *t)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    options_print_help(&t->o, f);
    fclose(f);
    return text;
}

char *opt_version(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    options_print_version(f);
    fclose(f);
    return text;
}

const char *kv_check(const char *text, const char *const *asked, const char *const *known, char *out,
                     size_t size)
{
    struct keyvals kv;
    struct error e = { "" };

    if (keyvals_parse(&kv, "-test", text, NULL, &e)) {
        for (; asked && *asked; asked++)
            keyvals_get(&kv, *asked);
        keyvals_finish(&kv, known, &e);
    }
    keyvals_free(&kv);
    snprintf(out, size, "%s", e.text);
    return out;
}

bool kv_first(const char *text, char *out, size_t size)
{
    struct keyvals kv;
    struct error e;

    bool ok = keyvals_parse_first(&kv, "-test", text, "path", &e) && keyvals_copy(&kv, "path", out, size, &e) &&
              keyvals_get(&kv, "server") && keyvals_finish(&kv, NULL, &e);
    keyvals_free(&kv);
    return ok;
}

bool kv_size(const char *text, uint64_t unit, uint64_t *out)
{
    return parse_size(text, unit, out);
}

unsigned kv_distance(const char *a, const char *b)
{
    return nearest_distance(a, b);
}
