#define _GNU_SOURCE
#include "code-memory.h"

#include <sys/mman.h>
#include <unistd.h>

static void *map(int fd, size_t size, int protection)
{
    void *p = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

bool code_memory_map(struct code_memory *m, size_t size)
{
    int fd = memfd_create("lyrebird-code", MFD_CLOEXEC);

    *m = (struct code_memory){ .size = size };
    if (fd < 0)
        return false;
    if (ftruncate(fd, (off_t)size) == 0) {
        m->write = map(fd, size, PROT_READ | PROT_WRITE);
        m->exec = map(fd, size, PROT_READ | PROT_EXEC);
    }
    close(fd);
    if (m->write && m->exec)
        return true;
    code_memory_unmap(m);
    return false;
}

void code_memory_unmap(struct code_memory *m)
{
    if (m->write)
        munmap(m->write, m->size);
    if (m->exec)
        munmap((void *)(uintptr_t)m->exec, m->size);
    *m = (struct code_memory){ 0 };
}
