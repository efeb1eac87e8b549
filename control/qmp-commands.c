/*
 * qmp-commands.c - the table of commands, the check of their arguments against it, and those that do something.
 *
 * Names, arguments and values are those of the "QEMU QMP Reference Manual"; a command that this machine cannot serve is
 * not in the table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "monitor-priv.h"
#include "qmp-priv.h"

const char *const qmp_event_names[CONTROL_EVENTS] = {
    [CONTROL_STOP] = "STOP", [CONTROL_RESUME] = "RESUME", [CONTROL_RESET] = "RESET", [CONTROL_SHUTDOWN] = "SHUTDOWN",
};

/* ---- arguments ---- */

const char *qmp_string(const struct qmp_call *call, const char *name)
{
    const struct json *value = json_get(call->args, name);

    return value ? value->text : NULL;
}

uint64_t qmp_u64(const struct qmp_call *call, const char *name, uint64_t otherwise)
{
    const struct json *value = json_get(call->args, name);

    return value ? value->magnitude : otherwise;
}

bool qmp_bool(const struct qmp_call *call, const char *name)
{
    const struct json *value = json_get(call->args, name);

    return value && value->on;
}

/* ---- steering ---- */

static void already_negotiated(struct qmp_call *call)
{
    qmp_fail(call, QMP_NOT_FOUND, "Capabilities negotiation is already complete, command ignored");
}

static void stop(struct qmp_call *call)
{
    call->control->stop(call->control);
}

static void cont(struct qmp_call *call)
{
    struct control *c = call->control;

    if (c->status && !strcmp(c->status(c), "shutdown"))
        qmp_fail(call, QMP_GENERIC, "Resetting the Virtual Machine is required");
    else if (!c->running(c))
        c->resume(c, 0);
}

static void quit(struct qmp_call *call)
{
    call->control->quit(call->control, 0);
}

static void reset(struct qmp_call *call)
{
    call->control->reset(call->control);
}

static void powerdown(struct qmp_call *call)
{
    struct error e;

    if (!call->control->powerdown)
        qmp_fail(call, QMP_GENERIC, "this board has no power button; ask the guest by other means, or use quit");
    else if (!call->control->powerdown(call->control, &e))
        qmp_fail(call, QMP_GENERIC, "%s", e.text);
}

/* ---- the rest ---- */

static void save(struct qmp_call *call, struct cpu *cpu)
{
    struct error e;

    if (!monitor_save(call->control, cpu, qmp_u64(call, "val", 0), qmp_u64(call, "size", 0),
                      qmp_string(call, "filename"), &e))
        qmp_fail(call, QMP_GENERIC, "%s", e.text);
}

static void save_virtual(struct qmp_call *call)
{
    uint64_t n = qmp_u64(call, "cpu-index", 0);

    if (n >= call->control->cpus)
        qmp_fail(call, QMP_GENERIC, "Parameter 'cpu-index' expects a CPU number");
    else
        save(call, call->control->cpu[n]);
}

static void save_physical(struct qmp_call *call)
{
    save(call, NULL);
}

/* The monitor's lines end with "\n" here and with "\r\n" in what clients know. */
static void monitor_command(struct qmp_call *call)
{
    struct text_out text = { 0 }, lines = { 0 };
    uint64_t n = qmp_u64(call, "cpu-index", 0);
    unsigned cpu = n < call->control->cpus ? (unsigned)n : 0;

    if (n >= call->control->cpus) {
        qmp_fail(call, QMP_GENERIC, "Parameter 'cpu-index' expects a CPU number");
        return;
    }
    monitor_execute(call->control, &cpu, qmp_string(call, "command-line"), &text);
    for (const char *p = text_out_get(&text); *p;) {
        size_t len = strcspn(p, "\n");
        text_out_add(&lines, p, len);
        p += len;
        if (*p) {
            text_out_add(&lines, "\r\n", 2);
            p++;
        }
    }
    json_string(call->out, text_out_get(&lines));
    call->out->full = call->out->full || lines.full;
    text_out_free(&text);
    text_out_free(&lines);
}

static void set_link(struct qmp_call *call)
{
    struct control *c = call->control;
    const char *name = qmp_string(call, "name");

    if (!c->set_link || !c->set_link(c, name, qmp_bool(call, "up")))
        qmp_fail(call, QMP_NO_DEVICE, "Device '%.200s' not found", name);
}

static void read_ring(struct qmp_call *call)
{
    struct control *c = call->control;
    uint64_t most = qmp_u64(call, "size", 0);
    size_t size = most < 65536 ? (size_t)most : 65536;
    const char *format = qmp_string(call, "format");
    uint8_t *buf = alloc_zeroed(size + 1);

    if (format && strcmp(format, "utf8"))
        qmp_fail(call, QMP_GENERIC, "Parameter 'format' expects utf8");
    else if (!c->ring_read || !c->ring_read(c, qmp_string(call, "device"), buf, &size))
        qmp_fail(call, QMP_NO_DEVICE, "Device '%.200s' not found", qmp_string(call, "device"));
    for (size_t i = 0; i < size; i++)
        buf[i] = buf[i] ? buf[i] : '?';
    if (!call->failed)
        json_string(call->out, (const char *)buf);
    free(buf);
}

static const struct qmp_command commands[] = {
    { "cont", "", "null", false, cont },
    { "human-monitor-command", "command-line:str ?cpu-index:int", "str", false, monitor_command },
    { "memsave", "val:int size:int filename:str ?cpu-index:int", "null", true, save_virtual },
    { "pmemsave", "val:int size:int filename:str", "null", true, save_physical },
    { "qmp_capabilities", "?enable:strs", "null", false, already_negotiated },
    { "query-block", "", "value", false, qmp_query_block },
    { "query-chardev", "", "value", false, qmp_query_chardev },
    { "query-commands", "", "value", false, qmp_query_commands },
    { "query-cpus-fast", "", "value", false, qmp_query_cpus },
    { "query-current-machine", "", "value", false, qmp_query_current_machine },
    { "query-events", "", "value", false, qmp_query_events },
    { "query-iothreads", "", "value", false, qmp_query_iothreads },
    { "query-kvm", "", "value", false, qmp_query_kvm },
    { "query-machines", "", "value", false, qmp_query_machines },
    { "query-memory-size-summary", "", "value", false, qmp_query_memory },
    { "query-name", "", "value", false, qmp_query_name },
    { "query-qmp-schema", "", "value", false, qmp_query_schema },
    { "query-status", "", "value", false, qmp_query_status },
    { "query-target", "", "value", false, qmp_query_target },
    { "query-uuid", "", "value", false, qmp_query_uuid },
    { "query-version", "", "value", false, qmp_query_version },
    { "quit", "", "null", false, quit },
    { "ringbuf-read", "device:str size:int ?format:str", "str", false, read_ring },
    { "set_link", "name:str up:bool", "null", false, set_link },
    { "stop", "", "null", false, stop },
    { "system_powerdown", "", "null", false, powerdown },
    { "system_reset", "", "null", false, reset },
    { "x-query-jit", "", "value", true, qmp_query_jit },
};

const struct qmp_command *qmp_commands(unsigned *count)
{
    *count = sizeof commands / sizeof commands[0];
    return commands;
}

/* ---- the check ---- */

unsigned qmp_args(const struct qmp_command *row, struct qmp_arg args[QMP_ARGS])
{
    unsigned count = 0;

    for (const char *p = row->args; *p && count < QMP_ARGS; count++) {
        struct qmp_arg *a = &args[count];
        size_t len = strcspn(p, " "), name;
        a->optional = *p == '?';
        p += a->optional;
        len -= a->optional;
        name = strcspn(p, ":");
        snprintf(a->name, sizeof a->name, "%.*s", (int)name, p);
        snprintf(a->type, sizeof a->type, "%.*s", (int)(len - name - 1), p + name + 1);
        p += len;
        p += strspn(p, " ");
    }
    return count;
}

static const struct {
    const char *type, *noun;
    enum json_kind kind;
} types[] = { { "str", "string", JSON_STRING },
              { "int", "integer", JSON_INT },
              { "bool", "boolean", JSON_BOOL },
              { "strs", "array", JSON_ARRAY } };

static void check_arg(struct qmp_call *call, const struct qmp_arg *arg)
{
    const struct json *value = json_get(call->args, arg->name);

    if (!value) {
        if (!arg->optional)
            qmp_fail(call, QMP_GENERIC, "Parameter '%s' is missing", arg->name);
        return;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(arg->type, types[i].type))
            continue;
        if (value->kind != types[i].kind)
            qmp_fail(call, QMP_GENERIC, "Invalid parameter type for '%s', expected: %s", arg->name, types[i].noun);
        else if (value->kind == JSON_INT && value->negative)
            qmp_fail(call, QMP_GENERIC, "Parameter '%s' expects a number that is not negative", arg->name);
    }
}

static void check_args(struct qmp_call *call, const struct qmp_command *row)
{
    struct qmp_arg args[QMP_ARGS];
    unsigned count = qmp_args(row, args);

    for (unsigned i = 0; i < count && !call->failed; i++)
        check_arg(call, &args[i]);
    for (const struct json *m = call->args ? call->args->first : NULL; m && !call->failed; m = m->next) {
        unsigned i = 0;
        while (i < count && strcmp(args[i].name, m->key))
            i++;
        if (i == count)
            qmp_fail(call, QMP_GENERIC, "Parameter '%.100s' is unexpected", m->key);
    }
}

void qmp_serve(struct qmp_call *call, const char *name)
{
    struct control *c = call->control;
    const struct qmp_command *row = commands, *end = commands + sizeof commands / sizeof commands[0];

    while (row < end && strcmp(row->name, name))
        row++;
    if (row == end) {
        qmp_fail(call, QMP_NOT_FOUND, "The command %.100s has not been found", name);
        return;
    }
    check_args(call, row);
    if (call->failed)
        return;
    bool frozen = row->still && c->freeze && c->thaw;
    if (frozen)
        c->freeze(c);
    row->serve(call);
    if (frozen)
        c->thaw(c);
}
