/* integer.c - a mix in the manner of CoreMark (a list, small matrices, a state machine, a CRC), calls, and a sieve. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { ROUNDS = 64000, NODES = 64, SIDE = 16, FIB = 39, SIEVE = 20000000, PASSES = 3 };

struct node {
    struct node *next;
    int value;
};

struct work {
    struct node nodes[NODES];
    int a[SIDE * SIDE], b[SIDE * SIDE], c[SIDE * SIDE];
};

static int walk_list(struct work *w)
{
    struct node *n = w->nodes;
    int sum = 0;

    for (int i = 0; i < 200; i++, n = n->next) {
        sum += n->value;
        n->value += n->value & 1 ? 1 : -1;
    }
    return sum;
}

static void multiply(struct work *w, int bias)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            unsigned t = (unsigned)bias;
            for (int k = 0; k < SIDE; k++)
                t += (unsigned)w->a[i * SIDE + k] * (unsigned)w->b[k * SIDE + j];
            w->c[i * SIDE + j] = (int)t;
        }
    }
    for (int i = 0; i < SIDE * SIDE; i++) {
        w->a[i] = w->c[i] ^ i;
        w->b[i] = (int)((unsigned)w->b[i] + (unsigned)w->c[SIDE * SIDE - 1 - i]);
    }
}

/* 0 start, 1 integer, 2 sign, 3 word, 4 fraction */
static int next_state(int state, char c)
{
    if (c == ',')
        return 0;
    if (c >= '0' && c <= '9')
        return state == 0 || state == 2 ? 1 : state;
    if (c == '.')
        return state == 1 ? 4 : 3;
    if (c == '+' || c == '-')
        return state == 0 ? 2 : 3;
    return 3;
}

static int scan(const char *s)
{
    int state = 0, changes = 0;

    for (; *s; s++) {
        int next = next_state(state, *s);
        changes += next != state;
        state = next;
    }
    return changes;
}

static unsigned crc16(unsigned crc, unsigned byte)
{
    for (int i = 0; i < 8; i++, byte >>= 1)
        crc = (crc ^ byte) & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
    return crc;
}

uint64_t bench_mix(void)
{
    struct work *w = bench_memory(sizeof *w);
    unsigned crc = 0;

    memset(w, 0, sizeof *w);
    for (int i = 0; i < NODES; i++)
        w->nodes[i] = (struct node){ &w->nodes[(i + 7) % NODES], i };
    for (int i = 0; i < ROUNDS; i++) {
        int sum = walk_list(w);
        multiply(w, sum);
        sum += scan("12.5,+3,abc,99.1,foo,5012,.874,-110.700,+0.64400");
        for (int k = 0; k < SIDE; k++)
            crc = crc16(crc, (unsigned)(w->c[k] + sum) & 0xff);
    }
    free(w);
    return crc;
}

static __attribute__((noinline)) unsigned fib(unsigned n)
{
    if (n < 2)
        return n;
    unsigned a = fib(n - 1), b = fib(n - 2);
    __asm__ volatile("" : "+r"(b)); /* or a compiler makes a loop of the second call */
    return a + b;
}

uint64_t bench_fib(void)
{
    return fib(FIB);
}

uint64_t bench_sieve(void)
{
    unsigned char *composite = bench_memory(SIEVE);
    uint64_t primes = 0;

    for (int pass = 0; pass < PASSES; pass++) {
        memset(composite, 0, SIEVE);
        for (size_t i = 2; i < SIEVE; i++) {
            if (composite[i])
                continue;
            primes++;
            for (size_t k = i * i; k < SIEVE; k += i)
                composite[k] = 1;
        }
    }
    free(composite);
    return primes;
}
