/*
 * gdb-points.c - Z and z: breakpoints and watchpoints, the same on every vCPU.
 *
 * GDB's manual wants these packets idempotent: inserting what is there and removing what is not are both OK. CPUs
 * count no users, so the table here does: a software and a hardware breakpoint at one address are one to the CPU.
 */
#include "gdb-priv.h"

static const unsigned watch_kinds[POINT_KINDS] = {
    [POINT_WRITE] = CPU_WATCH_WRITE,
    [POINT_READ] = CPU_WATCH_READ,
    [POINT_ACCESS] = CPU_WATCH_READ | CPU_WATCH_WRITE,
};

static bool is_break(const struct gdb_point *p)
{
    return p->kind <= POINT_HARD;
}

const struct gdb_point *gdb_break_at(const struct gdb *g, uint64_t gva)
{
    for (unsigned i = 0; i < g->points; i++) {
        if (is_break(&g->point[i]) && g->point[i].gva == gva)
            return &g->point[i];
    }
    return NULL;
}

/* An access that starts below a watchpoint may reach into it; no access is wider than this. */
enum { WIDEST = 16 };

const struct gdb_point *gdb_watch_at(const struct gdb *g, uint64_t gva)
{
    const struct gdb_point *reached = NULL;

    for (unsigned i = 0; i < g->points; i++) {
        const struct gdb_point *p = &g->point[i];
        if (is_break(p))
            continue;
        if (gva - p->gva < p->len)
            return p;
        if (p->gva - gva < WIDEST)
            reached = p;
    }
    return reached;
}

static bool set_on(struct cpu *cpu, const struct gdb_point *p, bool on)
{
    if (is_break(p))
        return cpu->ops->set_break(cpu, p->gva, on);
    return cpu->ops->set_watch(cpu, p->gva, p->len, watch_kinds[p->kind], on);
}

/* On all vCPUs or on none. */
static bool set_on_all(struct gdb *g, const struct gdb_point *p)
{
    struct control *c = g->control;

    for (unsigned i = 0; i < c->cpus; i++) {
        if (set_on(c->cpu[i], p, true))
            continue;
        while (i--)
            set_on(c->cpu[i], p, false);
        return false;
    }
    return true;
}

static unsigned find(const struct gdb *g, const struct gdb_point *p)
{
    unsigned i = 0;

    while (i < g->points && (g->point[i].kind != p->kind || g->point[i].gva != p->gva || g->point[i].len != p->len))
        i++;
    return i;
}

static void remove_at(struct gdb *g, unsigned i)
{
    struct gdb_point p = g->point[i];

    g->point[i] = g->point[--g->points];
    if (is_break(&p) && gdb_break_at(g, p.gva))
        return;
    for (unsigned n = 0; n < g->control->cpus; n++)
        set_on(g->control->cpu[n], &p, false);
}

void gdb_drop_points(struct gdb *g)
{
    while (g->points)
        remove_at(g, g->points - 1);
}

/* "kind,address,length": a length is the size of an instruction to a breakpoint, and means nothing here. */
static bool take_point(struct gdb_text *t, struct gdb_point *p)
{
    uint64_t kind;

    if (!gdb_take_number(t, &kind) || kind >= POINT_KINDS || !gdb_take_char(t, ',') || !gdb_take_number(t, &p->gva) ||
        !gdb_take_char(t, ',') || !gdb_take_number(t, &p->len))
        return false;
    p->kind = (enum gdb_kind)kind;
    if (is_break(p))
        p->len = 0;
    else if (!p->len || p->len - 1 > UINT64_MAX - p->gva)
        return false;
    /* Conditions and commands would follow; qSupported does not offer them. */
    return gdb_at_end(t);
}

void gdb_insert_point(struct gdb *g, struct gdb_text *t)
{
    struct gdb_point p;

    if (!take_point(t, &p)) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    if (find(g, &p) == g->points) {
        bool there = is_break(&p) && gdb_break_at(g, p.gva);
        if (g->points == GDB_POINTS || (!there && !set_on_all(g, &p))) {
            gdb_error(g, GDB_ENOSPC);
            return;
        }
        g->point[g->points++] = p;
    }
    gdb_ok(g);
}

void gdb_remove_point(struct gdb *g, struct gdb_text *t)
{
    struct gdb_point p;

    if (!take_point(t, &p)) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    unsigned i = find(g, &p);
    if (i < g->points)
        remove_at(g, i);
    gdb_ok(g);
}
