/* harness-options.h - machine/options, keyvals and nearest, seen from a test. */
#ifndef HARNESS_OPTIONS_H
#define HARNESS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct opt; /* a parsed command line, good or bad */

/* `argv` is borrowed. */
struct opt *opt_parse(int argc, char **argv);
void opt_free(struct opt *t);
bool opt_ok(const struct opt *t);
const char *opt_error(const struct opt *t);

/* A field by name: "cpus", "ram_size", "snapshot", "action", "rtc.date", ... ; UINT64_MAX for an unknown
 * name. */
uint64_t opt_number(const struct opt *t, const char *field);

/* "kernel", "append", ..., "list", "guest"; "" when not given. */
const char *opt_text(const struct opt *t, const char *field);

/* The n-th item of a kind ("device", "drive", "serial", "fw_cfg"): its whole text, or the value of a key; or
 * NULL. */
const char *opt_item(struct opt *t, const char *kind, unsigned n, const char *key);
const char *opt_machine(struct opt *t, const char *key);
size_t opt_warnings(const struct opt *t);
const char *opt_warning(const struct opt *t, size_t n);

/* options_finish: "" or the message. */
const char *opt_finish(struct opt *t);

/* What -h and -version print; the caller frees. */
char *opt_help(const struct opt *t);
char *opt_version(void);

/* Parses one text with no implied key, asks for these keys (NULL-terminated) and finishes: "" or the
 * message. */
const char *kv_check(const char *text, const char *const *asked, const char *const *known, char *out,
                     size_t size);
/* Parses `text`, the first item of which is a value, and copies that value into `out`. */
bool kv_first(const char *text, char *out, size_t size);
bool kv_size(const char *text, uint64_t unit, uint64_t *out);
unsigned kv_distance(const char *a, const char *b);

#ifdef __cplusplus
}
#endif

#endif
