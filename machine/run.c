/*
 * How vCPUs get to run. With a real clock each has a host thread. With a virtual clock the main thread runs them in
 * turn for a quantum of guest time each, and time passes only by their instructions: the same machine with the same
 * input always does the same.
 */
#define _GNU_SOURCE 1
#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "death.h"
#include "loop.h"
#include "machine.h"
#include "options.h"

enum { QUANTUM_NS = 20000, EMULATOR_ERROR = 125 };

/* ---- threads ---- */

static bool must_park(const struct machine *m, const struct cpu *cpu)
{
    return !m->quit && (m->pause || m->held >> cpu->index & 1);
}

/* Under the lock: waits until the world goes on. */
static void park(struct machine *m, struct cpu *cpu)
{
    m->parked++;
    pthread_cond_broadcast(&m->all_parked);
    while (must_park(m, cpu))
        lock_wait(&m->lock, &m->resume);
    atomic_fetch_and(&cpu->request, ~(uint32_t)CPU_REQUEST_STOP);
    m->parked--;
}

static void *vcpu_thread(void *arg)
{
    struct vcpu *v = arg;
    struct machine *m = v->machine;

    __atomic_store_n(&v->tid, gettid(), __ATOMIC_RELAXED);
    for (;;) {
        lock_take(&m->lock);
        if (must_park(m, v->cpu))
            park(m, v->cpu);
        bool quit = m->quit;
        lock_drop(&m->lock);
        if (quit)
            return NULL;
        enum cpu_exit reason;
        while ((reason = v->cpu->ops->run(v->cpu, UINT64_MAX)) == CPU_EXIT_IDLE)
            cpu_sleep(v->cpu);
        if (reason == CPU_EXIT_DEBUG) {
            lock_take(&m->lock);
            run_debug_stop(m, v->cpu);
            lock_drop(&m->lock);
        }
    }
}

void run_debug_stop(struct machine *m, struct cpu *cpu)
{
    if (!m->debugged)
        m->debugged = cpu;
    m->pause = true;
    for (unsigned i = 0; i < m->cpus; i++)
        cpu_kick(m->vcpus[i].cpu, CPU_REQUEST_STOP);
    loop_wake(m->loop);
}

bool run_start(struct machine *m, struct error *e)
{
    if (clock_is_virtual(m->clock))
        return true;
    m->threads = true;
    m->pause = true;
    for (unsigned i = 0; i < m->cpus; i++) {
        if (!pthread_create(&m->vcpus[i].thread, NULL, vcpu_thread, &m->vcpus[i]))
            continue;
        m->cpus = i;
        return error_set(e, "cannot start a host thread for vCPU %u: the host is out of threads or memory", i);
    }
    run_pause(m); /* until each is there and has noted its tid: a client may ask for it at once */
    return true;
}

void run_pause(struct machine *m)
{
    if (!m->threads)
        return;
    m->pause = true;
    for (unsigned i = 0; i < m->cpus; i++)
        cpu_kick(m->vcpus[i].cpu, CPU_REQUEST_STOP);
    while (m->parked < m->cpus)
        lock_wait(&m->lock, &m->all_parked);
}

void run_resume(struct machine *m)
{
    if (!m->threads)
        return;
    m->pause = false;
    pthread_cond_broadcast(&m->resume);
}

void run_end(struct machine *m)
{
    if (!m->threads)
        return;
    run_pause(m);
    m->quit = true;
    run_resume(m);
    lock_drop(&m->lock);
    for (unsigned i = 0; i < m->cpus; i++)
        pthread_join(m->vcpus[i].thread, NULL);
    lock_take(&m->lock);
    m->threads = false;
}

/* ---- virtual time ---- */

static void give_up(struct machine *m, const struct cpu *cpu)
{
    fprintf(stderr, "lyrebird: %s", cpu->fault);
    lock_take(&m->lock);
    machine_request(m, MACHINE_EXIT, EMULATOR_ERROR, "host-error");
    lock_drop(&m->lock);
}

static bool run_quantum(struct machine *m, uint64_t instructions)
{
    bool anyone = false;

    lock_drop(&m->lock);
    for (unsigned i = 0; i < m->cpus && !__atomic_load_n(&m->requested, __ATOMIC_RELAXED); i++) {
        struct cpu *cpu = m->vcpus[i].cpu;
        if (m->held >> i & 1 || !cpu->ops->has_work(cpu))
            continue;
        anyone = true;
        enum cpu_exit reason = cpu->ops->run(cpu, instructions);
        if (reason == CPU_EXIT_FAULT)
            give_up(m, cpu);
        if (reason != CPU_EXIT_DEBUG)
            continue;
        m->debugged = cpu;
        break;
    }
    lock_take(&m->lock);
    return anyone;
}

void run_round(struct machine *m)
{
    unsigned shift = m->options->icount.shift;
    uint64_t now = clock_now(m->clock);
    uint64_t deadline = clock_deadline(m->clock);
    uint64_t span = deadline - now < QUANTUM_NS ? deadline - now : QUANTUM_NS;
    uint64_t instructions = (span >> shift) + 1;

    bool anyone = run_quantum(m, instructions);

    death_look(m, anyone);
    if (anyone)
        clock_advance_to(m->clock, now + (instructions << shift));
    else if (deadline != CLOCK_NEVER)
        clock_advance_to(m->clock, deadline);
    else if (!m->requested)
        loop_run_once(m->loop, CLOCK_NEVER);
    clock_run(m->clock);
}
