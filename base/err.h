/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Failures as values: every room fills a struct err and stays silent; service logs it once. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* What the caller should do about a failure. The names are stable: they go into logs and JSON. */
enum err_kind {
    ERR_NONE = 0,
    ERR_INPUT,    /* tell the customer: their bytes or words are wrong */
    ERR_ABSENT,   /* no such thing */
    ERR_DENIED,   /* not allowed */
    ERR_CONFLICT, /* read again: somebody else was first */
    ERR_LATER,    /* wait and try again: a peer, a disk or the database is away */
    ERR_LIMIT,    /* stop: over a size, time or memory limit */
    ERR_BUG       /* wake a person: our own mistake */
};

struct err {
    enum err_kind kind;
    int native;       /* errno, exit code, HTTP status or 0 */
    char sqlstate[6]; /* "" unless Postgres said so */
    char code[32]; /* stable word for programs, e.g. "photo_truncated"; "" when the kind says it all
                    */
    const char *where; /* file:line of the first failure */
    char what[200];    /* one sentence for a person, without a final full stop */
};

/**
 * Fills *err (which may be NULL) and returns -1, so that `return FAIL(...)` is the one way to fail.
 * A later call overwrites an earlier one.
 */
int err_fail(struct err *err, enum err_kind kind, const char *code, const char *where,
             const char *fmt, ...) PRINTF_LIKE(5, 6);

#define ERR_STRING2(x) #x
#define ERR_STRING(x) ERR_STRING2(x)
#define ERR_WHERE __FILE__ ":" ERR_STRING(__LINE__)
#define FAIL(err, kind, ...) err_fail((err), (kind), "", ERR_WHERE, __VA_ARGS__)
#define FAIL_CODE(err, kind, code, ...) err_fail((err), (kind), (code), ERR_WHERE, __VA_ARGS__)

/** Fails with errno's text; ENOSPC and EDQUOT become ERR_LATER with code disk_full. Returns -1. */
int err_errno(struct err *err, const char *where, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define FAIL_ERRNO(err, ...) err_errno((err), ERR_WHERE, __VA_ARGS__)

#ifdef __clang_analyzer__ /* it reads one file at a time: tell it what these return */
#define err_fail(...) (err_fail(__VA_ARGS__), -1)
#define err_errno(...) (err_errno(__VA_ARGS__), -1)
#endif

/** "input", "absent", ... : the stable name of a kind. */
const char *err_kind_name(enum err_kind kind);

/** The kind with that name, or ERR_BUG when there is none. */
enum err_kind err_kind_from_name(const char *name);

#endif
