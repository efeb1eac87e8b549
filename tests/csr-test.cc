// Control and status registers against a table written from the privileged manual (20240411), Smepmp 1.0, Sstc and
// Sscofpmf, for harts with and without what the registers depend on. The emulator's own table is not looked at, but
// for the question whether this one covers it.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace {

enum { U, S, M = 3 };
enum { ILLEGAL = 2 };
constexpr uint64_t ALL = ~UINT64_C(0);

// What a hart has, and the -cpu text that makes it so.
struct Hart {
    unsigned xlen;
    const char *cpu;
    bool f = true, c = true, s = true, u = true, sstc = true, smepmp = true, sscofpmf = true;
    bool zicbom = true, zicboz = true, zicntr = true, zihpm = true, svadu = true, svade = true, svpbmt = true;
    bool pmp = true, paging = true;
    uint64_t misa = 0x14112d; // ACDFIMSU
    bool rv32() const { return xlen == 32; }
    uint64_t xmask() const { return rv32() ? 0xffffffff : ALL; }
};

std::vector<Hart> harts()
{
    std::vector<Hart> v;
    for (unsigned xlen : {64u, 32u}) {
        auto add = [&](const char *cpu, auto change) {
            Hart h{ xlen, cpu };
            h.svpbmt = xlen == 64;
            change(h);
            v.push_back(h);
        };
        add("max", [](Hart &) {});
        add("max,-svade", [](Hart &h) { h.svade = false; });
        add("max,-f", [](Hart &h) { h.f = false, h.misa &= ~UINT64_C(0x28); });
        add("max,-c", [](Hart &h) { h.c = false, h.misa &= ~UINT64_C(4); });
        add("max,-s", [](Hart &h) {
            h.s = h.sstc = h.sscofpmf = h.svadu = h.svade = h.svpbmt = h.paging = false;
            h.misa &= ~(UINT64_C(1) << 18);
        });
        add("max,-u", [](Hart &h) {
            h.u = h.s = h.sstc = h.sscofpmf = h.svadu = h.svade = h.svpbmt = h.paging = false;
            h.misa &= ~(UINT64_C(5) << 18);
        });
        add("max,-sstc", [](Hart &h) { h.sstc = false; });
        add("max,-smepmp", [](Hart &h) { h.smepmp = false; });
        add("max,-sscofpmf", [](Hart &h) { h.sscofpmf = false; });
        add("max,-zicbom,-svadu", [](Hart &h) { h.zicbom = h.svadu = false; });
        add("max,-zicboz,pmp=off", [](Hart &h) { h.zicboz = h.pmp = false; });
        add("max,-zihpm,mmu=off", [](Hart &h) { h.zihpm = h.sscofpmf = h.paging = false; });
        add("max,-zicntr", [](Hart &h) { h.zicntr = h.sstc = false; });
    }
    return v;
}

// One register. Writes change the bits of `mask` and no other; `odd` ones have tests of their own instead.
struct Csr {
    std::string name;
    uint64_t reset, mask;
    bool odd;
};
using Table = std::map<unsigned, Csr>;

uint64_t s_interrupts(const Hart &h) // 3.1.9, Sscofpmf
{
    return h.s ? 0x222 | (h.sscofpmf ? 0x2000 : 0) : 0;
}

uint64_t senvcfg_bits(const Hart &h) // 10.1.10 and the CMO chapter; CBIE is odd
{
    return 1 | (h.zicbom ? 0x70 : 0) | (h.zicboz ? 0x80 : 0);
}

uint64_t menvcfg_bits(const Hart &h)
{
    return senvcfg_bits(h) | (h.svadu ? UINT64_C(1) << 61 : 0) | (h.svpbmt ? UINT64_C(1) << 62 : 0) |
           (h.sstc ? UINT64_C(1) << 63 : 0);
}

void add(Table &t, unsigned number, const char *name, uint64_t reset, uint64_t mask, bool odd = false)
{
    t[number] = { name, reset, mask, odd };
}

void add_supervisor(Table &t, const Hart &h)
{
    uint64_t epc = h.c ? ~UINT64_C(1) : ~UINT64_C(3);
    add(t, 0x100, "sstatus", h.rv32() ? 0 : UINT64_C(2) << 32, 0, true);
    add(t, 0x104, "sie", 0, 0, true);
    add(t, 0x105, "stvec", 0, ~UINT64_C(2));
    add(t, 0x106, "scounteren", 0, 0xffffffff);
    add(t, 0x10a, "senvcfg", 0, senvcfg_bits(h), h.zicbom);
    add(t, 0x140, "sscratch", 0, ALL);
    add(t, 0x141, "sepc", 0, epc);
    add(t, 0x142, "scause", 0, ALL);
    add(t, 0x143, "stval", 0, ALL);
    add(t, 0x144, "sip", 0, 0, true);
    add(t, 0x180, "satp", 0, 0, true);
    if (h.sstc)
        add(t, 0x14d, "stimecmp", ALL, ALL);
    if (h.sstc && h.rv32())
        add(t, 0x15d, "stimecmph", ALL, ALL);
    add(t, 0x302, "medeleg", 0, 0xb3ff);
    add(t, 0x303, "mideleg", 0, s_interrupts(h));
    if (h.rv32())
        add(t, 0x312, "medelegh", 0, 0);
}

void add_machine(Table &t, const Hart &h)
{
    uint64_t sxl = h.rv32() ? 0 : (h.u ? UINT64_C(2) << 32 : 0) | (h.s ? UINT64_C(2) << 34 : 0);
    uint64_t envcfg = h.svadu && !h.svade ? UINT64_C(1) << 61 : 0;
    add(t, 0x300, "mstatus", sxl | (h.u ? 0 : 0x1800), 0, true);
    add(t, 0x301, "misa", h.misa | UINT64_C(1) << (h.xlen - 2) << (h.rv32() ? 0 : 1), 0);
    add(t, 0x304, "mie", 0, 0x888 | s_interrupts(h));
    add(t, 0x305, "mtvec", 0, ~UINT64_C(2));
    if (h.u) {
        add(t, 0x306, "mcounteren", 0, 0xffffffff);
        add(t, 0x30a, "menvcfg", envcfg, menvcfg_bits(h), h.zicbom);
        if (h.rv32())
            add(t, 0x31a, "menvcfgh", envcfg >> 32, menvcfg_bits(h) >> 32);
    }
    if (h.rv32())
        add(t, 0x310, "mstatush", 0, 0);
    add(t, 0x320, "mcountinhibit", 0, 0xfffffffd);
    add(t, 0x340, "mscratch", 0, ALL);
    add(t, 0x341, "mepc", 0, h.c ? ~UINT64_C(1) : ~UINT64_C(3));
    add(t, 0x342, "mcause", 0, ALL);
    add(t, 0x343, "mtval", 0, ALL);
    add(t, 0x344, "mip", 0, 0, true);
    for (unsigned i = 0; h.pmp && i < 16; i++)
        add(t, 0x3b0 + i, "pmpaddr", 0, h.rv32() ? 0xffffffff : ALL >> 10);
    for (unsigned i = 0; h.pmp && i < 4; i += h.rv32() ? 1 : 2)
        add(t, 0x3a0 + i, "pmpcfg", 0, 0, true);
    if (h.smepmp)
        add(t, 0x747, "mseccfg", 0, 0, true);
    if (h.smepmp && h.rv32())
        add(t, 0x757, "mseccfgh", 0, 0);
    for (unsigned n : {0xf11u, 0xf12u, 0xf13u, 0xf14u, 0xf15u})
        add(t, n, "machine information", 0, 0);
}

void add_counters(Table &t, const Hart &h)
{
    const unsigned halves = h.rv32() ? 2 : 1;
    for (unsigned half = 0; half < halves; half++) {
        unsigned up = half * 0x80;
        add(t, 0xb00 + up, "mcycle", 0, 0, true);
        add(t, 0xb02 + up, "minstret", 0, 0, true);
        for (unsigned n = 0; h.zicntr && n < 3; n++)
            add(t, 0xc00 + up + n, "user counter", 0, 0, true);
        for (unsigned n = 3; n < 32; n++) {
            add(t, 0xb00 + up + n, "mhpmcounter", 0, ALL);
            if (h.zihpm)
                add(t, 0xc00 + up + n, "hpmcounter", 0, 0);
        }
    }
    for (unsigned n = 3; n < 32; n++) {
        add(t, 0x320 + n, "mhpmevent", 0, ALL);
        if (h.rv32() && h.sscofpmf)
            add(t, 0x720 + n, "mhpmeventh", 0, ALL);
    }
    if (h.sscofpmf)
        add(t, 0xda0, "scountovf", 0, 0);
}

Table table(const Hart &h)
{
    Table t;
    if (h.f) {
        add(t, 1, "fflags", 0, 0x1f);
        add(t, 2, "frm", 0, 7);
        add(t, 3, "fcsr", 0, 0xff);
    }
    if (h.s)
        add_supervisor(t, h);
    add_machine(t, h);
    add_counters(t, h);
    for (auto &row : t)
        row.second.reset &= h.xmask(), row.second.mask &= h.xmask();
    return t;
}

struct Rig {
    std::unique_ptr<rig, decltype(&rig_free)> owner;
    rig *r;
    uint64_t xmask;
    uint64_t next = RIG_CODE;
    std::map<uint32_t, uint64_t> placed;

    Rig(unsigned xlen, const char *cpu)
        : owner(rig_new(xlen, cpu, 1), rig_free), r(owner.get()), xmask(xlen == 32 ? 0xffffffff : ALL)
    {
        prepare();
    }
    explicit Rig(const Hart &h) : Rig(h.xlen, h.cpu) {}
    // Ready to run anything: FS is Dirty, counters and timer are open to lower modes.
    void prepare()
    {
        rig_prepare(r, 0);
        set("mstatus", 0x6000);
        for (const char *name : {"mcounteren", "scounteren"})
            if (rig_has(r, 0, name))
                set(name, 0xffffffff);
        if (rig_has(r, 0, "stimecmp"))
            rig_has(r, 0, "menvcfgh") ? set("menvcfgh", 1u << 31) : set("menvcfg", UINT64_C(1) << 63);
    }
    uint64_t get(const char *name) { return rig_get(r, 0, name); }
    void set(const char *name, uint64_t value) { rig_set(r, 0, name, value); }
    // The instruction with a wfi behind, at an address of its own: no code is ever changed.
    uint64_t place(uint32_t word)
    {
        uint64_t &at = placed[word];
        if (!at) {
            const uint32_t words[] = { word, ASM_WFI };
            rig_words(r, at = next, words, 2);
            next += 8;
        }
        return at;
    }
    // Runs one instruction; RIG_DONE or the cause of its exception.
    int run(unsigned priv, uint32_t word)
    {
        int cause = rig_go(r, 0, priv, place(word));
        // wfi in U is illegal where there is an S: the instruction in question has been done.
        if (cause == ILLEGAL && get("mtval") == ASM_WFI)
            return RIG_DONE;
        if (cause == ILLEGAL) {
            EXPECT_EQ(get("mtval"), word) << std::hex << word;
        }
        return cause;
    }
    int access(unsigned kind, unsigned number, uint64_t operand, unsigned priv = M)
    {
        set("t1", operand);
        set("t0", 0x5a5a);
        return run(priv, asm_csr(kind, T0, number, T1));
    }
    int write(unsigned number, uint64_t value, unsigned priv = M) { return access(CSRRW, number, value, priv); }
    uint64_t t0() { return get("t0") & xmask; }
    uint64_t read(unsigned number, unsigned priv = M)
    {
        EXPECT_EQ(run(priv, asm_csr(CSRRS, T0, number, 0)), RIG_DONE) << std::hex << number;
        return t0();
    }
    uint64_t wrote(unsigned number, uint64_t value) // what a write leaves
    {
        EXPECT_EQ(write(number, value), RIG_DONE) << std::hex << number;
        return read(number);
    }
};

std::string what(const Hart &h)
{
    return "rv" + std::to_string(h.xlen) + " " + h.cpu;
}

unsigned level_of(unsigned number)
{
    return number >> 8 & 3;
}

TEST(Csr, ExactlyTheTablesNumbersExist)
{
    for (const Hart &h : harts()) {
        SCOPED_TRACE(what(h));
        Table t = table(h);
        Rig r(h);
        for (unsigned number = 0; number < 4096; number++)
            for (unsigned priv : {M, S, U}) {
                if ((priv == S && !h.s) || (priv == U && !h.u))
                    continue;
                bool legal = t.count(number) && priv >= level_of(number);
                EXPECT_EQ(r.run(priv, asm_csr(CSRRS, T0, number, 0)), legal ? int(RIG_DONE) : int(ILLEGAL))
                    << std::hex << number << " in mode " << priv;
                if (HasFailure())
                    return;
            }
    }
}

TEST(Csr, TheTableCoversEveryRowOfTheEmulator)
{
    std::map<unsigned, bool> known[2];
    for (const Hart &h : harts())
        for (auto &row : table(h))
            known[h.xlen == 64][row.first] = true;
    unsigned number, count, xlens, rows = 0;
    for (size_t i = 0; rig_csr_row(i, &number, &count, &xlens); i++, rows++)
        for (unsigned n = number; n < number + count; n++) {
            EXPECT_TRUE(!(xlens & 32) || known[0].count(n)) << std::hex << n;
            // Odd pmpcfg registers are RV32's: one row serves both.
            bool odd_pmpcfg = n == 0x3a1 || n == 0x3a3;
            EXPECT_TRUE(!(xlens & 64) || odd_pmpcfg || known[1].count(n)) << std::hex << n;
        }
    EXPECT_GT(rows, 50u);
}

TEST(Csr, ResetValues)
{
    for (const Hart &h : harts()) {
        SCOPED_TRACE(what(h));
        Rig r(h);
        for (auto &row : table(h)) {
            // What M-mode reads first, with the tables' traps out of the way; floating point needs FS.
            rig_reset(r.r, 0);
            if (row.first <= 3)
                r.set("mstatus", 0x6000);
            EXPECT_EQ(r.read(row.first), row.second.reset) << row.second.name << " " << std::hex << row.first;
        }
    }
}

uint64_t after(unsigned kind, uint64_t old, uint64_t operand)
{
    switch (kind & 3) {
    case CSRRW: return operand;
    case CSRRS: return old | operand;
    default: return old & ~operand;
    }
}

void check_writes(Rig &r, const Hart &h, unsigned number, const Csr &csr, uint64_t *seed)
{
    uint64_t value = r.read(number);
    for (int i = 0; i < 24; i++) {
        unsigned kind = static_cast<unsigned>(i % 6) + 1 + (i % 6 >= 3);
        bool immediate = kind >= CSRRWI;
        uint64_t operand = i < 6 ? ALL : i < 12 ? 0 : harness_random(seed);
        unsigned field = immediate ? static_cast<unsigned>(operand & 31) : unsigned(T1);
        operand &= immediate ? 31 : h.xmask();
        // With 0 as its field, csrrs reads only; so does csrrsi.
        r.set("t1", operand);
        EXPECT_EQ(r.run(M, asm_csr(kind, T0, number, field)), RIG_DONE);
        EXPECT_EQ(r.t0(), value) << "the old value";
        value = (value & ~csr.mask) | (after(kind, value, operand) & csr.mask);
        EXPECT_EQ(r.read(number), value) << "form " << kind << ", operand " << std::hex << operand;
    }
}

TEST(Csr, WritesChangeTheMaskAndNothingElse)
{
    uint64_t seed = harness_seed();
    for (const Hart &h : harts()) {
        Rig r(h);
        for (auto &row : table(h)) {
            SCOPED_TRACE(what(h) + " " + row.second.name + " " + std::to_string(row.first));
            bool read_only = row.first >> 10 == 3;
            if (read_only) {
                for (unsigned kind : {CSRRW, CSRRS, CSRRC, CSRRWI, CSRRSI, CSRRCI})
                    EXPECT_EQ(r.run(M, asm_csr(kind, T0, row.first, T1)), ILLEGAL);
                EXPECT_EQ(r.run(M, asm_csr(CSRRW, 0, row.first, 0)), ILLEGAL) << "csrrw writes, rs1 = x0 or not";
                EXPECT_EQ(r.run(M, asm_csr(CSRRSI, T0, row.first, 0)), RIG_DONE);
                EXPECT_EQ(r.run(M, asm_csr(CSRRC, T0, row.first, 0)), RIG_DONE);
            } else if (!row.second.odd) {
                r.prepare();
                check_writes(r, h, row.first, row.second, &seed);
                r.prepare();
            }
            if (HasFailure())
                return;
        }
    }
}

TEST(Csr, NoWriteReachesAnotherRegister)
{
    for (unsigned xlen : {64u, 32u}) {
        Hart h{ xlen, "max" };
        h.svpbmt = xlen == 64;
        Table t = table(h);
        Rig r(h);
        // Registers that share bits by design, or count.
        auto shared = [](unsigned n) {
            return n <= 3 || n == 0x100 || n == 0x300 || n == 0x104 || n == 0x304 || n == 0x144 || n == 0x344 ||
                   n == 0x303 || n == 0x320 || (n & 0xf7f) == 0xb00 || (n & 0xf7f) == 0xb02 || n >> 8 == 0xc ||
                   n == 0xda0;
        };
        for (auto &row : t) {
            if (row.second.odd || shared(row.first) || row.first >> 10 == 3)
                continue;
            r.prepare();
            std::map<unsigned, uint64_t> before;
            for (auto &other : t)
                before[other.first] = r.read(other.first);
            r.write(row.first, ALL);
            for (auto &other : t) {
                if (other.first == row.first || shared(other.first))
                    continue;
                ASSERT_EQ(r.read(other.first), before[other.first])
                    << row.second.name << " -> " << other.second.name << std::hex << " " << other.first;
            }
        }
    }
}

// ---- registers with rules of their own ----

uint64_t status_mask(const Hart &h, bool machine) // 3.1.6
{
    uint64_t m = machine ? 0x88 : 0;
    if (h.s)
        m |= 0x122 | (h.paging ? 0x40000 : 0) | 0x80000 | (machine ? 0x500000 : 0);
    if (h.u && machine)
        m |= 0x220000;
    if (h.f)
        m |= 0x6000;
    return m; // and MPP
}

TEST(Csr, Status)
{
    uint64_t seed = harness_seed();
    for (const Hart &h : harts()) {
        SCOPED_TRACE(what(h));
        Rig r(h);
        rig_prepare(r.r, 0);
        uint64_t fixed = h.rv32() ? 0 : (h.u ? UINT64_C(2) << 32 : 0) | (h.s ? UINT64_C(2) << 34 : 0);
        uint64_t mask = status_mask(h, true), state = 0, mpp = h.u ? 0 : 3;
        for (int i = 0; i < 200; i++) {
            uint64_t v = i == 0 ? ALL : i == 1 ? 0 : harness_random(&seed);
            bool machine = !h.s || v >> 50 & 1;
            unsigned asked = v >> 11 & 3;
            r.write(machine ? 0x300 : 0x100, v & h.xmask());
            uint64_t m = machine ? mask : status_mask(h, false);
            state = (state & ~m) | (v & m);
            if (machine && h.u && (asked == 0 || asked == 3 || (asked == 1 && h.s)))
                mpp = asked;
            uint64_t dirty = (state & 0x6000) == 0x6000 ? UINT64_C(1) << (h.xlen - 1) : 0;
            ASSERT_EQ(r.read(0x300), (state | mpp << 11 | fixed | dirty) & h.xmask()) << std::hex << v;
            if (h.s) {
                uint64_t visible = status_mask(h, false);
                ASSERT_EQ(r.read(0x100), (state & visible) | dirty | (h.rv32() ? 0 : UINT64_C(2) << 32));
            }
        }
    }
}

TEST(Csr, Satp)
{
    struct {
        unsigned xlen;
        const char *cpu;
        unsigned widest;
    } cases[] = { { 64, "max", 57 },          { 64, "max,sv57=off", 48 }, { 64, "max,sv48=off", 39 },
                  { 64, "max,mmu=off", 0 },   { 32, "max", 32 },          { 32, "max,mmu=off", 0 } };
    for (auto &c : cases) {
        SCOPED_TRACE(std::to_string(c.xlen) + c.cpu);
        Rig r(c.xlen, c.cpu);
        unsigned modes = c.xlen == 64 ? 16 : 2, shift = c.xlen == 64 ? 60 : 31;
        for (unsigned mode = 0; mode < modes; mode++) {
            unsigned bits = c.xlen == 32 ? 32 : mode == 8 ? 39 : mode == 9 ? 48 : mode == 10 ? 57 : 99;
            uint64_t rest = c.xlen == 64 ? UINT64_C(0x0123456789abcde) : 0x1234567;
            ASSERT_EQ(r.wrote(0x180, 0), 0u);
            uint64_t v = uint64_t(mode) << shift | rest;
            EXPECT_EQ(r.wrote(0x180, v), mode == 0 || bits <= c.widest ? v : 0) << mode;
        }
        if (c.widest) { // every ASID and PPN bit is there
            uint64_t v = c.xlen == 64 ? UINT64_C(0x8fffffffffffffff) : 0xffffffff;
            EXPECT_EQ(r.wrote(0x180, v), v);
        }
    }
}

TEST(Csr, TvmTakesSatpFromSupervisor)
{
    Rig r(64, "max");
    EXPECT_EQ(r.write(0x180, 0, S), RIG_DONE);
    r.set("mstatus", 1 << 20);
    EXPECT_EQ(r.write(0x180, 0, S), ILLEGAL);
    EXPECT_EQ(r.run(S, asm_csr(CSRRS, T0, 0x180, 0)), ILLEGAL);
    EXPECT_EQ(r.write(0x180, 0, M), RIG_DONE);
}

TEST(Csr, EnvironmentConfiguration)
{
    uint64_t seed = harness_seed();
    for (const Hart &h : harts()) {
        SCOPED_TRACE(what(h));
        Rig r(h);
        for (bool machine : {true, false}) {
            if (!(machine ? h.u : h.s))
                continue;
            unsigned number = machine ? 0x30a : 0x10a;
            uint64_t mask = (machine ? menvcfg_bits(h) : senvcfg_bits(h)) & h.xmask(), value = r.read(number);
            for (int i = 0; i < 60; i++) {
                uint64_t v = i == 0 ? ALL : harness_random(&seed) & h.xmask();
                uint64_t m = (v >> 4 & 3) == 2 ? mask & ~UINT64_C(0x30) : mask; // CBIE = 2 is reserved
                value = (value & ~m) | (v & m);
                ASSERT_EQ(r.wrote(number, v), value) << std::hex << number << " " << v;
            }
        }
    }
}

TEST(Csr, PendingAndEnabledInterruptsHaveASupervisorView)
{
    Rig r(64, "max");
    EXPECT_EQ(r.wrote(0x344, ALL), 0x2202u) << "menvcfg.STCE: STIP is stimecmp's";
    r.write(0x30a, 0);
    EXPECT_EQ(r.wrote(0x344, ALL), 0x2222u) << "M writes SSIP, STIP, SEIP, LCOFIP";
    EXPECT_EQ(r.read(0x144), 0u) << "nothing is delegated";
    r.write(0x303, ALL);
    EXPECT_EQ(r.read(0x144), 0x2222u);
    r.write(0x144, 0);
    EXPECT_EQ(r.read(0x144), 0x220u) << "S clears SSIP and LCOFIP only";
    r.write(0x344, 0);
    r.write(0x144, ALL);
    EXPECT_EQ(r.read(0x344), 0x2002u);
    r.write(0x303, 2);
    r.write(0x144, 0);
    EXPECT_EQ(r.read(0x344), 0x2000u) << "not delegated, not writable";
    r.write(0x344, 0);
    r.write(0x304, ALL);
    EXPECT_EQ(r.read(0x304), 0x2aaau);
    EXPECT_EQ(r.read(0x104), 2u);
    r.write(0x104, 0);
    EXPECT_EQ(r.read(0x304), 0x2aa8u);
    r.write(0x303, 0x222);
    r.write(0x104, 0);
    EXPECT_EQ(r.read(0x304), 0x2888u);
    r.write(0x104, ALL);
    EXPECT_EQ(r.read(0x104), 0x222u);
    EXPECT_EQ(r.read(0x304), 0x2aaau);
}

TEST(Csr, PendingBitsWithoutTheirExtensions)
{
    Rig no_s(64, "max,-s"), no_cof(64, "max,-sscofpmf");
    no_cof.write(0x30a, 0);
    EXPECT_EQ(no_s.wrote(0x344, ALL), 0u);
    EXPECT_EQ(no_cof.wrote(0x344, ALL), 0x222u);
    EXPECT_EQ(no_cof.wrote(0x303, ALL), 0x222u);
    no_cof.write(0x344, 0);
    EXPECT_EQ((no_cof.write(0x144, ALL), no_cof.read(0x344)), 2u);
}

TEST(Csr, SeipIsAWireOrABit)
{
    Rig r(64, "max");
    constexpr uint64_t SEIP = 0x200;
    rig_irq(r.r, 0, 9, true);
    EXPECT_EQ(r.read(0x344), SEIP);
    EXPECT_EQ(r.access(CSRRS, 0x344, 2), RIG_DONE); // must not copy the wire into the bit: 3.1.9
    EXPECT_EQ(r.t0(), SEIP) << "but the value read shows it";
    rig_irq(r.r, 0, 9, false);
    EXPECT_EQ(r.read(0x344), 2u);
    r.write(0x344, SEIP);
    EXPECT_EQ(r.read(0x344), SEIP);
    rig_irq(r.r, 0, 9, true);
    r.access(CSRRC, 0x344, SEIP);
    EXPECT_EQ(r.t0(), SEIP);
    EXPECT_EQ(r.read(0x344), SEIP) << "the wire is still up";
    rig_irq(r.r, 0, 9, false);
    EXPECT_EQ(r.read(0x344), 0u);
    // M's own bits are wires alone.
    for (unsigned irq : {3u, 7u, 11u}) {
        rig_irq(r.r, 0, irq, true);
        EXPECT_EQ(r.wrote(0x344, 0), 1u << irq);
        rig_irq(r.r, 0, irq, false);
        EXPECT_EQ(r.wrote(0x344, ALL) & (1u << irq), 0u);
        r.write(0x344, 0);
    }
}

TEST(Csr, CountersAreGated)
{
    for (unsigned xlen : {64u, 32u}) {
        Rig r(xlen, "max");
        for (unsigned n = 0; n < 32; n++)
            for (unsigned number : {0xc00 + n, 0xc80 + n}) {
                if (number >= 0xc80 && xlen == 64)
                    continue;
                for (unsigned gate = 0; gate < 4; gate++) {
                    r.write(0x306, gate & 1 ? 1u << n : ~(1u << n) & 0xffffffff);
                    r.write(0x106, gate & 2 ? 1u << n : ~(1u << n) & 0xffffffff);
                    uint32_t insn = asm_csr(CSRRS, T0, number, 0);
                    EXPECT_EQ(r.run(M, insn), RIG_DONE);
                    EXPECT_EQ(r.run(S, insn), gate & 1 ? int(RIG_DONE) : int(ILLEGAL)) << n << " " << gate;
                    EXPECT_EQ(r.run(U, insn), gate == 3 ? int(RIG_DONE) : int(ILLEGAL)) << n << " " << gate;
                }
            }
    }
    Rig no_s(64, "max,-s");
    no_s.write(0x306, 1);
    EXPECT_EQ(no_s.run(U, asm_csr(CSRRS, T0, 0xc00, 0)), RIG_DONE) << "no scounteren without S";
    EXPECT_EQ(no_s.run(U, asm_csr(CSRRS, T0, 0xc02, 0)), ILLEGAL);
}

TEST(Csr, StimecmpIsGated)
{
    for (unsigned xlen : {64u, 32u})
        for (unsigned number : {0x14du, 0x15du}) {
            if (number == 0x15d && xlen == 64)
                continue;
            Rig r(xlen, "max");
            for (unsigned gate = 0; gate < 4; gate++) {
                r.write(0x306, gate & 1 ? 2 : 0xfffffffd);
                xlen == 64 ? r.write(0x30a, gate & 2 ? UINT64_C(1) << 63 : 0) : r.write(0x31a, gate & 2 ? 1u << 31 : 0);
                EXPECT_EQ(r.write(number, ALL, M), RIG_DONE);
                EXPECT_EQ(r.write(number, ALL, S), gate == 3 ? int(RIG_DONE) : int(ILLEGAL)) << gate;
                EXPECT_EQ(r.write(number, ALL, U), ILLEGAL);
            }
        }
}

TEST(Csr, OverflowsAreGated) // Sscofpmf 2
{
    Rig r(64, "max");
    for (unsigned n = 3; n < 32; n++)
        r.write(0x320 + n, n & 1 ? UINT64_C(1) << 63 : 0);
    EXPECT_EQ(r.read(0xda0), 0xaaaaaaa8u);
    r.write(0x306, 0xffff0000);
    EXPECT_EQ(r.read(0xda0, M), 0xaaaaaaa8u);
    EXPECT_EQ(r.read(0xda0, S), 0xaaaa0000u);
}

TEST(Csr, FloatingPointNeedsFs)
{
    for (unsigned xlen : {64u, 32u}) {
        Rig r(xlen, "max");
        uint64_t sd = UINT64_C(1) << (xlen - 1);
        for (unsigned number = 1; number <= 3; number++) {
            r.set("mstatus", 0);
            EXPECT_EQ(r.run(M, asm_csr(CSRRS, T0, number, 0)), ILLEGAL);
            EXPECT_EQ(r.write(number, 0), ILLEGAL);
            for (uint64_t fs : {0x2000u, 0x4000u}) {
                r.set("mstatus", fs);
                r.read(number);
                EXPECT_EQ(r.get("mstatus") & 0x6000, fs) << "reading is clean";
                EXPECT_EQ(r.get("mstatus") & sd, 0u);
                r.write(number, 0);
                EXPECT_EQ(r.get("mstatus") & (0x6000 | sd), 0x6000 | sd) << "writing is dirty";
            }
        }
        r.write(3, 0xb5);
        EXPECT_EQ(r.read(1), 0x15u);
        EXPECT_EQ(r.read(2), 5u);
        r.write(1, 0xa);
        r.write(2, 3);
        EXPECT_EQ(r.read(3), 0x6au);
        // An instruction of each kind: fmv.w.x writes a register, fcvt.w.s of 0.5 raises NX alone.
        r.set("mstatus", 0x2000);
        r.set("t1", 0x3f000000);
        EXPECT_EQ(r.run(M, 0xf0000053u | T1 << 15 | 1 << 7), RIG_DONE);
        EXPECT_EQ(r.get("mstatus") & 0x6000, 0x6000u);
        r.write(1, 0);
        r.set("mstatus", 0x2000);
        EXPECT_EQ(r.run(M, 0xc0000053u | 1 << 15 | T0 << 7 | 1 << 12), RIG_DONE);
        EXPECT_EQ(r.read(1), 1u);
        EXPECT_EQ(r.get("mstatus") & 0x6000, 0x6000u);
        r.set("mstatus", 0);
        EXPECT_EQ(r.run(M, 0xf0000053u | T1 << 15 | 1 << 7), ILLEGAL);
    }
}

// ---- PMP: 3.7.1, Smepmp ----

unsigned cfg_of(Rig &r, unsigned entry)
{
    unsigned each = r.xmask == ALL ? 8 : 4, number = 0x3a0 + entry / each * (each / 4);
    return r.read(number) >> (entry % each * 8) & 0xff;
}

void set_cfg(Rig &r, unsigned entry, unsigned cfg)
{
    unsigned each = r.xmask == ALL ? 8 : 4, number = 0x3a0 + entry / each * (each / 4), shift = entry % each * 8;
    uint64_t old = r.read(number);
    r.write(number, (old & ~(UINT64_C(0xff) << shift)) | uint64_t(cfg) << shift);
}

TEST(Csr, PmpConfigurationIsLegalized)
{
    for (unsigned xlen : {64u, 32u}) {
        Rig r(xlen, "max");
        for (unsigned entry = 1; entry < 16; entry++) {
            unsigned held = 0;
            for (unsigned cfg = 0; cfg < 0x80; cfg++) {
                set_cfg(r, entry, cfg);
                if ((cfg & 3) != 2) // W without R is reserved
                    held = cfg & 0x1f;
                ASSERT_EQ(cfg_of(r, entry), held) << entry << " " << std::hex << cfg;
            }
            set_cfg(r, entry, 0);
        }
    }
}

TEST(Csr, PmpLocks)
{
    for (unsigned xlen : {64u, 32u}) {
        Rig r(xlen, "max");
        r.write(0x3b0 + 4, 0x111);
        r.write(0x3b0 + 5, 0x222);
        set_cfg(r, 5, 0x80); // OFF: its own address only
        r.write(0x3b0 + 4, 0x333);
        r.write(0x3b0 + 5, 0x444);
        EXPECT_EQ(r.read(0x3b0 + 4), 0x333u);
        EXPECT_EQ(r.read(0x3b0 + 5), 0x222u);
        set_cfg(r, 5, 0x1f);
        EXPECT_EQ(cfg_of(r, 5), 0x80u);
        set_cfg(r, 9, 0x88 | 1); // TOR: the one below, too
        r.write(0x3b0 + 8, 0x777);
        r.write(0x3b0 + 9, 0x777);
        EXPECT_EQ(r.read(0x3b0 + 8), 0u);
        EXPECT_EQ(r.read(0x3b0 + 9), 0u);
        set_cfg(r, 8, 0x1f); // whose configuration stays free
        EXPECT_EQ(cfg_of(r, 8), 0x1fu);
        set_cfg(r, 9, 0);
        EXPECT_EQ(cfg_of(r, 9), 0x89u);
        set_cfg(r, 12, 0x98 | 1); // NAPOT is no TOR
        r.write(0x3b0 + 11, 0x777);
        EXPECT_EQ(r.read(0x3b0 + 11), 0x777u);
        rig_prepare(r.r, 0);
        EXPECT_EQ(cfg_of(r, 5) | cfg_of(r, 9) | cfg_of(r, 12), 0u) << "reset unlocks";
    }
}

TEST(Csr, MachineSecurityConfiguration)
{
    for (unsigned xlen : {64u, 32u}) {
        enum { MML = 1, MMWP = 2, RLB = 4 };
        Rig r(xlen, "max");
        // M keeps a region to run in: entry 0 is its code and data, shared rules aside.
        EXPECT_EQ(r.wrote(0x747, RLB), unsigned(RLB));
        set_cfg(r, 0, 0x9f);
        EXPECT_EQ(r.wrote(0x747, 0), 0u);
        EXPECT_EQ(r.wrote(0x747, RLB), 0u) << "not while an entry is locked";
        rig_prepare(r.r, 0);
        r.write(0x747, RLB);
        set_cfg(r, 0, 0x9f);
        set_cfg(r, 3, 0x80);
        EXPECT_EQ(r.wrote(0x747, RLB), unsigned(RLB));
        set_cfg(r, 3, 1);
        EXPECT_EQ(cfg_of(r, 3), 1u) << "RLB opens locks";
        set_cfg(r, 0, 0x9d); // M: RX
        EXPECT_EQ(r.wrote(0x747, ALL), 7u);
        EXPECT_EQ(r.wrote(0x747, 0), unsigned(MML | MMWP)) << "sticky";
        // With MML and without RLB, no rule that lets M execute can be added.
        for (unsigned cfg = 0; cfg < 0x100; cfg++) {
            if ((cfg & 0x60) || (cfg & 0x80))
                continue;
            set_cfg(r, 5, cfg);
            ASSERT_EQ(cfg_of(r, 5), cfg) << "with MML, unlocked rules are all legal";
        }
        unsigned entry = 6;
        for (unsigned rwx = 0; rwx < 8; rwx++) {
            bool m_executes = rwx == 2 || rwx == 4 || rwx == 5 || rwx == 6;
            set_cfg(r, entry, 0x80 | rwx);
            EXPECT_EQ(cfg_of(r, entry), m_executes ? 0 : 0x80 | rwx) << rwx;
            entry++;
        }
        rig_prepare(r.r, 0);
        EXPECT_EQ(r.read(0x747), 0u);
    }
}

// ---- counters: 3.1.10-3.1.12; cycle counts instructions here ----

TEST(Csr, CountersCountWhatRetires)
{
    for (unsigned xlen : {64u, 32u})
        for (unsigned number : {0xb00u, 0xb02u, 0xc00u, 0xc02u}) {
            Rig r(xlen, "max");
            const uint32_t words[] = {
                asm_csr(CSRRS, T0, number, 0), ASM_NOP, ASM_NOP, asm_csr(CSRRS, T1, number, 0),
                asm_csr(CSRRS, T2, number, 0), ASM_WFI,
            };
            rig_words(r.r, RIG_CODE, words, 6);
            ASSERT_EQ(rig_go(r.r, 0, M, RIG_CODE), RIG_DONE);
            EXPECT_EQ(r.get("t1") - r.get("t0"), 3u);
            EXPECT_EQ(r.get("t2") - r.get("t1"), 1u);
            EXPECT_EQ(rig_retired(r.r, 0), 6u);
        }
}

TEST(Csr, CountersAreWritten)
{
    for (unsigned xlen : {64u, 32u})
        for (unsigned number : {0xb00u, 0xb02u}) {
            Rig r(xlen, "max");
            uint32_t high = asm_csr(CSRRS, T2, xlen == 32 ? number | 0x80 : 0x340, 0);
            const uint32_t words[] = {
                asm_csr(CSRRW, T0, number, T1), // the write is done instead of the increment
                asm_csr(CSRRS, A0, number, 0), asm_csr(CSRRS, A1, number, 0), asm_csr(CSRRS, A2, number, 0), high,
                ASM_WFI,
            };
            rig_words(r.r, RIG_CODE, words, 6);
            uint64_t start = xlen == 32 ? 0xffffffff : ALL;
            r.set("t1", start);
            ASSERT_EQ(rig_go(r.r, 0, M, RIG_CODE), RIG_DONE);
            EXPECT_EQ(r.get("a0") & r.xmask, start);
            EXPECT_EQ(r.get("a1"), 0u);
            EXPECT_EQ(r.get("a2"), 1u);
            EXPECT_EQ(r.get("t2"), xlen == 32 ? 1u : 0u) << "the carry";
        }
}

TEST(Csr, CounterHalvesAreWrittenApart)
{
    Rig r(32, "max");
    const uint32_t words[] = {
        asm_csr(CSRRW, 0, 0xb82, T1), asm_csr(CSRRW, 0, 0xb02, T2), asm_csr(CSRRS, A0, 0xb82, 0),
        asm_csr(CSRRS, A1, 0xb02, 0), ASM_WFI,
    };
    rig_words(r.r, RIG_CODE, words, 5);
    r.set("t1", 0x12345678);
    r.set("t2", 0xfffffff0);
    ASSERT_EQ(rig_go(r.r, 0, M, RIG_CODE), RIG_DONE);
    EXPECT_EQ(r.get("a0"), 0x12345678u);
    EXPECT_EQ(r.get("a1") & 0xffffffff, 0xfffffff1u);
}

TEST(Csr, CountersAreInhibited)
{
    for (unsigned xlen : {64u, 32u})
        for (unsigned number : {0xb00u, 0xb02u}) {
            Rig r(xlen, "max");
            unsigned other = number ^ 2, bit = number & 3 ? 4 : 1;
            const uint32_t words[] = {
                asm_csr(CSRRW, 0, number, 0),          // 0 from here on
                asm_csr(CSRRS, A4, other, 0),          //
                asm_csr(CSRRSI, 0, 0x320, bit),        // the last one that counts: 2
                ASM_NOP, asm_csr(CSRRS, A0, number, 0), asm_csr(CSRRS, A1, number, 0),
                asm_csr(CSRRW, 0, number, T1),         // a stopped counter is written
                ASM_NOP, asm_csr(CSRRS, A2, number, 0),
                asm_csr(CSRRCI, 0, 0x320, bit),        // counts again with the next
                ASM_NOP, asm_csr(CSRRS, A3, number, 0), asm_csr(CSRRS, A5, other, 0), ASM_WFI,
            };
            rig_words(r.r, RIG_CODE, words, sizeof words / 4);
            r.set("t1", 1000);
            ASSERT_EQ(rig_go(r.r, 0, M, RIG_CODE), RIG_DONE);
            EXPECT_EQ(r.get("a0"), 2u);
            EXPECT_EQ(r.get("a1"), 2u);
            EXPECT_EQ(r.get("a2"), 1000u);
            EXPECT_EQ(r.get("a3"), 1001u);
            EXPECT_EQ(r.get("a5") - r.get("a4"), 11u) << "the other one went on";
        }
}

// What does not retire does not count: faults in the middle of blocks, ecall, ebreak, illegal instructions.
TEST(Csr, TrapsDoNotCount)
{
    for (unsigned xlen : {64u, 32u}) {
        Rig r(xlen, "max");
        const uint32_t traps[] = { ASM_ECALL, ASM_EBREAK, 0xffffffff, asm_load(LW, T0, 0, 0), ASM_WFI };
        for (unsigned before = 0; before < 5; before++)
            for (uint32_t trap : traps) {
                uint64_t at = r.next;
                r.next += 64;
                rig_fill(r.r, at, 64, ASM_NOP);
                rig_poke(r.r, at + 4 * before, trap, 4);
                uint64_t was = rig_retired(r.r, 0);
                int cause = rig_go(r.r, 0, M, at);
                EXPECT_EQ(cause == RIG_DONE, trap == ASM_WFI);
                EXPECT_EQ(rig_retired(r.r, 0) - was, before + 1) << "the handler's wfi counts; " << std::hex << trap;
            }
    }
}

TEST(Csr, ALoopCountsExactly)
{
    Rig r(64, "max");
    const uint32_t words[] = {
        asm_csr(CSRRS, A0, 0xb02, 0), // t1 turns of 3
        ASM_NOP, asm_addi(T1, T1, -1), asm_branch(1, T1, 0, -8), asm_csr(CSRRS, A1, 0xb02, 0), ASM_WFI,
    };
    rig_words(r.r, RIG_CODE, words, 6);
    for (uint64_t turns : {1u, 2u, 100u, 20000u}) {
        r.set("t1", turns);
        rig_wake(r.r, 0);
        r.set("priv", M);
        r.set("pc", RIG_CODE);
        uint64_t was = rig_retired(r.r, 0);
        EXPECT_EQ(rig_run(r.r, 0, 1000000), RIG_IDLE);
        EXPECT_EQ(r.get("a1") - r.get("a0"), 3 * turns + 1);
        EXPECT_EQ(rig_retired(r.r, 0) - was, 3 * turns + 3);
    }
}

} // namespace
