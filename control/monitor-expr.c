/* monitor-expr.c - the monitor's expressions: 64-bit, C's operators; $name is a register of the vCPU. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "monitor-priv.h"

enum { DEPTH = 64 };

struct reader {
    struct cpu *cpu;
    const char *at;
    unsigned depth;
    struct error *e;
};

/* By binding, loosest first; C's, but that comparisons and shifts are not there. */
static const char *const levels[] = { "|", "^", "&", "+-", "*/%" };
enum { LEVELS = sizeof levels / sizeof levels[0] };

static bool take_level(struct reader *r, unsigned level, uint64_t *value);

static void skip_blanks(struct reader *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static bool apply(struct reader *r, char op, uint64_t *a, uint64_t b)
{
    if ((op == '/' || op == '%') && !b)
        return error_set(r->e, "division by zero");
    switch (op) {
    case '|': *a |= b; break;
    case '^': *a ^= b; break;
    case '&': *a &= b; break;
    case '+': *a += b; break;
    case '-': *a -= b; break;
    case '*': *a *= b; break;
    case '/': *a /= b; break;
    default: *a %= b; break;
    }
    return true;
}

static bool take_number(struct reader *r, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(r->at, &end, 0);
    if (errno)
        return error_set(r->e, "number too large");
    r->at = end;
    return true;
}

static bool take_register(struct reader *r, uint64_t *value)
{
    size_t len = 0, count;
    const struct cpu_reg *regs = r->cpu->ops->registers(r->cpu, &count);

    while (isalnum((unsigned char)r->at[len]) || r->at[len] == '_' || r->at[len] == '.')
        len++;
    for (size_t i = 0; i < count; i++) {
        if (strlen(regs[i].name) != len || strncasecmp(regs[i].name, r->at, len))
            continue;
        *value = r->cpu->ops->get_register(r->cpu, regs[i].id);
        r->at += len;
        return true;
    }
    return error_set(r->e, "unknown register");
}

static bool take_char(struct reader *r, uint64_t *value)
{
    if (!r->at[0] || r->at[1] != '\'')
        return error_set(r->e, "missing terminating ' character");
    *value = (uint8_t)r->at[0];
    r->at += 2;
    return true;
}

static bool take_group(struct reader *r, uint64_t *value)
{
    if (!take_level(r, 0, value))
        return false;
    skip_blanks(r);
    if (*r->at != ')')
        return error_set(r->e, "')' expected");
    r->at++;
    return true;
}

static bool take_atom(struct reader *r, uint64_t *value)
{
    skip_blanks(r);
    if (isdigit((unsigned char)*r->at))
        return take_number(r, value);
    char c = *r->at;
    r->at += c != 0;
    switch (c) {
    case '\0': return error_set(r->e, "unexpected end of expression");
    case '$': return take_register(r, value);
    case '\'': return take_char(r, value);
    case '(': return take_group(r, value);
    default: break;
    }
    r->at--;
    return error_set(r->e, "invalid char '%c' in expression", isprint((unsigned char)c) ? c : '?');
}

static bool take_unary(struct reader *r, uint64_t *value)
{
    char sign = 0;
    bool negative = false, inverted = false;

    /* A chain of signs is folded here, so that it costs no stack. */
    for (skip_blanks(r); (sign = *r->at) && strchr("+-~", sign); skip_blanks(r)) {
        if (sign == '~') { /* ~x is -x - 1, ~-x is x - 1: not a sign alone */
            inverted = true;
            r->at++;
            break;
        }
        negative ^= sign == '-';
        r->at++;
    }
    if (++r->depth > DEPTH)
        return error_set(r->e, "expression too deep");
    if (inverted ? !take_unary(r, value) : !take_atom(r, value))
        return false;
    r->depth--;
    *value = inverted ? ~*value : *value;
    *value = negative ? -*value : *value;
    return true;
}

static bool take_level(struct reader *r, unsigned level, uint64_t *value)
{
    uint64_t right;

    if (level == LEVELS)
        return take_unary(r, value);
    if (!take_level(r, level + 1, value))
        return false;
    for (skip_blanks(r); *r->at && strchr(levels[level], *r->at); skip_blanks(r)) {
        char op = *r->at++;
        if (!take_level(r, level + 1, &right) || !apply(r, op, value, right))
            return false;
    }
    return true;
}

bool monitor_expression(struct cpu *cpu, const char **text, uint64_t *value, struct error *e)
{
    struct reader r = { cpu, *text, 0, e };

    if (!take_level(&r, 0, value))
        return false;
    *text = r.at;
    return true;
}
