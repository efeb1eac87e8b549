/* float.c - planets in double precision, and y += a * x in single, one element at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { BODIES = 5, STEPS = 1500000, LENGTH = 4096, ROUNDS = 40000 };

struct body {
    double at[3], v[3], mass;
};

static void advance(struct body *b, double dt)
{
    for (int i = 0; i < BODIES; i++) {
        for (int k = i + 1; k < BODIES; k++) {
            double d[3], square = 0;
            for (int c = 0; c < 3; c++) {
                d[c] = b[i].at[c] - b[k].at[c];
                square += d[c] * d[c];
            }
            double pull = dt / (square * sqrt(square));
            for (int c = 0; c < 3; c++) {
                b[i].v[c] -= d[c] * b[k].mass * pull;
                b[k].v[c] += d[c] * b[i].mass * pull;
            }
        }
    }
    for (int i = 0; i < BODIES; i++) {
        for (int c = 0; c < 3; c++)
            b[i].at[c] += dt * b[i].v[c];
    }
}

uint64_t bench_nbody(void)
{
    struct body b[BODIES] = {
        { { 0, 0, 0 }, { 0, 0, 0 }, 39.5 },
        { { 4.84, -1.16, -0.10 }, { 0.61, 2.81, -0.02 }, 0.037 },
        { { 8.34, 4.12, -0.40 }, { -1.01, 1.82, 0.01 }, 0.011 },
        { { 12.89, -15.11, -0.22 }, { 1.08, 0.87, -0.01 }, 0.0017 },
        { { 15.38, -25.92, 0.18 }, { 0.98, 0.59, -0.03 }, 0.0020 },
    };
    uint64_t bits;

    for (int i = 0; i < STEPS; i++)
        advance(b, 0.001);
    double rounded = floor(b[1].at[0] * 1e6); /* the host may fuse what the guest does not, and the other way round */
    memcpy(&bits, &rounded, sizeof bits);
    return bits;
}

static __attribute__((noinline)) void saxpy(float *y, const float *x, float a)
{
    for (int i = 0; i < LENGTH; i++)
        y[i] = a * x[i] + y[i];
}

uint64_t bench_saxpy(void)
{
    float *x = bench_memory(2 * LENGTH * sizeof *x), *y = x + LENGTH;
    uint32_t bits;

    for (int i = 0; i < LENGTH; i++) {
        x[i] = (float)(i & 15);
        y[i] = 1;
    }
    for (int i = 0; i < ROUNDS; i++)
        saxpy(y, x, i & 1 ? 0.5f : -0.5f);
    float sum = y[1] + y[LENGTH - 1];
    memcpy(&bits, &sum, sizeof bits);
    free(x);
    return bits;
}
