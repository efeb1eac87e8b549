/* harness-check.c - see harness-check.h. */
#include "harness-check.h"

#include "cpu-riscv/check.h"
#include "jit.h"

static struct rv *hart_of(struct rig *r)
{
    return (struct rv *)rig_hart(r, 0);
}

const char *check_fault(struct rig *r)
{
    const char *fault = rig_hart(r, 0)->fault;

    return fault ? fault : "";
}

void check_counts(struct rig *r, uint64_t *compared, uint64_t *left_out)
{
    *compared = hart_of(r)->check->compared;
    *left_out = hart_of(r)->check->left_out;
}

static bool spoil(struct rv_block *b, uint64_t off, int by)
{
    for (unsigned i = 0; i < b->count; i++) {
        if (b->ops[i].off != off)
            continue;
        b->ops[i].imm += by;
        return true;
    }
    return false;
}

bool check_spoil(struct rig *r, uint64_t pc, int by)
{
    struct rv *cpu = hart_of(r);
    const struct rv_page *page = NULL;
    bool done = false;

    for (uint64_t at = pc & ~(uint64_t)(PAGE_SIZE - 1); !page && at <= pc; at += 4) {
        cpu->pc = at;
        page = rv_find_block(cpu)->page;
    }
    for (struct rv_block *b = page ? page->blocks : NULL; b; b = b->sibling) {
        if (b->pc <= pc && pc < b->pc + b->bytes && b->entry != jit_exit_code(cpu->jit))
            done |= spoil(b, pc - b->pc, by);
    }
    return done;
}
