// Physical memory protection of a running hart against the byte-by-byte model of harness-riscv-walk.h: privileged
// spec 3.7 and Smepmp 1.0.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace {

enum { U, S, M = 3 };
enum { FETCH_ACCESS = 1, LOAD_ACCESS = 5, STORE_ACCESS = 7 };
enum { MML = 1, MMWP = 2, RLB = 4 };
constexpr uint64_t ALL = ~UINT64_C(0), REGION = RIG_RAM + 0x400000, REGION_SIZE = 0x2000;
const int access_fault[] = { LOAD_ACCESS, STORE_ACCESS, FETCH_ACCESS };

struct Pmp {
    unsigned xlen;
    std::unique_ptr<rig, decltype(&rig_free)> owner;
    rig *r;
    pmp_model model{};
    uint64_t data_code[2][4], jump_code = 0, mret_code = 0;
    std::vector<uint64_t> starts; // of instructions in the region

    explicit Pmp(unsigned bits, const char *cpu = "max")
        : xlen(bits), owner(rig_new(bits, cpu, 1), rig_free), r(owner.get())
    {
        uint64_t at = RIG_CODE;
        auto place = [&](uint32_t first, uint32_t second) {
            const uint32_t words[] = { first, second };
            rig_words(r, at, words, 2);
            return (at += 8) - 8;
        };
        for (unsigned size = 0; size < (xlen == 32 ? 3u : 4u); size++) {
            data_code[WALK_READ][size] = place(asm_load(size, T0, T1, 0), ASM_ECALL);
            data_code[WALK_WRITE][size] = place(asm_store(size, T2, T1, 0), ASM_ECALL);
        }
        jump_code = place(asm_jalr(0, T1, 0), ASM_ECALL);
        mret_code = place(ASM_MRET, ASM_ECALL);
    }
    void set(const char *name, uint64_t value) { rig_set(r, 0, name, value); }
    uint64_t get(const char *name) { return rig_get(r, 0, name); }

    // The region's code: instructions of 2 and 4 bytes that count in a0, an ecall now and then.
    void fill(uint64_t *seed)
    {
        starts.clear();
        uint64_t at = REGION;
        while (at < REGION + REGION_SIZE - 8) {
            unsigned kind = harness_random(seed) % 16;
            starts.push_back(at);
            rig_poke(r, at, kind < 2 ? ASM_ECALL : kind < 9 ? asm_addi(A0, A0, 1) : asm_c_addi(A0, 1),
                     kind < 9 ? 4 : 2);
            at += kind < 9 ? 4 : 2;
        }
        rig_poke(r, at, ASM_ECALL, 4);
    }
    // Entry 0 is the programs'; the rest as the model has it. From reset, so that locks do not matter.
    void apply()
    {
        rig_prepare(r, 0);
        bool mml = model.mseccfg & MML;
        if (rig_has(r, 0, "mseccfg"))
            set("mseccfg", model.mseccfg | (mml ? RLB : 0));
        model.entries = 16;
        model.addr[0] = (RIG_RAM >> 2) | 0x1ffff; // 1 MiB
        model.cfg[0] = mml ? 0x80 | 0x18 | 6 : 0x1f;
        unsigned each = xlen / 8;
        for (unsigned i = 0; i < 16; i++)
            set(("pmpaddr" + std::to_string(i)).c_str(), model.addr[i]);
        for (unsigned i = 0; i < 16; i += each) {
            uint64_t value = 0;
            for (unsigned n = 0; n < each; n++)
                value |= uint64_t(model.cfg[i + n]) << 8 * n;
            set(("pmpcfg" + std::to_string(i / 4)).c_str(), value);
        }
        if (mml)
            set("mseccfg", model.mseccfg);
    }
    int run(unsigned priv, uint64_t code)
    {
        set("mstatus", uint64_t(priv) << 11);
        set("mepc", code);
        int cause = rig_go(r, 0, M, mret_code);
        return cause == int(8 + priv) ? -1 : cause;
    }
    bool allows(uint64_t gpa, unsigned len, unsigned priv, unsigned kind)
    {
        return pmp_model_allows(&model, gpa, len, priv == M, kind);
    }
    bool check_data(unsigned kind, unsigned priv, uint64_t va, unsigned log_size, uint64_t value, bool mprv);
    bool check_fetch(unsigned priv, uint64_t start, bool jump);
};

bool Pmp::check_data(unsigned kind, unsigned priv, uint64_t va, unsigned log_size, uint64_t value, bool mprv)
{
    unsigned size = 1u << log_size, room = 4096 - (va & 4095), first = size < room ? size : room;
    bool a = allows(va, first, priv, kind), b = first == size || allows(va + first, size - first, priv, kind);
    uint64_t mask = size == 8 ? ALL : (UINT64_C(1) << 8 * size) - 1, before = rig_peek(r, va, size);
    set("t1", va), set("t2", value);
    int cause;
    if (mprv) {
        set("mstatus", 1 << 17 | priv << 11);
        cause = rig_go(r, 0, M, data_code[kind][log_size]);
        cause = cause == 11 ? -1 : cause;
    } else {
        cause = run(priv, data_code[kind][log_size]);
    }
    EXPECT_EQ(cause, a && b ? -1 : access_fault[kind])
        << std::hex << "rv" << xlen << " kind " << kind << " mode " << priv << " at " << va << " size " << size;
    if (cause >= 0) {
        EXPECT_EQ(get("mtval"), a ? va + first : va);
    }
    if (kind == WALK_READ && cause < 0) {
        EXPECT_EQ(get("t0") & mask, before);
    }
    EXPECT_EQ(rig_peek(r, va, size), kind == WALK_WRITE && cause < 0 ? value & mask : before) << "memory";
    return !::testing::Test::HasFailure();
}

// Runs code of the region until its ecall; each half of an instruction is a fetch of its own.
bool Pmp::check_fetch(unsigned priv, uint64_t start, bool jump)
{
    uint64_t pc = start, tval = 0, count = 0;
    int want = -1;
    for (;;) {
        unsigned len = (rig_peek(r, pc, 2) & 3) == 3 ? 4 : 2;
        if (!allows(pc, 2, priv, WALK_EXEC) || (len == 4 && !allows(pc + 2, 2, priv, WALK_EXEC))) {
            want = FETCH_ACCESS;
            tval = allows(pc, 2, priv, WALK_EXEC) ? pc + 2 : pc;
            break;
        }
        if (len == 4 && rig_peek(r, pc, 4) == ASM_ECALL)
            break;
        pc += len;
        count++;
    }
    set("t1", start), set("a0", 0);
    int cause = run(priv, jump ? jump_code : start);
    EXPECT_EQ(cause, want) << std::hex << "rv" << xlen << " from " << start << " mode " << priv;
    EXPECT_EQ(get("mepc"), pc);
    EXPECT_EQ(get("a0"), count);
    if (want >= 0) {
        EXPECT_EQ(get("mtval"), tval);
    }
    return !::testing::Test::HasFailure();
}

TEST(Pmp, TruthTables) // 3.7.1 and Smepmp's table, every cfg of one page
{
    uint64_t seed = harness_seed();
    for (unsigned xlen : {64u, 32u}) {
        Pmp p(xlen);
        p.fill(&seed);
        for (unsigned mseccfg = 0; mseccfg < 4; mseccfg++)
            for (unsigned lrwx = 0; lrwx < 17; lrwx++) {
                unsigned cfg = (lrwx & 8) << 4 | (lrwx & 7);
                if (!(mseccfg & MML) && (cfg & 3) == 2)
                    continue;
                p.model = pmp_model{};
                p.model.mseccfg = mseccfg;
                p.model.cfg[5] = lrwx == 16 ? 0 : static_cast<uint8_t>(0x18 | cfg); // 16: no entry matches
                p.model.addr[5] = REGION >> 2 | 0x1ff;
                p.apply();
                for (unsigned priv : {U, S, M}) {
                    for (unsigned mprv : {0, 1}) {
                        ASSERT_TRUE(p.check_data(WALK_READ, priv, REGION + 0x100, 2, 0, mprv))
                            << mseccfg << " " << lrwx;
                        uint64_t same = rig_peek(p.r, REGION + 0x200, 4); // code stays code
                        ASSERT_TRUE(p.check_data(WALK_WRITE, priv, REGION + 0x200, 2, same, mprv))
                            << mseccfg << " " << lrwx;
                    }
                    ASSERT_TRUE(p.check_fetch(priv, p.starts[3], priv == U)) << mseccfg << " " << lrwx;
                }
            }
    }
}

TEST(Pmp, WithoutEntries)
{
    for (unsigned xlen : {64u, 32u}) {
        Pmp off(xlen, "max,pmp=off");
        rig_prepare(off.r, 0);
        off.set("t1", REGION);
        for (unsigned priv : {U, S, M})
            EXPECT_EQ(off.run(priv, off.data_code[WALK_READ][2]), -1);
        Pmp closed(xlen);
        rig_prepare(closed.r, 0);
        closed.set("pmpcfg0", 0);
        closed.set("t1", REGION);
        EXPECT_EQ(closed.run(M, closed.data_code[WALK_READ][2]), -1);
        for (unsigned priv : {U, S})
            EXPECT_EQ(closed.run(priv, closed.data_code[WALK_READ][2]), FETCH_ACCESS)
                << "nothing matches, nothing is allowed";
    }
}

void any_entries(Pmp &p, uint64_t *seed)
{
    p.model = pmp_model{};
    p.model.mseccfg = harness_random(seed) % 2 ? 0 : harness_random(seed) % 4;
    unsigned some = 1 + harness_random(seed) % 15;
    for (unsigned i = 1; i < 16; i++) {
        uint64_t x = harness_random(seed);
        unsigned cfg = (x & 7) | (x >> 3 & 3) << 3 | (x >> 8 & 3 ? 0 : 0x80);
        if (!(p.model.mseccfg & MML) && (cfg & 3) == 2)
            cfg |= 1;
        if ((x >> 12) % 15 < some)
            p.model.cfg[i] = static_cast<uint8_t>(cfg);
        uint64_t addr = (REGION - 64 + harness_random(seed) % (REGION_SIZE + 128)) >> 2;
        p.model.addr[i] = (cfg & 0x18) == 0x18 ? addr | ((UINT64_C(1) << harness_random(seed) % 12) - 1) : addr;
    }
    if (harness_random(seed) % 2) { // what is left open
        p.model.cfg[15] = 0x18 | static_cast<uint8_t>(harness_random(seed) % 2 ? 7 : 5);
        p.model.addr[15] = REGION >> 2 | 0xfffff;
    }
    p.apply();
}

TEST(Pmp, RandomEntries)
{
    uint64_t seed = harness_seed(), rounds = harness_scale(1500);
    for (unsigned xlen : {64u, 32u}) {
        Pmp p(xlen);
        p.fill(&seed);
        for (uint64_t round = 0; round < rounds; round++) {
            any_entries(p, &seed);
            for (unsigned i = 0; i < 12; i++) {
                uint64_t x = harness_random(&seed);
                unsigned priv = "\0\1\3"[x % 3], log_size = x / 4 % (xlen == 32 ? 3 : 4), kind = x >> 8 & 1;
                uint64_t va = REGION + (x >> 16) % (REGION_SIZE - 8);
                if (x >> 40 & 3)
                    va &= ~((UINT64_C(1) << log_size) - 1);
                uint64_t same = rig_peek(p.r, va, 1u << log_size); // stores put back what is there
                ASSERT_TRUE(p.check_data(kind, priv, va, log_size, same, x >> 50 & 1)) << "round " << round;
                ASSERT_TRUE(p.check_fetch(priv, p.starts[(x >> 20) % p.starts.size()], x >> 51 & 1))
                    << "round " << round;
            }
        }
    }
}

// A store that is refused writes nothing; seen with other bytes than those that are there.
TEST(Pmp, RefusedStoresWriteNothing)
{
    Pmp p(64);
    p.model.cfg[1] = 0x11; // NA4, read-only, in the middle of the page
    p.model.addr[1] = (REGION + 0x804) >> 2;
    p.model.cfg[2] = 0x1b;
    p.model.addr[2] = REGION >> 2 | 0x1ff;
    p.apply();
    for (unsigned log_size = 0; log_size < 4; log_size++)
        for (uint64_t va = REGION + 0x7f8; va < REGION + 0x814; va++)
            for (unsigned kind : {WALK_READ, WALK_WRITE})
                ASSERT_TRUE(p.check_data(kind, U, va, log_size, 0x1122334455667788 * (va & 15), false));
}

} // namespace
