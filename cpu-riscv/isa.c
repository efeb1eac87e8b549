/*
 * isa.c - from `-cpu` text to what a hart implements, and back to the `riscv,isa` string.
 *
 * Text: NAME[,OPTION...]. NAME is a row of `models`. OPTION is +EXT, -EXT, EXT=on, EXT=off for the names of
 * exts.def and "g"; the same for sv32, sv39, sv48, sv57 (the widest translation; off is the next narrower),
 * mmu and pmp. What an option turns on brings what it needs; what one turns off takes along what was only on
 * by default. When two options contradict each other it is an error.
 *
 * After: RISC-V Instruction Set Manual (20240411), volume I, chapter "ISA Extension Naming Conventions";
 * RISC-V Profiles 1.0 (RVA20S64, RVA22S64). Gaps: Zkt of RVA22 has no row, it promises timing that an
 * emulator cannot give.
 */
#include "isa.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bits.h"

static const struct {
    const char *name;
    bool on;
} exts[RV_EXT_COUNT] = {
#define EXT(id, name, on) { name, on },
#include "exts.def"
#undef EXT
};

#define X(id) BIT(RV_EXT_##id)

static const uint64_t general = X(I) | X(M) | X(A) | X(F) | X(D) | X(ZICSR) | X(ZIFENCEI);
static const uint64_t rva20 =
    X(I) | X(M) | X(A) | X(F) | X(D) | X(C) | X(S) | X(U) | X(ZICSR) | X(ZICNTR) | X(ZIFENCEI) | X(SVADE);
static const uint64_t rva22 = X(I) | X(M) | X(A) | X(F) | X(D) | X(C) | X(S) | X(U) | X(ZICSR) | X(ZICNTR) |
                              X(ZIFENCEI) | X(SVADE) | X(ZIHPM) | X(ZIHINTPAUSE) | X(ZICBOM) | X(ZICBOP) |
                              X(ZICBOZ) | X(ZFHMIN) | X(ZBA) | X(ZBB) | X(ZBS) | X(SVPBMT) | X(SVINVAL);

/* What an extension cannot be without. */
static const struct {
    enum rv_ext ext;
    uint64_t needs;
} rules[] = {
    { RV_EXT_F, X(ZICSR) },
    { RV_EXT_D, X(F) },
    { RV_EXT_S, X(U) | X(ZICSR) },
    { RV_EXT_U, X(ZICSR) },
    { RV_EXT_ZICNTR, X(ZICSR) },
    { RV_EXT_ZIHPM, X(ZICSR) },
    { RV_EXT_ZACAS, X(A) },
    { RV_EXT_ZAWRS, X(A) },
    { RV_EXT_ZFA, X(F) },
    { RV_EXT_ZFHMIN, X(F) },
    { RV_EXT_ZFH, X(ZFHMIN) },
    { RV_EXT_ZCB, X(C) },
    { RV_EXT_SMEPMP, X(ZICSR) },
    { RV_EXT_SSCOFPMF, X(S) | X(ZIHPM) },
    { RV_EXT_SSTC, X(S) | X(ZICNTR) },
    { RV_EXT_SVADE, X(S) },
    { RV_EXT_SVADU, X(S) },
    { RV_EXT_SVINVAL, X(S) },
    { RV_EXT_SVNAPOT, X(S) },
    { RV_EXT_SVPBMT, X(S) },
};

/* Page-table features of Sv39 and wider. */
static const uint64_t only_rv64 = X(SVNAPOT) | X(SVPBMT);

enum { BY_DEFAULT = 1, EVERYTHING = 2 };

static const struct model {
    const char *name;
    unsigned xlens;
    uint64_t exts;
    unsigned set; /* BY_DEFAULT, EVERYTHING: instead of exts */
    unsigned va_bits, pmp;
} models[] = {
    { "rv64", 64, 0, BY_DEFAULT, 57, 16 },
    { "rv32", 32, 0, BY_DEFAULT, 32, 16 },
    { "max", 96, 0, EVERYTHING, 57, 16 },
    { "base", 96, X(I) | X(ZICSR), 0, 0, 0 },
    { "rva20s64", 64, rva20, 0, 39, 16 },
    { "rva22s64", 64, rva22, 0, 39, 16 },
};

/* Widths of translation, ascending. */
static const struct {
    const char *name;
    unsigned bits, xlen;
} widths[] = {
    { "sv32", 32, 32 },
    { "sv39", 39, 64 },
    { "sv48", 48, 64 },
    { "sv57", 57, 64 },
};

/* An ISA while its options are read. */
struct draft {
    struct rv_isa isa;
    uint64_t on, off; /* asked for by name */
    bool va_asked;
};

const char *rv_ext_name(enum rv_ext ext)
{
    return exts[ext].name;
}

/* ---- nearest name ---- */

enum { NAME_MAX_LEN = 32 };

/* Edit distance of two short names. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NAME_MAX_LEN + 1];
    size_t la = strlen(a), lb = strlen(b);

    if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (size_t j = 0; j <= lb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= la; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            unsigned insert = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < insert ? change : insert;
        }
    }
    return row[lb];
}

struct nearest {
    const char *text, *best;
    unsigned distance;
};

static void consider(struct nearest *n, const char *name)
{
    unsigned d = distance(n->text, name);

    if (!n->best || d < n->distance) {
        n->best = name;
        n->distance = d;
    }
}

static const char *nearest_option(const char *text)
{
    struct nearest n = { text, NULL, 0 };

    for (unsigned i = 0; i < RV_EXT_COUNT; i++)
        consider(&n, exts[i].name);
    for (unsigned i = 0; i < ARRAY_LEN(widths); i++)
        consider(&n, widths[i].name);
    consider(&n, "mmu");
    consider(&n, "pmp");
    return n.best;
}

static const char *nearest_model(const char *text)
{
    struct nearest n = { text, NULL, 0 };

    for (unsigned i = 0; i < ARRAY_LEN(models); i++)
        consider(&n, models[i].name);
    return n.best;
}

/* ---- names and options ---- */

static bool start_from_model(struct draft *d, unsigned xlen, const char *name, struct error *e)
{
    for (unsigned i = 0; i < ARRAY_LEN(models); i++) {
        const struct model *m = &models[i];

        if (strcasecmp(name, m->name))
            continue;
        if (!(m->xlens & xlen))
            return error_set(e, "CPU model '%s' is a %u-bit one, but this machine is riscv%u; use -cpu rv%u",
                             m->name, m->xlens, xlen, xlen);
        d->isa = (struct rv_isa){ xlen, m->exts, xlen == 32 && m->va_bits ? 32 : m->va_bits, m->pmp };
        for (unsigned x = 0; x < RV_EXT_COUNT; x++)
            if (m->set == EVERYTHING || (m->set == BY_DEFAULT && exts[x].on))
                d->isa.exts |= BIT(x);
        if (xlen == 32)
            d->isa.exts &= ~only_rv64;
        return true;
    }
    return error_set(e, "unknown CPU model '%s'; did you mean '%s'?", name, nearest_model(name));
}

/* The extensions that a name stands for, 0 when it is none. */
static uint64_t exts_named(const char *name)
{
    if (!strcasecmp(name, "g"))
        return general;
    for (unsigned i = 0; i < RV_EXT_COUNT; i++)
        if (!strcasecmp(name, exts[i].name))
            return BIT(i);
    return 0;
}

static bool set_width(struct draft *d, unsigned i, bool on, struct error *e)
{
    struct rv_isa *isa = &d->isa;

    if (widths[i].xlen != isa->xlen)
        return on ? error_set(e, "CPU option '%s' needs a %u-bit CPU", widths[i].name, widths[i].xlen) : true;
    if (on && isa->va_bits < widths[i].bits)
        isa->va_bits = widths[i].bits;
    if (!on && isa->va_bits >= widths[i].bits)
        isa->va_bits = i > 0 && widths[i - 1].xlen == isa->xlen ? widths[i - 1].bits : 0;
    d->va_asked = on;
    return true;
}

static bool set_option(struct draft *d, const char *name, bool on, struct error *e)
{
    uint64_t set = exts_named(name);

    if (set & X(I) && !on)
        return error_set(e, "CPU option '%s' cannot be off: every hart has the base instructions", name);
    if (set & only_rv64 && on && d->isa.xlen == 32)
        return error_set(e, "CPU option '%s' needs a 64-bit CPU", name);
    if (set) {
        *(on ? &d->on : &d->off) |= set;
        *(on ? &d->off : &d->on) &= ~set;
        return true;
    }
    for (unsigned i = 0; i < ARRAY_LEN(widths); i++)
        if (!strcasecmp(name, widths[i].name))
            return set_width(d, i, on, e);
    if (!strcasecmp(name, "mmu")) {
        d->isa.va_bits = !on ? 0 : d->isa.va_bits ? d->isa.va_bits : d->isa.xlen == 32 ? 32 : 57;
        d->va_asked = on;
        return true;
    }
    if (!strcasecmp(name, "pmp")) {
        d->isa.pmp = on ? 16 : 0;
        return true;
    }
    return error_set(e, "unknown CPU option '%s'; did you mean '%s'?", name, nearest_option(name));
}

/* One of +EXT, -EXT, EXT=on, EXT=off. */
static bool read_option(struct draft *d, char *text, struct error *e)
{
    static const struct {
        const char *word;
        bool on;
    } words[] = { { "on", true },   { "true", true },   { "yes", true },
                  { "off", false }, { "false", false }, { "no", false } };
    char *value = strchr(text, '=');

    if (*text == '+' || *text == '-')
        return set_option(d, text + 1, *text == '+', e);
    if (!value)
        return error_set(e, "CPU option '%s' says neither on nor off; write '+%s' or '-%s'", text, text,
                         text);
    *value++ = '\0';
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        if (!strcasecmp(value, words[i].word))
            return set_option(d, text, words[i].on, e);
    return error_set(e, "CPU option '%s=%s': the value has to be on or off", text, value);
}

/* ---- dependencies ---- */

static unsigned lowest(uint64_t set)
{
    return (unsigned)__builtin_ctzll(set);
}

/* Adds what the asked-for extensions need, until nothing changes; an error where that was turned off. */
static bool add_needs(struct draft *d, struct error *e)
{
    uint64_t before;

    do {
        before = d->on;
        for (unsigned i = 0; i < ARRAY_LEN(rules); i++) {
            if (!(d->on >> rules[i].ext & 1))
                continue;
            if (rules[i].needs & d->off)
                return error_set(e, "CPU extension '%s' needs '%s', which is turned off; drop -%s or add -%s",
                                 exts[rules[i].ext].name, exts[lowest(rules[i].needs & d->off)].name,
                                 exts[lowest(rules[i].needs & d->off)].name, exts[rules[i].ext].name);
            d->on |= rules[i].needs;
        }
    } while (d->on != before);
    return true;
}

/* Drops what lacks something it needs: only defaults do, after add_needs(). */
static uint64_t drop_needy(uint64_t set)
{
    uint64_t before;

    do {
        before = set;
        for (unsigned i = 0; i < ARRAY_LEN(rules); i++)
            if (rules[i].needs & ~set)
                set &= ~BIT(rules[i].ext);
    } while (set != before);
    return set;
}

static bool settle_draft(struct draft *d, struct error *e)
{
    struct rv_isa *isa = &d->isa;

    if (!add_needs(d, e))
        return false;
    isa->exts = drop_needy((isa->exts | d->on) & ~d->off);
    if (!rv_has(isa, RV_EXT_S)) {
        if (isa->va_bits && d->va_asked)
            return error_set(e, "address translation needs supervisor mode; add +s, or turn the mmu off");
        isa->va_bits = 0;
    }
    return true;
}

bool rv_isa_parse(struct rv_isa *isa, unsigned xlen, const char *text, struct error *e)
{
    struct draft d = { .isa = { .xlen = xlen } };
    char copy[512], *at = copy, *option;

    if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
        return error_set(e, "CPU description is longer than %zu characters", sizeof copy - 1);
    if (!start_from_model(&d, xlen, strsep(&at, ","), e))
        return false;
    while ((option = strsep(&at, ",")))
        if (!read_option(&d, option, e))
            return false;
    if (!settle_draft(&d, e))
        return false;
    *isa = d.isa;
    return true;
}

void rv_isa_string(const struct rv_isa *isa, char *buf, size_t size)
{
    size_t used = (size_t)snprintf(buf, size, "rv%u", isa->xlen);

    for (unsigned i = 0; i < RV_EXT_COUNT; i++) {
        if (!rv_has(isa, i) || i == RV_EXT_S || i == RV_EXT_U)
            continue;
        if (used < size)
            used +=
                (size_t)snprintf(buf + used, size - used, "%s%s", exts[i].name[1] ? "_" : "", exts[i].name);
    }
}
