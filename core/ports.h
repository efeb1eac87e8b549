/*
 * ports.h - what a device needs from the host, as small structs of functions.
 *
 * A port has a host end, which somebody in host/ or display/ (or a test's fake) implements, and a device end, which
 * the device fills in when it attaches. Calls in both directions are made with the machine lock held, and the host
 * end never calls the device from inside a call that the device made: completions and input come from the main loop.
 */
#ifndef CORE_PORTS_H
#define CORE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- characters ---- */

/* CHAR_FOCUSED: of those that share a terminal, this one's turn has come. */
enum char_event { CHAR_OPENED, CHAR_CLOSED, CHAR_BREAK, CHAR_FOCUSED };

struct char_port {
    /* Host end. Takes all bytes: a reader that is not there or too slow never stalls the guest. */
    void (*write)(struct char_port *port, const uint8_t *buf, size_t len);
    /* Host end, or NULL: the device has room again, can_receive() grew. */
    void (*poke)(struct char_port *port);
    /* Host end, or NULL: how many bytes wait for the other side to read them. */
    size_t (*pending)(struct char_port *port);
    /* Host end, or NULL: ends the connection; CHAR_CLOSED follows. */
    void (*hang_up)(struct char_port *port);
    /* Host end, or NULL: hangs up in so many seconds of the host's time, unless it is called again; 0: never. A new
     * connection begins with that. */
    void (*patience)(struct char_port *port, unsigned seconds);
    bool shared; /* host end: others are on it too; see CHAR_FOCUSED */

    /* Device end; NULL until a device attached. receive() gets at most can_receive() bytes. */
    void *dev;
    size_t (*can_receive)(void *dev);
    void (*receive)(void *dev, const uint8_t *buf, size_t len);
    void (*event)(void *dev, enum char_event event); /* or NULL */
};

/* ---- blocks ---- */

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD, BLOCK_ZEROES };
enum block_status { BLOCK_OK, BLOCK_IO_ERROR, BLOCK_NO_SPACE, BLOCK_READ_ONLY };

struct block_request {
    enum block_op op;
    bool unmap;      /* BLOCK_ZEROES: space may be given back */
    uint64_t offset; /* bytes, a multiple of 512 */
    uint64_t len;    /* bytes, a multiple of 512; inside the disk, checked by the device */
    uint8_t *buf;    /* BLOCK_READ, BLOCK_WRITE: `len` bytes, the device's; the host end's until done */
    void (*done)(struct block_request *req, enum block_status status);
    void *dev;             /* the device's own */
    struct block_request *next; /* the host end's own */
};

struct block_port {
    uint64_t size; /* bytes, a multiple of 512 */
    bool read_only;
    bool discard; /* DISCARD and ZEROES with unmap give space back */
    const char *serial; /* up to 20 bytes, or NULL */
    /* Queues the request; done() is called later from the main loop, never from inside submit. A FLUSH covers every
     * write that was done before it was submitted. */
    void (*submit)(struct block_port *port, struct block_request *req);
    /* Returns when no request is in flight; every done() was called. For reset and stop. */
    void (*drain)(struct block_port *port);
};

/* ---- network frames ---- */

enum { NET_FRAME_MAX = 65550 };

struct net_port {
    /* Host end: one Ethernet frame without FCS. Dropped when it cannot go. */
    void (*send)(struct net_port *port, const uint8_t *frame, size_t len);
    /* Host end, or NULL: the device can receive again. */
    void (*poke)(struct net_port *port);
    uint8_t mac[6];

    /* Device end. receive() of a frame may drop it. */
    void *dev;
    bool (*can_receive)(void *dev);
    void (*receive)(void *dev, const uint8_t *frame, size_t len);
    void (*link)(void *dev, bool up); /* or NULL */
};

/* ---- entropy ---- */

struct rng_port {
    /* Fills the whole buffer, now. */
    void (*fill)(struct rng_port *port, uint8_t *buf, size_t len);
};

/* ---- what a guest may ask of the machine ---- */

enum machine_request { MACHINE_POWEROFF, MACHINE_RESET, MACHINE_EXIT };

struct machine_port {
    /* Carried out by the main loop after the access; `status` is the exit status for MACHINE_EXIT. */
    void (*request)(struct machine_port *port, enum machine_request what, int status, const char *who);
};

#endif
