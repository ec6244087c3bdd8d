/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laying migrations and flow tables; see db_migrate in db.h. Called by `migrate`, `up` and tests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assets.h"
#include "base/bytes.h"
#include "storage/db.h"
#include "storage/db_wire.h"

#define MIGRATIONS "schemas/migrations/"
#define FLOWS "schemas/flow/"

static int lay_one(struct db *db, const struct asset *asset, const char *number, struct err *err)
{
    const char *name = asset->name + strlen(MIGRATIONS);
    if (db_begin(db, err))
        return -1;
    int result = db_script(db, "set local statement_timeout = 0", err);
    if (result == 0)
        result = db_script(db, asset->data, err);
    if (result == 0)
        result = db_text_run(NULL, db,
                             "insert into schema_migrations (number, name) values ($1::int, $2)", 2,
                             (const char *const[]){number, name}, err);
    return db_leave(1, result, db, err);
}

static int lay_missing(struct db *db, int *count, struct err *err)
{
    struct db_rows *rows = NULL;
    if (db_text_run(&rows, db, "select coalesce(max(number), 0) from schema_migrations", 0, NULL,
                    err))
        return -1;
    long there = (long)db_int(rows, 0, 0), newest = 0;
    db_rows_free(rows);
    for (const struct asset *a = asset_next(MIGRATIONS, NULL); a; a = asset_next(MIGRATIONS, a)) {
        newest = strtol(a->name + strlen(MIGRATIONS), NULL, 10);
        char number[16];
        snprintf(number, sizeof number, "%ld", newest);
        if (newest <= there)
            continue;
        if (lay_one(db, a, number, err))
            return -1;
        ++*count;
    }
    if (there > newest)
        return FAIL_CODE(err, ERR_CONFLICT, "schema_newer",
                         "the database is at schema %ld, this program knows up to %ld", there,
                         newest);
    return 0;
}

/* One line "from<TAB>event<TAB>to"; a line that begins with # is a remark. */
static int lay_move(struct db *db, const char *machine, char *line, struct err *err)
{
    if (*line == '#' || *line == 0)
        return 0;
    char *rest = line;
    const char *from = strsep(&rest, "\t"), *event = strsep(&rest, "\t"), *to = rest;
    if (!event || !to || strchr(to, '\t'))
        return FAIL(err, ERR_BUG, "flow table %s: not three columns: %.80s", machine, line);
    return db_text_run(NULL, db,
                       "insert into flow_moves (machine, from_state, event, to_state) "
                       "values ($1, $2, $3, $4)",
                       4, (const char *const[]){machine, from, event, to}, err);
}

static int lay_flow(struct db *db, const struct asset *asset, struct err *err)
{
    char machine[32];
    const char *name = asset->name + strlen(FLOWS);
    snprintf(machine, sizeof machine, "%.*s", (int)strcspn(name, "."), name);
    char *text = strdup(asset->data), *rest = text, *line;
    if (!text)
        return FAIL(err, ERR_LIMIT, "no memory for a flow table");
    int result = 0;
    while (result == 0 && (line = strsep(&rest, "\n")))
        result = lay_move(db, machine, line, err);
    free(text);
    return result;
}

static int lay_flows(struct db *db, struct err *err)
{
    if (db_begin(db, err))
        return -1;
    int result = db_script(db, "delete from flow_moves", err);
    for (const struct asset *a = asset_next(FLOWS, NULL); a && result == 0;
         a = asset_next(FLOWS, a))
        result = lay_flow(db, a, err);
    return db_leave(1, result, db, err);
}

int db_migrate(struct db *db, int *count, struct err *err)
{
    int laid = 0;
    /* A session lock, since each migration is a transaction of its own; the number is ours alone.
     */
    if (db_script(db,
                  "set lock_timeout = 0; set statement_timeout = 0;"
                  "select pg_advisory_lock(7241853916);",
                  err))
        return -1;
    int result = db_script(db,
                           "create table if not exists schema_migrations (number integer primary "
                           "key, name text not null, laid_at timestamptz not null default now())",
                           err);
    if (result == 0)
        result = lay_missing(db, &laid, err);
    if (result == 0)
        result = lay_flows(db, err);
    struct err ignored;
    if (db_script(db,
                  "reset lock_timeout; reset statement_timeout;"
                  "select pg_advisory_unlock(7241853916);",
                  result ? &ignored : err))
        result = -1;
    if (count)
        *count = laid;
    return result;
}
