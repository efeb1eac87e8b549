/*
 * verb-run.h - `lyrebird run WHAT`: finds out or fetches what is needed and starts the machine for it.
 */
#ifndef MACHINE_VERB_RUN_H
#define MACHINE_VERB_RUN_H

/* argv[0] is "run". Returns the process's exit status. */
int verb_run(int argc, char **argv);

/* Words for the command line of Debian's kernel, with the initramfs that we make for it. */
extern const char verb_run_lean_boot[];

#endif
