/*
 * fdt.h - device trees: a builder over libfdt whose errors wait until the end, and the user's own -dtb.
 *
 * The blob format and the meaning of properties: Devicetree Specification v0.4, chapters 2, 3 and 5.
 * (Names begin with dt_, because libfdt has the fdt_ ones; libfdt's own <fdt.h> is another file.)
 */
#ifndef MACHINE_FDT_H
#define MACHINE_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define DT_SIZE_MAX (UINT64_C(2) << 20) /* of a blob, the user's or ours */

struct dt; /* a tree under construction */

/* Aborts when out of memory: no guest runs yet. The root node is open. */
struct dt *dt_new(void);
void dt_free(struct dt *dt);

/* Opens and closes a node; all nodes but the root, which dt_finish closes. Properties come before child
 * nodes. */
void dt_begin(struct dt *dt, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void dt_end(struct dt *dt);

/* Properties of the open node. */
void dt_empty(struct dt *dt, const char *name);
void dt_u32(struct dt *dt, const char *name, uint32_t value);
void dt_u64(struct dt *dt, const char *name, uint64_t value);
void dt_cells(struct dt *dt, const char *name, const uint32_t *cells, size_t count);
void dt_string(struct dt *dt, const char *name, const char *value);
void dt_format(struct dt *dt, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void dt_bytes(struct dt *dt, const char *name, const void *data, size_t size);

/* A list of strings, written as "a\0b\0c" (the last 0 is the literal's own): dt_strings(dt, name, "a\0b",
 * 4). */
void dt_strings(struct dt *dt, const char *name, const char *list, size_t size);
#define DT_STRINGS(dt, name, literal) dt_strings(dt, name, literal, sizeof(literal))

/* reg with one address and size, two cells each. */
void dt_reg(struct dt *dt, uint64_t address, uint64_t size);

/* A number for a node that others point to; write it with dt_phandle, before or after it was used. */
uint32_t dt_new_phandle(struct dt *dt);
void dt_phandle(struct dt *dt, uint32_t phandle);

/* The finished blob, which the caller frees, and its size. NULL with a message when any call failed. */
uint8_t *dt_finish(struct dt *dt, size_t *size, struct error *e);

/* Reads and checks a blob that the user wrote; the caller frees it. NULL with a message. */
uint8_t *dt_load(const char *path, size_t *size, struct error *e);

/* The same for bytes in memory: a checked copy. `name` is for the message. */
uint8_t *dt_copy(const char *name, const void *data, size_t size, size_t *copied, struct error *e);

/* What the boot loader says in /chosen. */
struct dt_chosen {
    const char *bootargs; /* NULL: leave the tree's own */
    uint64_t initrd_start, initrd_end; /* equal: leave the tree's own */
};

/* Replaces a blob from dt_finish, dt_load or dt_copy by a larger one with /chosen set. On failure it stays
 * as it was. */
bool dt_set_chosen(uint8_t **blob, size_t *size, const struct dt_chosen *chosen, struct error *e);

#endif
