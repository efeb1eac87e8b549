/*
 * harness-devices.h - a machine of one device, 1 MiB of RAM, a virtual clock and fake ports, driven as a
 * guest and a host would.
 */
#ifndef HARNESS_DEVICES_H
#define HARNESS_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dt_kind {
    DT_RTC,
    DT_UART,
    DT_PLIC,
    DT_ACLINT,
    DT_SSWI,
    DT_TEST,
    DT_FWCFG,
    DT_FWCFG_IO,
    DT_PFLASH,
    DT_PFLASH_DRIVE,     /* with a drive of half the flash's size */
    DT_PFLASH_READ_ONLY, /* with a drive that cannot be written */
    DT_HTIF,
    DT_KINDS,
};

enum {
    DT_RAM = 0x80000000,
    DT_RAM_SIZE = 1 << 20,
    DT_BASE = 0x10000000, /* of the device's window */
    DT_SOURCES = 40,      /* of the PLIC */
    DT_HARTS = 4,         /* of the ACLINT; the PLIC has as many contexts */
    DT_LINES = 8,         /* most that a device has */
    DT_UART_HZ = 1843200,
    DT_FLASH_SIZE = 2 << 20,
    DT_TOHOST = 0,
    DT_FROMHOST = 64,
};
#define DT_TIMEBASE UINT64_C(10000000)
#define DT_WALL UINT64_C(1700000000000000000) /* wall clock at guest time 0 */

enum dt_request { DT_NO_REQUEST, DT_POWEROFF, DT_RESET, DT_EXIT };

struct dt;

struct dt *dt_new(enum dt_kind kind);
void dt_free(struct dt *t);
const char *dt_name(enum dt_kind kind);
uint64_t dt_span(const struct dt *t);

/* ---- the guest ---- */

/* False when the bus refuses it. */
bool dt_access(struct dt *t, uint64_t off, unsigned width, bool write, uint64_t *value);
/* The same for accesses that must not be refused: they abort the test program if they are. */
uint64_t dt_read(struct dt *t, uint64_t off, unsigned width);
void dt_write(struct dt *t, uint64_t off, unsigned width, uint64_t value);
uint8_t *dt_ram(struct dt *t, uint64_t gpa);
bool dt_direct(const struct dt *t); /* reads are served from memory */
void dt_reset(struct dt *t);
unsigned dt_guest_errors(struct dt *t); /* lines traced since the last call */

/* ---- wires and time; ACLINT: msip 0.., mtip DT_HARTS.. ---- */

bool dt_line(const struct dt *t, unsigned n);
unsigned dt_calls(const struct dt *t, unsigned n); /* times that the line was set to true */
void dt_input(struct dt *t, unsigned source, bool level);
uint64_t dt_now(const struct dt *t);
void dt_advance(struct dt *t, uint64_t ns); /* stops at each deadline on the way */

/* ---- the host ---- */

size_t dt_type(struct dt *t, const void *buf, size_t len); /* what the device took */
void dt_break(struct dt *t);
size_t dt_output(const struct dt *t, const char **buf);
unsigned dt_pokes(const struct dt *t);
enum dt_request dt_take_request(struct dt *t, int *status);
bool dt_add_file(struct dt *t, const char *name, const void *data, uint32_t len);
bool dt_add_item(struct dt *t, uint16_t key, const void *data, uint32_t len);
uint8_t *dt_drive(struct dt *t);
void dt_drain(struct dt *t); /* carries out what the drive was asked */
unsigned dt_flushes(const struct dt *t);
void dt_fail_drive(struct dt *t, bool fail);
bool dt_load_flash(struct dt *t);
bool dt_htif_place(uint64_t tohost, uint64_t fromhost, uint64_t *base, uint64_t *span);

/* ---- state ---- */

size_t dt_save(const struct dt *t, uint8_t *buf, size_t capacity);
bool dt_load(struct dt *t, const uint8_t *buf, size_t len, char *message, size_t size);
/* Gives `to`, of the same kind, the time, memory and state of `from`. */
bool dt_clone(const struct dt *from, struct dt *to);

#ifdef __cplusplus
}
#endif

#endif
