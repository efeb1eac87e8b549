/* harness.c - what every test needs: seeds, scale, files, and the first module, core/error. See harness.h. */
#define _GNU_SOURCE
#include "harness.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "error.h"

uint64_t harness_seed(void)
{
    static uint64_t seed;
    const char *given = getenv("LYREBIRD_TEST_SEED");
    struct timespec now;

    if (seed)
        return seed;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 40;
    if (given && *given)
        seed = strtoull(given, NULL, 0);
    if (!seed)
        seed = 1;
    printf("seed: LYREBIRD_TEST_SEED=%" PRIu64 "\n", seed);
    fflush(stdout);
    return seed;
}

/* splitmix64 (Steele, Lea, Flood 2014): every state, zero too, starts a good sequence. */
uint64_t harness_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t harness_scale(uint64_t cases)
{
    const char *given = getenv("LYREBIRD_TEST_SCALE");
    double scale = given && *given ? strtod(given, NULL) : 1.0;
    double scaled = (double)cases * scale;

    return scaled < 1.0 ? 1 : (uint64_t)scaled;
}

bool harness_data(const char *name, char *path, size_t size)
{
    const char *src = getenv("SRC");
    int n = snprintf(path, size, "%s/tests/%s", src && *src ? src : ".", name);

    return n > 0 && (size_t)n < size && access(path, R_OK) == 0;
}

bool harness_scratch(char *path, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(path, size, "%s/lyrebird-test.XXXXXX", tmp && *tmp ? tmp : "/tmp");

    return n > 0 && (size_t)n < size && mkdtemp(path) != NULL;
}

void harness_error_text(const char *text, const char *prefix, char *out, size_t size)
{
    struct error e;

    memset(&e, 0x7f, sizeof e);
    error_set(&e, "%s", text);
    if (prefix)
        error_prefix(&e, "%s", prefix);
    snprintf(out, size, "%s", e.text);
}

unsigned harness_error_returns(void)
{
    struct error e;
    bool set = error_set(&e, "%d", 1);
    bool prefix = error_prefix(&e, "%d", 2);

    return (unsigned)set | (unsigned)prefix << 1;
}

size_t harness_error_capacity(void)
{
    struct error e;

    return sizeof e.text - 1;
}

bool harness_alloc_is_zeroed(size_t n, size_t size)
{
    uint8_t *p = alloc_array(n, size);
    bool zeroed = true;

    for (size_t i = 0; i < n * size; i++)
        zeroed = zeroed && !p[i];
    free(p);
    return zeroed;
}

bool harness_alloc_resize_keeps(size_t n, size_t size)
{
    char *p = alloc_resize(alloc_format("%d", 4711), n, size);
    bool kept = !memcmp(p, "4711", n * size < 4 ? n * size : 4);

    free(p);
    return kept;
}
