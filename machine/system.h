/* system.h - the lyrebird-system-GUEST doors. */
#ifndef MACHINE_SYSTEM_H
#define MACHINE_SYSTEM_H

/* Runs the machine that QEMU-style options describe. `arch` is "riscv64", "riscv32", ...; argv[0] names the program in
 * messages. Returns the exit status. */
int system_main(const char *arch, int argc, char **argv);

#endif
