/* options-take.h - private to options*.c: what reads the argument of one option. */
#ifndef MACHINE_OPTIONS_TAKE_H
#define MACHINE_OPTIONS_TAKE_H

#include "options.h"

struct taking {
    struct options *o;
    int argc;
    char **argv;
    int at;             /* argv[at] is the option, or the positional argument */
    const char *option; /* "-smp" */
    struct error *e;
};

/* An error about the argument, underlined in the command line. Returns false. */
bool bad_argument(struct taking *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The known names for nearest_suggest, as one word each. */
bool bad_word(struct taking *t, const char *what, const char *word, const char *const *known, size_t count);

#define TAKERS(X) \
    X(accel) X(action) X(echr) X(enable_kvm) X(gdb_default) X(help) X(icount) X(jit) X(machine) X(memory) X(name) \
    X(no_reboot) X(no_shutdown) X(rtc) X(smp) X(uuid) X(version) X(watchdog_action)
#define DECLARE_TAKER(name) bool take_##name(struct taking *t, const char *arg);
TAKERS(DECLARE_TAKER)
#undef DECLARE_TAKER

/* After all options: -machine accel=, and the choice among the accelerators named. */
bool settle_accel(struct taking *t);

/* After all options: warns of what -machine was given in vain. */
void settle_machine(struct taking *t);

#endif
