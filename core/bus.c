#include "bus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"
#include "code-watch.h"
#include "device.h"
#include "ram.h"
#include "trace.h"

enum { MAX_RANGES = 256 };

struct bus {
    struct bus_range ranges[MAX_RANGES]; /* ascending, disjoint */
    size_t count;
    const struct bus_range *largest; /* NULL: none. RAM, and what nearly all looks are for */
    void (*changed)(void *owner);
    void *owner;
    struct trace_cat *guest_error;
    struct code_watch *code;
};

struct bus *bus_new(struct trace *trace)
{
    struct bus *bus = alloc_zeroed(sizeof *bus);

    bus->guest_error = trace_category(trace, "guest_error");
    return bus;
}

void bus_free(struct bus *bus)
{
    free(bus);
}

static bool add(struct bus *bus, struct bus_range r, struct error *e)
{
    size_t i = 0;

    if (!r.size || r.base + r.size - 1 < r.base)
        return error_set(e, "bus: a range of %#llx bytes at %#llx does not fit the address space",
                         (unsigned long long)r.size, (unsigned long long)r.base);
    if (bus->count == MAX_RANGES)
        return error_set(e, "bus: more than %d ranges", MAX_RANGES);
    while (i < bus->count && bus->ranges[i].base < r.base)
        i++;
    bool low = i > 0 && r.base - bus->ranges[i - 1].base < bus->ranges[i - 1].size;
    bool high = i < bus->count && bus->ranges[i].base - r.base < r.size;
    if (low || high)
        return error_set(e, "bus: %#llx..%#llx overlaps the range at %#llx", (unsigned long long)r.base,
                         (unsigned long long)(r.base + r.size - 1),
                         (unsigned long long)bus->ranges[low ? i - 1 : i].base);
    memmove(&bus->ranges[i + 1], &bus->ranges[i], (bus->count - i) * sizeof r);
    bus->ranges[i] = r;
    bus->count++;
    bus->largest = bus->ranges;
    for (i = 1; i < bus->count; i++) {
        if (bus->ranges[i].size > bus->largest->size)
            bus->largest = &bus->ranges[i];
    }
    return true;
}

bool bus_add_memory_part(struct bus *bus, enum bus_kind kind, uint64_t base, struct ram *ram, uint64_t offset,
                         uint64_t size, struct error *e)
{
    assert(kind == BUS_RAM || kind == BUS_ROM);
    assert(in_range(offset, size, ram->size));
    return add(bus, (struct bus_range){ .base = base, .size = size, .kind = kind, .host = ram->host + offset }, e);
}

bool bus_add_memory(struct bus *bus, enum bus_kind kind, uint64_t base, struct ram *ram, uint64_t size,
                    struct error *e)
{
    return bus_add_memory_part(bus, kind, base, ram, 0, size, e);
}

bool bus_add_device(struct bus *bus, uint64_t base, struct device *dev, struct ram *rom, struct error *e)
{
    uint64_t span = dev->ops->span ? dev->ops->span : dev->span;

    assert(!rom || rom->size >= span);
    return add(bus,
               (struct bus_range){ .base = base,
                                   .size = span,
                                   .kind = rom ? BUS_ROMD : BUS_DEVICE,
                                   .host = rom ? rom->host : NULL,
                                   .dev = dev },
               e);
}

void bus_set_direct(struct bus *bus, struct device *dev, bool direct)
{
    enum bus_kind kind = direct ? BUS_ROMD : BUS_DEVICE;

    for (size_t i = 0; i < bus->count; i++) {
        struct bus_range *r = &bus->ranges[i];
        if (r->dev != dev || !r->host || r->kind == kind)
            continue;
        __atomic_store_n(&r->kind, kind, __ATOMIC_RELEASE);
        if (bus->changed)
            bus->changed(bus->owner);
    }
}

void bus_watch(struct bus *bus, void (*changed)(void *owner), void *owner)
{
    bus->changed = changed;
    bus->owner = owner;
}

const struct bus_range *bus_find(const struct bus *bus, uint64_t gpa)
{
    size_t lo = 0, hi = bus->count;

    if (bus->largest && gpa - bus->largest->base < bus->largest->size)
        return bus->largest;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct bus_range *r = &bus->ranges[mid];
        if (gpa - r->base < r->size)
            return r;
        if (gpa < r->base)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

const struct bus_range *bus_ranges(const struct bus *bus, size_t *count)
{
    *count = bus->count;
    return bus->ranges;
}

uint8_t *bus_memory(const struct bus *bus, uint64_t gpa, uint64_t len, bool writing)
{
    const struct bus_range *r = bus_find(bus, gpa);

    if (!r || r->kind == BUS_DEVICE || (writing && r->kind != BUS_RAM) || !in_range(gpa - r->base, len, r->size))
        return NULL;
    return r->host + (gpa - r->base);
}

/* The range for one CPU access to something that is not plain memory, or NULL with the reason. */
static const struct bus_range *device_at(struct bus *bus, uint64_t gpa, unsigned width, const char *what,
                                         enum bus_status *status)
{
    const struct bus_range *r = bus_find(bus, gpa);

    *status = BUS_UNMAPPED;
    if (r && r->dev && in_range(gpa - r->base, width, r->size) && (r->dev->ops->widths & width) &&
        !(gpa & (width - 1)))
        return r;
    if (r)
        *status = BUS_REFUSED;
    if (trace_on(bus->guest_error))
        trace_log(bus->guest_error, "%s of %u bytes at %#llx: %s", what, width, (unsigned long long)gpa,
                  !r ? "nothing there" : r->dev ? r->dev->id : "read-only memory");
    return NULL;
}

enum bus_status bus_read(struct bus *bus, uint64_t gpa, unsigned width, uint64_t *value)
{
    const uint8_t *host = bus_memory(bus, gpa, width, false);
    enum bus_status status;

    *value = 0;
    if (host) {
        *value = get_le(host, width);
        return BUS_OK;
    }
    const struct bus_range *r = device_at(bus, gpa, width, "read", &status);
    if (!r)
        return status;
    *value = r->dev->ops->read(r->dev, gpa - r->base, width) & (UINT64_MAX >> (64 - 8 * width));
    return BUS_OK;
}

void bus_set_code_watch(struct bus *bus, struct code_watch *watch)
{
    bus->code = watch;
}

static void wrote(const struct bus *bus, const uint8_t *host, size_t len)
{
    if (bus->code)
        code_watch_wrote(bus->code, host, len);
}

enum bus_status bus_write(struct bus *bus, uint64_t gpa, unsigned width, uint64_t value)
{
    uint8_t *host = bus_memory(bus, gpa, width, true);
    enum bus_status status;

    if (host) {
        put_le(host, value, width);
        wrote(bus, host, width);
        return BUS_OK;
    }
    const struct bus_range *r = device_at(bus, gpa, width, "write", &status);
    if (!r)
        return status;
    r->dev->ops->write(r->dev, gpa - r->base, width, value & (UINT64_MAX >> (64 - 8 * width)));
    device_settle(r->dev);
    return BUS_OK;
}

enum copy { COPY_IN, COPY_OUT };

/* Aligned guest words of 2, 4 and 8 bytes are read and written by single accesses: rings are shared with running
 * vCPUs. The other side, a device's buffer, may have any alignment. */
static void copy_in(uint8_t *buf, const uint8_t *guest, size_t n)
{
    bool aligned = !((uintptr_t)guest & (n - 1));

    if (n == 2 && aligned)
        put_le16(buf, __atomic_load_n((const uint16_t *)(const void *)guest, __ATOMIC_RELAXED));
    else if (n == 4 && aligned)
        put_le32(buf, __atomic_load_n((const uint32_t *)(const void *)guest, __ATOMIC_RELAXED));
    else if (n == 8 && aligned)
        put_le64(buf, __atomic_load_n((const uint64_t *)(const void *)guest, __ATOMIC_RELAXED));
    else
        memcpy(buf, guest, n);
}

static void copy_out(uint8_t *guest, const uint8_t *buf, size_t n)
{
    bool aligned = !((uintptr_t)guest & (n - 1));

    if (n == 2 && aligned)
        __atomic_store_n((uint16_t *)(void *)guest, get_le16(buf), __ATOMIC_RELAXED);
    else if (n == 4 && aligned)
        __atomic_store_n((uint32_t *)(void *)guest, get_le32(buf), __ATOMIC_RELAXED);
    else if (n == 8 && aligned)
        __atomic_store_n((uint64_t *)(void *)guest, get_le64(buf), __ATOMIC_RELAXED);
    else
        memcpy(guest, buf, n);
}

/* Copies between buf and guest memory range by range; `any` also reaches ROM and flash contents. */
static bool copy(const struct bus *bus, uint64_t gpa, uint8_t *buf, size_t len, enum copy way, bool any)
{
    while (len) {
        const struct bus_range *r = bus_find(bus, gpa);
        if (!r || !r->host || (!any && r->kind != BUS_RAM))
            return false;
        uint64_t off = gpa - r->base;
        size_t n = len < r->size - off ? len : (size_t)(r->size - off);
        if (way == COPY_IN)
            copy_in(buf, r->host + off, n);
        else
            copy_out(r->host + off, buf, n);
        if (way == COPY_OUT)
            wrote(bus, r->host + off, n);
        gpa += n;
        buf += n;
        len -= n;
        if (len && !gpa)
            return false;
    }
    return true;
}

bool dma_read(struct bus *bus, uint64_t gpa, void *buf, size_t len)
{
    return copy(bus, gpa, buf, len, COPY_IN, false);
}

bool dma_write(struct bus *bus, uint64_t gpa, const void *buf, size_t len)
{
    return copy(bus, gpa, (uint8_t *)(uintptr_t)buf, len, COPY_OUT, false);
}

bool bus_peek(struct bus *bus, uint64_t gpa, void *buf, size_t len)
{
    return copy(bus, gpa, buf, len, COPY_IN, true);
}

bool bus_poke(struct bus *bus, uint64_t gpa, const void *buf, size_t len)
{
    return copy(bus, gpa, (uint8_t *)(uintptr_t)buf, len, COPY_OUT, true);
}
