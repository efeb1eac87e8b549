/*
 * loader-device.c - "-device loader": a file, a number or a start address for the guest, as the page
 * "Generic Loader" of QEMU's documentation describes it. Gap: Intel HEX and uImage files (they are loaded
 * as flat binaries).
 */
#include <string.h>

#include "loader-priv.h"

static const char *const known[] = {
    "driver", "file", "addr", "data", "data-len", "data-be", "cpu-num", "force-raw", "id", NULL,
};

struct request {
    const char *file, *data;
    uint64_t addr, value, len, cpu;
    bool has_addr, has_cpu, big_endian, raw;
};

static bool read_request(struct keyvals *kv, struct request *q, struct error *e)
{
    keyvals_get(kv, "driver");
    keyvals_get(kv, "id");
    q->file = keyvals_get(kv, "file");
    q->data = keyvals_peek(kv, "data");
    q->has_addr = keyvals_peek(kv, "addr") != NULL;
    q->has_cpu = keyvals_peek(kv, "cpu-num") != NULL;
    return keyvals_u64(kv, "addr", &q->addr, e) && keyvals_u64(kv, "data", &q->value, e)
        && keyvals_u64(kv, "data-len", &q->len, e) && keyvals_u64(kv, "cpu-num", &q->cpu, e)
        && keyvals_bool(kv, "data-be", &q->big_endian, e) && keyvals_bool(kv, "force-raw", &q->raw, e)
        && keyvals_finish(kv, known, e);
}

static bool add_value(struct load_target *t, const struct keyvals *kv, const struct request *q,
                      struct error *e)
{
    uint8_t bytes[8];

    if (!q->has_addr)
        return keyvals_error(kv, "data", e, "data= needs addr=");
    if (q->len < 1 || q->len > 8)
        return keyvals_error(kv, "data-len", e, "data= needs data-len= of 1 to 8 bytes");
    if (q->len < 8 && q->value >> (8 * q->len))
        return keyvals_error(kv, "data", e, "the number does not fit %llu bytes", (unsigned long long)q->len);
    for (unsigned i = 0; i < q->len; i++)
        bytes[i] = (uint8_t)(q->value >> 8 * (q->big_endian ? q->len - 1 - i : i));
    load_list_add(t->list, "-device loader,data=", q->addr, bytes, q->len, 0);
    return true;
}

static bool add_file(struct load_target *t, const struct keyvals *kv, const struct request *q,
                     struct loaded *l, struct error *e)
{
    struct bytes file = { 0 };

    if (!file_read(q->file, LOAD_FILE_MAX, &file, e))
        return error_prefix(e, "-device loader");
    struct reader r = reader_on(file.data, file.len);
    bool elf = !q->raw && elf_claims(r), ok;
    if (!elf && !q->has_addr)
        ok =
            keyvals_error(kv, "file", e, "'%s' is not an ELF file, so addr= must say where it goes", q->file);
    else
        ok =
            elf ? elf_load(t, q->file, r, load_kernel_base(t), l, e) : raw_load(t, q->file, r, q->addr, l, e);
    bytes_free(&file);
    return ok || error_prefix(e, "could not load '%s'", q->file);
}

bool load_device(struct load_target *t, struct keyvals *kv, unsigned cpus, struct load_device *out,
                 struct error *e)
{
    struct request q = { 0 };
    struct loaded l = { 0 };

    *out = (struct load_device){ 0 };
    if (!read_request(kv, &q, e))
        return false;
    if (q.has_cpu && q.cpu >= cpus)
        return keyvals_error(kv, "cpu-num", e, "there is no CPU %llu: the machine has %u",
                             (unsigned long long)q.cpu, cpus);
    if (q.file && q.data)
        return keyvals_error(kv, "data", e, "file= and data= exclude each other");
    if (q.data)
        return add_value(t, kv, &q, e);
    if (q.file && !add_file(t, kv, &q, &l, e))
        return false;
    if (!q.file && !(q.has_addr && q.has_cpu))
        return keyvals_error(kv, "driver", e, "file=, or data= with addr=, or addr= with cpu-num= is needed");
    *out =
        (struct load_device){ .sets_pc = q.has_cpu, .cpu = (unsigned)q.cpu, .pc = q.file ? l.entry : q.addr };
    return true;
}
