/* verb-test.h - `lyrebird test FILE...`: boot tests (docs/boot-tests.md). */
#ifndef MACHINE_VERB_TEST_H
#define MACHINE_VERB_TEST_H

/* argv[0] is "test". Returns the process's exit status: that of the worst case. */
int verb_test(int argc, char **argv);

#endif
