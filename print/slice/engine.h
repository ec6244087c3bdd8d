/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A slicing engine is one row: how it is called and how its words are understood. What every engine
 * shares (models, limits, header, check, final name) is in slice.c. Private to print/slice.
 */
#ifndef PRINT_SLICE_ENGINE_H
#define PRINT_SLICE_ENGINE_H

#include <stdio.h>

#include "base/bytes.h"
#include "print/mesh.h"
#include "print/slice/slice.h"

#define ENGINE_ARGS_MAX 4096

/* What the engine said while it ran. */
struct engine_words {
    char error[160];           /* its first complaint */
    const struct fault *fault; /* the first one that was understood, or NULL */
    struct bytes header;       /* comment lines for the top of the G-code */
    bool in_header;
    double print_time_s, filament_mm;
    double share; /* of the work done, never falling */
};

struct engine_version {
    char text[32];
    int major, minor; /* 0.0 where the text has no number */
    char path[1024];  /* the very program that was asked: the one to run */
};

/* One model of the plate. file is its name in the job's folder. */
struct engine_object {
    struct mesh mesh;
    double low[3], high[3], volume_mm3;
    char file[24];
};

/* All paths lie in the job's own temp folder, which is the child's working folder. Without objects
 * it is a job whose models are not known: its box is the middle of the bed. */
struct engine_job {
    const struct slice_options *options;
    struct engine_object *objects; /* options->object_count of them, or NULL */
    double low[3], high[3];        /* the box about all of them */
    char folder[4096], raw[4200];
    char **args; /* NULL-terminated, owned */
    size_t arg_count;
    struct engine_version version;
    struct engine_words words;
};

struct engine {
    const char *name, *program, *package;
    const char *version_arg,
        *version_mark;                  /* what makes it say its version, and the words before */
    uint64_t memory_bytes, stack_bytes; /* that it wants: see README.md for the measurements */
    bool placeholder_head;              /* its G-code begins with a header that is not true */
    bool one_processor;                 /* on several its work comes out differently each time */

    /** Appends all settings, sorted, KEY=VALUE a line, as they are for any model. */
    int (*closure)(struct bytes *out, const struct engine_job *job, struct err *err);
    /** Writes the files that it needs into the folder, and fills args. */
    int (*prepare)(struct engine_job *job, struct err *err);
    /** Takes one line of stdout (else stderr); returns what of it is a complaint, or NULL. */
    const char *(*hear)(struct engine_words *words, const char *line, bool output);
    /** What is known only from the G-code; may be NULL. */
    int (*read_end)(struct engine_job *job, struct err *err);
};

extern const struct engine engine_cura, engine_prusa;

/** The row with that name (NULL: the first), or NULL. */
const struct engine *engine_find(const char *name);

/** Another row than this one: for a second opinion. */
const struct engine *engine_other(const struct engine *engine);

/**
 * Its version, asked once a process and again when the program's file has changed.
 * Errors   ERR_ABSENT program_missing, naming the package.
 */
int engine_probe(struct engine_version *version, const struct engine *engine,
                 struct err *err) MUST_CHECK;

/** Appends one argument. */
int engine_arg(struct engine_job *job, struct err *err, const char *fmt, ...)
    PRINTF_LIKE(3, 4) MUST_CHECK;

/** Runs it on a prepared job, and judges its end: 0 only when there is something to print. */
int engine_run(struct engine_job *job, const struct engine *engine, double *seconds,
               struct err *err) MUST_CHECK;

/* A known failure in an engine's own words: see faults.c. */
struct fault;

/** The known failure that these words are of, or NULL. engine may be NULL for any. */
const struct fault *fault_find(const char *engine, const char *words);

/** Fails in plain words: what happened, and what to do. said may be "". */
int fault_fail(const struct fault *fault, const struct engine *engine, const char *said,
               struct err *err);

/** Releases all but the options; removes the folder. */
void engine_job_close(struct engine_job *job);

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

/** Appends the lines of the printer's start_gcode or end_gcode with our {words} filled in.
 * Errors   ERR_INPUT code schema_violation for a word that is not known. */
int machine_code(struct bytes *out, const struct profile *profile, const char *member,
                 struct err *err) MUST_CHECK;

/** Whether machine_code would take that line for every engine; if not, what says why. */
bool machine_line_sound(char *what, size_t room, const char *line);

/** Reads the models (binary STL or 3MF), finds their boxes and volumes, and refuses what does not
 * fit the bed or lies over another. */
int models_load(struct engine_job *job, struct err *err) MUST_CHECK;

/** Refuses objects that lie over one another as seen from above. */
int models_apart(const struct engine_job *job, struct err *err) MUST_CHECK;

/** All objects as one mesh, for a picture. The caller frees it. */
int models_join(struct mesh *out, const struct engine_job *job, struct err *err) MUST_CHECK;

/** What slice_compare reports of two results. The caller cJSON_Deletes it. */
cJSON *compare_results(const struct slice_result *first, const struct slice_result *second,
                       const struct profile *profile);

/** Writes to `to` the header, our labels and thumbnails, and the rest of the engine's raw G-code.
 */
int gcode_mend(const char *to, const struct engine_job *job, const struct engine *engine,
               const char *closure_hash, struct err *err) MUST_CHECK;

/** Our labels and the printer's thumbnails, as comments. */
int gcode_labels(FILE *out, const struct engine_job *job, const struct engine *engine,
                 const char *closure_hash, struct err *err) MUST_CHECK;

#endif
