/*
 * qmp.c - a client's coming and going, what it says and what it is told. "QEMU Machine Protocol Specification".
 *
 * Requests are JSON objects one after the other, with or without line feeds between them. What is none is answered with
 * an error, and reading goes on behind the next line feed at the latest.
 */
#include "qmp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "qmp-priv.h"

enum {
    REQUEST = 1 << 16, /* bytes of the longest one */
    PATIENT = 1 << 17, /* bytes that may wait for the client before its requests wait too */
    UNREAD = 1 << 19,  /* with so many and an event on top, the client is given up */
    AT_ONCE = 64,      /* bytes: about one request in one round of the main loop */
    SECONDS = 60,      /* of the host's, for a client to negotiate, and for a request that was begun to end */
    FLUSH = 0xff,      /* begins anew, whatever came before */
};

struct qmp {
    struct control *control;
    struct char_port *port;
    bool open, negotiated;
    bool first; /* nothing came since the connection began */
    bool dead;  /* what talks to us is no client of ours, or does not read */

    char in[REQUEST];
    size_t in_len;
    unsigned depth;
    bool in_string, escaped;
    bool skipping; /* up to the next line feed */
};

/* ---- out ---- */

static void send(struct qmp *q, struct text_out *out)
{
    text_out_add(out, "\r\n", 2);
    q->port->write(q->port, (const uint8_t *)text_out_get(out), out->len);
    text_out_free(out);
}

static void greet(struct qmp *q)
{
    struct text_out out = { 0 };

    json_begin(&out, '{');
    json_key(&out, "QMP");
    json_begin(&out, '{');
    json_key(&out, "version");
    qmp_put_version(&out, &q->control->about);
    json_key(&out, "capabilities");
    text_out_put(&out, "[]}}");
    send(q, &out);
}

static void give_up(struct qmp *q)
{
    q->dead = true;
    if (q->port->hang_up)
        q->port->hang_up(q->port);
}

static void limit(struct qmp *q, unsigned seconds)
{
    if (q->port->patience)
        q->port->patience(q->port, seconds);
}

static const char *class_name(enum qmp_class class)
{
    static const char *const names[] = { [QMP_GENERIC] = "GenericError", [QMP_NOT_FOUND] = "CommandNotFound",
                                         [QMP_NO_DEVICE] = "DeviceNotFound" };

    return names[class];
}

static void put_answer(struct text_out *out, const struct qmp_call *call, const struct json *id)
{
    json_begin(out, '{');
    if (call->failed) {
        json_key(out, "error");
        json_begin(out, '{');
        json_key(out, "class");
        json_string(out, class_name(call->class));
        json_key(out, "desc");
        json_string(out, call->why);
        json_end(out, '}');
    } else {
        json_key(out, "return");
        text_out_put(out, "%s", call->out->len ? text_out_get(call->out) : "{}");
    }
    if (id)
        json_put(out, id);
    json_end(out, '}');
}

/* An answer that does not fit becomes an error that does. */
static void answer(struct qmp *q, struct qmp_call *call, const struct json *id)
{
    struct text_out out = { 0 };

    put_answer(&out, call, id);
    if (out.full || call->out->full || out.len > TEXT_OUT_MAX - 2) {
        text_out_clear(&out);
        qmp_fail(call, QMP_GENERIC, "the answer is longer than %d bytes", TEXT_OUT_MAX);
        put_answer(&out, call, id);
    }
    send(q, &out);
    text_out_free(call->out);
}

static void put_event_data(struct text_out *out, bool by_guest, const char *reason)
{
    json_key(out, "data");
    json_begin(out, '{');
    json_key(out, "guest");
    json_bool(out, by_guest);
    json_key(out, "reason");
    json_string(out, reason);
    json_end(out, '}');
}

static void event_happens(void *owner, enum control_event what, bool by_guest, const char *reason)
{
    struct qmp *q = owner;
    struct text_out out = { 0 };
    struct timespec now;

    if (!q->open || !q->negotiated || q->dead)
        return;
    if (q->port->pending && q->port->pending(q->port) > UNREAD) {
        give_up(q);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now); /* the protocol wants the host's */
    text_out_put(&out, "{\"timestamp\": {\"seconds\": %" PRId64 ", \"microseconds\": %ld}, \"event\": \"%s\"",
                 (int64_t)now.tv_sec, now.tv_nsec / 1000, qmp_event_names[what]);
    if (what == CONTROL_RESET || what == CONTROL_SHUTDOWN)
        put_event_data(&out, by_guest, reason);
    text_out_put(&out, "}");
    send(q, &out);
}

/* ---- requests ---- */

void qmp_fail(struct qmp_call *call, enum qmp_class class, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(call->why, sizeof call->why, fmt, ap);
    va_end(ap);
    call->failed = true;
    call->class = class;
}

static bool check_members(struct qmp_call *call, const struct json *request)
{
    const struct json *execute = json_get(request, "execute"), *args = json_get(request, "arguments");

    if (request->kind != JSON_OBJECT) {
        qmp_fail(call, QMP_GENERIC, "QMP input must be a JSON object");
        return false;
    }
    for (const struct json *m = request->first; m && !call->failed; m = m->next) {
        if (strcmp(m->key, "execute") && strcmp(m->key, "arguments") && strcmp(m->key, "id"))
            qmp_fail(call, QMP_GENERIC, "QMP input member '%.100s' is unexpected", m->key);
    }
    if (!call->failed && !execute)
        qmp_fail(call, QMP_GENERIC, "QMP input lacks member 'execute'");
    else if (!call->failed && execute->kind != JSON_STRING)
        qmp_fail(call, QMP_GENERIC, "QMP input member 'execute' must be a string");
    else if (!call->failed && args && args->kind != JSON_OBJECT)
        qmp_fail(call, QMP_GENERIC, "QMP input member 'arguments' must be an object");
    return !call->failed;
}

/* The only command before the others are. We have none of the capabilities that a client could enable. */
static void negotiate(struct qmp *q, struct qmp_call *call, const char *name)
{
    const struct json *enable = json_get(call->args, "enable");

    if (strcmp(name, "qmp_capabilities"))
        qmp_fail(call, QMP_NOT_FOUND, "Expecting capabilities negotiation with 'qmp_capabilities'");
    else if (enable && (enable->kind != JSON_ARRAY || enable->first))
        qmp_fail(call, QMP_GENERIC, "there is no capability to enable: the greeting lists none");
    else
        q->negotiated = true;
    if (q->negotiated)
        limit(q, 0);
}

static void serve(struct qmp *q, const struct json *request)
{
    struct text_out value = { 0 };
    struct qmp_call call = { .control = q->control, .out = &value };

    if (check_members(&call, request)) {
        const char *name = json_get(request, "execute")->text;
        call.args = json_get(request, "arguments");
        if (!q->negotiated)
            negotiate(q, &call, name);
        else
            qmp_serve(&call, name);
    }
    answer(q, &call, json_get(request, "id"));
}

static void refuse(struct qmp *q, const char *why)
{
    struct text_out value = { 0 };
    struct qmp_call call = { .out = &value };

    qmp_fail(&call, QMP_GENERIC, "%s", why);
    answer(q, &call, NULL);
}

/* Whoever has not negotiated keeps the limit that it has. */
static void begin_request(struct qmp *q)
{
    if (q->negotiated)
        limit(q, 0);
    q->in_len = q->depth = 0;
    q->in_string = q->escaped = false;
}

static void end_request(struct qmp *q)
{
    struct error e;
    struct json *request = json_parse(q->in, q->in_len, &e);

    begin_request(q);
    if (request)
        serve(q, request);
    else
        refuse(q, e.text);
    json_free(request);
}

/* ---- where a request ends ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip(struct qmp *q, uint8_t c, const char *why)
{
    begin_request(q);
    q->skipping = c != '\n';
    refuse(q, why);
}

static void take_in_string(struct qmp *q, uint8_t c)
{
    if (q->escaped)
        q->escaped = false;
    else if (c == '\\')
        q->escaped = true;
    else if (c == '"')
        q->in_string = false;
    if (c == '\n') /* no string may hold it: an error, but not one that swallows what follows */
        end_request(q);
}

static void take_outside(struct qmp *q, uint8_t c)
{
    if (c == '"') {
        q->in_string = true;
    } else if (c == '{' || c == '[') {
        if (++q->depth > JSON_DEPTH)
            skip(q, c, "JSON parse error, nested too deeply");
    } else if (c == '}' || c == ']') {
        q->depth -= q->depth > 0;
        if (!q->depth)
            end_request(q);
    } else if (c == '\n' && !q->depth) {
        end_request(q);
    }
}

static void take(struct qmp *q, uint8_t c)
{
    /* No JSON begins with a capital, but what a browser sends does: none of it is to be obeyed. */
    if (q->first && c >= 'A' && c <= 'Z') {
        give_up(q);
        return;
    }
    q->first = false;
    if (q->skipping || c == FLUSH) {
        q->skipping = q->skipping && c != '\n' && c != FLUSH;
        begin_request(q);
        return;
    }
    if (!q->in_len && is_blank(c))
        return;
    if (q->in_len == sizeof q->in) {
        skip(q, c, "JSON parse error, a request has at most 65536 bytes");
        return;
    }
    if (!q->in_len && q->negotiated)
        limit(q, SECONDS);
    q->in[q->in_len++] = (char)c;
    if (q->in_string)
        take_in_string(q, c);
    else
        take_outside(q, c);
}

/* ---- the port ---- */

static size_t can_receive(void *dev)
{
    struct qmp *q = dev;

    return q->port->pending && q->port->pending(q->port) > PATIENT ? 0 : AT_ONCE;
}

static void receive(void *dev, const uint8_t *buf, size_t len)
{
    struct qmp *q = dev;

    for (size_t i = 0; i < len && !q->dead; i++)
        take(q, buf[i]);
}

static void port_event(void *dev, enum char_event what)
{
    struct qmp *q = dev;

    if (what != CHAR_OPENED && what != CHAR_CLOSED)
        return;
    begin_request(q);
    q->open = q->first = what == CHAR_OPENED;
    q->negotiated = q->dead = q->skipping = false;
    if (q->open) {
        limit(q, SECONDS);
        greet(q);
    }
}

struct qmp *qmp_new(struct control *c, struct char_port *port, struct error *e)
{
    struct qmp *q = alloc_zeroed(sizeof *q);
    struct control_listener listener = { .event = event_happens, .owner = q };

    if (!control_listen(c, &listener, e)) {
        free(q);
        return NULL;
    }
    q->control = c;
    q->port = port;
    port->can_receive = can_receive;
    port->receive = receive;
    port->event = port_event;
    port->dev = q;
    return q;
}

void qmp_free(struct qmp *q)
{
    if (!q)
        return;
    control_unlisten(q->control, q);
    q->port->dev = NULL;
    q->port->can_receive = NULL;
    q->port->receive = NULL;
    q->port->event = NULL;
    free(q);
}
