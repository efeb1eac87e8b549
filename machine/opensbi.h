/* opensbi.h - the OpenSBI fw_dynamic images that configure found and the build linked in. */
#ifndef MACHINE_OPENSBI_H
#define MACHINE_OPENSBI_H

#include <stddef.h>

/* The image for this XLEN and its size, or NULL when the build has none. */
const void *opensbi_fw_dynamic(unsigned xlen, size_t *size);

#endif
