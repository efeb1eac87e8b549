/*
 * progress.h - how far a long job is: on a terminal one line that is rewritten, with rate and time left;
 * in a log a line at every 10 %; nothing with -q.
 */
#ifndef HOST_PROGRESS_H
#define HOST_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out;
    bool quiet;
    bool terminal;
    const char *label;  /* what is being done; the caller keeps it alive until progress_end */
    uint64_t total;     /* bytes, or 0 when only the share is known */
    double start;       /* seconds, monotonic */
    double last_drawn;
    int last_tenth;
    bool open;
};

/* `out` is a terminal or a log; `quiet` silences everything. */
void progress_init(struct progress *p, FILE *out, bool quiet);

void progress_begin(struct progress *p, const char *label, uint64_t total);

/* `share` is 0..1. Draws at most ten times a second. */
void progress_update(struct progress *p, double share);

/* Closes the line, with "done" when `ok`. */
void progress_end(struct progress *p, bool ok);

/* One line of plain news, where progress would go. */
void progress_note(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The text of a line, without an end of line: "kernel: 42 %  47.0 of 112.0 MB  10.3 MB/s  0:06 left".
 * Rate and time left appear after the first second; bytes only if total is not 0. Returns its length.
 */
size_t progress_line(char *buf, size_t size, const char *label, double share, uint64_t total, double seconds);

#endif
