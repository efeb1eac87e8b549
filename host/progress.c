/* progress.c - see progress.h. */
#include "progress.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Progress is told to a person: it is the one place of this file's folder where host time is the subject. */
static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void progress_init(struct progress *p, FILE *out, bool quiet)
{
    const char *term = getenv("TERM");

    *p = (struct progress){ .out = out, .quiet = quiet };
    p->terminal = isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
}

void progress_begin(struct progress *p, const char *label, uint64_t total)
{
    p->label = label;
    p->total = total;
    p->start = now();
    p->last_drawn = 0;
    p->last_tenth = -1;
    p->open = true;
    progress_update(p, 0);
}

static size_t add(char *buf, size_t size, size_t len, const char *fmt, ...)
{
    va_list ap;

    if (len >= size)
        return len;
    va_start(ap, fmt);
    int n = vsnprintf(buf + len, size - len, fmt, ap);
    va_end(ap);
    return n < 0 ? len : len + (size_t)n;
}

size_t progress_line(char *buf, size_t size, const char *label, double share, uint64_t total, double seconds)
{
    double megabytes = (double)total / 1e6;

    share = share < 0 ? 0 : share > 1 ? 1 : share;
    size_t n = add(buf, size, 0, "%s: %d %%", label, (int)(share * 100 + 1e-9));
    if (total)
        n = add(buf, size, n, "  %.1f of %.1f MB", megabytes * share, megabytes);
    if (seconds >= 1 && share > 0) {
        if (total)
            n = add(buf, size, n, "  %.1f MB/s", megabytes * share / seconds);
        double left = seconds * (1 - share) / share;
        if (share < 1 && left < 360000)
            n = add(buf, size, n, "  %d:%02d left", (int)(left / 60), (int)left % 60);
    }
    return n < size ? n : size - 1;
}

void progress_update(struct progress *p, double share)
{
    char line[200];
    double t = now();
    int tenth = (int)(share * 10 + 1e-9);

    if (p->quiet || !p->open)
        return;
    if (p->terminal ? t - p->last_drawn < 0.1 && share < 1 : tenth <= p->last_tenth)
        return;
    p->last_drawn = t;
    p->last_tenth = tenth;
    progress_line(line, sizeof line, p->label, share, p->total, t - p->start);
    fprintf(p->out, p->terminal ? "\r%s\033[K" : "%s\n", line);
    fflush(p->out);
}

void progress_end(struct progress *p, bool ok)
{
    if (!p->quiet && p->open && ok)
        fprintf(p->out, "%s%s: done, %.1f s%s\n", p->terminal ? "\r" : "", p->label, now() - p->start,
                p->terminal ? "\033[K" : "");
    else if (!p->quiet && p->open && p->terminal)
        fputc('\n', p->out);
    p->open = false;
    fflush(p->out);
}

void progress_note(struct progress *p, const char *fmt, ...)
{
    va_list ap;

    if (p->quiet)
        return;
    va_start(ap, fmt);
    vfprintf(p->out, fmt, ap);
    va_end(ap);
    fputc('\n', p->out);
    fflush(p->out);
}
