/* run-options.c - see run-options.h. */
#include "run-options.h"

#include <stddef.h>
#include <string.h>

#include "nearest.h"
#include "path.h"

struct row {
    const char *name;       /* without dashes; both -name and --name are taken */
    const char *value;      /* what the value is called, or NULL for a switch */
    size_t field;
    const char *help;
};

#define FIELD(f) offsetof(struct run_options, f)

static const struct row rows[] = {
    { "smp", "N", FIELD(smp), "CPUs (1)" },
    { "m", "SIZE", FIELD(memory), "memory, such as 512M or 2G (1G)" },
    { "root", "SIZE", FIELD(root), "a Debian root file system on a disk of SIZE, made at the first run" },
    { "disk", "FILE", FIELD(disk), "where that disk is, instead of the user's data directory" },
    { "append", "TEXT", FIELD(append), "more words for the kernel's command line" },
    { "jit", "WORD,...", FIELD(jit), "look at the JIT, or switch parts of it off; help lists the words" },
    { "forward", "RULE", FIELD(forward), "reach the guest: tcp::2222-:22 leads the host's port 2222 to its 22" },
    { "initrd", "FILE", FIELD(initrd), "an initramfs for a kernel" },
    { "arch", "NAME", FIELD(arch), "riscv64, riscv32, x86_64 or i386, when the file does not tell" },
    { "persist", NULL, FIELD(persist),
      "let the guest change the image (without it, changes are dropped at the end)" },
    { "snapshot", NULL, FIELD(snapshot), "drop changes to a --root disk, too" },
    { "mirror", "URL", FIELD(mirror), "a Debian archive, instead of the one that this host's apt uses" },
    { "refresh", NULL, FIELD(refresh), "look for newer packages" },
    { "dry-run", NULL, FIELD(dry_run), "print the lyrebird-system command and stop" },
    { "ci", NULL, FIELD(ci), "no input; the status says how the guest ended: see `lyrebird test --help`" },
    { "q", NULL, FIELD(quiet), "no progress, and a quiet kernel" },
    { "h", NULL, FIELD(help), "this help" },
    { "help", NULL, FIELD(help), NULL },
};

enum { ROWS = sizeof rows / sizeof rows[0] };

void run_options_help(FILE *out)
{
    fputs("Usage: lyrebird run [OPTION...] debian | FILE [-- OPTION-OF-lyrebird-system...]\n"
          "Boots Debian (fetched from its signed archive and kept in the cache), a kernel, an ELF file or a\n"
          "disk image.\n\n", out);
    for (int i = 0; i < ROWS; i++) {
        char left[40];
        if (!rows[i].help)
            continue;
        snprintf(left, sizeof left, "%s%s%s%s", strlen(rows[i].name) == 1 ? "-" : "--", rows[i].name,
                 rows[i].value ? " " : "", rows[i].value ? rows[i].value : "");
        fprintf(out, "  %-15s %s\n", left, rows[i].help);
    }
}

static bool unknown(int argc, char **argv, int at, const char *name, struct error *e)
{
    struct bytes line = { 0 };
    struct nearest near;
    size_t start = 0;

    nearest_init(&near, name);
    for (int i = 0; i < ROWS; i++)
        nearest_try(&near, rows[i].name);
    bytes_addf(&line, "lyrebird");
    for (int i = 0; i < argc; i++) {
        bytes_addf(&line, " ");
        start = i == at ? line.len : start;
        bytes_addf(&line, "%s", argv[i]);
    }
    error_set(e, "unknown option '%s'", argv[at]);
    nearest_suggest(&near, near.best && strlen(near.best) == 1 ? "-" : "--", e);
    caret_add(e, line.data, start, strlen(argv[at]));
    bytes_free(&line);
    return false;
}

static const struct row *find_row(const char *name, size_t len)
{
    for (int i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

/* Returns how many words were used, or 0 after an error. "-m 1G", "--m=1G" and "-smp 2" are all taken. */
static int take(struct run_options *o, int argc, char **argv, int at, struct error *e)
{
    const char *name = argv[at] + (argv[at][1] == '-' ? 2 : 1);
    size_t len = strcspn(name, "=");
    const struct row *row = find_row(name, len);

    if (!row) {
        unknown(argc, argv, at, name, e);
        return 0;
    }
    void *field = (char *)o + row->field;
    if (!row->value) {
        if (name[len])
            error_set(e, "the option '%s' takes no value", argv[at]);
        *(bool *)field = true;
        return !name[len];
    }
    if (!name[len] && at + 1 >= argc) {
        error_set(e, "the option '%s' needs a value: %s %s", argv[at], argv[at], row->value);
        return 0;
    }
    *(const char **)field = name[len] ? name + len + 1 : argv[at + 1];
    return name[len] ? 1 : 2;
}

static bool check(const struct run_options *o, struct error *e)
{
    if (o->help)
        return true;
    if (!o->what)
        return error_set(e, "what is to be run? Give `debian`, a kernel, an ELF file or a disk image; "
                            "`lyrebird run --help` has more");
    if (o->persist && o->snapshot)
        return error_set(
            e, "--persist keeps the guest's changes and --snapshot drops them: give one of the two");
    if (strcmp(o->what, "debian") != 0 && (o->root || o->disk))
        return error_set(e, "%s goes with `run debian` only", o->root ? "--root" : "--disk");
    return true;
}

bool run_options_parse(struct run_options *o, int argc, char **argv, struct error *e)
{
    *o = (struct run_options){ 0 };
    for (int i = 1; i < argc;) {
        if (strcmp(argv[i], "--") == 0) {
            o->rest = argv + i + 1;
            o->rest_count = argc - i - 1;
            break;
        }
        if (argv[i][0] == '-' && argv[i][1]) {
            int n = take(o, argc, argv, i, e);
            if (!n)
                return false;
            i += n;
        } else if (o->what) {
            return error_set(
                e,
                "one thing at a time: '%s' and '%s' can not both be run; options for the machine "
                "come after --",
                o->what, argv[i]);
        } else {
            o->what = argv[i++];
        }
    }
    return check(o, e);
}
