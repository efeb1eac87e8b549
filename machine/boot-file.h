/*
 * boot-file.h - reads boot-test files (docs/boot-tests.md) and makes cases of them, one for each point of the matrix.
 */
#ifndef MACHINE_BOOT_FILE_H
#define MACHINE_BOOT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot-test.h"
#include "error.h"
#include "path.h"

struct boot_file;

struct boot_case {
    char *name; /* "boot[cpus=2]" */
    const char *file;
    const struct boot_script *script; /* the file's */
    struct strings argv;              /* of a lyrebird-system door */
    unsigned xlen;
    uint64_t host_limit; /* host ns */
    char *symbols;       /* or NULL */
    char *skip;          /* why it is not run, or NULL */
    char *broken;        /* why it cannot be run, or NULL */
};

struct boot_suite {
    struct boot_case *item;
    size_t count;
    struct boot_file **file;
    size_t files;
    /* Debian's kernel, once a file wants it */
    bool debian_tried, debian_there;
    struct path kernel, initrd;
    struct error debian_error;
};

/* Appends the file's cases. A file that cannot be read or is wrong: false with a message. */
bool boot_suite_add(struct boot_suite *s, const char *path, struct error *e);
void boot_suite_free(struct boot_suite *s);

#endif
