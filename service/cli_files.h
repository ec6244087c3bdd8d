/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands that work on one file share: the input, a folder of their own, a role run
 * in it. */
#ifndef SERVICE_CLI_FILES_H
#define SERVICE_CLI_FILES_H

#include "service/cli.h"

struct file_work {
    char folder[700];
    cJSON *options; /* becomes options.json; owned */
    cJSON *result;  /* of the role; owned */
};

/** Makes the folder, starts options with the input and its name; what is no plain file (a pipe) is
 * copied to FOLDER/in. */
int file_work_open(struct file_work *work, const char *input, struct err *err) MUST_CHECK;

/** The same without an input: for commands that take several. */
int file_work_begin(struct file_work *work, struct err *err) MUST_CHECK;

/** Adds the line's --printer, --material and --process, and the folder of the shop's own ones. */
int file_work_profile(struct file_work *work, const struct cli *cli, struct err *err) MUST_CHECK;

/** Writes options.json and runs the role. */
int file_work_run(struct file_work *work, const char *role, struct err *err) MUST_CHECK;

/** Moves FOLDER/name to the user's path, whole or not at all; file_work_copy leaves it there. */
int file_work_give(const struct file_work *work, const char *name, const char *path,
                   struct err *err) MUST_CHECK;
int file_work_copy(const struct file_work *work, const char *name, const char *path,
                   struct err *err) MUST_CHECK;

void file_work_close(struct file_work *work);

#endif
