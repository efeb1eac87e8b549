/*
 * terminal.h - raw mode on the user's terminal, and the promise that it is always given back as it was.
 *
 * A process has one terminal, so this is process-wide state; it is the exception to "no mutable file-scope
 * variable", because an exit handler and a signal handler get no argument.
 */
#ifndef HOST_TERMINAL_H
#define HOST_TERMINAL_H

#include <stdbool.h>

#include "error.h"
#include "loop.h"

/* Puts the terminal on `fd` into raw mode: no echo, no line editing, no flow control; output processing
 * stays. With `signals` the keys Ctrl-C, Ctrl-Z and Ctrl-\ keep their meaning. Restored by
 * terminal_restore(), at exit, and when a signal kills the process. True, and nothing changed, when `fd` is
 * not a terminal. */
bool terminal_raw(int fd, bool signals, struct error *e);

/* Gives the terminal back. Idempotent; async-signal-safe. */
void terminal_restore(void);

/* Job control for a process whose signals the loop handles: SIGTSTP restores the terminal and stops the
 * process, SIGCONT makes the terminal raw again. Call once, before threads are started. */
bool terminal_job_control(struct loop *loop, struct error *e);

#endif
