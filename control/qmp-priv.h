/* qmp-priv.h - the protocol's parts among themselves. */
#ifndef CONTROL_QMP_PRIV_H
#define CONTROL_QMP_PRIV_H

#include "json.h"
#include "qmp.h"

enum { QMP_ARGS = 8 };

enum qmp_class { QMP_GENERIC, QMP_NOT_FOUND, QMP_NO_DEVICE };

/* One command at work. */
struct qmp_call {
    struct control *control;
    const struct json *args; /* an object, or NULL; checked against the row */
    struct text_out *out;    /* the value to return; left empty: {} */
    bool failed;
    enum qmp_class class;
    char why[512];
};

struct qmp_command {
    const char *name;
    /* "val:int ?cpu-index:int": in any order, those with '?' optional; types are str, int, bool, strs (an array). */
    const char *args;
    const char *returns; /* of the schema: "value" is anything, "null" an empty object */
    bool still;          /* it looks at what the guest changes */
    void (*serve)(struct qmp_call *call);
};

/* One argument of a row. */
struct qmp_arg {
    char name[32];
    char type[8];
    bool optional;
};

void qmp_fail(struct qmp_call *call, enum qmp_class class, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- arguments that were checked; the default stands for one that is not there ---- */

const char *qmp_string(const struct qmp_call *call, const char *name);
uint64_t qmp_u64(const struct qmp_call *call, const char *name, uint64_t otherwise);
bool qmp_bool(const struct qmp_call *call, const char *name);

/* ---- qmp-commands.c ---- */

const struct qmp_command *qmp_commands(unsigned *count);
/* Cuts a row's args up: how many. */
unsigned qmp_args(const struct qmp_command *row, struct qmp_arg args[QMP_ARGS]);
/* Checks the arguments and carries the command out. */
void qmp_serve(struct qmp_call *call, const char *name);

extern const char *const qmp_event_names[CONTROL_EVENTS];

/* ---- qmp-query.c, qmp-schema.c: rows of the table ---- */

void qmp_put_version(struct text_out *out, const struct control_about *about);

void qmp_query_block(struct qmp_call *call);
void qmp_query_chardev(struct qmp_call *call);
void qmp_query_jit(struct qmp_call *call);
void qmp_query_commands(struct qmp_call *call);
void qmp_query_cpus(struct qmp_call *call);
void qmp_query_current_machine(struct qmp_call *call);
void qmp_query_events(struct qmp_call *call);
void qmp_query_iothreads(struct qmp_call *call);
void qmp_query_kvm(struct qmp_call *call);
void qmp_query_machines(struct qmp_call *call);
void qmp_query_memory(struct qmp_call *call);
void qmp_query_name(struct qmp_call *call);
void qmp_query_schema(struct qmp_call *call);
void qmp_query_status(struct qmp_call *call);
void qmp_query_target(struct qmp_call *call);
void qmp_query_uuid(struct qmp_call *call);
void qmp_query_version(struct qmp_call *call);

#endif
