/* The machine's end of core/control.h: who steers it, and how. What they can ask about is in control-info.c. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "gdb.h"
#include "machine.h"
#include "monitor.h"
#include "options.h"
#include "peripherals.h"
#include "qmp.h"
#include "serials.h"

enum { DOORS = 8 };

struct control_doors {
    struct qmp *qmp[DOORS];
    struct monitor *monitor[DOORS];
    unsigned qmps, monitors;
};

static struct machine *machine_of(struct control *c)
{
    return (struct machine *)((char *)c - offsetof(struct machine, control));
}

static bool running(struct control *c)
{
    return !machine_of(c)->stopped;
}

static void stop(struct control *c)
{
    machine_stop(machine_of(c));
}

static void resume(struct control *c, uint32_t held)
{
    machine_continue(machine_of(c), held);
}

static void step(struct control *c, struct cpu *cpu)
{
    struct machine *m = machine_of(c);

    /* A device that the instruction reaches is entered under the lock, which the vCPU takes itself. */
    lock_drop(&m->lock);
    cpu->ops->step(cpu);
    lock_take(&m->lock);
}

static void reset(struct control *c)
{
    machine_request(machine_of(c), MACHINE_RESET, 0, "host-qmp-system-reset");
}

static void quit(struct control *c, int status)
{
    machine_request(machine_of(c), MACHINE_EXIT, status, "host-qmp-quit");
}

static void freeze(struct control *c)
{
    run_pause(machine_of(c));
}

static void thaw(struct control *c)
{
    struct machine *m = machine_of(c);

    if (!m->stopped && !m->debugged)
        run_resume(m);
}

static const char *status(struct control *c)
{
    const struct machine *m = machine_of(c);

    if (m->shut_down)
        return "shutdown";
    if (!m->stopped)
        return "running";
    return !m->launched ? "prelaunch" : m->at_break ? "debug" : "paused";
}

static void control_init(struct machine *m)
{
    m->control = (struct control){
        .cpus = m->cpus,
        .bus = m->bus,
        .clock = m->clock,
        .running = running,
        .stop = stop,
        .resume = resume,
        .step = step,
        .reset = reset,
        .quit = quit,
        .freeze = freeze,
        .thaw = thaw,
        .status = status,
    };
    for (unsigned i = 0; i < m->cpus; i++)
        m->control.cpu[i] = m->vcpus[i].cpu;
    control_init_info(m);
}

/* ---- the debugger ---- */

/* A socket for GDB listens, and does not wait, unless the text says otherwise. */
static void gdb_port_text(const char *text, char *out, size_t size)
{
    bool is_socket = !strncmp(text, "tcp:", 4) || !strncmp(text, "unix:", 5);

    snprintf(out, size, "%s%s", text, is_socket && !strstr(text, ",server") ? ",server,nowait" : "");
}

static bool open_gdb(struct machine *m, struct error *e)
{
    char text[512];

    if (!m->options->gdb || !strcmp(m->options->gdb, "none"))
        return true;
    gdb_port_text(m->options->gdb, text, sizeof text);
    struct char_port *port = peripherals_open_port(m->peripherals, text, "gdb", e);
    m->gdb = port ? gdb_new(&m->control, port, e) : NULL;
    return m->gdb || error_prefix(e, "-gdb %s", m->options->gdb);
}

/* ---- protocol and monitors ---- */

static bool open_door(struct machine *m, struct char_port *port, bool is_qmp, struct error *e)
{
    struct control_doors *d = m->doors;

    if (!port)
        return false;
    if ((is_qmp ? d->qmps : d->monitors) == DOORS)
        return error_set(e, "no more than %d of them", DOORS);
    if (!is_qmp) {
        d->monitor[d->monitors++] = monitor_new(&m->control, port);
        return true;
    }
    d->qmp[d->qmps] = qmp_new(&m->control, port, e);
    return d->qmp[d->qmps] && ++d->qmps;
}

/* -qmp TARGET, -monitor TARGET */
static bool open_targets(struct machine *m, enum option_kind kind, const char *name, struct error *e)
{
    unsigned n = 0;

    for (struct option_item *i = NULL; (i = options_next(m->options, kind, i)); n++) {
        char device[24];
        if (!*i->text || !strcmp(i->text, "none") || !strcmp(i->text, "null"))
            continue;
        snprintf(device, sizeof device, "%s%u", name, n);
        struct char_port *port = peripherals_open_port(m->peripherals, i->text, device, e);
        if (!open_door(m, port, kind == OPTION_QMP, e))
            return error_prefix(e, "%s %s", i->option, i->text);
    }
    return true;
}

static bool open_mon(struct machine *m, struct option_item *i, unsigned n, struct error *e)
{
    static const char *const known[] = { "chardev", "mode", "pretty", NULL };
    const char *chardev = keyvals_get(&i->kv, "chardev"), *mode = keyvals_get(&i->kv, "mode");
    bool is_qmp = mode && !strcmp(mode, "control"), pretty = false;
    char device[24];

    if (mode && !is_qmp && strcmp(mode, "readline"))
        return keyvals_error(&i->kv, "mode", e, "mode=%s: there are readline and control", mode);
    if (!chardev)
        return error_set(e, "-mon %s: chardev=ID is missing; it names a -chardev", i->text);
    if (!keyvals_bool(&i->kv, "pretty", &pretty, e) || !keyvals_finish(&i->kv, known, e))
        return false;
    if (pretty)
        return keyvals_error(&i->kv, "pretty", e, "pretty=on is not built in yet: an answer is one line");
    snprintf(device, sizeof device, "mon%u", n);
    struct char_port *port = serials_chardev(peripherals_serials(m->peripherals), chardev, device, e);
    return open_door(m, port, is_qmp, e) || error_prefix(e, "-mon %s", i->text);
}

/* Beside what the command line names, a monitor on the terminal that the first serial line shares, unless the command
 * line says where the monitor goes. */
static bool open_doors(struct machine *m, struct error *e)
{
    struct options *o = m->options;
    bool placed = options_next(o, OPTION_MONITOR, NULL);
    unsigned n = 0;

    m->doors = alloc_zeroed(sizeof *m->doors);
    if (!open_targets(m, OPTION_QMP, "compat_qmp", e) || !open_targets(m, OPTION_MONITOR, "compat_monitor", e))
        return false;
    for (struct option_item *i = NULL; (i = options_next(o, OPTION_MON, i)); placed = true) {
        if (!open_mon(m, i, n++, e))
            return false;
    }
    struct char_port *port = placed ? NULL : serials_monitor(peripherals_serials(m->peripherals));
    return !port || open_door(m, port, false, e);
}

void control_claim(struct options *o)
{
    static const enum option_kind kinds[] = { OPTION_QMP, OPTION_MONITOR, OPTION_MON };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (struct option_item *item = NULL; (item = options_next(o, kinds[i], item));)
            ;
    }
}

bool control_open(struct machine *m, struct error *e)
{
    control_init(m);
    return open_gdb(m, e) && open_doors(m, e);
}

void control_close(struct machine *m)
{
    for (unsigned i = 0; m->doors && i < m->doors->monitors; i++)
        monitor_free(m->doors->monitor[i]);
    for (unsigned i = 0; m->doors && i < m->doors->qmps; i++)
        qmp_free(m->doors->qmp[i]);
    free(m->doors);
    m->doors = NULL;
    gdb_free(m->gdb);
}

void control_debugged(struct machine *m)
{
    struct cpu *cpu = m->debugged;

    machine_stop(m);
    m->at_break = true;
    m->debugged = NULL;
    for (unsigned i = 0; i < m->control.listeners; i++) {
        if (m->control.listener[i].stopped)
            m->control.listener[i].stopped(m->control.listener[i].owner, cpu);
    }
}
