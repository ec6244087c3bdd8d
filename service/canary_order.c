/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order of a canary: placed with the sample photo under an external id of the day and the
 * provider, so that running it twice makes one; waited for; measured; and called off, unless
 * something moved: then it stays in review for a person to look at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assets.h"
#include "base/clock.h"
#include "intake/order_form.h"
#include "service/canary.h"
#include "service/log.h"
#include "service/role.h"
#include "storage/cluster.h"

#define SAMPLE "config/samples/dog.jpg"
#define TEMPLATE "canary"
#define ACTOR "canary"
#define UNTAKEN_S 120 /* so long a worker may take to look at a photo */

/* --- opening ------------------------------------------------------------------------------------
 */

static int open_database(struct canary_run *run, struct err *err)
{
    char conninfo[1200], folder[600];
    snprintf(conninfo, sizeof conninfo, "%s", run->settings->database);
    snprintf(folder, sizeof folder, "%s/postgres", run->settings->var_folder);
    int result = *conninfo ? 0 : cluster_find(conninfo, folder, err);
    if (result == 1)
        return FAIL_CODE(err, ERR_ABSENT, "no_database",
                         "no service runs on %.100s: set STATUETTE_DATABASE or STATUETTE_VAR",
                         run->settings->var_folder);
    return result ? -1 : db_open(&run->db, conninfo, err);
}

static int put(char hash[65], uint64_t *bytes, const struct canary_run *run, const char *folder,
               const char *name, struct err *err)
{
    char path[800];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return blob_put_file(hash, bytes, &run->blobs, path, err);
}

static int keep_photo(struct canary_run *run, const char *folder, const cJSON *told,
                      struct err *err)
{
    struct photo_row *p = &run->photo;
    const cJSON *report = json_get(told, "report");
    snprintf(p->item_slot, sizeof p->item_slot, "front");
    snprintf(p->format, sizeof p->format, "%s", json_text(told, "format", ""));
    snprintf(p->provider_mime, sizeof p->provider_mime, "%s",
             json_text(told, "provider_mime", "image/png"));
    p->width = (unsigned)json_number(told, "width", 0);
    p->height = (unsigned)json_number(told, "height", 0);
    run->report = report ? cJSON_PrintUnformatted(report) : NULL;
    p->report = run->report ? run->report : "{}";
    return put(p->normal_hash, &p->normal_bytes, run, folder, "normal.png", err) ||
                   put(p->cutout_hash, &p->cutout_bytes, run, folder, "cutout.png", err) ||
                   put(p->provider_hash, &p->provider_bytes, run, folder, "provider.bin", err)
               ? -1
               : 0;
}

/* The sample goes the way of every photo: through the confined reader. */
static int read_sample(struct canary_run *run, struct err *err)
{
    const struct asset *sample = asset_find(SAMPLE);
    char folder[700] = "", path[800];
    cJSON *told = NULL;
    if (!sample)
        return FAIL(err, ERR_BUG, SAMPLE " is not built in");
    int failed = folder_make(run->settings->work_folder, err) ||
                 work_folder_make(folder, run->settings->work_folder, "canary", err);
    snprintf(path, sizeof path, "%s/in", folder);
    failed = failed || file_write(path, sample->data, sample->size, err) ||
             role_run(&told, "photo", folder, run->stop, err) || keep_photo(run, folder, told, err);
    cJSON_Delete(told);
    if (*folder)
        work_folder_drop(folder);
    return failed ? -1 : 0;
}

int canary_run_open(struct canary_run *run, const struct settings *settings, struct err *err)
{
    char now[TIME_ROOM];
    const atomic_bool *stop = run->stop;
    *run = (struct canary_run){.settings = settings, .wait_s = run->wait_s, .stop = stop};
    clock_rfc3339(now);
    snprintf(run->day, sizeof run->day, "%.10s", now);
    if (open_database(run, err) == 0 && blobs_open(&run->blobs, settings->blob_folder, err) == 0 &&
        read_sample(run, err) == 0)
        return 0;
    canary_run_close(run);
    return -1;
}

void canary_run_close(struct canary_run *run)
{
    db_close(run->db);
    cJSON_free(run->report);
    run->db = NULL;
    run->report = NULL;
}

/* --- placing ------------------------------------------------------------------------------------
 */

static cJSON *order_json(const struct canary *canary, const cJSON *product)
{
    char now[TIME_ROOM];
    cJSON *order = cJSON_CreateObject(), *item = cJSON_CreateObject();
    clock_rfc3339(now);
    cJSON_AddStringToObject(order, "external_id", canary->external_id);
    cJSON_AddStringToObject(order, "notes", "a test of the provider; nothing of it is printed");
    cJSON *consent = cJSON_AddObjectToObject(order, "consent");
    cJSON_AddStringToObject(consent, "text_version", "canary");
    cJSON_AddStringToObject(consent, "given_at", now);
    cJSON_AddStringToObject(consent, "photo_class", "object");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(order, "items"), item);
    cJSON_AddStringToObject(item, "template", TEMPLATE);
    cJSON_AddStringToObject(item, "name", canary->provider);
    cJSON_AddNumberToObject(item, "quantity", 1);
    cJSON_AddNumberToObject(item, "height_mm",
                            json_number(json_get(product, "height_mm"), "default", 60));
    cJSON_AddStringToObject(item, "style",
                            json_text(json_get(product, "style"), "default", "figure"));
    cJSON_AddStringToObject(item, "material",
                            json_text(json_get(product, "material"), "default", "pla"));
    cJSON_AddStringToObject(item, "provider", canary->provider);
    return order;
}

int canary_place(struct canary *canary, struct canary_run *run, const char *provider,
                 struct err *err)
{
    struct bytes text = {0};
    cJSON *product = NULL, *order = NULL;
    struct err why = {0};
    char id[32];
    *canary = (struct canary){0};
    snprintf(canary->provider, sizeof canary->provider, "%s", provider);
    snprintf(canary->external_id, sizeof canary->external_id, "canary-%s-%s", run->day, provider);
    const char *folder = run->settings->config_folder;
    if (template_load(&product, *folder ? folder : NULL, TEMPLATE, err))
        return -1;
    order = order_json(canary, product);
    int failed = json_print(&text, order, false, err);
    if (!failed &&
        order_create(id, run->db, (const char *)text.data, &run->photo, 1, ACTOR, &why) &&
        strcmp(why.code, "external_id_taken") != 0) {
        *err = why;
        failed = -1;
    }
    bytes_free(&text);
    cJSON_Delete(order);
    cJSON_Delete(product);
    return failed ? -1 : 0;
}

void canary_free(struct canary *canary)
{
    cJSON_Delete(canary->measures);
    cJSON_Delete(canary->moved);
    *canary = (struct canary){0};
}

/* --- waiting ------------------------------------------------------------------------------------
 */

static bool is_one_of(const char *state, const char *const *states)
{
    for (; *states; states++)
        if (strcmp(state, *states) == 0)
            return true;
    return false;
}

/* 0 it rests, 1 it was waited for long enough. *rows = how it stands. */
static int wait_for(struct db_rows **rows, const struct canary *canary, struct canary_run *run,
                    struct err *err)
{
    static const char *const early[] = {"new", "photo_check", NULL};
    static const char *const busy[] = {"new",        "photo_check", "generating",
                                       "inspecting", "preparing",   NULL};
    for (double begun = clock_s();; usleep(500 * 1000)) {
        *rows = NULL;
        if (DB_RUN(rows, run->db, "canary_look", err, canary->external_id))
            return -1;
        const char *state = db_text(*rows, 0, 2);
        double waited = clock_s() - begun;
        if (db_row_count(*rows) != 1)
            return FAIL(err, ERR_ABSENT, "the order %s is gone", canary->external_id);
        if (!is_one_of(state, busy))
            return 0;
        if (is_one_of(state, early) && (waited > UNTAKEN_S || waited > run->wait_s))
            return FAIL_CODE(err, ERR_LATER, "canary_waits", "no worker takes the test order up");
        if (waited > run->wait_s)
            return 1;
        if (run->stop && atomic_load(run->stop))
            return FAIL_CODE(err, ERR_LATER, "stopped", "stopped; the order goes on");
        db_rows_free(*rows);
    }
}

/* --- judging ------------------------------------------------------------------------------------
 */

static cJSON *parsed(const struct db_rows *rows, int column)
{
    const char *text = db_text(rows, 0, column);
    cJSON *json = NULL;
    return json_parse(&json, text, strlen(text), NULL) ? NULL : json;
}

/* No model is an alarm by itself, with the words of whoever gave up. */
static cJSON *nothing_made(const struct db_rows *rows, bool late)
{
    cJSON *moved = cJSON_CreateArray(), *o = cJSON_CreateObject(), *problem = parsed(rows, 3);
    cJSON_AddStringToObject(o, "measure", "made");
    cJSON_AddNumberToObject(o, "now", 0);
    cJSON_AddNumberToObject(o, "usual", 1);
    cJSON_AddNumberToObject(o, "limit", 0);
    cJSON_AddStringToObject(o, "why",
                            late ? "it did not end in time"
                                 : json_text(problem, "message", "no model came of it"));
    cJSON_AddItemToArray(moved, o);
    cJSON_Delete(problem);
    return moved;
}

static int earlier_of(cJSON **earlier, const struct canary *canary, struct canary_run *run,
                      struct err *err)
{
    struct db_rows *rows = NULL;
    char most[8];
    snprintf(most, sizeof most, "%d", CANARY_USUAL);
    if (DB_RUN(&rows, run->db, "canary_recent", err, canary->provider, canary->order, most))
        return -1;
    *earlier = cJSON_CreateArray();
    for (int i = 0; i < db_row_count(rows); i++) {
        const char *text = db_text(rows, i, 0);
        cJSON *one;
        if (!json_parse(&one, text, strlen(text), NULL))
            cJSON_AddItemToArray(*earlier, one);
    }
    db_rows_free(rows);
    return 0;
}

static int judge(struct canary *canary, struct canary_run *run, const struct db_rows *rows,
                 bool late, struct err *err)
{
    cJSON *report = parsed(rows, 4), *earlier = NULL;
    double credits = db_real(rows, 0, 7), seconds = db_real(rows, 0, 8);
    int failed = 0;
    if (report && !late) {
        canary->measures = canary_measures(report, credits, seconds);
        failed = earlier_of(&earlier, canary, run, err);
        if (!failed)
            canary->moved = canary_moved(canary->measures, earlier);
    } else {
        canary->measures = cJSON_CreateObject();
        cJSON_AddNumberToObject(canary->measures, "credits", credits);
        canary->moved = nothing_made(rows, late);
    }
    cJSON_Delete(earlier);
    cJSON_Delete(report);
    return failed;
}

static void words_of(char *out, size_t room, const struct canary *canary)
{
    size_t n = (size_t)snprintf(out, room, "the test of %s: ", canary->provider);
    const cJSON *one;
    cJSON_ArrayForEach (one, canary->moved) {
        const char *why = json_text(one, "why", NULL);
        const char *after = one->next ? "; " : "";
        int m = why ? snprintf(out + n, room - n, "%s%s", why, after)
                    : snprintf(out + n, room - n, "%s is %.4g, usually %.4g%s",
                               json_text(one, "measure", ""), json_number(one, "now", 0),
                               json_number(one, "usual", 0), after);
        n += m > 0 ? (size_t)m : 0;
        if (n >= room)
            n = room - 1;
    }
}

/* --- writing ------------------------------------------------------------------------------------
 */

static int raise_alarm(const struct canary *canary, struct canary_run *run, const char *moved,
                       struct err *err)
{
    char words[500];
    struct bytes payload = {0}, problem = {0};
    words_of(words, sizeof words, canary);
    cJSON *p = cJSON_CreateObject();
    cJSON_AddStringToObject(p, "code", "canary_moved");
    cJSON_AddStringToObject(p, "message", words);
    log_event(LOG_ERROR, "canary_moved", "provider", canary->provider, "order", canary->order,
              "why", words, NULL);
    int failed =
        bytes_printf(&payload, err, "{\"order\":\"%s\",\"moved\":%s}", canary->order, moved) ||
        json_print(&problem, p, false, err) ||
        DB_RUN(NULL, run->db, "provider_event", err, canary->provider, "provider.canary_moved",
               ACTOR, words, (const char *)payload.data) ||
        DB_RUN(NULL, run->db, "item_lock", err, canary->item) ||
        DB_RUN(NULL, run->db, "step_problem", err, canary->item, (const char *)problem.data);
    cJSON_Delete(p);
    bytes_free(&payload);
    bytes_free(&problem);
    return failed ? -1 : 0;
}

static int call_off(const struct canary *canary, struct canary_run *run, struct err *err)
{
    struct err why = {0};
    if (order_cancel(run->db, canary->order, ACTOR, "measured; all is as usual", &why) == 0)
        return 0;
    *err = why;
    return -1;
}

static int write_measured(struct canary *canary, struct canary_run *run, bool made, struct err *err)
{
    struct bytes measures = {0}, moved = {0};
    struct db_rows *rows = NULL;
    bool alarm = cJSON_GetArraySize(canary->moved) > 0;
    int failed = json_print(&measures, canary->measures, false, err) ||
                 json_print(&moved, canary->moved, false, err) || db_begin(run->db, err);
    if (!failed) {
        failed =
            DB_RUN(&rows, run->db, "canary_add", err, canary->order, canary->provider,
                   made ? "true" : "false", (const char *)measures.data, (const char *)moved.data);
        bool fresh = !failed && db_row_count(rows) == 1;
        if (fresh)
            failed = alarm ? raise_alarm(canary, run, (const char *)moved.data, err)
                           : call_off(canary, run, err);
        failed = failed || db_commit(run->db, err);
        if (failed)
            db_rollback(run->db);
    }
    db_rows_free(rows);
    bytes_free(&measures);
    bytes_free(&moved);
    return failed ? -1 : 0;
}

/* 1 it was measured before, and that is what is told. */
static int kept(struct canary *canary, struct canary_run *run, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, run->db, "canary_kept", err, canary->order))
        return -1;
    if (db_row_count(rows) == 1) {
        canary->measures = parsed(rows, 0);
        canary->moved = parsed(rows, 1);
        canary->known = true;
    }
    db_rows_free(rows);
    return canary->known;
}

int canary_measure(struct canary *canary, struct canary_run *run, struct err *err)
{
    struct db_rows *rows = NULL;
    int waited = wait_for(&rows, canary, run, err), failed = waited < 0 ? -1 : 0;
    if (!failed) {
        snprintf(canary->order, sizeof canary->order, "%s", db_text(rows, 0, 0));
        snprintf(canary->item, sizeof canary->item, "%s", db_text(rows, 0, 1));
        int known = kept(canary, run, err);
        failed = known < 0 ? -1 : 0;
        if (known == 0) {
            bool made = waited == 0 && !db_is_null(rows, 0, 4);
            failed = judge(canary, run, rows, waited == 1, err) ||
                     write_measured(canary, run, made, err);
        }
    }
    db_rows_free(rows);
    return failed ? -1 : 0;
}
