/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last gate before a printer heats up: what G-code would do, held against printer and model. */
#ifndef PRINT_SLICE_GCODE_CHECK_H
#define PRINT_SLICE_GCODE_CHECK_H

#include <stdbool.h>

#include "print/slice/profile.h"

struct gcode_check_options {
    const struct printer_profile *printer;
    const struct material_profile *material; /* NULL: its limits are not looked at */
    double model_height_mm;                  /* 0: not known */
    double model_volume_mm3;                 /* of all objects on the plate; 0: not known */
    double shell_mm;                         /* least thickness of walls and skins; 0: not known */
    double infill_percent;                   /* the least of all objects; 0: not known */
    void (*on_progress)(void *user, double share); /* of the file read, 0..1; or NULL */
    void *user;
};

/**
 * Fills in what a profile says: printer, material, and how thick shells and how dense the infill
 * are. The rest of options is left as it is.
 */
void gcode_check_profile(struct gcode_check_options *options, const struct profile *profile);

/**
 * Checks G-code in one streaming pass. docs/gcode-check.md lists the codes, what each means, and
 * its limit.
 *
 * Shape    text for Marlin or Klipper as CuraEngine and PrusaSlicer write it: absolute or relative.
 * Result   {"verdict":"pass|reject","findings":[{code,severity,message,line?,value,limit}],
 *          "measures":{...}} as schemas/gcode-report.schema.json has it; severity is "error"
 *          (rejects) or "warning". The caller cJSON_Deletes it.
 * Errors   only for a file that cannot be read, and ERR_INPUT code gcode_packed for what is no text
 *          at all: gzip, zip, binary G-code.
 * Cost     O(bytes) with flat memory.
 * Threads  safe.
 */
int gcode_check(cJSON **report, bool *passed, const char *path,
                const struct gcode_check_options *options, struct err *err) MUST_CHECK;

#endif
