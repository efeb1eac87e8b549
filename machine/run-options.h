/* run-options.h - the command line of `lyrebird run`. */
#ifndef MACHINE_RUN_OPTIONS_H
#define MACHINE_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "error.h"

struct run_options {
    const char *what;       /* "debian", or a file */
    const char *arch;       /* NULL: found out */
    const char *smp;
    const char *memory;
    const char *append;
    const char *jit;
    const char *forward;
    const char *initrd;
    const char *root;       /* size of a new root disk */
    const char *disk;
    const char *mirror;
    bool quiet;
    bool refresh;
    bool persist;
    bool snapshot;
    bool dry_run;
    bool ci;
    bool help;
    char **rest;            /* what came after "--" */
    int rest_count;
};

/* argv[0] is the verb. */
bool run_options_parse(struct run_options *o, int argc, char **argv, struct error *e);

void run_options_help(FILE *out);

#endif
