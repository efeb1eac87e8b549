#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

void device_init(struct device *dev, const struct dev_ops *ops, const char *id, const struct dev_env *env)
{
    dev->ops = ops;
    dev->id = id;
    dev->env = *env;
    dev->log = trace_category(env->trace, ops->name);
    dev->guest_error = trace_category(env->trace, "guest_error");
}

void device_settle(struct device *dev)
{
    if (dev->ops->settle)
        dev->ops->settle(dev);
}

void device_reset(struct device *dev)
{
    if (dev->ops->reset)
        dev->ops->reset(dev);
    device_settle(dev);
}

void device_destroy(struct device *dev)
{
    if (dev)
        dev->ops->destroy(dev);
}

void device_save(const struct device *dev, struct state_out *out)
{
    state_save(out, dev->id, dev->ops->fields, dev);
}

bool device_load(struct device *dev, struct state_in *in, struct error *e)
{
    size_t size = dev->ops->size;
    struct device *scratch = alloc_copy(dev, size);

    bool ok = state_load(in, dev->id, dev->ops->fields, scratch, size, e) &&
              (!dev->ops->valid || dev->ops->valid(scratch, e));
    if (ok) {
        state_copy(dev->ops->fields, dev, scratch);
        device_settle(dev);
    }
    free(scratch);
    return ok;
}
