/*
 * options.h - the command line of the lyrebird-system-GUEST doors, in the form that QEMU's documentation
 * gives ("Invocation"), turned into typed fields and lists. The rows are in options.def.
 *
 * Texts borrow from argv, which must outlive the options. Nothing here opens a file, prints or exits.
 */
#ifndef MACHINE_OPTIONS_H
#define MACHINE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"
#include "jit-config.h"
#include "keyvals.h"
#include "path.h"

#define OPTIONS_MAX_CPUS 8
#define OPTIONS_DEFAULT_RAM (UINT64_C(128) << 20)

struct boot_test;

enum options_action {
    OPTIONS_RUN,
    OPTIONS_HELP,    /* options_print_help, status 0 */
    OPTIONS_VERSION, /* options_print_version, status 0 */
    OPTIONS_LIST,    /* print what `list` ("machine", "cpu", "device", ...) offers, status 0 */
};

enum option_kind {
    OPTION_BLOCKDEV, OPTION_BOOT, OPTION_CHARDEV, OPTION_DATA_DIR, OPTION_DEVICE, OPTION_DRIVE, OPTION_FSDEV,
    OPTION_FW_CFG, OPTION_GLOBAL, OPTION_MON, OPTION_MONITOR, OPTION_NET, OPTION_NETDEV, OPTION_NIC, OPTION_OBJECT,
    OPTION_PARALLEL, OPTION_QMP, OPTION_SEMIHOSTING, OPTION_SERIAL, OPTION_SMBIOS, OPTION_VIRTFS,
};

/* One occurrence of an option that may come more than once. */
struct option_item {
    enum option_kind kind;
    const char *option; /* as a message names it: "-drive" */
    const char *text;   /* as the user wrote it; for -hda and its like, the -drive text that it stands for */
    struct keyvals kv;  /* empty for -serial, -parallel and -L, whose texts are not key-value lists */
    bool taken;
};

enum accel { ACCEL_JIT, ACCEL_INTERP, ACCEL_CHECK }; /* the default first */

enum rtc_base { RTC_UTC, RTC_LOCALTIME, RTC_DATE };
enum rtc_clock { RTC_HOST, RTC_RT, RTC_VM };
enum on_reboot { REBOOT_RESET, REBOOT_SHUTDOWN };
enum on_shutdown { SHUTDOWN_POWEROFF, SHUTDOWN_PAUSE };
enum on_panic { PANIC_SHUTDOWN, PANIC_PAUSE, PANIC_EXIT_FAILURE, PANIC_NONE };
enum on_watchdog {
    WATCHDOG_RESET, WATCHDOG_SHUTDOWN, WATCHDOG_POWEROFF, WATCHDOG_PAUSE, WATCHDOG_DEBUG, WATCHDOG_NONE,
    WATCHDOG_INJECT_NMI,
};

struct options {
    const char *program; /* last part of argv[0] */
    const char *guest;   /* what follows "-system-" in it, or "riscv64" */
    enum options_action action;
    const char *list;

    struct keyvals machine; /* all -machine texts together; the board is the key "type" */
    const char *cpu;        /* NULL: the board's default */
    unsigned cpus;
    uint64_t ram_size; /* bytes, a multiple of 4096 */
    enum accel accel;
    struct jit_config jit;
    struct strings jit_insns; /* -jit off=: words that are for the guest's CPU to know */

    const char *bios; /* NULL or "default": the board's; "none" */
    const char *kernel, *initrd, *append, *dtb;

    struct option_item *item; /* in command-line order; see options_next */
    size_t items;

    bool snapshot, nographic, nodefaults, no_user_config, start_paused, semihosting;
    const char *display, *vga, *vnc, *gdb; /* NULL when not given */
    const char *log_items, *log_file;                      /* -d, -D */
    const char *trace;                                     /* -t: names for trace_enable */
    const char *name, *pidfile;
    bool has_uuid;
    uint8_t uuid[16];
    uint64_t echr; /* the escape character, 1 (Ctrl-A) when not given */

    struct {
        bool on, automatic, sleep, align;
        unsigned shift; /* an instruction takes 2^shift ns */
    } icount;
    struct {
        enum rtc_base base;
        enum rtc_clock clock;
        int64_t date; /* RTC_DATE: seconds since 1970 */
    } rtc;
    enum on_reboot on_reboot;
    enum on_shutdown on_shutdown;
    enum on_panic on_panic;
    enum on_watchdog on_watchdog;

    struct boot_test *test; /* has the first serial line and judges the run; not from the command line; or NULL */
    const char *symbols;    /* where the guest's names are, instead of the kernel; not from the command line; or NULL */

    struct strings warnings; /* main prints each behind "PROGRAM: warning: " */
    uint64_t accels_tried;   /* private: which -accel choices were named */
    struct keyvals name_kv;  /* private: what `name` points into */
};

/* Fails with a message for the user; `o` must be freed in either case. */
bool options_parse(struct options *o, int argc, char **argv, struct error *e);
void options_free(struct options *o);

/* The first item of this kind behind `prev` (NULL: the first of all), marked as taken; NULL at the end. */
struct option_item *options_next(struct options *o, enum option_kind kind, struct option_item *prev);

/* Call it when the machine is built: fails when an item was never taken, so that no option is lost in
 * silence. */
bool options_finish(const struct options *o, struct error *e);

void options_print_help(const struct options *o, FILE *out);
void options_print_version(FILE *out);

/* What is listed without a machine: -accel help. False when `list` is somebody else's. */
void options_print_jit(FILE *out);
bool options_print_list(const struct options *o, FILE *out);

#endif
