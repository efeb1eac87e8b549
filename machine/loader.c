/*
 * loader.c - see loader.h: the list of blobs, and which loader a file gets.
 *
 * EFI zboot: Linux, drivers/firmware/efi/libstub/zboot-header.S ("MZ", "zimg" at 4, payload offset and
 * size at 8 and 12, method at 24). OpenSBI places: docs/firmware/fw.md.
 */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"
#include "decompress.h"
#include "loader-priv.h"

#define MIB (UINT64_C(1) << 20)
#define FDT_LIMIT \
    (UINT64_C(3072) << 20) /* a 32-bit guest, and early code of a 64-bit one, reach the tree below it */
#define FDT_ALIGN (2 * MIB)
#define SMALL_RAM (8 * MIB) /* here 2 MiB are too much to give away */
#define INITRD_MAX_GAP (512 * MIB)

enum { UNPACK_DEPTH = 3 }; /* gzip inside zboot, once more for luck */

/* Takes over `data`, which may be NULL when len is 0. */
static void add_blob(struct load_list *list, const char *name, uint64_t gpa, uint8_t *data, uint64_t len,
                     uint64_t zeros)
{
    list->item = alloc_resize(list->item, list->count + 1, sizeof *list->item);
    list->item[list->count++] = (struct load_blob){
        .name = alloc_text(name), .gpa = gpa, .data = data, .len = len, .zeros = zeros,
    };
}

void load_list_add(struct load_list *list, const char *name, uint64_t gpa, const void *data, uint64_t len,
                   uint64_t zeros)
{
    add_blob(list, name, gpa, alloc_copy(data, len), len, zeros);
}

void load_whole(struct load_target *t, const char *name, uint64_t gpa, struct reader r, uint64_t zeros)
{
    if (!t->file || (const uint8_t *)t->file->data != r.data) {
        load_list_add(t->list, name, gpa, r.data, r.size, zeros);
        return;
    }
    add_blob(t->list, name, gpa, (uint8_t *)t->file->data, r.size, zeros);
    *t->file = (struct bytes){ 0 };
}

void load_list_free(struct load_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->item[i].name);
        free(list->item[i].data);
        load_origin_close(list->item[i].origin);
    }
    free(list->item);
    *list = (struct load_list){ 0 };
}

static bool overlap(const struct load_blob *a, const struct load_blob *b)
{
    return a->gpa < b->gpa ? b->gpa - a->gpa < a->len + a->zeros : a->gpa - b->gpa < b->len + b->zeros;
}

bool load_list_check(const struct load_list *list, struct bus *bus, struct error *e)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct load_blob *a = &list->item[i];
        uint64_t size = a->len + a->zeros;
        if (size == 0)
            continue;
        if (!bus_memory(bus, a->gpa, size, false))
            return error_set(e, "'%s' needs 0x%llx bytes at 0x%llx, and there is no memory there: see -m",
                             a->name, (unsigned long long)size, (unsigned long long)a->gpa);
        for (size_t k = 0; k < i; k++) {
            const struct load_blob *b = &list->item[k];
            if (b->len + b->zeros && overlap(a, b))
                return error_set(
                    e,
                    "'%s' (0x%llx to 0x%llx) and '%s' (0x%llx to 0x%llx) would overlap in guest memory: "
                    "give the machine more with -m, or move one of them",
                    b->name, (unsigned long long)b->gpa, (unsigned long long)(b->gpa + b->len + b->zeros),
                    a->name, (unsigned long long)a->gpa, (unsigned long long)(a->gpa + size));
        }
    }
    return true;
}

static bool poke_zeros(struct bus *bus, uint64_t gpa, uint64_t len)
{
    static const uint8_t zeros[65536];

    while (len) {
        uint64_t n = len < sizeof zeros ? len : sizeof zeros;
        if (!bus_poke(bus, gpa, zeros, n))
            return false;
        gpa += n;
        len -= n;
    }
    return true;
}

bool load_list_write(struct load_list *list, struct bus *bus, struct error *e)
{
    for (size_t i = 0; i < list->count; i++) {
        struct load_blob *b = &list->item[i];
        if (b->len && !b->data && !load_blob_again(b, bus, e))
            return false;
        if ((b->data && b->len && !bus_poke(bus, b->gpa, b->data, b->len)) ||
            !poke_zeros(bus, b->gpa + b->len, b->zeros))
            return error_set(e, "'%s' could not be written to 0x%llx: there is no memory any more", b->name,
                             (unsigned long long)b->gpa);
        load_blob_rest(b);
    }
    return true;
}

bool load_fits_ram(const struct load_target *t, uint64_t gpa, uint64_t len)
{
    return gpa >= t->ram_base && in_range(gpa - t->ram_base, len, t->ram_size);
}

bool load_fits(const struct load_target *t, uint64_t gpa, uint64_t len)
{
    return load_fits_ram(t, gpa, len) || (t->bus && len && bus_memory(t->bus, gpa, len, false));
}

uint64_t load_ram_end(const struct load_target *t)
{
    return t->ram_base + t->ram_size;
}

static uint64_t round_up(uint64_t x, uint64_t align)
{
    return (x + align - 1) & ~(align - 1);
}

uint64_t load_kernel_base(const struct load_target *t)
{
    uint64_t from = t->firmware_end > t->ram_base ? t->firmware_end : t->ram_base;

    return round_up(from, (t->xlen == 32 ? 4 : 2) * MIB);
}

uint64_t load_fdt_address(const struct load_target *t, uint64_t size)
{
    uint64_t end = load_ram_end(t);

    if (t->ram_base < FDT_LIMIT && end > FDT_LIMIT)
        end = FDT_LIMIT;
    if (size > end - t->ram_base)
        return t->ram_base; /* load_list_check will say that it does not fit */
    return (end - size) & ~((t->ram_size < SMALL_RAM ? 4096 : FDT_ALIGN) - 1);
}

static bool read_input(const char *path, struct bytes *out, struct error *e)
{
    return file_read(path, LOAD_FILE_MAX, out, e);
}

/* The compressed part of an EFI zboot file, and its method. */
static bool zboot_payload(struct reader r, char method[33], struct reader *payload)
{
    const uint8_t *magic = reader_bytes(&r, 8);

    if (!magic || memcmp(magic, "MZ\0\0zimg", 8) != 0)
        return false;
    uint64_t offset = reader_le(&r, 4), size = reader_le(&r, 4);
    reader_skip(&r, 8);
    const uint8_t *name = reader_bytes(&r, 32);
    if (name)
        memcpy(method, name, 32);
    method[name ? 32 : 0] = 0;
    *payload = reader_slice(&r, offset, size);
    payload->failed |= !name;
    return true;
}

/* Unpacks one layer into *file; *unpacked tells whether there was one. */
static bool unpack(struct bytes *file, uint64_t max, bool *unpacked, struct error *e)
{
    struct reader r = reader_on(file->data, file->len);
    struct bytes out;
    char text[33];
    const char *method = text;

    *unpacked = false;
    if (zboot_payload(r, text, &r)) {
        if (r.failed)
            return error_set(e, "its EFI zboot header points outside the file: is it truncated?");
    } else {
        method = decompress_method(r.data, r.size);
        if (!method)
            return true;
    }
    if (!decompress(method, r.data, r.size, max, &out, e))
        return false;
    bytes_free(file);
    *file = out;
    *unpacked = true;
    return true;
}

/* Formats that are known and not loaded: better a clear word than a guest that dies on its first
 * instruction. */
static bool refuse_known(struct reader r, struct error *e)
{
    const uint8_t *p = r.data;

    if (r.size >= 4 && get_be32(p) == UINT32_C(0x27051956))
        return error_set(e, "it is a U-Boot uImage, which is not supported: use the Image inside it");
    if (r.size >= 4 && get_be32(p) == UINT32_C(0xd00dfeed))
        return error_set(e, "it is a device tree blob (or a U-Boot FIT image): a device tree goes to -dtb");
    if (r.size >= 0x206 && memcmp(p + 0x202, "HdrS", 4) == 0)
        return error_set(e, "it is a Linux kernel for x86: use lyrebird-system-x86_64");
    return true;
}

static bool load_any(struct load_target *t, const char *name, struct bytes *file, uint64_t base, bool packed,
                     struct loaded *out, struct error *e)
{
    bool unpacked = packed;

    for (int depth = 0; unpacked && depth < UNPACK_DEPTH; depth++)
        if (!unpack(file, t->ram_size, &unpacked, e))
            return false;
    struct reader r = reader_on(file->data, file->len);
    if (elf_claims(r))
        return elf_load(t, name, r, base, out, e);
    t->file = file;
    bool ok = packed && image_claims(r) ? image_load(t, name, r, base, out, e)
                                        : (!packed || refuse_known(r, e)) && raw_load(t, name, r, base, out, e);
    t->file = NULL;
    return ok;
}

bool load_kernel(struct load_target *t, const char *path, struct loaded *out, struct error *e)
{
    struct bytes file = { 0 };

    struct load_origin *origin = load_origin_open(path);
    size_t from = t->list->count;
    bool ok = read_input(path, &file, e) && load_any(t, path, &file, load_kernel_base(t), true, out, e);
    load_origin_give(t->list, from, origin);
    bytes_free(&file);
    return ok || error_prefix(e, "could not load kernel '%s'", path);
}

static void note_firmware_end(struct load_target *t, const struct loaded *l)
{
    if (load_fits_ram(t, l->start, l->end - l->start) && l->end > t->firmware_end)
        t->firmware_end = l->end;
}

bool load_firmware(struct load_target *t, const char *path, uint64_t gpa, struct loaded *out, struct error *e)
{
    struct bytes file = { 0 };

    bool ok = read_input(path, &file, e) && load_any(t, path, &file, gpa, false, out, e);
    bytes_free(&file);
    if (!ok)
        return error_prefix(e, "could not load firmware '%s'", path);
    note_firmware_end(t, out);
    return true;
}

bool load_firmware_bytes(struct load_target *t, const char *name, const void *data, size_t size, uint64_t gpa,
                         struct loaded *out, struct error *e)
{
    struct reader r = reader_on(data, size);

    if (!(elf_claims(r) ? elf_load(t, name, r, gpa, out, e) : raw_load(t, name, r, gpa, out, e)))
        return error_prefix(e, "could not load firmware '%s'", name);
    note_firmware_end(t, out);
    return true;
}

/* Half of RAM, at most 512 MiB, above the kernel; where that is too high, directly below the device tree. */
static bool place_initrd(const struct load_target *t, const struct loaded *kernel, uint64_t size,
                         uint64_t *start, struct error *e)
{
    uint64_t limit = load_fdt_address(t, FDT_ALIGN);
    uint64_t kernel_start = kernel->start > t->ram_base ? kernel->start : t->ram_base;
    uint64_t kernel_end = round_up(kernel->end > t->ram_base ? kernel->end : t->ram_base, 4096);
    uint64_t half = t->ram_size / 2, gap = half < INITRD_MAX_GAP ? half : INITRD_MAX_GAP;

    if (kernel_end > limit || size > limit - kernel_end)
        return error_set(
            e,
            "it has %llu KiB, and only %llu KiB of memory are free for it: give the machine more "
            "with -m",
            (unsigned long long)(size + 1023) >> 10,
            (unsigned long long)(kernel_end > limit ? 0 : (limit - kernel_end) >> 10));
    *start = round_up(kernel_start + gap, 4096);
    if (*start < kernel_end)
        *start = kernel_end;
    if (*start > limit || size > limit - *start)
        *start = (limit - size) & ~UINT64_C(4095);
    if (*start < kernel_end)
        *start = kernel_end;
    return true;
}

bool load_initrd(struct load_target *t, const char *path, const struct loaded *kernel, uint64_t *start,
                 uint64_t *end, struct error *e)
{
    struct bytes file = { 0 };

    struct load_origin *origin = load_origin_open(path);
    size_t from = t->list->count;
    bool ok = read_input(path, &file, e)
           && (file.len || error_set(e, "the file is empty"))
           && place_initrd(t, kernel, file.len, start, e);
    if (!ok) {
        load_origin_close(origin);
        bytes_free(&file);
        return error_prefix(e, "could not load initial RAM disk '%s'", path);
    }
    *end = *start + file.len;
    add_blob(t->list, path, *start, (uint8_t *)file.data, file.len, 0);
    load_origin_give(t->list, from, origin);
    return true;
}
