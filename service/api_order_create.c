/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * POST /v1/orders: the form has been streamed to disk (upload.c); here the order is checked, each
 * photo is read in a confined child, each model stored as it is, and order and kept key are written
 * in one transaction, so that a crash leaves both or neither.
 */
#include <stdlib.h>
#include <string.h>

#include "intake/order_form.h"
#include "service/api.h"
#include "service/quote.h"
#include "service/role.h"
#include "service/upload.h"
#include "storage/order.h"

#define ROUTE "POST /v1/orders"

/* What the readers of the photos left, by photo; and the rows made of them. */
struct making {
    struct request *request;
    struct upload *upload;
    cJSON *order;
    cJSON *told[UPLOAD_FILES_MOST]; /* result.json of each photo */
    char *report[UPLOAD_FILES_MOST];
    struct photo_row of[UPLOAD_FILES_MOST]; /* without item and slot */
    struct photo_row *rows;
    size_t row_count;
};

static void making_free(struct making *m)
{
    for (size_t i = 0; i < m->upload->file_count && i < UPLOAD_FILES_MOST; i++) {
        cJSON_Delete(m->told[i]);
        cJSON_free(m->report[i]);
    }
    cJSON_Delete(m->order);
    free(m->rows);
}

static const char *folder_or_null(const struct request *request)
{
    const char *folder = request_settings(request)->config_folder;
    return *folder ? folder : NULL;
}

static int read_form(struct making *m, struct err *err)
{
    const struct upload *u = m->upload;
    const char *names[UPLOAD_FILES_MOST];
    for (size_t i = 0; i < u->file_count; i++)
        names[i] = u->files[i].name;
    return order_form_read(&m->order, u->order.data, u->order.len, names, u->file_count,
                           folder_or_null(m->request), err);
}

/* The order's words and every file's bytes: the same request again has the same fingerprint. */
static void fingerprint(char hex[SHA256_HEX], const struct upload *u)
{
    struct sha256 hash;
    sha256_start(&hash);
    sha256_feed(&hash, u->order.data, u->order.len);
    for (size_t i = 0; i < u->file_count; i++) {
        sha256_feed(&hash, u->files[i].name, strlen(u->files[i].name) + 1);
        sha256_feed(&hash, u->files[i].hex, 64);
    }
    sha256_end(hex, &hash);
}

static int enter_photo_room(struct http *http, struct err *err)
{
    pthread_mutex_lock(&http->photo_lock);
    while (http->photo_slots == 0 && !atomic_load(&http->stopping))
        pthread_cond_wait(&http->photo_free, &http->photo_lock);
    bool got = http->photo_slots > 0;
    http->photo_slots -= got;
    pthread_mutex_unlock(&http->photo_lock);
    return got ? 0 : FAIL_CODE(err, ERR_LATER, "stopping", "the service is stopping");
}

static void leave_photo_room(struct http *http)
{
    pthread_mutex_lock(&http->photo_lock);
    http->photo_slots++;
    pthread_cond_signal(&http->photo_free);
    pthread_mutex_unlock(&http->photo_lock);
}

static int put(char hash[65], uint64_t *bytes, struct making *m, const char *folder,
               const char *name, struct err *err)
{
    char path[720];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return blob_put_file(hash, bytes, request_blobs(m->request), path, err);
}

/* Reads one photo in a child and stores what it left. */
static int read_photo(struct making *m, size_t i, struct err *err)
{
    struct upload_file *photo = &m->upload->files[i];
    struct photo_row *row = &m->of[i];
    struct http *http = m->request->http;
    if (enter_photo_room(http, err))
        return -1;
    int failed = role_run(&m->told[i], "photo", photo->folder, &http->stopping, err);
    leave_photo_room(http);
    if (failed) {
        snprintf(m->request->pointer, sizeof m->request->pointer, "/parts/%s", photo->name);
        return -1;
    }
    const cJSON *told = m->told[i], *report = json_get(told, "report");
    snprintf(row->format, sizeof row->format, "%s", json_text(told, "format", ""));
    snprintf(row->provider_mime, sizeof row->provider_mime, "%s",
             json_text(told, "provider_mime", "image/png"));
    row->width = (unsigned)json_number(told, "width", 0);
    row->height = (unsigned)json_number(told, "height", 0);
    m->report[i] = report ? cJSON_PrintUnformatted(report) : NULL;
    row->report = m->report[i] ? m->report[i] : "{}";
    return put(row->normal_hash, &row->normal_bytes, m, photo->folder, "normal.png", err) ||
                   put(row->cutout_hash, &row->cutout_bytes, m, photo->folder, "cutout.png", err) ||
                   put(row->provider_hash, &row->provider_bytes, m, photo->folder, "provider.bin",
                       err)
               ? -1
               : 0;
}

/* Stores one model, and says in each item that names it what it is: the item's task finds it there.
 */
static int read_model(struct making *m, size_t i, struct err *err)
{
    const struct upload_file *file = &m->upload->files[i];
    char hash[SHA256_HEX];
    uint64_t bytes;
    const char *format;
    cJSON *item;
    if (upload_keep_model(hash, &bytes, &format, file, m->request, err))
        return -1;
    cJSON_ArrayForEach (item, json_get(m->order, "items")) {
        if (strcmp(json_text(item, "model", ""), file->name) != 0)
            continue;
        cJSON *given = cJSON_CreateObject();
        cJSON_AddStringToObject(given, "sha256", hash);
        cJSON_AddStringToObject(given, "format", format);
        cJSON_AddNumberToObject(given, "bytes", (double)bytes);
        cJSON_ReplaceItemInObjectCaseSensitive(item, "model", given);
    }
    return 0;
}

static const struct photo_row *row_named(const struct making *m, const char *name)
{
    for (size_t i = 0; i < m->upload->file_count; i++)
        if (strcmp(m->upload->files[i].name, name) == 0)
            return &m->of[i];
    return NULL;
}

/* One row for each photo that an item names; the place in the list says which side it shows. */
static int make_rows(struct making *m, struct err *err)
{
    static const char *const slots[] = {"front", "back", "left", "right"};
    const cJSON *items = json_get(m->order, "items"), *item, *name;
    int number = 0;
    m->rows = calloc(50 * 8, sizeof *m->rows);
    if (!m->rows)
        return FAIL(err, ERR_LIMIT, "no memory");
    cJSON_ArrayForEach (item, items) {
        int place = 0;
        cJSON_ArrayForEach (name, json_get(item, "photos")) {
            const struct photo_row *of = row_named(m, name->valuestring);
            if (!of || m->row_count == 50 * 8)
                return FAIL(err, ERR_BUG, "an order names a photo that was not read");
            struct photo_row *row = &m->rows[m->row_count++];
            *row = *of;
            row->item = number;
            if (place < 4)
                snprintf(row->item_slot, sizeof row->item_slot, "%s", slots[place]);
            else
                snprintf(row->item_slot, sizeof row->item_slot, "more%d", place - 3);
            place++;
        }
        number++;
    }
    return 0;
}

/* Order and kept key in one transaction. */
static int write_order(char order_id[32], struct making *m, struct err *err)
{
    struct db *db = NULL;
    char answer[80];
    struct bytes text = {0};
    const char *key = request_header(m->request, "Idempotency-Key");
    if (request_db(&db, m->request, err) || json_print(&text, m->order, false, err))
        return -1;
    int failed = db_begin(db, err);
    if (!failed)
        failed = order_create(order_id, db, (const char *)text.data, m->rows, m->row_count,
                              m->request->actor, err);
    const char *quote = json_text(m->order, "quote_id", NULL);
    if (!failed && quote)
        failed = quote_bind(db, order_id, quote, err);
    snprintf(answer, sizeof answer, "{\"id\":\"%s\"}", failed ? "" : order_id);
    if (!failed)
        failed = idempotency_keep(db, ROUTE, key, 201, answer, err);
    if (!failed)
        failed = db_commit(db, err);
    if (failed)
        db_rollback(db);
    bytes_free(&text);
    return failed;
}

/* Before any photo is read: what the order rests on must be for it, and valid. */
static int check_quote(struct making *m, struct err *err)
{
    struct db *db = NULL;
    const char *quote = json_text(m->order, "quote_id", NULL);
    if (!quote)
        return 0;
    if (request_db(&db, m->request, err))
        return -1;
    if (quote_check_order(db, quote, m->order, err))
        return -1;
    pool_give(m->request->http->pool, m->request->db, false); /* children take seconds */
    m->request->db = NULL;
    return 0;
}

static int make_order(char order_id[32], struct making *m, struct err *err)
{
    if (check_quote(m, err))
        return -1;
    for (size_t i = 0; i < m->upload->file_count; i++)
        if (m->upload->files[i].is_model ? read_model(m, i, err) : read_photo(m, i, err))
            return -1;
    if (make_rows(m, err))
        return -1;
    return write_order(order_id, m, err);
}

static int answer(struct reply *reply, struct request *request, const char *order_id,
                  struct err *err)
{
    struct bytes text = {0};
    if (api_order_document(&text, request, order_id, err))
        return -1;
    reply->status = 201;
    reply_header(reply, "Location", "/v1/orders/%s", order_id);
    reply_header(reply, "ETag", "\"%s\"", api_etag((const char *)text.data).text);
    int failed = reply_json(reply, (const char *)text.data, err);
    bytes_free(&text);
    return failed;
}

static int replay(struct reply *reply, struct request *request, const char *kept, struct err *err)
{
    cJSON *told = NULL;
    if (json_parse(&told, kept, strlen(kept), err))
        return -1;
    reply_header(reply, "Idempotent-Replayed", "true");
    int failed = answer(reply, request, json_text(told, "id", ""), err);
    cJSON_Delete(told);
    return failed;
}

int api_order_create(struct request *request, struct reply *reply, struct err *err)
{
    struct making m = {.request = request, .upload = request->upload};
    char print[SHA256_HEX], order_id[32], *kept = NULL;
    int known = 0, failed = upload_end(m.upload, true, err) || read_form(&m, err);
    if (!failed) {
        fingerprint(print, m.upload);
        failed = api_key_take(&known, &kept, request, ROUTE, print, err);
    }
    if (!failed && known)
        failed = replay(reply, request, kept, err);
    else if (!failed) {
        failed = make_order(order_id, &m, err);
        /* in doubt: the order may be there, and only the kept key can tell */
        if (failed && strcmp(err->code, "commit_in_doubt") != 0)
            api_key_release(request, ROUTE);
        if (!failed)
            failed = answer(reply, request, order_id, err);
    }
    free(kept);
    making_free(&m);
    return failed ? -1 : 0;
}
