/*
 * boot-file.c - see boot-file.h: from a file's tables to the command lines of its cases.
 *
 * A boot test must not depend on what the host does: time is virtual, disks are snapshots, and a network is closed
 * towards the host (and without IPv6, whose router advertisements libslirp sends at random times).
 */
#include "boot-file.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "boot-file-priv.h"
#include "debian.h"
#include "progress.h"
#include "verb-run.h"

enum { BYTES_MAX = 1 << 20, CASES_MAX = 1000 };

static const struct toml_value one_cpu = { .kind = TOML_INTEGER, .number = 1 };
static const char default_memory[] = "512M";

/* ---- file names ---- */

/* The value of ${NAME}; a variable that is not set makes the case skipped. */
static bool expand_variable(struct boot_case *c, const char **p, struct bytes *out, struct error *e)
{
    const char *start = *p + 2, *end = strchr(start, '}');

    if (!end || end == start)
        return error_set(e, "'%s': write ${NAME}", *p);
    char *name = alloc_format("%.*s", (int)(end - start), start);
    const char *value = getenv(name);
    if (value && *value)
        bytes_addf(out, "%s", value);
    else if (!c->skip)
        c->skip = alloc_format("the variable %s is not set", name);
    free(name);
    *p = end + 1;
    return true;
}

/* A file name of the test's: variables replaced, relative to the test's folder. */
static bool file_name(const struct boot_file *f, struct boot_case *c, const char *text, struct bytes *out,
                      struct error *e)
{
    if (text[0] != '/' && strncmp(text, "${", 2))
        bytes_addf(out, "%s", f->folder.s);
    while (*text) {
        if (!strncmp(text, "${", 2)) {
            if (!expand_variable(c, &text, out, e))
                return false;
        } else {
            bytes_add(out, text++, 1);
        }
    }
    return true;
}

/* ---- command lines ---- */

static void add(struct boot_case *c, const char *option, const char *value)
{
    strings_add(&c->argv, option);
    if (value)
        strings_add(&c->argv, value);
}

static bool add_file(const struct boot_file *f, struct boot_case *c, const char *option, const char *text,
                     struct error *e)
{
    struct bytes name = { 0 };
    bool plain = !strcmp(option, "-bios") && text && (!strcmp(text, "none") || !strcmp(text, "default"));

    if (!text)
        return true;
    bool ok = plain || file_name(f, c, text, &name, e);
    if (ok)
        add(c, option, plain ? text : name.data);
    bytes_free(&name);
    return ok;
}

static bool add_disk(const struct boot_file *f, struct boot_case *c, unsigned n, struct error *e)
{
    struct bytes name = { 0 }, drive = { 0 };
    bool ok = file_name(f, c, f->vm.disk[n], &name, e);

    bytes_addf(&drive, "if=none,format=raw,snapshot=on,id=d%u,file=", n);
    for (const char *p = ok ? name.data : ""; *p; p++)
        bytes_addf(&drive, "%s%c", *p == ',' ? "," : "", *p);
    add(c, "-drive", drive.data);
    strings_add(&c->argv, "-device");
    strings_addf(&c->argv, "virtio-blk-device,drive=d%u", n);
    bytes_free(&name);
    bytes_free(&drive);
    return ok;
}

static void add_network(const struct boot_file *f, struct boot_case *c)
{
    if (!f->vm.network) {
        add(c, "-net", "none");
        return;
    }
    add(c, "-netdev", f->vm.open_network ? "user,id=n0" : "user,id=n0,restrict=on,ipv6=off");
    add(c, "-device", "virtio-net-device,netdev=n0");
}

static void add_debian(struct boot_suite *s, const struct boot_file *f, struct boot_case *c)
{
    add(c, "-kernel", s->kernel.s);
    add(c, "-initrd", s->initrd.s);
    add(c, "-device", "virtio-rng-device");
    strings_add(&c->argv, "-append");
    strings_addf(&c->argv, "console=ttyS0 TERM=dumb lyrebird.size=50x400 %s%s%s", verb_run_lean_boot,
                 f->vm.append ? " " : "", f->vm.append ? f->vm.append : "");
}

static bool add_guest(struct boot_suite *s, const struct boot_file *f, struct boot_case *c, struct error *e)
{
    const struct boot_vm *vm = &f->vm;

    if (vm->debian) {
        add_debian(s, f, c);
        return true;
    }
    if (vm->append)
        add(c, "-append", vm->append);
    return add_file(f, c, "-bios", vm->bios, e) && add_file(f, c, "-kernel", vm->kernel, e) &&
           add_file(f, c, "-initrd", vm->initrd, e) && add_file(f, c, "-dtb", vm->dtb, e);
}

static bool add_symbols(const struct boot_file *f, struct boot_case *c, struct error *e)
{
    struct bytes name = { 0 };

    if (!f->vm.symbols)
        return true;
    bool ok = file_name(f, c, f->vm.symbols, &name, e);
    c->symbols = alloc_text(ok ? name.data : "");
    bytes_free(&name);
    return ok;
}

static bool add_line(struct boot_suite *s, const struct boot_file *f, struct boot_case *c,
                     const struct toml_value *cpus, const char *memory, struct error *e)
{
    const struct boot_vm *vm = &f->vm;

    strings_addf(&c->argv, "lyrebird-system-riscv%u", c->xlen);
    add(c, "-M", vm->machine ? vm->machine : "virt");
    add(c, "-display", "none");
    add(c, "-m", memory);
    strings_add(&c->argv, "-smp");
    strings_addf(&c->argv, "%" PRId64, cpus->number);
    if (vm->cpu)
        add(c, "-cpu", vm->cpu);
    if (!vm->real_time) {
        strings_add(&c->argv, "-icount");
        strings_addf(&c->argv, "shift=%" PRId64, vm->shift);
    }
    add_network(f, c);
    for (unsigned i = 0; i < vm->disks; i++) {
        if (!add_disk(f, c, i, e))
            return false;
    }
    if (!add_guest(s, f, c, e) || !add_symbols(f, c, e))
        return false;
    for (size_t i = 0; vm->options && i < vm->options->items; i++)
        strings_add(&c->argv, vm->options->item[i].text);
    return true;
}

/* ---- Debian ---- */

static void find_debian(struct boot_suite *s)
{
    struct progress progress;
    struct debian d = { .arch = "riscv64", .progress = &progress };
    struct debian_kernel kernel;

    if (s->debian_tried)
        return;
    progress_init(&progress, stderr, true);
    s->debian_tried = true;
    s->debian_there = debian_open(&d, &s->debian_error) && debian_kernel(&d, &kernel, &s->debian_error);
    if (s->debian_there) {
        s->kernel = kernel.image;
        s->initrd = kernel.initrd;
    }
    debian_close(&d);
}

/* ---- cases ---- */

static size_t points(const struct toml_value *axis)
{
    return axis && axis->kind == TOML_ARRAY ? axis->items : 1;
}

static const struct toml_value *point(const struct toml_value *axis, size_t n, const struct toml_value *otherwise)
{
    return !axis ? otherwise : axis->kind == TOML_ARRAY ? &axis->item[n] : axis;
}

static char *case_name(const struct boot_file *f, const struct toml_value *cpus, const char *memory)
{
    bool by_cpus = points(f->vm.cpus) > 1, by_memory = points(f->vm.memory) > 1;
    struct bytes b = { 0 };

    bytes_addf(&b, "%s", f->name);
    if (by_cpus)
        bytes_addf(&b, "[cpus=%" PRId64 "%s", cpus->number, by_memory ? "" : "]");
    if (by_memory)
        bytes_addf(&b, "%smemory=%s]", by_cpus ? "," : "[", memory);
    char *name = alloc_text(b.data);
    bytes_free(&b);
    return name;
}

static bool add_case(struct boot_suite *s, struct boot_file *f, const struct toml_value *cpus, const char *memory,
                     struct error *e)
{
    if (s->count == CASES_MAX)
        return error_set(e, "%s: more than %d cases", f->path.s, CASES_MAX);
    s->item = alloc_resize(s->item, s->count + 1, sizeof *s->item);
    struct boot_case *c = &s->item[s->count++];
    *c = (struct boot_case){ .name = case_name(f, cpus, memory),
                             .file = f->path.s,
                             .script = &f->script,
                             .xlen = f->vm.arch && !strcmp(f->vm.arch, "riscv32") ? 32 : 64,
                             .host_limit = f->host_limit };
    if (f->skip)
        c->skip = alloc_text(*f->skip ? f->skip : "the file says so");
    if (f->vm.debian && !s->debian_there && !c->skip)
        c->broken = alloc_format("Debian's kernel cannot be had: %s", s->debian_error.text);
    return add_line(s, f, c, cpus, memory, e) || error_prefix(e, "%s", f->path.s);
}

static bool add_cases(struct boot_suite *s, struct boot_file *f, struct error *e)
{
    if (f->vm.debian && !f->skip)
        find_debian(s);
    for (size_t i = 0; i < points(f->vm.cpus); i++) {
        for (size_t k = 0; k < points(f->vm.memory); k++) {
            const struct toml_value *memory = point(f->vm.memory, k, NULL);
            if (!add_case(s, f, point(f->vm.cpus, i, &one_cpu), memory ? memory->text : default_memory, e))
                return false;
        }
    }
    return true;
}

static bool name_file(struct boot_file *f, const char *path, struct error *e)
{
    size_t folder = (size_t)(path_base(path) - path);

    if (!path_set(&f->path, e, "%s", path) || !path_set(&f->folder, e, "%.*s", (int)folder, path))
        return false;
    snprintf(f->name, sizeof f->name, "%s", path_base(path));
    char *dot = strrchr(f->name, '.');
    if (dot && dot != f->name)
        *dot = 0;
    for (char *p = f->name; *p; p++) {
        if (iscntrl((unsigned char)*p))
            *p = '?';
    }
    return true;
}

bool boot_suite_add(struct boot_suite *s, const char *path, struct error *e)
{
    struct boot_file *f = alloc_zeroed(sizeof *f);
    struct bytes text = { 0 };

    s->file = alloc_resize(s->file, s->files + 1, sizeof(struct boot_file *));
    s->file[s->files++] = f;
    bool ok = name_file(f, path, e) && file_read(path, BYTES_MAX, &text, e) &&
              toml_parse(&f->toml, f->path.s, text.data ? text.data : "", text.len, e) && boot_file_read(f, e) &&
              add_cases(s, f, e);
    bytes_free(&text);
    return ok;
}

void boot_suite_free(struct boot_suite *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct boot_case *c = &s->item[i];
        free(c->name);
        strings_free(&c->argv);
        free(c->symbols);
        free(c->skip);
        free(c->broken);
    }
    for (size_t i = 0; i < s->files; i++) {
        toml_free(&s->file[i]->toml);
        free(s->file[i]);
    }
    free(s->item);
    free(s->file);
    *s = (struct boot_suite){ 0 };
}
