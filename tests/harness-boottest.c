/* harness-boottest.c - see harness-boottest.h. */
#include "harness-boottest.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "boot-file-priv.h"
#include "harness.h"
#include "toml.h"

enum { FIFO_MAX_BYTES = 64 };

struct out {
    char *at;
    size_t left;
};

static void put(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(o->at, o->left, fmt, ap);
    va_end(ap);
    size_t used = n < 0 ? 0 : (size_t)n < o->left ? (size_t)n : o->left - 1;
    o->at += used;
    o->left -= used;
}

static void put_value(struct out *o, const struct toml_value *v)
{
    switch (v->kind) {
    case TOML_STRING: put(o, "<%s>", v->text); break;
    case TOML_INTEGER: put(o, "%lld", (long long)v->number); break;
    case TOML_BOOLEAN: put(o, v->truth ? "true" : "false"); break;
    case TOML_ARRAY:
        put(o, "[");
        for (size_t i = 0; i < v->items; i++) {
            put_value(o, &v->item[i]);
            put(o, i + 1 < v->items ? "," : "");
        }
        put(o, "]");
    }
}

void hb_toml(const char *text, size_t len, char *out, size_t size)
{
    struct out o = { out, size };
    struct toml t;
    struct error e;

    out[0] = 0;
    if (!toml_parse(&t, "t", text, len, &e)) {
        put(&o, "error: %s", e.text);
    } else {
        for (size_t i = 0; i < t.tables; i++) {
            put(&o, "%s%s{", t.table[i].name, t.table[i].array ? "*" : "");
            for (size_t k = 0; k < t.table[i].entries; k++) {
                put(&o, "%s=", t.table[i].entry[k].key);
                put_value(&o, &t.table[i].entry[k].value);
                put(&o, ";");
            }
            put(&o, "}");
        }
    }
    toml_free(&t);
}

/* The text as a file, read into a suite. */
static bool read_text(struct boot_suite *s, const char *text, struct error *e)
{
    struct path name;
    char folder[256];

    if (!harness_scratch(folder, sizeof folder) || !path_set(&name, e, "%s/t.toml", folder))
        return false;
    bool ok = file_write(name.s, text, strlen(text), e) && boot_suite_add(s, name.s, e);
    unlink(name.s);
    rmdir(folder);
    return ok;
}

void hb_cases(const char *text, char *out, size_t size)
{
    struct boot_suite s = { 0 };
    struct out o = { out, size };
    struct error e = { "" };

    out[0] = 0;
    if (!read_text(&s, text, &e))
        put(&o, "error: %s", e.text);
    for (size_t i = 0; !e.text[0] && i < s.count; i++) {
        put(&o, "%s:", s.item[i].name);
        for (size_t k = 1; k < s.item[i].argv.count; k++)
            put(&o, " %s", s.item[i].argv.item[k]);
        put(&o, "\n");
    }
    boot_suite_free(&s);
}

/* ---- the engine ---- */

struct hb {
    struct control control;
    struct boot_suite suite;
    struct boot_test *test;
    struct boot_result result;
    uint8_t fifo[FIFO_MAX_BYTES];
    size_t len, capacity, most;
    unsigned quits, stops;
};

static size_t can_receive(void *dev)
{
    struct hb *h = dev;

    return h->capacity - h->len;
}

static void receive(void *dev, const uint8_t *buf, size_t len)
{
    struct hb *h = dev;

    assert(len <= h->capacity - h->len);
    memcpy(h->fifo + h->len, buf, len);
    h->len += len;
    h->most = h->len > h->most ? h->len : h->most;
}

static void stop(struct control *c)
{
    ((struct hb *)c)->stops++;
}

static void quit(struct control *c, int status)
{
    ((struct hb *)c)->quits++;
}

struct hb *hb_new(const char *text, char *message, size_t size)
{
    struct hb *h = alloc_zeroed(sizeof *h);
    struct error e = { "" };

    h->capacity = 16;
    h->control.clock = clock_new(0, 0);
    h->control.stop = stop;
    h->control.quit = quit;
    if (read_text(&h->suite, text, &e))
        h->test = boot_test_new(h->suite.item[0].script, &h->result, &e);
    if (!h->test) {
        snprintf(message, size, "%s", e.text);
        hb_free(h);
        return NULL;
    }
    struct char_port *port = boot_test_port(h->test);
    port->dev = h;
    port->can_receive = can_receive;
    port->receive = receive;
    boot_test_start(h->test, &h->control, NULL, NULL);
    return h;
}

void hb_free(struct hb *h)
{
    if (h->test)
        boot_test_stop(h->test);
    boot_test_free(h->test);
    clock_free(h->control.clock);
    boot_suite_free(&h->suite);
    free(h);
}

void hb_guest_writes(struct hb *h, const char *text)
{
    struct char_port *port = boot_test_port(h->test);

    port->write(port, (const uint8_t *)text, strlen(text));
}

void hb_pass(struct hb *h, uint64_t ns)
{
    struct clock *c = h->control.clock;
    uint64_t end = clock_now(c) + ns;

    while (clock_deadline(c) <= end) {
        clock_advance_to(c, clock_deadline(c));
        clock_run(c);
    }
    clock_advance_to(c, end);
}

int hb_guest_reads(struct hb *h)
{
    struct char_port *port = boot_test_port(h->test);

    if (!h->len)
        return -1;
    int byte = h->fifo[0];
    memmove(h->fifo, h->fifo + 1, --h->len);
    port->poke(port);
    return byte;
}

void hb_set_fifo(struct hb *h, size_t capacity)
{
    assert(capacity <= FIFO_MAX_BYTES);
    h->capacity = capacity;
}

size_t hb_most_in_fifo(const struct hb *h)
{
    return h->most;
}

void hb_guest_resets(struct hb *h)
{
    boot_test_request(h->test, MACHINE_RESET, 0);
}

void hb_guest_ends(struct hb *h, int status)
{
    boot_test_request(h->test, MACHINE_EXIT, status);
}

void hb_guest_dies(struct hb *h)
{
    boot_test_dead(h->test, "it is");
}

const char *hb_verdict(const struct hb *h)
{
    static const char *const names[] = { "running", "passed", "failed", "panic", "dead", "reset loop", "time limit" };

    return names[h->result.verdict];
}

const char *hb_why(const struct hb *h)
{
    return h->result.why;
}

unsigned hb_steps_passed(const struct hb *h)
{
    return h->result.done;
}

unsigned hb_quits(const struct hb *h)
{
    return h->quits;
}
