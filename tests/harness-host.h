/* harness-host.h - host/ (loop, terminal, character ports, disks, NAT, entropy) in scenarios that a test runs
 * by number. */
#ifndef HARNESS_HOST_H
#define HARNESS_HOST_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

int hh_count(void);
const char *hh_name(int scenario);

/* False when an expectation failed; `why` then says the first one. */
bool hh_run(int scenario, char *why, size_t size);

#ifdef __cplusplus
}
#endif

#endif
