#include "harness-symbols.h"

#include <stdlib.h>

#include "alloc.h"
#include "kallsyms.h"
#include "path.h"
#include "symbols.h"

char *hsym_kallsyms(const void *image, size_t len)
{
    struct bytes map;
    /* A copy of its own size, so that a sanitizer sees what is read behind it. */
    void *copy = alloc_copy(image, len);
    bool found = kallsyms_map(copy, len, &map);

    free(copy);
    return found ? map.data : alloc_text("none");
}

bool hsym_elf_name(const char *map, const char *file, uint64_t address, char *out, size_t size)
{
    char *text = alloc_text(map);
    struct bytes elf;
    struct error e;

    symbols_elf(text, &elf);
    bool written = file_write(file, elf.data, elf.len, &e);
    struct symbols *s = written ? symbols_read(file, &e) : NULL;
    if (s)
        symbols_name(s, address, out, size);
    symbols_free(s);
    bytes_free(&elf);
    free(text);
    return s;
}
