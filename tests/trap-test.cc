// Exceptions, interrupts, trap returns, wfi and the supervisor timer of a running hart, against models written from the
// privileged manual (3.1.6-3.1.9, 3.3, 4.1; Sstc).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace {

enum { U, S, M = 3 };
enum { FETCH_MISALIGNED, FETCH_ACCESS, ILLEGAL, BREAKPOINT, LOAD_MISALIGNED, LOAD_ACCESS, STORE_MISALIGNED };
enum { STORE_ACCESS = 7 };
enum { SIE = 1 << 1, MIE = 1 << 3, SPIE = 1 << 5, MPIE = 1 << 7, SPP = 1 << 8, MPP = 3 << 11, MPRV = 1 << 17,
       TVM = 1 << 20, TW = 1 << 21, TSR = 1 << 22 };
constexpr uint64_t ALL = ~UINT64_C(0), HOLE = 0x40000000;
const unsigned modes[] = { U, S, M };

struct Traps {
    unsigned xlen;
    std::unique_ptr<rig, decltype(&rig_free)> owner;
    rig *r;
    uint64_t seed, next = RIG_CODE;

    explicit Traps(unsigned bits, const char *cpu = "max")
        : xlen(bits), owner(rig_new(bits, cpu, 1), rig_free), r(owner.get()), seed(harness_seed())
    {
        rig_prepare(r, 0);
    }
    void set(const char *name, uint64_t value) { rig_set(r, 0, name, value); }
    uint64_t get(const char *name) { return rig_get(r, 0, name); }
    uint64_t random() { return harness_random(&seed); }
    uint64_t cut(uint64_t x) const { return xlen == 32 ? x & 0xffffffff : x; }
    // Code at a new address: none is ever changed.
    uint64_t place(std::vector<uint32_t> words)
    {
        uint64_t at = next;
        words.push_back(ASM_WFI);
        rig_words(r, at, words.data(), words.size());
        next += (words.size() * 4 + 15) & ~UINT64_C(15);
        return at;
    }
    // One block from pc in a mode.
    void step(unsigned priv, uint64_t pc)
    {
        rig_wake(r, 0);
        set("priv", priv);
        set("pc", pc);
        rig_run(r, 0, 1);
        rig_wake(r, 0);
    }
    uint64_t interrupt_bit() const { return UINT64_C(1) << (xlen - 1); }
    // Is the state what a trap from `priv` at `pc` with mstatus `was` leaves?
    void expect_trap(bool to_s, unsigned priv, uint64_t was, uint64_t cause, uint64_t pc, uint64_t tval)
    {
        uint64_t status = get("mstatus"), changed = to_s ? SIE | SPIE | SPP : MIE | MPIE | MPP;
        EXPECT_EQ(get(to_s ? "scause" : "mcause"), cause);
        EXPECT_EQ(get(to_s ? "sepc" : "mepc"), pc);
        EXPECT_EQ(get(to_s ? "stval" : "mtval"), tval);
        EXPECT_EQ(get("priv"), to_s ? uint64_t(S) : uint64_t(M));
        EXPECT_EQ((status ^ was) & ~changed & 0xffffffff, 0u) << "the other level's fields";
        EXPECT_EQ(!!(status & (to_s ? SPIE : MPIE)), !!(was & (to_s ? SIE : MIE)));
        EXPECT_EQ(status & (to_s ? SIE : MIE), 0u);
        EXPECT_EQ(to_s ? (status & SPP) >> 8 : (status & MPP) >> 11, uint64_t(priv));
    }
};

struct Exception {
    unsigned cause;
    uint32_t word;
    uint64_t t1, tval; // PC stands for the instruction's address
    bool data;
};
constexpr uint64_t PC = 1;

std::vector<Exception> exceptions()
{
    return {
        { ILLEGAL, 0xffffffff, 0, 0xffffffff, false },
        { ILLEGAL, 0, 0, 0, false },
        { ILLEGAL, asm_csr(CSRRW, 0, 0xfff, 0), 0, asm_csr(CSRRW, 0, 0xfff, 0), false },
        { BREAKPOINT, ASM_EBREAK, 0, PC, false },
        { BREAKPOINT, ASM_C_EBREAK, 0, PC, false },
        { LOAD_MISALIGNED, 0x1000202f | T1 << 15, RIG_RAM + 2, RIG_RAM + 2, true }, // lr.w
        { STORE_MISALIGNED, 0x0000202f | T1 << 15, RIG_RAM + 1, RIG_RAM + 1, true }, // amoadd.w
        { LOAD_ACCESS, asm_load(LW, T0, T1, 4), HOLE, HOLE + 4, true },
        { STORE_ACCESS, asm_store(SW, T0, T1, -4), HOLE, HOLE - 4, true },
        { STORE_ACCESS, 0x0000202f | T1 << 15, HOLE, HOLE, true },
        { STORE_ACCESS, 0x0000202f | T1 << 15, RIG_DEVICE, RIG_DEVICE, true },
        { LOAD_ACCESS, 0x1000202f | T1 << 15, RIG_DEVICE, RIG_DEVICE, true },
        { STORE_ACCESS, asm_store(SW, T0, T1, 0), RIG_ROM, RIG_ROM, true },
    };
}

TEST(Trap, ExceptionsAreDelegated)
{
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        for (const Exception &x : exceptions()) {
            uint64_t pc = t.place({ x.word });
            for (unsigned priv : modes)
                for (unsigned i = 0; i < 8; i++) {
                    uint64_t deleg = t.random(), status = t.random() & (SIE | MIE | SPIE | MPIE | SPP);
                    t.set("medeleg", i & 1 ? deleg | 1u << x.cause : deleg & ~(1u << x.cause));
                    t.set("mstatus", status);
                    t.set("t1", x.t1);
                    bool to_s = priv != M && (t.get("medeleg") >> x.cause & 1);
                    SCOPED_TRACE("cause " + std::to_string(x.cause) + " mode " + std::to_string(priv));
                    int cause = rig_go(t.r, 0, priv, pc);
                    ASSERT_EQ(cause, static_cast<int>(x.cause) | (to_s ? int(RIG_TO_S) : 0));
                    t.expect_trap(to_s, priv, t.cut(status), x.cause, pc, x.tval == PC ? pc : x.tval);
                }
        }
    }
}

TEST(Trap, EnvironmentCallsAreDelegated)
{
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        uint64_t pc = t.place({ ASM_NOP, ASM_ECALL });
        for (unsigned priv : modes)
            for (uint64_t deleg : {UINT64_C(0), ALL}) {
                unsigned cause = 8 + priv;
                t.set("medeleg", deleg);
                t.set("mstatus", MIE | SIE);
                bool to_s = priv != M && deleg;
                ASSERT_EQ(rig_go(t.r, 0, priv, pc), static_cast<int>(cause) | (to_s ? int(RIG_TO_S) : 0));
                t.expect_trap(to_s, priv, MIE | SIE, cause, pc + 4, 0);
            }
        EXPECT_EQ((t.set("medeleg", ALL), t.get("medeleg") >> 11 & 1), 0u) << "an ecall from M stays there";
    }
}

TEST(Trap, FetchExceptions)
{
    for (unsigned xlen : {64u, 32u})
        for (const char *cpu : {"max", "max,-c"}) {
            Traps t(xlen, cpu);
            bool c = !strchr(cpu, '-');
            uint64_t jump = t.place({ asm_jalr(1, T1, 1), ASM_NOP }), target = t.place({ ASM_NOP, ASM_NOP });
            t.set("t1", HOLE);
            EXPECT_EQ(rig_go(t.r, 0, M, jump), FETCH_ACCESS);
            t.expect_trap(false, M, 0, FETCH_ACCESS, HOLE, HOLE);
            EXPECT_EQ(t.cut(t.get("ra")), jump + 4) << "the jump itself retires";
            // Bit 0 of a jalr's sum is cleared; without C, bit 1 is an exception of the jump.
            t.set("ra", 0);
            t.set("t1", target + 2);
            if (c)
                rig_poke(t.r, target + 2, ASM_C_NOP, 2);
            EXPECT_EQ(rig_go(t.r, 0, M, jump), c ? int(RIG_DONE) : int(FETCH_MISALIGNED)) << cpu;
            EXPECT_EQ(t.cut(t.get("ra")), c ? jump + 4 : 0);
            if (!c) {
                EXPECT_EQ(t.get("mepc"), jump);
                EXPECT_EQ(t.get("mtval"), target + 2);
            }
            // A branch is judged only when it is taken.
            uint64_t branch = t.place({ asm_branch(0, T0, T2, 6), ASM_NOP });
            t.set("t0", 1), t.set("t2", 2);
            EXPECT_EQ(rig_go(t.r, 0, M, branch), RIG_DONE);
            t.set("t2", 1);
            if (!c) {
                EXPECT_EQ(rig_go(t.r, 0, M, branch), FETCH_MISALIGNED);
                EXPECT_EQ(t.get("mtval"), branch + 6);
                EXPECT_EQ(rig_go(t.r, 0, M, t.place({ asm_jal(1, 6), ASM_NOP })), FETCH_MISALIGNED);
            }
        }
}

// ---- interrupts ----

// 3.1.9: which interrupt is taken, or -1; *to_s where.
int model_interrupt(uint64_t pending, uint64_t deleg, unsigned priv, uint64_t status, bool *to_s)
{
    for (unsigned level : {M, S}) {
        bool enabled = priv < level || (priv == level && (status & (level == M ? MIE : SIE)));
        for (unsigned cause : {11, 3, 7, 9, 1, 5, 13}) {
            bool delegated = deleg >> cause & 1;
            if (enabled && (pending >> cause & 1) && delegated == (level == S)) {
                *to_s = level == S;
                return static_cast<int>(cause);
            }
        }
    }
    return -1;
}

TEST(Trap, RandomInterrupts)
{
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        uint64_t code = t.place({ asm_jal(0, 4) }), steps = harness_scale(20000), taken = 0;
        for (uint64_t i = 0; i < steps; i++) {
            uint64_t lines = t.random() & t.random(), soft = t.random() & t.random();
            uint64_t deleg = t.random(), enabled = t.random();
            uint64_t status = t.random() & (SIE | MIE | SPIE | MPIE | SPP);
            unsigned priv = modes[t.random() % 3], vectored = t.random() & 3;
            uint64_t m_table = RIG_HANDLER | (vectored & 1), s_table = RIG_S_HANDLER | vectored >> 1;
            for (unsigned irq : {3, 7, 9, 11})
                rig_irq(t.r, 0, irq, lines >> irq & 1);
            t.set("mip", soft), t.set("mie", enabled), t.set("mideleg", deleg), t.set("mstatus", status);
            t.set("mtvec", m_table), t.set("stvec", s_table);
            // SEIP is wire or bit; SSIP, STIP, LCOFIP are bits; M's are wires.
            uint64_t pending = (lines & 0xa88) | (soft & 0x2222);
            ASSERT_EQ(t.get("mip"), pending);
            bool to_s = false;
            int want = model_interrupt(pending & enabled & 0x2aaa, deleg & 0x2222, priv, status, &to_s);
            t.step(priv, code);
            SCOPED_TRACE("step " + std::to_string(i));
            if (want < 0) {
                ASSERT_EQ(t.get("pc"), code + 4);
                ASSERT_EQ(t.get("priv"), priv);
                continue;
            }
            taken++;
            uint64_t table = to_s ? s_table : m_table, cause = static_cast<uint64_t>(want);
            uint64_t vector = (table & ~UINT64_C(3)) + (table & 1 ? 4 * cause : 0);
            ASSERT_EQ(t.get("pc"), vector + 4) << "behind the handler's wfi";
            t.expect_trap(to_s, priv, status, cause | t.interrupt_bit(), code, 0);
            ASSERT_FALSE(HasFailure());
        }
        EXPECT_GT(taken, steps / 10);
        EXPECT_LT(taken, steps - steps / 10);
    }
}

TEST(Trap, ExceptionsIgnoreTheVectors)
{
    Traps t(64);
    t.set("mtvec", RIG_HANDLER | 1);
    EXPECT_EQ(rig_go(t.r, 0, M, t.place({ ASM_ECALL })), 11);
    EXPECT_EQ(t.get("pc"), RIG_HANDLER + 4);
}

// An interrupt that a CSR write or a trap return lets in is taken before the next instruction.
TEST(Trap, InterruptsAreTakenAtOnce)
{
    Traps t(64);
    rig_irq(t.r, 0, 7, true);
    t.set("mie", 1 << 7);
    uint64_t pc = t.place({ asm_csr(CSRRSI, 0, 0x300, MIE), asm_addi(A0, A0, 1) });
    EXPECT_EQ((t.set("mstatus", 0), t.step(M, pc), t.get("pc")), pc + 4);
    rig_run(t.r, 0, 1);
    EXPECT_EQ(t.get("mepc"), pc + 4);
    EXPECT_EQ(t.get("a0"), 0u);
    rig_prepare(t.r, 0);
    t.set("mie", 1 << 7);
    pc = t.place({ ASM_MRET });
    t.set("mstatus", MPIE | MPP);
    t.set("mepc", pc + 4);
    t.step(M, pc);
    rig_run(t.r, 0, 1);
    EXPECT_EQ(t.get("mcause"), 7 | t.interrupt_bit());
    EXPECT_EQ(t.get("mepc"), pc + 4);
}

// ---- trap returns: 3.1.6.1, 3.3.2 ----

TEST(Trap, Returns)
{
    struct {
        unsigned xlen;
        const char *cpu;
        bool c, s, u;
    } cases[] = { { 64, "max", true, true, true },     { 32, "max", true, true, true },
                  { 64, "max,-c", false, true, true }, { 64, "max,-s", true, false, true },
                  { 32, "max,-u", true, false, false } };
    for (auto &c : cases) {
        Traps t(c.xlen, c.cpu);
        uint64_t mret = t.place({ ASM_MRET }), sret = t.place({ ASM_SRET });
        for (unsigned i = 0; i < 2000; i++) {
            bool supervisor = c.s && t.random() % 2;
            unsigned priv = supervisor && t.random() % 2 ? S : M;
            uint64_t epc = t.random() & t.cut(ALL);
            t.set("mstatus", t.random() & (SIE | MIE | SPIE | MPIE | SPP | MPP | MPRV));
            t.set(supervisor ? "sepc" : "mepc", epc);
            uint64_t was = t.get("mstatus"), want;
            unsigned to;
            if (supervisor) {
                to = was & SPP ? S : U;
                want = (was & ~uint64_t(SIE | SPP | MPRV)) | (was & SPIE ? SIE : 0) | SPIE;
            } else {
                to = was >> 11 & 3;
                want = (was & ~uint64_t(MIE | MPP)) | (was & MPIE ? MIE : 0) | MPIE | (c.u ? 0 : MPP);
                want &= to == M ? ALL : ~uint64_t(MPRV);
            }
            t.step(priv, supervisor ? sret : mret);
            SCOPED_TRACE(std::string(c.cpu) + (supervisor ? " sret" : " mret"));
            ASSERT_EQ(t.get("mstatus"), want) << std::hex << was;
            ASSERT_EQ(t.get("priv"), to);
            ASSERT_EQ(t.get("pc"), epc & (c.c ? ~UINT64_C(1) : ~UINT64_C(3)));
        }
    }
}

// Who may do what: 3.1.6.5, 3.3, 4.2.1, Svinval.
TEST(Trap, PrivilegedInstructions)
{
    struct {
        const char *name;
        uint32_t word;
        unsigned least;
        uint64_t denies_s; // the mstatus bit that makes it illegal in S
    } insns[] = {
        { "mret", ASM_MRET, M, 0 },
        { "sret", ASM_SRET, S, TSR },
        { "wfi", ASM_WFI, S, TW },
        { "sfence.vma", asm_sfence(0, 0), S, TVM },
        { "sfence.vma x, x", asm_sfence(T1, T1), S, TVM },
        { "sinval.vma", asm_sinval(0, 0), S, TVM },
        { "sfence.w.inval", 0x18000073, S, 0 },
        { "sfence.inval.ir", 0x18100073, S, 0 },
        { "csrr satp", asm_csr(CSRRS, T0, 0x180, 0), S, TVM },
        { "csrw satp", asm_csr(CSRRW, 0, 0x180, 0), S, TVM },
    };
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        for (auto &insn : insns) {
            uint64_t pc = t.place({ insn.word });
            for (unsigned priv : modes)
                for (uint64_t bit : {UINT64_C(0), uint64_t(TVM), uint64_t(TW), uint64_t(TSR)}) {
                    t.set("mstatus", bit);
                    t.set("mepc", pc + 4), t.set("sepc", pc + 4), t.set("mcause", 99);
                    bool legal = priv >= insn.least && !(priv == S && bit && bit == insn.denies_s);
                    t.step(priv, pc);
                    EXPECT_EQ(t.get("mcause"), legal ? 99u : unsigned(ILLEGAL))
                        << insn.name << " in " << priv << std::hex << bit;
                    if (!legal) {
                        EXPECT_EQ(t.get("mtval"), insn.word);
                        EXPECT_EQ(t.get("mepc"), pc);
                    }
                }
        }
    }
    for (const char *cpu : {"max,-s", "max,-u"}) {
        Traps t(64, cpu);
        for (auto &insn : insns) {
            if (insn.least == S && insn.word != ASM_WFI) {
                EXPECT_EQ(rig_go(t.r, 0, M, t.place({ insn.word })), ILLEGAL) << insn.name << " without S";
            }
        }
    }
    // Without S, wfi in U is TW's matter.
    Traps t(64, "max,-s");
    EXPECT_EQ(rig_go(t.r, 0, U, t.place({ ASM_NOP })), RIG_DONE);
    t.set("mstatus", TW);
    EXPECT_EQ(rig_go(t.r, 0, U, t.place({ ASM_NOP })), ILLEGAL);
}

// ---- wfi: 3.3.3 ----

TEST(Trap, WfiWakesForWhatIsEnabledInMie)
{
    Traps t(64);
    uint64_t pc = t.place({});
    for (unsigned priv : {S, M})
        for (unsigned enables = 0; enables < 4; enables++) // MIE, SIE: of no account
            for (uint64_t deleg : {UINT64_C(0), ALL})
                for (unsigned irq : {1u, 3u, 5u, 7u, 9u, 11u, 13u})
                    for (unsigned enabled = 0; enabled < 2; enabled++) {
                        rig_prepare(t.r, 0);
                        t.set("mstatus", (enables & 1 ? MIE : 0) | (enables & 2 ? SIE : 0));
                        t.set("mideleg", deleg);
                        t.set("mie", enabled ? 1u << irq : 0x2aaa & ~(1u << irq));
                        t.set("priv", priv), t.set("pc", pc);
                        ASSERT_EQ(rig_run(t.r, 0, 10), RIG_IDLE);
                        ASSERT_TRUE(rig_waits(t.r, 0));
                        ASSERT_FALSE(rig_has_work(t.r, 0));
                        ASSERT_EQ(t.get("pc"), pc + 4);
                        bool wire = irq == 3 || irq == 7 || irq == 9 || irq == 11;
                        wire ? rig_irq(t.r, 0, irq, true) : t.set("mip", 1u << irq);
                        EXPECT_EQ(rig_has_work(t.r, 0), enabled) << irq;
                        rig_run(t.r, 0, 1);
                        EXPECT_EQ(t.get("pc") == pc + 4, !enabled) << "still waiting, or gone on";
                        wire ? rig_irq(t.r, 0, irq, false) : t.set("mip", 0);
                    }
}

TEST(Trap, WfiWithSomethingPendingGoesOn)
{
    Traps t(64);
    t.set("mie", 1 << 7);
    rig_irq(t.r, 0, 7, true);
    uint64_t pc = t.place({ ASM_WFI, asm_addi(A0, 0, 7), asm_jal(0, 0) });
    t.set("priv", M), t.set("pc", pc);
    EXPECT_EQ(rig_run(t.r, 0, 10), RIG_BUDGET);
    EXPECT_EQ(t.get("a0"), 7u) << "MIE is off: no interrupt is taken";
}

// ---- misaligned accesses ----

TEST(Trap, MisalignedAccessesToDevicesFault)
{
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        unsigned before = rig_device_accesses(t.r);
        for (unsigned log_size = 1; log_size < (xlen == 32 ? 3u : 4u); log_size++)
            for (unsigned off = 1; off < 1u << log_size; off++) {
                t.set("t1", RIG_DEVICE + off);
                EXPECT_EQ(rig_go(t.r, 0, M, t.place({ asm_load(log_size, T0, T1, 0) })), LOAD_ACCESS);
                EXPECT_EQ(t.get("mtval"), RIG_DEVICE + off);
                EXPECT_EQ(rig_go(t.r, 0, M, t.place({ asm_store(log_size, T0, T1, 0) })), STORE_ACCESS);
                EXPECT_EQ(t.get("mtval"), RIG_DEVICE + off);
            }
        EXPECT_EQ(rig_device_accesses(t.r), before);
        t.set("t1", RIG_DEVICE + 4), t.set("t0", 0x12345678);
        EXPECT_EQ(rig_go(t.r, 0, M, t.place({ asm_store(SW, T0, T1, 0), asm_load(LHU, T2, T1, 2) })), RIG_DONE);
        EXPECT_EQ(t.get("t2"), 0x1234u);
        EXPECT_EQ(rig_device_accesses(t.r), before + 2);
    }
}

// At the end of RAM: both parts are checked before anything is written.
TEST(Trap, MisalignedAccessesOverTheEndFaultWhole)
{
    constexpr uint64_t END = RIG_RAM + RIG_RAM_SIZE;
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        unsigned most = xlen == 32 ? 2 : 3;
        rig_poke(t.r, END - 8, 0x1122334455667788, 8);
        t.set("t0", ALL);
        for (unsigned log_size = 1; log_size <= most; log_size++)
            for (unsigned in = 1; in < 1u << log_size; in++) {
                t.set("t1", END - in);
                EXPECT_EQ(rig_go(t.r, 0, M, t.place({ asm_store(log_size, T0, T1, 0) })), STORE_ACCESS);
                EXPECT_EQ(t.get("mtval"), END) << "the part that faults";
                EXPECT_EQ(rig_go(t.r, 0, M, t.place({ asm_load(log_size, T2, T1, 0) })), LOAD_ACCESS);
                EXPECT_EQ(t.get("mtval"), END);
                t.set("t1", RIG_RAM - in); // from below, the first part faults
                EXPECT_EQ(rig_go(t.r, 0, M, t.place({ asm_store(log_size, T0, T1, 0) })), STORE_ACCESS);
                EXPECT_EQ(t.get("mtval"), RIG_RAM - in);
            }
        EXPECT_EQ(rig_peek(t.r, END - 8, 8), 0x1122334455667788u);
        EXPECT_EQ(rig_peek(t.r, RIG_RAM, 4), ASM_WFI);
    }
}

TEST(Trap, MisalignedAccessesWork)
{
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        uint64_t base = RIG_RAM + 0x400000;
        for (unsigned log_size = 1; log_size < (xlen == 32 ? 3u : 4u); log_size++) {
            uint64_t load = t.place({ asm_load(log_size, T2, T1, 0) });
            uint64_t store = t.place({ asm_store(log_size, T0, T1, 0) });
            for (uint64_t va = base + 4096 - 9; va < base + 4096 + 2; va++) {
                unsigned size = 1u << log_size;
                uint64_t value = t.random(), around = t.random();
                uint64_t mask = size == 8 ? ALL : (UINT64_C(1) << 8 * size) - 1;
                rig_poke(t.r, va - 8, around, 8), rig_poke(t.r, va + size, around, 8);
                t.set("t1", va), t.set("t0", value);
                ASSERT_EQ(rig_go(t.r, 0, M, store), RIG_DONE);
                ASSERT_EQ(rig_peek(t.r, va, size), value & t.cut(mask));
                ASSERT_EQ(rig_peek(t.r, va - 8, 8), around);
                ASSERT_EQ(rig_peek(t.r, va + size, 8), around);
                ASSERT_EQ(rig_go(t.r, 0, M, load), RIG_DONE);
                ASSERT_EQ(t.get("t2") & mask, value & t.cut(mask));
            }
        }
    }
}

// ---- Sstc ----

constexpr uint64_t TICK = 1000000000 / RIG_TIMEBASE; // ns

void set_stimecmp(Traps &t, uint64_t value)
{
    t.set("stimecmp", value);
    if (t.xlen == 32)
        t.set("stimecmph", value >> 32);
}

void enable_sstc(Traps &t, bool on)
{
    t.xlen == 32 ? t.set("menvcfgh", on ? 1u << 31 : 0) : t.set("menvcfg", on ? UINT64_C(1) << 63 : 0);
}

TEST(Trap, SupervisorTimer)
{
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        const uint64_t due = UINT64_C(0x100000005);
        uint64_t start = (due - 10) * TICK;
        rig_advance(t.r, start);
        set_stimecmp(t, due);
        EXPECT_EQ(t.get("mip"), 0u) << "STCE is off";
        rig_advance(t.r, due * TICK + TICK);
        EXPECT_EQ(t.get("mip"), 0u);
        enable_sstc(t, true);
        EXPECT_EQ(t.get("mip"), 0x20u) << "the comparison is a level, not an event";
        t.set("mip", 0);
        EXPECT_EQ(t.get("mip"), 0x20u) << "read-only";
        set_stimecmp(t, due + 100);
        EXPECT_EQ(t.get("mip"), 0u);
        // wfi in S until the very tick.
        t.set("mideleg", 0x20), t.set("mie", 0x20), t.set("mstatus", 0);
        uint64_t pc = t.place({ ASM_WFI, ASM_NOP });
        t.set("priv", S), t.set("pc", pc);
        EXPECT_EQ(rig_run(t.r, 0, 10), RIG_IDLE);
        rig_advance(t.r, (due + 100) * TICK - 1);
        EXPECT_FALSE(rig_has_work(t.r, 0));
        rig_advance(t.r, (due + 100) * TICK);
        EXPECT_TRUE(rig_has_work(t.r, 0));
        t.set("mstatus", SIE);
        rig_run(t.r, 0, 1);
        t.expect_trap(true, S, SIE, 5 | t.interrupt_bit(), pc + 4, 0);
        EXPECT_EQ(t.get("time") & 0xffffffff, (due + 100) & 0xffffffff);
        set_stimecmp(t, ALL);
        EXPECT_EQ(t.get("mip"), 0u);
        enable_sstc(t, false);
        t.set("mip", 0x20);
        EXPECT_EQ(t.get("mip"), 0x20u) << "M's bit again";
        t.set("mip", 0);
        set_stimecmp(t, 0);
        EXPECT_EQ(t.get("mip"), 0u);
    }
}

TEST(Trap, TimeFollowsTheClock)
{
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        for (uint64_t ticks : {UINT64_C(1), UINT64_C(1000), UINT64_C(0x1234567890)}) {
            rig_advance(t.r, ticks * TICK - 1);
            EXPECT_EQ(t.get("time"), t.cut(ticks - 1));
            rig_advance(t.r, ticks * TICK);
            EXPECT_EQ(t.get("time"), t.cut(ticks));
            if (xlen == 32) {
                EXPECT_EQ(t.get("timeh"), ticks >> 32);
            }
        }
    }
}

// A handler that faults itself retires nothing: run() must come back all the same.
TEST(Trap, AnEndlessTrapEndsTheBudget)
{
    for (unsigned xlen : {64u, 32u}) {
        Traps t(xlen);
        t.set("mtvec", HOLE);
        EXPECT_EQ(rig_go(t.r, 0, M, HOLE), RIG_LOST); // a fetch fault
        EXPECT_EQ(t.get("mepc"), HOLE);
        uint64_t pc = t.place({ 0xffffffff });
        t.set("mtvec", pc);
        EXPECT_EQ(rig_go(t.r, 0, M, pc), RIG_LOST); // and one of the handlers'
        EXPECT_EQ(t.get("mcause"), unsigned(ILLEGAL));
        t.set("mtvec", RIG_HANDLER);
        EXPECT_EQ(rig_go(t.r, 0, M, t.place({ ASM_NOP })), RIG_DONE) << "nothing is left of it";
    }
}

} // namespace
