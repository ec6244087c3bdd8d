/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * slice: the 3MF that was passed, by its hash and no other, becomes checked G-code, and runs are
 * planned for the parts that are owed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "print/slice/slice.h"
#include "service/role.h"
#include "service/steps_own.h"
#include "storage/order.h"

struct sliced {
    struct profile profile;
    struct slice_result result;
    cJSON *shape, *report; /* what tostl said; ours with the G-code's check */
    struct keep gcode, note;
};

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

static int run_slicer(struct sliced *s, struct step *step, const struct item *item,
                      const char *folder, struct err *err)
{
    char model[800], gcode[800], label[120];
    const char *config = *step->settings->config_folder ? step->settings->config_folder : NULL;
    snprintf(model, sizeof model, "%s/out.stl", folder);
    snprintf(gcode, sizeof gcode, "%s/out.gcode", folder);
    snprintf(label, sizeof label, "order %s item %s", item->order_id, item->id);
    if (folder_blob(step, item->approved_hash, folder, "in", err) ||
        role_run(&s->shape, "tostl", folder, step->stop, err) ||
        profile_load(&s->profile, config, item_printer_class(item), item_material(item), NULL, err))
        return -1;
    const struct slice_object object = {.path = model};
    struct slice_options options = {.objects = &object,
                                    .object_count = 1,
                                    .out_path = gcode,
                                    .work_folder = folder,
                                    .profile = &s->profile,
                                    .label = label,
                                    .stop = step->stop};
    return slice_run(&s->result, &options, err);
}

static int make_report(struct sliced *s, const char *folder, struct err *err)
{
    char gcode[800];
    bool passed = false;
    cJSON *check = NULL;
    const struct slice_result *r = &s->result;
    snprintf(gcode, sizeof gcode, "%s/out.gcode", folder);
    const struct gcode_check_options options = {.printer = &s->profile.printer,
                                                .material = &s->profile.material,
                                                .model_height_mm =
                                                    json_number(s->shape, "height_mm", 0)};
    if (gcode_check(&check, &passed, gcode, &options, err))
        return -1;
    cJSON *j = s->report = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "engine", r->engine);
    cJSON_AddStringToObject(j, "printer", s->profile.printer.id);
    cJSON_AddStringToObject(j, "material", s->profile.material.id);
    cJSON_AddStringToObject(j, "settings_sha256", r->closure_hash);
    cJSON_AddStringToObject(j, "gcode_sha256", r->gcode_hash);
    cJSON_AddNumberToObject(j, "print_time_s", r->print_time_s);
    cJSON_AddNumberToObject(j, "filament_mm", r->filament_mm);
    cJSON_AddNumberToObject(j, "filament_g", r->filament_g);
    cJSON_AddNumberToObject(j, "layer_count", r->layer_count);
    cJSON_AddNumberToObject(j, "height_mm", r->height_mm);
    cJSON_AddItemToObject(j, "check", check);
    if (!passed)
        return FAIL_CODE(err, ERR_INPUT, "gcode_rejected", "the G-code did not pass its check");
    return 0;
}

static int keep_sliced(struct sliced *s, struct step *step, const char *folder, struct err *err)
{
    return make_report(s, folder, err) || folder_write(folder, "slice.json", s->report, err) ||
                   keep_file(&s->gcode, step, folder, "out.gcode", err) ||
                   keep_file(&s->note, step, folder, "slice.json", err)
               ? -1
               : 0;
}

static int add_slice(char id[40], const struct sliced *s, struct step *step,
                     const struct item *item, struct err *err)
{
    char fresh[ID_ROOM], time_s[32], mm[32], g[32], layers[16];
    struct bytes report = {0};
    struct db_rows *rows = NULL;
    const struct slice_result *r = &s->result;
    id_new(fresh, "slc");
    snprintf(time_s, sizeof time_s, "%.3f", r->print_time_s);
    snprintf(mm, sizeof mm, "%.3f", r->filament_mm);
    snprintf(g, sizeof g, "%.3f", r->filament_g);
    snprintf(layers, sizeof layers, "%u", r->layer_count);
    int failed =
        json_print(&report, s->report, false, err) ||
        DB_RUN(&rows, step->db, "step_slice_add", err, fresh, item->id, item->model_id,
               item->approved_hash, s->profile.printer.id, s->profile.material.id, r->engine,
               r->closure_hash, s->gcode.hash, time_s, mm, g, layers, (const char *)report.data);
    if (!failed)
        snprintf(id, 40, "%s", db_text(rows, 0, 0));
    db_rows_free(rows);
    bytes_free(&report);
    return failed ? -1 : 0;
}

static int write_sliced(struct sliced *s, struct step *step, const struct item *item,
                        struct err *err)
{
    char slice_id[40];
    return add_slice(slice_id, s, step, item, err) || keep_note(&s->gcode, step, item, err) ||
                   keep_note(&s->note, step, item, err) ||
                   item_move(step, item, "slice.ok", NULL, err) ||
                   runs_plan(NULL, step->db, item->id, slice_id, step->actor, err) ||
                   step_end(step, err)
               ? -1
               : 0;
}

static int slice_in(struct step *step, const struct item *item, const char *folder, struct err *err)
{
    char gcode_name[64], note_name[64];
    stage_name(gcode_name, "07_sliced", item->model_number, "gcode");
    stage_name(note_name, "07_slice", item->model_number, "json");
    struct sliced s = {
        .gcode = {.kind = "gcode", .name = gcode_name, .mime = "text/x-gcode"},
        .note = {.kind = "slice_report", .name = note_name, .mime = "application/json"}};
    s.gcode.model_id = s.note.model_id = item->model_id;
    int result = run_slicer(&s, step, item, folder, err);
    if (!result)
        result = keep_sliced(&s, step, folder, err);
    if (!result)
        result = step_begin(step, item, "slicing", err);
    if (!result)
        result = write_sliced(&s, step, item, err);
    profile_free(&s.profile);
    cJSON_Delete(s.shape);
    cJSON_Delete(s.report);
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
