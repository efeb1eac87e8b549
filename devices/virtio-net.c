/*
 * virtio-net.c - network device, OASIS VIRTIO 1.2, section 5.1.
 *
 * Queues: 0 receives, 1 transmits, 2 controls. Frames go out inside the doorbell, since the port takes them
 * at once. A frame that finds no room in the receive queue is dropped whole: the ring is rewound to where it
 * was.
 *
 * Gaps: no offloads, so the packet header carries nothing but num_buffers; one queue pair; no receive filter
 * (every frame is delivered, which 5.1.6.5.1 allows), the filter commands are accepted; no VLAN filter, no
 * announcement.
 */
#include "virtio-net.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"

enum { F_MAC = 5, F_MRG_RXBUF = 15, F_STATUS = 16, F_CTRL_VQ = 17, F_CTRL_RX = 18, F_CTRL_MAC_ADDR = 23 };
enum { RX, TX, CTRL };
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_SIZE = 8, STATUS_LINK_UP = 1 };
enum { QUEUE_SIZE = 256, CTRL_SIZE = 64, MAC_LEN = 6 };
enum { HEADER = 12, HEADER_LEGACY = 10, HEADER_NUM_BUFFERS = 10 };

/* Control commands: class << 8 | command (5.1.6.5). */
enum {
    CTRL_OK = 0, CTRL_ERR = 1,
    CTRL_RX_PROMISC = 0x000, CTRL_RX_ALLMULTI = 0x001, CTRL_MAC_TABLE_SET = 0x100, CTRL_MAC_ADDR_SET = 0x101,
};

struct virtio_net {
    struct virtio v;
    struct net_port *port;
    struct vq_chain first, chain;
    uint8_t frame[NET_FRAME_MAX];

    uint8_t mac[MAC_LEN];
    uint8_t link_up;
};

static const struct state_field fields[] = {
    VIRTIO_FIELDS,
    STATE_ARRAY(struct virtio_net, mac),
    STATE_BOOL(struct virtio_net, link_up),
    STATE_END,
};

static struct virtio_net *net_of(struct virtio *v)
{
    return (struct virtio_net *)v;
}

/* Without VERSION_1, num_buffers is there only where it is used (5.1.6.1). */
static unsigned header_len(const struct virtio *v)
{
    return virtio_has(v, VIRTIO_F_VERSION_1) || virtio_has(v, F_MRG_RXBUF) ? HEADER : HEADER_LEGACY;
}

static void net_config(const struct virtio *v, uint8_t *c)
{
    const struct virtio_net *n = (const struct virtio_net *)v;

    memcpy(c + CONFIG_MAC, n->mac, MAC_LEN);
    put_le16(c + CONFIG_STATUS, n->link_up ? STATUS_LINK_UP : 0);
}

/* ---- receive ---- */

/* Fills buffers with header and frame, and puts them; the number of buffers, or 0 when they do not
 * suffice. */
static unsigned fill_buffers(struct virtio_net *n, const uint8_t *frame, size_t len)
{
    struct virtio *v = &n->v;
    unsigned hlen = header_len(v), buffers = 0;
    const uint8_t header[HEADER] = { 0 };

    for (size_t sent = 0; !buffers || sent < len;) {
        struct vq_chain *c = buffers ? &n->chain : &n->first;
        unsigned skip = buffers ? 0 : hlen;
        if ((buffers && !virtio_has(v, F_MRG_RXBUF)) || !virtio_pop(v, RX, c) || c->write_len <= skip)
            return 0;
        uint64_t take = c->write_len - skip < len - sent ? c->write_len - skip : len - sent;
        if ((skip && !virtio_write(v, RX, c, 0, header, skip)) ||
            !virtio_write(v, RX, c, skip, frame + sent, take) ||
            !vq_put(&v->queue[RX], c, (uint32_t)(skip + take)))
            return 0;
        sent += take;
        buffers++;
    }
    return buffers;
}

static void net_receive(void *dev, const uint8_t *frame, size_t len)
{
    struct virtio_net *n = dev;
    struct virtio *v = &n->v;
    struct virtqueue *q = &v->queue[RX];
    uint8_t count[2];

    if (!n->link_up || !len || len > NET_FRAME_MAX || !virtio_available(v, RX))
        return;
    struct vq_mark mark = vq_mark(q);
    unsigned buffers = fill_buffers(n, frame, len);
    put_le16(count, (uint16_t)buffers);
    if (!buffers ||
        (header_len(v) == HEADER && !virtio_write(v, RX, &n->first, HEADER_NUM_BUFFERS, count, 2))) {
        vq_rewind(q, mark);
        return;
    }
    vq_publish(q);
    virtio_interrupt(v, RX);
}

static bool net_can_receive(void *dev)
{
    struct virtio_net *n = dev;

    return n->link_up && virtio_available(&n->v, RX);
}

static void net_link(void *dev, bool up)
{
    struct virtio_net *n = dev;

    if (n->link_up == up)
        return;
    n->link_up = up;
    virtio_config_changed(&n->v);
}

/* ---- transmit ---- */

static void transmit(struct virtio_net *n, const struct vq_chain *c)
{
    unsigned hlen = header_len(&n->v);
    uint64_t len = c->read_len > hlen ? c->read_len - hlen : 0;

    if (len && len <= NET_FRAME_MAX && virtio_read(&n->v, TX, c, hlen, n->frame, len) && n->link_up)
        n->port->send(n->port, n->frame, len);
    else if (trace_on(n->v.dev.guest_error))
        trace_log(n->v.dev.guest_error, "%s: frame of %llu bytes dropped", n->v.dev.id,
                  (unsigned long long)len);
}

static void run_transmit(struct virtio_net *n)
{
    unsigned budget = QUEUE_SIZE;

    while (budget && virtio_pop(&n->v, TX, &n->chain)) {
        transmit(n, &n->chain);
        virtio_push(&n->v, TX, &n->chain, 0);
        budget--;
    }
    if (!budget)
        virtio_again(&n->v, TX);
    virtio_interrupt(&n->v, TX);
}

/* ---- control ---- */

/* Two tables: a count and that many addresses, unicast then multicast (5.1.6.5.2). */
static bool is_mac_table(const uint8_t *data, uint64_t len)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < 2; i++) {
        if (!in_range(at, 4, len))
            return false;
        uint64_t bytes = (uint64_t)get_le32(data + at) * MAC_LEN;
        if (!in_range(at + 4, bytes, len))
            return false;
        at += 4 + bytes;
    }
    return true;
}

static uint8_t command(struct virtio_net *n, unsigned what, const uint8_t *data, uint64_t len)
{
    bool rx = virtio_has(&n->v, F_CTRL_RX);

    switch (what) {
    case CTRL_RX_PROMISC:
    case CTRL_RX_ALLMULTI: return rx && len == 1 && data[0] < 2 ? CTRL_OK : CTRL_ERR;
    case CTRL_MAC_TABLE_SET: return rx && is_mac_table(data, len) ? CTRL_OK : CTRL_ERR;
    case CTRL_MAC_ADDR_SET:
        if (!virtio_has(&n->v, F_CTRL_MAC_ADDR) || len != MAC_LEN)
            return CTRL_ERR;
        memcpy(n->mac, data, MAC_LEN);
        return CTRL_OK;
    default: return CTRL_ERR;
    }
}

/* Commands are as long as the guest likes; what does not fit a frame's buffer is refused unread. */
static void run_control(struct virtio_net *n)
{
    struct virtio *v = &n->v;
    struct vq_chain *c = &n->chain;

    for (unsigned budget = CTRL_SIZE; virtio_pop(v, CTRL, c); budget--) {
        uint8_t ack = CTRL_ERR;
        if (c->read_len < 2 || !c->write_len) {
            virtio_break(v, "a control command without class or room for its answer");
            return;
        }
        if (c->read_len <= sizeof n->frame) {
            if (!virtio_read(v, CTRL, c, 0, n->frame, c->read_len))
                return;
            ack = command(n, (unsigned)n->frame[0] << 8 | n->frame[1], n->frame + 2, c->read_len - 2);
        }
        if (!virtio_write(v, CTRL, c, 0, &ack, 1))
            return;
        virtio_push(v, CTRL, c, 1);
        if (budget == 1) {
            virtio_again(v, CTRL);
            break;
        }
    }
    virtio_interrupt(v, CTRL);
}

static void net_kick(struct virtio *v, unsigned queue)
{
    struct virtio_net *n = net_of(v);

    if (queue == TX)
        run_transmit(n);
    else if (queue == CTRL)
        run_control(n);
    else if (n->port->poke)
        n->port->poke(n->port);
}

/* ---- life ---- */

/* The link is the host's, not the guest's: it survives a reset. */
static void net_reset(struct virtio *v)
{
    memcpy(net_of(v)->mac, net_of(v)->port->mac, MAC_LEN);
}

static void net_destroy(struct device *dev)
{
    struct virtio_net *n = (struct virtio_net *)dev;

    virtio_fini(&n->v);
    n->port->dev = NULL;
    free(n);
}

static const struct virtio_ops ops = {
    .id = VIRTIO_ID_NET,
    .config_size = CONFIG_SIZE,
    .config = net_config,
    .reset = net_reset,
    .kick = net_kick,
};

static const struct dev_ops dev_ops = {
    .name = "virtio-net",
    .reset = virtio_dev_reset,
    .settle = virtio_dev_settle,
    .valid = virtio_dev_valid,
    .destroy = net_destroy,
    .fields = fields,
    .size = sizeof(struct virtio_net),
};

struct virtio *virtio_net_new(const char *id, const struct dev_env *env, struct net_port *port)
{
    struct virtio_net *n = alloc_zeroed(sizeof *n);
    uint64_t features = BIT(F_MAC) | BIT(F_MRG_RXBUF) | BIT(F_STATUS) | BIT(F_CTRL_VQ) | BIT(F_CTRL_RX) |
                        BIT(F_CTRL_MAC_ADDR);

    virtio_init(&n->v, &dev_ops, &ops, id, env, features,
                (uint16_t[VIRTIO_QUEUES]){ QUEUE_SIZE, QUEUE_SIZE, CTRL_SIZE });
    n->port = port;
    n->link_up = 1;
    memcpy(n->mac, port->mac, MAC_LEN);
    port->dev = n;
    port->can_receive = net_can_receive;
    port->receive = net_receive;
    port->link = net_link;
    return &n->v;
}
