/* goldfish-rtc.h - the Goldfish real-time clock: wall-clock time in nanoseconds, and an alarm. */
#ifndef DEVICES_GOLDFISH_RTC_H
#define DEVICES_GOLDFISH_RTC_H

#include "device.h"

struct device *goldfish_rtc_new(const char *id, const struct dev_env *env);

/* The alarm interrupt; the machine connects it. */
struct line *goldfish_rtc_irq(struct device *dev);

#endif
