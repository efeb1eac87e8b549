/* verb-test.c - see verb-test.h. */
#include "verb-test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "boot-report.h"
#include "nearest.h"

struct test_options {
    unsigned jobs;
    const char *junit, *logs;
    bool list, help;
    char **file;
    int files;
};

static const char help_text[] =
    "Usage: lyrebird test [OPTION...] FILE...\n"
    "Boots what each FILE describes, checks what it says on its serial line, and reports in TAP.\n\n"
    "  -j N            run N cases at a time (1)\n"
    "  --junit FILE    write the results as JUnit's XML, too\n"
    "  --logs DIR      keep each case's serial output, with guest times, as DIR/CASE.log\n"
    "  --list          print the cases and their machines, and run nothing\n"
    "  --help          this help\n\n"
    "Status, the worst case deciding: 0 pass, 77 all skipped, 1 failed, 124 time limit, 3 guest panic,\n"
    "6 reset loop, 5 guest dead, 125 emulator error; 2 when a FILE or an option is wrong.\n";

static bool take_jobs(struct test_options *o, const char *text, struct error *e)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || *end || n < 1 || n > 64)
        return error_set(e, "-j %s: a number from 1 to 64", text);
    o->jobs = (unsigned)n;
    return true;
}

static bool unknown_option(const char *word, struct error *e)
{
    static const char *const known[] = { "j", "junit", "logs", "list", "help" };
    struct nearest near;

    nearest_init(&near, word + strspn(word, "-"));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        nearest_try(&near, known[i]);
    error_set(e, "unknown option '%s'", word);
    nearest_suggest(&near, near.best && strlen(near.best) == 1 ? "-" : "--", e);
    return false;
}

/* The value of option argv[*i], "--name VALUE" or "--name=VALUE"; NULL when it is another option. */
static const char *value_of(int argc, char **argv, int *i, const char *name, bool *missing)
{
    const char *word = argv[*i] + 1 + (argv[*i][1] == '-');
    size_t len = strlen(name);

    if (strncmp(word, name, len) || (word[len] && word[len] != '='))
        return NULL;
    if (word[len])
        return word + len + 1;
    *missing = *i + 1 >= argc;
    return *missing ? "" : argv[++*i];
}

static bool take_option(struct test_options *o, int argc, char **argv, int *i, struct error *e)
{
    const char *word = argv[*i], *value;
    bool missing = false, ok = true;

    if (!strcmp(word, "-h") || !strcmp(word, "--help") || !strcmp(word, "-help")) {
        o->help = true;
    } else if (!strcmp(word, "--list") || !strcmp(word, "-list")) {
        o->list = true;
    } else if ((value = value_of(argc, argv, i, "junit", &missing))) {
        o->junit = value;
    } else if ((value = value_of(argc, argv, i, "logs", &missing))) {
        o->logs = value;
    } else if ((value = value_of(argc, argv, i, "j", &missing))) {
        ok = missing || take_jobs(o, value, e);
    } else if (word[1] == 'j' && word[2] >= '0' && word[2] <= '9') {
        ok = take_jobs(o, word + 2, e);
    } else {
        return unknown_option(word, e);
    }
    return ok && (!missing || error_set(e, "the option '%s' needs a value", word));
}

static bool parse(struct test_options *o, int argc, char **argv, struct error *e)
{
    bool only_files = false;

    *o = (struct test_options){ .jobs = 1, .file = alloc_array((size_t)argc, sizeof *o->file) };
    for (int i = 1; i < argc; i++) {
        if (!only_files && !strcmp(argv[i], "--"))
            only_files = true;
        else if (only_files || argv[i][0] != '-' || !argv[i][1])
            o->file[o->files++] = argv[i];
        else if (!take_option(o, argc, argv, &i, e))
            return false;
    }
    return o->help || o->files || error_set(e, "which tests? Give boot-test files; `lyrebird test --help` has more");
}

static int list(const struct boot_suite *s)
{
    for (size_t i = 0; i < s->count; i++) {
        printf("%s:", s->item[i].name);
        for (size_t k = 0; k < s->item[i].argv.count; k++)
            printf(" %s", s->item[i].argv.item[k]);
        printf("\n");
    }
    return 0;
}

/* Case names are names of logs. */
static bool check_names(const struct boot_suite *s, struct error *e)
{
    for (size_t i = 0; i < s->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!strcmp(s->item[i].name, s->item[k].name))
                return error_set(e, "%s and %s both have a case '%s': give one of them a name = \"...\" of its own",
                                 s->item[k].file, s->item[i].file, s->item[i].name);
        }
    }
    return true;
}

static void case_ended(void *owner, size_t n, const struct boot_case *c, const struct boot_outcome *o)
{
    boot_tap_case(stdout, n, c, o);
}

static int run(const struct test_options *o, struct boot_suite *s)
{
    struct boot_outcome *outcomes = alloc_array(s->count, sizeof *outcomes);
    struct boot_run r = { .suite = s, .jobs = o->jobs, .logs = o->logs, .ended = case_ended };
    struct error e;

    boot_tap_plan(stdout, s->count);
    bool ok = (!o->logs || path_make_dirs(o->logs, &e)) && boot_run(&r, outcomes, &e) &&
              (!o->junit || boot_junit_write(o->junit, s, outcomes, &e));
    int status = ok ? (int)boot_worst(outcomes, s->count) : BOOT_STATUS_ERROR;
    if (!ok) {
        printf("Bail out! %s\n", e.text);
        fprintf(stderr, "lyrebird test: %s\n", e.text);
    }
    boot_outcomes_free(outcomes, s->count);
    free(outcomes);
    return status;
}

static int test(const struct test_options *o)
{
    struct boot_suite s = { 0 };
    struct error e;
    int status = BOOT_STATUS_USAGE;
    bool ok = true;

    for (int i = 0; i < o->files && ok; i++)
        ok = boot_suite_add(&s, o->file[i], &e);
    ok = ok && check_names(&s, &e);
    if (!ok)
        fprintf(stderr, "lyrebird test: %s\n", e.text);
    else
        status = o->list ? list(&s) : run(o, &s);
    boot_suite_free(&s);
    return status;
}

int verb_test(int argc, char **argv)
{
    struct test_options o;
    struct error e;
    int status = BOOT_STATUS_USAGE;

    if (!parse(&o, argc, argv, &e)) {
        fprintf(stderr, "lyrebird test: %s\n", e.text);
    } else if (o.help) {
        fputs(help_text, stdout);
        status = 0;
    } else {
        status = test(&o);
    }
    free(o.file);
    return status;
}
