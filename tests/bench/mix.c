/*
 * mix.c - an integer mix in the manner of CoreMark (a list, small matrices, a state machine, a CRC), bare metal on the
 * virt board. Prints how many instructions it retired and how long that took by the guest's own clock.
 */
typedef unsigned long word;

enum { ROUNDS = 40000, NODES = 64, SIDE = 16 };

static volatile unsigned char *const uart = (unsigned char *)0x10000000;
static volatile unsigned *const finisher = (unsigned *)0x100000;

static struct node {
    struct node *next;
    int value;
} nodes[NODES];
static int a[SIDE * SIDE], b[SIDE * SIDE], c[SIDE * SIDE];

static int walk_list(void)
{
    struct node *n = nodes;
    int sum = 0;

    for (int i = 0; i < 200; i++, n = n->next) {
        sum += n->value;
        n->value += n->value & 1 ? 1 : -1;
    }
    return sum;
}

static void multiply(int bias)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int t = bias;
            for (int k = 0; k < SIDE; k++)
                t += a[i * SIDE + k] * b[k * SIDE + j];
            c[i * SIDE + j] = t;
        }
    }
    for (int i = 0; i < SIDE * SIDE; i++) {
        a[i] = c[i] ^ i;
        b[i] += c[SIDE * SIDE - 1 - i];
    }
}

/* 0 start, 1 integer, 2 sign, 3 word, 4 fraction */
static int scan(const char *s)
{
    int state = 0, changes = 0;

    for (; *s; s++) {
        int next = *s == ','                ? 0
                   : *s >= '0' && *s <= '9' ? (state == 0 || state == 2 ? 1 : state)
                   : *s == '.'              ? (state == 1 ? 4 : 3)
                   : *s == '+' || *s == '-' ? (state == 0 ? 2 : 3)
                                            : 3;
        changes += next != state;
        state = next;
    }
    return changes;
}

static unsigned crc16(unsigned crc, unsigned byte)
{
    for (int i = 0; i < 8; i++, byte >>= 1)
        crc = (crc ^ byte) & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
    return crc;
}

static void put(const char *s)
{
    while (*s)
        *uart = (unsigned char)*s++;
}

static void put_number(word n)
{
    char text[24];
    int i = sizeof text - 1;

    text[i] = '\0';
    do
        text[--i] = (char)('0' + n % 10);
    while (n /= 10);
    put(&text[i]);
}

#define READ_CSR(name) ({ word v_; __asm__ volatile("csrr %0, " #name : "=r"(v_)); v_; })

void run(void);
void run(void)
{
    unsigned crc = 0;
    word instructions = READ_CSR(instret), ticks = READ_CSR(time);

    for (int i = 0; i < NODES; i++)
        nodes[i] = (struct node){ &nodes[(i + 7) % NODES], i };
    for (int i = 0; i < ROUNDS; i++) {
        int sum = walk_list();
        multiply(sum);
        sum += scan("12.5,+3,abc,99.1,foo,5012,.874,-110.700,+0.64400");
        for (int k = 0; k < SIDE; k++)
            crc = crc16(crc, (unsigned)(c[k] + sum) & 0xff);
    }
    instructions = READ_CSR(instret) - instructions;
    ticks = READ_CSR(time) - ticks;
    put("instructions ");
    put_number(instructions);
    put(" microseconds ");
    put_number(ticks / 10);
    put(" million a second ");
    put_number(instructions / (ticks / 10));
    put(" crc ");
    put_number(crc);
    put("\n");
    *finisher = 0x5555;
}
