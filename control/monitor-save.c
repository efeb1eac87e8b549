/* monitor-save.c - guest memory into a file of the host: memsave, pmemsave. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor-priv.h"

enum { CHUNK = 4096 };

/* Without O_NONBLOCK a FIFO that nobody reads would stall us. */
static int create(const char *file, struct error *e)
{
    struct stat st;
    int fd = open(file, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

    if (fd < 0) {
        error_set(e, "cannot write '%s': %s", file, strerror(errno));
        return -1;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0) == 0)
        return fd;
    error_set(e, "cannot write '%s': not a regular file", file);
    close(fd);
    return -1;
}

static bool write_all(int fd, const uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool copy(struct control *c, struct cpu *cpu, uint64_t address, uint64_t size, int fd, struct error *e)
{
    uint8_t buf[CHUNK];

    for (uint64_t done = 0; done < size;) {
        size_t want = size - done < CHUNK ? (size_t)(size - done) : CHUNK;
        if (monitor_read(c, cpu, address + done, buf, want) < want)
            return error_set(e, "Invalid addr 0x%016" PRIx64 "/size %" PRIu64 " specified", address, size);
        if (!write_all(fd, buf, want))
            return error_set(e, "writing the file: %s", strerror(errno));
        done += want;
    }
    return true;
}

bool monitor_save(struct control *c, struct cpu *cpu, uint64_t address, uint64_t size, const char *file,
                  struct error *e)
{
    int fd = create(file, e);

    if (fd < 0)
        return false;
    bool ok = copy(c, cpu, address, size, fd, e);
    return (close(fd) == 0 || !ok || error_set(e, "closing '%s': %s", file, strerror(errno))) && ok;
}
