/*
 * litmus.c - litmus tests of RISC-V's memory model (RVWMO), bare metal on the spike board, for two harts or more.
 *
 * Each hart runs its body (bodies.S) on one cell after the other, at about the same time as the others; what they read
 * is collected and counted. An outcome is eight bits of results, two a hart, and two of the final values of x and y
 * (set: 2). A test has outcomes that the manual forbids; those that it allows are counted and printed, whether this
 * host ever shows them or not.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

enum { CELLS = 500, HARTS_MAX = 4, X2 = 8, Y2 = 9, OUTCOMES = 1 << 10, SPINS = 40, COUNTS = 20 };

#define LINE __attribute__((aligned(64)))
#define LEN(a) (sizeof(a) / sizeof(a)[0])

/* From the host. */
struct parameters {
    u32 runs, harts;
};
#define PARAMETERS ((volatile struct parameters *)0x80300000)

extern volatile u64 tohost, fromhost;

/* ---- console ---- */

static void tell(u64 command)
{
    tohost = command;
    fromhost = 0;
}

static void print_char(char c)
{
    tell((u64)0x0101 << 48 | (u8)c);
}

static void print(const char *s)
{
    while (*s)
        print_char(*s++);
}

static void print_number(u64 n, unsigned base)
{
    char digits[24];
    unsigned count = 0;

    do
        digits[count++] = "0123456789abcdef"[n % base];
    while (n /= base);
    while (count)
        print_char(digits[--count]);
}

static void finish(u64 status)
{
    tell(status << 1 | 1);
    for (;;)
        ;
}

void die(u64 cause, u64 pc)
{
    print("FAIL trap ");
    print_number(cause, 16);
    print(" at ");
    print_number(pc, 16);
    print_char('\n');
    finish(1);
}

/* ---- the harts together ---- */

struct shared {
    volatile u32 value;
} LINE;

static struct shared arrived, round_, places[HARTS_MAX];
static u32 harts;

static void barrier(void)
{
    u32 round = round_.value;

    if (__atomic_add_fetch((u32 *)&arrived.value, 1, __ATOMIC_SEQ_CST) == harts) {
        arrived.value = 0;
        __atomic_store_n((u32 *)&round_.value, round + 1, __ATOMIC_SEQ_CST);
    }
    while (__atomic_load_n((u32 *)&round_.value, __ATOMIC_SEQ_CST) == round)
        ;
}

/* Waits a little for those who are behind, so that bodies meet. */
static void meet(u32 hart, u32 place, u32 of)
{
    places[hart].value = place;
    for (u32 i = 0; i < of; i++) {
        for (u32 spins = SPINS; places[i].value < place && spins; spins--)
            ;
    }
    for (volatile u32 skew = (place * 7 + hart * 5) / 3 & 7; skew; skew--)
        ;
}

/* ---- outcomes of bodies ---- */

typedef u32 body_fn(volatile u32 *x, volatile u32 *y);

#define BODY(name) extern body_fn name;
BODY(write_x) BODY(write_y)
BODY(mp_write) BODY(mp_write_fence) BODY(mp_write_release)
BODY(mp_read) BODY(mp_read_fence) BODY(mp_read_acquire) BODY(mp_read_address)
BODY(sb_x) BODY(sb_y) BODY(sb_x_fence) BODY(sb_y_fence) BODY(sb_x_narrow) BODY(sb_y_narrow) BODY(sb_x_amo)
BODY(sb_y_amo)
BODY(lb_x) BODY(lb_y) BODY(lb_x_data) BODY(lb_y_data) BODY(lb_x_fence) BODY(lb_y_fence)
BODY(read_x_twice) BODY(w2_xy) BODY(w2_yx) BODY(s_write) BODY(s_read) BODY(r_read)
BODY(read_xy) BODY(read_xy_fence) BODY(wrc_pass)

/* The outcome of interest has bits `look` as in `like`. */
struct test {
    const char *name;
    body_fn *body[HARTS_MAX];
    u32 look, like;
    u8 allowed;
};

#define F(hart) (1u << (hart) * 2)  /* what a hart read first, */
#define S(hart) (2u << (hart) * 2)  /* and second */

static const struct test tests[] = {
    { "MP", { mp_write, mp_read }, F(1) | S(1), F(1), 1 },
    { "MP+fence+fence", { mp_write_fence, mp_read_fence }, F(1) | S(1), F(1), 0 },
    { "MP+release+acquire", { mp_write_release, mp_read_acquire }, F(1) | S(1), F(1), 0 },
    { "MP+fence+address", { mp_write_fence, mp_read_address }, F(1) | S(1), F(1), 0 },
    { "SB", { sb_x, sb_y }, F(0) | F(1), 0, 1 },
    { "SB+fence", { sb_x_fence, sb_y }, F(0) | F(1), 0, 1 },
    { "SB+fence+fence", { sb_x_fence, sb_y_fence }, F(0) | F(1), 0, 0 },
    { "SB+fence.w.r+fence.w.r", { sb_x_narrow, sb_y_narrow }, F(0) | F(1), 0, 0 },
    { "SB+amo+amo", { sb_x_amo, sb_y_amo }, F(0) | F(1), 0, 0 },
    { "SB+amo+fence", { sb_x_amo, sb_y_fence }, F(0) | F(1), 0, 0 },
    { "LB", { lb_x, lb_y }, F(0) | F(1), F(0) | F(1), 1 },
    { "LB+data+data", { lb_x_data, lb_y_data }, F(0) | F(1), F(0) | F(1), 0 },
    { "LB+fence+fence", { lb_x_fence, lb_y_fence }, F(0) | F(1), F(0) | F(1), 0 },
    { "CoRR", { write_x, read_x_twice }, F(1) | S(1), F(1), 0 },
    { "2+2W+fence+fence", { w2_xy, w2_yx }, 1 << X2 | 1 << Y2, 0, 0 },
    { "S+fence+fence", { s_write, s_read }, F(1) | 1 << X2, F(1) | 1 << X2, 0 },
    { "R+fence+fence", { mp_write_fence, r_read }, F(1) | 1 << Y2, 1 << Y2, 0 },
    { "WRC+fence+fence", { write_x, wrc_pass, mp_read_fence }, F(1) | F(2) | S(2), F(1) | F(2), 0 },
    { "IRIW", { write_x, write_y, read_xy, mp_read }, F(2) | S(2) | F(3) | S(3), F(2) | F(3), 1 },
    { "IRIW+fence+fence", { write_x, write_y, read_xy_fence, mp_read_fence }, F(2) | S(2) | F(3) | S(3), F(2) | F(3),
      0 },
};

static struct shared x[CELLS], y[CELLS];
static u8 results[HARTS_MAX][CELLS] LINE;
static u32 counts[OUTCOMES];

static u32 harts_of(const struct test *t)
{
    u32 n = 0;

    while (n < HARTS_MAX && t->body[n])
        n++;
    return n;
}

static void collect(u32 of)
{
    for (u32 i = 0; i < CELLS; i++) {
        u32 outcome = (u32)(x[i].value == 2) << X2 | (u32)(y[i].value == 2) << Y2;
        for (u32 h = 0; h < of; h++)
            outcome |= (u32)results[h][i] << h * 2;
        counts[outcome]++;
        x[i].value = y[i].value = 0;
    }
}

static void say_outcomes(void)
{
    for (u32 i = 0; i < OUTCOMES; i++) {
        if (!counts[i])
            continue;
        print(" ");
        print_number(i, 16);
        print(":");
        print_number(counts[i], 10);
        counts[i] = 0;
    }
    print("\n");
}

static u32 judge(const struct test *t)
{
    u32 seen = 0;

    for (u32 i = 0; i < OUTCOMES; i++)
        seen += (i & t->look) == t->like ? counts[i] : 0;
    print(seen && !t->allowed ? "FAIL " : "ok ");
    print(t->name);
    print(t->allowed ? ": allowed and weak " : ": forbidden ");
    print_number(seen, 10);
    print(", outcomes");
    say_outcomes();
    return seen && !t->allowed;
}

static u32 run_test(const struct test *t, u32 hart)
{
    u32 of = harts_of(t);

    for (u32 done = 0; done < PARAMETERS->runs; done += CELLS) {
        places[hart].value = 0;
        barrier();
        for (u32 i = 0; i < CELLS && hart < of; i++) {
            meet(hart, i + 1, of);
            results[hart][i] = (u8)t->body[hart](&x[i].value, &y[i].value);
        }
        barrier();
        if (!hart)
            collect(of);
    }
    return hart ? 0 : judge(t);
}

/* ---- contention ---- */

typedef void count_fn(volatile u64 *counter, volatile u64 *lock, u64 times);

extern count_fn count_lr_sc_w, count_lr_sc_d, count_amoadd_w, count_amoadd_d, count_half, count_lock_amo,
    count_lock_lr_sc;

static const struct {
    const char *name;
    count_fn *count;
} counters[] = {
    { "LR/SC counter, words", count_lr_sc_w },
    { "LR/SC counter, doublewords", count_lr_sc_d },
    { "AMO counter, words", count_amoadd_w },
    { "AMO counter, doublewords", count_amoadd_d },
    { "LR/SC and AMO counter", count_half },
    { "lock of AMOs", count_lock_amo },
    { "lock of LR/SC", count_lock_lr_sc },
};

static u32 run_counter(u32 which, u32 hart)
{
    static struct {
        volatile u64 value;
    } LINE counter, lock;
    u32 times = PARAMETERS->runs * COUNTS; /* a few would be over before the others start */

    barrier();
    if (!hart)
        counter.value = lock.value = 0;
    barrier();
    counters[which].count(&counter.value, &lock.value, times);
    barrier();
    if (hart)
        return 0;
    u64 lost = (u64)times * harts - counter.value;
    print(lost ? "FAIL " : "ok ");
    print(counters[which].name);
    print(": forbidden ");
    print_number(lost, 10);
    print(", added ");
    print_number(counter.value, 10);
    print("\n");
    return lost != 0;
}

/* ---- reservations that another hart breaks ---- */

extern u32 aba_reserve(volatile u32 *x, volatile u32 *out, volatile u32 *in, u32 token);
BODY(aba_nothing) BODY(aba_same) BODY(aba_there_and_back) BODY(aba_byte) BODY(aba_amo) BODY(aba_amo_there_and_back)
BODY(aba_sc)

static const struct {
    const char *name;
    body_fn *other;
} abas[] = {
    { "ABA, nothing in between", aba_nothing }, /* holds: shows that the others can fail */
    { "ABA, the same value", aba_same },
    { "ABA, there and back", aba_there_and_back },
    { "ABA, a byte of it", aba_byte },
    { "ABA, an AMO", aba_amo },
    { "ABA, AMOs there and back", aba_amo_there_and_back },
    { "ABA, an SC", aba_sc },
};

static u32 judge_aba(u32 which, u32 held)
{
    u32 bad = which ? held : !held;

    print(bad ? "FAIL " : "ok ");
    print(abas[which].name);
    print(which ? ": forbidden " : ": held ");
    print_number(held, 10);
    print("\n");
    return bad != 0;
}

static u32 run_aba(u32 which, u32 hart)
{
    static struct shared word, out, in;
    u32 held = 0;

    barrier();
    if (!hart)
        out.value = in.value = 0;
    barrier();
    for (u32 i = 1; i <= PARAMETERS->runs && hart < 2; i++) {
        if (!hart) {
            word.value = 0;
            held += !aba_reserve(&word.value, &out.value, &in.value, i);
            continue;
        }
        while (out.value != i)
            ;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        abas[which].other(&word.value, &word.value);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        in.value = i;
    }
    barrier();
    return hart ? 0 : judge_aba(which, held);
}

/* ---- all of them ---- */

void main(u32 hart)
{
    static struct shared ready;
    u32 failed = 0, ran = 0;

    harts = PARAMETERS->harts;
    __atomic_add_fetch((u32 *)&ready.value, 1, __ATOMIC_SEQ_CST);
    while (ready.value < harts)
        ;
    for (u32 i = 0; i < LEN(tests); i++) {
        u32 of = harts_of(&tests[i]);
        if (harts == 2 ? of > 2 : of <= 2)
            continue;
        failed += run_test(&tests[i], hart);
        ran++;
    }
    for (u32 i = 0; i < LEN(counters); i++, ran++)
        failed += run_counter(i, hart);
    for (u32 i = 0; i < LEN(abas) && harts == 2; i++, ran++)
        failed += run_aba(i, hart);
    if (hart)
        return;
    print_number(ran, 10);
    print(" tests\n");
    finish(failed != 0);
}
