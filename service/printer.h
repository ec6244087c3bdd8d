/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Printers: one table with a row per protocol, and what a person does to a printer. The drivers
 * speak HTTP through intake's http_send; they know no database. The scheduler (schedule.h) and the
 * `print` job (steps_print.c) decide when they are called.
 */
#ifndef SERVICE_PRINTER_H
#define SERVICE_PRINTER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "storage/db.h"

/* What a printer says of itself, whatever its protocol. DONE, CANCELLED and FAILED speak of the
 * file that was printed last; the printer is idle then. */
enum printer_state {
    PRINTER_OFFLINE,
    PRINTER_IDLE,
    PRINTER_PREPARING,
    PRINTER_PRINTING,
    PRINTER_PAUSED,
    PRINTER_DONE,
    PRINTER_CANCELLED,
    PRINTER_FAILED,
    PRINTER_ATTENTION
};

struct printer_report {
    enum printer_state state;
    bool answered;   /* its server did; an OFFLINE that was answered is certain */
    char file[128];  /* being printed, or printed or chosen last; "" none */
    double progress; /* 0..1 */
    double nozzle_c, bed_c;
    char message[160]; /* the printer's own words, "" none */
};

/* A file on the printer and how its prints ended. */
struct printer_file {
    bool there;
    int success, failure; /* how often a print of it ended so */
    bool last_success;    /* of the last one */
};

/* Where a printer is; borrowed texts. */
struct printer_link {
    const char *url, *api_key;
    const atomic_bool *stop; /* true ends a call soon, in doubt; or NULL */
};

/**
 * One protocol. Errors of all: ERR_LATER code printer_away: nothing was sent, or a question got no
 * answer; ERR_LATER code printer_in_doubt: an order was sent and its answer lost; ERR_DENIED code
 * printer_key; ERR_CONFLICT code printer_refused: the printer said no and did nothing; ERR_ABSENT
 * no such file; ERR_INPUT code printer_file_refused; ERR_BUG code printer_protocol.
 */
struct printer_driver {
    const char *id, *summary;
    /* An unreachable printer is a report (PRINTER_OFFLINE), not a failure. */
    int (*status)(struct printer_report *, const struct printer_link *, struct err *);
    int (*file)(struct printer_file *, const struct printer_link *, const char *name, struct err *);
    int (*upload)(const struct printer_link *, const char *name, const struct bytes *gcode,
                  struct err *);
    int (*start)(const struct printer_link *, const char *name, struct err *);
    /* ERR_CONFLICT while it is being printed; a file that is not there is fine. A start of that
     * name that is still under way can do nothing afterwards. */
    int (*drop)(const struct printer_link *, const char *name, struct err *);
    int (*cancel)(const struct printer_link *, struct err *);
    int (*pause)(const struct printer_link *, struct err *);
    int (*resume)(const struct printer_link *, struct err *);
    /* Asks the server to take up the printer's line again; the next status tells whether it did. */
    int (*connect)(const struct printer_link *, struct err *);
};

/** The driver with that id, or NULL. */
const struct printer_driver *printer_driver_find(const char *id);

/** Row i of the table, or NULL past its end. */
const struct printer_driver *printer_driver_at(size_t i);

/** "offline", "idle", ... */
const char *printer_state_name(enum printer_state state);

/** True when nothing moves: idle, done, cancelled. */
bool printer_is_idle(enum printer_state state);

extern const struct printer_driver printer_octoprint, printer_virtual;

/**
 * A person says that the bed is empty: the printer may take the next run. A run on it whose end
 * nobody knows becomes finished and waits for the verdict on its part. On a printer that is away
 * the word is kept until it is back.
 * Errors   ERR_ABSENT; ERR_CONFLICT while it prints, is reserved or taken out.
 */
int printer_clear(struct db *db, const char *printer_id, const char *actor,
                  struct err *err) MUST_CHECK;

/**
 * Asks the printer to pause or go on, and notes who asked; the run follows when the printer reports
 * it. Errors as the driver's; ERR_ABSENT; ERR_CONFLICT nothing is printing (or paused).
 */
int printer_pause(struct db *db, const char *printer_id, const char *actor,
                  struct err *err) MUST_CHECK;
int printer_resume(struct db *db, const char *printer_id, const char *actor,
                   struct err *err) MUST_CHECK;

/** Takes a printer that prints nothing out of service, and back; back, its bed wants a look. */
int printer_take_out(struct db *db, const char *printer_id, const char *actor, const char *reason,
                     struct err *err) MUST_CHECK;
int printer_put_back(struct db *db, const char *printer_id, const char *actor,
                     struct err *err) MUST_CHECK;

/** Moves a printer from one state to another by the moves that lead there, in the caller's
 * transaction; the same state is fine. ERR_BUG when no way is known. */
int printer_bring(struct db *db, const char *printer_id, const char *from, const char *to,
                  const char *actor, const char *reason, struct err *err) MUST_CHECK;

#endif
