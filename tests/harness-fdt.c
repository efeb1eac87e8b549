#define _GNU_SOURCE
#include "harness-fdt.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"
#include "options.h"

enum { MAX_ARGS = 32 };

struct ft {
    uint8_t *blob;
    size_t size;
};

/* Builds the machine, which writes its tree to `path`. */
static bool dump(unsigned xlen, const char *const *args, const char *path, struct error *e)
{
    const char *fixed[] = { xlen == 32 ? "lyrebird-system-riscv32" : "lyrebird-system-riscv64",
                            "-bios", "none", "-display", "none", "-serial", "null", "-monitor", "none",
                            "-net", "none" };
    char *argv[MAX_ARGS + 1];
    char machine[128];
    int argc = 0;
    struct options o = { 0 };

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        argv[argc++] = (char *)fixed[i];
    snprintf(machine, sizeof machine, "virt,dumpdtb=%s", path);
    argv[argc++] = (char *)"-M";
    argv[argc++] = machine;
    while (*args && argc < MAX_ARGS)
        argv[argc++] = (char *)*args++;
    argv[argc] = NULL;
    struct machine *m = options_parse(&o, argc, argv, e) ? machine_new(&o, xlen, e) : NULL;
    if (m)
        machine_free(m);
    options_free(&o);
    return m;
}

struct ft *ft_new(unsigned xlen, const char *const *args, char *error)
{
    int fd = memfd_create("tree", MFD_CLOEXEC);
    char path[64];
    struct stat st;
    struct error e = { "" };
    struct ft *t = calloc(1, sizeof *t);

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!dump(xlen, args, path, &e) || fstat(fd, &st) < 0) {
        snprintf(error, 512, "%s", e.text);
        close(fd);
        free(t);
        return NULL;
    }
    t->size = (size_t)st.st_size;
    t->blob = malloc(t->size + 1);
    bool whole = pread(fd, t->blob, t->size, 0) == st.st_size;
    close(fd);
    if (whole && t->size && !fdt_check_full(t->blob, t->size))
        return t;
    snprintf(error, 512, "libfdt refuses the tree of %zu bytes", t->size);
    ft_free(t);
    return NULL;
}

void ft_free(struct ft *t)
{
    free(t->blob);
    free(t);
}

const uint8_t *ft_blob(const struct ft *t, size_t *size)
{
    *size = t->size;
    return t->blob;
}

bool ft_has(const struct ft *t, const char *path)
{
    return fdt_path_offset(t->blob, path) >= 0;
}

const uint8_t *ft_property(const struct ft *t, const char *path, const char *name, int *len)
{
    int node = fdt_path_offset(t->blob, path);

    return node < 0 ? NULL : fdt_getprop(t->blob, node, name, len);
}

bool ft_path_of(const struct ft *t, uint32_t phandle, char *path, size_t size)
{
    int node = fdt_node_offset_by_phandle(t->blob, phandle);

    return node >= 0 && !fdt_get_path(t->blob, node, path, (int)size);
}

bool ft_node(const struct ft *t, unsigned n, char *path, size_t size)
{
    int node = 0, depth = 0;

    while (node >= 0 && n--)
        node = fdt_next_node(t->blob, node, &depth);
    return node >= 0 && !fdt_get_path(t->blob, node, path, (int)size);
}
