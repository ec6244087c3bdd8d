/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A slicing engine is one row: how it is called and how its words are understood. What every engine
 * shares (model, limits, header, check, final name) is in slice.c. Private to print/slice.
 */
#ifndef PRINT_SLICE_ENGINE_H
#define PRINT_SLICE_ENGINE_H

#include "base/bytes.h"
#include "print/mesh.h"
#include "print/slice/slice.h"

#define ENGINE_ARGS_MAX 24

/* What the engine said while it ran. */
struct engine_words {
    char version[32];
    char error[160];     /* its first complaint */
    struct bytes header; /* comment lines for the top of the G-code */
    bool in_header;
    double print_time_s, filament_mm;
    double share; /* of the work done, never falling */
};

/* All paths lie in the job's own temp folder, which is the child's working folder. */
struct engine_job {
    const struct slice_options *options;
    const struct mesh *mesh;
    double low[3], high[3]; /* the mesh's box */
    char folder[4096];
    char stl[4200], settings[4200], raw[4200];
    const char *argv[ENGINE_ARGS_MAX];
    struct bytes closure; /* the sorted settings, one KEY=VALUE a line */
    struct engine_words words;
};

struct engine {
    const char *name, *program, *package;
    /** Writes the settings file, fills argv and closure. */
    int (*prepare)(struct engine_job *job, struct err *err);
    /** Takes one line of the engine's stderr. */
    void (*hear)(struct engine_words *words, const char *line);
    /** The first line of the raw G-code that is the engine's own work, not its placeholder header:
     * true for each line to leave out. *state starts at 0. */
    bool (*placeholder)(int *state, const char *line);
};

/** The row with that name (NULL: the first), or NULL. */
const struct engine *engine_find(const char *name);

/** The fully resolved settings as one object of texts, in the order of their names. */
int cura_settings(cJSON **out, const struct engine_job *job, struct err *err) MUST_CHECK;

/**
 * What an object of the plate has other than the process, as leaf settings for behind its `-l`:
 * an object of texts, in the order of their names; empty when nothing differs. settings may be
 * NULL; see profile_object_process for what it may hold.
 * Owner    the caller deletes *out. Errors ERR_INPUT code schema_violation.
 */
int cura_object_settings(cJSON **out, const struct profile *profile, const cJSON *settings,
                         struct err *err) MUST_CHECK;

extern const struct engine engine_cura;

/** Appends the lines of the printer's start_gcode or end_gcode with our {words} filled in.
 * Errors   ERR_INPUT code schema_violation for a word that is not known. */
int machine_code(struct bytes *out, const struct profile *profile, const char *member,
                 struct err *err) MUST_CHECK;

/** Reads the model (binary STL or 3MF), finds its box and refuses what does not fit the bed. */
int model_load(struct mesh *mesh, struct engine_job *job, struct err *err) MUST_CHECK;

/** Writes to `to` the header, our labels and thumbnails, and the rest of the engine's raw G-code.
 */
int gcode_mend(const char *to, const struct engine_job *job, const struct engine *engine,
               const char *closure_hash, struct err *err) MUST_CHECK;

#endif
