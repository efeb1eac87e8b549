/*
 * verb-doctor.c - `lyrebird doctor`: one line for each thing that Lyrebird uses on a host.
 *
 * Gaps: the guest's side is not looked at; that a file is there does not prove that it is whole.
 */
#define _GNU_SOURCE 1

#include "verb-doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "child.h"
#include "deb.h"
#include "xdg.h"

#if defined __x86_64__
#include <cpuid.h>
#endif

enum verdict { GOOD, MISSING, BAD };

struct report {
    const char *what;
    enum verdict verdict;
    char detail[200];
    const char *mend;
};

/* Each check says what it found and, if that is not well, how to mend it. */
struct check {
    const char *what;
    bool essential;         /* without it nothing runs */
    void (*look)(struct report *r, const char *subject);
    const char *subject;
    const char *mend;
};

static void look_cpu(struct report *r, const char *subject)
{
    struct utsname u;

    uname(&u);
    snprintf(r->detail, sizeof r->detail, "%s", u.machine);
    r->verdict = strcmp(u.machine, "x86_64") == 0 || strcmp(u.machine, "aarch64") == 0 ? GOOD : MISSING;
#if defined __x86_64__
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d))
        snprintf(r->detail, sizeof r->detail, "x86_64%s%s%s%s", c & bit_SSE4_2 ? " sse4.2" : "",
                 c & bit_AVX ? " avx" : "", c & bit_FMA ? " fma" : "",
                 c & bit_CMPXCHG16B ? " cmpxchg16b" : "");
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_AVX2)
        snprintf(r->detail + strlen(r->detail), sizeof r->detail - strlen(r->detail), " avx2");
#endif
}

static void look_cores(struct report *r, const char *subject)
{
    snprintf(r->detail, sizeof r->detail, "%ld CPUs, %lld MB of memory", sysconf(_SC_NPROCESSORS_ONLN),
             (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) >> 20);
}

/* Guest memory lies in an anonymous file, which is mapped; code is mapped twice, writable and executable. */
static void look_memfd(struct report *r, const char *subject)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    int fd = memfd_create("lyrebird-doctor", MFD_CLOEXEC);
    int protection = subject ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE;
    void *p = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
        p = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
    r->verdict = p == MAP_FAILED ? BAD : GOOD;
    snprintf(r->detail, sizeof r->detail, "%s", p == MAP_FAILED ? "not allowed" : "works");
    if (p != MAP_FAILED)
        munmap(p, size);
    if (fd >= 0)
        close(fd);
}

static void look_program(struct report *r, const char *subject)
{
    struct path p;

    r->verdict = child_find(subject, &p) ? GOOD : MISSING;
    snprintf(r->detail, sizeof r->detail, "%.190s", r->verdict == GOOD ? p.s : "not found");
}

/* `subject` is a list of file names with ':' between them, of which one is enough. */
static void look_file(struct report *r, const char *subject)
{
    char list[400];
    char *save = NULL;

    snprintf(list, sizeof list, "%s", subject);
    snprintf(r->detail, sizeof r->detail, "not found");
    r->verdict = MISSING;
    for (char *f = strtok_r(list, ":", &save); f && r->verdict != GOOD; f = strtok_r(NULL, ":", &save)) {
        if (access(f, R_OK) != 0)
            continue;
        r->verdict = GOOD;
        snprintf(r->detail, sizeof r->detail, "%.190s", f);
    }
}

static void look_dir(struct report *r, const char *subject)
{
    enum { ENOUGH_MB = 2000 };
    struct error e;
    struct path p;
    bool cache = strcmp(subject, "cache") == 0;

    if (!(cache ? xdg_cache_dir(&p, &e) : xdg_data_dir(&p, &e)) || !path_make_dirs(p.s, &e) ||
        access(p.s, W_OK) != 0) {
        snprintf(r->detail, sizeof r->detail, "not writable");
        r->verdict = BAD;
        return;
    }
    long long free_mb = (long long)path_free_space(p.s) >> 20;
    r->verdict = free_mb < ENOUGH_MB ? MISSING : GOOD;
    snprintf(r->detail, sizeof r->detail, "%.140s, %lld MB free", p.s, free_mb);
}

/* The compressions that kernels, packages and modules come in. */
static void look_archive(struct report *r, const char *subject)
{
    const char *have = deb_library();

    snprintf(r->detail, sizeof r->detail, "%.190s", have);
    r->verdict = strstr(have, "zlib/") && strstr(have, "liblzma/") && strstr(have, "zstd/") ? GOOD : MISSING;
}

static void look_terminal(struct report *r, const char *subject)
{
    const char *term = getenv("TERM");

    if (isatty(0) && isatty(1))
        snprintf(r->detail, sizeof r->detail, "TERM=%.60s", term ? term : "");
    else
        snprintf(r->detail, sizeof r->detail, "standard input or output is not a terminal");
}

#define FIRMWARE "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin:" \
                 "/usr/share/opensbi/lp64/generic/firmware/fw_dynamic.bin"

static const struct check checks[] = {
    { "host CPU", true, look_cpu, NULL, "Lyrebird is made for x86-64 hosts" },
    { "host size", false, look_cores, NULL, NULL },
    { "shared memory (memfd)", true, look_memfd, NULL, "allow memfd_create in this container or sandbox" },
    { "executable shared memory", false, look_memfd, "exec",
      "allow executable mappings (SELinux: execmem, tmpfs)" },
    { "cache directory", true, look_dir, "cache", "make room, or set XDG_CACHE_HOME" },
    { "data directory", false, look_dir, "data", "make room, or set XDG_DATA_HOME" },
    { "terminal", false, look_terminal, NULL, NULL },
    { "archives", false, look_archive, NULL, "run debian: apt install libarchive13 (with xz and zstd)" },
    { "apt", false, look_program, "apt-get", "run debian: apt install apt (a Debian host is needed)" },
    { "signature check", false, look_program, "gpgv", "run debian: apt install gpgv" },
    { "Debian's keys", false, look_file, "/usr/share/keyrings/debian-archive-keyring.gpg",
      "run debian: apt install debian-archive-keyring" },
    { "trixie's key", false, look_file,
      "/usr/share/keyrings/debian-archive-trixie-stable.gpg:"
      "/usr/share/keyrings/debian-archive-trixie-stable.pgp",
      "run debian: apt update && apt install debian-archive-keyring" },
    { "mke2fs", false, look_program, "mke2fs", "run debian --root: apt install e2fsprogs" },
    { "debugfs", false, look_program, "debugfs", "run debian --root: apt install e2fsprogs" },
    { "RISC-V firmware", false, look_file, FIRMWARE, "apt install opensbi" },
    { "RISC-V boot loader", false, look_file, "/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf",
      "run a RISC-V disk image: apt install u-boot-qemu" },
    { "PC firmware", false, look_file, "/usr/share/seabios/bios-256k.bin", "run a PC: apt install seabios" },
    { "PC EFI firmware", false, look_file, "/usr/share/OVMF/OVMF_CODE.fd:/usr/share/OVMF/OVMF_CODE_4M.fd",
      "run a PC with EFI: apt install ovmf" },
};

static void print(const struct report *r, const char *green, const char *red, const char *plain)
{
    static const char *const words[] = { "ok", "missing", "BAD" };

    printf("  %-26s %s%-8s%s %s\n", r->what, r->verdict == GOOD ? green : red, words[r->verdict], plain,
           r->detail);
    if (r->verdict != GOOD && r->mend)
        printf("  %-26s          -> %s\n", "", r->mend);
}

int verb_doctor(int argc, char **argv)
{
    const char *term = getenv("TERM");
    bool color = isatty(1) && !getenv("NO_COLOR") && term && strcmp(term, "dumb") != 0;
    int ill = 0, missing = 0;

    if (argc > 1) {
        bool help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
        fputs("Usage: lyrebird doctor\nShows what this host has and lacks for Lyrebird, and what mends it.\n",
              help ? stdout : stderr);
        return help ? 0 : 2;
    }
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct report r = { .what = checks[i].what, .mend = checks[i].mend };
        checks[i].look(&r, checks[i].subject);
        print(&r, color ? "\033[32m" : "", color ? "\033[31m" : "", color ? "\033[0m" : "");
        ill += r.verdict != GOOD && checks[i].essential;
        missing += r.verdict != GOOD && !checks[i].essential;
    }
    printf("%s\n", ill ? "Something essential is missing." : missing ? "All that is essential is there."
                                                                    : "All is well.");
    return ill ? 1 : 0;
}
