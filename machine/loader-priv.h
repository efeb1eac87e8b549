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

/* [gpa, gpa + len) is RAM of the target, or other memory on its bus. */
bool load_fits(const struct load_target *t, uint64_t gpa, uint64_t len);
bool load_fits_ram(const struct load_target *t, uint64_t gpa, uint64_t len);
uint64_t load_ram_end(const struct load_target *t);

#endif
