/*
 * boot-test.c - see boot-test.h: goes through the steps, and watches for what ends a run before its last one.
 *
 * Output is collected as the guest writes it and looked at by a timer a little later, so that a match costs nothing
 * while the guest runs. Order of judgement: the current step first, then its fail_on texts (if they are not behind its
 * match), then panic and oops in what no step has used up.
 */
#include "boot-test.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "boot-match.h"
#include "boot-type.h"

enum { SCAN_NS = 1000000 };

#define GRACE_NS NS_PER_SEC /* a dying kernel's trace is worth waiting for */

static const char begin_mark[] = "lyrebird:begin", end_mark[] = "lyrebird:end:";

struct boot_test {
    struct char_port port; /* first */
    const struct boot_script *script;
    struct boot_result *result;
    struct control *control;
    void (*describe)(void *owner, char *out, size_t size);
    void *describer;
    FILE *log;
    bool stamps, in_line;

    regex_t regex[BOOT_STEPS_MAX]; /* of the steps that have one */
    unsigned compiled;             /* steps whose expression, if any, is in regex[] */
    struct boot_window window;
    struct boot_typist typist;
    struct timer scan, guest_limit, silence, step_limit, grace;
    uint64_t last_output;
    bool typed; /* the step's text has gone out */
    unsigned resets;
    enum boot_verdict alarm; /* BOOT_PANIC is on its way, or BOOT_RUNNING */
    bool oops;               /* the alarm is an oops */
    size_t alarm_at;         /* dropped + offset in the window */
    bool finished;
};

static const struct boot_step *step_of(const struct boot_test *t)
{
    return t->result->done < t->script->steps ? &t->script->step[t->result->done] : NULL;
}

static uint64_t now(const struct boot_test *t)
{
    return clock_now(t->control->clock);
}

/* ---- the end ---- */

static void disarm(struct boot_test *t)
{
    struct timer *const timers[] = { &t->scan, &t->guest_limit, &t->silence, &t->step_limit, &t->grace };

    for (size_t i = 0; t->control && i < sizeof timers / sizeof timers[0]; i++)
        timer_arm(timers[i], CLOCK_NEVER);
    boot_typist_stop(&t->typist);
}

static void finish(struct boot_test *t, enum boot_verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void finish(struct boot_test *t, enum boot_verdict verdict, const char *fmt, ...)
{
    struct boot_result *r = t->result;
    va_list ap;

    if (t->finished)
        return;
    t->finished = true;
    disarm(t);
    va_start(ap, fmt);
    vsnprintf(r->why, sizeof r->why, fmt, ap);
    va_end(ap);
    r->guest_ns = now(t);
    if (r->done < t->script->steps)
        r->step[r->done].to = r->guest_ns;
    boot_window_tail(&t->window, r->tail, sizeof r->tail);
    t->control->stop(t->control);
    if (verdict != BOOT_PASSED && t->describe)
        t->describe(t->describer, r->backtrace, sizeof r->backtrace);
    r->verdict = verdict;
    t->control->quit(t->control, 0);
}

static const char *place(const struct boot_test *t, char *buf, size_t size)
{
    const struct boot_step *s = step_of(t);

    if (s)
        snprintf(buf, size, "step %u (%s)", t->result->done + 1, s->name);
    else
        snprintf(buf, size, "the run");
    return buf;
}

/* ---- steps ---- */

static void start_typing(struct boot_test *t, const struct boot_step *s)
{
    char *text = s->kind == BOOT_SEND ? alloc_text(s->text)
                                      : alloc_format("echo lyre''bird:begin; %s; echo lyre''bird:end:$?\n", s->text);

    boot_typist_type(&t->typist, text, strlen(text), s->burst);
}

static void start_step(struct boot_test *t)
{
    const struct boot_step *s = step_of(t);

    t->typed = false;
    t->resets = 0;
    timer_arm(&t->step_limit, CLOCK_NEVER);
    if (!s) {
        if (!t->script->until_exit)
            finish(t, BOOT_PASSED, "all steps passed");
        return;
    }
    t->result->step[t->result->done].from = now(t);
    if (s->limit)
        timer_arm(&t->step_limit, now(t) + s->limit);
    if (s->kind == BOOT_SEND || s->kind == BOOT_RUN)
        start_typing(t, s);
}

static void pass_step(struct boot_test *t)
{
    t->result->step[t->result->done].to = now(t);
    t->result->done++;
    start_step(t);
}

/* The first text of fail_on in the output before `until`. */
static bool failed_on(struct boot_test *t, const struct boot_step *s, size_t until)
{
    char line[200];

    for (unsigned i = 0; i < s->fail_ons; i++) {
        size_t at = boot_window_find(&t->window, t->window.seen, s->fail_on[i]);
        if (at >= until)
            continue;
        boot_window_line(&t->window, at, line, sizeof line);
        finish(t, BOOT_FAILED, "step %u (%s): the guest wrote '%s', which fail_on forbids: %s", t->result->done + 1,
               s->name, s->fail_on[i], line);
        return true;
    }
    return false;
}

static bool try_expect(struct boot_test *t, const struct boot_step *s)
{
    size_t begin, end;

    if (!boot_window_match(&t->window, &s->expect, &t->regex[t->result->done], &begin, &end)) {
        failed_on(t, s, SIZE_MAX);
        return false;
    }
    if (failed_on(t, s, begin))
        return false;
    boot_window_use(&t->window, end);
    pass_step(t);
    return true;
}

/* A marker line's number, once the line is complete. */
static bool read_status(const struct boot_window *w, size_t at, int *status, size_t *after)
{
    *status = 0;
    while (at < w->len && w->text[at] >= '0' && w->text[at] <= '9' && *status < 1000)
        *status = *status * 10 + (w->text[at++] - '0');
    *after = at;
    return at < w->len;
}

static bool output_matches(struct boot_test *t, const struct boot_step *s, size_t from, size_t to)
{
    struct boot_window part = t->window;
    size_t begin, end;

    part.len = to;
    part.seen = part.line = from;
    return !s->expect.text || boot_window_match(&part, &s->expect, &t->regex[t->result->done], &begin, &end);
}

static void judge_command(struct boot_test *t, const struct boot_step *s, size_t from, size_t to, int status)
{
    unsigned n = t->result->done + 1;
    char text[200];

    boot_window_line(&t->window, from, text, sizeof text);
    if (status != s->status)
        finish(t, BOOT_FAILED, "step %u (%s): the command's status is %d instead of %d; its output begins: %s", n,
               s->name, status, s->status, from < to ? text : "");
    else if (!output_matches(t, s, from, to))
        finish(t, BOOT_FAILED, "step %u (%s): '%s' is not in the command's output, which begins: %s", n, s->name,
               s->expect.text, from < to ? text : "");
}

/* The typed line's echo holds neither mark: there are quotes in it. */
static bool try_run(struct boot_test *t, const struct boot_step *s)
{
    struct boot_window *w = &t->window;
    size_t begin = boot_window_find(w, w->seen, begin_mark), after;
    size_t end = boot_window_find(w, w->seen, end_mark);
    int status;

    if (end == SIZE_MAX || !read_status(w, end + strlen(end_mark), &status, &after)) {
        failed_on(t, s, SIZE_MAX);
        return false;
    }
    if (failed_on(t, s, end))
        return false;
    size_t from = begin < end ? begin + strlen(begin_mark) : w->seen;
    while (from < end && (w->text[from] == '\r' || w->text[from] == '\n'))
        from++;
    judge_command(t, s, from, end, status);
    if (t->finished)
        return false;
    boot_window_use(w, after);
    pass_step(t);
    return true;
}

static bool try_step(struct boot_test *t)
{
    const struct boot_step *s = t->finished ? NULL : step_of(t);

    if (!s)
        return false;
    switch (s->kind) {
    case BOOT_EXPECT: return try_expect(t, s);
    case BOOT_RUN: return t->typed && try_run(t, s);
    default: failed_on(t, s, SIZE_MAX); return false;
    }
}

static void typing_done(void *owner)
{
    struct boot_test *t = owner;

    t->typed = true;
    if (step_of(t) && step_of(t)->kind == BOOT_SEND)
        pass_step(t);
}

/* ---- panic and oops ---- */

static void end_alarm(struct boot_test *t)
{
    char line[300];
    size_t at = t->alarm_at > t->window.dropped ? t->alarm_at - t->window.dropped : 0;

    boot_window_line(&t->window, at, line, sizeof line);
    finish(t, BOOT_PANIC, "%s: %s", t->oops ? "the guest's kernel stumbled" : "the guest panicked", line);
}

static void on_grace(void *owner)
{
    end_alarm(owner);
}

static bool alarmed(struct boot_test *t, const char *text, bool oops)
{
    size_t at = boot_window_find(&t->window, t->window.seen, text);

    if (at == SIZE_MAX || (t->alarm != BOOT_RUNNING && (oops || !t->oops)))
        return false;
    if (t->alarm == BOOT_RUNNING)
        timer_arm(&t->grace, now(t) + GRACE_NS);
    t->alarm = BOOT_PANIC;
    t->oops = oops;
    t->alarm_at = t->window.dropped + at;
    return true;
}

/* An oops may be followed by the panic that it leads to, which is then the cause to name. */
static void look_for_alarms(struct boot_test *t)
{
    static const char *const oopses[] = { "Oops [#", "Oops - ", "kernel BUG at " };

    if (t->script->panic)
        alarmed(t, "Kernel panic - not syncing", false);
    for (size_t i = 0; t->script->oops && i < sizeof oopses / sizeof oopses[0]; i++)
        alarmed(t, oopses[i], true);
    if (t->alarm == BOOT_RUNNING || t->oops)
        return;
    size_t from = t->alarm_at > t->window.dropped ? t->alarm_at - t->window.dropped : 0;
    if (boot_window_find(&t->window, from, "---[ end Kernel panic") != SIZE_MAX)
        end_alarm(t);
}

/* ---- output ---- */

static void look(struct boot_test *t)
{
    while (t->alarm == BOOT_RUNNING && try_step(t))
        continue;
    if (!t->finished)
        look_for_alarms(t);
}

static void on_scan(void *owner)
{
    look(owner);
}

static void log_byte(struct boot_test *t, uint8_t byte)
{
    uint64_t ns = now(t);

    if (t->stamps && byte == '\r')
        return;
    if (t->stamps && !t->in_line)
        fprintf(t->log, "[%5" PRIu64 ".%06" PRIu64 "] ", ns / NS_PER_SEC, ns % NS_PER_SEC / 1000);
    fputc(byte, t->log);
    t->in_line = byte != '\n';
    if (!t->in_line)
        fflush(t->log);
}

static void take_output(struct char_port *port, const uint8_t *buf, size_t len)
{
    struct boot_test *t = (struct boot_test *)port;

    if (t->finished || !t->control)
        return;
    for (size_t i = 0; t->log && i < len; i++)
        log_byte(t, buf[i]);
    boot_window_add(&t->window, buf, len);
    t->last_output = now(t);
    if (t->scan.deadline == CLOCK_NEVER)
        timer_arm(&t->scan, t->last_output + SCAN_NS);
}

static void poked(struct char_port *port)
{
    boot_typist_poked(&((struct boot_test *)port)->typist);
}

/* ---- what ends a run from outside ---- */

static void on_guest_limit(void *owner)
{
    struct boot_test *t = owner;
    char where[160];

    finish(t, BOOT_TIME_LIMIT, "the limit of %g s of guest time is reached in %s",
           (double)t->script->guest_limit / 1e9, place(t, where, sizeof where));
}

static void on_step_limit(void *owner)
{
    struct boot_test *t = owner;
    char where[160];

    finish(t, BOOT_TIME_LIMIT, "%s took longer than its limit of %g s of guest time", place(t, where, sizeof where),
           (double)step_of(t)->limit / 1e9);
}

static void on_silence(void *owner)
{
    struct boot_test *t = owner;
    char where[160];

    if (now(t) < t->last_output + t->script->silence_limit)
        timer_arm(&t->silence, t->last_output + t->script->silence_limit);
    else
        finish(t, BOOT_TIME_LIMIT, "the guest has been silent for %g s of guest time in %s",
               (double)t->script->silence_limit / 1e9, place(t, where, sizeof where));
}

static void on_restart(struct boot_test *t)
{
    const struct boot_step *s = step_of(t);
    char where[160];

    if (s && s->kind == BOOT_RESET)
        pass_step(t);
    else if (++t->resets == t->script->resets)
        finish(t, BOOT_RESET_LOOP, "%u resets without progress in %s", t->resets, place(t, where, sizeof where));
}

static void on_end(struct boot_test *t, int status)
{
    const struct boot_step *s = step_of(t);
    char where[160];

    if (s && s->kind == BOOT_EXIT && s->status == status) {
        pass_step(t);
        s = step_of(t);
    }
    if (s && s->kind == BOOT_EXIT)
        finish(t, BOOT_FAILED, "%s: the guest ended with status %d", place(t, where, sizeof where), status);
    else if (s)
        finish(t, BOOT_FAILED, "the guest ended, with status %d, in %s", status, place(t, where, sizeof where));
    else
        finish(t, status ? BOOT_FAILED : BOOT_PASSED, "the guest ended with status %d", status);
}

void boot_test_request(struct boot_test *t, enum machine_request what, int status)
{
    if (t->finished)
        return;
    look(t);
    if (t->finished)
        return;
    if (t->alarm != BOOT_RUNNING)
        end_alarm(t);
    else if (what == MACHINE_RESET)
        on_restart(t);
    else
        on_end(t, what == MACHINE_EXIT ? status : 0);
}

void boot_test_dead(struct boot_test *t, const char *why)
{
    char where[160];

    look(t);
    if (t->alarm != BOOT_RUNNING)
        end_alarm(t);
    else
        finish(t, BOOT_DEAD, "the guest is dead in %s: %s", place(t, where, sizeof where), why);
}

void boot_test_expire(struct boot_test *t, const char *why)
{
    char where[160];

    finish(t, BOOT_TIME_LIMIT, "%s in %s", why, place(t, where, sizeof where));
}

bool boot_test_outside(const struct boot_test *t)
{
    return t->script->outside;
}

/* ---- life ---- */

static bool compile(struct boot_test *t, unsigned n, struct error *e)
{
    const struct boot_step *s = &t->script->step[n];
    char why[128];
    int rc = s->expect.text && s->expect.regex ? regcomp(&t->regex[n], s->expect.text, REG_EXTENDED) : 0;

    if (!rc)
        return true;
    regerror(rc, &t->regex[n], why, sizeof why);
    return error_set(e, "step %u: '%s' is no regular expression: %s", n + 1, s->expect.text, why);
}

struct boot_test *boot_test_new(const struct boot_script *script, struct boot_result *result, struct error *e)
{
    struct boot_test *t = alloc_zeroed(sizeof *t);

    t->port.write = take_output;
    t->port.poke = poked;
    t->script = script;
    t->result = result;
    *result = (struct boot_result){ .verdict = BOOT_RUNNING };
    boot_window_init(&t->window);
    for (; t->compiled < script->steps; t->compiled++) {
        if (!compile(t, t->compiled, e)) {
            boot_test_free(t);
            return NULL;
        }
    }
    return t;
}

void boot_test_free(struct boot_test *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->compiled; i++) {
        if (t->script->step[i].expect.text && t->script->step[i].expect.regex)
            regfree(&t->regex[i]);
    }
    boot_window_free(&t->window);
    free(t);
}

void boot_test_stop(struct boot_test *t)
{
    t->finished = true;
    disarm(t);
}

void boot_test_log(struct boot_test *t, FILE *log, bool stamps)
{
    t->log = log;
    t->stamps = stamps;
}

struct char_port *boot_test_port(struct boot_test *t)
{
    return &t->port;
}

static void watch(struct boot_test *t, struct timer *timer, void (*fire)(void *owner))
{
    timer_init(timer, t->control->clock, fire, t);
    timer->observer = true;
}

void boot_test_start(struct boot_test *t, struct control *control,
                     void (*describe)(void *owner, char *out, size_t size), void *owner)
{
    t->control = control;
    t->describe = describe;
    t->describer = owner;
    watch(t, &t->scan, on_scan);
    watch(t, &t->guest_limit, on_guest_limit);
    watch(t, &t->silence, on_silence);
    watch(t, &t->step_limit, on_step_limit);
    watch(t, &t->grace, on_grace);
    boot_typist_init(&t->typist, &t->port, control->clock, typing_done, t);
    t->last_output = now(t);
    if (t->script->guest_limit)
        timer_arm(&t->guest_limit, t->last_output + t->script->guest_limit);
    if (t->script->silence_limit)
        timer_arm(&t->silence, t->last_output + t->script->silence_limit);
    start_step(t);
}
