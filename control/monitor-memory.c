/*
 * monitor-memory.c - x, xp and p: what is at an address, and what an expression is worth.
 *
 * Memory only: looking at a device's registers would change the device.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor-priv.h"

enum { ITEMS = 32768, ROW = 16 };

/* "/12xw": how many, how, how large. */
struct format {
    uint64_t count;
    char kind;     /* x d u o c i */
    unsigned size; /* bytes */
};

static bool take_format(struct monitor_call *call, const char **text, struct format *f)
{
    const char *p = *text;
    char *end;

    if (*p != '/')
        return true;
    if (isdigit((unsigned char)*++p)) {
        f->count = strtoull(p, &end, 10);
        p = end;
    }
    for (; *p && !isspace((unsigned char)*p); p++) {
        static const char sizes[] = "bhwg";
        const char *size = strchr(sizes, *p);
        if (size) {
            f->size = 1u << (size - sizes);
        } else if (strchr("xduoci", *p)) {
            f->kind = *p;
        } else {
            text_out_put(call->out, "invalid char in format: '%c'\nTry \"help %s\" for more information\n",
                         isprint((unsigned char)*p) ? *p : '?', call->name);
            return false;
        }
    }
    *text = p;
    return true;
}

/* The rest of the line as an expression, all of it. */
static bool take_value(struct monitor_call *call, const char *text, uint64_t *value)
{
    struct error e;

    if (monitor_expression(monitor_cpu(call), &text, value, &e) &&
        (!*text || error_set(&e, "unexpected '%.20s'", text)))
        return true;
    text_out_put(call->out, "%s\nTry \"help %s\" for more information\n", e.text, call->name);
    return false;
}

static uint64_t load(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = size; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

static int64_t extend(uint64_t value, unsigned size)
{
    unsigned unused = 64 - 8 * size;

    return (int64_t)(value << unused) >> unused;
}

static void put_char(struct text_out *out, uint8_t c)
{
    static const char values[] = "\n\r\t\"'\\", names[] = "nrt\"'\\";
    const char *special = c ? strchr(values, c) : NULL;

    if (special)
        text_out_put(out, "'\\%c'", names[special - values]);
    else
        text_out_put(out, c >= ' ' && c < 0x7f ? "'%c'" : "'\\x%02x'", c);
}

/* Columns line up: as many as the largest number of this size takes. */
static void put_item(struct text_out *out, const struct format *f, uint64_t value)
{
    static const int decimal[] = { [1] = 3, [2] = 5, [4] = 10, [8] = 20 };
    static const int octal[] = { [1] = 3, [2] = 6, [4] = 11, [8] = 22 };

    switch (f->kind) {
    case 'd': text_out_put(out, "%*" PRId64, decimal[f->size] + 1, extend(value, f->size)); break;
    case 'u': text_out_put(out, "%*" PRIu64, decimal[f->size], value); break;
    case 'o': text_out_put(out, "%#*" PRIo64, octal[f->size] + 1, value); break;
    case 'c': put_char(out, (uint8_t)value); break;
    default: text_out_put(out, "0x%0*" PRIx64, (int)(2 * f->size), value); break;
    }
}

size_t monitor_read(struct control *c, struct cpu *cpu, uint64_t address, uint8_t *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        uint64_t at = address + done, gpa = at;
        size_t piece = 4096 - (size_t)(at & 4095);
        piece = piece < len - done ? piece : len - done;
        if ((cpu && !cpu->ops->translate(cpu, at, &gpa)) || !bus_peek(c->bus, gpa, buf + done, piece))
            break;
        done += piece;
    }
    return done;
}

static void put_code(struct monitor_call *call, struct cpu *cpu, uint64_t at, uint64_t count)
{
    struct control *c = call->control;

    for (; count && !call->out->full; count--) {
        char text[128], hex[40];
        uint8_t bytes[16];
        size_t got = monitor_read(c, cpu, at, bytes, 4);
        if (got < 4) /* the end of a page */
            got = monitor_read(c, cpu, at, bytes, 2);
        unsigned len = c->disassemble ? c->disassemble(c, at, bytes, got, text, sizeof text) : 0;
        if (!len) {
            text_out_put(call->out, "0x%016" PRIx64 ":  %s\n", at,
                         c->disassemble ? "Cannot access memory" : "no disassembler");
            return;
        }
        snprintf(hex, sizeof hex, "%0*" PRIx64, (int)(2 * len), load(bytes, len));
        text_out_put(call->out, "0x%016" PRIx64 ":  %-18s%s\n", at, hex, text);
        at += len;
    }
}

static void put_data(struct monitor_call *call, struct cpu *cpu, uint64_t at, const struct format *f)
{
    uint64_t left = f->count * f->size;
    uint8_t bytes[ROW];

    while (left && !call->out->full) {
        size_t want = left < ROW ? (size_t)left : ROW, got = monitor_read(call->control, cpu, at, bytes, want);
        text_out_put(call->out, "%016" PRIx64 ":", at);
        for (size_t i = 0; i + f->size <= got; i += f->size) {
            text_out_add(call->out, " ", 1);
            put_item(call->out, f, load(bytes + i, f->size));
        }
        text_out_put(call->out, got < want ? " Cannot access memory\n" : "\n");
        if (got < want)
            return;
        at += want;
        left -= want;
    }
}

static void examine(struct monitor_call *call, struct cpu *cpu)
{
    struct format f = { .count = 1, .kind = 'x', .size = 4 };
    const char *text = call->rest;
    uint64_t address;

    if (!take_format(call, &text, &f) || !take_value(call, text, &address))
        return;
    if (f.count > ITEMS)
        text_out_put(call->out, "no more than %d at once\n", ITEMS);
    else if (f.kind == 'i')
        put_code(call, cpu, address, f.count);
    else
        put_data(call, cpu, address, &(struct format){ f.count, f.kind, f.kind == 'c' ? 1 : f.size });
}

void monitor_examine(struct monitor_call *call)
{
    examine(call, monitor_cpu(call));
}

void monitor_examine_physical(struct monitor_call *call)
{
    examine(call, NULL);
}

void monitor_print(struct monitor_call *call)
{
    struct format f = { .count = 1, .kind = 'x', .size = 8 };
    const char *text = call->rest;
    uint64_t value;

    if (!take_format(call, &text, &f) || !take_value(call, text, &value))
        return;
    switch (f.kind) {
    case 'd': text_out_put(call->out, "%" PRId64 "\n", (int64_t)value); break;
    case 'u': text_out_put(call->out, "%" PRIu64 "\n", value); break;
    case 'o': text_out_put(call->out, "%#" PRIo64 "\n", value); break;
    case 'c':
        put_char(call->out, (uint8_t)value);
        text_out_put(call->out, "\n");
        break;
    default: text_out_put(call->out, "%#" PRIx64 "\n", value); break;
    }
}

void monitor_translate(struct monitor_call *call)
{
    struct cpu *cpu = monitor_cpu(call);
    uint64_t gva, gpa;

    if (!take_value(call, call->rest, &gva))
        return;
    if (cpu->ops->translate(cpu, gva, &gpa))
        text_out_put(call->out, "gpa: %#" PRIx64 "\n", gpa);
    else
        text_out_put(call->out, "Unmapped\n");
}
