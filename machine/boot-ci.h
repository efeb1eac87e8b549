/* boot-ci.h - `lyrebird run --ci`: a machine without input, whose end is judged as a boot test's is. */
#ifndef MACHINE_BOOT_CI_H
#define MACHINE_BOOT_CI_H

#include "path.h"

/* Runs the command line of a lyrebird-system door; the serial output goes to standard output as it is. Returns the exit
 * status: enum boot_status. */
int boot_ci(const char *arch, const struct strings *argv);

#endif
