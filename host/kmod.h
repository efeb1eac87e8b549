/*
 * kmod.h - which Linux kernel modules need which, read from the modules themselves: the .modinfo section
 * (linux/Documentation/kbuild/modules.rst), as depmod(8) reads it. A kernel package has no modules.dep of
 * its own: depmod makes it when the package is installed, and ours never is.
 *
 * Gaps: needs by symbol are taken from "depends=", which modpost has put there; soft dependencies count
 * only with a module's name, not with an alias.
 */
#ifndef HOST_KMOD_H
#define HOST_KMOD_H

#include "path.h"

/* The "key=value" strings of a module (an ELF file of 32 or 64 bits, little endian). */
bool kmod_info(const void *ko, size_t len, struct strings *out, struct error *e);

/* The names that a module's strings say must be loaded first, and (in `soft`) should be. */
void kmod_needs(const struct strings *info, struct strings *hard, struct strings *soft);

/* "drivers/char/virtio-rng.ko.xz" -> "virtio_rng": how the kernel spells the name. */
void kmod_name(const char *file, char *name, size_t size);

/*
 * The length of a module without the signature that is appended to it (linux/Documentation/admin-guide/
 * module-signing.rst), or `len` when there is none.
 */
size_t kmod_unsigned_length(const void *ko, size_t len);

/* Fills the names that `name` needs. False with a message when the module can not be had. */
typedef bool kmod_needs_fn(void *ctx, const char *name, struct strings *needs, struct error *e);

/*
 * All of `wanted` and what they need, each once, in an order in which they can be loaded.
 * A ring of needs (which the kernel's build rules out) is an error.
 */
bool kmod_closure(const struct strings *wanted, kmod_needs_fn *needs, void *ctx, struct strings *out,
                  struct error *e);

/* A kernel's modules, under a directory that has kernel/... and modules.builtin. */
struct kmod_tree {
    struct path dir;
    struct strings names;       /* as the kernel spells them */
    struct strings files;       /* in step: file names relative to dir */
    struct strings builtin;
};

bool kmod_tree_open(struct kmod_tree *t, const char *dir, struct error *e);
void kmod_tree_close(struct kmod_tree *t);

/* The file of a module, relative to the tree; NULL when there is none. */
const char *kmod_tree_file(const struct kmod_tree *t, const char *name);
bool kmod_tree_is_builtin(const struct kmod_tree *t, const char *name);

/* A module's bytes, decompressed. */
bool kmod_tree_load(const struct kmod_tree *t, const char *name, struct bytes *out, struct error *e);

#endif
