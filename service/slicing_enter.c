/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is made of a result: an item's slice, another engine's opinion of it, and jobs that slice
 * ahead. See slicing.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "service/log.h"
#include "service/slicing_own.h"
#include "storage/order.h"

/* --- a second opinion ---------------------------------------------------------------------------
 */

/* The other engine cannot slice it: that says more against it than any difference. */
static cJSON *refused(const struct err *why)
{
    cJSON *opinion = cJSON_CreateObject(), *finding = cJSON_CreateObject();
    cJSON_AddStringToObject(opinion, "verdict", "far");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(opinion, "findings"), finding);
    cJSON_AddStringToObject(finding, "code", why->code);
    cJSON_AddStringToObject(finding, "severity", "error");
    cJSON_AddStringToObject(finding, "message", why->what);
    return opinion;
}

static int compare(struct slicing *s, struct err *err)
{
    struct slicing_texts texts;
    struct err why = {0};
    if (slicing_read_model(s, err))
        return -1;
    struct slice_options options = slicing_options(s, &texts);
    options.engine = s->result.engine;
    if (!slice_compare(&s->opinion, &options, &s->result, &why))
        return 0;
    if (s->gave_way)
        return slicing_give_way(s, err);
    if (!slicing_is_lasting(&why)) {
        *err = why;
        return -1;
    }
    s->opinion = refused(&why);
    return 0;
}

static int keep_opinion(struct slicing *s, struct err *err)
{
    struct bytes text = {0};
    char job[24];
    snprintf(job, sizeof job, "%lld", (long long)s->step->job->id);
    int failed = json_print(&text, s->opinion, false, err) ||
                 DB_RUN(NULL, s->step->db, "slice_opinion", err, s->result_id,
                        (const char *)text.data, s->claim, job, s->item->id, s->step->actor);
    bytes_free(&text);
    return failed ? -1 : 0;
}

int slicing_opinion(struct slicing *s, struct err *err)
{
    if (s->opinion || *s->problem_code)
        return 0;
    snprintf(s->claim, sizeof s->claim, "second %s", s->settings_hash);
    int result = slicing_claim(s, "second opinion", err);
    if (!result)
        result = compare(s, err);
    return result ? result : keep_opinion(s, err);
}

int slicing_is_doubted(bool *doubted, struct slicing *s, struct err *err)
{
    struct db_rows *rows = NULL;
    *doubted = strcmp(json_text(s->opinion, "verdict", ""), "far") == 0;
    if (!*doubted)
        return 0;
    if (DB_RUN(&rows, s->step->db, "slice_accepted", err, s->item->id, s->threemf_hash,
               s->result_id))
        return -1;
    *doubted = strcmp(db_text(rows, 0, 0), "t") != 0;
    db_rows_free(rows);
    return 0;
}

/* --- an item's slice ----------------------------------------------------------------------------
 */

/* The usual class has the plain names; the others are told apart by theirs. */
static void file_name(char out[64], const struct slicing *s, const char *stage,
                      const char *extension)
{
    char whole[60];
    bool usual = strcmp(s->printer_class, item_printer_class(s->item)) == 0;
    snprintf(whole, sizeof whole, usual ? "%s" : "%s_%.40s", stage, s->printer_class);
    stage_name(out, whole, s->item->model_number, extension);
}

static int note_gcode(struct slicing *s, struct err *err)
{
    char name[64], path[1200];
    struct stat there;
    file_name(name, s, "07_sliced", "gcode");
    if (blob_path(path, s->step->blobs, s->result.gcode_hash, err))
        return -1;
    if (stat(path, &there))
        return FAIL_ERRNO(err, "cannot find the G-code %.16s", s->result.gcode_hash);
    return artifact_add(s->step->db, s->item->id, s->item->model_id, "gcode", name, "text/x-gcode",
                        s->result.gcode_hash, (uint64_t)there.st_size, err);
}

static int note_report(struct slicing *s, struct err *err)
{
    char name[64];
    struct bytes text = {0};
    cJSON *whole = cJSON_Duplicate(s->report, true);
    if (s->opinion)
        cJSON_AddItemToObject(whole, "second_opinion", cJSON_Duplicate(s->opinion, true));
    file_name(name, s, "07_slice", "json");
    struct keep keep = {.kind = "slice_report",
                        .name = name,
                        .mime = "application/json",
                        .model_id = s->item->model_id};
    int failed = json_print(&text, whole, true, err) ||
                 keep_bytes(&keep, s->step, text.data, text.len, err) ||
                 keep_note(&keep, s->step, s->item, err);
    bytes_free(&text);
    cJSON_Delete(whole);
    return failed ? -1 : 0;
}

int slicing_enter(char slice_id[40], struct slicing *s, struct err *err)
{
    char fresh[ID_ROOM];
    struct db_rows *rows = NULL;
    id_new(fresh, "slc");
    if (DB_RUN(&rows, s->step->db, "step_slice_add", err, fresh, s->item->id, s->result_id))
        return -1;
    int failed = db_row_count(rows) == 1
                     ? 0
                     : FAIL(err, ERR_ABSENT, "there is no slice %.40s", s->result_id);
    if (!failed)
        snprintf(slice_id, 40, "%s", db_text(rows, 0, 0));
    db_rows_free(rows);
    return failed || note_gcode(s, err) || note_report(s, err) ? -1 : 0;
}

/* --- what the template wants, and jobs ----------------------------------------------------------
 */

const char *slicing_engine(const struct item *item)
{
    return json_text(json_get(item->product, "slice"), "engine", NULL);
}

bool slicing_wants_opinion(const struct item *item)
{
    return json_bool(json_get(item->product, "slice"), "second_opinion", false);
}

bool slicing_wants_ahead(const struct item *item)
{
    return json_bool(json_get(item->product, "slice"), "ahead", true);
}

static int add_job(struct db *db, const char *item_id, const char *key, const cJSON *payload,
                   int priority, struct err *err)
{
    char *text = cJSON_PrintUnformatted(payload);
    struct job_new job = {.kind = "slice_ahead",
                          .subject = item_id,
                          .key = key,
                          .payload = text,
                          .priority = priority};
    int failed = text ? job_add(db, &job, err) : FAIL(err, ERR_LIMIT, "no memory for a job");
    free(text);
    return failed;
}

int slicing_add_ahead(struct db *db, const char *item_id, const char *model_id,
                      const char *printer_class, enum ahead why, struct err *err)
{
    char key[100];
    snprintf(key, sizeof key, "%.40s:%.40s", model_id, printer_class);
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "model", model_id);
    cJSON_AddStringToObject(payload, "class", printer_class);
    int failed = add_job(db, item_id, key, payload, why == AHEAD_REVIEW, err);
    cJSON_Delete(payload);
    return failed;
}

int slicing_add_opinion(struct db *db, const char *item_id, const char *model_id, struct err *err)
{
    char key[100];
    snprintf(key, sizeof key, "%.40s second opinion", model_id);
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "model", model_id);
    cJSON_AddTrueToObject(payload, "second_opinion");
    int failed = add_job(db, item_id, key, payload, 10, err);
    cJSON_Delete(payload);
    return failed;
}
