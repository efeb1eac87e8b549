/* net-user-none.c - user-mode networking where libslirp was not found. */
#include "net.h"

#include <stdlib.h>

#include "alloc.h"

static const char missing[] =
    "user-mode networking needs libslirp, which was not found when this program was built; "
    "install libslirp-dev and run configure again";

struct net_port *net_user_open(struct loop *loop, const struct net_user_config *config, struct error *e)
{
    error_set(e, "%s", missing);
    return NULL;
}

void net_user_close(struct net_port *port)
{
}

bool net_user_hostfwd_add(struct net_port *port, const char *rule, unsigned *host_port, struct error *e)
{
    return error_set(e, "%s", missing);
}

bool net_user_hostfwd_remove(struct net_port *port, const char *rule, struct error *e)
{
    return error_set(e, "%s", missing);
}

char *net_user_info(struct net_port *port)
{
    return alloc_text("");
}
