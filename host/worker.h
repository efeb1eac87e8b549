/*
 * worker.h - threads that carry out block requests, one set per disk. A worker thread never takes the machine
 * lock.
 */
#ifndef HOST_WORKER_H
#define HOST_WORKER_H

#include "error.h"
#include "loop.h"
#include "ports.h"

struct worker;

/* perform() runs on a worker thread, on several at once when `threads` > 1. Signals are blocked there. */
struct worker *worker_new(struct loop *loop, unsigned threads,
                          enum block_status (*perform)(void *owner, struct block_request *req), void *owner,
                          struct error *e);

/* done() of the request is called from the loop. Uses req->next. With the machine lock held. */
void worker_submit(struct worker *w, struct block_request *req);

/* Waits until nothing is in flight; calls every done() itself. With the machine lock held. */
void worker_drain(struct worker *w);

/* Nothing may be in flight. NULL is fine. */
void worker_free(struct worker *w);

#endif
