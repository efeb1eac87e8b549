/*
 * chardev-parse.c - the arguments of -chardev and of -serial into a chardev_config.
 *
 * The spellings are those of QEMU's manual page, "Character device options" and "-serial dev". Known and refused,
 * with a message: telnet=on, websocket=on, tls-creds=, reconnect= other than 0, udp, vc, parallel ports.
 */
#include "chardev.h"

#include <stddef.h>
#include <string.h>

#include "keyvals.h"

enum value_type { TEXT, BOOL, SIZE, MUST_BE_OFF, IGNORED };

#define FIELD(name, type, member) { name, type, offsetof(struct chardev_config, member), \
                                    sizeof(((struct chardev_config *)0)->member) }

static const struct option {
    const char *name;
    enum value_type type;
    size_t offset;
    size_t size;
} options[] = {
    FIELD("id", TEXT, id),
    FIELD("path", TEXT, path),
    FIELD("input-path", TEXT, input),
    FIELD("host", TEXT, host),
    FIELD("port", TEXT, port),
    FIELD("logfile", TEXT, log),
    FIELD("logappend", BOOL, log_append),
    FIELD("append", BOOL, append),
    FIELD("server", BOOL, server),
    FIELD("wait", BOOL, wait),
    FIELD("signal", BOOL, signals),
    FIELD("mux", BOOL, mux),
    FIELD("size", SIZE, size),
    { "nodelay", IGNORED, 0, 0 },
    { "delay", IGNORED, 0, 0 },
    { "ipv4", IGNORED, 0, 0 },
    { "ipv6", IGNORED, 0, 0 },
    { "telnet", MUST_BE_OFF, 0, 0 },
    { "tn3270", MUST_BE_OFF, 0, 0 },
    { "websocket", MUST_BE_OFF, 0, 0 },
    { "reconnect", MUST_BE_OFF, 0, 0 },
    { "abstract", MUST_BE_OFF, 0, 0 },
};

static const struct {
    const char *name;
    enum chardev_kind kind;
} kind_names[] = {
    { "null", CHARDEV_NULL }, { "stdio", CHARDEV_STDIO }, { "file", CHARDEV_FILE }, { "pipe", CHARDEV_PIPE },
    { "serial", CHARDEV_PIPE }, { "tty", CHARDEV_PIPE }, { "pty", CHARDEV_PTY }, { "socket", CHARDEV_SOCKET },
    { "ringbuf", CHARDEV_RINGBUF }, { "memory", CHARDEV_RINGBUF },
};

static bool set_option(struct chardev_config *config, struct keyvals *kv, const struct option *o, struct error *e)
{
    char *field = (char *)config + o->offset;
    bool on = false;
    const char *v;

    switch (o->type) {
    case TEXT:
        return keyvals_copy(kv, o->name, field, o->size, e);
    case BOOL:
        return keyvals_bool(kv, o->name, (bool *)field, e);
    case SIZE:
        return keyvals_size(kv, o->name, (uint64_t *)field, e);
    case MUST_BE_OFF:
        v = keyvals_get(kv, o->name);
        if (!v)
            return keyvals_bool(kv, o->name, &on, e);
        return (parse_bool(v, &on) && !on) ||
               keyvals_error(kv, o->name, e, "%s=%.80s is not supported by character devices", o->name, v);
    case IGNORED:
        keyvals_get(kv, o->name);
        break;
    }
    return true;
}

static bool set_options(struct chardev_config *config, struct keyvals *kv, struct error *e)
{
    const char *known[sizeof options / sizeof options[0] + 1] = { NULL };
    bool wait_given = keyvals_peek(kv, "wait") || keyvals_peek(kv, "nowait");

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        known[i] = options[i].name;
        if (!set_option(config, kv, &options[i], e))
            return false;
    }
    if (!wait_given)
        config->wait = config->server;
    return keyvals_finish(kv, known, e);
}

static bool check(struct chardev_config *config, const char *text, struct error *e)
{
    bool needs_path = config->kind == CHARDEV_FILE || config->kind == CHARDEV_PIPE;

    if (needs_path && !config->path[0])
        return error_set(e, "character device '%.200s': path= is missing", text);
    if (config->kind == CHARDEV_SOCKET && !config->path[0] == !config->port[0])
        return error_set(e, "character device '%.200s': a socket needs either path= or host= and port=", text);
    return true;
}

static bool set_kind(struct chardev_config *config, struct keyvals *kv, struct error *e)
{
    const char *name = keyvals_get(kv, "backend");

    for (size_t i = 0; name && i < sizeof kind_names / sizeof kind_names[0]; i++) {
        if (!strcmp(name, kind_names[i].name)) {
            config->kind = kind_names[i].kind;
            return true;
        }
    }
    return keyvals_error(kv, "backend", e,
                         "unknown character device '%.80s'; there are null, stdio, file, pipe, serial, pty, socket and "
                         "ringbuf",
                         name ? name : "");
}

bool chardev_parse(const char *text, struct chardev_config *config, struct error *e)
{
    struct keyvals kv;

    memset(config, 0, sizeof *config);
    config->signals = true;
    if (!keyvals_parse(&kv, "a character device", text, "backend", e))
        return false;
    bool ok = set_kind(config, &kv, e) && set_options(config, &kv, e) && check(config, text, e);
    keyvals_free(&kv);
    return ok;
}

/* ---- the short form: its first item, after the prefix, is the value of a key of ours ---- */

static bool take_word(struct chardev_config *config, struct keyvals *kv, struct error *e)
{
    const char *rest = keyvals_get(kv, "first");

    return !rest || !*rest || keyvals_error(kv, "first", e, "unknown character device '%s'", kv->text);
}

static bool take_path(struct chardev_config *config, struct keyvals *kv, struct error *e)
{
    const char *path = keyvals_get(kv, "first");

    return !path || !*path || keyvals_copy(kv, "first", config->path, sizeof config->path, e);
}

/* HOST:PORT, where HOST may be empty, a name, an address or an IPv6 address in brackets. */
static bool take_tcp(struct chardev_config *config, struct keyvals *kv, struct error *e)
{
    char address[sizeof config->host + sizeof config->port] = "";
    const char *host = address;

    if (!keyvals_copy(kv, "first", address, sizeof address, e))
        return false;
    char *colon = strrchr(address, ':');
    if (!colon || !colon[1] || strlen(colon + 1) >= sizeof config->port)
        return keyvals_error(kv, "first", e, "tcp:%s: write tcp:HOST:PORT", address);
    *colon = 0;
    memcpy(config->port, colon + 1, strlen(colon + 1) + 1);
    if (host[0] == '[' && colon[-1] == ']') {
        colon[-1] = 0;
        host++;
    }
    if (strlen(host) >= sizeof config->host)
        return keyvals_error(kv, "first", e, "the host name is too long");
    memcpy(config->host, host, strlen(host) + 1);
    return true;
}

static bool take_reference(struct chardev_config *config, struct keyvals *kv, struct error *e)
{
    return keyvals_copy(kv, "first", config->id, sizeof config->id, e);
}

static const struct short_form {
    const char *prefix; /* with ':' when an argument follows */
    enum chardev_kind kind;
    bool (*take)(struct chardev_config *config, struct keyvals *kv, struct error *e);
} shorts[] = {
    { "none", CHARDEV_NONE, take_word },       { "null", CHARDEV_NULL, take_word },
    { "stdio", CHARDEV_STDIO, take_word },     { "pty", CHARDEV_PTY, take_word },
    { "ringbuf", CHARDEV_RINGBUF, take_word }, { "file:", CHARDEV_FILE, take_path },
    { "pipe:", CHARDEV_PIPE, take_path },      { "unix:", CHARDEV_SOCKET, take_path },
    { "tcp:", CHARDEV_SOCKET, take_tcp },      { "chardev:", CHARDEV_REFERENCE, take_reference },
};

/* "/dev/ttyS0" stands for itself. */
static const struct short_form host_device = { "", CHARDEV_PIPE, take_path };

static const struct short_form *find_short(const char *text)
{
    if (!strncmp(text, "/dev/", 5))
        return &host_device;
    for (size_t i = 0; i < sizeof shorts / sizeof shorts[0]; i++) {
        size_t n = strlen(shorts[i].prefix);
        bool argument = shorts[i].prefix[n - 1] == ':';
        if (!strncmp(text, shorts[i].prefix, n) && (argument || !text[n] || text[n] == ','))
            return &shorts[i];
    }
    return NULL;
}

bool chardev_parse_serial(const char *text, struct chardev_config *config, struct error *e)
{
    const char *rest = text;
    struct keyvals kv;

    memset(config, 0, sizeof *config);
    config->signals = true;
    if (!strncmp(rest, "mon:", 4)) {
        rest += 4;
        config->mux = config->monitor = true;
        config->signals = false; /* Ctrl-C belongs to the guest; Ctrl-A x quits */
    }
    const struct short_form *form = find_short(rest);
    if (!form)
        return error_set(e,
                         "unknown character device '%.200s'; there are none, null, stdio, mon:stdio, pty, ringbuf, "
                         "file:NAME, pipe:NAME, unix:PATH, tcp:HOST:PORT and chardev:ID",
                         text);
    config->kind = form->kind;
    if (!keyvals_parse_first(&kv, "a character device", rest + strlen(form->prefix), "first", e))
        return false;
    bool ok = form->take(config, &kv, e) && set_options(config, &kv, e) &&
              (config->kind == CHARDEV_NONE || check(config, text, e));
    keyvals_free(&kv);
    return ok;
}
