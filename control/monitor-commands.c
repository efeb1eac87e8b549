/* monitor-commands.c - the monitor's commands, and how a line finds its own. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "monitor-priv.h"
#include "nearest.h"

bool monitor_index(const char *text, unsigned count, unsigned *out)
{
    char *end;
    unsigned long n = isdigit((unsigned char)*text) ? strtoul(text, &end, 0) : count;

    if (n >= count || *end)
        return false;
    *out = (unsigned)n;
    return true;
}

static void put_error(struct monitor_call *call, const struct error *e)
{
    text_out_put(call->out, "Error: %s\n", e->text);
}

/* ---- steering ---- */

static void stop(struct monitor_call *call)
{
    call->control->stop(call->control);
}

static void cont(struct monitor_call *call)
{
    struct control *c = call->control;

    if (c->status && !strcmp(c->status(c), "shutdown"))
        text_out_put(call->out, "Error: Resetting the Virtual Machine is required\n");
    else if (!c->running(c))
        c->resume(c, 0);
}

static void quit(struct monitor_call *call)
{
    call->control->quit(call->control, 0);
}

static void reset(struct monitor_call *call)
{
    call->control->reset(call->control);
}

static void powerdown(struct monitor_call *call)
{
    struct error e;

    if (!call->control->powerdown)
        text_out_put(call->out, "Error: this board has no power button\n");
    else if (!call->control->powerdown(call->control, &e))
        put_error(call, &e);
}

static void choose_cpu(struct monitor_call *call)
{
    if (!monitor_index(call->word[0], call->control->cpus, call->cpu))
        text_out_put(call->out, "invalid CPU index\n");
}

/* ---- network ---- */

static void add_forward(struct monitor_call *call)
{
    struct control *c = call->control;
    const char *id = call->words == 2 ? call->word[0] : NULL, *rule = call->word[call->words - 1];
    struct error e;
    unsigned port;

    if (!c->forward || !c->forward(c, id, rule, &port, &e))
        text_out_put(call->out, "invalid host forwarding rule '%s'%s%s\n", rule, c->forward ? ": " : "",
                     c->forward ? e.text : "");
    else if (strstr(rule, ":0-"))
        text_out_put(call->out, "host port %u\n", port);
}

static void remove_forward(struct monitor_call *call)
{
    struct control *c = call->control;
    const char *id = call->words == 2 ? call->word[0] : NULL, *rule = call->word[call->words - 1];
    struct error e;
    bool ok = c->unforward && c->unforward(c, id, rule, &e);

    text_out_put(call->out, "host forwarding rule for %s %s\n", rule, ok ? "removed" : "not found");
}

static void set_link(struct monitor_call *call)
{
    struct control *c = call->control;
    bool up = !strcmp(call->word[1], "on");

    if (!up && strcmp(call->word[1], "off"))
        text_out_put(call->out, "Error: Parameter 'up' expects 'on' or 'off'\n");
    else if (!c->set_link || !c->set_link(c, call->word[0], up))
        text_out_put(call->out, "Error: Device '%s' not found\n", call->word[0]);
}

/* ---- memory and rings ---- */

static void save(struct monitor_call *call, struct cpu *cpu)
{
    const char *numbers[] = { call->word[0], call->word[1] };
    uint64_t value[2];
    struct error e;

    for (unsigned i = 0; i < 2; i++) {
        const char *text = numbers[i];
        if (!monitor_expression(monitor_cpu(call), &text, &value[i], &e) ||
            (*text && !error_set(&e, "unexpected '%.20s'", text))) {
            put_error(call, &e);
            return;
        }
    }
    if (!monitor_save(call->control, cpu, value[0], value[1], call->word[2], &e))
        put_error(call, &e);
}

static void save_virtual(struct monitor_call *call)
{
    save(call, monitor_cpu(call));
}

static void save_physical(struct monitor_call *call)
{
    save(call, NULL);
}

static void read_ring(struct monitor_call *call)
{
    struct control *c = call->control;
    size_t size;
    uint8_t buf[4096];
    unsigned want;

    if (!monitor_index(call->word[1], sizeof buf + 1, &want)) {
        text_out_put(call->out, "Error: at most %zu bytes at once\n", sizeof buf);
        return;
    }
    size = want;
    if (!c->ring_read || !c->ring_read(c, call->word[0], buf, &size)) {
        text_out_put(call->out, "Error: Device '%s' not found\n", call->word[0]);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (buf[i] == '\n' || buf[i] == '\t' || (buf[i] >= ' ' && buf[i] < 0x7f))
            text_out_add(call->out, (const char *)&buf[i], buf[i] != '\\');
        else
            text_out_put(call->out, "\\u%04X", buf[i]);
        if (buf[i] == '\\')
            text_out_put(call->out, "\\\\");
    }
    text_out_put(call->out, "\n");
}

/* ---- the table ---- */

static void help(struct monitor_call *call);
static void info(struct monitor_call *call);

static const struct monitor_command commands[] = {
    { "cont", "c", "", "let the guest run", 0, 0, false, cont },
    { "cpu", NULL, "N", "commands are about this vCPU from now on", 1, 1, false, choose_cpu },
    { "gva2gpa", NULL, "ADDR", "the physical address behind a virtual one", 1, MONITOR_WORDS, true,
      monitor_translate },
    { "help", "?", "[COMMAND]", "this help, or about one command; `help info`", 0, 2, false, help },
    { "hostfwd_add", NULL, "[ID] tcp|udp:[HOSTADDR]:PORT-[GUESTADDR]:PORT", "forward a port of the host", 1, 2, false,
      add_forward },
    { "hostfwd_remove", NULL, "[ID] tcp|udp:[HOSTADDR]:PORT", "stop forwarding it", 1, 2, false, remove_forward },
    { "info", NULL, "TOPIC", "`info` alone lists what there is to know", 0, MONITOR_WORDS, false, info },
    { "memsave", NULL, "ADDR SIZE FILE", "save memory, by virtual address, to a file", 3, 3, true, save_virtual },
    { "pmemsave", NULL, "ADDR SIZE FILE", "save memory, by physical address, to a file", 3, 3, true, save_physical },
    { "print", "p", "/FMT EXPR", "the value of an expression; $NAME is a register", 1, MONITOR_WORDS, true,
      monitor_print },
    { "quit", "q", "", "end the emulator", 0, 0, false, quit },
    { "ringbuf_read", NULL, "ID SIZE", "take bytes out of a ring buffer", 2, 2, false, read_ring },
    { "set_link", NULL, "ID on|off", "plug or unplug a network cable", 2, 2, false, set_link },
    { "stop", "s", "", "stop the guest", 0, 0, false, stop },
    { "system_powerdown", NULL, "", "press the power button", 0, 0, false, powerdown },
    { "system_reset", NULL, "", "start the machine from its reset state", 0, 0, false, reset },
    { "x", NULL, "/FMT ADDR", "memory at a virtual address; FMT is COUNT, then x d u o c i, then b h w g", 1,
      MONITOR_WORDS, true, monitor_examine },
    { "xp", NULL, "/FMT ADDR", "memory at a physical address", 1, MONITOR_WORDS, true, monitor_examine_physical },
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const struct monitor_command *find(const struct monitor_command *table, unsigned count, const char *name,
                                          size_t len)
{
    for (unsigned i = 0; i < count; i++) {
        const char *names[] = { table[i].name, table[i].alias };
        for (unsigned k = 0; k < 2; k++) {
            if (names[k] && strlen(names[k]) == len && !memcmp(names[k], name, len))
                return &table[i];
        }
    }
    return NULL;
}

static void put_help(struct text_out *out, const char *prefix, const struct monitor_command *row)
{
    text_out_put(out, "%s%s%s%s%s%s -- %s\n", prefix, row->name, row->alias ? "|" : "", row->alias ? row->alias : "",
                 *row->args ? " " : "", row->args, row->help);
}

static void put_infos(struct monitor_call *call)
{
    for (unsigned i = 0; i < monitor_info_count; i++)
        put_help(call->out, "info ", &monitor_infos[i]);
}

static void help(struct monitor_call *call)
{
    const char *name = call->words ? call->word[0] : NULL, *topic = call->words == 2 ? call->word[1] : NULL;
    const struct monitor_command *row = name ? find(commands, COMMANDS, name, strlen(name)) : NULL;

    if (!name) {
        for (unsigned i = 0; i < COMMANDS; i++)
            put_help(call->out, "", &commands[i]);
    } else if (topic) {
        row = strcmp(name, "info") ? NULL : find(monitor_infos, monitor_info_count, topic, strlen(topic));
        if (row)
            put_help(call->out, "info ", row);
        else
            text_out_put(call->out, "unknown command: '%s %s'\n", name, topic);
    } else if (row && row->serve == info) {
        put_infos(call);
    } else if (row) {
        put_help(call->out, "", row);
    } else {
        text_out_put(call->out, "unknown command: '%s'\n", name);
    }
}

/* ---- a line ---- */

static void split(struct monitor_call *call, char *buf)
{
    call->words = 0;
    for (char *p = buf; *p;) {
        while (isspace((unsigned char)*p))
            *p++ = 0;
        if (!*p)
            return;
        if (call->words < MONITOR_WORDS)
            call->word[call->words] = p;
        call->words++;
        while (*p && !isspace((unsigned char)*p))
            p++;
    }
}

static void unknown(struct monitor_call *call, const struct monitor_command *table, unsigned count, const char *prefix,
                    const char *name)
{
    struct nearest near;
    struct error e;

    nearest_init(&near, name);
    for (unsigned i = 0; i < count; i++)
        nearest_try(&near, table[i].name);
    error_set(&e, "unknown command: '%s%s'", prefix, name);
    nearest_suggest(&near, "", &e);
    text_out_put(call->out, "%s\n", e.text);
}

static void serve(struct monitor_call *call, const struct monitor_command *row, const char *prefix)
{
    struct control *c = call->control;
    bool frozen = row->still && c->freeze && c->thaw;

    if (call->words < row->least || call->words > (row->most < MONITOR_WORDS ? row->most : ~0u)) {
        text_out_put(call->out, "%s%s: %s arguments: %s\nTry \"help %s%s\" for more information\n", prefix, row->name,
                     call->words < row->least ? "too few" : "too many", *row->args ? row->args : "none", prefix,
                     row->name);
        return;
    }
    call->name = row->name;
    if (frozen)
        c->freeze(c);
    row->serve(call);
    if (frozen)
        c->thaw(c);
}

/* Finds the first word of `text` in the table, and serves it with the rest. */
static void dispatch(struct monitor_call *call, const struct monitor_command *table, unsigned count, const char *prefix,
                     const char *text)
{
    /* "x/4xw": a format may follow at once. */
    size_t len = strcspn(text, " \t/"), rest = len + strspn(text + len, " \t");
    const struct monitor_command *row = find(table, count, text, len);
    char *name = alloc_format("%.*s", (int)len, text), *copy = alloc_text(text + rest);

    call->rest = text + rest;
    split(call, copy);
    if (row)
        serve(call, row, prefix);
    else
        unknown(call, table, count, prefix, name);
    free(copy);
    free(name);
}

static void info(struct monitor_call *call)
{
    if (call->words)
        dispatch(call, monitor_infos, monitor_info_count, "info ", call->rest);
    else
        put_infos(call);
}

void monitor_execute(struct control *c, unsigned *cpu, const char *line, struct text_out *out)
{
    char text[MONITOR_LINE];
    struct monitor_call call = { .control = c, .cpu = cpu, .out = out };
    size_t len = strlen(line);

    if (len >= sizeof text) {
        text_out_put(out, "Error: a command has at most %zu characters\n", sizeof text - 1);
        return;
    }
    if (*cpu >= c->cpus)
        *cpu = 0;
    for (; isspace((unsigned char)*line); line++, len--)
        ;
    while (len && isspace((unsigned char)line[len - 1]))
        len--;
    memcpy(text, line, len);
    text[len] = 0;
    for (size_t i = 0; i < len; i++) /* it is printed again in messages */
        text[i] = (char)(iscntrl((unsigned char)text[i]) && text[i] != '\t' ? '?' : text[i]);
    if (len)
        dispatch(&call, commands, COMMANDS, "", text);
    if (!out->full)
        return;
    text_out_clear(out);
    text_out_put(out, "Error: the answer is longer than %d bytes\n", TEXT_OUT_MAX);
}
