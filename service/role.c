/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parent's side of a role: starts ourselves as a child and reads what it left. See role.h. */
#include "service/role.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"

static const struct child_limits role_limits = {.memory_bytes = (uint64_t)8 << 30,
                                                .file_bytes = (uint64_t)2 << 30,
                                                .cpu_s = 600,
                                                .wall_s = 600};

/* Tests are other programs than statuette: they name it. */
static const char *own_program(void)
{
    const char *named = getenv("STATUETTE_PROGRAM");
    return named && *named ? named : "/proc/self/exe";
}

/* The child's own typed failure, when it left one. */
static int read_failure(const char *folder, struct err *err)
{
    char path[800];
    cJSON *told = NULL;
    snprintf(path, sizeof path, "%s/error.json", folder);
    if (json_read_file(&told, path, NULL))
        return 0;
    err_fail(err, err_kind_from_name(json_text(told, "kind", "bug")), json_text(told, "code", ""),
             ERR_WHERE, "%s", json_text(told, "what", "a child failed"));
    cJSON_Delete(told);
    return 1;
}

static int explain(const struct child_result *child, const char *role, const char *folder,
                   struct err *err)
{
    if (child->stopped)
        return FAIL_CODE(err, ERR_LATER, "stopped", "%s was stopped", role);
    if (child->timed_out || child->signal == SIGXCPU)
        return FAIL_CODE(err, ERR_LIMIT, "child_limit", "%s took longer than %u s", role,
                         role_limits.wall_s);
    if (child->signal)
        return FAIL_CODE(err, ERR_INPUT, "child_crashed",
                         "the file could not be read: its reader (%s) died of signal %d", role,
                         child->signal);
    if (read_failure(folder, err))
        return -1;
    return FAIL(err, ERR_BUG, "%s ended with code %d: %.100s", role, child->exit_code,
                child->err.data ? (const char *)child->err.data : "");
}

int role_run(cJSON **result, const char *role, const char *folder, const atomic_bool *stop,
             struct err *err)
{
    const char *argv[] = {own_program(), "child", role, folder, NULL};
    struct child_options options = {
        .argv = argv, .folder = folder, .limits = role_limits, .stop = stop};
    struct child_result child;
    if (result)
        *result = NULL;
    int failed = child_run(&child, &options, err);
    if (!failed && child.exit_code != 0)
        failed = explain(&child, role, folder, err);
    child_result_free(&child);
    if (failed || !result)
        return failed;
    char path[800];
    snprintf(path, sizeof path, "%s/result.json", folder);
    return json_read_file(result, path, err);
}

int work_folder_make(char path[700], const char *under, const char *prefix, struct err *err)
{
    if (folder_make(under, err))
        return -1;
    int n = snprintf(path, 700, "%s/%s-XXXXXX", under, prefix);
    if (n < 0 || n >= 700)
        return FAIL(err, ERR_INPUT, "the work folder's path is too long");
    return mkdtemp(path) ? 0 : FAIL_ERRNO(err, "cannot make a work folder under %s", under);
}

void work_folder_drop(const char *path)
{
    if (path && *path)
        folder_remove(path);
}
