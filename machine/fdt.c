/* fdt.c - see fdt.h. */
#include "fdt.h"

#include <assert.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"
#include "path.h"

enum { BUILD_SIZE = 256 << 10 };

struct dt {
    void *blob;
    int error; /* the first libfdt error */
    char where[128];
    unsigned depth;
    uint32_t phandles;
};

static void note(struct dt *dt, int rc, const char *name)
{
    if (rc >= 0 || dt->error)
        return;
    dt->error = rc;
    snprintf(dt->where, sizeof dt->where, "%s", name);
}

struct dt *dt_new(void)
{
    struct dt *dt = alloc_zeroed(sizeof *dt);

    dt->blob = alloc_zeroed(BUILD_SIZE);
    note(dt, fdt_create(dt->blob, BUILD_SIZE), "");
    note(dt, fdt_finish_reservemap(dt->blob), "");
    note(dt, fdt_begin_node(dt->blob, ""), "/");
    dt->depth = 1;
    return dt;
}

void dt_free(struct dt *dt)
{
    if (!dt)
        return;
    free(dt->blob);
    free(dt);
}

/* Doubles the space and repeats what did not fit; the limit stops an endless user text. */
static bool grow(struct dt *dt, int rc)
{
    uint32_t size = fdt_totalsize(dt->blob);

    if (rc != -FDT_ERR_NOSPACE || dt->error || size >= DT_SIZE_MAX)
        return false;
    void *bigger = alloc_array(2, (size_t)size);
    note(dt, fdt_resize(dt->blob, bigger, (int)(2 * size)), "");
    free(dt->blob);
    dt->blob = bigger;
    return !dt->error;
}

void dt_begin(struct dt *dt, const char *fmt, ...)
{
    char name[128];
    va_list ap;
    int rc;

    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    do
        rc = dt->error ? 0 : fdt_begin_node(dt->blob, name);
    while (grow(dt, rc));
    note(dt, rc, name);
    dt->depth++;
}

void dt_end(struct dt *dt)
{
    int rc;

    assert(dt->depth > 1);
    do
        rc = dt->error ? 0 : fdt_end_node(dt->blob);
    while (grow(dt, rc));
    note(dt, rc, "end of a node");
    dt->depth--;
}

void dt_bytes(struct dt *dt, const char *name, const void *data, size_t size)
{
    int rc;

    do
        rc = dt->error            ? 0
             : size > DT_SIZE_MAX ? -FDT_ERR_NOSPACE
                                  : fdt_property(dt->blob, name, data, (int)size);
    while (size <= DT_SIZE_MAX && grow(dt, rc));
    note(dt, rc, name);
}

void dt_empty(struct dt *dt, const char *name)
{
    dt_bytes(dt, name, "", 0);
}

void dt_u32(struct dt *dt, const char *name, uint32_t value)
{
    uint8_t cell[4];

    put_be32(cell, value);
    dt_bytes(dt, name, cell, sizeof cell);
}

void dt_u64(struct dt *dt, const char *name, uint64_t value)
{
    uint8_t cells[8];

    put_be64(cells, value);
    dt_bytes(dt, name, cells, sizeof cells);
}

void dt_cells(struct dt *dt, const char *name, const uint32_t *cells, size_t count)
{
    uint8_t *bytes = alloc_array(count, 4);

    for (size_t i = 0; i < count; i++)
        put_be32(bytes + 4 * i, cells[i]);
    dt_bytes(dt, name, bytes, 4 * count);
    free(bytes);
}

void dt_string(struct dt *dt, const char *name, const char *value)
{
    dt_bytes(dt, name, value, strlen(value) + 1);
}

void dt_format(struct dt *dt, const char *name, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    assert(n >= 0 && (size_t)n < sizeof text);
    dt_string(dt, name, text);
}

void dt_strings(struct dt *dt, const char *name, const char *list, size_t size)
{
    dt_bytes(dt, name, list, size);
}

void dt_reg(struct dt *dt, uint64_t address, uint64_t size)
{
    uint8_t cells[16];

    put_be64(cells, address);
    put_be64(cells + 8, size);
    dt_bytes(dt, "reg", cells, sizeof cells);
}

uint32_t dt_new_phandle(struct dt *dt)
{
    return ++dt->phandles;
}

void dt_phandle(struct dt *dt, uint32_t phandle)
{
    assert(phandle && phandle <= dt->phandles);
    dt_u32(dt, "phandle", phandle);
}

static int finish(struct dt *dt)
{
    int rc;

    do
        rc = fdt_end_node(dt->blob);
    while (grow(dt, rc));
    note(dt, rc, "/");
    do
        rc = dt->error ? 0 : fdt_finish(dt->blob);
    while (grow(dt, rc));
    note(dt, rc, "/");
    return dt->error;
}

uint8_t *dt_finish(struct dt *dt, size_t *size, struct error *e)
{
    assert(dt->error || dt->depth == 1);
    if (dt->error || finish(dt)) {
        error_set(e, "the device tree could not be built at '%s': %s", dt->where, fdt_strerror(dt->error));
        return NULL;
    }
    uint8_t *blob = dt->blob;
    *size = fdt_totalsize(blob);
    dt->blob = alloc_zeroed(1);
    dt->error = -FDT_ERR_BADSTATE;
    return blob;
}

uint8_t *dt_copy(const char *name, const void *data, size_t size, size_t *copied, struct error *e)
{
    int rc = size > DT_SIZE_MAX ? -FDT_ERR_NOSPACE : fdt_check_full(data, size);

    if (rc < 0) {
        error_set(e, "'%s' is not a usable device tree blob (%s): compile it with dtc -O dtb", name,
                  fdt_strerror(rc));
        return NULL;
    }
    *copied = fdt_totalsize(data);
    return alloc_copy(data, *copied);
}

uint8_t *dt_load(const char *path, size_t *size, struct error *e)
{
    struct bytes file;

    if (!file_read(path, DT_SIZE_MAX, &file, e)) {
        error_prefix(e, "could not load device tree");
        return NULL;
    }
    uint8_t *blob = dt_copy(path, file.data, file.len, size, e);
    bytes_free(&file);
    return blob;
}

static int chosen_node(void *blob)
{
    int node = fdt_path_offset(blob, "/chosen");

    return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(blob, 0, "chosen") : node;
}

static int patch(void *blob, const struct dt_chosen *chosen)
{
    int node = chosen_node(blob), rc = node < 0 ? node : 0;

    if (rc == 0 && chosen->bootargs)
        rc = fdt_setprop_string(blob, node, "bootargs", chosen->bootargs);
    if (rc == 0 && chosen->initrd_end != chosen->initrd_start)
        rc = fdt_setprop_u64(blob, node, "linux,initrd-start", chosen->initrd_start);
    if (rc == 0 && chosen->initrd_end != chosen->initrd_start)
        rc = fdt_setprop_u64(blob, node, "linux,initrd-end", chosen->initrd_end);
    return rc < 0 ? rc : fdt_pack(blob);
}

bool dt_set_chosen(uint8_t **blob, size_t *size, const struct dt_chosen *chosen, struct error *e)
{
    size_t room = *size + 4096 + (chosen->bootargs ? strlen(chosen->bootargs) : 0);

    if (room > 2 * DT_SIZE_MAX)
        return error_set(e, "the kernel command line and the device tree are too large together");
    uint8_t *bigger = alloc_zeroed(room);
    int rc = fdt_open_into(*blob, bigger, (int)room);
    if (rc == 0)
        rc = patch(bigger, chosen);
    if (rc < 0) {
        free(bigger);
        return error_set(e, "/chosen could not be set in the device tree: %s", fdt_strerror(rc));
    }
    free(*blob);
    *blob = bigger;
    *size = fdt_totalsize(bigger);
    return true;
}
