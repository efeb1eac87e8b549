/* debian.c - see debian.h. */
#define _GNU_SOURCE 1

#include "debian.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deb.h"
#include "initramfs-debian.h"
#include "xdg.h"

const char debian_suite[] = "trixie";

struct architecture {
    const char *name;
    const char *kernel;     /* the package that depends on the newest kernel */
};

static const struct architecture architectures[] = {
    { "riscv64", "linux-image-riscv64" },
};

/* What a root file system has besides the essential packages and what all of them depend on. */
static const char *const root_packages[] = {
    "?essential", "apt", "busybox", "debian-archive-keyring", "e2fsprogs", "file", "gcc",
    "iproute2", "kmod", "less", "libc6-dev", "login", "make", "mount", "nano", "netbase", "passwd", "procps",
    "python3", "wget",
};

enum { KERNEL_PART_MAX = 256 << 20 };

static const struct architecture *find_architecture(const char *name)
{
    for (size_t i = 0; i < sizeof architectures / sizeof architectures[0]; i++)
        if (strcmp(architectures[i].name, name) == 0)
            return &architectures[i];
    return NULL;
}

static bool take_lock(struct debian *d, struct error *e)
{
    struct path file;

    if (!path_set(&file, e, "%s/lock", d->dir.s))
        return false;
    d->lock = open(file.s, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (d->lock < 0)
        return error_set(e, "could not create '%s': %s", file.s, strerror(errno));
    if (flock(d->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    progress_note(d->progress, "waiting for another lyrebird that is using '%s'", d->dir.s);
    while (flock(d->lock, LOCK_EX) < 0)
        if (errno != EINTR)
            return error_set(e, "could not lock '%s': %s", file.s, strerror(errno));
    return true;
}

bool debian_open(struct debian *d, struct error *e)
{
    struct path cache;

    d->lock = -1;
    d->apt_ready = false;
    if (!find_architecture(d->arch))
        return error_set(e, "there is no Debian guest for the architecture '%s': riscv64 is the one",
                         d->arch);
    return xdg_cache_dir(&cache, e) &&
           path_set(&d->dir, e, "%s/debian-%s-%s", cache.s, debian_suite, d->arch) &&
           path_make_dirs(d->dir.s, e) && take_lock(d, e);
}

void debian_close(struct debian *d)
{
    if (d->lock >= 0)
        close(d->lock);
    d->lock = -1;
}

bool debian_apt(struct debian *d, struct error *e)
{
    struct apt_site site = { 0 };
    struct path dir;

    if (d->apt_ready)
        return true;
    if (d->mirror && strlen(d->mirror) >= sizeof site.main)
        return error_set(e, "the URL after --mirror is too long");
    if (d->mirror)
        snprintf(site.main, sizeof site.main, "%s", d->mirror);
    else if (!apt_site_of_host(&site, e))
        return false;
    d->apt_ready = path_set(&dir, e, "%s/apt", d->dir.s) &&
                   apt_open(&d->apt, dir.s, d->arch, debian_suite, &site, d->progress, e) &&
                   apt_update(&d->apt, e);
    return d->apt_ready;
}

static bool have_space(struct debian *d, int64_t megabytes, struct error *e)
{
    int64_t free_bytes = path_free_space(d->dir.s);

    return free_bytes < 0 || free_bytes >= megabytes << 20 ||
           error_set(e, "'%s' needs %lld MB and has %lld MB free: make room, or set XDG_CACHE_HOME", d->dir.s,
                     (long long)megabytes, (long long)(free_bytes >> 20));
}

/* The kernel package that the metapackage depends on: its name ends with the kernel's version. */
static bool kernel_package(struct debian *d, struct strings *out, struct error *e)
{
    struct bytes depends = { 0 };

    if (!apt_field(&d->apt, find_architecture(d->arch)->kernel, "Depends", &depends, e))
        return false;
    depends.data[strcspn(depends.data, " ,(|")] = 0;
    bool ok = strncmp(depends.data, "linux-image-", 12) == 0 && !strchr(depends.data, '/');
    if (ok)
        strings_add(out, depends.data);
    else
        error_set(e, "the package %s depends on '%s', which is no kernel", find_architecture(d->arch)->kernel,
                  depends.data);
    bytes_free(&depends);
    return ok;
}

struct unpack {
    struct debian *d;
    const char *into;
    int64_t packed_size;
};

/* Where a file of the kernel's or busybox's package goes; false for those that nobody needs. */
static bool kernel_file(const char *name, struct path *out)
{
    struct error ignored;
    const char *module = strstr(name, "lib/modules/");

    if (fnmatch("boot/vmlinu[xz]-*", name, FNM_PATHNAME) == 0)
        return path_set(out, &ignored, "Image");
    if (strcmp(name, "usr/bin/busybox") == 0 || strcmp(name, "bin/busybox") == 0)
        return path_set(out, &ignored, "busybox");
    module = module ? strchr(module + strlen("lib/modules/"), '/') : NULL;
    if (module && (strncmp(module, "/kernel/", 8) == 0 || strcmp(module, "/modules.builtin") == 0))
        return path_set(out, &ignored, "modules%s", module);
    return false;
}

static bool unpack_one(void *ctx, const char *name, struct archive *tar, struct archive_entry *entry,
                       struct error *e)
{
    struct unpack *u = ctx;
    struct path part, file, dir;
    struct bytes data;

    if (u->packed_size > 0)
        progress_update(u->d->progress, (double)archive_filter_bytes(tar, -1) / (double)u->packed_size);
    if (archive_entry_filetype(entry) != AE_IFREG || !kernel_file(name, &part))
        return true;
    if (!path_set(&file, e, "%s/%s", u->into, part.s) ||
        !path_set(&dir, e, "%.*s", (int)(path_base(file.s) - file.s - 1), file.s) ||
        !path_make_dirs(dir.s, e) || !deb_entry_data(tar, KERNEL_PART_MAX, &data, e))
        return false;
    bool ok = file_write(file.s, data.data, data.len, e);
    bytes_free(&data);
    return ok;
}

static bool unpack_all(struct debian *d, const struct apt_plan *plan, const char *into, struct error *e)
{
    struct path deb, image;
    bool ok = true;

    progress_begin(d->progress, "unpacking the kernel", 0);
    for (size_t i = 0; i < plan->files.count && ok; i++) {
        ok = path_set(&deb, e, "%s/%s", d->apt.archives.s, plan->files.item[i]);
        int64_t size = ok ? path_size(deb.s) : 0;
        struct unpack u = { d, into, size > 8 << 20 ? size : 0 };
        ok = ok && deb_read(deb.s, DEB_DATA, unpack_one, &u, e);
    }
    ok = ok && path_set(&image, e, "%s/Image", into) &&
         (path_exists(image.s) || error_set(e, "the kernel package has no /boot/vmlinux or /boot/vmlinuz"));
    progress_end(d->progress, ok);
    /* The unpacked files are what is used from now on, and the packages are large. */
    for (size_t i = 0; i < plan->files.count && ok; i++)
        ok = path_set(&deb, e, "%s/%s", d->apt.archives.s, plan->files.item[i]) && path_remove_tree(deb.s, e);
    return ok;
}

static bool fetch_kernel(struct debian *d, const char *package, const char *dir, struct error *e)
{
    struct strings packages = { 0 };
    struct apt_plan plan = { 0 };
    struct path tmp;

    strings_add(&packages, package);
    strings_add(&packages, "busybox-static");
    bool ok = have_space(d, 400, e) && path_set(&tmp, e, "%s.new", dir) && path_remove_tree(tmp.s, e) &&
              apt_fetch(&d->apt, &packages, false, "kernel and busybox", &plan, e) &&
              unpack_all(d, &plan, tmp.s, e);
    if (ok && rename(tmp.s, dir) < 0)
        ok = error_set(e, "could not put '%s' in place: %s", dir, strerror(errno));
    strings_free(&packages);
    strings_free(&plan.files);
    return ok;
}

/* Leaves the version in kernel.txt; the previous kernel goes. */
static bool refresh_kernel(struct debian *d, const char *stamp, const char *old, struct error *e)
{
    struct strings package = { 0 };
    struct path dir, gone;

    if (!debian_apt(d, e) || !kernel_package(d, &package, e))
        return false;
    const char *version = package.item[0] + strlen("linux-image-");
    bool ok = path_set(&dir, e, "%s/kernel-%s", d->dir.s, version) &&
              (path_exists(dir.s) || fetch_kernel(d, package.item[0], dir.s, e)) &&
              file_write(stamp, version, strlen(version), e);
    if (ok && old[0] && strcmp(old, version) != 0)
        ok = path_set(&gone, e, "%s/kernel-%s", d->dir.s, old) && path_remove_tree(gone.s, e);
    strings_free(&package);
    return ok;
}

static bool read_version(const char *stamp, struct debian_kernel *out)
{
    struct error ignored;
    struct bytes text;

    out->version[0] = 0;
    if (!file_read(stamp, sizeof out->version - 1, &text, &ignored))
        return false;
    snprintf(out->version, sizeof out->version, "%s", text.data);
    bytes_free(&text);
    return out->version[0] && !strchr(out->version, '/');
}

bool debian_kernel(struct debian *d, struct debian_kernel *out, struct error *e)
{
    struct path stamp, dir;

    if (!path_set(&stamp, e, "%s/kernel.txt", d->dir.s))
        return false;
    bool have = read_version(stamp.s, out) && path_set(&dir, e, "%s/kernel-%s", d->dir.s, out->version) &&
                path_exists(dir.s);
    if (d->refresh || !have) {
        if (!refresh_kernel(d, stamp.s, out->version, e))
            return false;
        if (!read_version(stamp.s, out))
            return error_set(e, "could not read '%s' back", stamp.s);
    }
    return path_set(&dir, e, "%s/kernel-%s", d->dir.s, out->version) &&
           path_set(&out->image, e, "%s/Image", dir.s) &&
           initramfs_debian(dir.s, out->version, &out->initrd, d->progress, e);
}

/* The first line of root.txt: a lyrebird with another list has other files. */
static void root_list(struct bytes *out)
{
    bytes_addf(out, "#");
    for (size_t i = 0; i < sizeof root_packages / sizeof root_packages[0]; i++)
        bytes_addf(out, " %s", root_packages[i]);
}

/* The files of the last fetch, when all are still there. */
static bool cached_files(struct debian *d, const char *stamp, struct strings *files)
{
    struct error ignored;
    struct bytes text;
    char *save = NULL;
    struct bytes list = { 0 };

    if (!file_read(stamp, 1 << 20, &text, &ignored))
        return false;
    char *l = strtok_r(text.data, "\n", &save);
    root_list(&list);
    bool ok = l && strcmp(l, list.data) == 0;
    bytes_free(&list);
    while (ok && (l = strtok_r(NULL, "\n", &save))) {
        long long size = -1;
        char name[256];
        ok = sscanf(l, "%255s %lld", name, &size) == 2 && !strchr(name, '/');
        if (ok)
            strings_addf(files, "%s/apt/cache/archives/%s", d->dir.s, name);
        ok = ok && size >= 0 && path_size(files->item[files->count - 1]) == size;
    }
    bytes_free(&text);
    if (!ok)
        strings_free(files);
    return ok && files->count;
}

static bool write_stamp(struct debian *d, const char *stamp, const struct apt_plan *plan,
                        struct strings *files, struct error *e)
{
    struct bytes text = { 0 };

    root_list(&text);
    bytes_addf(&text, "\n");
    for (size_t i = 0; i < plan->files.count; i++) {
        strings_addf(files, "%s/%s", d->apt.archives.s, plan->files.item[i]);
        bytes_addf(&text, "%s %lld\n", plan->files.item[i], (long long)path_size(files->item[i]));
    }
    bool ok = file_write(stamp, text.data, text.len, e);
    bytes_free(&text);
    return ok;
}

bool debian_root_packages(struct debian *d, struct strings *files, struct error *e)
{
    struct strings packages = { 0 };
    struct apt_plan plan = { 0 };
    struct path stamp;

    *files = (struct strings){ 0 };
    if (!path_set(&stamp, e, "%s/root.txt", d->dir.s))
        return false;
    if (!d->refresh && cached_files(d, stamp.s, files))
        return true;
    for (size_t i = 0; i < sizeof root_packages / sizeof root_packages[0]; i++)
        strings_add(&packages, root_packages[i]);
    bool ok = have_space(d, 1200, e) && debian_apt(d, e) &&
              apt_fetch(&d->apt, &packages, true, "packages", &plan, e) &&
              write_stamp(d, stamp.s, &plan, files, e);
    strings_free(&packages);
    strings_free(&plan.files);
    return ok;
}
