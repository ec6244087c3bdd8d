/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection to Postgres with the statements of storage/sql; the doorman of libpq. */
#ifndef STORAGE_DB_H
#define STORAGE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct db;      /* one connection; one thread at a time */
struct db_rows; /* the rows of one answer */

/**
 * Connects (libpq conninfo or URI) with connect, statement, lock and idle-in-transaction timeouts.
 * Owner db_close. Errors ERR_LATER code database_away.
 */
int db_open(struct db **out, const char *conninfo, struct err *err) MUST_CHECK;
void db_close(struct db *db);

/**
 * Runs storage/sql/<statement>.sql, prepared on first use, with `count` text parameters (NULL =
 * null). A connection that broke while idle is opened anew, once, when no transaction is open; one
 * that breaks under a statement is not tried again, for nobody knows whether it was carried out.
 *
 * Result   *rows, to be freed by db_rows_free; may be NULL when the caller wants none.
 * Errors   by SQLSTATE: 40001, 40P01, 55P03, 57014, class 08 and 57P0x -> ERR_LATER; 23505 and
 * ST409 -> ERR_CONFLICT; ST404 -> ERR_ABSENT; 53100 -> ERR_LATER code disk_full; ST001, ST002 ->
 *          ERR_CONFLICT codes not_owed, not_approved; a lost connection -> ERR_LATER code
 * database_away; 23503 -> ERR_ABSENT; 22021 and 22P05 (a NUL or bad UTF-8) -> ERR_INPUT code
 * text_invalid; all else ERR_BUG. err->sqlstate is set.
 */
int db_run(struct db_rows **rows, struct db *db, const char *statement, int count,
           const char *const *parameters, struct err *err) MUST_CHECK;

/** Shorthand: DB_RUN(&rows, db, "order_show", err, id, NULL_or_text ...); at least one parameter.
 */
#define DB_RUN(rows, db, statement, err, ...)                                                      \
    db_run((rows), (db), (statement),                                                              \
           (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)),               \
           (const char *const[]){__VA_ARGS__}, (err))

int db_row_count(const struct db_rows *rows);
/** Text of a cell, "" for null; borrowed until db_rows_free. Columns by number from 0. */
const char *db_text(const struct db_rows *rows, int row, int column);
bool db_is_null(const struct db_rows *rows, int row, int column);
int64_t db_int(const struct db_rows *rows, int row, int column);
double db_real(const struct db_rows *rows, int row, int column);
void db_rows_free(struct db_rows *rows);

/** One transaction; read committed. db_rollback is harmless when none is open. */
int db_begin(struct db *db, struct err *err) MUST_CHECK;
/** A COMMIT whose answer was lost is ERR_LATER code commit_in_doubt: look before doing it again. */
int db_commit(struct db *db, struct err *err) MUST_CHECK;
void db_rollback(struct db *db);

/**
 * For functions that write several rows: joins the caller's transaction when one is open, else
 * begins one of its own. db_leave commits what db_enter began when result is 0, rolls it back when
 * not, and returns result (or the failure of the commit). In a joined transaction the caller does.
 */
int db_enter(int *own, struct db *db, struct err *err) MUST_CHECK;
int db_leave(int own, int result, struct db *db, struct err *err) MUST_CHECK;

/** Runs a text with several statements and no parameters (migrations). */
int db_script(struct db *db, const char *sql, struct err *err) MUST_CHECK;

/** LISTEN on a channel of ours ("statuette_jobs", "statuette_events"). */
int db_listen(struct db *db, const char *channel, struct err *err) MUST_CHECK;
/** Waits up to timeout_ms for a notification: 0 there was one (all are taken), 1 none, -1 failed.
 */
int db_wait(struct db *db, int timeout_ms, struct err *err) MUST_CHECK;

/**
 * Lays every migration of schemas/migrations that is not there yet, each in its own transaction
 * under one advisory lock, then the flow tables of schemas/flow. *count (may be NULL) = how many
 * were laid. Errors ERR_CONFLICT code schema_newer when the database is ahead of this binary.
 */
int db_migrate(struct db *db, int *count, struct err *err) MUST_CHECK;

#endif
