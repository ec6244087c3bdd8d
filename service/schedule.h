/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches the printers and gives them waiting runs. Several processes may do so at once: what was
 * seen is written only if printer and run still stand as they did before the printer was asked.
 * Bringing a run to its printer is the `print` job (steps_print.c).
 */
#ifndef SERVICE_SCHEDULE_H
#define SERVICE_SCHEDULE_H

#include "service/printer.h"
#include "service/settings.h"

/* A printer and the run on it, as they stood before the printer was asked. Texts borrowed. */
struct watched {
    const char *id, *driver, *url, *api_key, *state;
    const char *run_id, *run_state, *file_name; /* "" no run */
    int version, run_version;
    bool bed_clear;
    int64_t away_ms; /* since it last answered; -1 never did */
    double progress;
    int64_t stored_ms; /* since the run was written */
};

/* What a report makes of them; unset texts are NULL. */
struct verdict {
    const char *run_events[2]; /* in this order */
    const char *printer_to;    /* the state the printer shall be in */
    const char *reason;
    bool started, ended;   /* the run was seen to have begun, or come to its end */
    bool bed_taken;        /* something lies on the bed that we did not put there */
    bool progress_changed; /* worth storing */
};

#define SCHEDULE_LOST_MS 8000 /* no answer for so long, and a printer counts as away */

/**
 * Says what a report means: a pure function, so that every row of it can be tested. record is what
 * the printer knows of the run's file; it decides where the report itself does not.
 */
struct verdict schedule_decide(const struct watched *before, const struct printer_report *report,
                               const struct printer_file *record);

/** Asks one printer (or all, printer_id NULL) how it is and writes what follows from it; away_too:
 * also those that have been away for more than a minute, which costs 2 s each. *busy (may be NULL)
 * = how many have a run. One that fails does not keep the others from being asked. */
int schedule_watch(int *busy, struct db *db, const char *printer_id, bool away_too,
                   struct err *err) MUST_CHECK;

/** Gives waiting runs to ready printers until no pair is left; *count (may be NULL) = how many. */
int schedule_assign(int *count, struct db *db, const char *actor, struct err *err) MUST_CHECK;

/** Makes a new job for each run whose job died on the way. */
int schedule_adopt(struct db *db, struct err *err) MUST_CHECK;

/** Writes that a run was seen to start, in the caller's transaction: its item first, then itself.
 */
int schedule_run_starts(struct db *db, const char *run_id, const char *actor,
                        struct err *err) MUST_CHECK;

struct schedule;
/** Starts the thread that does all of this every second or so. */
int schedule_start(struct schedule **out, const struct settings *settings,
                   struct err *err) MUST_CHECK;
void schedule_stop(struct schedule *schedule);

#endif
