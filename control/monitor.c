/* monitor.c - the line that a person types, and what becomes of it. See monitor.h. */
#include "monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

enum {
    PATIENT = 1 << 18, /* bytes that may wait for the reader before its commands wait too */
    AT_ONCE = 8,       /* bytes: about a command in one round of the main loop */
    SECONDS = 600,     /* of the host's, for a line that was begun to end: a person may think it over */
    HISTORY = 16,
    CTRL_C = 3,
    BACKSPACE = 8,
    CTRL_U = 21,
    ESCAPE = 27,
    DELETE = 127,
};

static const char prompt[] = "(qemu) ";

enum escape { NO_ESCAPE, AFTER_ESCAPE, IN_SEQUENCE };

struct monitor {
    struct control *control;
    struct char_port *port;
    unsigned cpu;
    char line[MONITOR_LINE];
    size_t len;
    char *history[HISTORY]; /* the latest first */
    unsigned shown;         /* 0: the line is new; n: it is history[n - 1] */
    enum escape escape;
    bool after_return;  /* a line feed belongs to the carriage return before it */
    bool greeted;       /* the banner was shown */
    bool limited;       /* the line has to end some time */
    bool first;         /* no line came since the connection began */
    bool dead;          /* what talks to us is no monitor's client */
};

/* ---- out ---- */

static void write_text(struct monitor *m, const char *text)
{
    m->port->write(m->port, (const uint8_t *)text, strlen(text));
}

/* With the carriage returns that a raw terminal needs. */
static void write_lines(struct monitor *m, const char *text)
{
    struct text_out out = { 0 };

    for (const char *end; *text; text = end) {
        end = text + strcspn(text, "\n");
        text_out_add(&out, text, (size_t)(end - text));
        if (*end++)
            text_out_add(&out, "\r\n", 2);
        else
            end--;
    }
    write_text(m, text_out_get(&out));
    text_out_free(&out);
}

static void show_prompt(struct monitor *m)
{
    write_text(m, prompt);
    m->port->write(m->port, (const uint8_t *)m->line, m->len);
}

static void greet(struct monitor *m)
{
    char banner[96];

    if (!m->greeted) {
        snprintf(banner, sizeof banner, "Lyrebird %s monitor - type 'help' for more information\r\n",
                 m->control->about.version);
        write_text(m, banner);
    }
    m->greeted = true;
    show_prompt(m);
}

/* ---- editing ---- */

/* Rubs the line out, on the screen too. */
static void erase(struct monitor *m)
{
    for (; m->len; m->len--)
        write_text(m, "\b \b");
}

static void insert(struct monitor *m, const char *bytes, size_t len)
{
    len = len < sizeof m->line - 1 - m->len ? len : sizeof m->line - 1 - m->len;
    memcpy(m->line + m->len, bytes, len);
    m->len += len;
    m->port->write(m->port, (const uint8_t *)bytes, len);
}

static void remember(struct monitor *m)
{
    m->shown = 0;
    if (!m->len || (m->history[0] && !strcmp(m->history[0], m->line)))
        return;
    free(m->history[HISTORY - 1]);
    memmove(m->history + 1, m->history, sizeof m->history - sizeof m->history[0]);
    m->history[0] = alloc_text(m->line);
}

/* 'A': up, 'B': down. */
static void move(struct monitor *m, char key)
{
    if (key == 'A' && m->shown < HISTORY && m->history[m->shown])
        m->shown++;
    else if (key == 'B' && m->shown)
        m->shown--;
    else
        return;
    erase(m);
    if (m->shown)
        insert(m, m->history[m->shown - 1], strlen(m->history[m->shown - 1]));
}

/* ---- in ---- */

/* A browser that was sent to our port: nothing of what it says may be taken for a command. */
static bool is_http(const char *line)
{
    static const char *const verbs[] = { "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ",
                                         "CONNECT ", "TRACE " };

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!strncmp(line, verbs[i], strlen(verbs[i])))
            return true;
    }
    return false;
}

static void execute(struct monitor *m)
{
    struct text_out out = { 0 };

    write_text(m, "\r\n");
    m->line[m->len] = 0;
    if (m->first && m->port->hang_up && is_http(m->line)) {
        m->dead = true;
        m->port->hang_up(m->port);
        return;
    }
    m->first = false;
    remember(m);
    monitor_execute(m->control, &m->cpu, m->line, &out);
    write_lines(m, text_out_get(&out));
    text_out_free(&out);
    m->len = 0;
    show_prompt(m);
}

static void take_key(struct monitor *m, uint8_t c)
{
    bool after_return = m->after_return;

    m->after_return = c == '\r';
    if (c == '\r' || (c == '\n' && !after_return)) {
        execute(m);
    } else if (c == BACKSPACE || c == DELETE) {
        if (m->len) {
            m->len--;
            write_text(m, "\b \b");
        }
    } else if (c == CTRL_U || c == CTRL_C) {
        erase(m);
    } else if (c == ESCAPE) {
        m->escape = AFTER_ESCAPE;
    } else if (c >= ' ' || c == '\t') {
        insert(m, (char[]){ c == '\t' ? ' ' : (char)c }, 1);
    }
}

static void take(struct monitor *m, uint8_t c)
{
    switch (m->escape) {
    case NO_ESCAPE: take_key(m, c); break;
    case AFTER_ESCAPE: m->escape = c == '[' || c == 'O' ? IN_SEQUENCE : NO_ESCAPE; break;
    case IN_SEQUENCE:
        if (c < '@' && c >= ' ')
            break; /* its parameters */
        m->escape = NO_ESCAPE;
        move(m, (char)c);
        break;
    }
}

/* ---- the port ---- */

static size_t can_receive(void *dev)
{
    struct monitor *m = dev;

    return m->port->pending && m->port->pending(m->port) > PATIENT ? 0 : AT_ONCE;
}

static void receive(void *dev, const uint8_t *buf, size_t len)
{
    struct monitor *m = dev;

    for (size_t i = 0; i < len && !m->dead; i++)
        take(m, buf[i]);
    bool begun = m->len || m->escape;
    if (begun != m->limited && m->port->patience && !m->dead)
        m->port->patience(m->port, begun ? SECONDS : 0);
    m->limited = begun;
}

static void event(void *dev, enum char_event what)
{
    struct monitor *m = dev;

    if (what == CHAR_OPENED) {
        m->len = 0;
        m->escape = NO_ESCAPE;
        m->after_return = m->greeted = m->limited = m->dead = false;
        m->first = true;
        if (!m->port->shared)
            greet(m);
    } else if (what == CHAR_FOCUSED) {
        greet(m);
    }
}

struct monitor *monitor_new(struct control *c, struct char_port *port)
{
    struct monitor *m = alloc_zeroed(sizeof *m);

    m->control = c;
    m->port = port;
    m->first = true;
    port->can_receive = can_receive;
    port->receive = receive;
    port->event = event;
    port->dev = m;
    return m;
}

void monitor_free(struct monitor *m)
{
    if (!m)
        return;
    m->port->dev = NULL;
    m->port->can_receive = NULL;
    m->port->receive = NULL;
    m->port->event = NULL;
    for (unsigned i = 0; i < HISTORY; i++)
        free(m->history[i]);
    free(m);
}
