/* boot-report.h - what became of boot tests, as TAP (testanything.org, version 13) and as JUnit's XML. */
#ifndef MACHINE_BOOT_REPORT_H
#define MACHINE_BOOT_REPORT_H

#include <stdio.h>

#include "boot-run.h"

/* "pass", "panic", ... */
const char *boot_status_name(enum boot_status status);

void boot_tap_plan(FILE *out, size_t count);
void boot_tap_case(FILE *out, size_t n, const struct boot_case *c, const struct boot_outcome *o);

bool boot_junit_write(const char *file, const struct boot_suite *s, const struct boot_outcome *outcomes,
                      struct error *e);

/* The status of them all: the worst decides. */
enum boot_status boot_worst(const struct boot_outcome *outcomes, size_t count);

#endif
