/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * POST /v1/items/{item}/model: a person's own model takes the place of a made one. It is stored as
 * it is, becomes a task of the provider `upload`, and is inspected like any other.
 */
#include <stdlib.h>
#include <string.h>

#include "intake/model.h"
#include "service/api.h"
#include "service/upload.h"
#include "storage/given.h"
#include "storage/order.h"

#define ROUTE "POST /v1/items/{item}/model"

static int only_file(const struct upload_file **file, struct upload *upload, struct err *err)
{
    if (upload_end(upload, false, err))
        return -1;
    *file = &upload->files[0];
    if (upload->have_order || upload->file_count > 1)
        return FAIL_CODE(err, ERR_INPUT, "part_unknown",
                         "one file, in a part named model, is taken");
    if (upload->file_count == 0 || !(*file)->is_model)
        return FAIL_CODE(err, ERR_INPUT, "model_missing", "no file was sent in a part named model");
    return 0;
}

/* The same file for the same item: the same request. */
static void fingerprint(char hex[SHA256_HEX], const char *item, const struct upload_file *file)
{
    struct sha256 hash;
    sha256_start(&hash);
    sha256_feed(&hash, item, strlen(item) + 1);
    sha256_feed(&hash, file->hex, 64);
    sha256_end(hex, &hash);
}

/* Task, item and kept key in one transaction. */
static int enter(struct request *request, const struct given *given, struct err *err)
{
    struct db *db = NULL;
    if (request_db(&db, request, err) || db_begin(db, err))
        return -1;
    int failed =
        given_enter(db, request->part[0], given, request->actor, err) ||
        idempotency_keep(db, ROUTE, request_header(request, "Idempotency-Key"), 201, "{}", err) ||
        db_commit(db, err);
    if (failed)
        db_rollback(db);
    return failed ? -1 : 0;
}

static int take(struct request *request, const struct upload_file *file, struct err *err)
{
    struct given given = {0};
    int failed = upload_keep_model(given.sha256, &given.bytes, &given.format, file, request, err);
    if (!failed) {
        given.mime = model_mime(given.format);
        failed = enter(request, &given, err);
    }
    /* in doubt: it may have been entered, and only the kept key can tell */
    if (failed && strcmp(err->code, "commit_in_doubt") != 0)
        api_key_release(request, ROUTE);
    return failed;
}

int api_item_model(struct request *request, struct reply *reply, struct err *err)
{
    const struct upload_file *file;
    char print[SHA256_HEX], *kept = NULL;
    int known = 0, failed = only_file(&file, request->upload, err);
    if (!failed) {
        fingerprint(print, request->part[0], file);
        failed = api_key_take(&known, &kept, request, ROUTE, print, err);
    }
    if (!failed && known)
        reply_header(reply, "Idempotent-Replayed", "true");
    else if (!failed)
        failed = take(request, file, err);
    free(kept);
    if (failed || api_reply_item(reply, request, request->part[0], err))
        return -1;
    reply->status = 201;
    return 0;
}
