/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of settings; see settings.h. */
#include "service/settings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum type { TEXT, NUMBER };

struct row {
    const char *name;
    enum type type;
    size_t offset, room; /* room of a text; of a number its greatest value */
    const char *otherwise;
    const char *meaning;
};

#define TEXT_ROW(field)                                                                            \
    TEXT, offsetof(struct settings, field), sizeof(((struct settings *)0)->field)
#define NUMBER_ROW(field, most) NUMBER, offsetof(struct settings, field), most

static const struct row rows[] = {
    {"STATUETTE_DATABASE", TEXT_ROW(database), "",
     "Postgres conninfo or URI; empty: `up` runs a private cluster"},
    {"STATUETTE_VAR", TEXT_ROW(var_folder), "var", "folder of the private cluster, blobs and work"},
    {"STATUETTE_BLOBS", TEXT_ROW(blob_folder), "", "folder of stored files; empty: VAR/blobs"},
    {"STATUETTE_WORK", TEXT_ROW(work_folder), "", "folder for temporary work; empty: VAR/work"},
    {"STATUETTE_CONFIG", TEXT_ROW(config_folder), "",
     "folder with printers/, materials/, templates/ of your own, beside the built-in ones"},
    {"STATUETTE_LISTEN", TEXT_ROW(listen), "127.0.0.1:8080", "address:port of the HTTP side"},
    {"STATUETTE_WORKER", TEXT_ROW(worker_name), "", "name of this worker; empty: host:pid"},
    {"STATUETTE_API_KEY", TEXT_ROW(api_key), "",
     "Bearer key asked of every request; empty: none, then only loopback is served"},
    {"STATUETTE_WORKERS", NUMBER_ROW(workers, 64), "2", "threads that run jobs"},
    {"STATUETTE_UPLOAD_MB", NUMBER_ROW(upload_mb, 2048), "120", "largest order request, megabytes"},
    {"STATUETTE_LEASE_S", NUMBER_ROW(lease_s, 3600), "30",
     "seconds after which a silent worker's job is taken over"},
    {"STATUETTE_PUBLIC_URL", TEXT_ROW(public_url), "",
     "address under which providers reach this service to push results; empty: they are polled"},
    {"STATUETTE_LOG", TEXT_ROW(log_level), "info", "debug, info, warn or error"},
};

#define ROW_COUNT (sizeof rows / sizeof *rows)

static int set(struct settings *settings, const struct row *row, const char *value, struct err *err)
{
    char *field = (char *)settings + row->offset;
    if (row->type == TEXT) {
        if (strlen(value) >= row->room)
            return FAIL(err, ERR_INPUT, "%s is longer than %zu characters", row->name,
                        row->room - 1);
        memcpy(field, value, strlen(value) + 1);
        return 0;
    }
    char *end;
    long number = strtol(value, &end, 10);
    if (end == value || *end || number < 1 || number > (long)row->room)
        return FAIL(err, ERR_INPUT, "%s must be a whole number from 1 to %zu, not \"%s\"",
                    row->name, row->room, value);
    *(int *)field = (int)number;
    return 0;
}

static int fill_folder(char *field, size_t room, const char *var, const char *below,
                       struct err *err)
{
    int n = *field ? 0 : snprintf(field, room, "%s/%s", var, below);
    return n < 0 || (size_t)n >= room ? FAIL(err, ERR_INPUT, "STATUETTE_VAR is too long") : 0;
}

static int make_absolute(char *field, size_t room, struct err *err)
{
    char here[PATH_MAX], joined[2 * PATH_MAX];
    if (!*field || *field == '/')
        return 0;
    if (!getcwd(here, sizeof here))
        return FAIL_ERRNO(err, "cannot tell the present folder");
    snprintf(joined, sizeof joined, "%s/%s", here, field);
    if (strlen(joined) >= room)
        return FAIL(err, ERR_INPUT, "the path %s is too long", field);
    memcpy(field, joined, strlen(joined) + 1);
    return 0;
}

int settings_load(struct settings *settings, struct err *err)
{
    memset(settings, 0, sizeof *settings);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const char *value = getenv(rows[i].name);
        if (set(settings, &rows[i], value && *value ? value : rows[i].otherwise, err))
            return -1;
    }
    if (make_absolute(settings->var_folder, sizeof settings->var_folder, err) ||
        make_absolute(settings->config_folder, sizeof settings->config_folder, err) ||
        fill_folder(settings->blob_folder, sizeof settings->blob_folder, settings->var_folder,
                    "blobs", err) ||
        fill_folder(settings->work_folder, sizeof settings->work_folder, settings->var_folder,
                    "work", err) ||
        make_absolute(settings->blob_folder, sizeof settings->blob_folder, err) ||
        make_absolute(settings->work_folder, sizeof settings->work_folder, err))
        return -1;
    if (!*settings->worker_name) {
        char host[40] = "here";
        gethostname(host, sizeof host - 1);
        snprintf(settings->worker_name, sizeof settings->worker_name, "%s:%d", host, (int)getpid());
    }
    return 0;
}

int settings_describe(size_t i, const char **name, const char **otherwise, const char **meaning)
{
    if (i >= ROW_COUNT)
        return -1;
    *name = rows[i].name;
    *otherwise = rows[i].otherwise;
    *meaning = rows[i].meaning;
    return 0;
}
