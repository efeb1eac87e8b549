/*
 * The doors: `lyrebird VERB ...`, and lyrebird-system-GUEST, which are links to the same program.
 */
#include <stdio.h>
#include <string.h>

#include "nearest.h"
#include "system.h"
#include "verb-doctor.h"
#include "verb-run.h"
#include "verb-symbols.h"
#include "verb-test.h"

static int verb_help(int argc, char **argv);

static const struct verb {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} verbs[] = {
    { "run", "boot something: `run debian`, or any kernel, firmware or disk image", verb_run },
    { "test", "run boot tests: start a machine, watch and type at its serial line", verb_test },
    { "symbols", "a kernel's symbols, for GDB", verb_symbols },
    { "doctor", "say what this computer lacks, and how to get it", verb_doctor },
    { "help", "show this", verb_help },
};

static int verb_help(int argc, char **argv)
{
    printf("Lyrebird runs whole RISC-V machines.\n\nusage: lyrebird VERB ...\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        printf("  %-8s %s\n", verbs[i].name, verbs[i].summary);
    printf("\nlyrebird VERB --help says more. lyrebird-system-riscv64 and -riscv32 take QEMU's options.\n");
    return 0;
}

static int unknown_verb(const char *word)
{
    struct error e;
    struct nearest n;

    error_set(&e, "lyrebird: there is no verb '%s'", word);
    nearest_init(&n, word);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        nearest_try(&n, verbs[i].name);
    nearest_suggest(&n, "", &e);
    fprintf(stderr, "%s\n`lyrebird help` lists them.\n", e.text);
    return 2;
}

int main(int argc, char **argv)
{
    static const char door[] = "lyrebird-system-";
    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];

    if (!strncmp(name, door, strlen(door)))
        return system_main(name + strlen(door), argc, argv);
    if (argc < 2 || !strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
        return verb_help(argc, argv);
    if (!strcmp(argv[1], "-version") || !strcmp(argv[1], "--version"))
        return system_main("riscv64", argc, argv);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!strcmp(argv[1], verbs[i].name))
            return verbs[i].run(argc - 1, argv + 1);
    }
    return unknown_verb(argv[1]);
}
