/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * slice_ahead: an item's present model is sliced before that is needed: while its review waits, so
 * that the review shows what it will take and a pass is queued at once; for further printer classes
 * after the pass; or because a person asks for a second opinion. It changes no state of the item.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/log.h"
#include "service/role.h"
#include "service/slicing.h"
#include "service/steps_own.h"

struct wish {
    cJSON *payload;
    const char *model, *class;
    bool second; /* a person asked for the other engine's opinion */
};

static int read_wish(struct wish *wish, const struct job *job, const struct item *item,
                     struct err *err)
{
    const char *text = job->payload ? job->payload : "{}";
    if (json_parse(&wish->payload, text, strlen(text), err))
        return -1;
    wish->model = json_text(wish->payload, "model", "");
    wish->class = json_text(wish->payload, "class", item_printer_class(item));
    wish->second = json_bool(wish->payload, "second_opinion", false);
    return 0;
}

/* Where the item and its model stand. */
struct standing {
    char state[24], threemf_hash[SHA256_HEX], approved_hash[SHA256_HEX];
    bool is_present, troubled; /* the wish's model is the item's; a problem is shown of it */
};

static int look(struct standing *now, struct step *step, const struct wish *wish, struct err *err)
{
    struct db_rows *rows = NULL;
    *now = (struct standing){0};
    if (DB_RUN(&rows, step->db, "slice_ahead_item", err, step->job->subject))
        return -1;
    if (db_row_count(rows) == 1) {
        snprintf(now->state, sizeof now->state, "%s", db_text(rows, 0, 0));
        now->is_present = strcmp(db_text(rows, 0, 1), wish->model) == 0;
        snprintf(now->threemf_hash, sizeof now->threemf_hash, "%s", db_text(rows, 0, 2));
        snprintf(now->approved_hash, sizeof now->approved_hash, "%s", db_text(rows, 0, 3));
        now->troubled = strcmp(db_text(rows, 0, 4), "t") == 0;
    }
    db_rows_free(rows);
    return 0;
}

static bool is_wanted(const struct standing *now)
{
    static const char *const states[] = {"review", "approved", "slicing", "queued", "printing"};
    if (!now->is_present || !*now->threemf_hash)
        return false;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(now->state, states[i]) == 0)
            return true;
    return false;
}

static int tell(struct slicing *s, const char *event, const char *reason, struct err *err)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "printer_class", s->printer_class);
    cJSON_AddStringToObject(payload, "engine", s->result.engine);
    if (*s->problem_code)
        cJSON_AddStringToObject(payload, "code", s->problem_code);
    char *text = cJSON_PrintUnformatted(payload);
    int failed = DB_RUN(NULL, s->step->db, "slice_event", err, s->item->id, event, s->step->actor,
                        reason, text);
    free(text);
    cJSON_Delete(payload);
    return failed;
}

/* A review that shows no other trouble shows this one. */
static int warn_review(struct slicing *s, const struct standing *now, struct err *err)
{
    bool far = strcmp(json_text(s->opinion, "verdict", ""), "far") == 0;
    if (strcmp(now->state, "review") != 0 || now->troubled || (!far && !*s->problem_code))
        return 0;
    char *problem = far ? problem_text("second_opinion_differs",
                                       "Another slicer makes something else of this model")
                        : problem_text(s->problem_code, s->problem);
    int failed = DB_RUN(NULL, s->step->db, "step_problem", err, s->item->id, problem);
    free(problem);
    return failed;
}

/* What is of use to a run by now becomes the item's own: only of what is passed. */
static int enter(struct slicing *s, const struct standing *now, struct err *err)
{
    char slice_id[40];
    bool doubted = false,
         queued = strcmp(now->state, "queued") == 0 || strcmp(now->state, "printing") == 0;
    if (!queued || *s->problem_code || strcmp(now->approved_hash, s->threemf_hash) != 0)
        return 0;
    if (slicing_is_doubted(&doubted, s, err))
        return -1;
    return doubted ? 0 : slicing_enter(slice_id, s, err);
}

static int write(struct slicing *s, const struct wish *wish, struct err *err)
{
    struct standing now;
    const char *event = *s->problem_code ? "slice.not_ahead" : "slice.ahead";
    if (db_begin(s->step->db, err) || DB_RUN(NULL, s->step->db, "item_lock", err, s->item->id) ||
        look(&now, s->step, wish, err))
        return -1;
    int failed =
        is_wanted(&now) && strcmp(now.threemf_hash, s->threemf_hash) == 0 &&
        (enter(s, &now, err) || warn_review(s, &now, err) || tell(s, event, s->problem, err));
    return failed || step_end(s->step, err) ? -1 : 0;
}

/* 0 done or given back. What fails for want of a program is no fault of the item, and is seen again
 * when it is needed. */
static int slice_wish(struct slicing *s, const struct wish *wish, struct err *err)
{
    int result = slicing_run(s, err);
    if (!result && (wish->second || slicing_wants_opinion(s->item)))
        result = slicing_opinion(s, err);
    if (result < 0 && err->kind == ERR_ABSENT) {
        log_failure(LOG_WARN, "slice_ahead", s->item->id, err);
        snprintf(s->problem_code, sizeof s->problem_code, "%.31s",
                 *err->code ? err->code : err_kind_name(err->kind));
        snprintf(s->problem, sizeof s->problem, "%s", err->what);
        result = 0;
    }
    return result ? result : write(s, wish, err);
}

static int run(struct step *step, const struct item *item, const struct wish *wish,
               const struct standing *now, struct err *err)
{
    char folder[700] = "";
    struct slicing s = {.step = step,
                        .item = item,
                        .threemf_hash = now->threemf_hash,
                        .printer_class = wish->class,
                        .engine = slicing_engine(item),
                        .ahead = true};
    int result = work_folder_make(folder, step->settings->work_folder, step->job->kind, err);
    s.folder = folder;
    if (!result)
        result = slice_wish(&s, wish, err);
    slicing_free(&s);
    work_folder_drop(folder);
    return result < 0 ? -1 : 0;
}

int step_slice_ahead(struct step *step, struct err *err)
{
    struct item item;
    struct wish wish = {0};
    struct standing now;
    int result = item_load(&item, step, err);
    if (!result)
        result = read_wish(&wish, step->job, &item, err) || look(&now, step, &wish, err) ? -1 : 0;
    if (!result)
        result = is_wanted(&now) ? run(step, &item, &wish, &now, err)
                                 : step_drop(step, "the item has moved on", err);
    cJSON_Delete(wish.payload);
    item_free(&item);
    return result;
}
