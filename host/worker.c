/*
 * worker.c - see worker.h. Finished requests wait in one list per status, so that a request needs no memory
 * of ours.
 *
 * The loop is posted to once per batch: when the first request of a batch finishes. A worker that is freed
 * while such a post is on its way leaves its memory to that post.
 */
#include "worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

enum { THREADS_MAX = 8, STATUSES = BLOCK_READ_ONLY + 1 };

struct list {
    struct block_request *first;
    struct block_request **end;
};

struct worker {
    struct loop *loop;
    enum block_status (*perform)(void *owner, struct block_request *req);
    void *owner;
    pthread_mutex_t mutex;
    pthread_cond_t work; /* something is in `todo`, or `stop` */
    pthread_cond_t idle; /* `unfinished` became 0 */
    struct list todo;
    struct list done[STATUSES];
    unsigned unfinished; /* in `todo` or with a thread */
    bool posted;         /* `task` is on its way to the loop */
    struct loop_task task;
    bool stop;
    bool freed;
    unsigned threads;
    pthread_t thread[THREADS_MAX];
};

static void push(struct list *l, struct block_request *req)
{
    req->next = NULL;
    *l->end = req;
    l->end = &req->next;
}

static struct block_request *take_all(struct list *l)
{
    struct block_request *first = l->first;

    l->first = NULL;
    l->end = &l->first;
    return first;
}

static void destroy(struct worker *w)
{
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->idle);
    free(w);
}

static void complete(struct worker *w)
{
    struct block_request *batch[STATUSES];

    pthread_mutex_lock(&w->mutex);
    for (int i = 0; i < STATUSES; i++)
        batch[i] = take_all(&w->done[i]);
    pthread_mutex_unlock(&w->mutex);
    for (int i = 0; i < STATUSES; i++)
        while (batch[i]) {
            struct block_request *req = batch[i];
            batch[i] = req->next;
            req->done(req, (enum block_status)i);
        }
}

static void on_post(void *arg)
{
    struct worker *w = arg;

    pthread_mutex_lock(&w->mutex);
    w->posted = false;
    pthread_mutex_unlock(&w->mutex);
    if (w->freed)
        destroy(w);
    else
        complete(w);
}

static void finish(struct worker *w, struct block_request *req, enum block_status status)
{
    push(&w->done[status], req);
    if (--w->unfinished == 0)
        pthread_cond_broadcast(&w->idle);
    if (!w->posted) {
        w->posted = true;
        loop_post_task(w->loop, &w->task);
    }
}

static void *run(void *arg)
{
    struct worker *w = arg;

    pthread_mutex_lock(&w->mutex);
    for (;;) {
        while (!w->todo.first && !w->stop)
            pthread_cond_wait(&w->work, &w->mutex);
        struct block_request *req = w->todo.first;
        if (!req)
            break;
        w->todo.first = req->next;
        if (!w->todo.first)
            w->todo.end = &w->todo.first;
        pthread_mutex_unlock(&w->mutex);
        enum block_status status = w->perform(w->owner, req);
        pthread_mutex_lock(&w->mutex);
        finish(w, req, status);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static bool start_threads(struct worker *w, unsigned threads, struct error *e)
{
    sigset_t all, old;
    int rc = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (!rc && w->threads < threads) {
        rc = pthread_create(&w->thread[w->threads], NULL, run, w);
        w->threads += !rc;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return !rc || error_set(e, "cannot start a disk thread: %s", strerror(rc));
}

struct worker *worker_new(struct loop *loop, unsigned threads,
                          enum block_status (*perform)(void *owner, struct block_request *req), void *owner,
                          struct error *e)
{
    struct worker *w = alloc_zeroed(sizeof *w);

    assert(threads >= 1 && threads <= THREADS_MAX);
    w->task = (struct loop_task){ .fn = on_post, .arg = w };
    w->loop = loop;
    w->perform = perform;
    w->owner = owner;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->work, NULL);
    pthread_cond_init(&w->idle, NULL);
    take_all(&w->todo);
    for (int i = 0; i < STATUSES; i++)
        take_all(&w->done[i]);
    if (!start_threads(w, threads, e)) {
        worker_free(w);
        return NULL;
    }
    return w;
}

void worker_submit(struct worker *w, struct block_request *req)
{
    pthread_mutex_lock(&w->mutex);
    push(&w->todo, req);
    w->unfinished++;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->mutex);
}

/* done() may submit more, hence the outer loop. */
void worker_drain(struct worker *w)
{
    bool more = true;

    while (more) {
        pthread_mutex_lock(&w->mutex);
        while (w->unfinished)
            pthread_cond_wait(&w->idle, &w->mutex);
        pthread_mutex_unlock(&w->mutex);
        complete(w);
        pthread_mutex_lock(&w->mutex);
        more = w->unfinished;
        pthread_mutex_unlock(&w->mutex);
    }
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    assert(!w->unfinished);
    w->stop = true;
    pthread_cond_broadcast(&w->work);
    pthread_mutex_unlock(&w->mutex);
    for (unsigned i = 0; i < w->threads; i++)
        pthread_join(w->thread[i], NULL);
    w->freed = true;
    if (!w->posted)
        destroy(w);
}
