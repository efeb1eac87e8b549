/* initramfs-debian.c - see initramfs-debian.h. */
#define _GNU_SOURCE 1

#include "initramfs-debian.h"

#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "guest-init.h"
#include "initramfs.h"
#include "kmod.h"

/* With what these need. One that the kernel has built in, or does not have, is left out. */
static const char *const modules[] = {
    "virtio_mmio", "virtio_pci", "virtio_net", "virtio_blk", "virtio_rng", "virtio_console", "virtio_input",
    "9pnet_virtio", "9p", "ext4", "squashfs", "overlay", "isofs", "vfat", "nls_ascii", "nls_iso8859_1",
    "nls_cp437", "loop", "crc32c_generic",
};

/* What /init uses before busybox has made the rest of its links. */
static const char *const early_applets[] = {
    "sh", "busybox", "mount", "mkdir", "modprobe", "stty", "uname", "cp", "switch_root", "umount",
};

static const char *const empty_dirs[] = {
    "dev", "proc", "sys", "run", "tmp", "root", "etc", "bin", "sbin", "usr/bin", "usr/sbin", "newroot", "mnt",
    "var/log",
};

struct content {
    const char *name;
    unsigned mode;
    const char *text;
};

static const struct content contents[] = {
    { "init", 0755, guest_init },
    { "etc/udhcpc.script", 0755, guest_dhcp_script },
    { "etc/profile", 0644, guest_profile },
    { "etc/passwd", 0644, "root::0:0:root:/root:/bin/sh\n" },
    { "etc/group", 0644, "root:x:0:\ntty:x:5:\n" },
    { "etc/hosts", 0644, "127.0.0.1 localhost lyrebird\n::1 localhost\n" },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static uint64_t hash(uint64_t h, const char *s)
{
    do
        h = (h ^ (uint8_t)*s) * 0x100000001b3; /* FNV-1a */
    while (*s++);
    return h;
}

static uint64_t content_key(void)
{
    uint64_t h = hash(0xcbf29ce484222325, "3");

    for (size_t i = 0; i < COUNT(contents); i++)
        h = hash(hash(h, contents[i].name), contents[i].text);
    for (size_t i = 0; i < COUNT(modules); i++)
        h = hash(h, modules[i]);
    for (size_t i = 0; i < COUNT(early_applets); i++)
        h = hash(h, early_applets[i]);
    return h;
}

struct build {
    struct initramfs cpio;
    struct kmod_tree tree;
    const char *version;
    struct bytes dep;       /* modules.dep */
    struct bytes alias;     /* modules.alias */
};

static bool module_needs(void *ctx, const char *name, struct strings *needs, struct error *e)
{
    struct build *b = ctx;
    struct strings info = { 0 };
    struct strings hard = { 0 };
    struct strings soft = { 0 };
    struct bytes ko;

    if (!kmod_tree_load(&b->tree, name, &ko, e))
        return false;
    bool ok = kmod_info(ko.data, ko.len, &info, e) || error_prefix(e, "module '%s'", name);
    kmod_needs(&info, &hard, &soft);
    for (size_t i = 0; i < hard.count; i++)
        if (!kmod_tree_is_builtin(&b->tree, hard.item[i]))
            strings_add(needs, hard.item[i]);
    for (size_t i = 0; i < soft.count; i++)
        if (kmod_tree_file(&b->tree, soft.item[i]))
            strings_add(needs, soft.item[i]);
    strings_free(&info);
    strings_free(&hard);
    strings_free(&soft);
    bytes_free(&ko);
    return ok;
}

/* "kernel/fs/ext4/ext4.ko": decompressed, so without what came after ".ko". */
static int plain_length(const char *file)
{
    return (int)(strstr(path_base(file), ".ko") + 3 - file);
}

/* A line of modules.dep(5): the module, then what it needs, of which the last is loaded first. */
static bool add_dep_line(struct build *b, const char *name, struct error *e)
{
    struct strings one = { 0 };
    struct strings order = { 0 };
    const char *file = kmod_tree_file(&b->tree, name);

    strings_add(&one, name);
    bool ok = kmod_closure(&one, module_needs, b, &order, e);
    if (ok)
        bytes_addf(&b->dep, "%.*s:", plain_length(file), file);
    for (size_t i = ok ? order.count - 1 : 0; i > 0; i--) {
        file = kmod_tree_file(&b->tree, order.item[i - 1]);
        bytes_addf(&b->dep, " %.*s", plain_length(file), file);
    }
    if (ok)
        bytes_addf(&b->dep, "\n");
    strings_free(&one);
    strings_free(&order);
    return ok;
}

static bool add_module(struct build *b, const char *name, struct error *e)
{
    static const char alias[] = "alias=";
    struct strings info = { 0 };
    struct path where;
    struct bytes ko;
    const char *file = kmod_tree_file(&b->tree, name);

    if (!kmod_tree_load(&b->tree, name, &ko, e))
        return false;
    bool ok = kmod_info(ko.data, ko.len, &info, e) &&
              path_set(&where, e, "lib/modules/%s/%.*s", b->version, plain_length(file), file);
    /*
     * Checking a signature costs the guest 100 million instructions a module, more than half of its boot;
     * apt has checked the package that the module is from.
     */
    if (ok)
        initramfs_file(&b->cpio, where.s, 0644, ko.data, kmod_unsigned_length(ko.data, ko.len));
    for (size_t i = 0; i < info.count && ok; i++)
        if (strncmp(info.item[i], alias, sizeof alias - 1) == 0)
            bytes_addf(&b->alias, "alias %s %s\n", info.item[i] + sizeof alias - 1, name);
    strings_free(&info);
    bytes_free(&ko);
    return ok && add_dep_line(b, name, e);
}

static bool add_modules(struct build *b, const char *dir, struct error *e)
{
    struct strings wanted = { 0 };
    struct strings order = { 0 };
    struct path p;

    if (!path_set(&p, e, "%s/modules", dir) || !kmod_tree_open(&b->tree, p.s, e))
        return false;
    for (size_t i = 0; i < COUNT(modules); i++)
        if (kmod_tree_file(&b->tree, modules[i]))
            strings_add(&wanted, modules[i]);
    bool ok = kmod_closure(&wanted, module_needs, b, &order, e);
    for (size_t i = 0; i < order.count && ok; i++)
        ok = add_module(b, order.item[i], e);
    ok = ok && path_set(&p, e, "lib/modules/%s/modules.dep", b->version);
    if (ok && b->dep.len)
        initramfs_file(&b->cpio, p.s, 0644, b->dep.data, b->dep.len);
    ok = ok && path_set(&p, e, "lib/modules/%s/modules.alias", b->version);
    if (ok && b->alias.len)
        initramfs_file(&b->cpio, p.s, 0644, b->alias.data, b->alias.len);
    bytes_free(&b->dep);
    bytes_free(&b->alias);
    strings_free(&wanted);
    strings_free(&order);
    kmod_tree_close(&b->tree);
    return ok;
}

static bool add_base(struct build *b, const char *dir, struct error *e)
{
    struct bytes busybox;
    struct path p;

    if (!path_set(&p, e, "%s/busybox", dir) || !file_read(p.s, 64 << 20, &busybox, e))
        return false;
    for (size_t i = 0; i < COUNT(empty_dirs); i++)
        initramfs_dir(&b->cpio, empty_dirs[i]);
    /* The kernel opens it for process 1 before anything is mounted. */
    initramfs_device(&b->cpio, "dev/console", 5, 1);
    initramfs_file(&b->cpio, "usr/bin/busybox", 0755, busybox.data, busybox.len);
    for (size_t i = 0; i < COUNT(early_applets); i++)
        if (path_set(&p, e, "bin/%s", early_applets[i]))
            initramfs_link(&b->cpio, p.s, "/usr/bin/busybox");
    /* Where the kernel looks when it wants a module. */
    initramfs_link(&b->cpio, "sbin/modprobe", "/usr/bin/busybox");
    for (size_t i = 0; i < COUNT(contents); i++)
        initramfs_file(&b->cpio, contents[i].name, contents[i].mode, contents[i].text,
                       strlen(contents[i].text));
    bytes_free(&busybox);
    return true;
}

static void remove_old(const char *dir)
{
    struct error ignored;
    struct path pattern;
    glob_t found;

    if (!path_set(&pattern, &ignored, "%s/initrd-*.cpio*", dir) || glob(pattern.s, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        unlink(found.gl_pathv[i]);
    globfree(&found);
}

bool initramfs_debian(const char *dir, const char *version, struct path *out, struct progress *progress,
                      struct error *e)
{
    struct build b = { .version = version };
    struct error ignored;

    if (!path_set(out, e, "%s/initrd-%016llx.cpio", dir, (unsigned long long)content_key()))
        return false;
    if (path_exists(out->s))
        return true;
    remove_old(dir);
    progress_begin(progress, "building the initramfs", 0);
    bool ok = initramfs_open(&b.cpio, out->s, e);
    if (ok) {
        ok = add_base(&b, dir, e) && add_modules(&b, dir, e);
        b.cpio.ok = b.cpio.ok && ok;
        ok = initramfs_close(&b.cpio, ok ? e : &ignored) && ok;
    }
    progress_end(progress, ok);
    return ok;
}
