/*
 * gdb-packets.c - which packet is whose, and the short ones. GDB's manual, sections "Packets" and "General Query
 * Packets". A packet that no row knows gets the empty reply, which tells the client so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdb-priv.h"
#include "monitor.h"

bool gdb_take_thread(struct gdb *g, struct gdb_text *t, unsigned *cpu)
{
    struct gdb_text look = *t;
    uint64_t id;

    if (!gdb_take_number(&look, &id) || !id || id > g->control->cpus)
        return false;
    *t = look;
    *cpu = (unsigned)id - 1;
    return true;
}

/* ---- threads ---- */

/* "Hg thread" or "Hc thread"; 0 is any, -1 all. */
static void select_thread(struct gdb *g, struct gdb_text *t)
{
    bool run = gdb_take_char(t, 'c');
    unsigned cpu = g->control->cpus;
    uint64_t any;

    if (!run && !gdb_take_char(t, 'g')) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    if (!gdb_take_word(t, "-1") && !gdb_take_thread(g, t, &cpu) && (!gdb_take_number(t, &any) || any)) {
        gdb_error(g, GDB_ESRCH);
        return;
    }
    if (!gdb_at_end(t)) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    if (run)
        g->run = cpu;
    else if (cpu < g->control->cpus)
        g->current = cpu;
    gdb_ok(g);
}

static void is_alive(struct gdb *g, struct gdb_text *t)
{
    unsigned cpu;

    if (gdb_take_thread(g, t, &cpu) && gdb_at_end(t))
        gdb_ok(g);
    else
        gdb_error(g, GDB_ESRCH);
}

static void current_thread(struct gdb *g, struct gdb_text *t)
{
    gdb_put(g, "QC%x", g->current + 1);
}

static void first_threads(struct gdb *g, struct gdb_text *t)
{
    for (unsigned i = 0; i < g->control->cpus; i++)
        gdb_put(g, "%c%x", i ? ',' : 'm', i + 1);
}

static void more_threads(struct gdb *g, struct gdb_text *t)
{
    gdb_put(g, "l");
}

static void thread_info(struct gdb *g, struct gdb_text *t)
{
    char text[64];
    unsigned cpu;

    if (!gdb_take_thread(g, t, &cpu) || !gdb_at_end(t)) {
        gdb_error(g, GDB_ESRCH);
        return;
    }
    gdb_describe_cpu(g, cpu, text, sizeof text);
    gdb_put_hex(g, text, strlen(text));
}

/* ---- what we can do ---- */

static void supported(struct gdb *g, struct gdb_text *t)
{
    const char *offer = (const char *)t->at;

    g->knows_swbreak = strstr(offer, "swbreak+");
    g->knows_hwbreak = strstr(offer, "hwbreak+");
    gdb_put(g, "PacketSize=%x;qXfer:features:read+;qXfer:threads:read+;vContSupported+;QStartNoAckMode+", GDB_PACKET);
    if (g->knows_swbreak)
        gdb_put(g, ";swbreak+");
    if (g->knows_hwbreak)
        gdb_put(g, ";hwbreak+");
}

static void start_no_ack(struct gdb *g, struct gdb_text *t)
{
    gdb_ok(g);
    g->no_ack = true;
}

static void vcont_actions(struct gdb *g, struct gdb_text *t)
{
    gdb_put(g, "vCont;c;C;s;S;t");
}

/* So that GDB's "quit" detaches instead of killing. */
static void was_attached(struct gdb *g, struct gdb_text *t)
{
    gdb_put(g, "1");
}

/* "offset,length" of a text. */
static void put_part(struct gdb *g, struct gdb_text *t, const char *text)
{
    uint64_t offset, len, size = strlen(text);

    if (!gdb_take_number(t, &offset) || !gdb_take_char(t, ',') || !gdb_take_number(t, &len) || !gdb_at_end(t) ||
        offset > size) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    uint64_t most = (GDB_PACKET - 1) / 2; /* each byte may have to be escaped */
    len = len < most ? len : most;
    len = len < size - offset ? len : size - offset;
    gdb_put(g, "%c", offset + len < size ? 'm' : 'l');
    gdb_put_binary(g, text + offset, (size_t)len);
}

static void put_target(struct gdb *g, struct gdb_text *t)
{
    if (!g->target_xml)
        g->target_xml = gdb_target_xml(g);
    put_part(g, t, g->target_xml);
}

/* Made anew when the client starts to read it. */
static void put_threads(struct gdb *g, struct gdb_text *t)
{
    bool start = (size_t)(t->end - t->at) > 1 && t->at[0] == '0' && t->at[1] == ',';

    if (start || !g->threads_xml) {
        free(g->threads_xml);
        g->threads_xml = gdb_threads_xml(g);
    }
    put_part(g, t, g->threads_xml);
}

static void put_physical(struct gdb *g, struct gdb_text *t)
{
    gdb_put(g, "%d", g->physical);
}

static void set_physical(struct gdb *g, struct gdb_text *t)
{
    uint64_t on;

    if (!gdb_take_number(t, &on) || !gdb_at_end(t)) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    g->physical = on;
    gdb_ok(g);
}

/* ---- the machine ---- */

static void detach(struct gdb *g, struct gdb_text *t)
{
    gdb_detach(g);
    gdb_ok(g);
    g->begun = false; /* it has nothing more to do here */
    gdb_patience(g, GDB_PATIENCE);
}

static void quit(struct gdb *g, struct gdb_text *t)
{
    g->silent = true;
    gdb_detach(g);
    g->control->quit(g->control, 0);
}

static void quit_politely(struct gdb *g, struct gdb_text *t)
{
    gdb_ok(g);
    gdb_send(g);
    quit(g, t);
}

/* A text that is too long for one reply goes as console output first. */
static void put_console(struct gdb *g, struct text_out *out)
{
    static const char cut[] = "\n(cut here: the monitor has all of it)\n";
    const char *text = out->data;
    size_t left = out->len, most = (GDB_PACKET - 1) / 2;

    if (left <= most) {
        gdb_put_hex(g, text, left);
        return;
    }
    if (left > GDB_CONSOLE) {
        left = GDB_CONSOLE;
        memcpy(out->data + left - strlen(cut), cut, strlen(cut));
    }
    while (left) {
        size_t n = left < most ? left : most;
        gdb_begin(g);
        gdb_put(g, "O");
        gdb_put_hex(g, text, n);
        gdb_send(g);
        text += n;
        left -= n;
    }
    gdb_ok(g);
}

/* Whether the guest runs is between GDB and us. */
static bool is_gdbs(const char *command)
{
    static const char *const words[] = { "c", "cont", "s", "stop" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!strcmp(command, words[i]))
            return true;
    }
    return false;
}

static void monitor(struct gdb *g, struct gdb_text *t)
{
    char command[MONITOR_LINE] = "";
    size_t len = (size_t)(t->end - t->at) / 2;
    struct text_out out = { 0 };
    unsigned cpu = g->current;

    if (len >= sizeof command || !gdb_take_bytes(t, (uint8_t *)command, len) || !gdb_at_end(t)) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    if (!strcmp(command, "quit") || !strcmp(command, "q")) {
        quit_politely(g, t);
        return;
    }
    if (is_gdbs(command))
        text_out_put(&out, "use GDB's own continue and interrupt\n");
    else
        monitor_execute(g->control, &cpu, !strcmp(command, "reset") ? "system_reset" : command, &out);
    if (out.len)
        put_console(g, &out);
    else
        gdb_ok(g);
    text_out_free(&out);
}

static void yes(struct gdb *g, struct gdb_text *t)
{
    gdb_ok(g);
}

/* ---- the table ---- */

/* A row serves packets that begin with `word`; where `whole`, nothing may follow. The first that fits counts. */
static const struct {
    const char *word;
    bool whole;
    void (*serve)(struct gdb *g, struct gdb_text *t);
} packets[] = {
    { "?", true, gdb_why },
    { "c", false, gdb_continue },
    { "D", true, detach },
    { "D;", false, detach },
    { "G", false, gdb_write_registers },
    { "g", true, gdb_read_registers },
    { "H", false, select_thread },
    { "k", true, quit },
    { "M", false, gdb_write_memory },
    { "m", false, gdb_read_memory },
    { "P", false, gdb_write_register },
    { "p", false, gdb_read_register },
    { "Qqemu.PhyMemMode:", false, set_physical },
    { "QStartNoAckMode", true, start_no_ack },
    { "qAttached", false, was_attached },
    { "qC", true, current_thread },
    { "qfThreadInfo", true, first_threads },
    { "qqemu.PhyMemMode", true, put_physical },
    { "qRcmd,", false, monitor },
    { "qsThreadInfo", true, more_threads },
    { "qSupported", false, supported },
    { "qSymbol::", true, yes },
    { "qThreadExtraInfo,", false, thread_info },
    { "qXfer:features:read:target.xml:", false, put_target },
    { "qXfer:threads:read::", false, put_threads },
    { "s", false, gdb_step },
    { "T", false, is_alive },
    { "vCont?", true, vcont_actions },
    { "vCont", false, gdb_vcont },
    { "vKill;", false, quit_politely },
    { "X", false, gdb_write_binary },
    { "Z", false, gdb_insert_point },
    { "z", false, gdb_remove_point },
};

void gdb_packet(struct gdb *g)
{
    struct gdb_text t = { g->in, g->in + g->in_len };

    /* A client has nothing to say while the guest runs. One that does is new on a line without a start, or confused:
     * either way the guest has to stand still while it is looked at. */
    gdb_attach(g);
    g->waiting = false;
    gdb_begin(g);
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        if (!gdb_take_word(&t, packets[i].word))
            continue;
        if (!packets[i].whole || gdb_at_end(&t)) {
            packets[i].serve(g, &t);
            return;
        }
        t.at = g->in;
    }
}
