/*
 * boot-run.c - see boot-run.h.
 *
 * A case is a child process: a crash is a verdict about one case, and no state leaks from one to the next. The result
 * is in memory that both processes share; that the child has ended shows at a pipe of which it holds the other end.
 * At the host's limit the child gets SIGTERM, which its engine turns into a verdict; if it does not end then, SIGKILL.
 */
#define _GNU_SOURCE 1
#include "boot-run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "death.h"
#include "loop.h"
#include "machine.h"
#include "options.h"

enum { MESSAGES_MAX = 8192, JOBS_MAX = 64 };

#define KILL_AFTER_NS (10 * NS_PER_SEC)

/* Shared with the child. */
struct shared {
    bool failed; /* the machine could not be made: why is in `error` */
    struct error error;
    struct boot_result result;
};

struct job {
    size_t n; /* of the case */
    pid_t pid;
    int end; /* of a pipe whose other end the child has; -1: the job is free */
    int messages;
    uint64_t started, deadline; /* host ns */
    bool terminated;
    struct shared *shared;
};

struct running {
    struct boot_run *run;
    struct boot_outcome *outcomes;
    bool *over;
    size_t told; /* cases whose end was told */
    size_t next;
    struct job job[JOBS_MAX];
};

enum boot_status boot_status_of(enum boot_verdict verdict)
{
    static const enum boot_status statuses[] = {
        [BOOT_RUNNING] = BOOT_STATUS_ERROR,       [BOOT_PASSED] = BOOT_STATUS_PASS,
        [BOOT_FAILED] = BOOT_STATUS_FAIL,         [BOOT_PANIC] = BOOT_STATUS_PANIC,
        [BOOT_DEAD] = BOOT_STATUS_DEAD,           [BOOT_RESET_LOOP] = BOOT_STATUS_RESET_LOOP,
        [BOOT_TIME_LIMIT] = BOOT_STATUS_TIME_LIMIT,
    };

    return statuses[verdict];
}

static uint64_t host_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* ---- in the child ---- */

static void on_term(void *owner, int signo)
{
    boot_test_expire(owner, "the limit of host time is reached");
}

static bool run_machine(struct options *o, unsigned xlen, struct error *e)
{
    struct machine *m = machine_new(o, xlen, e);

    if (!m)
        return false;
    lock_take(&m->lock);
    bool ok = loop_signal(m->loop, SIGTERM, on_term, o->test, e);
    if (ok)
        boot_test_start(o->test, &m->control, death_describe, m);
    lock_drop(&m->lock);
    if (ok)
        machine_run(m);
    lock_take(&m->lock);
    boot_test_stop(o->test);
    lock_drop(&m->lock);
    machine_free(m);
    return ok;
}

bool boot_run_here(const struct boot_case *c, FILE *log, bool stamps, struct boot_result *result, struct error *e)
{
    struct options o = { 0 };
    struct boot_test *test = boot_test_new(c->script, result, e);
    bool ok = test && options_parse(&o, (int)c->argv.count, c->argv.item, e);

    for (size_t i = 0; ok && i < o.warnings.count; i++)
        fprintf(stderr, "%s: warning: %s\n", o.program, o.warnings.item[i]);
    if (ok && o.action != OPTIONS_RUN)
        ok = error_set(e, "the options of this test start no machine");
    if (ok) {
        boot_test_log(test, log, stamps);
        o.test = test;
        o.symbols = c->symbols;
        ok = run_machine(&o, c->xlen, e);
    }
    options_free(&o);
    boot_test_free(test);
    return ok;
}

static FILE *open_log(const struct boot_run *run, const struct boot_case *c, bool *ok, struct error *e)
{
    struct path name;

    *ok = true;
    if (!run->logs)
        return NULL;
    FILE *log = path_set(&name, e, "%s/%s.log", run->logs, c->name) ? fopen(name.s, "we") : NULL;
    if (!log)
        *ok = error_set(e, "the serial log '%s/%s.log' cannot be written: %s", run->logs, c->name, strerror(errno));
    return log;
}

/* The child's whole life; returns its status, which says only whether it came to an end. */
static int child(const struct boot_run *run, const struct boot_case *c, const struct job *job)
{
    struct shared *s = job->shared;
    bool ok;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(job->messages, 1) < 0 || dup2(job->messages, 2) < 0)
        return 1;
    FILE *log = open_log(run, c, &ok, &s->error);
    s->failed = !ok || !boot_run_here(c, log, true, &s->result, &s->error);
    if (log)
        fclose(log);
    fflush(NULL);
    return 0;
}

/* ---- in the parent ---- */

static void *share(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static bool host_lacks(struct error *e, const char *what)
{
    return error_set(e, "cannot start a test: %s: %s", what, strerror(errno));
}

static bool prepare(struct job *j, int pipes[2], struct error *e)
{
    j->shared = share(sizeof *j->shared);
    if (!j->shared)
        return host_lacks(e, "memory");
    j->messages = memfd_create("messages", MFD_CLOEXEC);
    if (j->messages < 0 || pipe2(pipes, O_CLOEXEC)) {
        host_lacks(e, "file descriptors");
        if (j->messages >= 0)
            close(j->messages);
        munmap(j->shared, sizeof *j->shared);
        return false;
    }
    return true;
}

static bool start_job(struct running *r, struct job *j, size_t n, struct error *e)
{
    const struct boot_case *c = &r->run->suite->item[n];
    int pipes[2];

    if (!prepare(j, pipes, e))
        return false;
    j->n = n;
    j->terminated = false;
    j->started = host_now();
    j->deadline = j->started + c->host_limit;
    fflush(NULL);
    j->pid = fork();
    if (j->pid == 0)
        _exit(child(r->run, c, j));
    close(pipes[1]);
    j->end = pipes[0];
    if (j->pid > 0)
        return true;
    host_lacks(e, "fork");
    close(j->end);
    close(j->messages);
    j->end = -1;
    munmap(j->shared, sizeof *j->shared);
    return false;
}

static char *read_messages(int fd)
{
    char *text = alloc_zeroed(MESSAGES_MAX + 1);
    ssize_t n = pread(fd, text, MESSAGES_MAX, 0);

    if (n < 0)
        text[0] = 0;
    return text;
}

static void judge(const struct running *r, const struct job *j, int wait_status, struct boot_outcome *o)
{
    const struct shared *s = j->shared;

    if (s->result.verdict != BOOT_RUNNING) {
        o->status = boot_status_of(s->result.verdict);
        snprintf(o->why, sizeof o->why, "%s", s->result.why);
    } else if (j->terminated) {
        o->status = BOOT_STATUS_TIME_LIMIT;
        snprintf(o->why, sizeof o->why,
                 "the limit of %g s of host time is reached, and the emulator did not end by itself",
                 (double)r->run->suite->item[j->n].host_limit / 1e9);
    } else {
        o->status = BOOT_STATUS_ERROR;
        if (WIFSIGNALED(wait_status))
            snprintf(o->why, sizeof o->why, "the emulator died: %s", strsignal(WTERMSIG(wait_status)));
        else if (s->failed)
            snprintf(o->why, sizeof o->why, "%s", s->error.text);
        else
            snprintf(o->why, sizeof o->why, "the emulator ended without a verdict");
    }
}

static void end_job(struct running *r, struct job *j)
{
    struct boot_outcome *o = &r->outcomes[j->n];
    int wait_status = 0;

    while (waitpid(j->pid, &wait_status, 0) < 0 && errno == EINTR)
        continue;
    judge(r, j, wait_status, o);
    o->host_seconds = (double)(host_now() - j->started) / 1e9;
    o->messages = read_messages(j->messages);
    o->result = alloc_copy(&j->shared->result, sizeof o->result[0]);
    r->over[j->n] = true;
    close(j->end);
    close(j->messages);
    munmap(j->shared, sizeof *j->shared);
    j->end = -1;
}

/* Cases that need no process. */
static bool settle_case(struct running *r, size_t n)
{
    const struct boot_case *c = &r->run->suite->item[n];

    if (!c->skip && !c->broken)
        return false;
    r->outcomes[n].status = c->skip ? BOOT_STATUS_SKIPPED : BOOT_STATUS_ERROR;
    snprintf(r->outcomes[n].why, sizeof r->outcomes[n].why, "%s", c->skip ? c->skip : c->broken);
    r->outcomes[n].messages = alloc_text("");
    r->over[n] = true;
    return true;
}

static bool start_more(struct running *r, struct error *e)
{
    for (unsigned i = 0; i < r->run->jobs; i++) {
        while (r->next < r->run->suite->count && settle_case(r, r->next))
            r->next++;
        if (r->job[i].end >= 0 || r->next == r->run->suite->count)
            continue;
        if (!start_job(r, &r->job[i], r->next, e))
            return false;
        r->next++;
    }
    return true;
}

static void tell(struct running *r)
{
    for (; r->told < r->run->suite->count && r->over[r->told]; r->told++)
        r->run->ended(r->run->owner, r->told, &r->run->suite->item[r->told], &r->outcomes[r->told]);
}

static void enforce_limit(struct job *j, uint64_t now)
{
    if (now < j->deadline)
        return;
    kill(j->pid, j->terminated ? SIGKILL : SIGTERM);
    j->terminated = true;
    j->deadline = now + KILL_AFTER_NS;
}

/* Waits for the end of a job, or a limit. */
static unsigned wait_for_jobs(struct running *r)
{
    struct pollfd fds[JOBS_MAX];
    uint64_t now = host_now(), first = UINT64_MAX;
    unsigned busy = 0;

    for (unsigned i = 0; i < r->run->jobs; i++) {
        struct job *j = &r->job[i];
        fds[i] = (struct pollfd){ .fd = j->end };
        if (j->end < 0)
            continue;
        busy++;
        enforce_limit(j, now);
        first = j->deadline < first ? j->deadline : first;
    }
    uint64_t ms = busy ? (first - now) / 1000000 + 1 : 0;
    if (!busy || poll(fds, r->run->jobs, ms > 1000000 ? 1000000 : (int)ms) <= 0)
        return busy;
    for (unsigned i = 0; i < r->run->jobs; i++) {
        if (r->job[i].end >= 0 && fds[i].revents)
            end_job(r, &r->job[i]);
    }
    return busy;
}

static void kill_jobs(struct running *r)
{
    for (unsigned i = 0; i < r->run->jobs; i++) {
        if (r->job[i].end < 0)
            continue;
        kill(r->job[i].pid, SIGKILL);
        end_job(r, &r->job[i]);
    }
}

bool boot_run(struct boot_run *run, struct boot_outcome *outcomes, struct error *e)
{
    struct running *r = alloc_zeroed(sizeof *r);
    bool ok = true;

    run->jobs = run->jobs > JOBS_MAX ? JOBS_MAX : run->jobs;
    r->run = run;
    r->outcomes = outcomes;
    r->over = alloc_array(run->suite->count, sizeof *r->over);
    for (unsigned i = 0; i < JOBS_MAX; i++)
        r->job[i].end = -1;
    while (r->told < run->suite->count && (ok = start_more(r, e))) {
        wait_for_jobs(r);
        tell(r);
    }
    kill_jobs(r);
    free(r->over);
    free(r);
    return ok;
}

void boot_outcomes_free(struct boot_outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(outcomes[i].result);
        free(outcomes[i].messages);
    }
}
