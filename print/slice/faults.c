/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What engines say when they fail, and the same in plain words: what happened and what to do. */
#include <stdio.h>
#include <string.h>

#include "print/slice/engine.h"

struct fault {
    const char *engine;  /* NULL: any */
    const char *pattern; /* found anywhere in a complaint */
    enum err_kind kind;
    const char *code;
    const char *sentence;
    bool with_words; /* the engine's own words tell which setting */
};

/* In this order: the first that fits is told. */
static const struct fault faults[] = {
    {NULL, "bad_alloc", ERR_LIMIT, "slice_out_of_memory",
     "the slicer ran out of memory; use a model with fewer triangles", false},
    {NULL, "failed to map segment", ERR_LIMIT, "slice_out_of_memory",
     "the slicer has too little memory to start", false},
    {"cura", "with no value given", ERR_INPUT, "slice_bad_settings",
     "CuraEngine lacks a setting, so it is another version than the profiles are for", true},
    {"cura", "Layer height 0 is disallowed", ERR_INPUT, "slice_bad_settings",
     "the layer height is not a number above 0; mend layer_height in the process or its overrides",
     false},
    {"cura", "Failed to load model", ERR_INPUT, "slice_model_unreadable",
     "the slicer could not read the model; repair it and export it again", false},
    {"cura", "Unknown exception", ERR_INPUT, "slice_failed",
     "CuraEngine gave up without a reason, mostly for want of memory; repair or decimate the "
     "model, "
     "or slice with --engine prusa",
     false},
    {"prusa", "no extrusions in the first layer", ERR_INPUT, "slice_no_first_layer",
     "nothing of the model lies flat on the bed, so that there is no first layer; flatten its "
     "underside, turn it, or give it a base",
     false},
    {"prusa", "print is empty", ERR_INPUT, "slice_empty",
     "nothing of the model is thick enough for the nozzle; make it larger or its walls thicker",
     false},
    {"prusa", "No layers were detected", ERR_INPUT, "slice_empty",
     "the model is too low for a single layer; make it larger", false},
    {"prusa", "could not fit on the bed", ERR_INPUT, "slice_outside_bed",
     "the model does not fit the bed; make it smaller or take a larger printer", false},
    {"prusa", "greater than nozzle diameter", ERR_INPUT, "slice_bad_settings",
     "a layer is higher than the nozzle is wide; take a process with lower layers", false},
    {"prusa", "custom G-code template", ERR_INPUT, "slice_bad_settings",
     "PrusaSlicer does not understand the printer's start or end code", false},
    {"prusa", "Excessive ", ERR_INPUT, "slice_bad_settings",
     "a line is too wide for the nozzle; lower the widths in the process", true},
    {"prusa", "too low to be printable", ERR_INPUT, "slice_bad_settings",
     "a line is narrower than it is high; widen the widths in the process", true},
    {"prusa", "Failed loading configuration", ERR_INPUT, "slice_bad_settings",
     "PrusaSlicer refuses a setting; mend the profile", true},
    {"prusa", "configation is not valid", ERR_INPUT, "slice_bad_settings",
     "PrusaSlicer refuses a setting; mend the profile", true},
    {"prusa", "Loading of a model file failed", ERR_INPUT, "slice_model_unreadable",
     "the slicer could not read the model; repair it and export it again", false},
    {"prusa", "Cannot open the file for writing", ERR_LATER, "slice_unwritable",
     "the slicer could not write its G-code; look for room on the disk", false},
};

const struct fault *fault_find(const char *engine, const char *words)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if ((!engine || !faults[i].engine || strcmp(engine, faults[i].engine) == 0) &&
            strstr(words, faults[i].pattern))
            return &faults[i];
    return NULL;
}

/* The last part of a complaint names the setting: "...: Invalid value provided for ...: abc". */
static const char *tail_of(const char *said)
{
    size_t n = strlen(said);
    return n > 70 ? said + n - 70 : said;
}

int fault_fail(const struct fault *fault, const struct engine *engine, const char *said,
               struct err *err)
{
    if (!fault)
        return FAIL_CODE(err, ERR_INPUT, "slice_failed", "%s failed and said: %.140s",
                         engine->program, *said ? said : "nothing");
    if (fault->with_words)
        return err_fail(err, fault->kind, fault->code, ERR_WHERE, "%s: %s", fault->sentence,
                        tail_of(said));
    return err_fail(err, fault->kind, fault->code, ERR_WHERE, "%s", fault->sentence);
}
