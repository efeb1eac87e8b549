/*
 * check.h - what check.c finds and check-report.c tells. Private to this folder.
 */
#ifndef RISCV_CHECK_H
#define RISCV_CHECK_H

#include "state.h"

enum {
    CHECK_SLICE = 4096, /* instructions compared at once, at most */
    CHECK_PAGES = 512,  /* more than the instructions of one block can write */
};

/* A page of RAM that one of the two has written. */
struct check_page {
    uint64_t gpa;
    uint8_t *host;
    uint8_t before[PAGE_SIZE], after[PAGE_SIZE]; /* the interpreter: `before` when it left the page alone */
};

struct rv_check {
    struct rv start, end; /* the hart before, and after the interpreter's turn: what `rv_fields` and more list */
    uint8_t owner;        /* of the reservation at the start */
    struct check_page *pages;
    unsigned page_count;
    uint64_t random;
    bool watching; /* one of the two runs */
    bool native;   /* and it is host code */
    bool fenced;   /* the slice has a fence.i: both start as after one */
    int64_t cut;   /* what check_run() can have before the block that cannot be compared, or -1 */
    const char *stray; /* what host code did that ended its turn, or NULL */
    uint64_t slices, compared, left_out;
};

/* Restores the start. */
void check_undo(struct rv *cpu);

/* Instructions and exceptions since reset. */
static inline uint64_t check_spent(const struct rv *cpu)
{
    return cpu->retired + cpu->traps;
}

/* The interpreter's turn: n of them, and on to the end of the block. Less before an interrupt, or in wfi. */
void check_interpret(struct rv *cpu, int64_t n);

/* Both from the start. True when they end alike: the hart is where host code ended, `end` is the interpreter's. */
bool check_both(struct rv *cpu, int64_t n);

/* State that is compared: rv_fields, and then these. */
extern const struct state_field check_fields[];

/* After check_both() found a difference within n instructions: text for the user, in new memory. */
char *check_report(struct rv *cpu, int64_t n);

#endif
