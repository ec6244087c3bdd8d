/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The doorman of libpq; see db.h. A connection is never used again after it broke but through a
 * reset outside a transaction, so that half a transaction cannot go on as another.
 */
#include "storage/db.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assets.h"
#include "base/clock.h"
#include "storage/db_wire.h"

#define CHANNEL_LIMIT 4

struct db {
    PGconn *conn;
    const struct asset **prepared; /* statements that this connection knows */
    size_t prepared_count, prepared_room;
    char channels[CHANNEL_LIMIT][64];
    int channel_count;
    bool in_transaction;
    bool missed; /* reconnected: notifications may have been missed */
};

struct db_rows {
    PGresult *result;
};

static void say_nothing(void *user, const char *message)
{
    (void)user;
    (void)message;
}

static void one_line(char out[160], const char *text)
{
    size_t n = strcspn(text, "\n");
    snprintf(out, 160, "%.*s", (int)n, text);
}

static int fail_away(struct db *db, struct err *err)
{
    char text[160];
    one_line(text, PQerrorMessage(db->conn));
    FAIL_CODE(err, ERR_LATER, "database_away", "the database is away: %s", text);
    if (err)
        snprintf(err->sqlstate, sizeof err->sqlstate, "08006");
    return -1;
}

/* One row a state: the first whose beginning matches decides. */
static const struct {
    char sqlstate[6];
    enum err_kind kind;
    char code[20];
} kinds[] = {
    {"40001", ERR_LATER, "serialization"},
    {"40P01", ERR_LATER, "deadlock"},
    {"55P03", ERR_LATER, "lock_timeout"},
    {"57014", ERR_LATER, "statement_timeout"},
    {"08", ERR_LATER, "database_away"},
    {"57P0", ERR_LATER, "database_away"},
    {"53100", ERR_LATER, "disk_full"},
    {"53", ERR_LATER, "database_full"},
    {"25P03", ERR_LATER, "idle_timeout"},
    {"23505", ERR_CONFLICT, "already_there"},
    {"23503", ERR_ABSENT, ""},
    {"22021", ERR_INPUT, "text_invalid"},
    {"22P05", ERR_INPUT, "text_invalid"},
    {"ST409", ERR_CONFLICT, ""},
    {"ST404", ERR_ABSENT, ""},
    {"ST001", ERR_CONFLICT, "not_owed"},
    {"ST002", ERR_CONFLICT, "not_approved"},
};

static int fail_result(struct db *db, const PGresult *result, const char *statement,
                       struct err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!state || PQstatus(db->conn) != CONNECTION_OK)
        return fail_away(db, err);
    enum err_kind kind = ERR_BUG;
    const char *code = "";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(state, kinds[i].sqlstate, strlen(kinds[i].sqlstate)) == 0) {
            kind = kinds[i].kind;
            code = kinds[i].code;
            break;
        }
    if (strncmp(state, "ST", 2) == 0 || kind == ERR_LATER)
        FAIL_CODE(err, kind, code, "%s", message ? message : state);
    else
        FAIL_CODE(err, kind, code, "%s: %s", statement, message ? message : state);
    if (err)
        snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state);
    return -1;
}

static int listen_anew(struct db *db, struct err *err)
{
    for (int i = 0; i < db->channel_count; i++) {
        char text[80];
        snprintf(text, sizeof text, "listen %s", db->channels[i]);
        PGresult *result = PQexec(db->conn, text);
        int bad = PQresultStatus(result) != PGRES_COMMAND_OK;
        if (bad)
            fail_result(db, result, "listen", err);
        PQclear(result);
        if (bad)
            return -1;
    }
    return 0;
}

int db_open(struct db **out, const char *conninfo, struct err *err)
{
    static const char *const names[] = {"connect_timeout",
                                        "tcp_user_timeout",
                                        "client_encoding",
                                        "fallback_application_name",
                                        "options",
                                        "dbname",
                                        NULL};
    const char *const values[] = {
        "5",
        "20000",
        "UTF8",
        "statuette",
        "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
        conninfo,
        NULL};
    *out = NULL;
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return FAIL(err, ERR_LIMIT, "no memory for a connection");
    db->conn = PQconnectdbParams(names, values, 1); /* what conninfo says comes last and wins */
    if (!db->conn || PQstatus(db->conn) != CONNECTION_OK) {
        int result = db->conn ? fail_away(db, err) : FAIL(err, ERR_LIMIT, "no memory for libpq");
        db_close(db);
        return result;
    }
    PQsetNoticeProcessor(db->conn, say_nothing, NULL);
    *out = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    PQfinish(db->conn);
    free(db->prepared);
    free(db);
}

/* Reads what waits on an idle connection; the end of the stream shows there. */
static void look_alive(struct db *db)
{
    for (int i = 0; i < 8 && PQstatus(db->conn) == CONNECTION_OK; i++) {
        struct pollfd p = {.fd = PQsocket(db->conn), .events = POLLIN};
        if (poll(&p, 1, 0) <= 0 || !PQconsumeInput(db->conn))
            return;
    }
}

static int ready(struct db *db, struct err *err)
{
    if (!db->in_transaction)
        look_alive(db);
    if (PQstatus(db->conn) == CONNECTION_OK)
        return 0;
    if (db->in_transaction)
        return fail_away(db, err);
    PQreset(db->conn);
    db->prepared_count = 0;
    db->missed = true;
    if (PQstatus(db->conn) != CONNECTION_OK)
        return fail_away(db, err);
    return listen_anew(db, err);
}

static int keep_rows(struct db_rows **rows, struct db *db, PGresult *result, const char *statement,
                     struct err *err)
{
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        int failed = fail_result(db, result, statement, err);
        PQclear(result);
        return failed;
    }
    if (!rows) {
        PQclear(result);
        return 0;
    }
    *rows = malloc(sizeof **rows);
    if (!*rows) {
        PQclear(result);
        return FAIL(err, ERR_LIMIT, "no memory for the rows of %s", statement);
    }
    (*rows)->result = result;
    return 0;
}

static int prepare(struct db *db, const struct asset *asset, const char *statement, struct err *err)
{
    for (size_t i = 0; i < db->prepared_count; i++)
        if (db->prepared[i] == asset)
            return 0;
    if (db->prepared_count == db->prepared_room) {
        size_t room = db->prepared_room + 64;
        const struct asset **more = realloc(db->prepared, room * sizeof *more);
        if (!more)
            return FAIL(err, ERR_LIMIT, "no memory for statements");
        db->prepared = more;
        db->prepared_room = room;
    }
    PGresult *result = PQprepare(db->conn, statement, asset->data, 0, NULL);
    if (keep_rows(NULL, db, result, statement, err))
        return -1;
    db->prepared[db->prepared_count++] = asset;
    return 0;
}

int db_run(struct db_rows **rows, struct db *db, const char *statement, int count,
           const char *const *parameters, struct err *err)
{
    if (rows)
        *rows = NULL;
    char name[96];
    snprintf(name, sizeof name, "storage/sql/%s.sql", statement);
    const struct asset *asset = asset_find(name);
    if (!asset)
        return FAIL(err, ERR_BUG, "there is no statement %s", statement);
    if (ready(db, err) || prepare(db, asset, statement, err))
        return -1;
    PGresult *result = PQexecPrepared(db->conn, statement, count, parameters, NULL, NULL, 0);
    return keep_rows(rows, db, result, statement, err);
}

int db_text_run(struct db_rows **rows, struct db *db, const char *sql, int count,
                const char *const *parameters, struct err *err)
{
    if (rows)
        *rows = NULL;
    if (ready(db, err))
        return -1;
    PGresult *result = PQexecParams(db->conn, sql, count, NULL, parameters, NULL, NULL, 0);
    char text[60];
    snprintf(text, sizeof text, "%s", sql);
    return keep_rows(rows, db, result, text, err);
}

int db_row_count(const struct db_rows *rows)
{
    return rows ? PQntuples(rows->result) : 0;
}

const char *db_text(const struct db_rows *rows, int row, int column)
{
    return PQgetvalue(rows->result, row, column);
}

bool db_is_null(const struct db_rows *rows, int row, int column)
{
    return PQgetisnull(rows->result, row, column);
}

int64_t db_int(const struct db_rows *rows, int row, int column)
{
    return strtoll(db_text(rows, row, column), NULL, 10);
}

double db_real(const struct db_rows *rows, int row, int column)
{
    return strtod(db_text(rows, row, column), NULL);
}

void db_rows_free(struct db_rows *rows)
{
    if (!rows)
        return;
    PQclear(rows->result);
    free(rows);
}

int db_begin(struct db *db, struct err *err)
{
    if (db->in_transaction)
        return FAIL(err, ERR_BUG, "a transaction is open already");
    if (ready(db, err))
        return -1;
    if (keep_rows(NULL, db, PQexec(db->conn, "begin isolation level read committed"), "begin", err))
        return -1;
    db->in_transaction = true;
    return 0;
}

int db_commit(struct db *db, struct err *err)
{
    if (!db->in_transaction)
        return FAIL(err, ERR_BUG, "no transaction is open");
    if (PQstatus(db->conn) != CONNECTION_OK) {
        db->in_transaction = false;
        return fail_away(db, err);
    }
    PGresult *result = PQexec(db->conn, "commit");
    db->in_transaction = false;
    int failed = 0;
    if (PQresultStatus(result) == PGRES_COMMAND_OK) {
        if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
            failed = FAIL(err, ERR_BUG, "the transaction had failed and was rolled back");
    } else if (PQstatus(db->conn) != CONNECTION_OK) {
        failed = FAIL_CODE(err, ERR_LATER, "commit_in_doubt",
                           "the database went away while it committed");
    } else {
        failed = fail_result(db, result, "commit", err);
    }
    PQclear(result);
    return failed;
}

void db_rollback(struct db *db)
{
    if (!db || !db->in_transaction)
        return;
    db->in_transaction = false;
    if (PQstatus(db->conn) == CONNECTION_OK)
        PQclear(PQexec(db->conn, "rollback"));
}

int db_enter(int *own, struct db *db, struct err *err)
{
    *own = !db->in_transaction;
    return *own ? db_begin(db, err) : 0;
}

int db_leave(int own, int result, struct db *db, struct err *err)
{
    if (!own)
        return result;
    if (result == 0)
        return db_commit(db, err);
    db_rollback(db);
    return result;
}

int db_script(struct db *db, const char *sql, struct err *err)
{
    if (ready(db, err))
        return -1;
    return keep_rows(NULL, db, PQexec(db->conn, sql), "script", err);
}

int db_listen(struct db *db, const char *channel, struct err *err)
{
    if (db->channel_count == CHANNEL_LIMIT || strlen(channel) >= sizeof db->channels[0] ||
        strspn(channel, "abcdefghijklmnopqrstuvwxyz_") != strlen(channel))
        return FAIL(err, ERR_BUG, "cannot listen on %.60s", channel);
    char text[80];
    snprintf(text, sizeof text, "listen %s", channel);
    if (db_script(db, text, err))
        return -1;
    strcpy(db->channels[db->channel_count++], channel);
    return 0;
}

static bool take_notifications(struct db *db)
{
    bool any = db->missed;
    db->missed = false;
    PGnotify *note;
    while ((note = PQnotifies(db->conn))) {
        PQfreemem(note);
        any = true;
    }
    return any;
}

int db_wait(struct db *db, int timeout_ms, struct err *err)
{
    int64_t end = clock_ms() + timeout_ms;
    if (ready(db, err))
        return -1;
    while (!take_notifications(db)) {
        int64_t left = end - clock_ms();
        if (left <= 0)
            return 1;
        struct pollfd p = {.fd = PQsocket(db->conn), .events = POLLIN};
        int n = poll(&p, 1, (int)left);
        if (n < 0)
            return errno == EINTR ? 1 : FAIL_ERRNO(err, "waiting for the database");
        if (n > 0 && !PQconsumeInput(db->conn))
            return fail_away(db, err);
    }
    return 0;
}
