/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report of inspecting and preparing a mesh, as schemas/mesh-report.schema.json describes it.
 */
#ifndef PRINT_MEASURE_REPORT_H
#define PRINT_MEASURE_REPORT_H

#include "base/json.h"
#include "print/measure/measure.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

struct report {
    cJSON *findings;
    cJSON *steps;
    enum severity worst;
    double started; /* clock_s at the end of the last step */
};

int report_open(struct report *report, struct err *err) MUST_CHECK;

/** Adds a step that has just ended; its time runs from the end of the one before. */
void report_step(struct report *report, const char *name, bool changed);

/** Adds a finding; value or limit NAN: there is none (null). */
void report_find(struct report *report, const char *code, enum severity severity, double value,
                 double limit, const char *fmt, ...) PRINTF_LIKE(6, 7);

/** One mesh's measures as JSON; print may be NULL. */
cJSON *report_measures(const struct mesh_measures *mesh, const struct print_measures *print);

/**
 * Makes the document and empties the report; takes input and output (NULL: null) over.
 * Errors ERR_LIMIT no memory.
 */
int report_close(cJSON **out, struct report *report, const char *verdict, cJSON *input,
                 cJSON *output, struct err *err) MUST_CHECK;

/** Releases a report that is not closed. */
void report_drop(struct report *report);

#endif
