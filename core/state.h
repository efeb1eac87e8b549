/*
 * state.h - what a CPU or a device saves, as a table of named, typed fields with ranges.
 *
 * One table serves save, load, comparison and `info`. The stream is a sequence of sections (name, fields), each field
 * with its name, element width and count, little-endian. Loading checks names, widths, counts and ranges into a
 * scratch copy and only then commits: no byte string can leave an object half loaded.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct state_field {
    const char *name;
    uint32_t offset; /* in the object */
    uint8_t width;   /* of one element: 1, 2, 4 or 8 bytes, unsigned */
    uint32_t count;  /* elements; 0 ends the table */
    uint64_t min, max;
};

#define STATE_MAX(w) (UINT64_MAX >> (64 - 8 * (w)))

/* Rows. STATE(s, m): any value; STATE_IN: lo..hi inclusive; STATE_ARRAY: each element any value; STATE_BOOL: 0, 1. */
#define STATE(s, m) \
    { #m, offsetof(s, m), sizeof(((s *)0)->m), 1, 0, STATE_MAX(sizeof(((s *)0)->m)) }
#define STATE_IN(s, m, lo, hi) \
    { #m, offsetof(s, m), sizeof(((s *)0)->m), 1, (lo), (hi) }
#define STATE_ARRAY(s, m)                                                                          \
    {                                                                                              \
        #m, offsetof(s, m), sizeof(((s *)0)->m[0]), sizeof(((s *)0)->m) / sizeof(((s *)0)->m[0]), 0, \
            STATE_MAX(sizeof(((s *)0)->m[0]))                                                      \
    }
#define STATE_BOOL(s, m) \
    { #m, offsetof(s, m), sizeof(((s *)0)->m), 1, 0, 1 }
#define STATE_END \
    { NULL, 0, 1, 0, 0, 0 }

/* A growing output buffer; data is owned by the struct, release with state_out_free. */
struct state_out {
    uint8_t *data;
    size_t len, cap;
};

/* A bounded reader over borrowed bytes. */
struct state_in {
    const uint8_t *data;
    size_t len, pos;
};

void state_out_free(struct state_out *out);

/* Appends a section of the object's fields. */
void state_save(struct state_out *out, const char *section, const struct state_field *fields, const void *obj);

/* Reads the next section, which must be `section` and hold exactly these fields with values in range.
 * On failure the object is untouched and e says what and where. `size` is the size of the object in bytes. */
bool state_load(struct state_in *in, const char *section, const struct state_field *fields, void *obj, size_t size,
                struct error *e);

/* Name of the first field in which two objects differ, with its element index, or NULL. */
const char *state_diff(const struct state_field *fields, const void *a, const void *b, uint32_t *index);

/* Copies the listed fields from one object to another of the same type. */
void state_copy(const struct state_field *fields, void *to, const void *from);

uint64_t state_get(const struct state_field *field, const void *obj, uint32_t index);
void state_put(const struct state_field *field, void *obj, uint32_t index, uint64_t value);

#endif
