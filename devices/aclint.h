/* aclint.h - RISC-V ACLINT: machine timer and software interrupts (CLINT layout); supervisor ones apart. */
#ifndef DEVICES_ACLINT_H
#define DEVICES_ACLINT_H

#include "device.h"

enum { ACLINT_MAX_HARTS = 128, ACLINT_SPAN = 0x10000, ACLINT_SSWI_SPAN = 0x4000 };

/* MSWI at 0, mtimecmp at 0x4000, mtime at 0xbff8. `timebase`: Hz of mtime, not 0. */
struct device *aclint_new(const char *id, const struct dev_env *env, unsigned harts, uint64_t timebase);

/* The outputs of a hart < harts: machine software and machine timer interrupt, both levels. */
struct line *aclint_msip(struct device *dev, unsigned hart);
struct line *aclint_mtip(struct device *dev, unsigned hart);

/* mtime now, in ticks of the timebase. */
uint64_t aclint_mtime(struct device *dev);

struct device *aclint_sswi_new(const char *id, const struct dev_env *env, unsigned harts);

/* SETSSIP's output is an edge: the line is set to true at each write of 1 and never to false. Its end must
 * latch it, as a hart does in mip.SSIP, which the hart itself clears. */
struct line *aclint_ssip(struct device *dev, unsigned hart);

#endif
