/* kernel.c - what the guest's kernel does most: system calls, switches, processes, page faults. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { CALLS = 500000, SWITCHES = 30000, PROCESSES = 100, ROUNDS = 240, PAGES = 256, PAGE = 4096 };

static void fail(const char *what)
{
    printf("BENCH: %s failed\n", what);
    exit(1);
}

uint64_t bench_getppid(void)
{
    uint64_t sum = 0;

    for (int i = 0; i < CALLS; i++)
        sum += syscall(SYS_getppid) >= 0;
    return sum;
}

static void echo(int from, int to)
{
    char c;

    while (read(from, &c, 1) == 1) {
        if (write(to, &c, 1) != 1)
            break;
    }
    _exit(0);
}

uint64_t bench_pipe(void)
{
    int there[2], back[2];
    uint64_t sum = 0;
    char c = 1;

    if (pipe(there) || pipe(back))
        fail("pipe");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (!child) {
        close(there[1]);
        close(back[0]);
        echo(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    for (int i = 0; i < SWITCHES; i++) {
        if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
            fail("a pipe");
        sum += (unsigned char)c;
    }
    close(there[1]);
    close(back[0]);
    waitpid(child, NULL, 0);
    return sum;
}

uint64_t bench_fork(void)
{
    uint64_t good = 0;

    for (int i = 0; i < PROCESSES; i++) {
        int status;
        pid_t child = fork();
        if (child < 0)
            fail("fork");
        if (!child) {
            execl(bench_self, bench_self, "nothing", (char *)NULL);
            _exit(1);
        }
        waitpid(child, &status, 0);
        good += status == 0;
    }
    return good;
}

uint64_t bench_fault(void)
{
    uint64_t sum = 0;

    for (int i = 0; i < ROUNDS; i++) {
        unsigned char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            fail("mmap");
        for (size_t k = 0; k < PAGES; k++)
            p[k * PAGE] = 1;
        for (size_t k = 0; k < PAGES; k++)
            sum += p[k * PAGE];
        munmap(p, PAGES * PAGE);
    }
    return sum;
}
