/* bench.h - the programs of `make bench`: built from the same source for the guest and for the host. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Each does its work and returns something that depends on all of it, the same on every machine. */
uint64_t bench_mix(void);
uint64_t bench_fib(void);
uint64_t bench_sieve(void);
uint64_t bench_chase1(void);
uint64_t bench_chase8(void);
uint64_t bench_chase64(void);
uint64_t bench_nbody(void);
uint64_t bench_saxpy(void);
uint64_t bench_sha256(void);
uint64_t bench_lz(void);
uint64_t bench_getppid(void);
uint64_t bench_pipe(void);
uint64_t bench_fork(void);
uint64_t bench_fault(void);

/* malloc() that ends the program when there is none. */
void *bench_memory(size_t size);

/* For bench_fork(): what to execute, which ends at once. */
extern const char *bench_self;

#endif
