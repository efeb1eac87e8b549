#include "system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa.h"
#include "machine.h"
#include "options.h"
#include "peripherals.h"

static const struct {
    const char *arch;
    unsigned xlen;
} guests[] = { { "riscv64", 64 }, { "riscv32", 32 } };

static unsigned xlen_of(const char *arch)
{
    for (size_t i = 0; i < sizeof guests / sizeof guests[0]; i++) {
        if (!strcmp(guests[i].arch, arch))
            return guests[i].xlen;
    }
    return 0;
}

static void list_boards(unsigned xlen)
{
    printf("Supported machines are:\n");
    for (const struct board *const *b = boards; *b; b++) {
        if ((*b)->xlens & xlen)
            printf("%-20s %s%s\n", (*b)->name, (*b)->summary, b == boards ? " (default)" : "");
    }
}

static void list_cpus(unsigned xlen)
{
    printf("Available CPUs:\n  rv%u\n  max\n", xlen);
    if (xlen == 64)
        printf("  rva20s64\n  rva22s64\n");
    printf("Extensions, as -cpu NAME,EXT=on|off:\n ");
    for (unsigned i = 0; i < RV_EXT_COUNT; i++)
        printf(" %s", rv_ext_name(i));
    printf("\n");
}

static bool list(const struct options *o, unsigned xlen)
{
    if (!strcmp(o->list, "machine"))
        list_boards(xlen);
    else if (!strcmp(o->list, "cpu"))
        list_cpus(xlen);
    else if (!strcmp(o->list, "device"))
        peripherals_list(stdout);
    else
        return options_print_list(o, stdout);
    return true;
}

static int run(struct options *o, unsigned xlen, struct error *e)
{
    struct machine *m = machine_new(o, xlen, e);

    if (!m)
        return -1;
    int status = machine_run(m);
    machine_free(m);
    return status;
}

static int act(struct options *o, const char *arch, struct error *e)
{
    unsigned xlen = xlen_of(arch);

    for (size_t i = 0; i < o->warnings.count; i++)
        fprintf(stderr, "%s: warning: %s\n", o->program, o->warnings.item[i]);
    switch (o->action) {
    case OPTIONS_HELP: options_print_help(o, stdout); return 0;
    case OPTIONS_VERSION: options_print_version(stdout); return 0;
    default: break;
    }
    if (!xlen) {
        error_set(e, "%s guests are not supported yet; there are lyrebird-system-riscv64 and -riscv32", arch);
        return -1;
    }
    if (o->action == OPTIONS_RUN)
        return run(o, xlen, e);
    if (list(o, xlen))
        return 0;
    error_set(e, "-%s help: there is no such list", o->list);
    return -1;
}

int system_main(const char *arch, int argc, char **argv)
{
    struct options o = { 0 };
    struct error e = { "" };
    int status = -1;

    if (options_parse(&o, argc, argv, &e))
        status = act(&o, arch, &e);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", o.program ? o.program : argv[0], e.text);
    options_free(&o);
    return status < 0 ? 1 : status;
}
