#include "cpu.h"

#include <stdlib.h>

void cpu_init(struct cpu *cpu, const struct cpu_ops *ops, const struct cpu_env *env, unsigned index)
{
    cpu->ops = ops;
    cpu->env = *env;
    cpu->index = index;
    atomic_init(&cpu->request, 0);
    pthread_mutex_init(&cpu->sleep_mutex, NULL);
    pthread_cond_init(&cpu->sleep_cond, NULL);
}

void cpu_fini(struct cpu *cpu)
{
    free(cpu->fault);
    pthread_cond_destroy(&cpu->sleep_cond);
    pthread_mutex_destroy(&cpu->sleep_mutex);
}

/* The mutex orders the kick with the sleeper's last look: either it sees the request, or it gets the signal. */
void cpu_kick(struct cpu *cpu, uint32_t request)
{
    uint32_t old = atomic_fetch_or(&cpu->request, request);

    if ((old & request) == request)
        return;
    pthread_mutex_lock(&cpu->sleep_mutex);
    pthread_cond_signal(&cpu->sleep_cond);
    pthread_mutex_unlock(&cpu->sleep_mutex);
}

void cpu_sleep(struct cpu *cpu)
{
    pthread_mutex_lock(&cpu->sleep_mutex);
    while (!atomic_load(&cpu->request) && !cpu->ops->has_work(cpu))
        pthread_cond_wait(&cpu->sleep_cond, &cpu->sleep_mutex);
    pthread_mutex_unlock(&cpu->sleep_mutex);
}
