/* chardev-set.c - see chardev-set.h. */
#include "chardev-set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "mux.h"

struct member {
    struct chardev_config config;
    struct char_port *port;
    struct mux *mux; /* with mux=on */
    char user[64];   /* without it: the device that has it, or empty */
    struct member *next;
};

struct chardev_set {
    struct loop *loop;
    int escape;
    void (*quit)(void *owner);
    void *owner;
    struct member *members;
};

struct chardev_set *chardev_set_new(struct loop *loop, int escape, void (*quit)(void *owner), void *owner)
{
    struct chardev_set *set = alloc_zeroed(sizeof *set);

    *set = (struct chardev_set){ .loop = loop, .escape = escape, .quit = quit, .owner = owner };
    return set;
}

static void free_member(struct member *m)
{
    mux_free(m->mux);
    chardev_close(m->port);
    free(m);
}

void chardev_set_free(struct chardev_set *set)
{
    while (set && set->members) {
        struct member *m = set->members;
        set->members = m->next;
        free_member(m);
    }
    free(set);
}

static struct member *find(struct chardev_set *set, const char *id)
{
    for (struct member *m = set->members; m; m = m->next)
        if (!strcmp(m->config.id, id))
            return m;
    return NULL;
}

static const struct member *find_stdio(const struct chardev_set *set)
{
    for (const struct member *m = set->members; m; m = m->next)
        if (m->config.kind == CHARDEV_STDIO)
            return m;
    return NULL;
}

static bool check_new(struct chardev_set *set, const struct chardev_config *config, struct error *e)
{
    if (!config->id[0])
        return error_set(e, "a character device needs an id: -chardev ...,id=NAME");
    if (find(set, config->id))
        return error_set(e, "there are two character devices with the id '%s'; give one another name",
                         config->id);
    const struct member *stdio = config->kind == CHARDEV_STDIO ? find_stdio(set) : NULL;
    return !stdio || error_set(e,
                               "'%s' and '%s' both want standard input and output; share it with one "
                               "-chardev stdio,mux=on,id=NAME, or with -serial mon:stdio",
                               stdio->config.id, config->id);
}

static bool open_member(struct chardev_set *set, struct member *m, struct error *e)
{
    m->port = chardev_open(set->loop, &m->config, e);
    if (!m->port)
        return error_prefix(e, "character device '%s'", m->config.id);
    if (!m->config.mux)
        return true;
    m->mux = mux_new(set->loop, m->port, set->escape, chardev_is_terminal(m->port), set->quit, set->owner);
    return true;
}

bool chardev_set_add(struct chardev_set *set, const struct chardev_config *config, struct error *e)
{
    if (!check_new(set, config, e))
        return false;
    struct member *m = alloc_zeroed(sizeof *m);
    m->config = *config;
    if (!open_member(set, m, e)) {
        free_member(m);
        return false;
    }
    m->next = set->members;
    set->members = m;
    return true;
}

static struct char_port *attach(struct member *m, const char *device, struct error *e)
{
    if (m->mux)
        return mux_add(m->mux, device, e);
    if (m->user[0]) {
        error_set(e, "%s: the character device '%s' already belongs to %s; give it mux=on to share it",
                  device, m->config.id, m->user);
        return NULL;
    }
    snprintf(m->user, sizeof m->user, "%s", device);
    return m->port;
}

struct char_port *chardev_set_attach(struct chardev_set *set, const char *id, const char *device,
                                     struct error *e)
{
    struct member *m = find(set, id);

    if (m)
        return attach(m, device, e);
    error_set(e, "%s: there is no character device '%s'; make it with -chardev KIND,id=%s", device, id, id);
    return NULL;
}

struct char_port *chardev_set_attach_config(struct chardev_set *set, const struct chardev_config *config,
                                            const char *device, struct error *e)
{
    if (config->kind == CHARDEV_REFERENCE)
        return chardev_set_attach(set, config->id, device, e);
    struct chardev_config named = *config;
    if (!named.id[0])
        snprintf(named.id, sizeof named.id, "%s", device);
    return chardev_set_add(set, &named, e) ? chardev_set_attach(set, named.id, device, e) : NULL;
}

struct char_port *chardev_set_monitor(struct chardev_set *set, struct error *e)
{
    for (struct member *m = set->members; m; m = m->next)
        if (m->config.monitor && m->mux)
            return mux_add(m->mux, "monitor", e);
    return NULL;
}

struct char_port *chardev_set_find(struct chardev_set *set, const char *id)
{
    struct member *m = find(set, id);

    return m ? m->port : NULL;
}

bool chardev_set_tell(const struct chardev_set *set, unsigned n, const char **id, const char **target,
                      const char **user)
{
    unsigned count = 0;
    const struct member *m;

    for (m = set->members; m; m = m->next)
        count++;
    if (n >= count)
        return false;
    for (m = set->members; count-- > n + 1; m = m->next) /* the last one made comes first */
        ;
    *id = m->config.id;
    *target = chardev_name(m->port);
    *user = m->mux ? "mux" : m->user[0] ? m->user : NULL;
    return true;
}

bool chardev_set_ring_read(struct chardev_set *set, const char *id, uint8_t *buf, size_t *size)
{
    struct member *m = find(set, id);

    if (!m || m->config.kind != CHARDEV_RINGBUF)
        return false;
    *size = chardev_ringbuf_read(m->port, buf, *size);
    return true;
}

bool chardev_set_has_stdio(const struct chardev_set *set)
{
    return find_stdio(set);
}

void chardev_set_greet(const struct chardev_set *set, FILE *out)
{
    const struct member *m = find_stdio(set);
    const char key = (char)('A' + set->escape - 1);

    if (m && m->mux && chardev_is_terminal(m->port) && set->escape >= 1 && set->escape <= 26)
        fprintf(out, "Ctrl-%c x quits, Ctrl-%c h helps\n", key, key);
}
