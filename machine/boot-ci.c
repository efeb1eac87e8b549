/* boot-ci.c - see boot-ci.h. */
#include "boot-ci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "boot-run.h"

enum { RESETS = 3 };

int boot_ci(const char *arch, const struct strings *argv)
{
    struct boot_script *script = alloc_zeroed(sizeof *script);
    struct boot_result *result = alloc_zeroed(sizeof *result);
    struct boot_case c = { .script = script, .argv = *argv, .xlen = strcmp(arch, "riscv32") ? 64 : 32 };
    int status = BOOT_STATUS_ERROR;
    struct error e;

    *script =
        (struct boot_script){ .resets = RESETS, .panic = true, .oops = true, .until_exit = true, .outside = true };
    if (strncmp(arch, "riscv", 5))
        fprintf(stderr, "lyrebird run: %s guests are not supported yet\n", arch);
    else if (!boot_run_here(&c, stdout, false, result, &e))
        fprintf(stderr, "lyrebird run: %s\n", e.text);
    else
        status = boot_status_of(result->verdict);
    fflush(stdout);
    if (status != BOOT_STATUS_PASS && result->why[0])
        fprintf(stderr, "lyrebird run: %s\n%s", result->why, result->backtrace);
    free(result);
    free(script);
    return status;
}
