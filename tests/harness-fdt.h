/* harness-fdt.h - the device trees that boards generate. */
#ifndef TESTS_HARNESS_FDT_H
#define TESTS_HARNESS_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ft;

/* The tree of `lyrebird-system-riscv<xlen> ARGS` (words, NULL at the end; "-bios none" is added), to be freed with
 * ft_free; NULL with the message in `error`, which has room for 512 bytes. */
struct ft *ft_new(unsigned xlen, const char *const *args, char *error);
void ft_free(struct ft *t);

/* The blob itself. */
const uint8_t *ft_blob(const struct ft *t, size_t *size);

/* Is there a node of that path? */
bool ft_has(const struct ft *t, const char *path);

/* A property's bytes; NULL when node or property is not there. */
const uint8_t *ft_property(const struct ft *t, const char *path, const char *name, int *len);

/* The path of the node with that phandle; false: there is none. */
bool ft_path_of(const struct ft *t, uint32_t phandle, char *path, size_t size);

/* The path of the nth node, from 0 and in order; false behind the last. */
bool ft_node(const struct ft *t, unsigned n, char *path, size_t size);

#endif
