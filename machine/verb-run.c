/*
 * verb-run.c - `lyrebird run`: composes the command line of a lyrebird-system door and goes through it.
 *
 * Gaps: Debian guests are riscv64 only; of an image's contents nothing is known but what sniff.h says.
 */
#define _GNU_SOURCE 1

#include "verb-run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "boot-ci.h"
#include "debian.h"
#include "rootfs.h"
#include "run-options.h"
#include "sniff.h"
#include "system.h"
#include "xdg.h"

/* What has been decided so far. */
struct plan {
    const struct run_options *o;
    struct progress progress;
    const char *arch;
    struct strings argv;        /* of the door */
    struct bytes append;
    struct path disk;           /* s[0] is 0 when there is none */
    bool snapshot;
};

/* Debian's U-Boot for the virt board, which finds a boot loader on a disk. */
static const char u_boot[] = "/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf";

/*
 * Two things that Debian's kernel does at every boot cost a third of it on an interpreter: testing the
 * entropy of timing jitter (the machine has a virtio entropy device) and reading certificates for module
 * signatures, of which our initramfs has none.
 */
const char verb_run_lean_boot[] = "initcall_blacklist=jent_mod_init,load_system_certificate_list";

static void add(struct plan *p, const char *option, const char *value)
{
    strings_add(&p->argv, option);
    if (value)
        strings_add(&p->argv, value);
}

static void add_word(struct plan *p, const char *word)
{
    bytes_addf(&p->append, "%s%s", p->append.len ? " " : "", word);
}

/* TERM may hold anything; only a plain name goes into the guest. */
static void add_terminal(struct plan *p)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+.";
    const char *term = getenv("TERM");
    struct winsize size;

    if (term && *term && strlen(term) < 40 && term[strspn(term, plain)] == 0)
        bytes_addf(&p->append, " TERM=%s", term);
    if (ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        bytes_addf(&p->append, " lyrebird.size=%ux%u", size.ws_row, size.ws_col);
}

static bool is_riscv(const char *arch)
{
    return strncmp(arch, "riscv", 5) == 0;
}

static void add_network(struct plan *p)
{
    strings_add(&p->argv, "-netdev");
    if (p->o->forward)
        strings_addf(&p->argv, "user,id=n0,hostfwd=%s", p->o->forward);
    else
        strings_add(&p->argv, "user,id=n0");
}

/* The machine itself, with a network card and an entropy source. */
static void add_machine(struct plan *p)
{
    bool riscv = is_riscv(p->arch);

    add(p, "-M", riscv ? "virt" : "pc");
    add(p, "-m", p->o->memory ? p->o->memory : "1G");
    add(p, "-smp", p->o->smp ? p->o->smp : "1");
    add(p, "-nographic", NULL);
    if (p->o->jit)
        add(p, "-jit", p->o->jit);
    add_network(p);
    add(p, "-device", riscv ? "virtio-net-device,netdev=n0" : "virtio-net-pci,netdev=n0");
    add(p, "-device", riscv ? "virtio-rng-device" : "virtio-rng-pci");
}

/* In an option's value a comma is written twice. */
static void add_disk(struct plan *p, const char *file, const char *media)
{
    struct bytes drive = { 0 };

    bytes_addf(&drive, "file=");
    for (const char *s = file; *s; s++)
        bytes_addf(&drive, "%s%c", *s == ',' ? "," : "", *s);
    if (is_riscv(p->arch)) {
        bytes_addf(&drive, ",format=raw,if=none,id=d0%s", media);
        add(p, "-drive", drive.data);
        add(p, "-device", "virtio-blk-device,drive=d0");
    } else {
        bytes_addf(&drive, ",format=raw,if=ide%s", media);
        add(p, "-drive", drive.data);
    }
    if (p->snapshot)
        add(p, "-snapshot", NULL);
    bytes_free(&drive);
}

static void print_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+.,=/:_@%";

    if (*word && word[strspn(word, plain)] == 0) {
        printf("%s", word);
        return;
    }
    putchar('\'');
    for (; *word; word++)
        printf(*word == '\'' ? "'\\''" : "%c", *word);
    putchar('\'');
}

static int start(struct plan *p)
{
    for (int i = 0; i < p->o->rest_count; i++)
        strings_add(&p->argv, p->o->rest[i]);
    if (p->o->ci && !p->o->dry_run)
        return boot_ci(p->arch, &p->argv);
    if (!p->o->dry_run)
        return system_main(p->arch, (int)p->argv.count, p->argv.item);
    for (size_t i = 0; i < p->argv.count; i++) {
        if (i)
            putchar(' ');
        print_word(p->argv.item[i]);
    }
    putchar('\n');
    return 0;
}

static void open_door(struct plan *p, const char *arch)
{
    p->arch = arch;
    strings_addf(&p->argv, "lyrebird-system-%s", arch);
}

/* The command line words that every Linux of ours gets; the user's own come last and win. */
static void add_linux_words(struct plan *p)
{
    add_word(p, "console=ttyS0");
    if (p->o->quiet)
        add_word(p, "quiet");
    add_terminal(p);
}

static void finish_append(struct plan *p)
{
    if (p->o->append)
        add_word(p, p->o->append);
    if (p->append.len)
        add(p, "-append", p->append.data);
}

/* Debian's kernel and initramfs, with p->disk as the root file system if there is one. */
static void add_debian(struct plan *p, const struct debian_kernel *kernel, const char *initrd)
{
    open_door(p, "riscv64");
    add_machine(p);
    add(p, "-kernel", kernel->image.s);
    add(p, "-initrd", initrd);
    add_linux_words(p);
    if (initrd == kernel->initrd.s)
        add_word(p, verb_run_lean_boot);
    if (p->disk.s[0]) {
        add_word(p, "root=/dev/vda");
        add_disk(p, p->disk.s, "");
    }
    finish_append(p);
}

static bool root_disk_name(struct plan *p, const struct debian *d, struct error *e)
{
    struct path data;

    if (p->o->disk)
        return path_set(&p->disk, e, "%s", p->o->disk);
    return xdg_data_dir(&data, e) && path_make_dirs(data.s, e) &&
           path_set(&p->disk, e, "%s/debian-%s-%s.img", data.s, debian_suite, d->arch);
}

static bool make_root_disk(struct plan *p, struct debian *d, struct error *e)
{
    const char *wanted = p->o->root ? p->o->root : "4G";
    struct strings packages = { 0 };
    struct apt_site site = { 0 };
    struct path work;
    uint64_t size;

    if (!rootfs_parse_size(wanted, &size, e))
        return false;
    if (p->o->mirror && strlen(p->o->mirror) >= sizeof site.main)
        return error_set(e, "the URL after --mirror is too long");
    if (p->o->mirror)
        snprintf(site.main, sizeof site.main, "%s", p->o->mirror);
    else if (!apt_site_of_host(&site, e))
        return false;
    struct rootfs r = { .packages = &packages,
                        .work = work.s,
                        .image = p->disk.s,
                        .size = size,
                        .arch = d->arch,
                        .suite = debian_suite,
                        .mirror = site.main,
                        .security = site.security,
                        .progress = &p->progress };
    bool ok = path_set(&work, e, "%s/stage", d->dir.s) && debian_root_packages(d, &packages, e) &&
              rootfs_make(&r, e);
    strings_free(&packages);
    return ok;
}

/* A disk that exists is the user's, whatever is on it: it is never made again. */
static bool prepare_root_disk(struct plan *p, struct debian *d, struct error *e)
{
    if (!root_disk_name(p, d, e))
        return false;
    p->snapshot = p->o->snapshot;
    if (!path_exists(p->disk.s))
        return make_root_disk(p, d, e);
    progress_note(&p->progress, "using the disk '%s'%s", p->disk.s,
                  p->snapshot ? "; changes are dropped at the end" : "");
    return true;
}

static bool plan_debian(struct plan *p, const char *initrd, struct error *e)
{
    struct debian d = { .arch = p->o->arch ? p->o->arch : "riscv64", .mirror = p->o->mirror,
                        .refresh = p->o->refresh, .progress = &p->progress };
    struct debian_kernel kernel;

    bool ok = debian_open(&d, e) && debian_kernel(&d, &kernel, e);
    if (ok && (p->o->root || p->o->disk))
        ok = prepare_root_disk(p, &d, e);
    if (ok)
        add_debian(p, &kernel, initrd ? initrd : kernel.initrd.s);
    debian_close(&d);
    return ok;
}

static bool plan_kernel(struct plan *p, const char *arch, bool bare, struct error *e)
{
    open_door(p, arch);
    add_machine(p);
    if (bare && is_riscv(arch))
        add(p, "-bios", "none");
    add(p, "-kernel", p->o->what);
    if (p->o->initrd)
        add(p, "-initrd", p->o->initrd);
    if (!bare)
        add_linux_words(p);
    finish_append(p);
    return true;
}

static bool plan_disk(struct plan *p, const struct sniff *s, const char *arch, struct error *e)
{
    const char *name = arch ? arch : "riscv64";

    if (is_riscv(name) && !path_exists(u_boot))
        return error_set(e,
                         "'%s' is %s; to boot it, a RISC-V machine needs U-Boot (%s): install the package "
                         "u-boot-qemu, or give --arch x86_64 if the disk is a PC's",
                         p->o->what, s->what, u_boot);
    open_door(p, name);
    add_machine(p);
    if (is_riscv(name))
        add(p, "-kernel", u_boot);
    add_disk(p, p->o->what, s->kind == SNIFF_ISO ? is_riscv(name) ? ",readonly=on" : ",media=cdrom" : "");
    return true;
}

static bool plan_root_fs(struct plan *p, struct error *e)
{
    return path_set(&p->disk, e, "%s", p->o->what) && plan_debian(p, NULL, e);
}

static const char *refusal(enum sniff_kind kind)
{
    switch (kind) {
    case SNIFF_EMPTY:
        return "there is nothing in it to run";
    case SNIFF_PROGRAM:
        return "it needs an operating system around it, and a whole machine is what runs here: "
               "`lyrebird run debian` is one";
    case SNIFF_EFI_PROGRAM:
        return "it needs EFI firmware: put it on a disk image as EFI/BOOT/BOOT*.EFI and run that";
    case SNIFF_QCOW2:
        return "that format is not supported yet: convert it with `qemu-img convert -O raw FILE NEW.img` "
               "and run NEW.img";
    case SNIFF_OTHER_DISK:
        return "that format is not supported: convert it with `qemu-img convert -O raw FILE NEW.img` and run "
               "NEW.img";
    case SNIFF_DEVICE_TREE:
        return "it describes a machine and has no program: give it to a kernel with "
               "`lyrebird run KERNEL -- -dtb FILE`";
    case SNIFF_BOOT_TEST:
        return "`lyrebird test FILE` runs it";
    case SNIFF_TEXT:
        return "a whole machine runs here, so give a kernel, an ELF file or a disk image";
    default:
        return "it is none of the kernels, ELF files and disk images known here; if it is a raw disk, name "
               "its machine: --arch riscv64 or --arch x86_64";
    }
}

static bool refuse(const struct run_options *o, const struct sniff *s, struct error *e)
{
    return error_set(e, "'%s' is %s%s: %s", o->what, s->what, s->compressed ? " (compressed)" : "",
                     refusal(s->kind));
}

static bool choose(struct plan *p, const struct sniff *s, struct error *e)
{
    const char *arch = p->o->arch ? p->o->arch : s->arch;
    bool on_disk = s->kind == SNIFF_DISK || s->kind == SNIFF_ISO || s->kind == SNIFF_ROOT_FS;

    if (s->compressed && on_disk)
        return error_set(e, "'%s' is %s, compressed: decompress it first (gunzip, unxz or unzstd)",
                         p->o->what, s->what);
    switch (s->kind) {
    case SNIFF_KERNEL:
    case SNIFF_BARE:
        return plan_kernel(p, arch, s->kind == SNIFF_BARE, e);
    case SNIFF_DISK:
        return plan_disk(p, s, arch, e);
    case SNIFF_ISO:
        return plan_disk(p, s, arch ? arch : "x86_64", e);
    case SNIFF_ROOT_FS:
        return plan_root_fs(p, e);
    case SNIFF_INITRAMFS:
        return plan_debian(p, p->o->what, e);
    case SNIFF_UNKNOWN:
        /* With --arch the user has said that it is a disk. */
        return p->o->arch && !s->compressed ? plan_disk(p, s, arch, e) : refuse(p->o, s, e);
    default:
        return refuse(p->o, s, e);
    }
}

static bool plan_file(struct plan *p, struct error *e)
{
    struct sniff s;

    p->snapshot = !p->o->persist;
    if (!sniff_file(p->o->what, &s, e))
        return false;
    if (s.arch && !sniff_arch_ours(s.arch) && s.kind != SNIFF_PROGRAM)
        return error_set(e, "'%s' is %s: machines here are riscv64, riscv32, x86_64 and i386", p->o->what,
                         s.what);
    if (!choose(p, &s, e))
        return false;
    progress_note(&p->progress, "%s: %s%s%s", p->o->what, s.what, s.compressed ? ", compressed" : "",
                  s.kind == SNIFF_DISK || s.kind == SNIFF_ROOT_FS
                      ? p->snapshot ? "; changes are dropped at the end (--persist keeps them)"
                                    : "; the guest may change it"
                      : "");
    return true;
}

int verb_run(int argc, char **argv)
{
    struct run_options o;
    struct error e;

    if (!run_options_parse(&o, argc, argv, &e)) {
        fprintf(stderr, "lyrebird run: %s\n", e.text);
        return 2;
    }
    if (o.help) {
        run_options_help(stdout);
        return 0;
    }
    if (o.arch && !sniff_arch_ours(o.arch)) {
        fprintf(stderr, "lyrebird run: there is no machine '%s': riscv64, riscv32, x86_64 or i386\n", o.arch);
        return 2;
    }
    struct plan p = { .o = &o };
    progress_init(&p.progress, stderr, o.quiet);
    bool ok = strcmp(o.what, "debian") == 0 ? plan_debian(&p, o.initrd, &e) : plan_file(&p, &e);
    int status = 125;
    if (ok)
        status = start(&p);
    else
        fprintf(stderr, "lyrebird run: %s\n", e.text);
    strings_free(&p.argv);
    bytes_free(&p.append);
    return status;
}
