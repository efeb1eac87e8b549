/*
 * boot-test.h - the step engine of boot tests: a machine's first serial line is read, typed at and judged by a script.
 *
 * Everything is decided from guest timers, never from inside a device's call, so under a virtual clock a run's verdict
 * and every time in it are the same on each host. The result is plain memory without pointers: it may be shared with
 * another process.
 */
#ifndef CONTROL_BOOT_TEST_H
#define CONTROL_BOOT_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "control.h"
#include "error.h"
#include "ports.h"

enum { BOOT_STEPS_MAX = 256, BOOT_FAIL_ON_MAX = 16 };

enum boot_verdict {
    BOOT_RUNNING, /* nothing decided: whoever should have did not */
    BOOT_PASSED,
    BOOT_FAILED,
    BOOT_PANIC,
    BOOT_DEAD,
    BOOT_RESET_LOOP,
    BOOT_TIME_LIMIT,
};

enum boot_step_kind {
    BOOT_EXPECT, /* wait for `text` */
    BOOT_SEND,   /* type `text` */
    BOOT_RUN,    /* type `text` at a shell, check its status and output */
    BOOT_RESET,  /* wait until the guest resets the machine */
    BOOT_EXIT,   /* wait until the guest ends the machine with `status` */
};

/* What is looked for: a plain text, or a POSIX extended regular expression inside one line. */
struct boot_pattern {
    const char *text; /* NULL: none */
    bool regex;
};

struct boot_step {
    enum boot_step_kind kind;
    const char *text; /* BOOT_SEND, BOOT_RUN */
    struct boot_pattern expect; /* BOOT_EXPECT; BOOT_RUN: in the output */
    const char *fail_on[BOOT_FAIL_ON_MAX];
    unsigned fail_ons;
    int status;
    bool burst;     /* type as fast as the guest's FIFO takes it; else a byte when the FIFO is empty */
    uint64_t limit; /* guest ns for this step; 0: none */
    char name[80];  /* for messages */
};

struct boot_script {
    struct boot_step step[BOOT_STEPS_MAX];
    unsigned steps;
    uint64_t guest_limit;   /* guest ns; 0: none */
    uint64_t silence_limit; /* guest ns without output; 0: none */
    unsigned resets;        /* so many without a step passed are a reset loop; 0: any number is fine */
    bool panic, oops;       /* end the run when the kernel says so */
    bool until_exit;        /* without steps: the guest ends it, and its status decides */
    bool outside;           /* there is more than the script that may wake the guest: a network */
};

struct boot_result {
    enum boot_verdict verdict;
    unsigned done; /* steps passed */
    uint64_t guest_ns;
    struct {
        uint64_t from, to; /* guest ns */
    } step[BOOT_STEPS_MAX];
    char why[512];
    char backtrace[12000];
    char tail[2400]; /* the end of the serial output */
};

struct boot_test;

/* Script and result are borrowed. `log` (or NULL) gets the serial output; `stamps`: with guest times at the start of
 * lines, and without carriage returns. `describe` says where the vCPUs are. NULL with a message: a bad expression. */
struct boot_test *boot_test_new(const struct boot_script *script, struct boot_result *result, struct error *e);
void boot_test_free(struct boot_test *t);
void boot_test_log(struct boot_test *t, FILE *log, bool stamps);

/* Host end of the serial line; for the device before boot_test_start(). */
struct char_port *boot_test_port(struct boot_test *t);

/* With the machine built; it has not run yet. */
void boot_test_start(struct boot_test *t, struct control *control,
                     void (*describe)(void *owner, char *out, size_t size), void *owner);

/* The machine has come to its end; before it is freed. */
void boot_test_stop(struct boot_test *t);

/* The guest asked for a reset or an end, and all vCPUs stand still. */
void boot_test_request(struct boot_test *t, enum machine_request what, int status);

/* No vCPU will ever run again. */
void boot_test_dead(struct boot_test *t, const char *why);

/* The host's limit is reached. */
void boot_test_expire(struct boot_test *t, const char *why);

/* Something other than the script may wake the guest. */
bool boot_test_outside(const struct boot_test *t);

#endif
