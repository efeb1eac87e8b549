/*
 * qmp-schema.c - the protocol about itself, from the table of commands.
 *
 * Arguments are exact. Of what commands return the schema says no more than string, nothing or anything ("any").
 */
#include <stdio.h>
#include <string.h>

#include "qmp-priv.h"

static void put_named(struct text_out *out, const char *name)
{
    json_begin(out, '{');
    json_key(out, "name");
    json_string(out, name);
    json_end(out, '}');
}

void qmp_query_commands(struct qmp_call *call)
{
    unsigned count;
    const struct qmp_command *rows = qmp_commands(&count);

    json_begin(call->out, '[');
    for (unsigned i = 0; i < count; i++)
        put_named(call->out, rows[i].name);
    json_end(call->out, ']');
}

void qmp_query_events(struct qmp_call *call)
{
    json_begin(call->out, '[');
    for (unsigned i = 0; i < CONTROL_EVENTS; i++)
        put_named(call->out, qmp_event_names[i]);
    json_end(call->out, ']');
}

/* ---- the schema ---- */

static void put_text(struct text_out *out, const char *key, const char *value)
{
    json_key(out, key);
    json_string(out, value);
}

/* Opens an entity; the caller ends it. */
static void begin_entity(struct text_out *out, const char *name, const char *meta)
{
    json_begin(out, '{');
    put_text(out, "name", name);
    put_text(out, "meta-type", meta);
}

static void put_builtins(struct text_out *out)
{
    static const struct {
        const char *name, *json;
    } rows[] = { { "str", "string" }, { "int", "int" }, { "bool", "boolean" }, { "any", "value" } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_entity(out, rows[i].name, "builtin");
        put_text(out, "json-type", rows[i].json);
        json_end(out, '}');
    }
    begin_entity(out, "[str]", "array");
    put_text(out, "element-type", "str");
    json_end(out, '}');
}

static void put_member(struct text_out *out, const char *name, const char *type, bool optional)
{
    json_begin(out, '{');
    put_text(out, "name", name);
    put_text(out, "type", !strcmp(type, "strs") ? "[str]" : type);
    if (optional) {
        json_key(out, "default");
        text_out_put(out, "null");
    }
    json_end(out, '}');
}

static void begin_object(struct text_out *out, const char *name)
{
    begin_entity(out, name, "object");
    json_key(out, "members");
    json_begin(out, '[');
}

static void end_object(struct text_out *out)
{
    json_end(out, ']');
    json_end(out, '}');
}

static void put_command(struct text_out *out, const struct qmp_command *row)
{
    struct qmp_arg args[QMP_ARGS];
    unsigned count = qmp_args(row, args);
    char type[64];

    snprintf(type, sizeof type, count ? "%s-arg" : "empty", row->name);
    begin_entity(out, row->name, "command");
    put_text(out, "arg-type", type);
    put_text(out, "ret-type", !strcmp(row->returns, "null") ? "empty" : !strcmp(row->returns, "str") ? "str" : "any");
    json_end(out, '}');
    if (!count)
        return;
    begin_object(out, type);
    for (unsigned i = 0; i < count; i++)
        put_member(out, args[i].name, args[i].type, args[i].optional);
    end_object(out);
}

void qmp_query_schema(struct qmp_call *call)
{
    unsigned count;
    const struct qmp_command *rows = qmp_commands(&count);
    struct text_out *out = call->out;

    json_begin(out, '[');
    put_builtins(out);
    begin_object(out, "empty");
    end_object(out);
    begin_object(out, "event-arg");
    put_member(out, "guest", "bool", false);
    put_member(out, "reason", "str", false);
    end_object(out);
    for (unsigned i = 0; i < CONTROL_EVENTS; i++) {
        begin_entity(out, qmp_event_names[i], "event");
        put_text(out, "arg-type", i == CONTROL_RESET || i == CONTROL_SHUTDOWN ? "event-arg" : "empty");
        json_end(out, '}');
    }
    for (unsigned i = 0; i < count; i++)
        put_command(out, &rows[i]);
    json_end(out, ']');
}
