/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * slice: the 3MF that was passed, by its hash and no other, becomes checked G-code, and runs are
 * planned for the parts that are owed; then the template's other printer classes are sliced ahead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/slicing.h"
#include "service/steps_own.h"
#include "storage/order.h"

/* approved -> slicing, seen by those who watch; found so after a crash it is fine. */
static int begin_slicing(struct step *step, struct item *item, struct err *err)
{
    if (strcmp(item->state, "slicing") == 0)
        return 0;
    int result = step_begin(step, item, "approved", err);
    if (result)
        return result;
    snprintf(item->state, sizeof item->state, "slicing");
    return item_move(step, item, "slice.started", NULL, err) || db_commit(step->db, err) ? -1 : 0;
}

/* For printers of other classes that may be free when the usual ones are busy. */
static int add_others(struct step *step, const struct item *item, struct err *err)
{
    const cJSON *class;
    cJSON_ArrayForEach (class, json_get(item->product, "also_on")) {
        if (strcmp(class->valuestring, item_printer_class(item)) != 0 &&
            slicing_add_ahead(step->db, item->id, item->model_id, class->valuestring, AHEAD_CLASS,
                              err))
            return -1;
    }
    return 0;
}

/* Two engines that differ by more than two engines do: a person looks before it is queued. */
static int hold(struct slicing *s, struct err *err)
{
    char message[160];
    const cJSON *finding = cJSON_GetArrayItem(json_get(s->opinion, "findings"), 0);
    snprintf(message, sizeof message, "Another slicer makes something else of it: %.110s",
             json_text(finding, "message", "see the slice's report"));
    char *problem = problem_text("second_opinion_differs", message);
    int failed =
        item_move(s->step, s->item, "slice.failed", problem, err) || step_end(s->step, err);
    free(problem);
    return failed ? -1 : 0;
}

static int write_sliced(struct slicing *s, struct err *err)
{
    char slice_id[40];
    bool doubted;
    if (slicing_is_doubted(&doubted, s, err))
        return -1;
    if (doubted)
        return hold(s, err);
    return slicing_enter(slice_id, s, err) || item_move(s->step, s->item, "slice.ok", NULL, err) ||
                   runs_plan(NULL, s->step->db, s->item->id, slice_id, s->step->actor, err) ||
                   add_others(s->step, s->item, err) || step_end(s->step, err)
               ? -1
               : 0;
}

static int slice_in(struct step *step, const struct item *item, const char *folder, struct err *err)
{
    struct slicing s = {.step = step,
                        .item = item,
                        .folder = folder,
                        .threemf_hash = item->approved_hash,
                        .printer_class = item_printer_class(item),
                        .engine = slicing_engine(item)};
    int result = slicing_run(&s, err);
    if (!result && slicing_wants_opinion(item))
        result = slicing_opinion(&s, err);
    if (!result)
        result = step_begin(step, item, "slicing", err);
    if (!result)
        result = write_sliced(&s, err);
    slicing_free(&s);
    return result < 0 ? -1 : 0;
}

int step_slice(struct step *step, struct err *err)
{
    struct item item;
    int result = item_load(&item, step, err);
    if (!result && strcmp(item.state, "approved") != 0 && strcmp(item.state, "slicing") != 0)
        result = step_drop(step, "the item has moved on", err) ? -1 : 1;
    if (!result)
        result = begin_slicing(step, &item, err);
    item_free(&item);
    return result ? (result < 0 ? -1 : 0) : step_in_folder(step, "slicing", slice_in, err);
}
