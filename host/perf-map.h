/* perf-map.h - the file in which perf looks for names of code that this process makes: Linux's
 * tools/perf/Documentation/jit-interface.txt. */
#ifndef HOST_PERF_MAP_H
#define HOST_PERF_MAP_H

#include <stdio.h>

#include "error.h"

/* A new file, which outlives the process: perf reads it afterwards. Each line goes out at once. NULL with a message. */
FILE *perf_map_open(struct error *e);

#endif
