/* sniff.c - see sniff.h. */
#define _GNU_SOURCE 1

#include "sniff.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "deb.h"

struct head {
    const uint8_t *data;
    size_t len;
};

static bool has(const struct head *h, size_t off, const char *magic, size_t len)
{
    return len <= h->len && off <= h->len - len && memcmp(h->data + off, magic, len) == 0;
}

/* Little endian, 0 past the end. */
static uint64_t get(const struct head *h, size_t off, unsigned bytes)
{
    uint64_t v = 0;

    if (bytes > h->len || off > h->len - bytes)
        return 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)h->data[off + i] << (8 * i);
    return v;
}

static bool is(struct sniff *out, enum sniff_kind kind, const char *arch, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static bool is(struct sniff *out, enum sniff_kind kind, const char *arch, const char *fmt, ...)
{
    va_list ap;

    out->kind = kind;
    out->arch = arch;
    va_start(ap, fmt);
    vsnprintf(out->what, sizeof out->what, fmt, ap);
    va_end(ap);
    return true;
}

struct machine_name {
    uint16_t number;        /* ELF e_machine, or PE machine */
    bool wide;
    const char *arch;
};

static const struct machine_name elf_machines[] = {
    { EM_RISCV, true, "riscv64" },  { EM_RISCV, false, "riscv32" }, { EM_X86_64, true, "x86_64" },
    { EM_X86_64, false, "x86_64" }, { EM_386, false, "i386" },      { EM_AARCH64, true, "aarch64" },
    { EM_ARM, false, "arm" },       { EM_PPC64, true, "ppc64" },    { EM_S390, true, "s390x" },
    { EM_MIPS, false, "mips" },
};

static const struct machine_name pe_machines[] = {
    { 0x5064, true, "riscv64" }, { 0x5032, false, "riscv32" }, { 0x8664, true, "x86_64" },
    { 0x014c, false, "i386" }, { 0xaa64, true, "aarch64" },
};

static const char *machine_name(const struct machine_name *table, size_t count, uint64_t number, bool wide)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].number == number && table[i].wide == wide)
            return table[i].arch;
    return "an unknown CPU";
}

#define NAME_IN(table, number, wide) machine_name(table, sizeof(table) / sizeof((table)[0]), number, wide)

struct elf_loads {
    bool interpreter;
    bool any;
    uint64_t lowest;        /* physical address */
};

static void read_loads(const struct head *h, bool wide, struct elf_loads *l)
{
    uint64_t table = wide ? get(h, 32, 8) : get(h, 28, 4);
    unsigned size = (unsigned)get(h, wide ? 54 : 42, 2);
    unsigned count = (unsigned)get(h, wide ? 56 : 44, 2);

    *l = (struct elf_loads){ .lowest = UINT64_MAX };
    for (unsigned i = 0; i < count && table < h->len; i++) {
        size_t p = (size_t)table + (size_t)i * size;
        uint64_t type = get(h, p, 4);
        uint64_t address = wide ? get(h, p + 24, 8) : get(h, p + 12, 4);
        l->interpreter |= type == PT_INTERP;
        if (type == PT_LOAD && address < l->lowest)
            l->lowest = address;
        l->any |= type == PT_LOAD;
    }
}

static bool sniff_elf(const struct head *h, struct sniff *out)
{
    enum { RISCV_RAM = 0x80000000, RISCV_KERNEL = 0x80200000 };
    bool wide = get(h, EI_CLASS, 1) == ELFCLASS64;
    struct elf_loads loads;

    if (!has(h, 0, ELFMAG, SELFMAG))
        return false;
    if (get(h, EI_DATA, 1) != ELFDATA2LSB)
        return is(out, SNIFF_PROGRAM, "a big-endian CPU", "a big-endian ELF file");
    const char *arch = NAME_IN(elf_machines, get(h, 18, 2), wide);
    uint64_t type = get(h, 16, 2);
    read_loads(h, wide, &loads);
    if (type == ET_REL)
        return is(out, SNIFF_PROGRAM, arch, "an object file for %s that is not linked", arch);
    if (type == ET_CORE)
        return is(out, SNIFF_PROGRAM, arch, "a core dump of %s", arch);
    if (loads.interpreter || type == ET_DYN || !loads.any)
        return is(out, SNIFF_PROGRAM, arch, "a dynamically linked program for %s", arch);
    if (strncmp(arch, "riscv", 5) != 0)
        return is(out, SNIFF_KERNEL, arch, "an ELF kernel for %s", arch);
    if (loads.lowest < RISCV_RAM)
        return is(out, SNIFF_PROGRAM, arch,
                  "a program for %s that is loaded at 0x%llx, where the machine has no RAM", arch,
                  (unsigned long long)loads.lowest);
    if (loads.lowest < RISCV_KERNEL)
        return is(out, SNIFF_BARE, arch, "a bare-metal ELF file for %s", arch);
    return is(out, SNIFF_KERNEL, arch, "an ELF kernel for %s", arch);
}

/* Every Linux kernel that can start from EFI is both: a PE file and an Image or bzImage. */
static bool sniff_kernel(const struct head *h, struct sniff *out)
{
    bool pe = has(h, 0, "MZ", 2);
    size_t pe_header = (size_t)get(h, 0x3c, 4);

    if (has(h, 0x38, "RSC\x05", 4))
        return is(out, SNIFF_KERNEL, "riscv64", "a Linux kernel Image for RISC-V%s",
                  pe ? ", with an EFI stub" : "");
    if (has(h, 0x38, "ARM\x64", 4))
        return is(out, SNIFF_KERNEL, "aarch64", "a Linux kernel Image for arm64");
    if (has(h, 0x202, "HdrS", 4))
        return is(out, SNIFF_KERNEL, "x86_64", "a Linux kernel bzImage for x86");
    if (pe && has(h, pe_header, "PE\0\0", 4)) {
        uint64_t machine = get(h, pe_header + 4, 2);
        bool wide = get(h, pe_header + 24, 2) == 0x20b;
        bool zboot = has(h, 4, "zimg", 4);
        const char *arch = NAME_IN(pe_machines, machine, wide);
        return is(out, zboot ? SNIFF_KERNEL : SNIFF_EFI_PROGRAM, arch, "%s for %s",
                  zboot ? "a compressed EFI Linux kernel" : "an EFI program", arch);
    }
    return false;
}

/* The "discoverable partitions" of two architectures: their GUIDs as they lie on the disk. */
static const struct {
    const char *arch;
    uint8_t guid[16];
} root_partitions[] = {
    { "riscv64",
      { 0xa6, 0x70, 0xec, 0x72, 0x74, 0xcf, 0xe6, 0x40, 0xbd, 0x49, 0x4b, 0xda, 0x08, 0xe8, 0xf2, 0x24 } },
    { "x86_64",
      { 0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d, 0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09 } },
};

static const char *gpt_arch(const struct head *h)
{
    enum { TABLE = 1024, ENTRY = 128 };

    for (size_t p = TABLE; p + ENTRY <= h->len && p < TABLE + 128 * ENTRY; p += ENTRY)
        for (size_t i = 0; i < sizeof root_partitions / sizeof root_partitions[0]; i++)
            if (memcmp(h->data + p, root_partitions[i].guid, 16) == 0)
                return root_partitions[i].arch;
    return NULL;
}

static bool sniff_disk(const struct head *h, struct sniff *out)
{
    bool boot_code = get(h, 0, 8) != 0;

    if (has(h, 0, "QFI\xfb", 4))
        return is(out, SNIFF_QCOW2, NULL, "a qcow2 disk image");
    if (has(h, 0, "KDMV", 4) || has(h, 0x40, "\x7f\x10\xda\xbe", 4) || has(h, 0, "vhdxfile", 8))
        return is(out, SNIFF_OTHER_DISK, NULL, "a disk image of VMware, VirtualBox or Hyper-V");
    if (has(h, 0x8001, "CD001", 5))
        return is(out, SNIFF_ISO, NULL, "a CD or DVD image (ISO 9660)%s", has(h, 0x1fe, "\x55\xaa", 2) ?
                  " that can also be written to a USB stick" : "");
    if (has(h, 512, "EFI PART", 8))
        return is(out, SNIFF_DISK, gpt_arch(h) ? gpt_arch(h) : boot_code ? "x86_64" : NULL,
                  "a raw disk image with a GPT");
    if (has(h, 0x438, "\x53\xef", 2))
        return is(out, SNIFF_ROOT_FS, NULL, "an ext2, ext3 or ext4 file system image");
    if (has(h, 0, "hsqs", 4))
        return is(out, SNIFF_ROOT_FS, NULL, "a squashfs file system image");
    if (has(h, 0x1fe, "\x55\xaa", 2))
        return is(out, SNIFF_DISK, boot_code ? "x86_64" : NULL, "a raw disk image with an MBR");
    return false;
}

static bool sniff_text(const struct head *h, struct sniff *out)
{
    size_t n = h->len < 4096 ? h->len : 4096;

    for (size_t i = 0; i < n; i++)
        if (h->data[i] < 0x20 ? !strchr("\t\n\r\f\033", h->data[i]) || !h->data[i] : h->data[i] == 0x7f)
            return false;
    if (memmem(h->data, n, "[vm]", 4) && memmem(h->data, n, "[[step]]", 8))
        return is(out, SNIFF_BOOT_TEST, NULL, "a boot test");
    return is(out, SNIFF_TEXT, NULL, has(h, 0, "#!", 2) ? "a script" : "a text file");
}

void sniff_bytes(const void *data, size_t len, struct sniff *out)
{
    struct head h = { data, len < SNIFF_HEAD ? len : SNIFF_HEAD };

    *out = (struct sniff){ 0 };
    if (!len)
        is(out, SNIFF_EMPTY, NULL, "an empty file");
    else if (sniff_elf(&h, out) || sniff_kernel(&h, out) || sniff_disk(&h, out))
        ;
    else if (has(&h, 0, "\xd0\x0d\xfe\xed", 4))
        is(out, SNIFF_DEVICE_TREE, NULL, "a flattened device tree");
    else if (has(&h, 0, "070701", 6) || has(&h, 0, "070702", 6))
        is(out, SNIFF_INITRAMFS, NULL, "an initramfs (cpio archive)");
    else if (!sniff_text(&h, out))
        is(out, SNIFF_UNKNOWN, NULL, "a file of no known format");
}

bool sniff_file(const char *path, struct sniff *out, struct error *e)
{
    struct bytes head;
    struct stat st;
    bool compressed;

    *out = (struct sniff){ 0 };
    if (stat(path, &st) < 0)
        return error_set(e, "could not open '%s': %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(e, "'%s' is a directory: give a kernel or an image", path);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(e, "'%s' is neither a file nor a disk", path);
    if (!deb_file_head(path, SNIFF_HEAD, &compressed, &head, e))
        return false;
    sniff_bytes(head.data, head.len, out);
    out->compressed = compressed;
    bytes_free(&head);
    return true;
}

bool sniff_arch_ours(const char *arch)
{
    static const char *const ours[] = { "riscv64", "riscv32", "x86_64", "i386" };

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(ours[i], arch) == 0)
            return true;
    return false;
}
