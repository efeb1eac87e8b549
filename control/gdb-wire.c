/*
 * gdb-wire.c - packets in bytes: GDB's manual, sections "Overview" and "Packet Acknowledgment".
 *
 * Out of order is answered, never trusted: a wrong checksum with '-', a packet that is too long or holds bytes that its
 * kind may not hold with an error. What lies between packets is ignored, but who begins with it is no debugger. One
 * thinks for as long as its user does, but between packets.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gdb-priv.h"

enum { INTERRUPT = 3, ESCAPE = '}' };

void gdb_wire_reset(struct gdb *g)
{
    g->state = WIRE_IDLE;
    g->first = true;
    g->begun = g->dead = false;
    g->no_ack = g->knows_swbreak = g->knows_hwbreak = false;
    g->out_len = 0;
}

static int digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* ---- out ---- */

void gdb_begin(struct gdb *g)
{
    g->out[0] = '$';
    g->out_len = 1;
    g->resends = 0;
}

size_t gdb_room(const struct gdb *g)
{
    return GDB_PACKET + 1 - g->out_len;
}

/* Appends what has room: callers that may have more than that ask first. */
static void put_bytes(struct gdb *g, const char *bytes, size_t len)
{
    len = len < gdb_room(g) ? len : gdb_room(g);
    memcpy(g->out + g->out_len, bytes, len);
    g->out_len += len;
}

void gdb_put(struct gdb *g, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n > 0)
        put_bytes(g, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void gdb_put_hex(struct gdb *g, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++)
        put_bytes(g, (char[]){ digits[bytes[i] >> 4], digits[bytes[i] & 15] }, 2);
}

void gdb_put_binary(struct gdb *g, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr("#$}*", data[i]))
            put_bytes(g, (char[]){ ESCAPE, (char)(data[i] ^ 0x20) }, 2);
        else
            put_bytes(g, &data[i], 1);
    }
}

void gdb_error(struct gdb *g, enum gdb_error error)
{
    gdb_begin(g);
    gdb_put(g, "E%02x", (unsigned)error);
}

void gdb_ok(struct gdb *g)
{
    gdb_begin(g);
    gdb_put(g, "OK");
}

static void write_out(struct gdb *g)
{
    g->port->write(g->port, (const uint8_t *)g->out, g->out_len);
}

void gdb_send(struct gdb *g)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum = 0;

    for (size_t i = 1; i < g->out_len; i++)
        sum = (uint8_t)(sum + (uint8_t)g->out[i]);
    /* The array has room for these behind the longest body. */
    g->out[g->out_len++] = '#';
    g->out[g->out_len++] = digits[sum >> 4];
    g->out[g->out_len++] = digits[sum & 15];
    write_out(g);
}

static void acknowledge(struct gdb *g, char c)
{
    if (!g->no_ack)
        g->port->write(g->port, (const uint8_t *)&c, 1);
}

static void send_again(struct gdb *g)
{
    if (!g->no_ack && g->out_len && g->resends++ < GDB_RESENDS)
        write_out(g);
}

/* ---- in ---- */

/* Only the data of X are binary; anything else outside of printable ASCII was not sent by a debugger. */
static bool is_text(const struct gdb *g)
{
    if (g->in_len && g->in[0] == 'X')
        return true;
    for (size_t i = 0; i < g->in_len; i++) {
        if (g->in[i] < ' ' || g->in[i] > '~')
            return false;
    }
    return true;
}

static void packet_ends(struct gdb *g)
{
    if (g->in_wanted != g->in_sum) {
        acknowledge(g, '-');
        return;
    }
    if (g->port->pending && g->port->pending(g->port) > GDB_UNREAD) {
        gdb_give_up(g);
        return;
    }
    acknowledge(g, '+');
    g->in[g->in_len] = 0;
    g->silent = false;
    g->begun = true;
    if (g->in_long)
        gdb_error(g, GDB_E2BIG);
    else if (!is_text(g))
        gdb_error(g, GDB_EINVAL);
    else
        gdb_packet(g);
    if (g->silent)
        g->out_len = 0; /* nothing that '-' could ask for */
    else
        gdb_send(g);
}

/* Whoever has not begun yet keeps the limit that it has: wrong packets do not put it off. */
static void between_packets(struct gdb *g)
{
    g->state = WIRE_IDLE;
    if (g->begun)
        gdb_patience(g, 0);
}

static void take_idle(struct gdb *g, uint8_t byte)
{
    if (byte == '$') {
        g->state = WIRE_BODY;
        g->in_len = g->in_sum = 0;
        g->in_long = false;
        if (g->begun)
            gdb_patience(g, GDB_PATIENCE);
    } else if (byte == INTERRUPT) {
        gdb_interrupt(g);
    } else if (byte == '-') {
        send_again(g);
    } else if (byte == '+') {
        g->out_len = 0;
    }
}

static void take_body(struct gdb *g, uint8_t byte)
{
    if (byte == '#') {
        g->state = WIRE_SUM_HIGH;
        return;
    }
    if (byte == '$') { /* the end of the last one got lost */
        take_idle(g, byte);
        return;
    }
    g->in_sum = (uint8_t)(g->in_sum + byte);
    if (g->in_len < GDB_PACKET)
        g->in[g->in_len++] = byte;
    else
        g->in_long = true;
}

static void take_sum(struct gdb *g, uint8_t byte)
{
    int value = digit(byte);

    if (g->state == WIRE_SUM_HIGH && value >= 0) {
        g->in_wanted = (uint8_t)(value << 4);
        g->state = WIRE_SUM_LOW;
        return;
    }
    if (value >= 0) {
        g->in_wanted |= (uint8_t)value;
        packet_ends(g);
    } else {
        acknowledge(g, '-');
    }
    between_packets(g);
}

void gdb_take(struct gdb *g, uint8_t byte)
{
    /* What a browser or a port scanner sends, for one. */
    if (g->first && g->port->hang_up && !memchr("+-$\3", byte, 4)) {
        gdb_give_up(g);
        return;
    }
    g->first = false;
    switch (g->state) {
    case WIRE_IDLE: take_idle(g, byte); break;
    case WIRE_BODY: take_body(g, byte); break;
    case WIRE_SUM_HIGH:
    case WIRE_SUM_LOW: take_sum(g, byte); break;
    }
}

/* ---- what is in a packet ---- */

bool gdb_at_end(const struct gdb_text *t)
{
    return t->at == t->end;
}

bool gdb_take_number(struct gdb_text *t, uint64_t *value)
{
    const uint8_t *at = t->at;
    uint64_t n = 0;

    while (at < t->end && digit(*at) >= 0)
        n = n << 4 | (uint64_t)digit(*at++);
    if (at == t->at || at - t->at > 16)
        return false;
    t->at = at;
    *value = n;
    return true;
}

bool gdb_take_char(struct gdb_text *t, char c)
{
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

bool gdb_take_word(struct gdb_text *t, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(t->end - t->at) < len || memcmp(t->at, word, len))
        return false;
    t->at += len;
    return true;
}

bool gdb_take_bytes(struct gdb_text *t, uint8_t *buf, size_t len)
{
    const uint8_t *at = t->at;

    if ((size_t)(t->end - at) / 2 < len)
        return false;
    for (size_t i = 0; i < len; i++, at += 2) {
        if (digit(at[0]) < 0 || digit(at[1]) < 0)
            return false;
        buf[i] = (uint8_t)(digit(at[0]) << 4 | digit(at[1]));
    }
    t->at = at;
    return true;
}

bool gdb_take_binary(struct gdb_text *t, uint8_t *buf, size_t len)
{
    const uint8_t *at = t->at;

    for (size_t i = 0; i < len; i++) {
        bool escaped = at < t->end && *at == ESCAPE;
        at += escaped;
        if (at == t->end)
            return false;
        buf[i] = escaped ? *at ^ 0x20 : *at;
        at++;
    }
    t->at = at;
    return true;
}
