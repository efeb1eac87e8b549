/*
 * loader-image.c - the flat RISC-V kernel Image, with or without an EFI stub, and plain binaries.
 *
 * Linux, Documentation/arch/riscv/boot-image-header.rst (64 bytes; magic2 "RSC\5" at 0x38; the first code
 * word of an EFI stub reads "MZ" and is harmless to execute) and boot.rst (alignment: 2 MiB for RV64, 4
 * MiB for RV32). Gap: big-endian images are refused.
 */
#include "loader-priv.h"

#define IMAGE_MAGIC2 UINT32_C(0x05435352)

enum { IMAGE_HEADER = 64, IMAGE_MAGIC2_AT = 0x38, IMAGE_BIG_ENDIAN = 1 };

bool image_claims(struct reader r)
{
    reader_seek(&r, IMAGE_MAGIC2_AT);
    return reader_le(&r, 4) == IMAGE_MAGIC2;
}

/* text_offset counts from the start of RAM. It is followed when the firmware leaves that place free. */
static uint64_t place(const struct load_target *t, uint64_t text_offset, uint64_t base)
{
    uint64_t wanted = t->ram_base + text_offset;

    if (text_offset == 0 || text_offset >= t->ram_size || wanted < base || wanted % 4096 != 0)
        return base;
    return wanted;
}

bool image_load(struct load_target *t, const char *name, struct reader r, uint64_t base, struct loaded *out,
                struct error *e)
{
    reader_skip(&r, 8);
    uint64_t text_offset = reader_le(&r, 8);
    uint64_t image_size = reader_le(&r, 8);
    uint64_t flags = reader_le(&r, 8);

    if (r.failed || r.size < IMAGE_HEADER)
        return error_set(e, "the kernel Image ends inside its header");
    if (flags & IMAGE_BIG_ENDIAN)
        return error_set(e, "it is a big-endian kernel Image (only little-endian guests are supported)");
    uint64_t gpa = place(t, text_offset, base);
    uint64_t size = image_size > r.size ? image_size : r.size;
    if (!load_fits_ram(t, gpa, size))
        return error_set(
            e,
            "the kernel Image needs 0x%llx bytes at 0x%llx and RAM is 0x%llx bytes at 0x%llx: give it "
            "more with -m",
            (unsigned long long)size, (unsigned long long)gpa, (unsigned long long)t->ram_size,
            (unsigned long long)t->ram_base);
    load_whole(t, name, gpa, r, size - r.size);
    *out = (struct loaded){ .format = LOAD_IMAGE, .entry = gpa, .start = gpa, .end = gpa + size };
    return true;
}

bool raw_load(struct load_target *t, const char *name, struct reader r, uint64_t gpa, struct loaded *out,
              struct error *e)
{
    if (r.size == 0)
        return error_set(e, "the file is empty");
    if (!load_fits(t, gpa, r.size))
        return error_set(
            e,
            "it has 0x%llx bytes, and there is not so much memory at 0x%llx (RAM is 0x%llx bytes at "
            "0x%llx): give the machine more with -m",
            (unsigned long long)r.size, (unsigned long long)gpa, (unsigned long long)t->ram_size,
            (unsigned long long)t->ram_base);
    load_whole(t, name, gpa, r, 0);
    *out = (struct loaded){ .format = LOAD_RAW, .entry = gpa, .start = gpa, .end = gpa + r.size };
    return true;
}
