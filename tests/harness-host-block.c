/* harness-host-block.c - disk images: against a model in memory, locks, limits, formats, overlays. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block.h"
#include "harness.h"
#include "host-rig.h"

enum { SECTOR = 512, DISK = 300 * 1024 + SECTOR, OPS = 1500 };

struct disk {
    struct rig rig;
    struct block_port *port;
    char name[64];
    char text[1024];
};

struct waiting {
    struct block_request req;
    bool done;
    enum block_status status;
};

static void on_done(struct block_request *req, enum block_status status)
{
    struct waiting *w = req->dev;

    w->done = true;
    w->status = status;
}

static bool is_done(void *arg)
{
    return ((struct waiting *)arg)->done;
}

static int perform(struct disk *d, enum block_op op, uint64_t offset, uint8_t *buf, uint64_t len)
{
    struct waiting w = {
        .req = { .op = op, .unmap = true, .offset = offset, .len = len, .buf = buf, .done = on_done }
    };

    w.req.dev = &w;
    d->port->submit(d->port, &w.req);
    if (w.done || !rig_until(&d->rig, is_done, &w)) /* done() inside submit() is against the contract */
        return -1;
    return (int)w.status;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void fill(uint8_t *p, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(next_random(&seed) >> 32);
}

static bool make_file(char *name, const uint8_t *data, size_t len)
{
    memcpy(name, "/tmp/lyrebird-test-XXXXXX", sizeof "/tmp/lyrebird-test-XXXXXX");
    int fd = mkstemp(name);
    bool ok = fd >= 0 && write(fd, data, len) == (ssize_t)len;

    if (fd >= 0)
        close(fd);
    return ok;
}

static bool same_as_file(const char *name, const uint8_t *data, size_t len)
{
    uint8_t *got = malloc(len + 1);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    bool same = fd >= 0 && read(fd, got, len + 1) == (ssize_t)len && !memcmp(got, data, len);

    if (fd >= 0)
        close(fd);
    free(got);
    return same;
}

static bool open_disk(struct disk *d, const struct block_config *config)
{
    struct block_config c = *config;

    c.file = d->name;
    d->rig.e.text[0] = 0;
    d->port = block_open(d->rig.loop, &c, &d->rig.e);
    return d->port;
}

static void disk_start(struct report *r, struct disk *d, const uint8_t *data, size_t len,
                       const struct block_config *config)
{
    memset(d, 0, sizeof *d);
    rig_open(&d->rig, 1.0);
    expect(r, make_file(d->name, data, len), "cannot make %s", d->name);
    expect(r, open_disk(d, config), "%s", d->rig.e.text);
}

static void disk_end(struct disk *d)
{
    block_close(d->port);
    unlink(d->name);
    rig_close(&d->rig);
}

/* DISCARD leaves the contents open: the model takes what is read back, which must be the old bytes or
 * zeroes. */
static bool settle_discard(struct disk *d, uint8_t *model, uint64_t offset, uint8_t *buf, uint64_t len)
{
    if (perform(d, BLOCK_READ, offset, buf, len) != BLOCK_OK)
        return false;
    for (uint64_t i = 0; i < len; i++)
        if (buf[i] && buf[i] != model[offset + i])
            return false;
    memcpy(model + offset, buf, len);
    return true;
}

static bool one_op(struct disk *d, uint8_t *model, uint8_t *buf, uint64_t *seed)
{
    uint64_t sectors = d->port->size / SECTOR;
    uint64_t first = next_random(seed) % sectors;
    uint64_t n = 1 + next_random(seed) % (next_random(seed) % 4 ? 8 : sectors);
    n = n < sectors - first ? n : sectors - first;
    uint64_t offset = first * SECTOR, len = n * SECTOR;
    enum block_op op = (enum block_op)(next_random(seed) % 5);

    if (op == BLOCK_WRITE) {
        fill(buf, len, next_random(seed));
        memcpy(model + offset, buf, len);
    }
    if (perform(d, op, offset, buf, len) != BLOCK_OK)
        return false;
    if (op == BLOCK_ZEROES)
        memset(model + offset, 0, len);
    if (op == BLOCK_DISCARD)
        return settle_discard(d, model, offset, buf, len);
    return op != BLOCK_READ || !memcmp(buf, model + offset, len);
}

static void against_model(struct report *r, const struct block_config *config, bool base_changes)
{
    uint8_t *model = malloc(DISK), *base = malloc(DISK), *buf = malloc(DISK);
    uint64_t seed = harness_seed() | 1, start = seed;
    struct disk d;

    fill(base, DISK, 1);
    memcpy(model, base, DISK);
    disk_start(r, &d, base, DISK, config);
    for (int i = 0; i < OPS && d.port && !r->failed; i++)
        expect(r, one_op(&d, model, buf, &seed), "operation %d of seed %llu", i, (unsigned long long)start);
    if (d.port) {
        expect(r, perform(&d, BLOCK_READ, 0, buf, DISK) == BLOCK_OK && !memcmp(buf, model, DISK),
               "final contents");
        block_close(d.port);
        d.port = NULL;
    }
    expect(r, same_as_file(d.name, base_changes ? model : base, DISK),
           "the file differs afterwards, seed %llu", (unsigned long long)start);
    disk_end(&d);
    free(model);
    free(base);
    free(buf);
}

static void raw_image_behaves_like_memory(struct report *r)
{
    against_model(r, &(struct block_config){ .format = "raw", .discard = true }, true);
}

static void overlay_behaves_like_memory_and_leaves_the_base(struct report *r)
{
    against_model(r, &(struct block_config){ .format = "raw", .snapshot = true }, false);
}

static void read_only_image_refuses_writes(struct report *r)
{
    uint8_t data[SECTOR * 4], buf[SECTOR];
    struct disk d;

    fill(data, sizeof data, 3);
    memcpy(buf, data, SECTOR);
    disk_start(r, &d, data, sizeof data, &(struct block_config){ .read_only = true });
    expect(r, d.port->read_only, "the port does not say that it is read-only");
    expect(r, perform(&d, BLOCK_WRITE, 0, buf, SECTOR) == BLOCK_READ_ONLY, "a write went through");
    expect(r, perform(&d, BLOCK_ZEROES, 0, NULL, SECTOR) == BLOCK_READ_ONLY, "zeroes went through");
    expect(r, perform(&d, BLOCK_DISCARD, 0, NULL, SECTOR) == BLOCK_READ_ONLY, "a discard went through");
    expect(r, perform(&d, BLOCK_READ, SECTOR, buf, SECTOR) == BLOCK_OK && !memcmp(buf, data + SECTOR, SECTOR),
           "read");
    expect(r, same_as_file(d.name, data, sizeof data), "the file changed");
    disk_end(&d);
}

/* A file of 2 sectors and 100 bytes is a disk of 3 sectors, and stays a file of 2 sectors and 100 bytes. */
static void odd_size_is_padded(struct report *r)
{
    uint8_t data[SECTOR * 2 + 100], buf[SECTOR], zero[SECTOR] = { 0 };
    struct disk d;

    fill(data, sizeof data, 4);
    disk_start(r, &d, data, sizeof data, &(struct block_config){ .format = "raw" });
    expect(r, d.port->size == 3 * SECTOR, "size %llu", (unsigned long long)d.port->size);
    memset(buf, 0xff, sizeof buf);
    expect(r,
           perform(&d, BLOCK_READ, 2 * SECTOR, buf, SECTOR) == BLOCK_OK &&
               !memcmp(buf, data + 2 * SECTOR, 100) && !memcmp(buf + 100, zero, SECTOR - 100),
           "the last sector reads wrong");
    memset(buf, 0x55, sizeof buf);
    expect(r, perform(&d, BLOCK_WRITE, 2 * SECTOR, buf, SECTOR) == BLOCK_IO_ERROR,
           "a write past the end was taken");
    expect(r, same_as_file(d.name, data, sizeof data), "the refused write left something");
    memset(buf + 100, 0, SECTOR - 100);
    expect(r, perform(&d, BLOCK_WRITE, 2 * SECTOR, buf, SECTOR) == BLOCK_OK, "a write that fits was refused");
    memset(data + 2 * SECTOR, 0x55, 100);
    expect(r, same_as_file(d.name, data, sizeof data), "wrong bytes or size after the write");
    disk_end(&d);
}

static void file_cut_short_reads_zeroes(struct report *r)
{
    uint8_t data[SECTOR * 4], buf[SECTOR], zero[SECTOR] = { 0 };
    struct disk d;

    fill(data, sizeof data, 5);
    disk_start(r, &d, data, sizeof data, &(struct block_config){ .format = "raw" });
    expect(r, truncate(d.name, SECTOR) == 0, "truncate");
    expect(r, perform(&d, BLOCK_READ, 2 * SECTOR, buf, SECTOR) == BLOCK_OK && !memcmp(buf, zero, SECTOR),
           "not zero");
    disk_end(&d);
}

static void second_writer_is_refused_by_name(struct report *r)
{
    uint8_t data[SECTOR * 4] = { 1 };
    struct disk d, second;
    char pid[32];
    int up[2], down[2], status;
    char c = 0;

    disk_start(r, &d, data, sizeof data, &(struct block_config){ .format = "raw" });
    second = d;
    expect(r, !open_disk(&second, &(struct block_config){ .format = "raw" }), "two writers");
    expect(r, strstr(second.rig.e.text, "in use by this process") != NULL, "message: %s", second.rig.e.text);
    expect(r, !open_disk(&second, &(struct block_config){ .read_only = true }), "a reader beside a writer");
    block_close(d.port);
    d.port = NULL;

    expect(r, pipe(up) == 0 && pipe(down) == 0, "pipe");
    pid_t child = fork();
    if (child == 0) {
        bool ok = open_disk(&d, &(struct block_config){ .format = "raw" });
        c = ok ? 'y' : 'n';
        _exit(write(up[1], &c, 1) == 1 && close(down[1]) == 0 && read(down[0], &c, 1) == 0 ? 0 : 1);
    }
    expect(r, read(up[0], &c, 1) == 1 && c == 'y', "the other process could not open the image");
    expect(r, !open_disk(&second, &(struct block_config){ .snapshot = true }),
           "a reader beside a foreign writer");
    snprintf(pid, sizeof pid, "process %d ", (int)child);
    expect(r, strstr(second.rig.e.text, pid) != NULL, "message: %s, expected %s", second.rig.e.text, pid);
    close(down[1]);
    expect(r, waitpid(child, &status, 0) == child && status == 0, "status of the other process");
    expect(r, open_disk(&d, &(struct block_config){ .read_only = true }), "%s", d.rig.e.text);
    second = d;
    expect(r, open_disk(&second, &(struct block_config){ .read_only = true }), "two readers: %s",
           second.rig.e.text);
    block_close(second.port);
    close(up[0]);
    close(up[1]);
    close(down[0]);
    disk_end(&d);
}

static void raw_image_cannot_become_another_format(struct report *r)
{
    uint8_t data[SECTOR * 2] = { 0 }, buf[SECTOR] = "QFI\xfb\0\0\0\3";
    struct disk d;

    disk_start(r, &d, data, sizeof data, &(struct block_config){ .format = NULL });
    expect(r, perform(&d, BLOCK_WRITE, 0, buf, SECTOR) == BLOCK_IO_ERROR, "the guest made a qcow2 image");
    expect(r, perform(&d, BLOCK_WRITE, SECTOR, buf, SECTOR) == BLOCK_OK, "the magic elsewhere is plain data");
    buf[0] = 'P';
    expect(r, perform(&d, BLOCK_WRITE, 0, buf, SECTOR) == BLOCK_OK, "an ordinary write was refused");
    block_close(d.port);
    expect(r, open_disk(&d, &(struct block_config){ .format = "raw" }), "%s", d.rig.e.text);
    buf[0] = 'Q';
    expect(r, perform(&d, BLOCK_WRITE, 0, buf, SECTOR) == BLOCK_OK, "format=raw did not allow it");
    block_close(d.port);
    expect(r, !open_disk(&d, &(struct block_config){ .format = NULL }), "a qcow2 image was taken as raw");
    expect(r, strstr(d.rig.e.text, "qcow2") != NULL, "message: %s", d.rig.e.text);
    expect(r, !open_disk(&d, &(struct block_config){ .format = "qcow2" }), "qcow2 opened");
    expect(r, strstr(d.rig.e.text, "not supported yet") != NULL, "message: %s", d.rig.e.text);
    disk_end(&d);
}

static void bad_images_are_explained(struct report *r)
{
    struct disk d;

    disk_start(r, &d, (const uint8_t *)"x", 1, &(struct block_config){ .format = "raw" });
    block_close(d.port);
    expect(r, truncate(d.name, 0) == 0, "truncate");
    expect(r, !open_disk(&d, &(struct block_config){ .format = "raw" }), "an empty file opened");
    expect(r, strstr(d.rig.e.text, "empty") != NULL, "message: %s", d.rig.e.text);
    unlink(d.name);
    expect(r, !open_disk(&d, &(struct block_config){ .format = "raw" }), "a missing file opened");
    expect(r, strstr(d.rig.e.text, d.name) != NULL, "message: %s", d.rig.e.text);
    snprintf(d.name, sizeof d.name, "/tmp");
    expect(r, !open_disk(&d, &(struct block_config){ .read_only = true }), "a directory opened");
    snprintf(d.name, sizeof d.name, "/dev/null");
    expect(r, !open_disk(&d, &(struct block_config){ .format = "raw" }), "/dev/null opened");
    snprintf(d.name, sizeof d.name, "/tmp/lyrebird-test-none");
    disk_end(&d);
}

/* A file that may not grow past the limit gives EFBIG for a write, which is the guest's "no space". The
 * overlay's temporary file is sparse, so its first write meets the limit. */
static void full_host_disk_is_no_space(struct report *r)
{
    uint8_t *data = calloc(1, DISK), buf[SECTOR] = { 1 };
    struct rlimit old, tight = { .rlim_cur = 64 * 1024 };
    struct disk d;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

    disk_start(r, &d, data, DISK, &(struct block_config){ .format = "raw" });
    getrlimit(RLIMIT_FSIZE, &old);
    tight.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &tight);
    int beyond = perform(&d, BLOCK_WRITE, 128 * 1024, buf, SECTOR);
    int below = perform(&d, BLOCK_WRITE, 0, buf, SECTOR);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    expect(r, beyond == BLOCK_NO_SPACE, "status %d beyond the limit", beyond);
    expect(r, below == BLOCK_OK, "status %d below the limit", below);
    disk_end(&d);
    free(data);
}

enum { MANY = 200 };

static void drain_finishes_everything(struct report *r)
{
    uint8_t *data = calloc(MANY, SECTOR), *out = malloc(MANY * SECTOR);
    struct waiting *w = calloc(MANY, sizeof *w);
    struct disk d;
    int done = 0;

    fill(out, MANY * SECTOR, 6);
    disk_start(r, &d, data, MANY * SECTOR, &(struct block_config){ .format = "raw" });
    for (int i = 0; i < MANY; i++) {
        w[i].req = (struct block_request){ .op = BLOCK_WRITE, .offset = (uint64_t)i * SECTOR, .len = SECTOR,
                                           .buf = out + i * SECTOR, .done = on_done, .dev = &w[i] };
        d.port->submit(d.port, &w[i].req);
    }
    d.port->drain(d.port);
    for (int i = 0; i < MANY; i++)
        done += w[i].done && w[i].status == BLOCK_OK;
    expect(r, done == MANY, "%d of %d were done when drain() returned", done, MANY);
    rig_settle(&d.rig);
    expect(r, same_as_file(d.name, out, MANY * SECTOR), "contents");
    disk_end(&d);
    free(data);
    free(out);
    free(w);
}

static void discard_gives_space_back(struct report *r)
{
    uint8_t *data = malloc(DISK);
    struct stat before, after;
    struct disk d;

    fill(data, DISK, 9);
    disk_start(r, &d, data, DISK, &(struct block_config){ .format = "raw", .discard = true });
    expect(r, perform(&d, BLOCK_FLUSH, 0, NULL, 0) == BLOCK_OK && stat(d.name, &before) == 0, "flush");
    expect(r, perform(&d, BLOCK_DISCARD, 0, NULL, 256 * 1024) == BLOCK_OK, "discard");
    expect(r, perform(&d, BLOCK_FLUSH, 0, NULL, 0) == BLOCK_OK && stat(d.name, &after) == 0, "flush");
    expect(r, after.st_blocks + 500 < before.st_blocks, "%ld blocks before, %ld after",
           (long)before.st_blocks, (long)after.st_blocks);
    disk_end(&d);
    free(data);
}

const struct scenario block_scenarios[] = {
    { "raw_image_behaves_like_memory", raw_image_behaves_like_memory },
    { "overlay_behaves_like_memory_and_leaves_the_base", overlay_behaves_like_memory_and_leaves_the_base },
    { "read_only_image_refuses_writes", read_only_image_refuses_writes },
    { "odd_size_is_padded", odd_size_is_padded },
    { "file_cut_short_reads_zeroes", file_cut_short_reads_zeroes },
    { "second_writer_is_refused_by_name", second_writer_is_refused_by_name },
    { "raw_image_cannot_become_another_format", raw_image_cannot_become_another_format },
    { "bad_images_are_explained", bad_images_are_explained },
    { "full_host_disk_is_no_space", full_host_disk_is_no_space },
    { "drain_finishes_everything", drain_finishes_everything },
    { "discard_gives_space_back", discard_gives_space_back },
    { NULL, NULL },
};
