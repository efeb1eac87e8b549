/*
 * virtio-console.c - console device, OASIS VIRTIO 1.2, section 5.3.
 *
 * Queues: 0 receives, 1 transmits. One port; emergency write works before any queue does.
 *
 * Gaps: VIRTIO_CONSOLE_F_MULTIPORT.
 */
#include "virtio-console.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"

enum { F_SIZE = 0, F_EMERG_WRITE = 2 };
enum { RX, TX };
enum { CONFIG_COLS = 0, CONFIG_ROWS = 2, CONFIG_MAX_PORTS = 4, CONFIG_EMERG_WR = 8, CONFIG_SIZE = 12 };
enum { QUEUE_SIZE = 128, PIECE = 4096, CHAIN_MAX = 1 << 20 /* bytes of one chain that are written */ };

struct virtio_console {
    struct virtio v;
    struct char_port *port;
    struct vq_chain chain;

    uint16_t cols, rows;
};

static const struct state_field fields[] = {
    VIRTIO_FIELDS,
    STATE(struct virtio_console, cols),
    STATE(struct virtio_console, rows),
    STATE_END,
};

static void console_config(const struct virtio *v, uint8_t *c)
{
    const struct virtio_console *con = (const struct virtio_console *)v;

    put_le16(c + CONFIG_COLS, con->cols);
    put_le16(c + CONFIG_ROWS, con->rows);
    put_le32(c + CONFIG_MAX_PORTS, 1);
}

static void console_config_write(struct virtio *v, unsigned off, unsigned width, uint32_t value)
{
    struct virtio_console *con = (struct virtio_console *)v;
    uint8_t byte = (uint8_t)value;

    if (off == CONFIG_EMERG_WR)
        con->port->write(con->port, &byte, 1);
}

void virtio_console_resize(struct virtio *v, uint16_t cols, uint16_t rows)
{
    struct virtio_console *con = (struct virtio_console *)v;

    if (con->cols == cols && con->rows == rows)
        return;
    con->cols = cols;
    con->rows = rows;
    virtio_config_changed(v);
}

/* Takes the next receive buffer with room, gives those without back; *mark is the place before it. */
static bool next_buffer(struct virtio_console *con, struct vq_mark *mark)
{
    for (unsigned budget = QUEUE_SIZE; budget; budget--) {
        *mark = vq_mark(&con->v.queue[RX]);
        if (!virtio_pop(&con->v, RX, &con->chain))
            return false;
        if (con->chain.write_len)
            return true;
        virtio_push(&con->v, RX, &con->chain, 0);
    }
    return false;
}

/* Room in the next buffer, which stays in the ring. */
static size_t console_can_receive(void *dev)
{
    struct virtio_console *con = dev;
    struct vq_mark mark;

    if (!next_buffer(con, &mark))
        return 0;
    vq_rewind(&con->v.queue[RX], mark);
    return con->chain.write_len < PIECE ? con->chain.write_len : PIECE;
}

static void console_receive(void *dev, const uint8_t *buf, size_t len)
{
    struct virtio_console *con = dev;
    struct vq_mark mark;

    while (len && next_buffer(con, &mark)) {
        size_t n = con->chain.write_len < len ? con->chain.write_len : len;
        if (!virtio_write(&con->v, RX, &con->chain, 0, buf, n))
            return;
        virtio_push(&con->v, RX, &con->chain, (uint32_t)n);
        buf += n;
        len -= n;
    }
    virtio_interrupt(&con->v, RX);
}

/* Writes a chain's bytes to the port; how many. */
static uint64_t transmit(struct virtio_console *con)
{
    uint64_t len = con->chain.read_len < CHAIN_MAX ? con->chain.read_len : CHAIN_MAX;
    uint8_t piece[PIECE];

    for (uint64_t off = 0; off < len; off += PIECE) {
        uint64_t n = len - off < PIECE ? len - off : PIECE;
        if (!virtio_read(&con->v, TX, &con->chain, off, piece, n))
            return off;
        con->port->write(con->port, piece, n);
    }
    return len;
}

static void run_transmit(struct virtio_console *con)
{
    uint64_t bytes = 0;
    unsigned chains = 0;

    while (chains < QUEUE_SIZE && bytes < CHAIN_MAX && virtio_pop(&con->v, TX, &con->chain)) {
        bytes += transmit(con);
        virtio_push(&con->v, TX, &con->chain, 0);
        chains++;
    }
    if (chains == QUEUE_SIZE || bytes >= CHAIN_MAX)
        virtio_again(&con->v, TX);
    virtio_interrupt(&con->v, TX);
}

static void console_kick(struct virtio *v, unsigned queue)
{
    struct virtio_console *con = (struct virtio_console *)v;

    if (queue == TX)
        run_transmit(con);
    else if (con->port->poke)
        con->port->poke(con->port);
}

static void console_destroy(struct device *dev)
{
    struct virtio_console *con = (struct virtio_console *)dev;

    virtio_fini(&con->v);
    con->port->dev = NULL;
    free(con);
}

static const struct virtio_ops ops = {
    .id = VIRTIO_ID_CONSOLE,
    .config_size = CONFIG_SIZE,
    .config = console_config,
    .config_write = console_config_write,
    .kick = console_kick,
};

static const struct dev_ops dev_ops = {
    .name = "virtio-console",
    .reset = virtio_dev_reset,
    .settle = virtio_dev_settle,
    .valid = virtio_dev_valid,
    .destroy = console_destroy,
    .fields = fields,
    .size = sizeof(struct virtio_console),
};

struct virtio *virtio_console_new(const char *id, const struct dev_env *env, struct char_port *port)
{
    struct virtio_console *con = alloc_zeroed(sizeof *con);

    virtio_init(&con->v, &dev_ops, &ops, id, env, BIT(F_SIZE) | BIT(F_EMERG_WRITE),
                (uint16_t[VIRTIO_QUEUES]){ QUEUE_SIZE, QUEUE_SIZE });
    con->port = port;
    con->cols = 80;
    con->rows = 24;
    port->dev = con;
    port->can_receive = console_can_receive;
    port->receive = console_receive;
    return &con->v;
}
