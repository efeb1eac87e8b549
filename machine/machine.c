#include "machine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "boot-test.h"
#include "death.h"
#include "host-text.h"
#include "loop.h"
#include "options.h"
#include "perf-map.h"
#include "peripherals.h"

/* ---- building ---- */

static const struct board *find_board(const char *name, unsigned xlen, struct error *e)
{
    for (const struct board *const *b = boards; *b; b++) {
        if (!(*b)->xlens || !((*b)->xlens & xlen))
            continue;
        if (!name || !strcmp((*b)->name, name) || ((*b)->alias && !strcmp((*b)->alias, name)))
            return *b;
    }
    error_set(e, "-machine %s: no such board for this guest; `-machine help` lists them", name ? name : "");
    return NULL;
}

static uint64_t wall_base(const struct options *o)
{
    if (o->rtc.base == RTC_DATE)
        return (uint64_t)o->rtc.date * NS_PER_SEC;
    if (o->icount.on)
        return UINT64_C(1735689600) * NS_PER_SEC; /* 2025-01-01: the same in every run */
    time_t now = time(NULL);
    if (o->rtc.base == RTC_LOCALTIME) {
        struct tm tm;
        localtime_r(&now, &tm);
        now += tm.tm_gmtoff;
    }
    return (uint64_t)now * NS_PER_SEC;
}

static bool by_host(const char *who)
{
    return !strncmp(who, "host-", 5);
}

void machine_request(struct machine *m, enum machine_request what, int status, const char *who)
{
    assert(lock_held(&m->lock));
    if (m->requested && !by_host(who))
        return;
    m->request = what;
    m->exit_status = status;
    m->requester = who;
    __atomic_store_n(&m->requested, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < m->cpus; i++)
        cpu_kick(m->vcpus[i].cpu, CPU_REQUEST_STOP);
    loop_wake(m->loop);
}

static void request(struct machine_port *port, enum machine_request what, int status, const char *who)
{
    machine_request((struct machine *)((char *)port - offsetof(struct machine, port)), what, status, who);
}

void machine_quit(struct machine *m, int status)
{
    machine_request(m, MACHINE_EXIT, status, "host-ui");
}

static void memory_map_changed(void *owner)
{
    struct machine *m = owner;

    for (unsigned i = 0; i < m->cpus; i++)
        cpu_kick(m->vcpus[i].cpu, CPU_REQUEST_FLUSH);
}

/* -d takes QEMU's names; -t takes any category. */
static bool enable_item(struct trace *trace, const char *item, size_t len, struct error *e)
{
    static const struct {
        const char *name, *category;
    } items[] = {
        { "in_asm", "in_asm" }, { "op", "op" }, { "out_asm", "out_asm" }, { "int", "int" }, { "exec", "exec" },
        { "guest_errors", "guest_error" },
    };

    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        if (strlen(items[i].name) == len && !memcmp(items[i].name, item, len)) {
            if (!strcmp(items[i].name, "out_asm") && !host_text_here())
                return error_set(e, "-d out_asm needs a build with libcapstone: install libcapstone-dev and configure "
                                    "again; -d op is there without it");
            trace_enable(trace, items[i].category);
            return true;
        }
    }
    return error_set(e, "-d %.*s: there are in_asm, op, out_asm, int, exec, guest_errors; -t takes any trace category",
                     (int)len, item);
}

static bool enable_items(struct trace *trace, const char *list, struct error *e)
{
    for (const char *p = list; *p;) {
        size_t len = strcspn(p, ",");
        if (!enable_item(trace, p, len, e))
            return false;
        p += len + (p[len] == ',');
    }
    return true;
}

static bool open_log(struct machine *m, struct error *e)
{
    struct options *o = m->options;

    if (o->log_file) {
        m->log = fopen(o->log_file, "w");
        if (!m->log)
            return error_set(e, "-D %s: cannot write it", o->log_file);
        trace_redirect(m->trace, m->log);
    }
    if (o->trace)
        trace_enable(m->trace, o->trace);
    return !o->log_items || enable_items(m->trace, o->log_items, e);
}

/* All who know a key of -machine have asked for theirs. */
static bool finish_machine_keys(const struct options *o, struct error *e)
{
    static const char *const known[] = { "type", "accel", "dumpdtb", "pflash0", "pflash1", NULL };

    return keyvals_finish(&o->machine, known, e);
}

static bool open_perf_map(struct options *o, struct error *e)
{
    if (!o->jit.perf)
        return true;
    o->jit.perf_map = perf_map_open(e);
    return o->jit.perf_map || error_prefix(e, "-jit perf");
}

static bool build(struct machine *m, unsigned xlen, struct error *e)
{
    m->board = find_board(keyvals_get(&m->options->machine, "type"), xlen, e);
    if (!m->board || !open_log(m, e) || !open_perf_map(m->options, e))
        return false;
    if (m->options->cpus > m->board->max_cpus)
        return error_set(e, "-smp %u: board %s takes at most %u", m->options->cpus, m->board->name,
                         m->board->max_cpus);
    m->loop = loop_new(&m->lock, m->clock, e);
    if (!m->loop)
        return false;
    control_claim(m->options);
    return peripherals_open(m, e) && m->board->build(m, e) && peripherals_finish(m->peripherals, e) &&
           finish_machine_keys(m->options, e) && options_finish(m->options, e) && m->board->restart(m, e) &&
           control_open(m, e);
}

struct machine *machine_new(struct options *o, unsigned xlen, struct error *e)
{
    struct machine *m = alloc_zeroed(sizeof *m);

    m->options = o;
    m->xlen = xlen;
    lock_init(&m->lock);
    pthread_cond_init(&m->all_parked, NULL);
    pthread_cond_init(&m->resume, NULL);
    m->trace = trace_new(stderr);
    m->clock = clock_new(o->icount.on ? 0 : 1.0, wall_base(o));
    m->bus = bus_new(m->trace);
    m->env = (struct dev_env){ m->bus, m->clock, m->trace };
    m->port.request = request;
    bus_watch(m->bus, memory_map_changed, m);
    lock_take(&m->lock);
    bool ok = build(m, xlen, e);
    m->death = ok ? death_watch(m) : NULL;
    lock_drop(&m->lock);
    if (ok)
        return m;
    machine_free(m);
    return NULL;
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    lock_take(&m->lock);
    run_end(m);
    death_forget(m->death);
    control_close(m);
    if (m->peripherals)
        peripherals_drain(m->peripherals);
    for (unsigned i = m->device_count; i-- > 0;)
        device_destroy(m->devices[i]);
    for (unsigned i = 0; i < m->cpus; i++)
        m->vcpus[i].cpu->ops->destroy(m->vcpus[i].cpu);
    if (m->board)
        m->board->dismantle(m);
    peripherals_free(m->peripherals);
    for (unsigned i = 0; i < m->memory_count; i++)
        ram_free(m->memories[i]);
    loop_free(m->loop);
    lock_drop(&m->lock);
    bus_free(m->bus);
    clock_free(m->clock);
    trace_free(m->trace);
    if (m->log)
        fclose(m->log);
    if (m->options->jit.perf_map)
        fclose(m->options->jit.perf_map);
    m->options->jit.perf_map = NULL;
    pthread_cond_destroy(&m->resume);
    pthread_cond_destroy(&m->all_parked);
    lock_destroy(&m->lock);
    free(m);
}

void machine_adopt(struct machine *m, struct device *dev)
{
    assert(m->device_count < MACHINE_DEVICES);
    m->devices[m->device_count++] = dev;
}

bool machine_add(struct machine *m, struct device *dev, uint64_t base, struct ram *rom, struct error *e)
{
    if (!dev)
        return false;
    machine_adopt(m, dev);
    return bus_add_device(m->bus, base, dev, rom, e);
}

struct ram *machine_memory(struct machine *m, const char *name, uint64_t size, struct error *e)
{
    assert(m->memory_count < MACHINE_MEMORIES);
    struct ram *ram = ram_new(name, size, e);
    if (ram)
        m->memories[m->memory_count++] = ram;
    return ram;
}

void machine_add_cpu(struct machine *m, struct cpu *cpu)
{
    assert(m->cpus < MACHINE_CPUS);
    m->vcpus[m->cpus++] = (struct vcpu){ .machine = m, .cpu = cpu };
}

struct cpu_env machine_cpu_env(struct machine *m)
{
    return (struct cpu_env){ m->bus, m->clock, &m->lock, m->trace };
}

/* ---- running ---- */

bool machine_reset(struct machine *m, struct error *e)
{
    peripherals_drain(m->peripherals);
    for (unsigned i = 0; i < m->device_count; i++)
        device_reset(m->devices[i]);
    for (unsigned i = 0; i < m->cpus; i++)
        m->vcpus[i].cpu->ops->reset(m->vcpus[i].cpu);
    return m->board->restart(m, e);
}

void machine_stop(struct machine *m)
{
    bool told = m->stopped || !m->launched;

    run_pause(m);
    clock_stop(m->clock);
    m->stopped = true;
    if (!told)
        control_tell(&m->control, CONTROL_STOP, false, NULL);
}

void machine_continue(struct machine *m, uint32_t held)
{
    bool resumed = m->stopped;

    m->stopped = m->at_break = false;
    m->launched = true;
    m->held = held;
    clock_start(m->clock);
    run_resume(m);
    loop_wake(m->loop);
    if (resumed)
        control_tell(&m->control, CONTROL_RESUME, false, NULL);
}

/* Without threads nobody parks and takes the request back. */
static void forget_stop_requests(struct machine *m)
{
    for (unsigned i = 0; !m->threads && i < m->cpus; i++)
        atomic_fetch_and(&m->vcpus[i].cpu->request, ~(uint32_t)CPU_REQUEST_STOP);
}

static void tell_request(struct machine *m)
{
    bool resets = m->request == MACHINE_RESET, host = by_host(m->requester);

    control_tell(&m->control, m->done || !resets ? CONTROL_SHUTDOWN : CONTROL_RESET, !host,
                 host ? m->requester : resets ? "guest-reset" : "guest-shutdown");
}

/* -no-shutdown: the machine stays to be looked at, or to be reset. */
static bool stays(const struct machine *m)
{
    return m->request == MACHINE_POWEROFF && m->options->on_shutdown == SHUTDOWN_PAUSE;
}

/* Carries out what was asked for, with every vCPU parked. */
static void serve_request(struct machine *m)
{
    struct error e;

    run_pause(m);
    m->requested = false;
    if (m->options->test)
        boot_test_request(m->options->test, m->request, m->exit_status);
    m->shut_down = stays(m);
    m->done = !m->shut_down && (m->request != MACHINE_RESET || m->options->on_reboot != REBOOT_RESET);
    if (m->request != MACHINE_EXIT)
        m->exit_status = 0;
    tell_request(m);
    if (m->shut_down) {
        machine_stop(m);
    } else if (!m->done && !machine_reset(m, &e)) {
        fprintf(stderr, "lyrebird: reset: %s\n", e.text);
        m->exit_status = 1;
        m->done = true;
    }
    forget_stop_requests(m);
    if (!m->done && !m->stopped)
        run_resume(m);
}

static void run_once(struct machine *m)
{
    if (m->debugged)
        control_debugged(m);
    if (clock_is_virtual(m->clock) && !m->stopped) {
        run_round(m);
        loop_run_once(m->loop, 0);
    } else if (!m->requested) {
        loop_run_once(m->loop, CLOCK_NEVER);
    }
    if (m->requested)
        serve_request(m);
}

/* -jit stats */
static void print_stats(struct machine *m)
{
    char *text = m->options->jit.stats ? m->control.jit(&m->control) : NULL;

    if (text)
        fputs(text, stderr);
    free(text);
}

int machine_run(struct machine *m)
{
    struct error e;

    lock_take(&m->lock);
    if (!run_start(m, &e)) {
        fprintf(stderr, "lyrebird: %s\n", e.text);
        lock_drop(&m->lock);
        return 1;
    }
    if (!m->done)
        peripherals_greet(m->peripherals);
    if (m->options->start_paused)
        machine_stop(m);
    else
        machine_continue(m, 0);
    while (!m->done)
        run_once(m);
    run_end(m);
    print_stats(m);
    peripherals_drain(m->peripherals);
    lock_drop(&m->lock);
    return m->exit_status;
}
