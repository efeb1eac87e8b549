/*
 * chardev-parse.c - the arguments of -chardev and of -serial into a chardev_config.
 *
 * The spellings are those of QEMU's manual page, "Character device options" and "-serial dev". Known and
 * refused, with a message: telnet=on, websocket=on, tls-creds=, reconnect= other than 0, udp, vc, parallel
 * ports.
 */
#include "chardev.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "keyval.h"

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

static const struct option *find_option(struct keyval *kv)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
            if (!strcmp(kv->key, options[i].name))
                return &options[i];
        if (!kv->bare || strncmp(kv->key, "no", 2) != 0) /* "nowait" is "wait=off" */
            return NULL;
        memmove(kv->key, kv->key + 2, strlen(kv->key + 2) + 1);
        snprintf(kv->value, sizeof kv->value, "off");
    }
    return NULL;
}

static bool set_option(struct chardev_config *config, struct keyval *kv, struct error *e)
{
    const struct option *o = find_option(kv);
    char *field;

    if (!o)
        return error_set(e, "unknown option '%s' of a character device", kv->key);
    field = (char *)config + o->offset;
    switch (o->type) {
    case TEXT:
        return keyval_copy(kv, field, o->size, e);
    case BOOL:
        return keyval_bool(kv, (bool *)field, e);
    case SIZE:
        return keyval_size(kv, (uint64_t *)field, e);
    case MUST_BE_OFF:
        return !strcmp(kv->value, "off") || !strcmp(kv->value, "0") ||
               error_set(e, "%s=%s is not supported by character devices", kv->key, kv->value);
    case IGNORED:
        break;
    }
    return true;
}

static bool set_options(struct chardev_config *config, const char *text, struct error *e)
{
    struct keyval kv;
    bool wait_given = false;

    while (*text) {
        if (!keyval_next(&text, &kv, e))
            return false;
        wait_given |= !strcmp(kv.key, "wait") || !strcmp(kv.key, "nowait");
        if (!set_option(config, &kv, e))
            return false;
    }
    if (!wait_given)
        config->wait = config->server;
    return true;
}

static bool check(struct chardev_config *config, const char *text, struct error *e)
{
    bool needs_path = config->kind == CHARDEV_FILE || config->kind == CHARDEV_PIPE;

    if (needs_path && !config->path[0])
        return error_set(e, "character device '%s': path= is missing", text);
    if (config->kind == CHARDEV_SOCKET && !config->path[0] == !config->port[0])
        return error_set(e, "character device '%s': a socket needs either path= or host= and port=", text);
    return true;
}

bool chardev_parse(const char *text, struct chardev_config *config, struct error *e)
{
    const char *rest = text;
    char name[64];
    size_t i;

    memset(config, 0, sizeof *config);
    if (!keyval_word(&rest, name, sizeof name, e))
        return false;
    for (i = 0; i < sizeof kind_names / sizeof kind_names[0]; i++)
        if (!strcmp(name, kind_names[i].name))
            break;
    if (i == sizeof kind_names / sizeof kind_names[0])
        return error_set(
            e,
            "unknown character device '%s'; there are null, stdio, file, pipe, serial, pty, socket and "
            "ringbuf",
            name);
    config->kind = kind_names[i].kind;
    config->signals = true;
    return set_options(config, rest, e) && check(config, text, e);
}

/* ---- the short form ---- */

static bool short_path(const char *arg, struct chardev_config *config, struct error *e)
{
    return keyval_word(&arg, config->path, sizeof config->path, e) && set_options(config, arg, e);
}

/* HOST:PORT, where HOST may be empty, a name, an address or an IPv6 address in brackets. */
static bool short_tcp(const char *arg, struct chardev_config *config, struct error *e)
{
    char address[sizeof config->host + sizeof config->port];
    const char *host = address;

    if (!keyval_word(&arg, address, sizeof address, e))
        return false;
    char *colon = strrchr(address, ':');
    if (!colon || !colon[1] || strlen(colon + 1) >= sizeof config->port)
        return error_set(e, "tcp:%s: write tcp:HOST:PORT", address);
    *colon = 0;
    memcpy(config->port, colon + 1, strlen(colon + 1) + 1);
    if (host[0] == '[' && colon[-1] == ']') {
        colon[-1] = 0;
        host++;
    }
    if (strlen(host) >= sizeof config->host)
        return error_set(e, "tcp: the host name is too long");
    memcpy(config->host, host, strlen(host) + 1);
    return set_options(config, arg, e);
}

static bool short_word(const char *arg, struct chardev_config *config, struct error *e)
{
    return set_options(config, arg, e);
}

static bool short_reference(const char *arg, struct chardev_config *config, struct error *e)
{
    return keyval_word(&arg, config->id, sizeof config->id, e) && set_options(config, arg, e);
}

static const struct {
    const char *prefix; /* with ':' when an argument follows */
    enum chardev_kind kind;
    bool (*parse)(const char *arg, struct chardev_config *config, struct error *e);
} shorts[] = {
    { "none", CHARDEV_NONE, short_word },       { "null", CHARDEV_NULL, short_word },
    { "stdio", CHARDEV_STDIO, short_word },     { "pty", CHARDEV_PTY, short_word },
    { "ringbuf", CHARDEV_RINGBUF, short_word }, { "file:", CHARDEV_FILE, short_path },
    { "pipe:", CHARDEV_PIPE, short_path },      { "unix:", CHARDEV_SOCKET, short_path },
    { "tcp:", CHARDEV_SOCKET, short_tcp },      { "chardev:", CHARDEV_REFERENCE, short_reference },
};

bool chardev_parse_serial(const char *text, struct chardev_config *config, struct error *e)
{
    const char *rest = text;

    memset(config, 0, sizeof *config);
    config->signals = true;
    if (!strncmp(rest, "mon:", 4)) {
        rest += 4;
        config->mux = config->monitor = true;
        config->signals = false; /* Ctrl-C belongs to the guest; Ctrl-A x quits */
    }
    if (!strncmp(rest, "/dev/", 5)) {
        config->kind = CHARDEV_PIPE;
        return short_path(rest, config, e);
    }
    for (size_t i = 0; i < sizeof shorts / sizeof shorts[0]; i++) {
        size_t n = strlen(shorts[i].prefix);
        bool argument = shorts[i].prefix[n - 1] == ':';
        if (strncmp(rest, shorts[i].prefix, n) != 0 || (!argument && rest[n] && rest[n] != ','))
            continue;
        config->kind = shorts[i].kind;
        rest += n;
        rest += !argument && *rest == ',';
        return shorts[i].parse(rest, config, e) && (config->kind == CHARDEV_NONE || check(config, text, e));
    }
    return error_set(e,
                     "unknown character device '%s'; there are none, null, stdio, mon:stdio, pty, ringbuf, "
                     "file:NAME, pipe:NAME, unix:PATH, tcp:HOST:PORT and chardev:ID",
                     text);
}
