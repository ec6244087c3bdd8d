/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prepare: the generated model becomes a printable 3MF and STL of the ordered size, with a report
 * and pictures; then the review waits, or a policy that the template names passes a green report.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/role.h"
#include "service/slicing.h"
#include "service/steps_own.h"
#include "storage/order.h"

enum {
    OUT_REPORT,
    OUT_THREEMF,
    OUT_STL,
    OUT_FRONT,
    OUT_ISO,
    OUT_BACK,
    OUT_THIN,
    OUT_OVERHANG,
    OUT_CHANGE,
    OUT_TURN,
    OUT_PREVIEW,
    OUT_COUNT
};

static const struct {
    const char *kind, *stage, *extension, *mime, *file;
} outputs[OUT_COUNT] = {
    {"report", "05_report", "json", "application/json", "result.json"},
    {"threemf", "05_prepared", "3mf", "model/3mf", "out.3mf"},
    {"stl", "05_prepared", "stl", "model/stl", "out.stl"},
    {"render_front", "05_render_front", "png", "image/png", "render_front.png"},
    {"render_iso", "05_render_iso", "png", "image/png", "render_iso.png"},
    {"render_back", "05_render_back", "png", "image/png", "render_back.png"},
    {"render_thin", "05_render_thin", "png", "image/png", "render_thin.png"},
    {"render_overhang", "05_render_overhang", "png", "image/png", "render_overhang.png"},
    {"render_change", "05_render_change", "png", "image/png", "render_change.png"},
    {"render_turn", "05_render_turn", "png", "image/png", "render_turn.png"},
    {"preview", "05_preview", "glb", "model/gltf-binary", "preview.glb"},
};

struct prepared {
    struct source source;
    cJSON *options, *report;
    char model_id[ID_ROOM];
    char names[OUT_COUNT][64];
    struct keep keeps[OUT_COUNT];
    bool rejected;
};

static void add_labels(cJSON *options, const struct item *item, const struct source *source)
{
    char hash[SHA256_HEX];
    char *text = cJSON_PrintUnformatted(options);
    struct sha256 sum;
    sha256_start(&sum);
    sha256_feed(&sum, source->hash, strlen(source->hash));
    sha256_feed(&sum, text ? text : "", text ? strlen(text) : 0);
    sha256_end(hash, &sum);
    free(text);
    const char *called = *item->name ? item->name : json_text(item->product, "name", "model");
    cJSON *labels = cJSON_AddObjectToObject(options, "labels");
    cJSON_AddStringToObject(labels, "title", called);
    cJSON_AddStringToObject(labels, "object_name", called);
    cJSON_AddStringToObject(labels, "order_id", item->order_id);
    cJSON_AddStringToObject(labels, "item_id", item->id);
    /* Source and options, and the time of the source: the same again gives the same bytes. */
    cJSON_AddStringToObject(labels, "version_hash", hash);
    cJSON_AddStringToObject(labels, "created", source->made_at);
}

/* What was ordered cannot be made of this model (a text that does not fit, say): a person decides.
 */
static cJSON *refusal(const struct err *why)
{
    cJSON *report = cJSON_CreateObject(), *finding = cJSON_CreateObject();
    cJSON_AddStringToObject(report, "verdict", "reject");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(report, "findings"), finding);
    cJSON_AddStringToObject(finding, "code", *why->code ? why->code : "not_preparable");
    cJSON_AddStringToObject(finding, "severity", "error");
    cJSON_AddStringToObject(finding, "message", why->what);
    cJSON_AddNullToObject(finding, "value");
    cJSON_AddNullToObject(finding, "limit");
    cJSON_AddNullToObject(report, "output");
    cJSON_AddArrayToObject(report, "steps");
    return report;
}

static int run_prep(struct prepared *p, struct step *step, const struct item *item,
                    const char *folder, struct err *err)
{
    if (source_load(&p->source, step, item, err) ||
        folder_blob(step, p->source.hash, folder, "in", err) ||
        step_mask(step, item, folder, err) ||
        item_role_options(&p->options, item, step, p->source.file, err))
        return -1;
    cJSON_AddTrueToObject(p->options, "stl");
    cJSON_AddTrueToObject(p->options, "pictures");
    add_labels(p->options, item, &p->source);
    if (folder_write(folder, "options.json", p->options, err))
        return -1;
    if (role_run(&p->report, "prep", folder, step->stop, err)) {
        if (err->kind != ERR_INPUT)
            return -1;
        p->report = refusal(err);
        if (folder_write(folder, outputs[OUT_REPORT].file, p->report, err))
            return -1;
    }
    p->rejected = strcmp(json_text(p->report, "verdict", "reject"), "reject") == 0;
    return 0;
}

static int keep_outputs(struct prepared *p, struct step *step, const char *folder, struct err *err)
{
    id_new(p->model_id, "mdl");
    int count = p->rejected ? OUT_REPORT + 1 : OUT_COUNT;
    for (int i = 0; i < count; i++) {
        stage_name(p->names[i], outputs[i].stage, p->source.next_model, outputs[i].extension);
        p->keeps[i] = (struct keep){.kind = outputs[i].kind,
                                    .name = p->names[i],
                                    .mime = outputs[i].mime,
                                    .model_id = p->model_id};
        if (keep_file(&p->keeps[i], step, folder, outputs[i].file, err))
            return -1;
    }
    return 0;
}

static int add_model(struct prepared *p, struct step *step, const struct item *item,
                     struct err *err)
{
    char number[16];
    struct bytes options = {0}, report = {0};
    snprintf(number, sizeof number, "%d", p->source.next_model);
    int failed = json_print(&options, p->options, false, err) ||
                 json_print(&report, p->report, false, err) ||
                 DB_RUN(NULL, step->db, "step_model_add", err, p->model_id, item->id,
                        p->source.task_id, number, p->source.hash, (const char *)options.data,
                        (const char *)report.data, json_text(p->report, "verdict", "reject"),
                        p->rejected ? NULL : p->keeps[OUT_THREEMF].hash,
                        p->rejected ? NULL : p->keeps[OUT_STL].hash);
    bytes_free(&options);
    bytes_free(&report);
    return failed ? -1 : 0;
}

/* While the review waits: it shows what the print will take, and its pass is queued at once. */
static int slice_ahead(struct prepared *p, struct step *step, const struct item *item,
                       struct err *err)
{
    return slicing_wants_ahead(item)
               ? slicing_add_ahead(step->db, item->id, p->model_id, item_printer_class(item),
                                   AHEAD_REVIEW, err)
               : 0;
}

/* The policy passes what its template lets it pass, and nothing else; it binds to this 3MF. */
static int pass_by_policy(struct prepared *p, struct step *step, const struct item *item,
                          struct err *err)
{
    const cJSON *own = json_get(item->options, "auto_pass");
    const cJSON *rule = own ? own : json_get(item->product, "auto_pass"), *verdict;
    bool allowed = false;
    cJSON_ArrayForEach (verdict, json_get(rule, "verdicts")) {
        allowed |= cJSON_IsString(verdict) &&
                   strcmp(verdict->valuestring, json_text(p->report, "verdict", "")) == 0;
    }
    const char *policy = json_text(rule, "policy", NULL);
    if (!policy || !allowed)
        return slice_ahead(p, step, item, err);
    char actor[64];
    snprintf(actor, sizeof actor, "policy:%.50s", policy);
    struct review_decision decision = {.item_id = item->id,
                                       .decision = "pass",
                                       .threemf_hash = p->keeps[OUT_THREEMF].hash,
                                       .reason =
                                           "the report's verdict is one that the policy passes",
                                       .actor = actor};
    return review_decide(step->db, &decision, err);
}

static int write_prepared(struct prepared *p, struct step *step, const struct item *item,
                          struct err *err)
{
    bool green = strcmp(json_text(p->report, "verdict", ""), "pass") == 0;
    char *problem = green ? NULL : report_problem(p->report, "the model wants a look");
    int failed = add_model(p, step, item, err);
    for (int i = 0; i < OUT_COUNT && !failed; i++)
        if (p->keeps[i].kind)
            failed = keep_note(&p->keeps[i], step, item, err);
    failed = failed ||
             item_move(step, item, p->rejected ? "prep.failed" : "prep.ok", problem, err) ||
             (!p->rejected && pass_by_policy(p, step, item, err)) || step_end(step, err);
    free(problem);
    return failed ? -1 : 0;
}

static int prepare_in(struct step *step, const struct item *item, const char *folder,
                      struct err *err)
{
    struct prepared p = {0};
    int result = run_prep(&p, step, item, folder, err);
    if (!result)
        result = keep_outputs(&p, step, folder, err);
    if (!result)
        result = step_begin(step, item, "preparing", err);
    if (!result)
        result = write_prepared(&p, step, item, err);
    cJSON_Delete(p.options);
    cJSON_Delete(p.report);
    return result < 0 ? -1 : 0;
}

int step_prepare(struct step *step, struct err *err)
{
    return step_in_folder(step, "preparing", prepare_in, err);
}
