#include "lock.h"

void lock_init(struct machine_lock *l)
{
    pthread_mutex_init(&l->mutex, NULL);
    l->held = false;
}

void lock_destroy(struct machine_lock *l)
{
    pthread_mutex_destroy(&l->mutex);
}

static void note_taken(struct machine_lock *l)
{
    __atomic_store_n(&l->holder, pthread_self(), __ATOMIC_RELAXED);
    __atomic_store_n(&l->held, true, __ATOMIC_RELAXED);
}

static void note_dropped(struct machine_lock *l)
{
    __atomic_store_n(&l->held, false, __ATOMIC_RELAXED);
}

void lock_take(struct machine_lock *l)
{
    pthread_mutex_lock(&l->mutex);
    note_taken(l);
}

void lock_drop(struct machine_lock *l)
{
    note_dropped(l);
    pthread_mutex_unlock(&l->mutex);
}

void lock_wait(struct machine_lock *l, pthread_cond_t *cond)
{
    note_dropped(l);
    pthread_cond_wait(cond, &l->mutex);
    note_taken(l);
}

bool lock_held(const struct machine_lock *l)
{
    return __atomic_load_n(&l->held, __ATOMIC_RELAXED) &&
           pthread_equal(__atomic_load_n(&l->holder, __ATOMIC_RELAXED), pthread_self());
}
