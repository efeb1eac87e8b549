// Decoded code: blocks, the places where they end, code that changes, budgets, and state that is saved in the middle.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace {

enum { U, S, M = 3 };
enum { FETCH_PAGE = 12, ECALL_S = 9, ECALL_M = 11 };
constexpr uint64_t PAGE = 4096, AREA = RIG_RAM + 0x400000, BLOCK_MAX = 256;

struct Machine {
    std::unique_ptr<rig, decltype(&rig_free)> owner;
    rig *r;

    explicit Machine(unsigned xlen, const char *cpu = "max") : owner(rig_new(xlen, cpu, 1), rig_free), r(owner.get())
    {
        rig_prepare(r, 0);
    }
    void set(const char *name, uint64_t value) { rig_set(r, 0, name, value); }
    uint64_t get(const char *name) { return rig_get(r, 0, name); }
    void words(uint64_t at, std::vector<uint32_t> w) { rig_words(r, at, w.data(), w.size()); }
    void half(uint64_t at, unsigned value) { rig_poke(r, at, value, 2); }
    int go(uint64_t pc, unsigned priv = M) { return rig_go(r, 0, priv, pc); }
    void fence_i()
    {
        words(RIG_CODE, { ASM_FENCE_I, ASM_WFI });
        ASSERT_EQ(go(RIG_CODE), RIG_DONE);
    }
};

const unsigned xlens[] = { 64, 32 };

// ---- code that changes ----

TEST(Block, CodeRewritesItselfAhead)
{
    for (unsigned xlen : xlens) {
        Machine m(xlen);
        m.words(AREA, { asm_store(SW, T0, T1, 0), ASM_FENCE_I, ASM_NOP, asm_addi(A0, A0, 0), ASM_WFI });
        m.set("t1", AREA + 12);
        for (int k = 1; k < 200; k++) {
            m.set("t0", asm_addi(A0, 0, k));
            ASSERT_EQ(m.go(AREA), RIG_DONE);
            ASSERT_EQ(m.get("a0"), static_cast<uint64_t>(k));
        }
    }
}

TEST(Block, CodeRewritesAnotherPage)
{
    for (unsigned xlen : xlens) {
        Machine m(xlen);
        uint64_t other = AREA + 3 * PAGE;
        m.words(AREA, { asm_store(SW, T0, T1, 0), ASM_FENCE_I, asm_jalr(1, A1, 0), asm_jalr(1, A1, 0), ASM_WFI });
        m.words(other, { ASM_NOP, ASM_NOP, ASM_NOP, asm_jalr(0, 1, 0) });
        m.set("a1", other);
        for (int k = 0; k < 200; k++) {
            m.set("t1", other + 4 * (k % 3)), m.set("a0", 0);
            m.set("t0", asm_addi(A0, A0, k));
            ASSERT_EQ(m.go(AREA), RIG_DONE);
            uint64_t want = 0; // what the three words say now, twice
            for (unsigned i = 0; i < 3; i++)
                want += 2 * (rig_peek(m.r, other + 4 * i, 4) >> 20);
            ASSERT_EQ(m.get("a0"), want) << k;
        }
    }
}

// A jump that was taken before, from a block that does not change itself.
TEST(Block, LoopsSeeTheirNewBody)
{
    Machine m(64);
    // a2 turns; each stores the next body (a table at a3) and runs it.
    m.words(AREA, { asm_load(LWU, T0, A3, 0), asm_store(SW, T0, T1, 0), ASM_FENCE_I, asm_addi(A3, A3, 4),
                    asm_addi(A2, A2, -1), ASM_NOP, asm_branch(1, A2, 0, -24), ASM_WFI });
    m.set("t1", AREA + 20);
    uint64_t want = 0;
    for (uint32_t i = 0; i < 500; i++) {
        rig_poke(m.r, AREA + 0x10000 + 4 * i, asm_addi(A0, A0, static_cast<int>(i)), 4);
        want += i;
    }
    m.set("a3", AREA + 0x10000), m.set("a2", 500), m.set("a0", 0);
    m.set("priv", M), m.set("pc", AREA);
    ASSERT_EQ(rig_run(m.r, 0, 100000), RIG_IDLE);
    EXPECT_EQ(m.get("a0"), want);
}

TEST(Block, LengthsChange)
{
    for (unsigned xlen : xlens) {
        Machine m(xlen);
        for (unsigned turn = 0; turn < 20; turn++) {
            m.words(AREA, { asm_addi(A0, 0, 5), ASM_WFI });
            m.fence_i();
            ASSERT_EQ(m.go(AREA), RIG_DONE);
            EXPECT_EQ(m.get("a0"), 5u);
            EXPECT_EQ(m.get("pc"), AREA + 8);
            m.half(AREA, asm_c_li(A0, 7)), m.half(AREA + 2, asm_c_addi(A0, turn % 31 + 1));
            m.fence_i();
            ASSERT_EQ(m.go(AREA), RIG_DONE);
            EXPECT_EQ(m.get("a0"), 7u + turn % 31 + 1);
            // The second half alone is code, too.
            m.set("a0", 0);
            ASSERT_EQ(m.go(AREA + 2), RIG_DONE);
        }
    }
}

// ---- the ends of pages ----

TEST(Block, InstructionsAcrossPages)
{
    for (unsigned xlen : xlens) {
        Machine m(xlen);
        uint64_t at = AREA + PAGE - 2;
        m.words(AREA + PAGE + 2, { ASM_WFI });
        for (int k = 1; k < 100; k++) {
            uint32_t insn = asm_addi(A0, 0, k); // only the half in the second page changes
            m.half(at, insn & 0xffff), m.half(at + 2, insn >> 16);
            m.fence_i();
            ASSERT_EQ(m.go(at), RIG_DONE);
            ASSERT_EQ(m.get("a0"), static_cast<uint64_t>(k));
            m.half(at - 2, ASM_C_NOP);
            ASSERT_EQ(m.go(at - 2), RIG_DONE) << "reached straight on";
            ASSERT_EQ(m.get("a0"), static_cast<uint64_t>(k));
        }
    }
}

// Sv39 with 4 KiB pages from va 0: three tables, then what the test maps.
struct Paged : Machine {
    uint64_t root = RIG_RAM + 0x100000, leaves = root + 2 * PAGE;
    enum { FLAGS = 0xcf };

    Paged() : Machine(64)
    {
        rig_poke(r, root, (root + PAGE) >> 12 << 10 | 1, 8);
        rig_poke(r, root + PAGE, leaves >> 12 << 10 | 1, 8);
        set("satp", UINT64_C(8) << 60 | root >> 12);
    }
    void map(unsigned page, uint64_t gpa) { rig_poke(r, leaves + 8 * page, gpa ? gpa >> 12 << 10 | FLAGS : 0, 8); }
    void fence(unsigned page)
    {
        words(RIG_CODE, { asm_sfence(A1, 0), ASM_WFI });
        set("a1", page * PAGE);
        ASSERT_EQ(go(RIG_CODE), RIG_DONE);
    }
};

TEST(Block, TheSecondPageIsRemappedOrGone)
{
    Paged m;
    uint64_t first = AREA, seconds[] = { AREA + 4 * PAGE, AREA + 7 * PAGE };
    m.half(first + PAGE - 2, asm_addi(A0, 0, 1) & 0xffff);
    for (unsigned i = 0; i < 2; i++) {
        m.half(seconds[i], asm_addi(A0, 0, static_cast<int>(i) + 1) >> 16);
        m.half(seconds[i] + 2, ASM_ECALL & 0xffff), m.half(seconds[i] + 4, ASM_ECALL >> 16);
    }
    m.map(4, first);
    for (unsigned turn = 0; turn < 30; turn++) {
        m.map(5, turn % 3 == 2 ? 0 : seconds[turn % 3]);
        m.fence(5);
        m.set("a0", 99);
        uint64_t va = 5 * PAGE - 2;
        int cause = m.go(va, S);
        if (turn % 3 == 2) {
            ASSERT_EQ(cause, FETCH_PAGE);
            EXPECT_EQ(m.get("mepc"), va) << "the instruction";
            EXPECT_EQ(m.get("mtval"), va + 2) << "the half that faults";
            EXPECT_EQ(m.get("a0"), 99u);
        } else {
            ASSERT_EQ(cause, ECALL_S);
            EXPECT_EQ(m.get("a0"), turn % 3 + 1);
        }
    }
}

TEST(Block, OneCodeAtTwoAddresses)
{
    Paged m;
    m.words(AREA, { asm_auipc(A0, 0), asm_jal(1, 8), ASM_NOP, asm_auipc(A3, 1), ASM_ECALL });
    for (unsigned page : {3u, 9u, 100u})
        m.map(page, AREA);
    for (unsigned turn = 0; turn < 30; turn++) {
        uint64_t va = (turn % 3 == 0 ? 3 : turn % 3 == 1 ? 9 : 100) * PAGE;
        ASSERT_EQ(m.go(va, S), ECALL_S);
        EXPECT_EQ(m.get("a0"), va);
        EXPECT_EQ(m.get("ra"), va + 8);
        EXPECT_EQ(m.get("a3"), va + 12 + PAGE);
        EXPECT_EQ(m.get("mepc"), va + 16);
    }
}

TEST(Block, CodePagesAreRemapped)
{
    Paged m;
    uint64_t pages[] = { AREA, AREA + 5 * PAGE };
    for (unsigned i = 0; i < 2; i++)
        m.words(pages[i] + 0x40, { asm_addi(A0, A0, static_cast<int>(i) + 1), asm_jalr(0, 1, 0) });
    // A caller that calls twice, in a page of its own: the second call comes from the jump cache.
    m.words(AREA + 9 * PAGE, { asm_jalr(1, T1, 0), asm_jalr(1, T1, 0), ASM_ECALL });
    m.map(20, AREA + 9 * PAGE);
    m.set("t1", 21 * PAGE + 0x40);
    for (unsigned turn = 0; turn < 50; turn++) {
        m.map(21, pages[turn % 2]);
        m.fence(21);
        m.set("a0", 0);
        ASSERT_EQ(m.go(20 * PAGE, S), ECALL_S);
        ASSERT_EQ(m.get("a0"), 2 * (turn % 2 + 1)) << turn;
    }
}

// ---- straight lines ----

// Instructions of both lengths, `count` of them, that add 1; then a wfi. Addresses of all.
std::vector<uint64_t> straight_line(Machine &m, uint64_t at, unsigned count, bool c, uint64_t *seed)
{
    std::vector<uint64_t> starts;
    for (unsigned i = 0; i < count; i++) {
        bool small = c && harness_random(seed) % 2;
        starts.push_back(at);
        rig_poke(m.r, at, small ? asm_c_addi(A0, 1) : asm_addi(A0, A0, 1), small ? 2 : 4);
        at += small ? 2 : 4;
    }
    rig_poke(m.r, at, ASM_WFI, 4);
    return starts;
}

TEST(Block, StraightLinesOfAnyLength)
{
    uint64_t seed = harness_seed();
    for (unsigned xlen : xlens)
        for (const char *cpu : {"max", "max,-c"})
            for (unsigned count : {1u, 63u, 64u, 65u, 127u, 128u, 129u, 1000u, 5000u}) {
                Machine m(xlen, cpu);
                auto starts = straight_line(m, AREA + PAGE - 200, count, !strchr(cpu, '-'), &seed);
                for (unsigned i = 0; i < count; i += 1 + harness_random(&seed) % 40) {
                    m.set("a0", 0);
                    rig_wake(m.r, 0);
                    m.set("pc", starts[i]);
                    uint64_t before = rig_retired(m.r, 0);
                    ASSERT_EQ(rig_run(m.r, 0, 100000), RIG_IDLE);
                    ASSERT_EQ(m.get("a0"), count - i);
                    ASSERT_EQ(rig_retired(m.r, 0) - before, count - i + 1);
                }
            }
}

// More code than the cache of blocks holds, twice.
TEST(Block, MoreCodeThanTheCacheHolds)
{
    Machine m(64);
    constexpr uint64_t SIZE = 0xb00000;
    rig_fill(m.r, AREA, SIZE, asm_addi(A0, A0, 1));
    rig_poke(m.r, AREA + SIZE - 4, ASM_WFI, 4);
    for (unsigned turn = 0; turn < 2; turn++) {
        m.set("a0", 0);
        rig_wake(m.r, 0);
        m.set("pc", AREA);
        ASSERT_EQ(rig_run(m.r, 0, SIZE), RIG_IDLE);
        ASSERT_EQ(m.get("a0"), SIZE / 4 - 1);
    }
}

// ---- budgets ----

TEST(Block, BudgetsAreKept)
{
    uint64_t seed = harness_seed();
    for (unsigned xlen : xlens)
        for (unsigned body : {0u, 1u, 30u, 62u, 254u, 255u, 256u, 500u}) {
            Machine m(xlen);
            straight_line(m, AREA, body, false, &seed);
            rig_poke(m.r, AREA + 4 * body, asm_jal(0, -4 * static_cast<int>(body)), 4);
            m.set("pc", AREA);
            uint64_t block = body + 1 < BLOCK_MAX ? body + 1 : BLOCK_MAX, total = 0;
            for (unsigned i = 0; i < 200; i++) {
                uint64_t n = i < 10 ? i + 1 : 1 + harness_random(&seed) % (i % 2 ? 200 : 20000);
                uint64_t before = rig_retired(m.r, 0);
                ASSERT_EQ(rig_run(m.r, 0, n), RIG_BUDGET);
                uint64_t ran = rig_retired(m.r, 0) - before;
                ASSERT_GE(ran, n);
                ASSERT_LT(ran, n + block);
                total += ran;
            }
            uint64_t where = (m.get("pc") - AREA) / 4, turns = total / (body + 1);
            EXPECT_EQ(where, total % (body + 1)) << "pc agrees with what was counted";
            EXPECT_EQ(m.get("a0"), turns * body + where);
        }
}

// ---- state ----

// A long program: arithmetic, stores, misaligned accesses, ecalls to a handler, floating point, code that it writes.
void write_program(Machine &m, unsigned turns)
{
    m.words(AREA, {
                      asm_addi(S1, S1, 1),
                      asm_add(A0, A0, S1),
                      0x02a50533u, // mul a0, a0, a0
                      asm_addi(A0, A0, 17),
                      asm_store(SW, A0, T1, 0),
                      asm_load(LW, A1, T1, 1), // misaligned
                      asm_store(SH, A1, T1, 9),
                      ASM_ECALL,
                      0xd0057053u | 1 << 7, // fcvt.s.w ft1, a0
                      0x0010f153u,          // fadd.s ft2, ft1, ft1
                      asm_addi(T1, T1, 4),
                      asm_store(SW, T2, A4, 0), // code: addi a5, a5, 3
                      ASM_FENCE_I,
                      ASM_NOP, // is written
                      asm_branch(1, S1, A2, -56),
                      ASM_WFI,
                  });
    // Handler: mepc += 4; a3 counts.
    m.words(AREA + PAGE, { asm_csr(CSRRS, T0, 0x341, 0), asm_addi(T0, T0, 4), asm_csr(CSRRW, 0, 0x341, T0),
                           asm_addi(A3, A3, 1), ASM_MRET });
    m.set("mtvec", AREA + PAGE);
    m.set("mstatus", 0x2000 | 3 << 11);
    m.set("t1", AREA + 0x10000), m.set("a2", turns), m.set("a4", AREA + 13 * 4), m.set("t2", asm_addi(A5, A5, 3));
    m.set("priv", M), m.set("pc", AREA);
}

TEST(Block, SavedAndLoadedGoesOnTheSame)
{
    uint64_t seed = harness_seed();
    for (unsigned xlen : xlens) {
        constexpr unsigned TURNS = 400;
        Machine whole(xlen);
        write_program(whole, TURNS);
        ASSERT_EQ(rig_run(whole.r, 0, 1000000), RIG_IDLE);
        ASSERT_EQ(whole.get("a3"), TURNS);
        ASSERT_EQ(whole.get("a5"), 3u * TURNS);
        uint64_t want = rig_hash(whole.r, 0);
        for (unsigned i = 0; i < 5; i++) {
            auto m = std::make_unique<Machine>(xlen);
            write_program(*m, TURNS);
            for (bool done = false; !done;) {
                done = rig_run(m->r, 0, 1 + harness_random(&seed) % 3000) == RIG_IDLE;
                size_t size;
                uint8_t *state = rig_save(m->r, 0, &size);
                auto next = std::make_unique<Machine>(xlen);
                rig_copy_ram(next->r, m->r);
                ASSERT_TRUE(rig_load(next->r, 0, state, size));
                size_t again;
                uint8_t *second = rig_save(next->r, 0, &again);
                EXPECT_TRUE(size == again && !memcmp(state, second, size)) << "save, load, save";
                free(state), free(second);
                m = std::move(next);
            }
            ASSERT_EQ(rig_hash(m->r, 0), want);
        }
    }
}

TEST(Block, SlicesDoNotMatter)
{
    uint64_t seed = harness_seed();
    for (unsigned xlen : xlens) {
        uint64_t want = 0;
        for (unsigned i = 0; i < 8; i++) {
            Machine m(xlen);
            write_program(m, 300);
            while (rig_run(m.r, 0, i ? 1 + harness_random(&seed) % (i * 10) : 1000000) != RIG_IDLE)
                ;
            uint64_t hash = rig_hash(m.r, 0);
            want = i ? want : hash;
            ASSERT_EQ(hash, want) << i;
        }
    }
}

TEST(Block, MachinesDoNotDisturbEachOther)
{
    uint64_t alone[2];
    for (unsigned i = 0; i < 2; i++) {
        Machine m(xlens[i]);
        write_program(m, 300);
        ASSERT_EQ(rig_run(m.r, 0, 1000000), RIG_IDLE);
        alone[i] = rig_hash(m.r, 0);
    }
    Machine a(xlens[0]), b(xlens[1]);
    write_program(a, 300), write_program(b, 300);
    for (bool done = false; !done;) {
        bool first = rig_run(a.r, 0, 7) == RIG_IDLE;
        done = rig_run(b.r, 0, 13) == RIG_IDLE && first;
    }
    EXPECT_EQ(rig_hash(a.r, 0), alone[0]);
    EXPECT_EQ(rig_hash(b.r, 0), alone[1]);
}

} // namespace
