// Address translation of a running hart against a walker that was written from the manual (harness-riscv-walk.h):
// cause, tval, physical address, and the A and D bits as they are due.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace {

enum { U, S, M = 3 };
enum Bits : uint64_t { V = 1, R = 2, W = 4, X = 8, BU = 16, G = 32, A = 64, D = 128 };
constexpr uint64_t N = UINT64_C(1) << 63, ALL = ~UINT64_C(0);
enum { READ = WALK_READ, WRITE = WALK_WRITE, EXEC = WALK_EXEC };
enum { ECALL_U = 8, ECALL_S = 9, FETCH_ACCESS = 1, LOAD_ACCESS = 5, STORE_ACCESS = 7, FETCH_PAGE = 12, LOAD_PAGE = 13,
       STORE_PAGE = 15 };

constexpr uint64_t DATA = RIG_RAM + 0x400000, DATA_SIZE = 0x800000, TABLES = RIG_RAM + 0x100000;
// An address that maps to itself whatever the level of its leaf.
constexpr uint64_t SELF = DATA + 0x1000;
// Where the programs are, and where paging puts them for code that runs in S and U.
constexpr uint64_t CODE = RIG_CODE;

struct Scheme {
    unsigned xlen, mode, levels, index_bits;
    const char *name;
    unsigned pte_size() const { return xlen / 8; }
    unsigned shift(unsigned level) const { return 12 + level * index_bits; }
    unsigned va_bits() const { return shift(levels); }
    uint64_t span(unsigned level) const { return UINT64_C(1) << shift(level); }
    uint64_t index(uint64_t va, unsigned level) const { return va >> shift(level) & ((1u << index_bits) - 1); }
    uint64_t canonical(uint64_t va) const
    {
        unsigned up = 64 - va_bits();
        return xlen == 32 ? va & 0xffffffff : static_cast<uint64_t>(static_cast<int64_t>(va << up) >> up);
    }
};

const Scheme schemes[] = { { 32, 1, 2, 10, "Sv32" },
                           { 64, 8, 3, 9, "Sv39" },
                           { 64, 9, 4, 9, "Sv48" },
                           { 64, 10, 5, 9, "Sv57" } };

unsigned low_bits(uint64_t va, unsigned bits)
{
    return static_cast<unsigned>(va & ((UINT64_C(1) << bits) - 1));
}

// A machine with page tables, and what the walker has to know of it.
struct Mmu {
    Scheme s;
    std::unique_ptr<rig, decltype(&rig_free)> owner;
    rig *r;
    pmp_model pmp{};
    walk_mode mode{};
    uint64_t next_table = TABLES, root = 0;
    uint64_t data_code[3][5]; // [READ, WRITE][log2 size]: a load or store, then ecall
    uint64_t fence_code[2][2], sinval_code[2][2], mret_code, jump_code;

    explicit Mmu(const Scheme &scheme, const char *cpu = "max")
        : s(scheme), owner(rig_new(scheme.xlen, cpu, 1), rig_free), r(owner.get())
    {
        rig_prepare(r, 0);
        pmp.entries = 16;
        set_pmp(0, 0x1f, ALL >> 10);
        mode.xlen = s.xlen;
        mode.pmp = &pmp;
        mode.memory = r;
        mode.is_memory = rig_is_memory;
        mode.read = [](void *memory, uint64_t gpa, unsigned width) {
            return rig_peek(static_cast<rig *>(memory), gpa, width);
        };
        mode.napot = s.xlen == 64 && !strstr(cpu, "-svnapot");
        root = new_table();
        use(root, 0);
        write_programs();
    }

    void set(const char *name, uint64_t value) { rig_set(r, 0, name, value); }
    uint64_t get(const char *name) { return rig_get(r, 0, name); }

    // ---- tables ----

    uint64_t new_table()
    {
        uint64_t t = next_table;
        next_table += 4096;
        rig_fill(r, t, 4096, 0);
        return t;
    }
    void use(uint64_t table, unsigned asid)
    {
        uint64_t ppn = table >> 12;
        mode.satp = s.xlen == 32 ? UINT64_C(1) << 31 | uint64_t(asid) << 22 | ppn
                                 : uint64_t(s.mode) << 60 | uint64_t(asid) << 44 | ppn;
        set("satp", mode.satp);
    }
    static uint64_t pte(uint64_t gpa, uint64_t flags) { return gpa >> 12 << 10 | flags; }
    uint64_t entry(uint64_t table, uint64_t va, unsigned level) const
    {
        return table + s.index(va, level) * s.pte_size();
    }
    void poke_pte(uint64_t at, uint64_t value) { rig_poke(r, at, value, s.pte_size()); }
    uint64_t peek_pte(uint64_t at) { return rig_peek(r, at, s.pte_size()); }
    // Makes the tables above the entry of va at `level` and says where that entry is.
    uint64_t path(uint64_t va, unsigned level, uint64_t from = 0)
    {
        uint64_t table = from ? from : root;
        for (unsigned l = s.levels - 1; l > level; l--) {
            uint64_t at = entry(table, va, l), e = peek_pte(at);
            if ((e & (V | R | X)) != V)
                poke_pte(at, e = pte(new_table(), V));
            table = (s.xlen == 32 ? e >> 10 : e >> 10 & (ALL >> 20)) << 12;
        }
        return entry(table, va, level);
    }
    // The code page as S (or U) sees it, below the root's fifth (or sixth) entry.
    uint64_t code_va(unsigned priv, uint64_t gpa) const
    {
        unsigned top = s.levels - 1;
        return (priv == U ? UINT64_C(6) : 5) << s.shift(top) | (gpa & (s.span(top) - 1));
    }
    void map_code(uint64_t table)
    {
        unsigned top = s.levels - 1;
        for (unsigned priv : {U, S})
            poke_pte(entry(table, code_va(priv, CODE), top),
                     pte(CODE & ~(s.span(top) - 1), V | R | X | A | D | (priv == U ? uint64_t(BU) : 0)));
    }

    // ---- settings that the walker shares ----

    void set_pmp(unsigned i, unsigned cfg, uint64_t addr)
    {
        pmp.cfg[i] = static_cast<uint8_t>(cfg);
        pmp.addr[i] = s.xlen == 32 ? addr & 0xffffffff : addr;
        std::string number = std::to_string(i), reg = "pmpcfg" + std::to_string(i / s.pte_size() * (s.xlen / 32));
        set(("pmpaddr" + number).c_str(), addr);
        unsigned shift = i % s.pte_size() * 8;
        set(reg.c_str(), (get(reg.c_str()) & ~(UINT64_C(0xff) << shift)) | uint64_t(cfg) << shift);
    }
    void configure(unsigned priv, bool sum, bool mxr, bool adue, bool pbmte)
    {
        mode.priv = priv, mode.sum = sum, mode.mxr = mxr;
        if (mode.adue == adue && mode.pbmte == pbmte)
            return;
        mode.adue = adue, mode.pbmte = pbmte;
        uint64_t env = uint64_t(adue) << 61 | uint64_t(pbmte) << 62;
        s.xlen == 32 ? set("menvcfgh", env >> 32) : set("menvcfg", env);
    }
    uint64_t status(bool mprv) const
    {
        return uint64_t(mode.sum) << 18 | uint64_t(mode.mxr) << 19 | uint64_t(mode.priv) << 11 | uint64_t(mprv) << 17;
    }

    // ---- programs ----

    void program(uint64_t at, std::vector<uint32_t> words) { rig_words(r, at, words.data(), words.size()); }
    void write_programs()
    {
        uint64_t at = CODE;
        auto place = [&](std::vector<uint32_t> words) {
            uint64_t start = at;
            program(at, words);
            at += 4 * words.size();
            return start;
        };
        for (unsigned size = 0; size < (s.xlen == 32 ? 3u : 4u); size++) {
            data_code[READ][size] = place({ asm_load(size, T0, T1, 0), ASM_ECALL });
            data_code[WRITE][size] = place({ asm_store(size, T2, T1, 0), ASM_ECALL });
        }
        for (unsigned va = 0; va < 2; va++)
            for (unsigned asid = 0; asid < 2; asid++) {
                fence_code[va][asid] = place({ asm_sfence(va ? A1 : 0, asid ? A2 : 0), ASM_WFI });
                sinval_code[va][asid] =
                    place({ 0x18000073, asm_sinval(va ? A1 : 0, asid ? A2 : 0), 0x18100073, ASM_WFI });
            }
        mret_code = place({ ASM_MRET });
        jump_code = place({ asm_jalr(0, T1, 0) });
        // Data: its own page number, everywhere.
        for (uint64_t gpa = RIG_ROM; gpa < RIG_ROM + RIG_ROM_SIZE; gpa += 8)
            program(gpa, { asm_lui(A0, static_cast<uint32_t>(gpa >> 12)), ASM_ECALL });
        for (uint64_t gpa = DATA; gpa < DATA + DATA_SIZE; gpa += 8)
            if (gpa < DATA + 0x40000 || (gpa & 0xfff) < 64 || (gpa & 0x1fffff) < 0x40000)
                program(gpa, { asm_lui(A0, static_cast<uint32_t>(gpa >> 12)), ASM_ECALL });
    }
    void fence(bool by_va = false, uint64_t va = 0, bool by_asid = false, uint64_t asid = 0, bool sinval = false)
    {
        set("a1", va), set("a2", asid);
        ASSERT_EQ(rig_go(r, 0, M, (sinval ? sinval_code : fence_code)[by_va][by_asid]), RIG_DONE);
    }
    // The exception of one access, or -1. Data accesses come from M through MPRV or, if code is mapped, from the mode.
    // Fetches follow an mret or, the same way, a jump: which finds its target by another cache.
    int access(unsigned kind, uint64_t va, unsigned log_size, bool mprv, uint64_t value = 0)
    {
        set("t1", va), set("t2", value), set("a0", 0);
        set("mstatus", status(mprv && kind != EXEC));
        int success = M + 8;
        uint64_t code = kind == EXEC ? jump_code : data_code[kind][log_size];
        int cause;
        if (kind != EXEC && (mprv || mode.priv == M)) {
            cause = rig_go(r, 0, M, code);
        } else {
            set("mepc", mprv ? va : code_va(mode.priv, code));
            cause = rig_go(r, 0, M, mret_code);
            success = static_cast<int>(ECALL_U + mode.priv);
        }
        return cause == success ? -1 : cause;
    }

    // ---- the comparison ----

    // What the walker does not know: is there something at the address?
    static bool exists(uint64_t gpa, unsigned size, unsigned kind)
    {
        if (rig_is_memory(gpa, size, kind == WRITE))
            return true;
        return kind != EXEC && gpa >= RIG_DEVICE && gpa < RIG_DEVICE + 4096 && size <= 4;
    }
    walk_result expect(unsigned kind, uint64_t va, unsigned size)
    {
        static const int faults[] = { LOAD_ACCESS, STORE_ACCESS, FETCH_ACCESS };
        walk_result w = walk(&mode, va, kind == EXEC ? 4 : size, kind);
        if (w.cause < 0 && !exists(w.gpa, size, kind))
            w.cause = faults[kind];
        return w;
    }
    std::string describe(unsigned kind, uint64_t va, unsigned size, const walk_result &w)
    {
        char text[256];
        snprintf(text, sizeof text, "%s %s of %u at %#llx, mode %u%s%s%s%s, satp %#llx, pte %#llx at %#llx", s.name,
                 kind == READ ? "load" : kind == WRITE ? "store" : "fetch", size, static_cast<unsigned long long>(va),
                 mode.priv, mode.sum ? " SUM" : "", mode.mxr ? " MXR" : "", mode.adue ? " ADUE" : "",
                 mode.pbmte ? " PBMTE" : "", static_cast<unsigned long long>(mode.satp),
                 static_cast<unsigned long long>(w.pte), static_cast<unsigned long long>(w.pte_gpa));
        return text;
    }
    // One access inside a page; false when the hart and the walker differ.
    bool check(unsigned kind, uint64_t va, unsigned log_size = 2, bool mprv = true, uint64_t value = 0)
    {
        unsigned size = kind == EXEC ? 4 : 1u << log_size;
        walk_result w = expect(kind, va, size);
        uint64_t mask = size == 8 ? ALL : (UINT64_C(1) << 8 * size) - 1, xmask = s.xlen == 32 ? 0xffffffff : ALL;
        uint64_t before = w.cause < 0 ? rig_peek(r, w.gpa, size) : 0;
        int cause = access(kind, va, log_size, mprv, value);
        EXPECT_EQ(cause, w.cause) << describe(kind, va, size, w) << std::hex << ", mepc " << get("mepc") << ", mtval "
                                  << get("mtval");
        if (cause >= 0 && cause == w.cause) {
            EXPECT_EQ(get("mtval"), va & xmask) << describe(kind, va, size, w);
        }
        if (w.pte_gpa) {
            EXPECT_EQ(peek_pte(w.pte_gpa), w.pte) << describe(kind, va, size, w);
        }
        if (cause < 0 && rig_is_memory(w.gpa, size, kind == WRITE)) {
            if (kind == READ) {
                EXPECT_EQ(get("t0") & mask, before) << describe(kind, va, size, w);
            } else if (kind == WRITE) {
                EXPECT_EQ(rig_peek(r, w.gpa, size), value & mask) << describe(kind, va, size, w);
            } else {
                EXPECT_EQ(get("a0") & 0xffffffff, w.gpa >> 12 << 12 & 0xffffffff) << describe(kind, va, size, w);
            }
        }
        return !::testing::Test::HasFailure();
    }
    bool check_all(uint64_t va) // every kind of access
    {
        return check(READ, va + 0x800) && check(WRITE, va + 0x800, 2, true, 0xabcd) && check(EXEC, va);
    }
};

// Every combination of the low eight bits of a leaf, at every level, with all that decides about it.
TEST(Mmu, LeafBits)
{
    for (const Scheme &s : schemes) {
        Mmu m(s);
        for (unsigned level = 0; level < s.levels; level++) {
            uint64_t at = m.path(SELF, level), base = SELF & ~(s.span(level) - 1);
            for (unsigned setting = 0; setting < 16; setting++) {
                m.configure(setting & 1 ? S : U, setting & 2, setting & 4, setting & 8, false);
                for (unsigned bits = 0; bits < 256; bits++)
                    for (unsigned kind : {READ, WRITE, EXEC}) {
                        if ((bits & (V | G)) == G) // not valid is not valid
                            continue;
                        m.poke_pte(at, Mmu::pte(base, bits));
                        m.fence();
                        if (!m.check(kind, kind == EXEC ? SELF : SELF + 0x800, 2, true, bits))
                            return;
                    }
            }
            m.poke_pte(at, 0);
        }
    }
}

// RSW is the supervisor's own; 54 to 60 are reserved; N and PBMT depend on their extensions.
TEST(Mmu, UpperBits)
{
    for (const char *cpu : {"max", "max,-svnapot,-svpbmt"})
        for (const Scheme &s : schemes) {
            if (s.xlen == 32)
                continue;
            Mmu m(s, cpu);
            bool has = !strstr(cpu, "-svpbmt");
            for (unsigned level = 0; level < s.levels; level++)
                for (unsigned leaf = 0; leaf < 2; leaf++) {
                    if (!level && !leaf)
                        continue;
                    uint64_t inner = leaf ? 0 : m.path(SELF, level - 1);
                    uint64_t at = m.path(SELF, level), base = SELF & ~(s.span(level) - 1);
                    uint64_t good = leaf ? Mmu::pte(base, V | R | W | X | A | D) : Mmu::pte(inner & ~UINT64_C(4095), V);
                    if (!leaf)
                        m.poke_pte(inner, Mmu::pte(SELF & ~(s.span(level - 1) - 1), V | R | W | X | A | D));
                    for (unsigned pbmte = 0; pbmte < (has ? 2u : 1u); pbmte++)
                        for (unsigned bits = 0; bits < 1024; bits += bits < 64 || bits >= 124 ? 1 : 60) {
                            m.configure(S, false, false, false, pbmte);
                            m.poke_pte(at, good | uint64_t(bits) << 54);
                            m.fence();
                            if (!m.check_all(SELF))
                                return;
                        }
                    for (uint64_t bit = 1 << 4; bit < 1 << 10; bit <<= 1) { // U, G, A, D, RSW
                        m.poke_pte(at, good ^ bit);
                        m.fence();
                        if (!m.check_all(SELF))
                            return;
                    }
                    m.poke_pte(at, 0);
                }
        }
}

TEST(Mmu, MisalignedSuperpages)
{
    for (const Scheme &s : schemes) {
        Mmu m(s);
        m.configure(S, false, false, true, false);
        for (unsigned level = 1; level < s.levels; level++)
            for (unsigned bit = 0; bit < level * s.index_bits; bit++) {
                uint64_t at = m.path(SELF, level), base = SELF & ~(s.span(level) - 1);
                m.poke_pte(at, Mmu::pte(base | UINT64_C(4096) << bit, V | R | W | X));
                m.fence();
                for (unsigned kind : {READ, WRITE, EXEC}) {
                    EXPECT_GE(m.access(kind, SELF, 2, true), int(FETCH_PAGE));
                    ASSERT_TRUE(m.check(kind, SELF));
                }
                EXPECT_EQ(m.peek_pte(at) & (A | D), 0u) << "a fault leaves no trace";
                m.poke_pte(at, 0);
            }
    }
}

TEST(Mmu, NapotPages)
{
    for (const Scheme &s : schemes) {
        if (s.xlen == 32)
            continue;
        Mmu m(s);
        m.configure(S, false, false, false, false);
        for (unsigned low = 0; low < 16; low++)
            for (unsigned page = 0; page < 16; page++) {
                uint64_t va = DATA + page * 4096;
                m.poke_pte(m.path(va, 0), Mmu::pte(DATA + low * 4096, V | R | W | X | A | D) | N);
                m.fence();
                ASSERT_EQ(m.access(READ, va, 2, true), low == 8 ? -1 : LOAD_PAGE) << "other sizes are reserved";
                ASSERT_TRUE(m.check_all(va));
            }
    }
}

TEST(Mmu, AddressesAreSignExtended)
{
    for (const Scheme &s : schemes) {
        Mmu m(s);
        m.configure(S, false, false, false, false);
        for (uint64_t va : {SELF, s.canonical(SELF | ALL << (s.va_bits() - 1))}) {
            m.poke_pte(m.path(va, 0), Mmu::pte(SELF, V | R | W | X | A | D));
            m.fence();
            ASSERT_TRUE(m.check_all(va));
            EXPECT_EQ(m.access(READ, va, 2, true), -1);
            for (unsigned bit = s.va_bits(); bit < s.xlen; bit++) {
                EXPECT_EQ(m.access(READ, va ^ UINT64_C(1) << bit, 2, true), LOAD_PAGE) << bit;
                ASSERT_TRUE(m.check_all(va ^ UINT64_C(1) << bit));
            }
        }
    }
}

// Tables in a hole, in a device, in ROM; and with PMP between.
TEST(Mmu, TablesInOddPlaces)
{
    for (const Scheme &s : schemes) {
        Mmu m(s);
        unsigned devices = rig_device_accesses(m.r);
        for (unsigned adue = 0; adue < 2; adue++) {
            m.configure(S, false, false, adue, false);
            for (unsigned level = 1; level < s.levels; level++)
                for (uint64_t where :
                     {UINT64_C(0x40000000), uint64_t(RIG_DEVICE), uint64_t(RIG_ROM), TABLES + 0xf0000}) {
                    for (uint64_t ad : {UINT64_C(0), uint64_t(A), uint64_t(A | D)}) {
                        uint64_t leaf = m.entry(where, SELF, level - 1);
                        if (rig_is_memory(leaf, 4, false))
                            m.poke_pte(leaf, Mmu::pte(SELF & ~(s.span(level - 1) - 1), V | R | W | X | ad));
                        m.poke_pte(m.path(SELF, level), Mmu::pte(where, V));
                        for (unsigned cfg = 0; cfg < 8; cfg++) {
                            if ((cfg & 3) == 2)
                                continue;
                            m.set_pmp(15, 0x1f, ALL >> 10);
                            m.set_pmp(0, 0x18 | cfg, where >> 2 | 0x1ff); // this page of tables
                            m.fence();
                            if (!m.check_all(SELF))
                                return;
                        }
                        m.set_pmp(0, 0x1f, ALL >> 10);
                    }
                    m.poke_pte(m.path(SELF, level), 0);
                }
        }
        EXPECT_EQ(rig_device_accesses(m.r), devices) << "walks do not touch devices";
        // The root itself.
        m.use(0x40000000, 0);
        for (unsigned kind : {READ, WRITE, EXEC})
            ASSERT_TRUE(m.check(kind, SELF));
        EXPECT_EQ(m.access(READ, SELF, 2, true), LOAD_ACCESS);
    }
}

TEST(Mmu, MprvTakesMppsView)
{
    for (const Scheme &s : schemes) {
        Mmu m(s);
        uint64_t at = m.path(SELF, 0);
        m.poke_pte(at, Mmu::pte(SELF + 0x2000, V | R | W | BU | A | D));
        m.fence();
        m.set("t1", SELF);
        const struct {
            uint64_t status;
            int cause;
            uint64_t page;
        } cases[] = {
            { 0, 11, SELF },                              // MPP without MPRV
            { 1 << 17 | 3 << 11, 11, SELF },              // M
            { 1 << 17, 11, SELF + 0x2000 },               // U
            { 1 << 17 | 1 << 11, LOAD_PAGE, 0 },          // S without SUM
            { 1 << 17 | 1 << 18 | 1 << 11, 11, SELF + 0x2000 },
        };
        for (auto &c : cases) {
            m.set("mstatus", c.status);
            EXPECT_EQ(rig_go(m.r, 0, M, m.data_code[READ][2]), c.cause) << std::hex << c.status;
            if (c.page) {
                EXPECT_EQ(m.get("t0") & 0xffffffff, rig_peek(m.r, c.page, 4)) << std::hex << c.status;
            }
        }
    }
}

// ---- caching ----

TEST(Mmu, AddressSpacesAreKeptApart)
{
    for (const Scheme &s : schemes) {
        Mmu m(s);
        m.configure(S, false, false, false, false);
        uint64_t roots[3];
        for (unsigned i = 0; i < 3; i++) {
            roots[i] = m.new_table();
            m.poke_pte(m.path(SELF, 0, roots[i]), Mmu::pte(DATA + i * 0x3000, V | R | W | X | A | D));
            m.map_code(roots[i]);
        }
        for (unsigned turn = 0; turn < 30; turn++) { // without a fence
            m.use(roots[turn % 3], turn % 3 + 1);
            ASSERT_TRUE(m.check(turn / 3 % 2 ? READ : EXEC, SELF, 2, turn % 2));
        }
        // What is stale may be the old mapping or the new one, never what neither allows.
        m.use(roots[0], 1);
        uint64_t at = m.path(SELF, 0, roots[0]);
        m.poke_pte(at, Mmu::pte(DATA + 0x9000, V | R | A | D));
        m.fence(false, 0, true, 2); // of another ASID
        EXPECT_EQ(m.access(READ, SELF, 2, true), -1);
        uint64_t got = m.get("t0") & 0xffffffff;
        EXPECT_TRUE(got == rig_peek(m.r, DATA, 4) || got == rig_peek(m.r, DATA + 0x9000, 4));
        m.fence(false, 0, true, 1);
        ASSERT_TRUE(m.check_all(SELF));
        m.use(roots[1], 2);
        ASSERT_TRUE(m.check_all(SELF));
    }
}

TEST(Mmu, GlobalPages)
{
    for (const Scheme &s : schemes) {
        Mmu m(s);
        m.configure(S, false, false, false, false);
        uint64_t roots[2] = { m.new_table(), m.new_table() }, shared = m.path(SELF, 0, roots[0]);
        unsigned top = s.levels - 1;
        m.poke_pte(m.entry(roots[1], SELF, top), m.peek_pte(m.entry(roots[0], SELF, top)));
        for (uint64_t page : {DATA, DATA + 0x5000, DATA + 0x2000}) {
            m.poke_pte(shared, Mmu::pte(page, V | R | W | X | G | A | D));
            m.fence(page != DATA, SELF);
            for (unsigned i = 0; i < 2; i++) {
                m.use(roots[i], i + 1);
                ASSERT_TRUE(m.check_all(SELF));
                EXPECT_EQ(m.access(READ, SELF, 2, true), -1);
                EXPECT_EQ(m.get("t0") & 0xffffffff, rig_peek(m.r, page, 4));
            }
        }
    }
}

// The fence names any address of a superpage: all that was cached from it has to go, code too.
TEST(Mmu, FenceInsideASuperpage)
{
    for (const Scheme &s : schemes) {
        Mmu m(s);
        m.configure(S, false, false, false, false);
        m.map_code(m.root);
        auto jump = [&] { return m.check(EXEC, SELF, 2, false) && m.check(EXEC, SELF + 0x20020, 2, false); };
        uint64_t at = m.path(SELF, 1), base = SELF & ~(s.span(1) - 1), other = base + s.span(1);
        for (uint64_t fenced : {base, SELF, SELF + 0x5000, base + s.span(1) - 4096})
            for (uint64_t to : {other, base}) {
                if (to + s.span(1) > DATA + DATA_SIZE + 1)
                    continue;
                ASSERT_TRUE(jump() && m.check_all(SELF) && m.check_all(SELF + 0x20000));
                m.poke_pte(at, Mmu::pte(to, V | R | W | X | A | D));
                m.fence(true, fenced, fenced == SELF, 0);
                ASSERT_TRUE(jump() && m.check_all(SELF) && m.check_all(SELF + 0x20000));
                ASSERT_TRUE(jump() && m.check_all(SELF)) << "from the cache now";
            }
    }
}

TEST(Mmu, ModesAreSwitched)
{
    Mmu m(schemes[1]);
    uint64_t sv39 = m.mode.satp;
    m.poke_pte(m.path(SELF, 0), Mmu::pte(SELF + 0x3000, V | R | W | X | A | D));
    Mmu wide(schemes[2]);
    m.configure(S, false, false, false, false);
    // The same root read as Sv48's: one level more, other indices.
    for (unsigned turn = 0; turn < 12; turn++) {
        m.s = schemes[1 + turn % 3];
        m.mode.satp = turn % 4 == 3 ? 0 : (sv39 & (ALL >> 4)) | uint64_t(m.s.mode) << 60;
        m.set("satp", m.mode.satp);
        ASSERT_TRUE(m.check_all(SELF)) << turn;
    }
}

// ---- at random ----

struct Random : Mmu {
    uint64_t seed;
    uint64_t roots[2];
    std::map<uint64_t, uint64_t> child; // of an entry: the table it leads to when it is a pointer

    Random(const Scheme &scheme, uint64_t from) : Mmu(scheme), seed(from)
    {
        for (unsigned i = 0; i < 2; i++) {
            roots[i] = new_table();
            map_code(roots[i]);
        }
        // One page of data is denied, of another 4 bytes and the half above; the rest is free.
        set_pmp(1, 0x18, (DATA + 0x6000) >> 2 | 0x1ff);
        set_pmp(2, 0x10, (DATA + 0x7a00) >> 2);
        set_pmp(3, 0x19, (DATA + 0x7c00) >> 2 | 0x7f);
        set_pmp(15, 0x1f, ALL >> 10);
        set_pmp(0, 0, 0);
    }
    unsigned below(unsigned n) { return static_cast<unsigned>(harness_random(&seed) % n); }
    template <size_t n> uint64_t one_of(const uint64_t (&v)[n]) { return v[below(n)]; }

    // Indices are few, so that things meet; superpages of any level then lead to the data, or to nothing.
    uint64_t any_index(unsigned level)
    {
        uint64_t last = (1u << s.index_bits) - 1;
        if (level + 1 == s.levels)
            return below(2) ? 1 : last;
        switch (level) {
        case 0: return one_of({ 0, 1, 2, 7, last });
        case 1: return 2 + below(4);
        case 2: return below(8) ? 2 : 3;
        default: return below(8) ? 0 : 1;
        }
    }
    uint64_t any_va()
    {
        uint64_t va = 0;
        for (unsigned level = 0; level < s.levels; level++)
            va |= any_index(level) << s.shift(level);
        return s.canonical(va);
    }
    uint64_t any_target(unsigned level)
    {
        if (below(20) == 0)
            return one_of({ RIG_DEVICE, RIG_ROM, UINT64_C(0x40000000), DATA + 0x6000 });
        uint64_t page = DATA + 0x200000 * below(4) + 0x1000 * below(16);
        return below(16) ? page & ~(s.span(level) - 1) : page;
    }
    // Nothing is global: it would have to be the same in both spaces.
    uint64_t any_leaf(unsigned level)
    {
        uint64_t flags = V | (harness_random(&seed) & 0xd6);
        if (below(4))
            flags |= A | D | R;
        if (below(40) == 0)
            flags = harness_random(&seed) & 0x3ff & ~G;
        if (!(flags & (R | W | X))) // a pointer: data must not be taken for tables
            flags |= R;
        uint64_t e = pte(any_target(level), flags);
        if (s.xlen == 64 && below(6) == 0)
            e = (e & ~(UINT64_C(15) << 10)) | N | (below(4) ? UINT64_C(8) << 10 : 0);
        if (s.xlen == 64 && below(16) == 0)
            e |= harness_random(&seed) << 54;
        return e;
    }
    uint64_t any_entry(uint64_t at, unsigned level)
    {
        if (!level || below(3) == 0)
            return any_leaf(level);
        uint64_t &table = child[at];
        if (!table)
            table = new_table();
        return pte(table, V | (below(16) ? 0 : harness_random(&seed) & (A | 0x300)));
    }
    static bool is_pointer(uint64_t e) { return (e & (V | R | W | X)) == V; }

    // Changes an entry on va's way down and makes the change known as the manual asks, with no more than that.
    void edit(unsigned space, uint64_t va)
    {
        uint64_t table = roots[space];
        unsigned level = s.levels - 1, stop = below(s.levels);
        uint64_t at = entry(table, va, level);
        while (level > stop && is_pointer(peek_pte(at)) && child.count(at)) {
            table = child[at];
            at = entry(table, va, --level);
        }
        uint64_t old = peek_pte(at), now = any_entry(at, level);
        poke_pte(at, now);
        bool leaf = !is_pointer(old) && !is_pointer(now);
        uint64_t anywhere = va ^ (harness_random(&seed) & (s.span(level) - 1));
        // A NAPOT page is larger than its entry: the fence names an address of this entry.
        bool by_va = leaf && below(4), by_asid = below(2);
        fence(by_va, anywhere, by_asid, space + 1, below(3) == 0);
    }
    bool cross(unsigned kind, uint64_t va, unsigned log_size, bool mprv);
    bool step(unsigned *faults);
};

// A misaligned access over the end of a page: both parts are checked before anything is written.
bool Random::cross(unsigned kind, uint64_t va, unsigned log_size, bool mprv)
{
    unsigned size = 1u << log_size, first = 4096 - low_bits(va, 12);
    uint64_t second_va = (va + first) & (s.xlen == 32 ? 0xffffffff : ALL), value = harness_random(&seed);
    auto whole = [&](const walk_result &w, unsigned n) {
        return w.cause >= 0 || rig_is_memory(w.gpa, n, kind == WRITE);
    };
    walk_result a = expect(kind, va, first), b = expect(kind, second_va, size - first);
    int device = kind == READ ? LOAD_ACCESS : STORE_ACCESS;
    a.cause = whole(a, first) ? a.cause : device;
    b.cause = whole(b, size - first) ? b.cause : device;
    int want = a.cause >= 0 ? a.cause : b.cause;
    uint8_t memory[8];
    for (unsigned i = 0; want < 0 && i < size; i++)
        memory[i] = static_cast<uint8_t>(rig_peek(r, i < first ? a.gpa + i : b.gpa + i - first, 1));
    uint64_t tail = a.cause < 0 ? rig_peek(r, a.gpa, 1) : 0;
    int cause = access(kind, va, log_size, mprv, value);
    std::string text = describe(kind, va, size, a.cause >= 0 ? a : b);
    EXPECT_EQ(cause, want) << text;
    if (want >= 0) {
        EXPECT_EQ(get("mtval"), a.cause >= 0 ? va : second_va) << text;
        EXPECT_TRUE(a.cause >= 0 || rig_peek(r, a.gpa, 1) == tail) << "the first part was written; " << text;
        return !::testing::Test::HasFailure();
    }
    for (unsigned i = 0; i < size; i++) {
        uint64_t gpa = i < first ? a.gpa + i : b.gpa + i - first;
        if (kind == READ) {
            EXPECT_EQ(get("t0") >> 8 * i & 0xff, memory[i]) << text;
        } else if (a.gpa >> 12 != b.gpa >> 12) {
            EXPECT_EQ(rig_peek(r, gpa, 1), value >> 8 * i & 0xff) << text;
        }
    }
    EXPECT_EQ(peek_pte(a.pte_gpa), a.pte_gpa == b.pte_gpa ? a.pte | b.pte : a.pte) << text;
    return !::testing::Test::HasFailure();
}

bool Random::step(unsigned *faults)
{
    unsigned space = below(2), kind = below(3), log_size = below(s.xlen == 32 ? 3 : 4);
    uint64_t va = any_va();
    use(roots[space], space + 1);
    if (below(4) == 0)
        configure(below(2), below(2), below(2), mode.adue, mode.pbmte);
    if (below(200) == 0) {
        configure(mode.priv, mode.sum, mode.mxr, below(2), s.xlen == 64 && below(2));
        fence();
    }
    if (below(4) == 0)
        edit(space, va);
    if (::testing::Test::HasFatalFailure())
        return false;
    // Programs that run in S or U are fetched through the tables; they are never edited.
    bool mprv = below(2);
    if (kind != EXEC && log_size && below(8) == 0)
        return cross(kind, va + 4096 - 1 - below((1u << log_size) - 1), log_size, mprv);
    uint64_t offset = kind == EXEC ? 8 + below(7) * 8 : kind == WRITE ? 0x800 + below(128) * 8 : below(512) * 8;
    if (kind != EXEC && below(16) == 0)
        offset = 0xa00; // PMP changes there, in one page
    *faults += expect(kind, va + offset, 1u << log_size).cause >= 0;
    return check(kind, va + offset, log_size, mprv, harness_random(&seed));
}

TEST(Mmu, RandomTablesEditsAndAccesses)
{
    uint64_t seed = harness_seed(), steps = harness_scale(30000);
    for (const Scheme &s : schemes) {
        Random m(s, harness_random(&seed));
        unsigned faults = 0;
        for (uint64_t i = 0; i < steps; i++)
            ASSERT_TRUE(m.step(&faults)) << s.name << ", step " << i;
        EXPECT_GT(faults, steps / 50) << "a test without faults tests little";
        EXPECT_LT(faults, steps - steps / 20) << "and so does one of faults alone";
    }
}

} // namespace
