/* boot-file-priv.h - private to boot-file*.c. */
#ifndef MACHINE_BOOT_FILE_PRIV_H
#define MACHINE_BOOT_FILE_PRIV_H

#include "boot-file.h"
#include "toml.h"

enum { BOOT_DISKS = 4 };

/* The [vm] table, with names as written; NULL where nothing was. */
struct boot_vm {
    const char *arch, *machine, *cpu, *bios, *kernel, *initrd, *dtb, *append, *symbols;
    const char *disk[BOOT_DISKS];
    unsigned disks;
    bool debian, real_time, network, open_network;
    int64_t shift;
    struct toml_value *cpus, *memory; /* one value, or an array: the matrix */
    struct toml_value *options;       /* array of strings */
};

struct boot_file {
    struct toml toml;
    struct path path, folder;
    char name[160];
    const char *skip;
    struct boot_vm vm;
    struct boot_script script;
    uint64_t host_limit;
};

/* ---- boot-file-read.c ---- */

/* Fills vm, script, limits, name and skip from the tables. */
bool boot_file_read(struct boot_file *f, struct error *e);

/* ---- boot-file-keys.c ---- */

/* Each reads one key, if it is there, into *out; false when it is of another kind or out of range. */
bool boot_string(struct boot_file *f, struct toml_table *t, const char *key, const char **out, struct error *e);
bool boot_flag(struct boot_file *f, struct toml_table *t, const char *key, bool *out, struct error *e);
bool boot_number(struct boot_file *f, struct toml_table *t, const char *key, int64_t min, int64_t max, int64_t *out,
                 struct error *e);
/* "500ms", "90s", "10m", "1h"; nanoseconds. */
bool boot_duration(struct boot_file *f, struct toml_table *t, const char *key, uint64_t *out, struct error *e);
/* A string, or an array of at most `max` strings. */
bool boot_texts(struct boot_file *f, struct toml_table *t, const char *key, const char **out, unsigned max,
                unsigned *count, struct error *e);

/* An error at a value. */
bool boot_wrong(const struct boot_file *f, const struct toml_value *v, struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Fails at the first key that nobody has read, and suggests one of `known` (ends with NULL). */
bool boot_unused(const struct boot_file *f, const struct toml_table *t, const char *const *known, struct error *e);

#endif
