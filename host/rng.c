/*
 * rng.c - see rng.h. The seeded generator is SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
 * number generators", OOPSLA 2014, figure 17 with the constants of its 64-bit mixing function variant 13).
 */
#include "rng.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"

struct seeded {
    struct rng_port port; /* first */
    uint64_t state;
    uint64_t word;
    unsigned left; /* unused bytes in `word` */
};

/* getrandom() without flags cannot fail once the kernel's pool is ready; blocking before that is what one
 * wants. */
static void fill_host(struct rng_port *port, uint8_t *buf, size_t len)
{
    while (len) {
        ssize_t n = getrandom(buf, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        assert(n > 0); /* rng_open_host() has seen it work */
        buf += n;
        len -= (size_t)n;
    }
}

static uint64_t next_word(struct seeded *s)
{
    uint64_t z = s->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void fill_seeded(struct rng_port *port, uint8_t *buf, size_t len)
{
    struct seeded *s = (struct seeded *)port;

    while (len--) {
        if (!s->left) {
            s->word = next_word(s);
            s->left = 8;
        }
        *buf++ = (uint8_t)s->word;
        s->word >>= 8;
        s->left--;
    }
}

static struct rng_port *open_rng(void (*fill)(struct rng_port *port, uint8_t *buf, size_t len), uint64_t seed)
{
    struct seeded *s = alloc_zeroed(sizeof *s);

    s->port.fill = fill;
    s->state = seed;
    return &s->port;
}

struct rng_port *rng_open_host(struct error *e)
{
    uint8_t byte;

    if (getrandom(&byte, 1, 0) != 1) {
        error_set(e, "random numbers: getrandom: %s", strerror(errno));
        return NULL;
    }
    return open_rng(fill_host, 0);
}

struct rng_port *rng_open_seeded(uint64_t seed)
{
    return open_rng(fill_seeded, seed);
}

void rng_close(struct rng_port *port)
{
    free(port);
}
