/* verb-doctor.h - `lyrebird doctor`: what this host has and lacks, and what would mend it. */
#ifndef MACHINE_VERB_DOCTOR_H
#define MACHINE_VERB_DOCTOR_H

/* argv[0] is "doctor". Returns 0 when all that is essential is there, 1 when not, 2 for a wrong use. */
int verb_doctor(int argc, char **argv);

#endif
