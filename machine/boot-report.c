/*
 * boot-report.c - see boot-report.h. Times in both reports are the guest's, so that two runs can be compared; host time
 * is a property of its own in JUnit's.
 */
#include "boot-report.h"

#include <errno.h>
#include <string.h>

#include "bits.h"

/* From the best to the worst. Skipped is better than passed: only a run without any pass is a skipped one. */
static const struct {
    enum boot_status status;
    const char *name;
} by_severity[] = {
    { BOOT_STATUS_SKIPPED, "skipped" },   { BOOT_STATUS_PASS, "pass" },
    { BOOT_STATUS_FAIL, "fail" },         { BOOT_STATUS_TIME_LIMIT, "time limit" },
    { BOOT_STATUS_PANIC, "guest panic" }, { BOOT_STATUS_RESET_LOOP, "reset loop" },
    { BOOT_STATUS_DEAD, "guest dead" },   { BOOT_STATUS_ERROR, "emulator error" },
};

static size_t severity(enum boot_status status)
{
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(by_severity) && by_severity[i].status != status)
        i++;
    return i;
}

const char *boot_status_name(enum boot_status status)
{
    return by_severity[severity(status)].name;
}

enum boot_status boot_worst(const struct boot_outcome *outcomes, size_t count)
{
    size_t worst = 0;

    for (size_t i = 0; i < count; i++)
        worst = severity(outcomes[i].status) > worst ? severity(outcomes[i].status) : worst;
    return by_severity[worst].status;
}

static double guest_seconds(const struct boot_outcome *o)
{
    return o->result ? (double)o->result->guest_ns / 1e9 : 0;
}

/* ---- TAP ---- */

/* Each line of the text behind "# ". */
static void put_comment(FILE *out, const char *indent, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        fprintf(out, "# %s%.*s\n", indent, (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static void put_steps(FILE *out, const struct boot_case *c, const struct boot_result *r)
{
    for (unsigned i = 0; i < c->script->steps && i <= r->done; i++) {
        if (i == r->done && r->verdict == BOOT_PASSED)
            return;
        fprintf(out, "#   %11.6f %11.6f  %s %s\n", (double)r->step[i].from / 1e9, (double)r->step[i].to / 1e9,
                i < r->done ? "passed" : "ended in", c->script->step[i].name);
    }
}

void boot_tap_plan(FILE *out, size_t count)
{
    fprintf(out, "TAP version 13\n1..%zu\n", count);
}

void boot_tap_case(FILE *out, size_t n, const struct boot_case *c, const struct boot_outcome *o)
{
    if (o->status == BOOT_STATUS_SKIPPED) {
        fprintf(out, "ok %zu - %s # SKIP %s\n", n + 1, c->name, o->why);
        fflush(out);
        return;
    }
    fprintf(out, "%s %zu - %s\n", o->status ? "not ok" : "ok", n + 1, c->name);
    fprintf(out, "# %s (status %d) after %.6f s of guest time\n", boot_status_name(o->status), o->status,
            guest_seconds(o));
    if (o->status)
        put_comment(out, "", o->why);
    if (o->result)
        put_steps(out, c, o->result);
    if (o->status && o->result) {
        put_comment(out, "", o->result->backtrace);
        if (o->result->tail[0])
            fprintf(out, "# last serial output:\n");
        put_comment(out, "  | ", o->result->tail);
    }
    put_comment(out, "emulator: ", o->messages);
    fflush(out);
}

/* ---- JUnit ---- */

/* XML 1.0 has no controls but tab and line ends, in any spelling; and bytes that are no UTF-8 do not belong there. */
static void put_xml(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        switch (c) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc((c < 0x20 && c != '\n' && c != '\t') || c >= 0x7f ? '?' : c, out);
        }
    }
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    put_xml(out, value);
    fputc('"', out);
}

static void put_verdict(FILE *out, const struct boot_outcome *o)
{
    const char *element = o->status == BOOT_STATUS_SKIPPED ? "skipped"
                          : o->status == BOOT_STATUS_ERROR ? "error"
                                                           : "failure";

    if (o->status == BOOT_STATUS_PASS)
        return;
    fprintf(out, "      <%s", element);
    if (o->status != BOOT_STATUS_SKIPPED)
        put_attribute(out, "type", boot_status_name(o->status));
    put_attribute(out, "message", o->why);
    fputc('>', out);
    put_xml(out, o->result ? o->result->backtrace : "");
    fprintf(out, "</%s>\n", element);
}

static void put_case(FILE *out, const struct boot_case *c, const struct boot_outcome *o)
{
    fprintf(out, "    <testcase");
    put_attribute(out, "name", c->name);
    put_attribute(out, "classname", c->file);
    fprintf(out, " time=\"%.6f\">\n", guest_seconds(o));
    fprintf(out, "      <properties>\n        <property name=\"status\" value=\"%d\"/>\n", o->status);
    fprintf(out, "        <property name=\"host-seconds\" value=\"%.3f\"/>\n      </properties>\n", o->host_seconds);
    put_verdict(out, o);
    fprintf(out, "      <system-out>");
    put_xml(out, o->result ? o->result->tail : "");
    fprintf(out, "</system-out>\n      <system-err>");
    put_xml(out, o->messages);
    fprintf(out, "</system-err>\n    </testcase>\n");
}

static size_t count_of(const struct boot_outcome *outcomes, size_t count, bool (*is)(enum boot_status status))
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += is(outcomes[i].status);
    return n;
}

static bool is_skipped(enum boot_status status)
{
    return status == BOOT_STATUS_SKIPPED;
}

static bool is_error(enum boot_status status)
{
    return status == BOOT_STATUS_ERROR;
}

static bool is_failure(enum boot_status status)
{
    return status != BOOT_STATUS_PASS && !is_skipped(status) && !is_error(status);
}

bool boot_junit_write(const char *file, const struct boot_suite *s, const struct boot_outcome *outcomes,
                      struct error *e)
{
    FILE *out = fopen(file, "we");

    if (!out)
        return error_set(e, "--junit %s: cannot be written: %s", file, strerror(errno));
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"lyrebird\" tests=\"%zu\"",
            s->count);
    fprintf(out, " failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n", count_of(outcomes, s->count, is_failure),
            count_of(outcomes, s->count, is_error), count_of(outcomes, s->count, is_skipped));
    for (size_t i = 0; i < s->count; i++)
        put_case(out, &s->item[i], &outcomes[i]);
    fprintf(out, "  </testsuite>\n</testsuites>\n");
    bool bad = ferror(out);
    return (!fclose(out) && !bad) || error_set(e, "--junit %s: cannot be written: %s", file, strerror(errno));
}
