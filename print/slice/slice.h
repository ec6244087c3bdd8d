/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slicing through an engine in a limited child, and the check of the G-code that comes out. */
#ifndef PRINT_SLICE_SLICE_H
#define PRINT_SLICE_SLICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "print/slice/gcode_check.h"
#include "print/slice/profile.h"

/* One thing on the plate. Coordinates are millimetres about the middle of the bed, z up from it. */
struct slice_object {
    const char *path;      /* binary .stl or .3mf on disk */
    const char *name;      /* for labels; or NULL */
    const cJSON *settings; /* what it has other than the process: infill_percent, infill_pattern,
                              wall_count, top_mm, bottom_mm, support.enabled; or NULL */
};

struct slice_options {
    const struct slice_object *objects;
    size_t object_count;     /* at least 1 */
    const char *out_path;    /* the G-code; written whole or not at all */
    const char *work_folder; /* for temp files; must exist */
    const struct profile *profile;
    const char *engine;    /* "cura" (NULL too) or "prusa"; a row of the engine table */
    const char *label;     /* goes into the G-code as a comment, escaped; or NULL */
    unsigned timeout_s;    /* 0 = 600 */
    uint64_t memory_bytes; /* address space of the engine; 0 = its usual one */
    const atomic_bool *stop;
    void (*on_progress)(void *user, double share); /* 0..1, or NULL */
    void *user;
    cJSON **check; /* gets the check's report on the G-code, to be cJSON_Deleted; NULL after a
                      failure; or NULL: not wanted */
};

struct slice_result {
    char engine[16], engine_version[32];
    char closure_hash[65]; /* SHA-256 of the sorted settings list that the engine was given */
    char gcode_hash[65];
    double print_time_s;
    double filament_mm;
    double filament_g;
    unsigned layer_count;
    double height_mm;
    double model_mm3; /* of all objects */
    double seconds;   /* of slicing */
};

/**
 * Slices the objects of one plate, puts the real header in place of the engine's, adds labels and
 * the thumbnails that the printer wants, and checks the G-code. A model is taken as it stands about
 * its pivot, which becomes the middle of the bed (a 3MF that only a forgiving reader takes is moved
 * there). The engine runs in a limited child without network. docs/slicing.md tells more.
 *
 * Result   the same G-code, byte for byte, for the same models, profiles, label and engine.
 * Errors   before slicing: ERR_INPUT slice_model_unreadable, slice_empty, slice_outside_bed (size
 *          and place), slice_floating, slice_overlap, material_too_hot for the printer;
 *          ERR_ABSENT program_missing with the package to install, unknown_engine.
 *          Of the engine: ERR_INPUT slice_empty, slice_no_first_layer, slice_bad_settings,
 *          slice_failed (what it said); ERR_LIMIT slice_out_of_memory, slice_too_large,
 *          slice_timeout; ERR_LATER slice_stopped, slice_unwritable.
 *          After it: ERR_INPUT gcode_rejected (the first fault that the check found).
 *          Nothing is at out_path then that was not there before.
 * Cost     16,000 triangles 80 mm high with support: 7 s and 70 MB in the child.
 * Threads  safe; the calling thread waits.
 */
int slice_run(struct slice_result *result, const struct slice_options *options,
              struct err *err) MUST_CHECK;

/**
 * The closure_hash that slice_run would give, without slicing: what was sliced with the same hash
 * from the same model bytes need not be sliced again.
 *
 * Covers   the engine and its version (asked once a process), the sorted settings, the profile as
 *          profile_frozen lists it, each object's name and own settings, the thumbnails' sizes, and
 *          the form of our own header. Not the
 *          models' bytes, nor the label.
 * Errors   ERR_ABSENT unknown_engine, program_missing; as slice_run for settings.
 * Cost     1 ms, and the engine's start once a process.
 */
int slice_hash(char closure_hash[65], const struct slice_options *options,
               struct err *err) MUST_CHECK;

/**
 * A second opinion: the other engine slices the same objects, and what both would print is held
 * against each other. options as for slice_run that gave `first` (its out_path is left alone).
 *
 * Result   {"first":{engine,version,filament_mm,mm3,print_time_s},"second":{...},"volume_ratio",
 *          "time_ratio","verdict":"agree|differ|far","findings":[{code,severity,message,value,
 *          limit}]}; ratios are second through first. "differ" is a warning: beyond what is usual;
 *          "far" an error: beyond what two engines can make of one model. The caller
 *          cJSON_Deletes it.
 * Errors   as slice_run, with the second engine's words.
 */
int slice_compare(cJSON **report, const struct slice_options *options,
                  const struct slice_result *first, struct err *err) MUST_CHECK;

#endif
