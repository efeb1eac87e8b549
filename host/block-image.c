/*
 * block-image.c - a raw image: a regular file or a block device of the host.
 *
 * Locks: the byte-range protocol that QEMU documents for its images (docs/system/qemu-block-drivers, "Disk
 * image file locking"), so that both refuse a disk which the other writes: a read lock on byte 100 + p for
 * each permission p that is used and on byte 200 + p for each that is not shared; then a look whether anybody
 * conflicts. File systems without OFD locks go unlocked. Gap: no direct I/O.
 */
#define _GNU_SOURCE 1
#include "block-image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block-format.h"
#include "holder.h"

enum { USED = 100, UNSHARED = 200, PERM_READ = 0, PERM_WRITE = 1, PERM_RESIZE = 3, ZEROES = 65536 };

static const uint8_t zeroes[ZEROES];

static int lock_byte(int fd, int cmd, short type, int byte, struct flock *fl)
{
    *fl = (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
    return fcntl(fd, cmd, fl);
}

static bool conflicts(int fd, int byte)
{
    struct flock fl;

    return lock_byte(fd, F_OFD_GETLK, F_WRLCK, byte, &fl) == 0 && fl.l_type != F_UNLCK;
}

static bool lock_image(struct block_image *img, struct error *e)
{
    static const int reader[] = { USED + PERM_READ, UNSHARED + PERM_WRITE, UNSHARED + PERM_RESIZE };
    static const int writer[] = { USED + PERM_WRITE, USED + PERM_RESIZE };
    char holder[96];
    struct flock fl;
    bool busy = false;

    for (size_t i = 0; i < 3 && !busy; i++)
        busy = lock_byte(img->fd, F_OFD_SETLK, F_RDLCK, reader[i], &fl) < 0 &&
               (errno == EAGAIN || errno == EACCES);
    for (size_t i = 0; i < 2 && !busy && !img->read_only; i++)
        busy = lock_byte(img->fd, F_OFD_SETLK, F_RDLCK, writer[i], &fl) < 0 &&
               (errno == EAGAIN || errno == EACCES);
    busy = busy || conflicts(img->fd, USED + PERM_WRITE) || conflicts(img->fd, USED + PERM_RESIZE) ||
           (!img->read_only &&
            (conflicts(img->fd, UNSHARED + PERM_WRITE) || conflicts(img->fd, UNSHARED + PERM_RESIZE)));
    if (!busy)
        return true;
    holder_of_lock(img->fd, holder, sizeof holder);
    return error_set(e, "disk image '%s' is in use by %s; close it there, or use a copy", img->name, holder);
}

static bool find_size(struct block_image *img, struct error *e)
{
    struct stat st;

    if (fstat(img->fd, &st) < 0)
        return error_set(e, "disk image '%s': %s", img->name, strerror(errno));
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(e, "disk image '%s' is neither a file nor a block device", img->name);
    off_t end = lseek(img->fd, 0, SEEK_END);
    if (end < 0)
        return error_set(e, "disk image '%s': cannot find its size: %s", img->name, strerror(errno));
    if (end == 0)
        return error_set(
            e, "disk image '%s' is empty; make it as large as the disk shall be, e.g. truncate -s 4G",
            img->name);
    img->bytes = (uint64_t)end;
    img->size = (img->bytes + 511) & ~UINT64_C(511);
    return true;
}

static bool check_format(struct block_image *img, const char *format, struct error *e)
{
    uint8_t head[BLOCK_FORMAT_HEAD];

    img->guard = !format;
    if (format && strcmp(format, "raw") != 0)
        return error_set(e, "disk image '%s': format '%s' is not supported yet; convert it to raw", img->name,
                         format);
    if (format)
        return true;
    ssize_t n = pread(img->fd, head, sizeof head, 0);
    const char *found = n > 0 ? block_format_of(head, (size_t)n) : NULL;
    return !found ||
           error_set(e,
                     "disk image '%s' is a %s image, which is not supported yet; convert it to raw (with "
                     "format=raw its bytes are taken as they are)",
                     img->name, found);
}

bool block_image_open(struct block_image *img, const struct block_config *config, bool read_only,
                      struct error *e)
{
    *img = (struct block_image){ .read_only = read_only };
    if (strlen(config->file) >= sizeof img->name) {
        img->fd = -1;
        return error_set(e, "disk image: the file name is too long");
    }
    snprintf(img->name, sizeof img->name, "%s", config->file);
    img->fd = open(img->name, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (img->fd < 0 && !read_only && (errno == EACCES || errno == EPERM || errno == EROFS))
        return error_set(
            e,
            "disk image '%s' cannot be written: %s; use readonly=on or snapshot=on, or change its "
            "permissions",
            img->name, strerror(errno));
    if (img->fd < 0)
        return error_set(e, "cannot open disk image '%s': %s", img->name, strerror(errno));
    if (find_size(img, e) && lock_image(img, e) && check_format(img, config->format, e))
        return true;
    block_image_close(img);
    return false;
}

void block_image_close(struct block_image *img)
{
    if (img->fd >= 0)
        close(img->fd);
    img->fd = -1;
}

bool block_image_temporary(struct block_image *img, uint64_t size, struct error *e)
{
    const char *dir = getenv("TMPDIR");

    if (!dir || !dir[0])
        dir = "/var/tmp";
    *img = (struct block_image){ .bytes = size, .size = size };
    img->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (img->fd < 0) {
        snprintf(img->name, sizeof img->name, "%s/lyrebird-XXXXXX", dir);
        img->fd = mkostemp(img->name, O_CLOEXEC);
        if (img->fd >= 0)
            unlink(img->name);
    }
    if (img->fd < 0 || ftruncate(img->fd, (off_t)size) < 0) {
        error_set(
            e, "cannot make a temporary file of %llu bytes in '%s': %s; set TMPDIR to a directory with room",
            (unsigned long long)size, dir, strerror(errno));
        block_image_close(img);
        return false;
    }
    snprintf(img->name, sizeof img->name, "a temporary file in %s", dir);
    return true;
}

/* ---- access ---- */

static enum block_status failed(void)
{
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? BLOCK_NO_SPACE
           : errno == EROFS ? BLOCK_READ_ONLY : BLOCK_IO_ERROR;
}

enum block_status block_image_read(struct block_image *img, uint64_t offset, uint8_t *buf, uint64_t len)
{
    while (len) {
        ssize_t n = pread(img->fd, buf, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed();
        if (n == 0) { /* the end; also when somebody truncated the file under us */
            memset(buf, 0, len);
            break;
        }
        buf += n;
        offset += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return BLOCK_OK;
}

static bool all_zero(const uint8_t *p, uint64_t len)
{
    return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

/* The first bytes as they would be after this write. */
static bool makes_other_format(struct block_image *img, uint64_t offset, const uint8_t *buf, uint64_t len)
{
    uint8_t head[BLOCK_FORMAT_HEAD];

    if (!img->guard || offset >= sizeof head)
        return false;
    uint64_t n = len < sizeof head - offset ? len : sizeof head - offset;
    if (block_image_read(img, 0, head, sizeof head) != BLOCK_OK)
        return true;
    memcpy(head + offset, buf, n);
    const char *format = block_format_of(head, sizeof head);
    if (format)
        fprintf(stderr,
                "lyrebird: warning: disk image '%s': refused a guest's write that would make it a %s image; "
                "with format=raw it is allowed\n",
                img->name, format);
    return format;
}

enum block_status block_image_write(struct block_image *img, uint64_t offset, const uint8_t *buf,
                                    uint64_t len)
{
    if (img->read_only)
        return BLOCK_READ_ONLY;
    if (makes_other_format(img, offset, buf, len))
        return BLOCK_IO_ERROR;
    if (offset + len > img->bytes) { /* only in the last, incomplete sector */
        uint64_t inside = offset < img->bytes ? img->bytes - offset : 0;
        if (!all_zero(buf + inside, len - inside))
            return BLOCK_IO_ERROR;
        len = inside;
    }
    while (len) {
        ssize_t n = pwrite(img->fd, buf, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? failed() : BLOCK_IO_ERROR;
        buf += n;
        offset += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return BLOCK_OK;
}

enum block_status block_image_flush(struct block_image *img)
{
    if (img->read_only)
        return BLOCK_OK;
    while (fdatasync(img->fd) < 0)
        if (errno != EINTR)
            return failed();
    return BLOCK_OK;
}

static uint64_t clip(const struct block_image *img, uint64_t offset, uint64_t len)
{
    uint64_t inside = offset < img->bytes ? img->bytes - offset : 0;

    return len < inside ? len : inside;
}

static bool allocate(struct block_image *img, int mode, uint64_t offset, uint64_t len)
{
    int rc;

    do
        rc = fallocate(img->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len);
    while (rc < 0 && errno == EINTR);
    return rc == 0;
}

enum block_status block_image_zeroes(struct block_image *img, uint64_t offset, uint64_t len, bool unmap)
{
    enum block_status status = BLOCK_OK;

    if (img->read_only)
        return BLOCK_READ_ONLY;
    len = clip(img, offset, len);
    if (!len || (unmap && allocate(img, FALLOC_FL_PUNCH_HOLE, offset, len)) ||
        allocate(img, FALLOC_FL_ZERO_RANGE, offset, len))
        return BLOCK_OK;
    while (len && status == BLOCK_OK) {
        uint64_t n = len < ZEROES ? len : ZEROES;
        status = block_image_write(img, offset, zeroes, n);
        offset += n;
        len -= n;
    }
    return status;
}

enum block_status block_image_discard(struct block_image *img, uint64_t offset, uint64_t len)
{
    if (img->read_only)
        return BLOCK_READ_ONLY;
    len = clip(img, offset, len);
    if (len)
        allocate(img, FALLOC_FL_PUNCH_HOLE, offset, len); /* a hint: a file system that cannot is no error */
    return BLOCK_OK;
}
