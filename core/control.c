#include "control.h"

bool control_listen(struct control *c, const struct control_listener *listener, struct error *e)
{
    if (c->listeners >= CONTROL_LISTENERS)
        return error_set(e, "no more than %d debuggers and protocols can listen to one machine", CONTROL_LISTENERS);
    c->listener[c->listeners++] = *listener;
    return true;
}

void control_unlisten(struct control *c, const void *owner)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < c->listeners; i++) {
        if (c->listener[i].owner != owner)
            c->listener[kept++] = c->listener[i];
    }
    c->listeners = kept;
}

void control_tell(struct control *c, enum control_event what, bool by_guest, const char *reason)
{
    for (unsigned i = 0; i < c->listeners; i++) {
        if (c->listener[i].event)
            c->listener[i].event(c->listener[i].owner, what, by_guest, reason);
    }
}
