/*
 * main.c - runs the programs named on the command line, or, as a guest's first process, in the kernel's parameter
 * "bench" (NAME,NAME...; the kernel hands it on in the environment), and then powers off. Prints a line for each:
 * BENCH name seconds result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

const char *bench_self;

static const struct {
    const char *name;
    uint64_t (*run)(void);
} programs[] = {
    { "mix", bench_mix },         { "fib", bench_fib },         { "sieve", bench_sieve },   { "chase1", bench_chase1 },
    { "chase8", bench_chase8 },   { "chase64", bench_chase64 }, { "nbody", bench_nbody },   { "saxpy", bench_saxpy },
    { "sha256", bench_sha256 },   { "lz", bench_lz },           { "getppid", bench_getppid }, { "pipe", bench_pipe },
    { "fork", bench_fork },       { "fault", bench_fault },
};

void *bench_memory(size_t size)
{
    void *p = malloc(size);

    if (!p) {
        printf("BENCH: no memory\n");
        exit(1);
    }
    return p;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void run(const char *name)
{
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if (strcmp(programs[i].name, name))
            continue;
        double start = now();
        uint64_t result = programs[i].run();
        printf("BENCH %s %.6f %016llx\n", name, now() - start, (unsigned long long)result);
        fflush(stdout);
        return;
    }
    printf("BENCH: there is no '%s'\n", name);
}

/* A shell's first command, for the time of a boot. */
static void run_busybox(void)
{
    if (!fork()) {
        execl("/bin/busybox", "busybox", "true", (char *)NULL);
        _exit(1);
    }
    wait(NULL);
}

int main(int argc, char **argv)
{
    char *names = getenv("bench");

    if (argc > 1 && !strcmp(argv[1], "nothing"))
        return 0;
    bench_self = getpid() == 1 ? "/bench" : argv[0];
    for (int i = 1; i < argc && getpid() != 1; i++)
        run(argv[i]);
    if (getpid() != 1)
        return 0;
    for (char *name = names ? strtok(names, ",") : NULL; name; name = strtok(NULL, ","))
        run(name);
    run_busybox();
    printf("BENCH end\n");
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 1;
}
