/*
 * harness-loader.h - machine/loader, decompress, boot-rom and fdt, seen from a test: a board of RAM at 2
 * GiB.
 */
#ifndef HARNESS_LOADER_H
#define HARNESS_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { LT_RAW, LT_ELF, LT_IMAGE };

struct lt;

struct lt_loaded {
    int format;
    uint64_t entry, start, end, tohost, fromhost, begin_signature, end_signature;
};

/* RAM at 0x80000000, and a ROM of 64 KiB at 0x20000000. */
struct lt *lt_new(unsigned xlen, uint64_t ram_size);
void lt_free(struct lt *t);
const char *lt_error(const struct lt *t);

/* Files are given as bytes; each function returns false and leaves lt_error. */
bool lt_firmware(struct lt *t, const void *data, size_t size, uint64_t gpa, struct lt_loaded *out);
bool lt_kernel(struct lt *t, const void *data, size_t size, struct lt_loaded *out);
bool lt_kernel_path(struct lt *t, const char *path, struct lt_loaded *out);
bool lt_initrd(struct lt *t, const void *data, size_t size, const struct lt_loaded *kernel, uint64_t *start,
               uint64_t *end);

/* `text` as behind -device; "FILE" in it stands for a file with `data`. *cpu is -1 when no start address was
 * set. */
bool lt_device(struct lt *t, const char *text, const void *data, size_t size, int *cpu, uint64_t *pc);

uint64_t lt_fdt_address(const struct lt *t, uint64_t size);

/* load_list_check and load_list_write. */
bool lt_commit(struct lt *t);
size_t lt_blobs(const struct lt *t);
void lt_peek(const struct lt *t, uint64_t gpa, void *buf, size_t len);
void lt_fill_ram(struct lt *t, uint8_t byte);

/* "gzip", "zstd", "xz", "lzma"; returns the size, at most `room`. */
size_t lt_compress(const char *method, const void *in, size_t size, void *out, size_t room);

/* 24 words of the boot ROM. */
void lt_boot_rom(unsigned xlen, uint64_t entry, uint64_t fdt, uint64_t next, int mode, uint64_t hart,
                 uint32_t words[24]);

/* A small tree with `nodes` nodes, each with every kind of property; the caller frees it. */
uint8_t *lt_tree(unsigned nodes, size_t *size, char *error, size_t error_size);

/* Through dt_copy (must accept) and dt_set_chosen. False with a message. The caller frees *out. */
bool lt_tree_chosen(const void *blob, size_t size, const char *bootargs, uint64_t start, uint64_t end,
                    uint8_t **out, size_t *out_size, char *error, size_t error_size);

/* A property by path: its size, or -1; at most `room` bytes are copied. */
int lt_tree_get(const void *blob, const char *path, const char *name, void *out, size_t room);

#ifdef __cplusplus
}
#endif

#endif
