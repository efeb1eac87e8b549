/* gdb-priv.h - the parts of the GDB stub among themselves. Section names are those of GDB's manual, appendix E. */
#ifndef CONTROL_GDB_PRIV_H
#define CONTROL_GDB_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control.h"
#include "ports.h"

enum {
    GDB_PACKET = 0x4000, /* the longest body of a packet, either way */
    GDB_RESENDS = 8,
    GDB_PATIENCE = 10,      /* seconds of the host's for a client to begin, and for a packet that was begun to end */
    GDB_UNREAD = 1 << 18,   /* bytes: who leaves so many unread and still asks is no debugger */
    GDB_CONSOLE = 3 << 17,  /* bytes of a monitor command's output; twice as many are sent */
    GDB_PAGE = 4096, /* no guest translates in smaller pieces */
    GDB_SIGINT = 2,
    GDB_SIGTRAP = 5,
};

/* What the client gets behind "E": errno's numbers, as other stubs do. */
enum gdb_error { GDB_ESRCH = 3, GDB_E2BIG = 7, GDB_EFAULT = 14, GDB_EINVAL = 22, GDB_ENOSPC = 28 };

enum gdb_wire { WIRE_IDLE, WIRE_BODY, WIRE_SUM_HIGH, WIRE_SUM_LOW };

/* Types as in "Z0" to "Z4". Of software and hardware breakpoints only the name differs here: neither writes memory. */
enum gdb_kind { POINT_SOFT, POINT_HARD, POINT_WRITE, POINT_READ, POINT_ACCESS, POINT_KINDS };

struct gdb_point {
    enum gdb_kind kind;
    uint64_t gva;
    uint64_t len; /* of a watchpoint */
};

enum { GDB_POINTS = 2 * CPU_BREAKS + CPU_WATCHES };

/* Why a vCPU stopped, and not yet told to the client. */
struct gdb_stop {
    bool pending;
    enum cpu_stop why;
    uint64_t pc;
    uint64_t address;
};

struct gdb {
    struct control *control;
    struct char_port *port;
    const struct gdb_arch *arch;

    /* The connection. */
    bool first;    /* nothing came since the connection began */
    bool begun;    /* a packet came, and no detach after it */
    bool dead;     /* what talks to us is no client of ours, or does not read */
    bool attached;
    bool waiting; /* the client waits for a stop reply */
    bool no_ack;
    bool knows_swbreak, knows_hwbreak;
    bool physical;    /* memory packets take guest-physical addresses */
    unsigned current; /* index of the vCPU that g, p, m and the like are about */
    unsigned run;     /* the one that c and s without a thread are about; control->cpus: all of them */
    unsigned stopped; /* the one of the last stop reply */
    unsigned signal;  /* of the last stop reply */
    struct gdb_stop stop[CONTROL_CPUS];

    struct gdb_point point[GDB_POINTS];
    unsigned points;

    /* Registers in the order of their GDB numbers. */
    const struct cpu_reg **reg;
    unsigned regs, general_regs, pc;

    /* Texts that qXfer hands out in pieces. */
    char *target_xml;
    char *threads_xml;

    /* What comes in. */
    enum gdb_wire state;
    uint8_t in[GDB_PACKET + 1];
    size_t in_len;
    bool in_long;
    uint8_t in_sum, in_wanted;

    /* What goes out: '$', body, '#', checksum; kept until acknowledged. */
    char out[GDB_PACKET + 4];
    size_t out_len;
    unsigned resends;
    bool silent; /* the packet at hand has no reply, or none yet */
};

/* ---- gdb-wire.c: bytes and packets ---- */

void gdb_take(struct gdb *g, uint8_t byte);
void gdb_wire_reset(struct gdb *g);

void gdb_begin(struct gdb *g);
void gdb_put(struct gdb *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void gdb_put_hex(struct gdb *g, const void *data, size_t len);
void gdb_put_binary(struct gdb *g, const char *data, size_t len);
size_t gdb_room(const struct gdb *g);
void gdb_error(struct gdb *g, enum gdb_error error);
void gdb_ok(struct gdb *g);
void gdb_send(struct gdb *g);

/* What is left of a packet. Each taker moves on only when it finds what it looks for. */
struct gdb_text {
    const uint8_t *at, *end;
};

bool gdb_take_number(struct gdb_text *t, uint64_t *value); /* 1 to 16 hexadecimal digits */
bool gdb_take_char(struct gdb_text *t, char c);
bool gdb_take_word(struct gdb_text *t, const char *word);
bool gdb_take_bytes(struct gdb_text *t, uint8_t *buf, size_t len); /* 2 * len hexadecimal digits */
bool gdb_take_binary(struct gdb_text *t, uint8_t *buf, size_t len);
bool gdb_at_end(const struct gdb_text *t);

/* ---- gdb.c ---- */

/* Hangs up, where that is possible, and hears no more. */
void gdb_give_up(struct gdb *g);
/* The client has so many seconds for what we wait for; 0: all the time in the world. */
void gdb_patience(struct gdb *g, unsigned seconds);
/* Makes whoever talks to us the client, and stops the machine for it. */
void gdb_attach(struct gdb *g);
/* Drops all that the client left and lets the machine go on. */
void gdb_detach(struct gdb *g);
static inline struct cpu *gdb_cpu(struct gdb *g)
{
    return g->control->cpu[g->current];
}

/* ---- gdb-packets.c: carries out the packet in g->in ---- */

void gdb_packet(struct gdb *g);
/* A thread's number is its vCPU's plus 1. False unless there is such a vCPU. */
bool gdb_take_thread(struct gdb *g, struct gdb_text *t, unsigned *cpu);

/* ---- gdb-registers.c ---- */

void gdb_list_registers(struct gdb *g);
uint64_t gdb_get_pc(struct gdb *g, struct cpu *cpu);
void gdb_set_pc(struct gdb *g, struct cpu *cpu, uint64_t value);
void gdb_read_registers(struct gdb *g, struct gdb_text *t);
void gdb_write_registers(struct gdb *g, struct gdb_text *t);
void gdb_read_register(struct gdb *g, struct gdb_text *t);
void gdb_write_register(struct gdb *g, struct gdb_text *t);

/* ---- gdb-target.c: descriptions in XML ---- */

/* How GDB wants an architecture's registers: what core/cpu.h calls groups, GDB calls features. */
struct gdb_arch {
    const char *arch; /* cpu_ops.arch */
    const char *noun; /* what its manual calls a vCPU */
    const char *pc;
    const char *name[2]; /* GDB's, of 32 and 64 bits */
    const struct gdb_feature *features; /* in the order of register numbers; the first is what g and G hold */
    unsigned count;
};

const struct gdb_arch *gdb_arch_find(const char *arch);
/* Index of the feature that `reg` belongs to; arch->count: none. */
unsigned gdb_feature_of(const struct gdb_arch *arch, const struct cpu_reg *reg);
char *gdb_target_xml(const struct gdb *g);
char *gdb_threads_xml(const struct gdb *g);
/* "hart 0 [idle]" */
void gdb_describe_cpu(const struct gdb *g, unsigned cpu, char *out, size_t size);

/* ---- gdb-memory.c ---- */

void gdb_read_memory(struct gdb *g, struct gdb_text *t);
void gdb_write_memory(struct gdb *g, struct gdb_text *t);
void gdb_write_binary(struct gdb *g, struct gdb_text *t);

/* ---- gdb-points.c ---- */

void gdb_insert_point(struct gdb *g, struct gdb_text *t);
void gdb_remove_point(struct gdb *g, struct gdb_text *t);
void gdb_drop_points(struct gdb *g);
/* The breakpoint at gva, or NULL. */
const struct gdb_point *gdb_break_at(const struct gdb *g, uint64_t gva);
/* The watchpoint that an access at gva set off, or NULL. */
const struct gdb_point *gdb_watch_at(const struct gdb *g, uint64_t gva);

/* ---- gdb-run.c ---- */

void gdb_continue(struct gdb *g, struct gdb_text *t);
void gdb_step(struct gdb *g, struct gdb_text *t);
void gdb_vcont(struct gdb *g, struct gdb_text *t);
void gdb_why(struct gdb *g, struct gdb_text *t);
void gdb_interrupt(struct gdb *g);
/* The machine stopped by itself, because of `cpu`. */
void gdb_stopped(struct gdb *g, struct cpu *cpu);

#endif
