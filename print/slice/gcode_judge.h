/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what a scan found to findings. Private to print/slice. */
#ifndef PRINT_SLICE_GCODE_JUDGE_H
#define PRINT_SLICE_GCODE_JUDGE_H

#include "print/slice/gcode_check.h"
#include "print/slice/gcode_scan.h"

/** Adds a finding for each thing that is wrong; false when one of them is an error. */
bool gcode_judge(cJSON *findings, const struct gcode_scan *scan,
                 const struct gcode_check_options *options);

/** Filament that the slicer counts too, in mm: model, support, skirt and brim. */
double gcode_counted_mm(const struct gcode_scan *scan);

#endif
