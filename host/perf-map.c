/* perf-map.c - see perf-map.h. Everybody may write to perf's folder: nothing that is there already is opened. */
#define _GNU_SOURCE 1
#include "perf-map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Left behind by an earlier process of this number and this user. */
static bool is_stale(const char *path)
{
    struct stat st;

    return !lstat(path, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

FILE *perf_map_open(struct error *e)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };
    char path[64];

    snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
    int fd = open(path, FLAGS, 0600);
    if (fd < 0 && errno == EEXIST && is_stale(path) && !unlink(path))
        fd = open(path, FLAGS, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f) {
        setvbuf(f, NULL, _IOLBF, BUFSIZ);
        return f;
    }
    error_set(e, "cannot make %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}
