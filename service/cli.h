/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line: one table of commands that feeds the parser, --help and the man page. */
#ifndef SERVICE_CLI_H
#define SERVICE_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

/* DESIGN's exit codes: stable. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_CONFLICT = 4,
    EXIT_CHECK_FAILED = 5,
    EXIT_UPSTREAM = 6
};

#define CLI_MAX_WORDS 64

/* argument NULL: a flag. */
struct cli_option {
    const char *name;
    const char *argument;
    const char *help;
};

struct cli;

struct command {
    const char *name;      /* "mesh prep" */
    const char *arguments; /* "IN -o OUT.3mf|OUT.stl" */
    const char *summary;   /* one line */
    const char *help;      /* what one wants to know before using it; with an example */
    const struct cli_option *options;
    int least, most; /* words that are no options */
    int (*run)(const struct cli *cli, struct err *err);
};

/* The parsed line. */
struct cli {
    const struct command *command;
    const char *words[CLI_MAX_WORDS];
    int word_count;
    const char *names[CLI_MAX_WORDS], *values[CLI_MAX_WORDS];
    int option_count;
    bool json;
    bool quiet;
};

/** Value of an option, or otherwise. A flag's value is "". */
const char *cli_text(const struct cli *cli, const char *name, const char *otherwise);
bool cli_flag(const struct cli *cli, const char *name);
/** A number in [least, most], or otherwise when not given. ERR_INPUT code usage. */
int cli_number(double *out, const struct cli *cli, const char *name, double otherwise, double least,
               double most, struct err *err) MUST_CHECK;

/** Prints one JSON document and a line end on stdout. */
int cli_print_json(const cJSON *value, struct err *err) MUST_CHECK;

/** Prints an answer as JSON with --json, else through print; deletes it. */
int cli_tell(const struct cli *cli, cJSON *answer, void (*print)(const cJSON *),
             struct err *err) MUST_CHECK;

/** A progress bar on stderr, on a terminal only and not when quiet; share >= 1 ends the line. */
void cli_progress(const struct cli *cli, const char *what, double share);

/** Bold/colour sequences or "" by NO_COLOR and terminal; stream 1 or 2. */
const char *cli_colour(int stream, const char *name);

/** Prints the findings of a report for people. */
void cli_print_findings(const cJSON *report);

/** The exit code that a failure deserves. */
enum exit_code cli_exit_code(const struct err *err);

/** Parses and runs; prints failures as one line. The program's exit code. */
int cli_main(int argc, char **argv);

/** Row i of the command table, or NULL past its end (cli_commands.c). */
const struct command *command_at(size_t i);

/* The commands' entries, one file each. Positive returns are exit codes; -1 with err filled is a
 * failure. */
int cli_up(const struct cli *cli, struct err *err);
int cli_serve(const struct cli *cli, struct err *err);
int cli_work(const struct cli *cli, struct err *err);
int cli_migrate(const struct cli *cli, struct err *err);
int cli_doctor(const struct cli *cli, struct err *err);
int cli_photo_check(const struct cli *cli, struct err *err);
int cli_mesh_inspect(const struct cli *cli, struct err *err);
int cli_mesh_prep(const struct cli *cli, struct err *err);
int cli_mesh_plate(const struct cli *cli, struct err *err);
int cli_mesh_render(const struct cli *cli, struct err *err);
int cli_slice(const struct cli *cli, struct err *err);
int cli_gcode_check(const struct cli *cli, struct err *err);
int cli_quote(const struct cli *cli, struct err *err);
int cli_quote_show(const struct cli *cli, struct err *err);
int cli_quote_accuracy(const struct cli *cli, struct err *err);
int cli_order_add(const struct cli *cli, struct err *err);
int cli_order_model(const struct cli *cli, struct err *err);
int cli_order_show(const struct cli *cli, struct err *err);
int cli_order_list(const struct cli *cli, struct err *err);
int cli_order_export(const struct cli *cli, struct err *err);
int cli_order_cancel(const struct cli *cli, struct err *err);
int cli_order_import(const struct cli *cli, struct err *err);
int cli_review_next(const struct cli *cli, struct err *err);
int cli_review_pass(const struct cli *cli, struct err *err);
int cli_review_revise(const struct cli *cli, struct err *err);
int cli_review_reject(const struct cli *cli, struct err *err);
int cli_queue_list(const struct cli *cli, struct err *err);
int cli_queue_explain(const struct cli *cli, struct err *err);
int cli_run_verdict(const struct cli *cli, struct err *err);
int cli_printer_list(const struct cli *cli, struct err *err);
int cli_printer_add(const struct cli *cli, struct err *err);
int cli_printer_clear(const struct cli *cli, struct err *err);
int cli_printer_pause(const struct cli *cli, struct err *err);
int cli_printer_resume(const struct cli *cli, struct err *err);
int cli_provider_list(const struct cli *cli, struct err *err);
int cli_provider_test(const struct cli *cli, struct err *err);
int cli_provider_ledger(const struct cli *cli, struct err *err);
int cli_provider_canary(const struct cli *cli, struct err *err);
int cli_provider_resolve(const struct cli *cli, struct err *err);
int cli_config_check(const struct cli *cli, struct err *err);
int cli_man(const struct cli *cli, struct err *err);

#endif
