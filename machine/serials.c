#include "serials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "boot-test.h"
#include "chardev-set.h"
#include "machine.h"
#include "options.h"
#include "terminal.h"

enum { LINES = 4 };

struct serials {
    struct machine *m;
    struct chardev_set *set;
    struct char_port *line[LINES];
    unsigned lines;
};

static void user_quits(void *owner)
{
    machine_quit(owner, 0);
}

struct char_port *serials_chardev(struct serials *s, const char *id, const char *device, struct error *e)
{
    return chardev_set_attach(s->set, id, device, e);
}

static bool open_line(struct serials *s, const char *text, struct error *e)
{
    struct chardev_config config;
    char device[16];

    if (s->lines == LINES)
        return error_set(e, "-serial %s: there are at most %d serial lines", text, LINES);
    if (!chardev_parse_serial(text, &config, e))
        return error_prefix(e, "-serial");
    unsigned n = s->lines++;
    snprintf(device, sizeof device, "serial%u", n);
    if (config.kind == CHARDEV_NONE)
        return true;
    s->line[n] = chardev_set_attach_config(s->set, &config, device, e);
    return s->line[n] || error_prefix(e, "-serial %s", text);
}

struct char_port *serials_open(struct serials *s, const char *text, const char *device, struct error *e)
{
    struct chardev_config config;

    if (!chardev_parse_serial(text, &config, e))
        return NULL;
    if (config.kind == CHARDEV_NONE) {
        error_set(e, "%s: there has to be somebody at the other end", text);
        return NULL;
    }
    return chardev_set_attach_config(s->set, &config, device, e);
}

static bool open_chardevs(struct serials *s, struct error *e)
{
    for (struct option_item *i = NULL; (i = options_next(s->m->options, OPTION_CHARDEV, i));) {
        struct chardev_config config;
        if (!chardev_parse(i->text, &config, e) || !chardev_set_add(s->set, &config, e))
            return error_prefix(e, "-chardev %s", i->text);
    }
    return true;
}

/* -qmp, -monitor and -gdb are opened later. */
static bool others_want_stdio(struct serials *s)
{
    static const enum option_kind kinds[] = { OPTION_QMP, OPTION_MONITOR };
    const char *gdb = s->m->options->gdb;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (struct option_item *item = NULL; (item = options_next(s->m->options, kinds[i], item));) {
            if (!strcmp(item->text, "stdio"))
                return true;
        }
    }
    return gdb && !strcmp(gdb, "stdio");
}

static bool open_lines(struct serials *s, struct error *e)
{
    const struct options *o = s->m->options;

    if (o->test)
        s->line[s->lines++] = boot_test_port(o->test);
    for (struct option_item *i = NULL; (i = options_next(s->m->options, OPTION_SERIAL, i));) {
        if (!open_line(s, i->text, e))
            return false;
    }
    /* Without a window the terminal is the screen, unless something else was given it. */
    return s->lines || o->nodefaults || chardev_set_has_stdio(s->set) || others_want_stdio(s) ||
           open_line(s, "mon:stdio", e);
}

struct serials *serials_new(struct machine *m, struct error *e)
{
    struct serials *s = alloc_zeroed(sizeof *s);

    s->m = m;
    s->set = chardev_set_new(m->loop, (int)m->options->echr, user_quits, m);
    if (open_chardevs(s, e) && open_lines(s, e) && (!chardev_set_has_stdio(s->set) || terminal_job_control(m->loop, e)))
        return s;
    serials_free(s);
    return NULL;
}

void serials_free(struct serials *s)
{
    if (!s)
        return;
    chardev_set_free(s->set);
    free(s);
}

struct char_port *serials_line(struct serials *s, unsigned n)
{
    return n < s->lines ? s->line[n] : NULL;
}

void serials_greet(struct serials *s)
{
    chardev_set_greet(s->set, stderr);
}

struct char_port *serials_monitor(struct serials *s)
{
    struct error none;

    return chardev_set_monitor(s->set, &none);
}

bool serials_tell(struct serials *s, unsigned n, struct control_char *out)
{
    return chardev_set_tell(s->set, n, &out->id, &out->target, &out->user);
}

bool serials_ring_read(struct serials *s, const char *id, uint8_t *buf, size_t *size)
{
    return chardev_set_ring_read(s->set, id, buf, size);
}
