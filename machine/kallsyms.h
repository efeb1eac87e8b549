/* kallsyms.h - the symbols that a Linux kernel carries inside itself, for its own backtraces. */
#ifndef MACHINE_KALLSYMS_H
#define MACHINE_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>

#include "path.h"

/* Finds them in a kernel Image, uncompressed, and writes them as System.map has them: lines of "ADDRESS TYPE NAME", in
 * ascending order. False when there are none, or not in the order of Linux 6.5 and later. */
bool kallsyms_map(const void *image, size_t len, struct bytes *map);

#endif
