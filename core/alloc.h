/*
 * alloc.h - memory for the emulator's own things.
 *
 * Everything here but alloc_try() never returns NULL: when the host has nothing left, it says so in one line and ends
 * the process. It is for what is made at start-up, and for host-side bookkeeping of bounded size; there is nothing that
 * a caller could do about its lack. A size that a guest, a file or the user decides is checked against a bound first,
 * and when that bound is large it is alloc_try()'s. All of it is freed with free().
 */
#ifndef CORE_ALLOC_H
#define CORE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *alloc_zeroed(size_t size) __attribute__((malloc, returns_nonnull));

/* n zeroed elements of `size` bytes; n may be 0. */
void *alloc_array(size_t n, size_t size) __attribute__((malloc, returns_nonnull));

/* realloc() to n elements of `size` bytes; what is new is not zeroed. `old` may be NULL. */
void *alloc_resize(void *old, size_t n, size_t size) __attribute__((returns_nonnull));

/* `data` may be NULL when size is 0. */
void *alloc_copy(const void *data, size_t size) __attribute__((malloc, returns_nonnull));

char *alloc_text(const char *text) __attribute__((malloc, returns_nonnull));
char *alloc_format(const char *fmt, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
char *alloc_vformat(const char *fmt, va_list ap) __attribute__((malloc, returns_nonnull, format(printf, 1, 0)));

/* n zeroed elements of `size` bytes, or NULL: for large sizes that come from outside. */
void *alloc_try(size_t n, size_t size) __attribute__((malloc, warn_unused_result));

#endif
