/* bytes.c - SHA-256 (FIPS 180-4) of 64 MiB, and a small LZ77 of generated text, there and back. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { HASHED = 64 << 20, TEXT = 4 << 20, HASH_BITS = 14, MIN_MATCH = 4, MAX_MATCH = 255, WINDOW = 65535 };

static uint32_t ror(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

/* The first 32 bits of the fractional part of the n-th prime's cube root, by integers. */
static void make_constants(uint32_t *k)
{
    unsigned count = 0;

    for (unsigned p = 2; count < 64; p++) {
        unsigned d = 2;
        while (d * d <= p && p % d)
            d++;
        if (d * d <= p)
            continue;
        unsigned __int128 target = (unsigned __int128)p << 96;
        uint64_t root = 0;
        for (int bit = 34; bit >= 0; bit--) {
            uint64_t r = root | UINT64_C(1) << bit;
            if ((unsigned __int128)r * r * r <= target)
                root = r;
        }
        k[count++] = (uint32_t)root;
    }
}

/* One round; word x (a to h) is s[(x - n) & 7]. */
static inline __attribute__((always_inline)) void round_of(uint32_t *s, unsigned n, uint32_t kw)
{
    uint32_t a = s[(0 - n) & 7], b = s[(1 - n) & 7], c = s[(2 - n) & 7];
    uint32_t e = s[(4 - n) & 7], f = s[(5 - n) & 7], g = s[(6 - n) & 7], *h = &s[(7 - n) & 7];
    uint32_t t1 = *h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + kw;

    s[(3 - n) & 7] += t1;
    *h = t1 + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
}

static void hash_block(uint32_t *h, const uint32_t *k, const unsigned char *data)
{
    uint32_t w[64], s[8];

    for (int i = 0; i < 16; i++, data += 4)
        w[i] = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i += 8) { /* the eight words change places; unrolled, they stay where they are */
#pragma GCC unroll 8
        for (int n = 0; n < 8; n++)
            round_of(s, (unsigned)n, k[i + n] + w[i + n]);
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

uint64_t bench_sha256(void)
{
    uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    uint32_t k[64];
    unsigned char *data = bench_memory(HASHED);

    make_constants(k);
    for (size_t i = 0; i < HASHED; i++)
        data[i] = (unsigned char)(i * 167 >> 3);
    for (size_t i = 0; i < HASHED; i += 64)
        hash_block(h, k, data + i);
    free(data);
    return (uint64_t)h[0] << 32 | h[7];
}

/* ---- LZ77: a control byte: 0 literal byte; n match of n bytes, 16 bits of distance ---- */

static void make_text(unsigned char *text)
{
    static const char *const words[] = { "the ", "guest ", "page ", "of ", "memory ", "is ", "not ", "there, ",
                                         "and ", "a ", "register ", "holds ", "its ", "address.\n", "when ", "it " };
    uint64_t random = 1;

    for (size_t at = 0; at < TEXT;) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const char *w = words[random >> 60];
        for (; *w && at < TEXT; w++)
            text[at++] = (unsigned char)(random >> 40 & 63 ? *w : (char)(random >> 32 & 127));
    }
}

static uint32_t word_at(const unsigned char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static size_t pack(const unsigned char *in, unsigned char *out)
{
    uint32_t *heads = bench_memory(sizeof *heads << HASH_BITS);
    size_t n = 0, at = 0;

    memset(heads, 0xff, sizeof *heads << HASH_BITS);
    while (at < TEXT) {
        unsigned len = 0;
        uint32_t from = 0;
        if (at + MIN_MATCH <= TEXT) {
            uint32_t *head = &heads[word_at(in + at) * 2654435761u >> (32 - HASH_BITS)];
            from = *head;
            *head = (uint32_t)at;
            if (from != UINT32_MAX && at - from <= WINDOW) {
                while (len < MAX_MATCH && at + len < TEXT && in[from + len] == in[at + len])
                    len++;
            }
        }
        if (len >= MIN_MATCH) {
            out[n++] = (unsigned char)len;
            out[n++] = (unsigned char)(at - from);
            out[n++] = (unsigned char)((at - from) >> 8);
            at += len;
        } else {
            out[n++] = 0;
            out[n++] = in[at++];
        }
    }
    free(heads);
    return n;
}

static size_t unpack(const unsigned char *in, size_t size, unsigned char *out)
{
    size_t at = 0;

    for (size_t i = 0; i < size;) {
        unsigned len = in[i++];
        if (!len) {
            out[at++] = in[i++];
            continue;
        }
        size_t distance = in[i] | (size_t)in[i + 1] << 8;
        i += 2;
        for (; len; len--, at++)
            out[at] = out[at - distance];
    }
    return at;
}

uint64_t bench_lz(void)
{
    unsigned char *text = bench_memory(TEXT), *packed = bench_memory(2 * TEXT), *again = bench_memory(TEXT);
    size_t size = 0;

    make_text(text);
    for (int i = 0; i < 3; i++) {
        size = pack(text, packed);
        if (unpack(packed, size, again) != TEXT || memcmp(text, again, TEXT))
            size = 0;
    }
    free(text);
    free(packed);
    free(again);
    return size;
}
