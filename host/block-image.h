/* block-image.h - one raw image file: opening, locking, and synchronous access from a worker thread. */
#ifndef HOST_BLOCK_IMAGE_H
#define HOST_BLOCK_IMAGE_H

#include <limits.h>

#include "block.h"

struct block_image {
    int fd;
    char name[PATH_MAX];
    bool read_only;
    bool guard;          /* refuse a write that makes it look like another format */
    uint64_t bytes;      /* size of the file */
    uint64_t size;       /* rounded up to 512: what the guest sees */
};

bool block_image_open(struct block_image *img, const struct block_config *config, bool read_only,
                      struct error *e);
void block_image_close(struct block_image *img);

/* An unlinked sparse temporary file of `size` bytes, in TMPDIR or /var/tmp. */
bool block_image_temporary(struct block_image *img, uint64_t size, struct error *e);

/* All of these stay inside `size`, and retry what the system does in parts. Past `bytes` one reads zeroes. */
enum block_status block_image_read(struct block_image *img, uint64_t offset, uint8_t *buf, uint64_t len);
enum block_status block_image_write(struct block_image *img, uint64_t offset, const uint8_t *buf,
                                    uint64_t len);
enum block_status block_image_flush(struct block_image *img);
enum block_status block_image_zeroes(struct block_image *img, uint64_t offset, uint64_t len, bool unmap);

/* Gives space back; afterwards the range reads as zeroes or as before. */
enum block_status block_image_discard(struct block_image *img, uint64_t offset, uint64_t len);

/* block-overlay.c: a copy-on-write port over a base image, which it takes over. */
struct block_port *block_overlay_open(struct loop *loop, const struct block_image *base,
                                      const struct block_config *config, struct error *e);

#endif
