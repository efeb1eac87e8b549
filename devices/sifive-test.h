/* sifive-test.h - the SiFive test finisher: the guest ends or resets the machine. */
#ifndef DEVICES_SIFIVE_TEST_H
#define DEVICES_SIFIVE_TEST_H

#include "device.h"
#include "ports.h"

/* `machine` is borrowed. */
struct device *sifive_test_new(const char *id, const struct dev_env *env, struct machine_port *machine);

#endif
