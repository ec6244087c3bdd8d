/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slicing once: look, claim, slice, keep. See slicing.h. */
#include "service/slicing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "service/log.h"
#include "service/role.h"
#include "service/slicing_own.h"

/* --- what is there ------------------------------------------------------------------------------
 */

static int parse(cJSON **out, const struct db_rows *rows, int column, struct err *err)
{
    const char *text = db_text(rows, 0, column);
    return json_parse(out, text, strlen(text), err);
}

static bool blob_there(const struct slicing *s, const char *hash)
{
    char path[1200];
    struct err ignored;
    return !blob_path(path, s->step->blobs, hash, &ignored) && access(path, R_OK) == 0;
}

static void take_figures(struct slice_result *r, const struct db_rows *rows)
{
    snprintf(r->engine, sizeof r->engine, "%s", db_text(rows, 0, 1));
    snprintf(r->gcode_hash, sizeof r->gcode_hash, "%s", db_text(rows, 0, 2));
    r->print_time_s = db_real(rows, 0, 3);
    r->filament_mm = db_real(rows, 0, 4);
    r->filament_g = db_real(rows, 0, 5);
    r->layer_count = (unsigned)db_int(rows, 0, 6);
}

static int take_row(struct slicing *s, const struct db_rows *rows, struct err *err)
{
    snprintf(s->result_id, sizeof s->result_id, "%s", db_text(rows, 0, 0));
    take_figures(&s->result, rows);
    snprintf(s->result.closure_hash, sizeof s->result.closure_hash, "%s", s->settings_hash);
    snprintf(s->problem_code, sizeof s->problem_code, "%s", db_text(rows, 0, 8));
    snprintf(s->problem, sizeof s->problem, "%s", db_text(rows, 0, 9));
    cJSON_Delete(s->report);
    cJSON_Delete(s->opinion);
    s->report = s->opinion = NULL;
    if (parse(&s->report, rows, 7, err))
        return -1;
    s->result.height_mm = json_number(s->report, "height_mm", 0);
    s->result.model_mm3 = json_number(s->report, "model_mm3", 0);
    snprintf(s->result.engine_version, sizeof s->result.engine_version, "%s",
             json_text(s->report, "engine_version", ""));
    return db_is_null(rows, 0, 10) ? 0 : parse(&s->opinion, rows, 10, err);
}

/* Where another engine may do better. */
static bool is_engines_own(const char *code)
{
    static const char *const codes[] = {
        "slice_failed",        "slice_empty",   "slice_no_first_layer", "slice_bad_settings",
        "slice_out_of_memory", "slice_timeout", "gcode_rejected"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

/* 0 it is there, 1 it has to be sliced. What could not be sliced is tried again when it is needed,
 * for a person has passed it all the same; but not where it is the engine's own fault and another
 * is at hand. */
static int look(struct slicing *s, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, s->step->db, "slice_look", err, s->threemf_hash, s->settings_hash))
        return -1;
    int result = 1;
    if (db_row_count(rows) == 1 &&
        (db_is_null(rows, 0, 2) ? s->ahead || (s->other && is_engines_own(db_text(rows, 0, 8)))
                                : blob_there(s, db_text(rows, 0, 2))))
        result = take_row(s, rows, err);
    db_rows_free(rows);
    return result;
}

/* --- the claim ----------------------------------------------------------------------------------
 */

struct lease {
    char job[24], token[24];
};

static struct lease lease_of(const struct slicing *s)
{
    struct lease lease;
    snprintf(lease.job, sizeof lease.job, "%lld", (long long)s->step->job->id);
    snprintf(lease.token, sizeof lease.token, "%lld", (long long)s->step->job->lease_token);
    return lease;
}

static int claim_behind_gate(bool *ours, struct slicing *s, const char *engine, struct err *err)
{
    char gate[200];
    struct lease lease = lease_of(s);
    struct db_rows *rows = NULL;
    struct db *db = s->step->db;
    snprintf(gate, sizeof gate, "slice %s %s", s->threemf_hash, s->claim);
    int failed =
        DB_RUN(NULL, db, "job_gate", err, gate) ||
        DB_RUN(&rows, db, "slice_claim", err, s->threemf_hash, s->claim, lease.job, lease.token,
               s->item->id, s->printer_class, engine, s->ahead ? "true" : "false");
    *ours = !failed && db_row_count(rows) == 1;
    db_rows_free(rows);
    return failed ? -1 : 0;
}

int slicing_claim(struct slicing *s, const char *engine, struct err *err)
{
    bool ours = false;
    if (db_begin(s->step->db, err))
        return -1;
    if (db_leave(1, claim_behind_gate(&ours, s, engine, err), s->step->db, err))
        return -1;
    s->told = 0;
    s->looked_ms = clock_ms();
    if (ours)
        return 0;
    return job_release(s->step->db, s->step->job, 1000, err) ? -1 : 1;
}

/* --- while it runs ------------------------------------------------------------------------------
 */

static bool something_waits(struct slicing *s)
{
    struct db_rows *rows = NULL;
    struct err err = {0};
    if (!s->step->urgent || !*s->step->urgent)
        return false;
    if (DB_RUN(&rows, s->step->db, "slice_urgent", &err, s->step->urgent)) {
        log_failure(LOG_DEBUG, "slice_urgent", s->item->id, &err);
        return false;
    }
    bool waits = strcmp(db_text(rows, 0, 0), "t") == 0;
    db_rows_free(rows);
    return waits;
}

static void tell(struct slicing *s, double share)
{
    char text[32];
    struct lease lease = lease_of(s);
    struct err err = {0};
    snprintf(text, sizeof text, "%.3f", share);
    if (DB_RUN(NULL, s->step->db, "slice_progress", &err, s->threemf_hash, s->claim, lease.job,
               lease.token, text, s->step->actor))
        log_failure(LOG_DEBUG, "slice_progress", s->item->id, &err);
    s->told = share;
}

/* An event for each tenth, and not more than one a second: a slicing of two seconds tells once. */
void slicing_on_progress(void *user, double share)
{
    struct slicing *s = user;
    int64_t now = clock_ms();
    if (now - s->looked_ms < 1000 || s->gave_way)
        return;
    s->looked_ms = now;
    if (s->ahead && something_waits(s)) {
        s->gave_way = true;
        atomic_store(s->step->stop, true);
    } else if (share >= s->told + 0.1 && share < 1) {
        tell(s, share);
    }
}

/* Stopped by ourselves: the flag is ours again, and the job is for later. */
int slicing_give_way(struct slicing *s, struct err *err)
{
    log_event(LOG_INFO, "slice_gave_way", "item", s->item->id, "class", s->printer_class, NULL);
    return job_release(s->step->db, s->step->job, 15000, err) ? -1 : 1;
}

/* --- slicing ------------------------------------------------------------------------------------
 */

int slicing_read_model(struct slicing *s, struct err *err)
{
    if (s->model)
        return 0;
    return folder_blob(s->step, s->threemf_hash, s->folder, "in", err) ||
                   role_run(&s->model, "tostl", s->folder, s->step->stop, err) ||
                   slice_objects_of(&s->objects, s->model, s->folder, err)
               ? -1
               : 0;
}

/* The bytes depend on the 3MF and the settings alone, and so does the label: the 3MF's hash, by
 * which the G-code can be told to be of what was passed, and the item that the 3MF itself names. */
struct slice_options slicing_options(struct slicing *s, struct slicing_texts *t)
{
    const cJSON *first = cJSON_GetArrayItem(json_get(s->model, "objects"), 0);
    const char *item = json_text(first, "item_id", "");
    snprintf(t->gcode, sizeof t->gcode, "%s/out.gcode", s->folder);
    snprintf(t->label, sizeof t->label, "3mf %s%s%.40s", s->threemf_hash, *item ? " item " : "",
             item);
    return (struct slice_options){.objects = s->objects.at,
                                  .object_count = s->objects.count,
                                  .out_path = t->gcode,
                                  .work_folder = s->folder,
                                  .profile = &s->profile,
                                  .engine = s->engine,
                                  .label = t->label,
                                  .stop = s->step->stop,
                                  .on_progress = slicing_on_progress,
                                  .user = s};
}

/* Without the 3MF's own names and settings, which come with its hash: so that what is there is
 * found without a look into the 3MF. */
static int hash_settings(char hash[SHA256_HEX], struct slicing *s, struct err *err)
{
    const struct slice_object bare = {.path = ""};
    const struct slice_options options = {.objects = &bare,
                                          .object_count = 1,
                                          .work_folder = s->folder,
                                          .profile = &s->profile,
                                          .engine = s->engine};
    return slice_hash(hash, &options, err);
}

/* Takes check. */
static void make_report(struct slicing *s, cJSON *check)
{
    const struct slice_result *r = &s->result;
    cJSON_Delete(s->report);
    cJSON *j = s->report = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "engine", r->engine);
    cJSON_AddStringToObject(j, "engine_version", r->engine_version);
    cJSON_AddStringToObject(j, "printer", s->profile.printer.id);
    cJSON_AddStringToObject(j, "material", s->profile.material.id);
    cJSON_AddStringToObject(j, "process", s->profile.process_id);
    cJSON_AddStringToObject(j, "threemf_sha256", s->threemf_hash);
    cJSON_AddStringToObject(j, "settings_sha256", r->closure_hash);
    cJSON_AddStringToObject(j, "gcode_sha256", r->gcode_hash);
    cJSON_AddNumberToObject(j, "print_time_s", r->print_time_s);
    cJSON_AddNumberToObject(j, "filament_mm", r->filament_mm);
    cJSON_AddNumberToObject(j, "filament_g", r->filament_g);
    cJSON_AddNumberToObject(j, "layer_count", r->layer_count);
    cJSON_AddNumberToObject(j, "height_mm", r->height_mm);
    cJSON_AddNumberToObject(j, "model_mm3", r->model_mm3);
    cJSON_AddNumberToObject(j, "slicing_s", r->seconds);
    cJSON_AddItemToObject(j, "check", check);
}

/* Stored by its hash before the row that names it. */
static int slice(struct slicing *s, struct err *err)
{
    struct slicing_texts texts;
    char kept[SHA256_HEX], after[SHA256_HEX];
    if (slicing_read_model(s, err))
        return -1;
    cJSON *check = NULL;
    struct slice_options options = slicing_options(s, &texts);
    options.check = &check;
    if (slice_run(&s->result, &options, err))
        return -1;
    make_report(s, check);
    if (hash_settings(after, s, err))
        return -1;
    if (strcmp(after, s->settings_hash) != 0)
        return FAIL_CODE(err, ERR_LATER, "slicer_changed", "the slicer was changed meanwhile");
    if (blob_put_file(kept, NULL, s->step->blobs, texts.gcode, err))
        return -1;
    return strcmp(kept, s->result.gcode_hash) == 0
               ? 0
               : FAIL(err, ERR_BUG, "the G-code changed after it was sliced");
}

static int store(struct slicing *s, const struct err *why, struct err *err)
{
    char fresh[ID_ROOM], time_s[32], mm[32], g[32], layers[16];
    struct lease lease = lease_of(s);
    struct bytes report = {0};
    struct db_rows *rows = NULL;
    const struct slice_result *r = &s->result;
    char *problem = why ? problem_text(why->code, why->what) : NULL;
    id_new(fresh, "slr");
    snprintf(time_s, sizeof time_s, "%.3f", r->print_time_s);
    snprintf(mm, sizeof mm, "%.3f", r->filament_mm);
    snprintf(g, sizeof g, "%.3f", r->filament_g);
    snprintf(layers, sizeof layers, "%u", r->layer_count);
    int failed = !why && json_print(&report, s->report, false, err);
    failed = failed ||
             DB_RUN(&rows, s->step->db, "slice_result_add", err, fresh, s->threemf_hash,
                    s->settings_hash, s->profile.printer.id, s->profile.material.id,
                    s->profile.process_id, why ? s->engine : r->engine, why ? NULL : r->gcode_hash,
                    why ? NULL : time_s, why ? NULL : mm, why ? NULL : g, why ? NULL : layers,
                    why ? "{}" : (const char *)report.data, problem, lease.job, lease.token);
    if (!failed)
        snprintf(s->result_id, sizeof s->result_id, "%s", db_text(rows, 0, 0));
    /* Lost bytes are sliced anew; what was said of them stands. */
    if (!failed && !s->opinion && !db_is_null(rows, 0, 1))
        failed = parse(&s->opinion, rows, 1, err);
    db_rows_free(rows);
    bytes_free(&report);
    free(problem);
    return failed ? -1 : 0;
}

bool slicing_is_lasting(const struct err *why)
{
    return why->kind == ERR_INPUT ||
           (why->kind == ERR_LIMIT && strncmp(why->code, "slice_", strlen("slice_")) == 0);
}

/* Ahead, what cannot be sliced is a result: the review sees it, and it is not tried again. */
static int failed_slice(struct slicing *s, const struct err *why, struct err *err)
{
    if (s->gave_way)
        return slicing_give_way(s, err);
    if (!(s->ahead || s->other) || !slicing_is_lasting(why))
        return -1;
    snprintf(s->problem_code, sizeof s->problem_code, "%.31s", why->code);
    snprintf(s->problem, sizeof s->problem, "%s", why->what);
    return store(s, why, err);
}

static int claim_and_slice(struct slicing *s, struct err *err)
{
    snprintf(s->claim, sizeof s->claim, "%s", s->settings_hash);
    int result = slicing_claim(s, s->engine, err);
    if (result)
        return result;
    result = look(s, err); /* whoever had it until a moment ago may have done it */
    if (result != 1)
        return result;
    if (slice(s, err)) {
        struct err why = *err;
        return failed_slice(s, &why, err);
    }
    return store(s, NULL, err);
}

static int run_with(struct slicing *s, const char *engine, struct err *err)
{
    s->engine = engine;
    if (hash_settings(s->settings_hash, s, err))
        return -1;
    int result = look(s, err);
    return result == 1 ? claim_and_slice(s, err) : result;
}

static int run_any(struct slicing *s, struct err *err)
{
    char why[300];
    s->other = true;
    int result = run_with(s, "cura", err);
    if (result || !*s->problem_code)
        return result;
    if (!is_engines_own(s->problem_code))
        return s->ahead ? 0 : FAIL_CODE(err, ERR_INPUT, s->problem_code, "%s", s->problem);
    snprintf(why, sizeof why, "cura: %.200s", s->problem);
    *s->problem_code = *s->problem = *s->result_id = 0;
    s->other = false;
    result = run_with(s, "prusa", err);
    if (!result && !*s->problem_code)
        result = DB_RUN(NULL, s->step->db, "slice_event", err, s->item->id, "slice.engine_changed",
                        s->step->actor, why, "{\"engine\":\"prusa\"}");
    return result;
}

int slicing_run(struct slicing *s, struct err *err)
{
    const struct settings *settings = s->step->settings;
    const char *config = *settings->config_folder ? settings->config_folder : NULL;
    if (profile_load(&s->profile, config, s->printer_class, item_material(s->item),
                     item_process(s->item), err))
        return -1;
    if (s->engine && strcmp(s->engine, "any") == 0)
        return run_any(s, err);
    return run_with(s, s->engine ? s->engine : "cura", err);
}

void slicing_free(struct slicing *s)
{
    profile_free(&s->profile);
    cJSON_Delete(s->report);
    cJSON_Delete(s->opinion);
    slice_objects_free(&s->objects);
    cJSON_Delete(s->model);
    s->report = s->opinion = s->model = NULL;
}
