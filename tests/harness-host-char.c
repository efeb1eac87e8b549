/* harness-host-char.c - character ports on sockets, files, pipes, ptys and memory, the mux, and their command
 * line. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "host/chardev-impl.h"

#include "chardev-set.h"
#include "host-rig.h"
#include "mux.h"
#include "socket.h"

enum { MIB = 1 << 20 };

/* A device that keeps what it gets. */
struct sink {
    struct rig rig;
    struct char_port *port;
    size_t room; /* what can_receive() says */
    char got[512];
    size_t count;
    size_t want;
    int opened, closed, breaks;
};

static size_t sink_room(void *dev)
{
    return ((struct sink *)dev)->room;
}

static void sink_receive(void *dev, const uint8_t *buf, size_t len)
{
    struct sink *s = dev;

    for (size_t i = 0; i < len && s->count < sizeof s->got - 1; i++)
        s->got[s->count++] = (char)buf[i];
}

static void sink_event(void *dev, enum char_event event)
{
    struct sink *s = dev;

    s->opened += event == CHAR_OPENED;
    s->closed += event == CHAR_CLOSED;
    s->breaks += event == CHAR_BREAK;
}

static void attach(struct sink *s, struct char_port *port)
{
    s->port = port;
    s->room = sizeof s->got;
    port->dev = s;
    port->can_receive = sink_room;
    port->receive = sink_receive;
    port->event = sink_event;
}

static bool has_wanted(void *arg)
{
    struct sink *s = arg;

    return s->count >= s->want;
}

static bool sink_gets(struct sink *s, const char *text)
{
    s->want = strlen(text);
    bool ok = rig_until(&s->rig, has_wanted, s) && s->count == s->want && !memcmp(s->got, text, s->want);
    s->count = 0;
    return ok;
}

static void put(struct char_port *port, const char *text)
{
    port->write(port, (const uint8_t *)text, strlen(text));
}

static bool open_text(struct sink *s, bool shorthand, const char *text)
{
    struct chardev_config c;
    bool ok = shorthand ? chardev_parse_serial(text, &c, &s->rig.e) : chardev_parse(text, &c, &s->rig.e);
    struct char_port *port = ok ? chardev_open(s->rig.loop, &c, &s->rig.e) : NULL;

    if (port)
        attach(s, port);
    return port;
}

static void temporary(char *name, size_t size, const char *what)
{
    snprintf(name, size, "/tmp/lyrebird-test-%d-%s", (int)getpid(), what);
    unlink(name);
}

/* Reads `fd` until `text` was seen whole, running the loop meanwhile. */
static bool reads(struct rig *rig, int fd, const char *text)
{
    char got[256];
    size_t n = 0, want = strlen(text);
    uint64_t end = host_now() + 5 * NS_PER_SEC;

    while (n < want && host_now() < end) {
        ssize_t k = read(fd, got + n, want - n);
        n += k > 0 ? (size_t)k : 0;
        if (k <= 0)
            loop_run_once(rig->loop, 1000000);
    }
    return n == want && !memcmp(got, text, want);
}

static bool was_opened(void *arg)
{
    return ((struct sink *)arg)->opened > ((struct sink *)arg)->closed;
}

static bool was_closed(void *arg)
{
    return ((struct sink *)arg)->opened == ((struct sink *)arg)->closed;
}

static void socket_server_serves_one_client_after_another(struct report *r)
{
    struct sink s = { .count = 0 };
    char name[64], text[128];
    struct stat st;

    rig_open(&s.rig, 1.0);
    temporary(name, sizeof name, "sock");
    snprintf(text, sizeof text, "unix:%s,server=on,wait=off", name);
    expect(r, open_text(&s, true, text), "%s", s.rig.e.text);
    expect(r, stat(name, &st) == 0 && (st.st_mode & 0777) == 0600, "mode %o", st.st_mode);
    put(s.port, "nobody hears this\n");
    for (int i = 0; i < 2; i++) {
        int fd = socket_connect_unix(name, &s.rig.e);
        expect(r, rig_until(&s.rig, was_opened, &s), "client %d was not announced", i);
        expect(r, write(fd, "hello", 5) == 5 && sink_gets(&s, "hello"), "input of client %d", i);
        put(s.port, "wor");
        put(s.port, "ld\n");
        expect(r, reads(&s.rig, fd, "world\n"), "output to client %d", i);
        close(fd);
        expect(r, rig_until(&s.rig, was_closed, &s), "the end of client %d was not announced", i);
    }
    expect(r, s.opened == 2, "%d clients", s.opened);
    chardev_close(s.port);
    expect(r, stat(name, &st) < 0, "the socket file stays behind");
    rig_close(&s.rig);
}

/* Of two clients that say nothing, the one that was given a limit makes room for the other. */
static void limited_client_is_hung_up_on(struct report *r)
{
    struct sink s = { .count = 0 };
    char name[64], text[128], byte;

    rig_open(&s.rig, 1.0);
    temporary(name, sizeof name, "sock");
    snprintf(text, sizeof text, "unix:%s,server,nowait", name);
    expect(r, open_text(&s, true, text), "%s", s.rig.e.text);
    s.port->patience(s.port, 1); /* of nobody */
    int first = socket_connect_unix(name, &s.rig.e), second = socket_connect_unix(name, &s.rig.e);
    expect(r, rig_until(&s.rig, was_opened, &s), "the first client was not announced");
    s.port->patience(s.port, 1);
    s.port->patience(s.port, 0);
    s.port->patience(s.port, 1);
    expect(r, rig_until(&s.rig, was_closed, &s), "the limit did nothing");
    expect(r, read(first, &byte, 1) == 0, "the first client was not hung up on");
    expect(r, rig_until(&s.rig, was_opened, &s), "the second client was not announced");
    s.port->patience(s.port, 1);
    s.port->patience(s.port, 0);
    expect(r, write(second, "x", 1) == 1 && sink_gets(&s, "x"), "input of the second client");
    rig_settle(&s.rig);
    expect(r, read(second, &byte, 1) < 0 && errno == EAGAIN, "the second client was hung up on");
    close(first);
    close(second);
    chardev_close(s.port);
    rig_close(&s.rig);
}

/* A peer that is gone without a word is noticed. */
static void tcp_client_is_kept_an_eye_on(struct report *r)
{
    struct sink s = { .count = 0 };
    char text[128];
    int on = 0, idle = 0;
    socklen_t size = sizeof on;

    rig_open(&s.rig, 1.0);
    expect(r, open_text(&s, true, "tcp:127.0.0.1:0,server,nowait"), "%s", s.rig.e.text);
    struct chardev *c = (struct chardev *)s.port;
    snprintf(text, sizeof text, "%u", socket_local_port(c->listen_fd));
    int fd = socket_connect_tcp("127.0.0.1", text, &s.rig.e);
    expect(r, rig_until(&s.rig, was_opened, &s), "the client was not announced");
    expect(r, getsockopt(c->in_fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size) == 0 && on, "no keepalive");
    expect(r, getsockopt(c->in_fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &size) == 0 && idle == 60, "after %d s", idle);
    close(fd);
    chardev_close(s.port);
    rig_close(&s.rig);
}

static void device_without_room_holds_input_back(struct report *r)
{
    struct sink s = { .count = 0 };
    char name[64], text[128];

    rig_open(&s.rig, 1.0);
    temporary(name, sizeof name, "sock");
    snprintf(text, sizeof text, "socket,id=c,path=%s,server=on,wait=off", name);
    expect(r, open_text(&s, false, text), "%s", s.rig.e.text);
    int fd = socket_connect_unix(name, &s.rig.e);
    rig_until(&s.rig, was_opened, &s);
    s.room = 0;
    expect(r, write(fd, "abcdef", 6) == 6, "write");
    rig_settle(&s.rig);
    expect(r, s.count == 0, "%zu bytes came in without room", s.count);
    s.room = 2;
    s.port->poke(s.port);
    loop_run_once(s.rig.loop, NS_PER_SEC);
    expect(r, s.count == 2, "%zu bytes at once into room for 2", s.count);
    expect(r, sink_gets(&s, "abcdef"), "got %.*s", (int)s.count, s.got);
    close(fd);
    chardev_close(s.port);
    rig_close(&s.rig);
}

/* 10 MiB to a client that does not read; what it finds in the end are the newest bytes, without a hole. */
static void unread_socket_does_not_stall(struct report *r)
{
    struct sink s = { .count = 0 };
    char name[64], text[128], line[65], last[65] = "";
    uint8_t *got = malloc(11 * MIB);
    size_t n = 0;

    rig_open(&s.rig, 1.0);
    temporary(name, sizeof name, "sock");
    snprintf(text, sizeof text, "unix:%s,server,nowait", name);
    expect(r, open_text(&s, true, text), "%s", s.rig.e.text);
    int fd = socket_connect_unix(name, &s.rig.e);
    rig_until(&s.rig, was_opened, &s);
    uint64_t start = host_now();
    for (int i = 0; i < 10 * MIB / 64; i++) {
        snprintf(line, sizeof line, "%062d\r\n", i);
        put(s.port, line);
    }
    expect(r, host_now() - start < 3 * NS_PER_SEC, "it took %llu ms",
           (unsigned long long)(host_now() - start) / 1000000);
    for (int idle = 0; idle < 20; idle++) {
        ssize_t k;
        while ((k = read(fd, got + n, 11 * MIB - n)) > 0) {
            n += (size_t)k;
            idle = 0;
        }
        loop_run_once(s.rig.loop, 0);
    }
    expect(r, n >= MIB && n < 10 * MIB, "%zu bytes were kept", n);
    if (n >= 64)
        memcpy(last, got + n - 64, 64);
    expect(r, !strcmp(last, line), "the last line is '%s'", last);
    expect(r, strtol((char *)got + n - MIB, NULL, 10) == 10 * MIB / 64 - MIB / 64,
           "the newest MiB has a hole");
    close(fd);
    chardev_close(s.port);
    free(got);
    rig_close(&s.rig);
}

static void tcp_port_in_use_names_its_holder(struct report *r)
{
    struct sink s = { .count = 0 };
    char text[128], port[16];

    rig_open(&s.rig, 1.0);
    int fd = socket_listen_tcp("127.0.0.1", "0", &s.rig.e);
    snprintf(port, sizeof port, "%u", socket_local_port(fd));
    snprintf(text, sizeof text, "tcp:127.0.0.1:%s,server=on,wait=off", port);
    expect(r, fd >= 0 && !open_text(&s, true, text), "the port was taken twice");
    expect(r, strstr(s.rig.e.text, "in use by this process") != NULL, "message: %s", s.rig.e.text);
    snprintf(text, sizeof text, "tcp:127.0.0.1:%s", port);
    expect(r, open_text(&s, true, text), "as a client: %s", s.rig.e.text);
    if (s.port)
        expect(r, !strncmp(chardev_name(s.port), "tcp:127.0.0.1:", 14), "name %s", chardev_name(s.port));
    chardev_close(s.port);
    close(fd);
    rig_close(&s.rig);
}

static size_t slurp(const char *name, char *buf, size_t size)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, buf, size) : 0;

    if (fd >= 0)
        close(fd);
    return n > 0 ? (size_t)n : 0;
}

static void file_keeps_everything_and_appends(struct report *r)
{
    struct sink s = { .count = 0 };
    char name[64], log[64], text[256], *got = malloc(3 * MIB);
    size_t n;

    rig_open(&s.rig, 1.0);
    temporary(name, sizeof name, "out");
    temporary(log, sizeof log, "log");
    snprintf(text, sizeof text, "file,path=%s,logfile=%s", name, log);
    expect(r, open_text(&s, false, text), "%s", s.rig.e.text);
    for (int i = 0; i < 2 * MIB / 8; i++) {
        snprintf(text, sizeof text, "%08d", i); /* no newline: nothing may wait for one at the end */
        put(s.port, text);
    }
    chardev_close(s.port);
    n = slurp(name, got, 3 * MIB);
    expect(r, n == 2 * MIB && !memcmp(got + n - 8, "00262143", 8), "%zu bytes in the file", n);
    expect(r, slurp(log, got, 3 * MIB) == 2 * MIB, "the log differs");
    snprintf(text, sizeof text, "file:%s,append=on", name);
    expect(r, open_text(&s, true, text), "%s", s.rig.e.text);
    put(s.port, "end");
    chardev_close(s.port);
    expect(r, slurp(name, got, 3 * MIB) == 2 * MIB + 3, "append=on did not append");
    snprintf(text, sizeof text, "file:%s", name);
    expect(r, open_text(&s, true, text), "%s", s.rig.e.text);
    chardev_close(s.port);
    expect(r, slurp(name, got, 3 * MIB) == 0, "a new file keeps old contents");
    expect(r, !open_text(&s, true, "file:/nonexistent/x") && strstr(s.rig.e.text, "/nonexistent/x") != NULL,
           "message: %s", s.rig.e.text);
    unlink(name);
    unlink(log);
    free(got);
    rig_close(&s.rig);
}

/* The error comes at the first byte; the port must take the rest all the same. */
static void full_disk_loses_output_but_goes_on(struct report *r)
{
    struct sink s = { .count = 0 };

    rig_open(&s.rig, 1.0);
    expect(r, open_text(&s, true, "file:/dev/full"), "%s", s.rig.e.text);
    for (int i = 0; i < 1000; i++)
        put(s.port, "a line that does not fit\n");
    rig_settle(&s.rig);
    expect(r, s.closed == 0 && s.opened <= 1, "events %d %d", s.opened, s.closed);
    chardev_close(s.port);
    rig_close(&s.rig);
}

static void pipe_pair_goes_both_ways(struct report *r)
{
    struct sink s = { .count = 0 };
    char name[64], in[80], out[80], text[128];

    rig_open(&s.rig, 1.0);
    temporary(name, sizeof name, "pipe");
    snprintf(in, sizeof in, "%s.in", name);
    snprintf(out, sizeof out, "%s.out", name);
    snprintf(text, sizeof text, "pipe:%s", name);
    expect(r, !open_text(&s, true, text) && strstr(s.rig.e.text, "mkfifo") != NULL, "message: %s",
           s.rig.e.text);
    expect(r, mkfifo(in, 0600) == 0 && mkfifo(out, 0600) == 0, "mkfifo");
    expect(r, open_text(&s, true, text), "%s", s.rig.e.text);
    int w = open(in, O_WRONLY | O_NONBLOCK | O_CLOEXEC), g = open(out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    expect(r, write(w, "in", 2) == 2 && sink_gets(&s, "in"), "input");
    close(w); /* is no end of file */
    w = open(in, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    expect(r, write(w, "again", 5) == 5 && sink_gets(&s, "again"), "input of a second writer");
    put(s.port, "out\n");
    expect(r, reads(&s.rig, g, "out\n"), "output");
    chardev_close(s.port);
    close(w);
    close(g);
    unlink(in);
    unlink(out);
    rig_close(&s.rig);
}

static void pty_is_raw_and_outlives_its_users(struct report *r)
{
    struct sink s = { .count = 0 };

    rig_open(&s.rig, 1.0);
    expect(r, open_text(&s, true, "pty"), "%s", s.rig.e.text);
    const char *slave = chardev_name(s.port) + strlen("pty:");
    put(s.port, "early\n");
    for (int i = 0; i < 2; i++) {
        int fd = open(slave, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        expect(r, fd >= 0, "%s: %s", slave, strerror(errno));
        expect(r, i > 0 || reads(&s.rig, fd, "early\n"), "output from before it was opened");
        expect(r, write(fd, "a\rb\3", 4) == 4 && sink_gets(&s, "a\rb\3"), "input of user %d", i);
        put(s.port, "x\ny");
        expect(r, reads(&s.rig, fd, "x\ny"), "output to user %d", i);
        close(fd);
    }
    uint64_t start = host_now();
    loop_run_once(s.rig.loop, 20000000);
    expect(r, host_now() - start >= 20000000, "an idle pty wakes the loop");
    chardev_close(s.port);
    rig_close(&s.rig);
}

static void ringbuf_keeps_the_newest(struct report *r)
{
    struct sink s = { .count = 0 };
    uint8_t got[64];

    rig_open(&s.rig, 1.0);
    expect(r, open_text(&s, false, "ringbuf,id=b,size=8"), "%s", s.rig.e.text);
    put(s.port, "abc");
    expect(r, chardev_ringbuf_read(s.port, got, 2) == 2 && !memcmp(got, "ab", 2), "first read");
    put(s.port, "defghijklm");
    expect(r, chardev_ringbuf_read(s.port, got, 64) == 8 && !memcmp(got, "fghijklm", 8), "after wrapping");
    put(s.port, "0123456789");
    expect(r, chardev_ringbuf_read(s.port, got, 64) == 8 && !memcmp(got, "23456789", 8),
           "one write over the size");
    expect(r, chardev_ringbuf_read(s.port, got, 64) == 0, "empty");
    chardev_close(s.port);
    rig_close(&s.rig);
}

/* ---- the mux, on a ringbuf as its backend: what a user would see ---- */

struct muxed {
    struct sink a, b;
    struct char_port *back;
    struct mux *mux;
    int quits;
    char seen[1024];
};

static void on_quit(void *owner)
{
    ((struct muxed *)owner)->quits++;
}

static void mux_start(struct report *r, struct muxed *m, bool terminal)
{
    struct chardev_config c;

    memset(m, 0, sizeof *m);
    rig_open(&m->a.rig, 1.0);
    expect(r, chardev_parse("ringbuf,size=4096", &c, &m->a.rig.e), "%s", m->a.rig.e.text);
    m->back = chardev_open(m->a.rig.loop, &c, &m->a.rig.e);
    m->mux = mux_new(m->a.rig.loop, m->back, MUX_ESCAPE, terminal, on_quit, m);
    attach(&m->a, mux_add(m->mux, "serial0", &m->a.rig.e));
    attach(&m->b, mux_add(m->mux, "monitor", &m->a.rig.e));
}

static void mux_end(struct muxed *m)
{
    mux_free(m->mux);
    chardev_close(m->back);
    rig_close(&m->a.rig);
}

/* As the loop would: never more than the mux takes. Returns what it took. */
static size_t keys(struct muxed *m, const char *text, size_t len)
{
    size_t done = 0;

    while (done < len) {
        size_t n = m->back->can_receive(m->back->dev);
        n = n < len - done ? n : len - done;
        if (!n)
            break;
        m->back->receive(m->back->dev, (const uint8_t *)text + done, n);
        done += n;
    }
    return done;
}

static const char *seen(struct muxed *m)
{
    m->seen[chardev_ringbuf_read(m->back, (uint8_t *)m->seen, sizeof m->seen - 1)] = 0;
    return m->seen;
}

static void mux_keys_steer(struct report *r)
{
    struct muxed m;

    mux_start(r, &m, true);
    keys(&m, "ls\r", 3);
    expect(r, m.a.count == 3 && m.b.count == 0, "focus at start: %zu %zu", m.a.count, m.b.count);
    keys(&m, "\1cinfo", 6);
    expect(r, m.a.count == 3 && m.b.count == 4 && !memcmp(m.b.got, "info", 4), "after c: %zu %zu", m.a.count,
           m.b.count);
    expect(r, strstr(seen(&m), "[monitor]") != NULL, "shown: %s", m.seen);
    keys(&m, "\1c\1\1", 4);
    expect(r, m.a.count == 4 && m.a.got[3] == 1, "the escape key itself: %zu", m.a.count);
    seen(&m);
    keys(&m, "\1h", 2);
    expect(r, strstr(seen(&m), "Ctrl-A x  quit") != NULL, "help: %s", m.seen);
    keys(&m, "\1b", 2);
    expect(r, m.a.breaks == 1 && m.b.breaks == 0, "breaks %d %d", m.a.breaks, m.b.breaks);
    keys(&m, "\1q", 2);
    expect(r, m.a.count == 4 && m.quits == 0, "an unknown key did something");
    keys(&m, "\1x", 2);
    expect(r, m.quits == 1, "%d quits", m.quits);
    rig_settle(&m.a.rig);
    expect(r, m.a.opened == 1 && m.b.opened == 1, "opened %d %d", m.a.opened, m.b.opened);
    mux_end(&m);
}

static void mux_never_tears_lines(struct report *r)
{
    struct muxed m;

    mux_start(r, &m, true);
    put(m.a.port, "login: ");
    put(m.b.port, "ev");
    put(m.b.port, "ent");
    expect(r, !strcmp(seen(&m), "login: "), "part of a line shown: %s", m.seen);
    put(m.b.port, "\nmore");
    expect(r, !strcmp(seen(&m), "\r\nevent\n"), "shown: %s", m.seen);
    put(m.b.port, "\n");
    expect(r, !strcmp(seen(&m), "more\n"), "shown: %s", m.seen);
    put(m.b.port, "(lyrebird) ");
    mux_focus(m.mux, m.b.port);
    expect(r, !strcmp(seen(&m), "(lyrebird) \r\n[monitor]\r\n"), "shown at the change of focus: %s", m.seen);
    mux_end(&m);
}

static void mux_queue_is_bounded_and_escape_works_when_full(struct report *r)
{
    struct muxed m;
    char flood[600];

    memset(flood, 'k', sizeof flood);
    mux_start(r, &m, true);
    m.a.room = 0;
    expect(r, keys(&m, flood, sizeof flood) == sizeof flood, "a terminal's keys wait");
    keys(&m, "\1x", 2);
    expect(r, m.quits == 1, "Ctrl-A x did not quit a guest that does not read");
    m.a.room = 512;
    rig_settle(&m.a.rig);
    expect(r, m.a.count == 256, "%zu keys were kept", m.a.count);
    mux_end(&m);
    mux_start(r, &m, false);
    m.a.room = 0;
    expect(r, keys(&m, flood, sizeof flood) == 256, "input that is not typed must wait at its source");
    mux_end(&m);
}

/* ---- the command line ---- */

static const struct {
    const char *text;
    bool shorthand;
    bool ok;
    enum chardev_kind kind;
    const char *expected; /* path, or host and port, or id, or part of the message */
} parse_cases[] = {
    { "stdio", true, true, CHARDEV_STDIO, "" },
    { "mon:stdio", true, true, CHARDEV_STDIO, "" },
    { "none", true, true, CHARDEV_NONE, "" },
    { "null", true, true, CHARDEV_NULL, "" },
    { "pty", true, true, CHARDEV_PTY, "" },
    { "file:/tmp/a,,b", true, true, CHARDEV_FILE, "/tmp/a,b" },
    { "unix:/tmp/s,server=on,wait=off", true, true, CHARDEV_SOCKET, "/tmp/s" },
    { "tcp::4444,server,nowait", true, true, CHARDEV_SOCKET, ":4444" },
    { "tcp:[::1]:4444,server=on,wait=off", true, true, CHARDEV_SOCKET, "::1:4444" },
    { "tcp:localhost:22", true, true, CHARDEV_SOCKET, "localhost:22" },
    { "pipe:/tmp/p", true, true, CHARDEV_PIPE, "/tmp/p" },
    { "chardev:c0", true, true, CHARDEV_REFERENCE, "c0" },
    { "stdioo", true, false, 0, "unknown character device" },
    { "file:", true, false, 0, "path=" },
    { "tcp:4444", true, false, 0, "HOST:PORT" },
    { "unix:/tmp/s,telnet=on", true, false, 0, "telnet" },
    { "udp::1", true, false, 0, "unknown character device" },
    { "file,id=f,path=/x,append=on", false, true, CHARDEV_FILE, "/x" },
    { "socket,id=q,host=h,port=1,server=on,wait=off,telnet=off", false, true, CHARDEV_SOCKET, "h:1" },
    { "socket,id=q,path=/p,host=h,port=1", false, false, 0, "either path=" },
    { "socket,id=q", false, false, 0, "either path=" },
    { "file,id=f", false, false, 0, "path=" },
    { "stdio,id=s,colour=on", false, false, 0, "colour" },
    { "ringbuf,size=12Q", false, false, 0, "size=12Q" },
    { "file,path=/x,append=maybe", false, false, 0, "append=maybe" },
};

static void command_line_is_understood(struct report *r)
{
    struct chardev_config c;
    struct error e;
    char got[PATH_MAX + 400];

    for (size_t i = 0; i < sizeof parse_cases / sizeof parse_cases[0]; i++) {
        const char *text = parse_cases[i].text;
        bool ok = parse_cases[i].shorthand ? chardev_parse_serial(text, &c, &e) : chardev_parse(text, &c, &e);
        expect(r, ok == parse_cases[i].ok, "'%s': %s", text, ok ? "accepted" : e.text);
        if (!ok) {
            expect(r, strstr(e.text, parse_cases[i].expected) != NULL, "'%s': message %s", text, e.text);
            continue;
        }
        snprintf(got, sizeof got, "%s%s%s%s%s", c.path, c.host, c.port[0] ? ":" : "", c.port,
                 c.kind == CHARDEV_REFERENCE ? c.id : "");
        expect(r, c.kind == parse_cases[i].kind && !strcmp(got, parse_cases[i].expected), "'%s': %s", text,
               got);
    }
    expect(r, chardev_parse_serial("mon:stdio", &c, &e) && c.mux && c.monitor && !c.signals, "mon:stdio");
    expect(r, chardev_parse_serial("stdio", &c, &e) && !c.mux && !c.monitor && c.signals, "stdio");
    expect(r, chardev_parse_serial("tcp::1,server", &c, &e) && c.server && c.wait,
           "a server waits by default");
    expect(r, chardev_parse_serial("tcp::1,server,nowait", &c, &e) && c.server && !c.wait, "nowait");
    expect(r, chardev_parse("ringbuf,size=64K", &c, &e) && c.size == 65536, "size=64K");
}

static void set_shares_and_refuses_to_share(struct report *r)
{
    struct muxed m = { .quits = 0 };
    struct chardev_config c;
    struct error e = { "" };

    rig_open(&m.a.rig, 1.0);
    struct chardev_set *set = chardev_set_new(m.a.rig.loop, MUX_ESCAPE, on_quit, &m);
    expect(r, chardev_parse("ringbuf,id=one", &c, &e) && chardev_set_add(set, &c, &e), "%s", e.text);
    expect(r, !chardev_set_add(set, &c, &e) && strstr(e.text, "two character devices"), "message: %s",
           e.text);
    expect(r, chardev_parse("ringbuf,id=many,mux=on,size=4K", &c, &e) && chardev_set_add(set, &c, &e), "%s",
           e.text);
    expect(r, chardev_parse("null", &c, &e) && !chardev_set_add(set, &c, &e) && strstr(e.text, "needs an id"),
           "message: %s", e.text);

    expect(r, chardev_set_attach(set, "one", "serial0", &e) != NULL, "%s", e.text);
    expect(r, !chardev_set_attach(set, "one", "serial1", &e) && strstr(e.text, "belongs to serial0"),
           "message: %s", e.text);
    expect(r, !chardev_set_attach(set, "none", "serial1", &e) && strstr(e.text, "no character device 'none'"),
           "message: %s", e.text);
    expect(r, !chardev_set_monitor(set, &e), "a monitor without mon:");
    struct char_port *a = chardev_set_attach(set, "many", "serial1", &e), *b = NULL;
    expect(r,
           chardev_parse_serial("chardev:many", &c, &e) &&
               (b = chardev_set_attach_config(set, &c, "serial2", &e)),
           "%s", e.text);
    expect(r,
           chardev_parse_serial("mon:ringbuf", &c, &e) && chardev_set_attach_config(set, &c, "serial3", &e) &&
               chardev_set_monitor(set, &e),
           "mon: %s", e.text);
    m.back = chardev_set_find(set, "many");
    if (!r->failed) {
        put(a, "A");
        put(b, "B\n");
        expect(r, !strcmp(seen(&m), "A\r\nB\n"), "shown: %s", m.seen);
        keys(&m, "\1x", 2);
        expect(r, m.quits == 1, "%d quits", m.quits);
    }
    chardev_set_free(set);
    rig_close(&m.a.rig);
}

const struct scenario char_scenarios[] = {
    { "set_shares_and_refuses_to_share", set_shares_and_refuses_to_share },
    { "socket_server_serves_one_client_after_another", socket_server_serves_one_client_after_another },
    { "device_without_room_holds_input_back", device_without_room_holds_input_back },
    { "limited_client_is_hung_up_on", limited_client_is_hung_up_on },
    { "tcp_client_is_kept_an_eye_on", tcp_client_is_kept_an_eye_on },
    { "unread_socket_does_not_stall", unread_socket_does_not_stall },
    { "tcp_port_in_use_names_its_holder", tcp_port_in_use_names_its_holder },
    { "file_keeps_everything_and_appends", file_keeps_everything_and_appends },
    { "full_disk_loses_output_but_goes_on", full_disk_loses_output_but_goes_on },
    { "pipe_pair_goes_both_ways", pipe_pair_goes_both_ways },
    { "pty_is_raw_and_outlives_its_users", pty_is_raw_and_outlives_its_users },
    { "ringbuf_keeps_the_newest", ringbuf_keeps_the_newest },
    { "mux_keys_steer", mux_keys_steer },
    { "mux_never_tears_lines", mux_never_tears_lines },
    { "mux_queue_is_bounded_and_escape_works_when_full", mux_queue_is_bounded_and_escape_works_when_full },
    { "command_line_is_understood", command_line_is_understood },
    { NULL, NULL },
};
