/* bits.h - bit fields, sign extension, and byte order of things in memory. */
#ifndef CORE_BITS_H
#define CORE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (UINT64_C(1) << (n))

static inline bool likely(bool x)
{
    return __builtin_expect(x, 1);
}

static inline bool unlikely(bool x)
{
    return __builtin_expect(x, 0);
}

/* Bits [lo, lo + len) of x; 1 <= len, lo + len <= 64. */
static inline uint64_t bits(uint64_t x, unsigned lo, unsigned len)
{
    return x >> lo & (~UINT64_C(0) >> (64 - len));
}

/* The low len bits of x as a signed number; 1 <= len <= 64. */
static inline int64_t sext(uint64_t x, unsigned len)
{
    return (int64_t)(x << (64 - len)) >> (64 - len);
}

/* [off, off + len) lies inside [0, size). */
static inline bool in_range(uint64_t off, uint64_t len, uint64_t size)
{
    return len <= size && off <= size - len;
}

/* Tells the host core that this is a spin-wait loop. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline uint16_t get_le16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t get_le32(const void *p)
{
    return get_le16(p) | (uint32_t)get_le16((const uint8_t *)p + 2) << 16;
}

static inline uint64_t get_le64(const void *p)
{
    return get_le32(p) | (uint64_t)get_le32((const uint8_t *)p + 4) << 32;
}

static inline void put_le16(void *p, uint16_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)v;
    b[1] = (uint8_t)(v >> 8);
}

static inline void put_le32(void *p, uint32_t v)
{
    put_le16(p, (uint16_t)v);
    put_le16((uint8_t *)p + 2, (uint16_t)(v >> 16));
}

static inline void put_le64(void *p, uint64_t v)
{
    put_le32(p, (uint32_t)v);
    put_le32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}

static inline uint16_t get_be16(const void *p)
{
    return __builtin_bswap16(get_le16(p));
}

static inline uint32_t get_be32(const void *p)
{
    return __builtin_bswap32(get_le32(p));
}

static inline uint64_t get_be64(const void *p)
{
    return __builtin_bswap64(get_le64(p));
}

static inline void put_be16(void *p, uint16_t v)
{
    put_le16(p, __builtin_bswap16(v));
}

static inline void put_be32(void *p, uint32_t v)
{
    put_le32(p, __builtin_bswap32(v));
}

static inline void put_be64(void *p, uint64_t v)
{
    put_le64(p, __builtin_bswap64(v));
}

/* The low `width` bytes (1, 2, 4, 8) at p, little-endian, zero-extended. */
static inline uint64_t get_le(const void *p, unsigned width)
{
    switch (width) {
    case 1: return *(const uint8_t *)p;
    case 2: return get_le16(p);
    case 4: return get_le32(p);
    default: return get_le64(p);
    }
}

static inline void put_le(void *p, uint64_t v, unsigned width)
{
    switch (width) {
    case 1: *(uint8_t *)p = (uint8_t)v; break;
    case 2: put_le16(p, (uint16_t)v); break;
    case 4: put_le32(p, (uint32_t)v); break;
    default: put_le64(p, v); break;
    }
}

#endif
