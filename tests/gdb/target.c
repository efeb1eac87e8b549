/* What there is to debug: session.py knows its lines by name. Runs on virt, two harts, machine mode. */
#define UART ((volatile unsigned char *)0x10000000)
#define TEST ((volatile unsigned *)0x100000)
#define MTIMECMP ((volatile unsigned *)0x2004000)
#define LOADED ((unsigned short *)0x80100000)

extern const unsigned short answer[], answer_end[];
void before_enable(void);
int main(void);
void second(void);

volatile int watched, seen, ticks, announce, stop, turns, wanted;

static void say(const char *text)
{
    while (*text)
        *UART = (unsigned char)*text++;
}

int level3(int n)
{
    return n * 2;
}

int level2(int n)
{
    return level3(n) + 1;
}

int level1(int n)
{
    return level2(n) + 1;
}

/* A loader's work: code appears where there was none. */
static int load_and_run(void)
{
    for (int i = 0; i < answer_end - answer; i++)
        LOADED[i] = answer[i];
    __asm__ volatile("fence.i" ::: "memory");
    return ((int (*)(void))LOADED)();
}

void change(void)
{
    watched = 1;
    watched = 2;
    seen = watched;
}

void interrupt(void)
{
    MTIMECMP[1] = 0;
    MTIMECMP[0] = 0;
    __asm__ volatile("csrs mie, %0" ::"r"(1 << 7));
    before_enable();
}

void take_turns(void)
{
    wanted = turns + 3;
    while (turns != wanted)
        continue;
    seen = turns;
}

void spin(void)
{
    while (!stop) {
        if (announce) {
            announce = 0;
            say("spinning\n");
        }
    }
}

int main(void)
{
    say("up\n");
    seen = level1(5);
    seen = load_and_run();
    change();
    interrupt();
    take_turns();
    spin();
    *TEST = 0x5555;
    return 0;
}

/* The other hart. */
void one_turn(void)
{
    turns++;
}

void second(void)
{
    for (;;) {
        if (turns != wanted)
            one_turn();
    }
}
