/* fw-cfg.h - the firmware configuration device: named and numbered blobs that firmware and kernels read. */
#ifndef DEVICES_FW_CFG_H
#define DEVICES_FW_CFG_H

#include "device.h"

/* Register layouts: data 0, selector 8, DMA 16 (virt); or selector 0, data 1, DMA 4 (the PC's I/O ports). */
enum fw_cfg_layout { FW_CFG_MMIO, FW_CFG_IOPORT };

/* Numbered items by convention; a file gets its number by itself. */
enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_KERNEL_CMDLINE = 0x09,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_NUMA = 0x0d,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_ARCH_LOCAL = 0x8000, /* OR it in */
};

enum { FW_CFG_NAME_MAX = 55, FW_CFG_MAX_FILES = 64 };

/* Signature, ID and file directory are there from the start. */
struct device *fw_cfg_new(const char *id, const struct dev_env *env, enum fw_cfg_layout layout);

/* Adds an item (data is copied) before the machine runs. False with a message when the key is taken or is a
 * file's, the name is taken, too long or empty, or there are too many. Files are kept in order of name, and
 * adding one renumbers those behind it. */
bool fw_cfg_add(struct device *dev, uint16_t key, const void *data, uint32_t len, struct error *e);
bool fw_cfg_add_file(struct device *dev, const char *name, const void *data, uint32_t len, struct error *e);

#endif
