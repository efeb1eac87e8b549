/* boot-run.h - runs boot-test cases, each in a process of its own, several at a time. */
#ifndef MACHINE_BOOT_RUN_H
#define MACHINE_BOOT_RUN_H

#include "boot-file.h"

enum boot_status {
    BOOT_STATUS_PASS = 0,
    BOOT_STATUS_FAIL = 1,
    BOOT_STATUS_USAGE = 2,
    BOOT_STATUS_PANIC = 3,
    BOOT_STATUS_DEAD = 5,
    BOOT_STATUS_RESET_LOOP = 6,
    BOOT_STATUS_SKIPPED = 77,
    BOOT_STATUS_TIME_LIMIT = 124,
    BOOT_STATUS_ERROR = 125,
};

/* The status that goes with an engine's verdict. */
enum boot_status boot_status_of(enum boot_verdict verdict);

/* How a case ended. */
struct boot_outcome {
    enum boot_status status;
    char why[1024];
    struct boot_result *result; /* of the engine; NULL when the case never ran */
    double host_seconds;
    char *messages; /* what the emulator wrote to its standard output and error; "" when nothing */
};

struct boot_run {
    struct boot_suite *suite;
    unsigned jobs;
    const char *logs; /* folder for the serial logs, or NULL */
    /* Called once a case, in the order of the cases. */
    void (*ended)(void *owner, size_t n, const struct boot_case *c, const struct boot_outcome *o);
    void *owner;
};

/* outcomes[] has an element a case, all 0; boot_outcomes_free() releases what is in it. False with a message when
 * the host cannot start processes. */
bool boot_run(struct boot_run *run, struct boot_outcome *outcomes, struct error *e);
void boot_outcomes_free(struct boot_outcome *outcomes, size_t count);

/* In this process: the case's machine under its script. `log` or NULL. */
bool boot_run_here(const struct boot_case *c, FILE *log, bool stamps, struct boot_result *result, struct error *e);

#endif
