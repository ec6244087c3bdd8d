/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands on one file; see cli_files.h. */
#include "service/cli_files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/role.h"

#define INPUT_LIMIT ((size_t)1 << 30)

/* A plain file is read by the child itself; a pipe only we can read. */
static int hand_over(struct file_work *work, const char *input, struct err *err)
{
    struct bytes data = {.limit = INPUT_LIMIT};
    struct stat s;
    char path[PATH_MAX];
    if (stat(input, &s) == 0 && S_ISREG(s.st_mode) && realpath(input, path)) {
        cJSON_AddStringToObject(work->options, "input", path);
        return 0;
    }
    snprintf(path, sizeof path, "%s/in", work->folder);
    int failed = bytes_read_file(&data, input, err) || file_write(path, data.data, data.len, err);
    bytes_free(&data);
    return failed ? -1 : 0;
}

int file_work_begin(struct file_work *work, struct err *err)
{
    const char *temp = getenv("TMPDIR");
    memset(work, 0, sizeof *work);
    work->options = cJSON_CreateObject();
    if (work_folder_make(work->folder, temp && *temp ? temp : "/tmp", "statuette", err) == 0)
        return 0;
    file_work_close(work);
    return -1;
}

int file_work_open(struct file_work *work, const char *input, struct err *err)
{
    const char *slash = strrchr(input, '/');
    memset(work, 0, sizeof *work);
    if (access(input, R_OK))
        return FAIL_ERRNO(err, "cannot open %s", input);
    if (file_work_begin(work, err))
        return -1;
    cJSON_AddStringToObject(work->options, "name", slash ? slash + 1 : input);
    if (hand_over(work, input, err) == 0)
        return 0;
    file_work_close(work);
    return -1;
}

int file_work_profile(struct file_work *work, const struct cli *cli, struct err *err)
{
    static const char *const options[][2] = {
        {"printer", "--printer"}, {"material", "--material"}, {"process", "--process"}};
    const char *folder = getenv("STATUETTE_CONFIG");
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const char *id = cli_text(cli, options[i][1], NULL);
        if (id)
            cJSON_AddStringToObject(work->options, options[i][0], id);
    }
    if (!folder || !*folder)
        return 0;
    if (!realpath(folder, path))
        return FAIL_ERRNO(err, "STATUETTE_CONFIG names %s", folder);
    cJSON_AddStringToObject(work->options, "config_folder", path);
    return 0;
}

int file_work_run(struct file_work *work, const char *role, struct err *err)
{
    struct bytes text = {0};
    char path[800];
    snprintf(path, sizeof path, "%s/options.json", work->folder);
    int failed = json_print(&text, work->options, false, err) ||
                 file_write(path, text.data, text.len, err) ||
                 role_run(&work->result, role, work->folder, NULL, err);
    bytes_free(&text);
    return failed ? -1 : 0;
}

int file_work_give(const struct file_work *work, const char *name, const char *path,
                   struct err *err)
{
    char from[800];
    snprintf(from, sizeof from, "%s/%s", work->folder, name);
    return file_move(from, path, err);
}

int file_work_copy(const struct file_work *work, const char *name, const char *path,
                   struct err *err)
{
    struct bytes data = {.limit = (size_t)2 << 30};
    char from[800];
    snprintf(from, sizeof from, "%s/%s", work->folder, name);
    int failed = bytes_read_file(&data, from, err) || file_write(path, data.data, data.len, err);
    bytes_free(&data);
    return failed ? -1 : 0;
}

void file_work_close(struct file_work *work)
{
    work_folder_drop(work->folder);
    cJSON_Delete(work->options);
    cJSON_Delete(work->result);
    memset(work, 0, sizeof *work);
}
