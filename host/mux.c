/* mux.c - see mux.h. */
#include "mux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

enum { QUEUE = 256, LINE = 1024 };

struct front {
    struct char_port port; /* first */
    struct mux *mux;
    char name[64];
    uint8_t in[QUEUE];
    size_t in_count;
    uint8_t line[LINE]; /* output that waits for its newline, while out of focus */
    size_t line_count;
    bool told_open; /* the device knows that the backend is open */
};

struct mux {
    struct loop *loop;
    struct char_port *back;
    struct loop_hook hook;
    struct front *front[MUX_FRONTS];
    int count;
    int focus;
    int escape;
    bool terminal;
    bool escaped;  /* the escape key was typed */
    bool mid_line; /* the last character shown was not a newline */
    bool open;
    void (*quit)(void *owner);
    void *owner;
};

static void show(struct mux *m, const uint8_t *p, size_t n)
{
    if (!n)
        return;
    m->back->write(m->back, p, n);
    m->mid_line = p[n - 1] != '\n';
}

static void say(struct mux *m, const char *text)
{
    show(m, (const uint8_t *)text, strlen(text));
}

static void show_line(struct front *f)
{
    if (!f->line_count)
        return;
    if (f->mux->mid_line)
        say(f->mux, "\r\n");
    show(f->mux, f->line, f->line_count);
    f->line_count = 0;
}

static void front_write(struct char_port *port, const uint8_t *buf, size_t len)
{
    struct front *f = (struct front *)port;

    if (f->mux->front[f->mux->focus] == f) {
        show(f->mux, buf, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        f->line[f->line_count++] = buf[i];
        if (buf[i] == '\n' || f->line_count == LINE)
            show_line(f);
    }
}

static void front_poke(struct char_port *port)
{
    loop_wake(((struct front *)port)->mux->loop);
}

static size_t front_pending(struct char_port *port)
{
    struct char_port *back = ((struct front *)port)->mux->back;

    return back->pending ? back->pending(back) : 0;
}

/* ---- keys ---- */

static void help(struct mux *m)
{
    char text[256];
    const char key = m->escape >= 1 && m->escape <= 26 ? (char)('A' + m->escape - 1) : '?';

    snprintf(text, sizeof text,
             "\r\nCtrl-%c h  this help\r\nCtrl-%c x  quit\r\nCtrl-%c c  next device (now: %s)\r\n"
             "Ctrl-%c b  send a break\r\nCtrl-%c Ctrl-%c  send Ctrl-%c\r\n",
             key, key, key, m->front[m->focus]->name, key, key, key, key);
    say(m, text);
}

static void set_focus(struct mux *m, int focus)
{
    char text[128];

    if (focus == m->focus)
        return;
    m->focus = focus;
    show_line(m->front[focus]);
    snprintf(text, sizeof text, "%s[%s]\r\n", m->mid_line ? "\r\n" : "", m->front[focus]->name);
    say(m, text);
    if (m->front[focus]->port.event)
        m->front[focus]->port.event(m->front[focus]->port.dev, CHAR_FOCUSED);
}

static void send_break(struct mux *m)
{
    struct front *f = m->front[m->focus];

    if (f->port.event)
        f->port.event(f->port.dev, CHAR_BREAK);
}

static void type(struct mux *m, uint8_t c)
{
    struct front *f = m->front[m->focus];

    if (f->in_count < QUEUE)
        f->in[f->in_count++] = c;
}

static void after_escape(struct mux *m, uint8_t c)
{
    switch (c) {
    case 'x': case 'X':
        m->quit(m->owner);
        break;
    case 'h': case 'H': case '?':
        help(m);
        break;
    case 'c': case 'C':
        set_focus(m, (m->focus + 1) % m->count);
        break;
    case 'b': case 'B':
        send_break(m);
        break;
    default:
        if (c == m->escape)
            type(m, c);
        break;
    }
}

static void deliver(struct front *f)
{
    while (f->in_count && f->port.can_receive) {
        size_t n = f->port.can_receive(f->port.dev);
        n = n < f->in_count ? n : f->in_count;
        if (!n)
            return;
        f->port.receive(f->port.dev, f->in, n);
        f->in_count -= n;
        memmove(f->in, f->in + n, f->in_count);
    }
}

static size_t back_can_receive(void *dev)
{
    struct mux *m = dev;

    if (!m->count)
        return 0;
    size_t room = QUEUE - m->front[m->focus]->in_count;
    return room || !m->terminal ? room : QUEUE;
}

static void back_receive(void *dev, const uint8_t *buf, size_t len)
{
    struct mux *m = dev;

    for (size_t i = 0; i < len; i++) {
        bool escaped = m->escaped;
        m->escaped = !escaped && buf[i] == m->escape;
        if (escaped)
            after_escape(m, buf[i]);
        else if (!m->escaped)
            type(m, buf[i]);
    }
    for (int i = 0; i < m->count; i++)
        deliver(m->front[i]);
}

static void back_event(void *dev, enum char_event event)
{
    struct mux *m = dev;

    if (event == CHAR_BREAK)
        send_break(m);
    else
        m->open = event == CHAR_OPENED;
    loop_wake(m->loop); /* our prepare() may have run before the backend's in this round */
}

static void prepare(void *owner, struct loop_poll *poll)
{
    struct mux *m = owner;

    for (int i = 0; i < m->count; i++) {
        struct front *f = m->front[i];
        if (f->port.event && f->told_open != m->open) {
            f->told_open = m->open;
            f->port.event(f->port.dev, m->open ? CHAR_OPENED : CHAR_CLOSED);
        }
        deliver(f);
    }
}

/* ---- making ---- */

struct mux *mux_new(struct loop *loop, struct char_port *backend, int escape, bool terminal,
                    void (*quit)(void *owner), void *owner)
{
    struct mux *m = alloc_zeroed(sizeof *m);

    m->loop = loop;
    m->back = backend;
    m->escape = escape;
    m->terminal = terminal;
    m->quit = quit;
    m->owner = owner;
    m->hook = (struct loop_hook){ .prepare = prepare, .owner = m };
    loop_hook_add(loop, &m->hook);
    backend->dev = m;
    backend->can_receive = back_can_receive;
    backend->receive = back_receive;
    backend->event = back_event;
    return m;
}

void mux_free(struct mux *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->count; i++) {
        show_line(m->front[i]);
        free(m->front[i]);
    }
    loop_hook_remove(m->loop, &m->hook);
    m->back->dev = NULL;
    m->back->can_receive = NULL;
    m->back->receive = NULL;
    m->back->event = NULL;
    free(m);
}

struct char_port *mux_add(struct mux *m, const char *name, struct error *e)
{
    struct front *f = m->count < MUX_FRONTS ? alloc_zeroed(sizeof *f) : NULL;

    if (!f) {
        error_set(e, "%s: a character device takes no more than %d devices", name, MUX_FRONTS);
        return NULL;
    }
    f->port.write = front_write;
    f->port.poke = front_poke;
    f->port.pending = front_pending;
    f->port.shared = true;
    f->mux = m;
    snprintf(f->name, sizeof f->name, "%s", name);
    m->front[m->count++] = f;
    return &f->port;
}

void mux_focus(struct mux *m, struct char_port *port)
{
    for (int i = 0; i < m->count; i++)
        if (&m->front[i]->port == port)
            set_focus(m, i);
}
