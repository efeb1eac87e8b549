/* qmp-query.c - what there is, and how it is doing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qmp-priv.h"

/* ---- members ---- */

static void put_string(struct text_out *out, const char *key, const char *value)
{
    json_key(out, key);
    json_string(out, value);
}

static void put_bool(struct text_out *out, const char *key, bool value)
{
    json_key(out, key);
    json_bool(out, value);
}

static void put_u64(struct text_out *out, const char *key, uint64_t value)
{
    json_key(out, key);
    json_u64(out, value);
}

/* Zeros, where the manual has a number that must be there and that nobody counts here. */
static void put_zeros(struct text_out *out, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_u64(out, keys[i], 0);
}

/* ---- the machine ---- */

void qmp_put_version(struct text_out *out, const struct control_about *about)
{
    char package[64];

    snprintf(package, sizeof package, "Lyrebird %s", about->version);
    json_begin(out, '{');
    json_key(out, "qemu");
    json_begin(out, '{');
    put_u64(out, "micro", 0);
    put_u64(out, "minor", 0);
    put_u64(out, "major", 9);
    json_end(out, '}');
    put_string(out, "package", package);
    json_end(out, '}');
}

void qmp_query_version(struct qmp_call *call)
{
    qmp_put_version(call->out, &call->control->about);
}

void qmp_query_status(struct qmp_call *call)
{
    struct control *c = call->control;
    bool running = c->running(c);

    json_begin(call->out, '{');
    put_string(call->out, "status", c->status ? c->status(c) : running ? "running" : "paused");
    put_bool(call->out, "singlestep", false);
    put_bool(call->out, "running", running);
    json_end(call->out, '}');
}

void qmp_query_name(struct qmp_call *call)
{
    json_begin(call->out, '{');
    if (call->control->about.name)
        put_string(call->out, "name", call->control->about.name);
    json_end(call->out, '}');
}

void qmp_query_uuid(struct qmp_call *call)
{
    const uint8_t *u = call->control->about.uuid;
    char text[40];

    snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
             u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
    json_begin(call->out, '{');
    put_string(call->out, "UUID", text);
    json_end(call->out, '}');
}

void qmp_query_kvm(struct qmp_call *call)
{
    json_begin(call->out, '{');
    put_bool(call->out, "enabled", false);
    put_bool(call->out, "present", false);
    json_end(call->out, '}');
}

void qmp_query_target(struct qmp_call *call)
{
    json_begin(call->out, '{');
    put_string(call->out, "arch", call->control->about.target);
    json_end(call->out, '}');
}

void qmp_query_memory(struct qmp_call *call)
{
    json_begin(call->out, '{');
    put_u64(call->out, "base-memory", call->control->about.ram);
    json_end(call->out, '}');
}

void qmp_query_current_machine(struct qmp_call *call)
{
    json_begin(call->out, '{');
    put_bool(call->out, "wakeup-suspend-support", false);
    json_end(call->out, '}');
}

void qmp_query_iothreads(struct qmp_call *call)
{
    text_out_put(call->out, "[]");
}

/* ---- lists ---- */

void qmp_query_cpus(struct qmp_call *call)
{
    struct control *c = call->control;
    char path[48];

    json_begin(call->out, '[');
    for (unsigned i = 0; i < c->cpus; i++) {
        snprintf(path, sizeof path, "/machine/unattached/cpu[%u]", i);
        json_begin(call->out, '{');
        put_u64(call->out, "thread-id", c->thread ? (uint64_t)c->thread(c, i) : 0);
        json_key(call->out, "props");
        json_begin(call->out, '{');
        put_u64(call->out, "core-id", i);
        json_end(call->out, '}');
        put_string(call->out, "qom-path", path);
        put_u64(call->out, "cpu-index", i);
        put_string(call->out, "target", c->about.target);
        json_end(call->out, '}');
    }
    json_end(call->out, ']');
}

void qmp_query_machines(struct qmp_call *call)
{
    struct control *c = call->control;
    struct control_board b;

    json_begin(call->out, '[');
    for (unsigned n = 0; c->board && c->board(c, n, &b); n++) {
        json_begin(call->out, '{');
        put_string(call->out, "name", b.name);
        if (b.alias)
            put_string(call->out, "alias", b.alias);
        if (b.chosen_by_default)
            put_bool(call->out, "is-default", true);
        put_u64(call->out, "cpu-max", b.cpus);
        put_bool(call->out, "hotpluggable-cpus", false);
        put_bool(call->out, "numa-mem-supported", false);
        put_bool(call->out, "deprecated", false);
        json_end(call->out, '}');
    }
    json_end(call->out, ']');
}

static void put_image(struct text_out *out, const struct control_block *b)
{
    json_key(out, "image");
    json_begin(out, '{');
    put_string(out, "filename", b->file);
    put_string(out, "format", b->format);
    put_u64(out, "virtual-size", b->size);
    put_bool(out, "dirty-flag", false);
    json_end(out, '}');
}

static void put_inserted(struct text_out *out, const struct control_block *b)
{
    static const char *const zeros[] = { "backing_file_depth", "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr",
                                         "write_threshold" };

    json_key(out, "inserted");
    json_begin(out, '{');
    put_string(out, "file", b->file);
    put_string(out, "node-name", b->id);
    put_string(out, "drv", b->format);
    put_bool(out, "ro", b->read_only);
    put_bool(out, "encrypted", false);
    put_string(out, "detect_zeroes", "off");
    put_zeros(out, zeros, sizeof zeros / sizeof zeros[0]);
    json_key(out, "cache");
    json_begin(out, '{');
    put_bool(out, "writeback", true);
    put_bool(out, "direct", false);
    put_bool(out, "no-flush", false);
    json_end(out, '}');
    put_image(out, b);
    json_end(out, '}');
}

void qmp_query_block(struct qmp_call *call)
{
    struct control *c = call->control;
    struct control_block b;

    json_begin(call->out, '[');
    for (unsigned n = 0; c->block && c->block(c, n, &b); n++) {
        json_begin(call->out, '{');
        put_string(call->out, "device", b.id);
        put_bool(call->out, "locked", false);
        put_bool(call->out, "removable", false);
        put_inserted(call->out, &b);
        put_string(call->out, "type", "unknown");
        json_end(call->out, '}');
    }
    json_end(call->out, ']');
}

void qmp_query_chardev(struct qmp_call *call)
{
    struct control *c = call->control;
    struct control_char ch;

    json_begin(call->out, '[');
    for (unsigned n = 0; c->character && c->character(c, n, &ch); n++) {
        json_begin(call->out, '{');
        put_string(call->out, "label", ch.id);
        put_string(call->out, "filename", ch.target);
        put_bool(call->out, "frontend-open", ch.user);
        json_end(call->out, '}');
    }
    json_end(call->out, ']');
}

/* The manual's HumanReadableText. */
void qmp_query_jit(struct qmp_call *call)
{
    struct control *c = call->control;
    char *text = c->jit ? c->jit(c) : NULL;

    if (!text) {
        qmp_fail(call, QMP_GENERIC, "guests run in the interpreter");
        return;
    }
    json_begin(call->out, '{');
    put_string(call->out, "human-readable-text", text);
    json_end(call->out, '}');
    free(text);
}
