/*
 * lock.h - the machine lock: devices, lines, timers and the bus map are entered under it; RAM and a vCPU's own
 * state are not. It is not recursive.
 */
#ifndef CORE_LOCK_H
#define CORE_LOCK_H

#include <pthread.h>
#include <stdbool.h>

struct machine_lock {
    pthread_mutex_t mutex;
    pthread_t holder;
    bool held;
};

void lock_init(struct machine_lock *l);
void lock_destroy(struct machine_lock *l);
void lock_take(struct machine_lock *l);
void lock_drop(struct machine_lock *l);

/* Waits on `cond` with the lock released; it is held again on return. */
void lock_wait(struct machine_lock *l, pthread_cond_t *cond);

/* True when the calling thread holds the lock; for asserts. */
bool lock_held(const struct machine_lock *l);

#endif
