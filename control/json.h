/*
 * json.h - JSON values: RFC 8259, read strictly and within bounds.
 *
 * Refused although the RFC allows it: a member twice in one object, more than JSON_MEMBERS of them, more than
 * JSON_DEPTH levels, and \u0000, so that texts are C strings. Bytes that are not UTF-8 are refused as well.
 */
#ifndef CONTROL_JSON_H
#define CONTROL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "text-out.h"

enum { JSON_DEPTH = 32, JSON_MEMBERS = 128 };

enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    char *key;          /* as a member of an object */
    struct json *next;  /* sibling */
    struct json *first; /* JSON_ARRAY, JSON_OBJECT */
    char *text;         /* JSON_STRING: its value; JSON_INT, JSON_REAL: as it was written */
    uint64_t magnitude; /* JSON_INT; a number that does not fit is a JSON_REAL */
    bool negative;      /* JSON_INT */
    bool on;            /* JSON_BOOL */
};

/* The whole text is one value with blanks around it. NULL with "JSON parse error, ..." otherwise. */
struct json *json_parse(const char *text, size_t len, struct error *e);
void json_free(struct json *value);

/* The member of this name, or NULL. */
const struct json *json_get(const struct json *object, const char *key);

/* ---- writing: commas and the blank behind them come by themselves ---- */

void json_put(struct text_out *out, const struct json *value);
void json_key(struct text_out *out, const char *key);
void json_begin(struct text_out *out, char bracket); /* '{' or '[' */
void json_end(struct text_out *out, char bracket);   /* '}' or ']' */
/* What is not UTF-8 becomes U+FFFD. */
void json_string(struct text_out *out, const char *text);
void json_bool(struct text_out *out, bool on);
void json_u64(struct text_out *out, uint64_t value);

#endif
