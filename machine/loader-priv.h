/* loader-priv.h - private to loader*.c and decompress*.c. */
#ifndef MACHINE_LOADER_PRIV_H
#define MACHINE_LOADER_PRIV_H

#include "loader.h"
#include "path.h"
#include "reader.h"

#define LOAD_FILE_MAX (UINT64_C(1) << 31)

/* True when the file claims to be of this kind; the load functions then say what is wrong with it. */
bool elf_claims(struct reader r);
bool image_claims(struct reader r);

/* `base`: where a file goes that may go anywhere. */
bool elf_load(struct load_target *t, const char *name, struct reader r, uint64_t base, struct loaded *out,
              struct error *e);
bool image_load(struct load_target *t, const char *name, struct reader r, uint64_t base, struct loaded *out,
                struct error *e);
bool raw_load(struct load_target *t, const char *name, struct reader r, uint64_t gpa, struct loaded *out,
              struct error *e);

/* All of the file, at gpa. */
void load_whole(struct load_target *t, const char *name, uint64_t gpa, struct reader r, uint64_t zeros);

/* [gpa, gpa + len) is RAM of the target, or other memory on its bus. */
bool load_fits(const struct load_target *t, uint64_t gpa, uint64_t len);
bool load_fits_ram(const struct load_target *t, uint64_t gpa, uint64_t len);
uint64_t load_ram_end(const struct load_target *t);

/* ---- loader-again.c ---- */

/* Of a file that is about to be read: NULL when its bytes will have to be kept. */
struct load_origin *load_origin_open(const char *path);
void load_origin_close(struct load_origin *o);

/* The file was read, and blobs from number `from` on came of it. Takes `o` over, which may be NULL. */
void load_origin_give(struct load_list *list, size_t from, struct load_origin *o);

/* The blob is in guest memory: drops its copy when the file has it. */
void load_blob_rest(struct load_blob *b);

/* Brings a blob without a copy into guest memory; fails when the file is not what it was. */
bool load_blob_again(const struct load_blob *b, struct bus *bus, struct error *e);

#endif
