/* verb-symbols.c - see verb-symbols.h. */
#include "verb-symbols.h"

#include <stdio.h>
#include <string.h>

#include "symbols.h"

static const char help_text[] =
    "Usage: lyrebird symbols KERNEL [-o FILE]\n"
    "Writes the symbols of a Linux kernel: KERNEL is its Image, compressed or not, or its System.map.\n\n"
    "  -o FILE    an ELF file of symbols, for GDB's symbol-file; without it the text of a System.map is printed\n"
    "  --help     this help\n";

enum { USAGE = 2 };

static int fail(const char *why, int status)
{
    fprintf(stderr, "lyrebird symbols: %s\n", why);
    return status;
}

static int write_symbols(const char *kernel, const char *out)
{
    struct bytes map, elf = { 0 };
    struct error e;
    bool ok = true;

    if (!symbols_map(kernel, &map, &e))
        return fail(e.text, 1);
    if (out) {
        symbols_elf(map.data, &elf);
        ok = file_write(out, elf.data, elf.len, &e);
    } else if (fwrite(map.data, 1, map.len, stdout) != map.len || fflush(stdout)) {
        ok = error_set(&e, "standard output cannot be written");
    }
    bytes_free(&elf);
    bytes_free(&map);
    return ok ? 0 : fail(e.text, 1);
}

int verb_symbols(int argc, char **argv)
{
    const char *kernel = NULL, *out = NULL;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
            fputs(help_text, stdout);
            return 0;
        }
        if (!strcmp(argv[i], "-o") && i + 1 < argc && !out)
            out = argv[++i];
        else if (argv[i][0] == '-' || kernel)
            return fail("usage: lyrebird symbols KERNEL [-o FILE]; `lyrebird symbols --help` says more", USAGE);
        else
            kernel = argv[i];
    }
    if (!kernel)
        return fail("which kernel? Give its Image or System.map", USAGE);
    return write_symbols(kernel, out);
}
