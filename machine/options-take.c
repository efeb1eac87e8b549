/* options-take.c - options whose argument is more than a text: one function each, named in options.def. */
#include "options-take.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "bits.h"

struct choice {
    const char *name;
    int value;
};

/* Looks `word` up; leaves an error that names the nearest choice. */
static bool choose(struct taking *t, const char *what, const char *word, const struct choice *c, size_t count,
                   int *out)
{
    const char *names[16];

    for (size_t i = 0; i < count; i++) {
        names[i] = c[i].name;
        if (strcmp(word, c[i].name) != 0)
            continue;
        *out = c[i].value;
        return true;
    }
    return bad_word(t, what, word, names, count);
}

#define CHOOSE(t, what, word, table, out) choose(t, what, word, table, ARRAY_LEN(table), out)

bool take_help(struct taking *t, const char *arg)
{
    if (t->o->action == OPTIONS_RUN)
        t->o->action = OPTIONS_HELP;
    return true;
}

bool take_version(struct taking *t, const char *arg)
{
    if (t->o->action == OPTIONS_RUN)
        t->o->action = OPTIONS_VERSION;
    return true;
}

bool take_machine(struct taking *t, const char *arg)
{
    struct keyvals kv;

    if (!*arg)
        return bad_argument(t, "name a board, such as virt");
    if (!keyvals_parse(&kv, "-machine", arg, "type", t->e))
        return false;
    keyvals_merge(&t->o->machine, &kv);
    keyvals_free(&kv);
    return true;
}

enum accel_state { HERE, HOST };

static const struct {
    const char *name;
    enum accel_state state;
    enum accel accel;
    const char *help;
} accels[] = {
    { "jit", HERE, ACCEL_JIT, "hot code becomes the host's own; the default" },
    { "tcg", HERE, ACCEL_JIT, "the same, by the name that QEMU's scripts use" },
    { "interp", HERE, ACCEL_INTERP, "interpreter" },
    { "check", HERE, ACCEL_CHECK, "both, compared at every step; slow, in virtual time" },
    { "kvm", HOST, ACCEL_INTERP, NULL },
    { "hvf", HOST, ACCEL_INTERP, NULL },
    { "whpx", HOST, ACCEL_INTERP, NULL },
    { "xen", HOST, ACCEL_INTERP, NULL },
    { "nvmm", HOST, ACCEL_INTERP, NULL },
};

/* The first that can run wins, as scripts write "-accel kvm -accel tcg"; bit i of accels_tried remembers a name. */
static bool try_accel(struct taking *t, const char *name)
{
    const char *names[ARRAY_LEN(accels)];
    uint64_t *tried = &t->o->accels_tried;

    for (size_t i = 0; i < ARRAY_LEN(accels); i++) {
        names[i] = accels[i].name;
        if (strcmp(name, accels[i].name) != 0)
            continue;
        for (size_t k = 0; k < ARRAY_LEN(accels); k++)
            if (accels[k].state != HOST && (*tried & BIT(k)))
                return true;
        *tried |= BIT(i);
        t->o->accel = accels[i].accel;
        return true;
    }
    return bad_word(t, "accelerator", name, names, ARRAY_LEN(names));
}

bool take_accel(struct taking *t, const char *arg)
{
    static const char *const known[] = { "accel", "thread", "tb-size", "split-wx", "one-insn-per-tb", NULL };
    struct keyvals kv;

    if (!keyvals_parse(&kv, t->option, arg, "accel", t->e))
        return false;
    for (size_t i = 0; known[i]; i++)
        keyvals_get(&kv, known[i]);
    const char *name = keyvals_peek(&kv, "accel");
    bool ok = keyvals_finish(&kv, known, t->e)
           && (name ? try_accel(t, name) : bad_argument(t, "name an accelerator, such as interp"));
    keyvals_free(&kv);
    return ok;
}

bool take_enable_kvm(struct taking *t, const char *arg)
{
    return try_accel(t, "kvm");
}

/* -machine accel=kvm:tcg is the older way to say the same. */
static bool take_machine_accel(struct taking *t)
{
    const char *list = keyvals_get(&t->o->machine, "accel");
    char name[32];

    while (list && *list) {
        size_t n = strcspn(list, ":");
        snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), list);
        t->option = "-machine accel";
        t->at = t->argc; /* the text is a part of some argument: the caret has no place of its own */
        if (!try_accel(t, name))
            return false;
        list += n + (list[n] == ':');
    }
    return true;
}

/* Keys that scripts give for other emulators' boards. */
void settle_machine(struct taking *t)
{
    static const char *const inert[] = { "acpi", "aclint", "dump-guest-core", "graphics", "kernel-irqchip", "mem-merge",
                                         "usb", "vmport" };

    for (size_t i = 0; i < ARRAY_LEN(inert); i++) {
        const char *value = keyvals_get(&t->o->machine, inert[i]);
        if (value)
            strings_addf(&t->o->warnings, "-machine %s=%.80s changes nothing here", inert[i], value);
    }
}

bool settle_accel(struct taking *t)
{
    if (!take_machine_accel(t))
        return false;
    /* What runs twice must not see time pass, nor other harts, in between. */
    t->o->icount.on |= t->o->accel == ACCEL_CHECK;
    if (!t->o->accels_tried)
        return true;
    for (size_t k = 0; k < ARRAY_LEN(accels); k++)
        if (accels[k].state != HOST && (t->o->accels_tried & BIT(k)))
            return true;
    return error_set(
        t->e, "the accelerator is not available: Lyrebird emulates the guest's CPU and does not use the "
              "host's virtualization; use -accel interp, or leave it out");
}

bool options_print_list(const struct options *o, FILE *out)
{
    if (!strcmp(o->list, "jit")) {
        options_print_jit(out);
        return true;
    }
    if (strcmp(o->list, "accel") != 0)
        return false;
    fprintf(out, "Accelerators:\n");
    for (size_t i = 0; i < ARRAY_LEN(accels); i++)
        if (accels[i].help)
            fprintf(out, "%-8s %s\n", accels[i].name, accels[i].help);
    return true;
}

static const char *const smp_keys[] = {
    "cpus", "maxcpus", "drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads", NULL,
};

static bool count_cpus(struct taking *t, struct keyvals *kv)
{
    uint64_t cpus = 0, max = 0, product = 1, one;
    bool shaped = false;

    if (!keyvals_u64(kv, "cpus", &cpus, t->e) || !keyvals_u64(kv, "maxcpus", &max, t->e))
        return false;
    for (size_t i = 2; smp_keys[i]; i++) {
        one = 1;
        shaped |= keyvals_peek(kv, smp_keys[i]) != NULL;
        if (!keyvals_u64(kv, smp_keys[i], &one, t->e))
            return false;
        if (one < 1 || one > 4096 || product > 4096)
            return bad_argument(t, "'%s' must be 1 to 4096", smp_keys[i]);
        product *= one;
    }
    if (!keyvals_finish(kv, smp_keys, t->e))
        return false;
    if (!keyvals_peek(kv, "cpus"))
        cpus = max ? max : product;
    if (cpus < 1 || cpus > OPTIONS_MAX_CPUS)
        return bad_argument(t, "the number of CPUs must be 1 to %d, not %llu", OPTIONS_MAX_CPUS,
                            (unsigned long long)cpus);
    if (max && max < cpus)
        return bad_argument(t, "maxcpus is smaller than cpus");
    if (shaped && product < cpus)
        return bad_argument(t, "sockets * cores * threads gives %llu places for %llu CPUs",
                            (unsigned long long)product, (unsigned long long)cpus);
    t->o->cpus = (unsigned)cpus;
    return true;
}

bool take_smp(struct taking *t, const char *arg)
{
    struct keyvals kv;

    if (!keyvals_parse(&kv, t->option, arg, "cpus", t->e))
        return false;
    bool ok = count_cpus(t, &kv);
    keyvals_free(&kv);
    return ok;
}

bool take_memory(struct taking *t, const char *arg)
{
    static const char *const known[] = { "size", "slots", "maxmem", NULL };
    const uint64_t most = UINT64_C(1) << 44;
    struct keyvals kv;
    uint64_t size = 0;

    if (!keyvals_parse(&kv, t->option, arg, "size", t->e))
        return false;
    const char *text = keyvals_get(&kv, "size");
    if (keyvals_get(&kv, "slots") || keyvals_get(&kv, "maxmem"))
        strings_addf(&t->o->warnings, "-m slots= and maxmem= have no effect: memory cannot be plugged in");
    bool ok = keyvals_finish(&kv, known, t->e);
    if (ok && (!text || !parse_size(text, UINT64_C(1) << 20, &size)))
        ok = bad_argument(t, "a size in MiB, or with a suffix such as 512M or 4G, is needed");
    if (ok && (size == 0 || size > most))
        ok = bad_argument(t, "guest memory must be more than 0 and at most 16T");
    keyvals_free(&kv);
    if (ok)
        t->o->ram_size = (size + 4095) & ~UINT64_C(4095);
    return ok;
}

bool take_name(struct taking *t, const char *arg)
{
    static const char *const known[] = { "guest", "process", "debug-threads", NULL };
    struct keyvals *kv = &t->o->name_kv;

    keyvals_free(kv);
    if (!keyvals_parse(kv, "-name", arg, "guest", t->e))
        return false;
    for (size_t i = 0; known[i]; i++)
        keyvals_get(kv, known[i]);
    t->o->name = keyvals_get(kv, "guest");
    return keyvals_finish(kv, known, t->e);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *p = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return p ? (int)(p - digits) : -1;
}

bool take_uuid(struct taking *t, const char *arg)
{
    uint8_t uuid[16] = { 0 };
    bool ok = strlen(arg) == 36;
    size_t digit = 0;

    for (size_t i = 0; ok && i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        ok = dash ? arg[i] == '-' : hex_digit(arg[i]) >= 0;
        if (ok && !dash)
            uuid[digit / 2] |= (uint8_t)(hex_digit(arg[i]) << (digit % 2 ? 0 : 4));
        digit += !dash;
    }
    if (!ok)
        return bad_argument(t, "a UUID looks like 550e8400-e29b-41d4-a716-446655440000");
    memcpy(t->o->uuid, uuid, sizeof uuid);
    t->o->has_uuid = true;
    return true;
}

bool take_echr(struct taking *t, const char *arg)
{
    if (parse_u64(arg, &t->o->echr) && t->o->echr < 256)
        return true;
    return bad_argument(t, "a character as a number 0 to 255 is needed, such as 1 for Ctrl-A");
}

bool take_gdb_default(struct taking *t, const char *arg)
{
    t->o->gdb = "tcp::1234";
    return true;
}

static bool read_icount(struct taking *t, struct keyvals *kv)
{
    static const char *const known[] = { "shift", "align", "sleep", "rr", "rrfile", "rrsnapshot", NULL };
    const char *shift = keyvals_get(kv, "shift");
    uint64_t n = 0;

    t->o->icount.on = true;
    if (keyvals_peek(kv, "rr"))
        return keyvals_error(kv, "rr", t->e, "record and replay is not built in yet: leave rr= out");
    if (!keyvals_bool(kv, "align", &t->o->icount.align, t->e) ||
        !keyvals_bool(kv, "sleep", &t->o->icount.sleep, t->e) || !keyvals_finish(kv, known, t->e))
        return false;
    t->o->icount.automatic = shift && strcmp(shift, "auto") == 0;
    if (t->o->icount.automatic || !shift)
        return true;
    if (!parse_u64(shift, &n) || n > 10)
        return keyvals_error(kv, "shift", t->e, "shift takes auto or 0 to 10, not '%.80s'", shift);
    t->o->icount.shift = (unsigned)n;
    return true;
}

bool take_icount(struct taking *t, const char *arg)
{
    struct keyvals kv;

    if (!keyvals_parse(&kv, t->option, arg, "shift", t->e))
        return false;
    bool ok = read_icount(t, &kv);
    keyvals_free(&kv);
    return ok;
}

/* 2006-06-17 or 2006-06-17T16:01:21, in UTC. */
static bool parse_date(const char *text, int64_t *out)
{
    struct tm tm = { 0 };
    int end = 0;

    int n = sscanf(text, "%4d-%2d-%2d%nT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &end,
                   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end);
    if ((n != 3 && n != 6) || text[end])
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    struct tm asked = tm;
    *out = timegm(&tm);
    return tm.tm_mday == asked.tm_mday && tm.tm_mon == asked.tm_mon && tm.tm_hour == asked.tm_hour
        && tm.tm_min == asked.tm_min && tm.tm_sec == asked.tm_sec;
}

static bool read_rtc(struct taking *t, struct keyvals *kv)
{
    static const struct choice clocks[] = { { "host", RTC_HOST }, { "rt", RTC_RT }, { "vm", RTC_VM } };
    static const struct choice drifts[] = { { "none", 0 }, { "slew", 1 } };
    static const char *const known[] = { "base", "clock", "driftfix", NULL };
    const char *base = keyvals_get(kv, "base"), *clock = keyvals_get(kv, "clock");
    const char *drift = keyvals_get(kv, "driftfix");
    int value = RTC_HOST;

    if (!keyvals_finish(kv, known, t->e) || (clock && !CHOOSE(t, "clock", clock, clocks, &value)))
        return false;
    t->o->rtc.clock = (enum rtc_clock)value;
    if (drift && !CHOOSE(t, "driftfix", drift, drifts, &value))
        return false;
    t->o->rtc.base = RTC_UTC;
    if (!base || strcmp(base, "utc") == 0)
        return true;
    t->o->rtc.base = RTC_LOCALTIME;
    if (strcmp(base, "localtime") == 0)
        return true;
    t->o->rtc.base = RTC_DATE;
    return parse_date(base, &t->o->rtc.date)
        || keyvals_error(kv, "base", t->e, "base takes utc, localtime, 2006-06-17 or 2006-06-17T16:01:21");
}

bool take_rtc(struct taking *t, const char *arg)
{
    struct keyvals kv;

    if (!keyvals_parse(&kv, t->option, arg, "base", t->e))
        return false;
    bool ok = read_rtc(t, &kv);
    keyvals_free(&kv);
    return ok;
}

bool take_no_reboot(struct taking *t, const char *arg)
{
    t->o->on_reboot = REBOOT_SHUTDOWN;
    return true;
}

bool take_no_shutdown(struct taking *t, const char *arg)
{
    t->o->on_shutdown = SHUTDOWN_PAUSE;
    return true;
}

static const struct choice reboots[] = { { "reset", REBOOT_RESET }, { "shutdown", REBOOT_SHUTDOWN } };
static const struct choice shutdowns[] = { { "poweroff", SHUTDOWN_POWEROFF }, { "pause", SHUTDOWN_PAUSE } };
static const struct choice panics[] = {
    { "shutdown", PANIC_SHUTDOWN }, { "pause", PANIC_PAUSE }, { "exit-failure", PANIC_EXIT_FAILURE },
    { "none", PANIC_NONE },
};
static const struct choice watchdogs[] = {
    { "reset", WATCHDOG_RESET }, { "shutdown", WATCHDOG_SHUTDOWN }, { "poweroff", WATCHDOG_POWEROFF },
    { "pause", WATCHDOG_PAUSE }, { "debug", WATCHDOG_DEBUG }, { "none", WATCHDOG_NONE },
    { "inject-nmi", WATCHDOG_INJECT_NMI },
};

static bool read_action(struct taking *t, struct keyvals *kv)
{
    static const char *const known[] = { "reboot", "shutdown", "panic", "watchdog", NULL };
    const char *reboot = keyvals_get(kv, "reboot"), *shut = keyvals_get(kv, "shutdown");
    const char *panic = keyvals_get(kv, "panic"), *dog = keyvals_get(kv, "watchdog");
    int r = t->o->on_reboot, s = t->o->on_shutdown, p = t->o->on_panic, w = t->o->on_watchdog;

    if (!keyvals_finish(kv, known, t->e) || (reboot && !CHOOSE(t, "action", reboot, reboots, &r)) ||
        (shut && !CHOOSE(t, "action", shut, shutdowns, &s)) ||
        (panic && !CHOOSE(t, "action", panic, panics, &p)) ||
        (dog && !CHOOSE(t, "action", dog, watchdogs, &w)))
        return false;
    t->o->on_reboot = (enum on_reboot)r;
    t->o->on_shutdown = (enum on_shutdown)s;
    t->o->on_panic = (enum on_panic)p;
    t->o->on_watchdog = (enum on_watchdog)w;
    return true;
}

bool take_action(struct taking *t, const char *arg)
{
    struct keyvals kv;

    if (!keyvals_parse(&kv, t->option, arg, NULL, t->e))
        return false;
    bool ok = read_action(t, &kv);
    keyvals_free(&kv);
    return ok;
}

bool take_watchdog_action(struct taking *t, const char *arg)
{
    int value = t->o->on_watchdog;

    if (!CHOOSE(t, "action", arg, watchdogs, &value))
        return false;
    t->o->on_watchdog = (enum on_watchdog)value;
    return true;
}
