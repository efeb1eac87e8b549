/*
 * block-format.c - see block-format.h.
 *
 * Only formats whose headers can name other host files or sizes count, because they are what makes probing
 * dangerous; a LUKS header or a partition table is ordinary guest data. Magics from each format's own
 * specification.
 */
#include "block-format.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned offset;
    unsigned len;
    const char *magic;
} formats[] = {
    { "qcow2", 0, 4, "QFI\xfb" },
    { "qed", 0, 4, "QED\0" },
    { "vmdk", 0, 4, "KDMV" },
    { "vmdk", 0, 4, "COWD" },
    { "vmdk", 0, 21, "# Disk DescriptorFile" },
    { "vdi", 64, 4, "\x7f\x10\xda\xbe" },
    { "vhdx", 0, 8, "vhdxfile" },
    { "vpc", 0, 8, "conectix" },
    { "parallels", 0, 16, "WithoutFreeSpace" },
    { "parallels", 0, 16, "WithouFreSpacExt" },
    { "bochs", 0, 22, "Bochs Virtual HD Image" },
};

const char *block_format_of(const uint8_t *head, size_t len)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (formats[i].offset + formats[i].len <= len &&
            !memcmp(head + formats[i].offset, formats[i].magic, formats[i].len))
            return formats[i].name;
    return NULL;
}
