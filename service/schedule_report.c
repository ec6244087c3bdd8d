/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a printer's report means for the printer and for the run on it. No database, no network. */
#include <string.h>

#include "service/schedule.h"

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool prints(enum printer_state state)
{
    return state == PRINTER_PREPARING || state == PRINTER_PRINTING || state == PRINTER_PAUSED;
}

/* An answer that says "not connected" counts at once; silence only after a while. */
static bool is_away(const struct watched *before, const struct printer_report *report)
{
    if (report->state != PRINTER_OFFLINE)
        return false;
    return report->answered || before->away_ms < 0 || before->away_ms > SCHEDULE_LOST_MS;
}

/* Nothing of ours is on the printer. */
static struct verdict without_run(const struct watched *before, const struct printer_report *report)
{
    struct verdict v = {0};
    const char *state = before->state;
    bool rests = !is(state, "awaiting_clear") && !is(state, "attention");
    if (is_away(before, report) || report->state == PRINTER_FAILED) {
        v.printer_to = "offline";
        v.reason = report->message;
    } else if (prints(report->state) && !is(state, "busy") && !is(state, "paused") && rests) {
        v.printer_to = "attention";
        v.reason = "it prints something that we did not send";
        v.bed_taken = true;
    } else if (report->state == PRINTER_ATTENTION && rests && !is(state, "offline")) {
        v.printer_to = "error";
        v.reason = report->message;
    } else if (printer_is_idle(report->state) && !is(state, "ready") && rests) {
        bool waits = is(state, "offline") || is(state, "reserved");
        v.printer_to = before->bed_clear && waits ? "ready" : "awaiting_clear";
    }
    return v;
}

/* The run's end, by the printer's report of our file or by its record of that file's prints. */
static const char *run_end(const struct printer_report *report, bool ours,
                           const struct printer_file *record)
{
    if (ours && report->state == PRINTER_FAILED)
        return "run.failed";
    if (ours && report->state == PRINTER_CANCELLED)
        return "run.cancelled";
    if ((ours && report->state == PRINTER_DONE) || (record->success > 0 && record->last_success))
        return "run.finished";
    return record->failure > 0 ? "run.failed" : NULL;
}

/* Our file is being printed, or waits paused. */
static struct verdict still_runs(const struct watched *before, const struct printer_report *report)
{
    struct verdict v = {0};
    bool paused = report->state == PRINTER_PAUSED, was_paused = is(before->run_state, "paused");
    int n = 0;
    if (is(before->run_state, "unknown")) {
        v.run_events[n++] = "run.started";
        v.started = true;
    }
    if (paused && !was_paused)
        v.run_events[n++] = "run.paused";
    else if (!paused && was_paused)
        v.run_events[n++] = "run.resumed";
    bool near =
        is(before->state, "busy") || is(before->state, "paused") || is(before->state, "offline");
    v.printer_to = paused && near ? "paused" : "busy";
    v.reason = paused && *report->message ? report->message : "";
    double moved = report->progress - before->progress;
    v.progress_changed = moved != 0 && before->stored_ms >= 2000;
    return v;
}

static struct verdict run_ended(const struct watched *before, const struct printer_report *report,
                                const char *end)
{
    bool unknown = is(before->run_state, "unknown");
    struct verdict v = {.run_events = {end}, .ended = true, .reason = report->message};
    /* What printed was started, though nobody saw it start. */
    v.started = unknown;
    if (report->state == PRINTER_FAILED)
        v.printer_to =
            is(before->state, "busy") || is(before->state, "paused") ? "error" : "offline";
    else if (report->state == PRINTER_OFFLINE)
        v.printer_to = "offline";
    else
        v.printer_to = prints(report->state) ? "attention" : "awaiting_clear";
    return v;
}

/* Contact is lost, or the printer knows nothing of our file: the run's fate is open. Nothing is
 * sent again; a person, or the printer when it reports our file, says what became of it. */
static struct verdict run_lost(const struct watched *before, const struct printer_report *report)
{
    struct verdict v = {.printer_to = "offline"};
    if (!is(before->run_state, "unknown"))
        v.run_events[0] = "run.lost";
    v.reason = report->state == PRINTER_OFFLINE ? report->message
                                                : "the printer knows nothing of this print";
    return v;
}

struct verdict schedule_decide(const struct watched *before, const struct printer_report *report,
                               const struct printer_file *record)
{
    bool ours = *before->run_id && is(report->file, before->file_name);
    if (!*before->run_id)
        return without_run(before, report);
    bool unknown = is(before->run_state, "unknown");
    if (!unknown && !is(before->run_state, "printing") && !is(before->run_state, "paused"))
        return (struct verdict){0}; /* its job looks after it */
    if (ours && prints(report->state))
        return still_runs(before, report);
    const char *end = run_end(report, ours, record);
    if (end)
        return run_ended(before, report, end);
    if (report->state == PRINTER_OFFLINE)
        return is_away(before, report) && !(unknown && is(before->state, "offline"))
                   ? run_lost(before, report)
                   : (struct verdict){0};
    if (!unknown)
        return run_lost(before, report);
    /* The printer is back and knows nothing of our file: a person has to look. */
    struct watched alone = *before;
    alone.bed_clear = false;
    return without_run(&alone, report);
}
