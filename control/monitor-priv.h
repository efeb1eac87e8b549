/* monitor-priv.h - the monitor's parts among themselves. */
#ifndef CONTROL_MONITOR_PRIV_H
#define CONTROL_MONITOR_PRIV_H

#include "monitor.h"

enum { MONITOR_WORDS = 8 };

/* One command at work. */
struct monitor_call {
    struct control *control;
    unsigned *cpu;
    struct text_out *out;
    const char *name;                /* of the command */
    const char *rest;                /* what is behind it, without blanks at both ends */
    unsigned words;                  /* `rest` cut at blanks; more than MONITOR_WORDS are not cut */
    const char *word[MONITOR_WORDS];
};

struct monitor_command {
    const char *name, *alias; /* alias may be NULL */
    const char *args, *help;
    unsigned least, most; /* words */
    bool still;           /* it looks at what the guest changes */
    void (*serve)(struct monitor_call *call);
};

/* The vCPU that the command is about. */
static inline struct cpu *monitor_cpu(const struct monitor_call *call)
{
    return call->control->cpu[*call->cpu];
}

/* A whole text as an index below `count`. */
bool monitor_index(const char *text, unsigned count, unsigned *out);

/* ---- monitor-info.c ---- */

extern const struct monitor_command monitor_infos[];
extern const unsigned monitor_info_count;

/* ---- monitor-memory.c ---- */

void monitor_examine(struct monitor_call *call);          /* x */
void monitor_examine_physical(struct monitor_call *call); /* xp */
void monitor_print(struct monitor_call *call);            /* p */
void monitor_translate(struct monitor_call *call);        /* gva2gpa */

/* ---- monitor-save.c: shared with the protocol ---- */

/* Writes [address, address + size) to a regular file; cpu NULL: guest-physical. The guest stands still. */
bool monitor_save(struct control *c, struct cpu *cpu, uint64_t address, uint64_t size, const char *file,
                  struct error *e);

/* How many bytes from `address` on, at most `len` and inside a page, could be read; cpu NULL: guest-physical. */
size_t monitor_read(struct control *c, struct cpu *cpu, uint64_t address, uint8_t *buf, size_t len);

/* ---- monitor-expr.c ---- */

/* Sums, products, & | ^ ~, parentheses, $register, 'c', numbers; *text moves behind what was read. */
bool monitor_expression(struct cpu *cpu, const char **text, uint64_t *value, struct error *e);

#endif
