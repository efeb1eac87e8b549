#include "serials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chardev.h"
#include "machine.h"
#include "mux.h"
#include "options.h"

enum { BACKENDS = 16, LINES = 4 };

struct backend {
    char id[64];
    struct char_port *port;
    struct mux *mux; /* or NULL: one device only */
    bool taken;
};

struct serials {
    struct machine *m;
    struct backend backend[BACKENDS];
    unsigned backends;
    struct char_port *line[LINES];
    char line_name[LINES][16];
    unsigned lines;
};

static void user_quits(void *owner)
{
    machine_quit(owner, 0);
}

static struct backend *open_backend(struct serials *s, const struct chardev_config *config, bool mux, struct error *e)
{
    if (s->backends == BACKENDS) {
        error_set(e, "more than %d character backends", BACKENDS);
        return NULL;
    }
    struct backend *b = &s->backend[s->backends];
    snprintf(b->id, sizeof b->id, "%s", config->id);
    b->port = chardev_open(s->m->loop, config, e);
    if (!b->port)
        return NULL;
    s->backends++;
    if (mux || config->mux)
        b->mux = mux_new(s->m->loop, b->port, (int)s->m->options->echr, chardev_is_terminal(b->port), user_quits,
                         s->m, e);
    return b->mux || !(mux || config->mux) ? b : NULL;
}

/* A port for one more device on the backend. */
static struct char_port *claim(struct backend *b, const char *device, struct error *e)
{
    if (b->mux)
        return mux_add(b->mux, device, e);
    if (b->taken) {
        error_set(e, "chardev %s: another device uses it; mux=on lets several share it", b->id);
        return NULL;
    }
    b->taken = true;
    return b->port;
}

struct char_port *serials_chardev(struct serials *s, const char *id, struct error *e)
{
    for (unsigned i = 0; i < s->backends; i++) {
        if (s->backend[i].id[0] && !strcmp(s->backend[i].id, id))
            return claim(&s->backend[i], id, e);
    }
    error_set(e, "chardev %s: there is no -chardev with this id", id);
    return NULL;
}

static bool open_line(struct serials *s, const char *text, struct error *e)
{
    struct chardev_config config;

    if (s->lines == LINES)
        return error_set(e, "-serial %s: there are at most %d serial lines", text, LINES);
    if (!chardev_parse_serial(text, &config, e))
        return error_prefix(e, "-serial");
    unsigned n = s->lines++;
    snprintf(s->line_name[n], sizeof s->line_name[n], "serial%u", n);
    if (config.kind == CHARDEV_NONE)
        return true;
    if (config.kind == CHARDEV_REFERENCE) {
        s->line[n] = serials_chardev(s, config.id, e);
    } else {
        struct backend *b = open_backend(s, &config, config.kind == CHARDEV_STDIO && !config.signals, e);
        s->line[n] = b ? claim(b, s->line_name[n], e) : NULL;
    }
    return s->line[n] || error_prefix(e, "-serial %s", text);
}

static bool open_chardevs(struct serials *s, struct error *e)
{
    for (struct option_item *i = NULL; (i = options_next(s->m->options, OPTION_CHARDEV, i));) {
        struct chardev_config config;
        if (!chardev_parse(i->text, &config, e) || !open_backend(s, &config, false, e))
            return error_prefix(e, "-chardev %s", i->text);
    }
    return true;
}

static bool open_lines(struct serials *s, struct error *e)
{
    const struct options *o = s->m->options;

    for (struct option_item *i = NULL; (i = options_next(s->m->options, OPTION_SERIAL, i));) {
        if (!open_line(s, i->text, e))
            return false;
    }
    /* Without a window the terminal is the screen. */
    return s->lines || o->nodefaults || open_line(s, "mon:stdio", e);
}

struct serials *serials_new(struct machine *m, struct error *e)
{
    struct serials *s = calloc(1, sizeof *s);

    s->m = m;
    if (open_chardevs(s, e) && open_lines(s, e))
        return s;
    serials_free(s);
    return NULL;
}

void serials_free(struct serials *s)
{
    for (unsigned i = 0; s && i < s->backends; i++) {
        mux_free(s->backend[i].mux);
        chardev_close(s->backend[i].port);
    }
    free(s);
}

struct char_port *serials_line(struct serials *s, unsigned n)
{
    return n < s->lines ? s->line[n] : NULL;
}
