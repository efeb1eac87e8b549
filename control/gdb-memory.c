/*
 * gdb-memory.c - m, M, X: memory as the current vCPU sees it, or guest-physical memory.
 *
 * Memory only: looking at a device's registers would change the device.
 */
#include "gdb-priv.h"

/* The guest-physical address of gva and how many of `len` bytes lie there in one piece. */
static bool locate(struct gdb *g, uint64_t gva, size_t *len, uint64_t *gpa)
{
    struct cpu *cpu = gdb_cpu(g);
    size_t piece = GDB_PAGE - (size_t)(gva & (GDB_PAGE - 1));

    *len = *len < piece ? *len : piece;
    *gpa = gva;
    return g->physical || cpu->ops->translate(cpu, gva, gpa);
}

/* How many bytes from gva on could be read. */
static size_t read_bytes(struct gdb *g, uint64_t gva, uint8_t *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        size_t piece = len - done;
        uint64_t gpa;
        if (!locate(g, gva + done, &piece, &gpa) || !bus_peek(g->control->bus, gpa, buf + done, piece))
            break;
        done += piece;
    }
    return done;
}

/* All or nothing: an address that cannot be read cannot be written either. */
static bool write_bytes(struct gdb *g, uint64_t gva, const uint8_t *buf, size_t len)
{
    uint8_t old[GDB_PACKET];

    if (read_bytes(g, gva, old, len) < len)
        return false;
    for (size_t done = 0; done < len;) {
        size_t piece = len - done;
        uint64_t gpa;
        if (!locate(g, gva + done, &piece, &gpa) || !bus_poke(g->control->bus, gpa, buf + done, piece))
            return false;
        done += piece;
    }
    /* It may have been code. */
    for (unsigned i = 0; i < g->control->cpus; i++)
        cpu_kick(g->control->cpu[i], CPU_REQUEST_FLUSH);
    return true;
}

static bool take_range(struct gdb_text *t, uint64_t *gva, uint64_t *len)
{
    return gdb_take_number(t, gva) && gdb_take_char(t, ',') && gdb_take_number(t, len) &&
           (!*len || *len - 1 <= UINT64_MAX - *gva);
}

void gdb_read_memory(struct gdb *g, struct gdb_text *t)
{
    uint8_t buf[GDB_PACKET / 2];
    uint64_t gva, len;

    if (!take_range(t, &gva, &len) || !gdb_at_end(t)) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    size_t got = read_bytes(g, gva, buf, len < sizeof buf ? (size_t)len : sizeof buf);
    if (len && !got)
        gdb_error(g, GDB_EFAULT);
    else
        gdb_put_hex(g, buf, got);
}

static void write_memory(struct gdb *g, struct gdb_text *t, bool (*take)(struct gdb_text *t, uint8_t *buf, size_t len))
{
    uint8_t buf[GDB_PACKET];
    uint64_t gva, len;

    if (!take_range(t, &gva, &len) || !gdb_take_char(t, ':') || len > sizeof buf || !take(t, buf, (size_t)len) ||
        !gdb_at_end(t))
        gdb_error(g, GDB_EINVAL);
    else if (!write_bytes(g, gva, buf, (size_t)len))
        gdb_error(g, GDB_EFAULT);
    else
        gdb_ok(g);
}

void gdb_write_memory(struct gdb *g, struct gdb_text *t)
{
    write_memory(g, t, gdb_take_bytes);
}

void gdb_write_binary(struct gdb *g, struct gdb_text *t)
{
    write_memory(g, t, gdb_take_binary);
}
