/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing orders, cancelling them, noting files; see order.h. Called by the HTTP side and the CLI.
 */
#include "storage/order.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "storage/flow.h"
#include "storage/job.h"

int artifact_add(struct db *db, const char *item_id, const char *model_id, const char *kind,
                 const char *name, const char *mime, const char *sha256, uint64_t bytes,
                 struct err *err)
{
    char size[24];
    snprintf(size, sizeof size, "%llu", (unsigned long long)bytes);
    return DB_RUN(NULL, db, "artifact_add", err, item_id, model_id, kind, name, mime, sha256, size);
}

/* NN_stage.ext, and NN_stage__002__slot.ext for the second photo of an item and so on. */
static void photo_name(char out[96], const char *stage, int number, const char *slot,
                       const char *extension)
{
    if (number == 1)
        snprintf(out, 96, "%s.%s", stage, extension);
    else
        snprintf(out, 96, "%s__%03d__%s.%s", stage, number, slot, extension);
}

static int add_photo_files(struct db *db, const char *item_id, const struct photo_row *photo,
                           int number, struct err *err)
{
    const char *extension = strcmp(photo->provider_mime, "image/png") == 0 ? "png" : "jpg";
    char normal[96], cutout[96], provider[96];
    photo_name(normal, "01_photo", number, photo->item_slot, "png");
    photo_name(provider, "01_photo_for_provider", number, photo->item_slot, extension);
    photo_name(cutout, "02_cutout", number, photo->item_slot, "png");
    if (artifact_add(db, item_id, NULL, "photo", normal, "image/png", photo->normal_hash,
                     photo->normal_bytes, err) ||
        artifact_add(db, item_id, NULL, "provider_photo", provider, photo->provider_mime,
                     photo->provider_hash, photo->provider_bytes, err))
        return -1;
    return artifact_add(db, item_id, NULL, "cutout", cutout, "image/png", photo->cutout_hash,
                        photo->cutout_bytes, err);
}

static int add_photo(struct db *db, const char *item_id, const struct photo_row *photo, int number,
                     struct err *err)
{
    char id[ID_ROOM], width[16], height[16];
    id_new(id, "pho");
    snprintf(width, sizeof width, "%u", photo->width);
    snprintf(height, sizeof height, "%u", photo->height);
    if (DB_RUN(NULL, db, "photo_insert", err, id, item_id, photo->item_slot, photo->format, width,
               height, photo->normal_hash, photo->cutout_hash, photo->provider_hash,
               photo->provider_mime, photo->report))
        return -1;
    return add_photo_files(db, item_id, photo, number, err);
}

/* `names`: the item's list; an empty one is an item without photos. */
static int add_photos(struct db *db, const char *item_id, int item, const cJSON *names,
                      const struct photo_row *photos, size_t photo_count, struct err *err)
{
    int number = 0;
    for (size_t i = 0; i < photo_count; i++)
        if (photos[i].item == item && add_photo(db, item_id, &photos[i], ++number, err))
            return -1;
    return number > 0 || (cJSON_IsArray(names) && !names->child)
               ? 0
               : FAIL_CODE(err, ERR_INPUT, "photo_missing", "item %d has no photo", item + 1);
}

/* What the template and the customer chose: every member but those that have columns. */
static int options_of(struct bytes *out, const cJSON *item, struct err *err)
{
    static const char *const columns[] = {"photos", "quantity", "template", "name", "notes"};
    cJSON *options = cJSON_Duplicate(item, 1);
    if (!options)
        return FAIL(err, ERR_LIMIT, "no memory for an item");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(options, columns[i]);
    int result = json_print(out, options, false, err);
    cJSON_Delete(options);
    return result;
}

static int insert_item(struct db *db, const char *order_id, const char *item_id, int index,
                       const cJSON *item, struct err *err)
{
    struct bytes options = {.limit = 1 << 20};
    char position[16], wanted[16];
    snprintf(position, sizeof position, "%d", index + 1);
    snprintf(wanted, sizeof wanted, "%.0f", json_number(item, "quantity", 1));
    int result = options_of(&options, item, err);
    if (result == 0)
        result = DB_RUN(NULL, db, "item_insert", err, item_id, order_id, position,
                        json_text(item, "template", ""), json_text(item, "name", ""),
                        json_text(item, "notes", ""), (const char *)options.data, wanted);
    bytes_free(&options);
    return result;
}

static int add_item(struct db *db, const char *order_id, int index, const cJSON *item,
                    const struct photo_row *photos, size_t photo_count, const char *actor,
                    struct err *err)
{
    char id[ID_ROOM];
    id_new(id, "itm");
    const struct move move = {
        .machine = "item", .subject = id, .event = "photos.complete", .actor = actor};
    const struct job_new job = {.kind = "photo_check", .subject = id, .key = id};
    if (insert_item(db, order_id, id, index, item, err) ||
        add_photos(db, id, index, json_get(item, "photos"), photos, photo_count, err) ||
        flow_move(NULL, db, &move, err))
        return -1;
    return job_add(db, &job, err);
}

static int print_member(struct bytes *out, const cJSON *order, const char *name, struct err *err)
{
    const cJSON *member = json_get(order, name);
    return member ? json_print(out, member, false, err) : bytes_append(out, "{}", 2, err);
}

static int insert_order(const char *id, struct db *db, const cJSON *order, const char *actor,
                        struct err *err)
{
    struct bytes contact = {.limit = 1 << 20}, consent = {.limit = 1 << 20};
    struct db_rows *rows = NULL;
    const char *external_id = json_text(order, "external_id", NULL);
    int result = print_member(&contact, order, "contact", err);
    if (result == 0)
        result = print_member(&consent, order, "consent", err);
    if (result == 0)
        result = DB_RUN(&rows, db, "order_insert", err, id, external_id, (const char *)contact.data,
                        json_text(order, "notes", ""), (const char *)consent.data,
                        json_text(json_get(order, "consent"), "photo_class", "object"), actor);
    if (result == 0 && db_row_count(rows) == 0)
        result = FAIL_CODE(err, ERR_CONFLICT, "external_id_taken",
                           "there is an order with external_id %s already", external_id);
    db_rows_free(rows);
    bytes_free(&contact);
    bytes_free(&consent);
    return result;
}

static int write_order(const char *id, struct db *db, const cJSON *order,
                       const struct photo_row *photos, size_t photo_count, const char *actor,
                       struct err *err)
{
    if (insert_order(id, db, order, actor, err))
        return -1;
    const cJSON *item;
    int index = 0;
    cJSON_ArrayForEach (item, json_get(order, "items")) {
        if (add_item(db, id, index++, item, photos, photo_count, actor, err))
            return -1;
    }
    return index > 0 ? 0 : FAIL(err, ERR_INPUT, "the order has no items");
}

int order_create(char order_id[32], struct db *db, const char *order_json,
                 const struct photo_row *photos, size_t photo_count, const char *actor,
                 struct err *err)
{
    cJSON *order = NULL;
    int own;
    if (json_parse(&order, order_json, strlen(order_json), err))
        return -1;
    id_new(order_id, "ord");
    int result = db_enter(&own, db, err);
    if (result == 0) {
        result = write_order(order_id, db, order, photos, photo_count, actor, err);
        result = db_leave(own, result, db, err);
    }
    cJSON_Delete(order);
    return result;
}

static int cancel_item(struct db *db, const char *item_id, const char *actor, const char *reason,
                       struct err *err)
{
    struct db_rows *rows = NULL;
    struct move move = {.machine = "item",
                        .subject = item_id,
                        .event = "item.cancelled",
                        .actor = actor,
                        .reason = reason};
    if (flow_move(NULL, db, &move, err) ||
        DB_RUN(NULL, db, "item_jobs_drop", err, item_id, reason ? reason : "") ||
        DB_RUN(&rows, db, "item_open_work", err, item_id))
        return -1;
    int result = 0;
    for (int i = 0; i < db_row_count(rows) && result == 0; i++) {
        bool run = strcmp(db_text(rows, i, 0), "run") == 0;
        move.machine = run ? "run" : "task";
        move.event = run ? "run.cancelled" : "task.cancelled";
        move.subject = db_text(rows, i, 1);
        result = flow_move(NULL, db, &move, err);
    }
    db_rows_free(rows);
    return result;
}

static int cancel_items(struct db *db, const char *order_id, const char *stage, const char *actor,
                        const char *reason, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "order_cancel_items", err, order_id))
        return -1;
    int result = 0, count = db_row_count(rows);
    if (count == 0 && strcmp(stage, "cancelled") != 0)
        result = FAIL_CODE(err, ERR_CONFLICT, "too_late",
                           "the order is %s: nothing can be cancelled", stage);
    for (int i = 0; i < count && result == 0; i++)
        if (strcmp(db_text(rows, i, 2), "t") == 0)
            result = FAIL_CODE(err, ERR_CONFLICT, "part_printing",
                               "a part of item %s is on a printer or waits for its verdict",
                               db_text(rows, i, 0));
    for (int i = 0; i < count && result == 0; i++)
        result = cancel_item(db, db_text(rows, i, 0), actor, reason, err);
    db_rows_free(rows);
    return result;
}

static int lock_and_cancel(struct db *db, const char *order_id, const char *actor,
                           const char *reason, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "order_lock", err, order_id))
        return -1;
    int result = db_row_count(rows) == 0
                     ? FAIL(err, ERR_ABSENT, "no order %s", order_id)
                     : cancel_items(db, order_id, db_text(rows, 0, 0), actor, reason, err);
    db_rows_free(rows);
    return result;
}

int order_cancel(struct db *db, const char *order_id, const char *actor, const char *reason,
                 struct err *err)
{
    int own;
    if (db_enter(&own, db, err))
        return -1;
    return db_leave(own, lock_and_cancel(db, order_id, actor, reason, err), db, err);
}
