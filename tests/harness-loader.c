#define _GNU_SOURCE
#include "harness-loader.h"

#include <libfdt.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "boot-rom.h"
#include "bus.h"
#include "fdt.h"
#include "loader.h"
#include "ram.h"
#include "trace.h"

enum { RAM_BASE = 0x80000000, ROM_BASE = 0x20000000, ROM_SIZE = 65536 };

struct lt {
    struct trace *trace;
    struct bus *bus;
    struct ram *ram, *rom;
    struct load_list list;
    struct load_target target;
    struct error e;
};

struct lt *lt_new(unsigned xlen, uint64_t ram_size)
{
    struct lt *t = calloc(1, sizeof *t);

    t->trace = trace_new(stderr);
    t->bus = bus_new(t->trace);
    t->ram = ram_new("ram", ram_size, &t->e);
    t->rom = ram_new("rom", ROM_SIZE, &t->e);
    if (!t->ram || !t->rom || !bus_add_memory(t->bus, BUS_RAM, (uint32_t)RAM_BASE, t->ram, ram_size, &t->e)
        || !bus_add_memory(t->bus, BUS_ROM, ROM_BASE, t->rom, ROM_SIZE, &t->e))
        abort();
    t->target = (struct load_target){
        .bus = t->bus, .ram_base = (uint32_t)RAM_BASE, .ram_size = ram_size, .xlen = xlen, .list = &t->list,
    };
    return t;
}

void lt_free(struct lt *t)
{
    load_list_free(&t->list);
    bus_free(t->bus);
    ram_free(t->ram);
    ram_free(t->rom);
    trace_free(t->trace);
    free(t);
}

const char *lt_error(const struct lt *t)
{
    return t->e.text;
}

/* A nameless file, and the path under which it can be opened. */
static int make_file(const void *data, size_t size, char path[64])
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void give(const struct loaded *l, struct lt_loaded *out)
{
    *out = (struct lt_loaded){
        .format = l->format, .entry = l->entry, .start = l->start, .end = l->end, .tohost = l->symbols.tohost,
        .fromhost = l->symbols.fromhost, .begin_signature = l->symbols.begin_signature,
        .end_signature = l->symbols.end_signature,
    };
}

bool lt_firmware(struct lt *t, const void *data, size_t size, uint64_t gpa, struct lt_loaded *out)
{
    struct loaded l = { 0 };
    char path[64];
    int fd = make_file(data, size, path);

    bool ok = load_firmware(&t->target, path, gpa, &l, &t->e);
    close(fd);
    give(&l, out);
    return ok;
}

bool lt_kernel_path(struct lt *t, const char *path, struct lt_loaded *out)
{
    struct loaded l = { 0 };

    bool ok = load_kernel(&t->target, path, &l, &t->e);
    give(&l, out);
    return ok;
}

bool lt_kernel(struct lt *t, const void *data, size_t size, struct lt_loaded *out)
{
    char path[64];
    int fd = make_file(data, size, path);

    bool ok = lt_kernel_path(t, path, out);
    close(fd);
    return ok;
}

bool lt_initrd(struct lt *t, const void *data, size_t size, const struct lt_loaded *kernel, uint64_t *start,
               uint64_t *end)
{
    struct loaded l = { .start = kernel->start, .end = kernel->end, .entry = kernel->entry };
    char path[64];
    int fd = make_file(data, size, path);

    bool ok = load_initrd(&t->target, path, &l, start, end, &t->e);
    close(fd);
    return ok;
}

bool lt_device(struct lt *t, const char *text, const void *data, size_t size, int *cpu, uint64_t *pc)
{
    struct load_device d;
    struct keyvals kv;
    char path[64], whole[256];
    int fd = make_file(data, size, path);
    const char *file = strstr(text, "FILE");

    if (file)
        snprintf(whole, sizeof whole, "%.*s%s%s", (int)(file - text), text, path, file + 4);
    bool ok = keyvals_parse(&kv, "-device", file ? whole : text, "driver", &t->e)
           && load_device(&t->target, &kv, 4, &d, &t->e);
    keyvals_free(&kv);
    close(fd);
    if (ok) {
        *cpu = d.sets_pc ? (int)d.cpu : -1;
        *pc = d.pc;
    }
    return ok;
}

uint64_t lt_fdt_address(const struct lt *t, uint64_t size)
{
    return load_fdt_address(&t->target, size);
}

bool lt_commit(struct lt *t)
{
    return load_list_check(&t->list, t->bus, &t->e) && load_list_write(&t->list, t->bus, &t->e);
}

size_t lt_blobs(const struct lt *t)
{
    return t->list.count;
}

void lt_peek(const struct lt *t, uint64_t gpa, void *buf, size_t len)
{
    if (!bus_peek(t->bus, gpa, buf, len))
        abort();
}

void lt_fill_ram(struct lt *t, uint8_t byte)
{
    memset(t->ram->host, byte, t->ram->size);
}

static size_t gzip(const void *in, size_t size, void *out, size_t room)
{
    z_stream z = { .next_in = (Bytef *)in, .avail_in = (uInt)size, .next_out = out, .avail_out = (uInt)room };

    if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    deflateEnd(&z);
    return z.total_out;
}

static size_t lzma_old(const void *in, size_t size, void *out, size_t room)
{
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_options_lzma options;

    if (lzma_lzma_preset(&options, 1) || lzma_alone_encoder(&z, &options) != LZMA_OK)
        abort();
    z.next_in = in;
    z.avail_in = size;
    z.next_out = out;
    z.avail_out = room;
    if (lzma_code(&z, LZMA_FINISH) != LZMA_STREAM_END)
        abort();
    size_t n = z.total_out;
    lzma_end(&z);
    return n;
}

size_t lt_compress(const char *method, const void *in, size_t size, void *out, size_t room)
{
    size_t n = 0;

    if (strcmp(method, "gzip") == 0)
        return gzip(in, size, out, room);
    if (strcmp(method, "lzma") == 0)
        return lzma_old(in, size, out, room);
    if (strcmp(method, "zstd") == 0)
        return ZSTD_compress(out, room, in, size, 3);
    if (lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, in, size, out, &n, room) != LZMA_OK)
        abort();
    return n;
}

void lt_boot_rom(unsigned xlen, uint64_t entry, uint64_t fdt, uint64_t next, int mode, uint64_t hart,
                 uint32_t words[24])
{
    struct boot_rom b = {
        .xlen = xlen,
        .entry = entry,
        .fdt = fdt,
        .next = next,
        .next_mode = (enum boot_mode)mode,
        .boot_hart = hart,
    };

    boot_rom_write((uint8_t *)words, &b);
}

uint8_t *lt_tree(unsigned nodes, size_t *size, char *error, size_t error_size)
{
    static const uint32_t cells[] = { 1, 2, 0xffffffff };
    struct error e = { "" };
    struct dt *dt = dt_new();
    uint32_t plic = dt_new_phandle(dt);

    DT_STRINGS(dt, "compatible", "riscv-virtio\0second");
    dt_u32(dt, "#address-cells", 2);
    for (unsigned i = 0; i < nodes; i++) {
        dt_begin(dt, "node@%x", i);
        dt_reg(dt, UINT64_C(0x100000000) + i, 0x1000);
        dt_empty(dt, "flag");
        dt_u64(dt, "wide", UINT64_C(0x0123456789abcdef));
        dt_cells(dt, "cells", cells, 3);
        dt_format(dt, "formatted", "rv%u", 64);
        dt_u32(dt, "interrupt-parent", plic);
        dt_end(dt);
    }
    dt_begin(dt, "plic");
    dt_phandle(dt, plic);
    dt_end(dt);
    uint8_t *blob = dt_finish(dt, size, &e);
    dt_free(dt);
    snprintf(error, error_size, "%s", e.text);
    return blob;
}

bool lt_tree_chosen(const void *blob, size_t size, const char *bootargs, uint64_t start, uint64_t end,
                    uint8_t **out, size_t *out_size, char *error, size_t error_size)
{
    struct dt_chosen chosen = { .bootargs = bootargs, .initrd_start = start, .initrd_end = end };
    struct error e = { "" };

    *out = dt_copy("test.dtb", blob, size, out_size, &e);
    bool ok = *out && dt_set_chosen(out, out_size, &chosen, &e);
    snprintf(error, error_size, "%s", e.text);
    return ok;
}

int lt_tree_get(const void *blob, const char *path, const char *name, void *out, size_t room)
{
    int node = fdt_path_offset(blob, path), len = -1;
    const void *p = node < 0 ? NULL : fdt_getprop(blob, node, name, &len);

    if (p)
        memcpy(out, p, (size_t)len < room ? (size_t)len : room);
    return p ? len : -1;
}
