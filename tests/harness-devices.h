/*
 * harness-devices.h - a machine of one device, 1 MiB of RAM, a virtual clock and fake ports, driven as a guest and a
 * host would.
 */
#ifndef HARNESS_DEVICES_H
#define HARNESS_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dvt_kind {
    DVT_RTC,
    DVT_UART,
    DVT_PLIC,
    DVT_ACLINT,
    DVT_SSWI,
    DVT_TEST,
    DVT_FWCFG,
    DVT_FWCFG_IO,
    DVT_PFLASH,
    DVT_PFLASH_DRIVE,     /* with a drive of half the flash's size */
    DVT_PFLASH_READ_ONLY, /* with a drive that cannot be written */
    DVT_HTIF,
    DVT_KINDS,
};

enum {
    DVT_RAM = 0x80000000,
    DVT_RAM_SIZE = 1 << 20,
    DVT_BASE = 0x10000000, /* of the device's window */
    DVT_SOURCES = 40,      /* of the PLIC */
    DVT_HARTS = 4,         /* of the ACLINT; the PLIC has as many contexts */
    DVT_LINES = 8,         /* most that a device has */
    DVT_UART_HZ = 1843200,
    DVT_FLASH_SIZE = 2 << 20,
    DVT_TOHOST = 0,
    DVT_FROMHOST = 64,
};
#define DVT_TIMEBASE UINT64_C(10000000)
#define DVT_WALL UINT64_C(1700000000000000000) /* wall clock at guest time 0 */

enum dvt_request { DVT_NO_REQUEST, DVT_POWEROFF, DVT_RESET, DVT_EXIT };

struct dvt;

struct dvt *dvt_new(enum dvt_kind kind);
void dvt_free(struct dvt *t);
const char *dvt_name(enum dvt_kind kind);
uint64_t dvt_span(const struct dvt *t);

/* ---- the guest ---- */

/* False when the bus refuses it. */
bool dvt_access(struct dvt *t, uint64_t off, unsigned width, bool write, uint64_t *value);
/* The same for accesses that must not be refused: they abort the test program if they are. */
uint64_t dvt_read(struct dvt *t, uint64_t off, unsigned width);
void dvt_write(struct dvt *t, uint64_t off, unsigned width, uint64_t value);
uint8_t *dvt_ram(struct dvt *t, uint64_t gpa);
bool dvt_direct(const struct dvt *t); /* reads are served from memory */
void dvt_reset(struct dvt *t);
unsigned dvt_guest_errors(struct dvt *t); /* lines traced since the last call */

/* ---- wires and time; ACLINT: msip 0.., mtip DVT_HARTS.. ---- */

bool dvt_line(const struct dvt *t, unsigned n);
unsigned dvt_calls(const struct dvt *t, unsigned n); /* times that the line was set to true */
void dvt_input(struct dvt *t, unsigned source, bool level);
uint64_t dvt_now(const struct dvt *t);
void dvt_advance(struct dvt *t, uint64_t ns); /* stops at each deadline on the way */

/* ---- the host ---- */

size_t dvt_type(struct dvt *t, const void *buf, size_t len); /* what the device took */
void dvt_break(struct dvt *t);
size_t dvt_output(const struct dvt *t, const char **buf);
unsigned dvt_pokes(const struct dvt *t);
enum dvt_request dvt_take_request(struct dvt *t, int *status);
bool dvt_add_file(struct dvt *t, const char *name, const void *data, uint32_t len);
bool dvt_add_item(struct dvt *t, uint16_t key, const void *data, uint32_t len);
uint8_t *dvt_drive(struct dvt *t);
void dvt_drain(struct dvt *t); /* carries out what the drive was asked */
unsigned dvt_flushes(const struct dvt *t);
void dvt_fail_drive(struct dvt *t, bool fail);
bool dvt_load_flash(struct dvt *t);
bool dvt_htif_place(uint64_t tohost, uint64_t fromhost, uint64_t *base, uint64_t *span);

/* ---- state ---- */

size_t dvt_save(const struct dvt *t, uint8_t *buf, size_t capacity);
bool dvt_load(struct dvt *t, const uint8_t *buf, size_t len, char *message, size_t size);
/* Gives `to`, of the same kind, the time, memory and state of `from`. */
bool dvt_clone(const struct dvt *from, struct dvt *to);

#ifdef __cplusplus
}

extern "C++" {
#include <string>

class DeviceRig {
  public:
    explicit DeviceRig(dvt_kind kind) : t(dvt_new(kind)) {}
    ~DeviceRig() { dvt_free(t); }
    DeviceRig(const DeviceRig &) = delete;
    DeviceRig &operator=(const DeviceRig &) = delete;

    uint64_t r8(uint64_t off) { return dvt_read(t, off, 1); }
    uint64_t r32(uint64_t off) { return dvt_read(t, off, 4); }
    uint64_t r64(uint64_t off) { return dvt_read(t, off, 8); }
    void w8(uint64_t off, uint64_t v) { dvt_write(t, off, 1, v); }
    void w32(uint64_t off, uint64_t v) { dvt_write(t, off, 4, v); }
    void w64(uint64_t off, uint64_t v) { dvt_write(t, off, 8, v); }
    bool refused(uint64_t off, unsigned width)
    {
        uint64_t v = 0;
        return !dvt_access(t, off, width, false, &v);
    }
    size_t type(const std::string &s) { return dvt_type(t, s.data(), s.size()); }
    std::string output()
    {
        const char *buf;
        size_t len = dvt_output(t, &buf);
        return std::string(buf, len);
    }
    bool line(unsigned n = 0) { return dvt_line(t, n); }

    dvt *t;
};
}
#endif

#endif
