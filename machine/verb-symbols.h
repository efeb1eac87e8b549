/* verb-symbols.h - `lyrebird symbols KERNEL`: what GDB needs to know a kernel's functions (docs/debugging.md). */
#ifndef MACHINE_VERB_SYMBOLS_H
#define MACHINE_VERB_SYMBOLS_H

/* argv[0] is "symbols". Returns the process's exit status. */
int verb_symbols(int argc, char **argv);

#endif
