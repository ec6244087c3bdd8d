/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette doctor`: is everything there that the service needs, and if not, what to do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/assets.h"
#include "base/child.h"
#include "service/cli.h"
#include "service/role.h"
#include "service/settings.h"
#include "storage/db.h"

struct finding {
    bool good;
    char words[300];
};

static void say(struct finding *f, bool good, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void say(struct finding *f, bool good, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    f->good = good;
    vsnprintf(f->words, sizeof f->words, fmt, args);
    va_end(args);
}

static void look_at_slicer(struct finding *f, const struct settings *settings)
{
    const char *argv[] = {"CuraEngine", "help", NULL};
    struct child_options options = {.argv = argv, .limits = {.wall_s = 10}};
    struct child_result child;
    struct err err = {0};
    (void)settings;
    if (child_run(&child, &options, &err))
        say(f, false, "%s; apt-get install cura-engine", err.what);
    else
        say(f, true, "CuraEngine is installed");
    child_result_free(&child);
}

static void look_at_database(struct finding *f, const struct settings *settings)
{
    struct db *db = NULL;
    struct err err = {0};
    if (!*settings->database)
        say(f, true, "no STATUETTE_DATABASE: `up` runs a private cluster under %.200s",
            settings->var_folder);
    else if (db_open(&db, settings->database, &err))
        say(f, false, "%s; check STATUETTE_DATABASE", err.what);
    else
        say(f, true, "Postgres answers");
    db_close(db);
}

static void look_at_disk(struct finding *f, const struct settings *settings)
{
    struct statvfs fs;
    struct err err = {0};
    if (folder_make(settings->blob_folder, &err) || access(settings->blob_folder, W_OK)) {
        say(f, false, "cannot write %.150s; set STATUETTE_BLOBS or STATUETTE_VAR",
            settings->blob_folder);
        return;
    }
    if (statvfs(settings->blob_folder, &fs)) {
        say(f, false, "cannot look at %.200s", settings->blob_folder);
        return;
    }
    double free_gb = (double)fs.f_bavail * (double)fs.f_frsize / 1e9;
    say(f, free_gb > 1, "%.1f GB free for stored files%s", free_gb,
        free_gb > 1 ? "" : "; an order needs about 50 MB");
}

/* The whole way of a hostile file: a confined child reads the built-in sample photo. */
static void look_at_sandbox(struct finding *f, const struct settings *settings)
{
    const struct asset *sample = asset_find("config/samples/dog.jpg");
    char folder[700], path[800];
    struct err err = {0};
    if (!sample || work_folder_make(folder, settings->work_folder, "doctor", &err)) {
        say(f, false, "no work folder: %s", err.what);
        return;
    }
    snprintf(path, sizeof path, "%s/in", folder);
    bool failed = file_write(path, sample->data, sample->size, &err) ||
                  role_run(NULL, "photo", folder, NULL, &err);
    work_folder_drop(folder);
    if (failed)
        say(f, false, "the confined child failed: %.200s", err.what);
    else
        say(f, true, "a confined child reads photos");
}

static void (*const looks[])(struct finding *, const struct settings *) = {
    look_at_slicer, look_at_database, look_at_disk, look_at_sandbox};

int cli_doctor(const struct cli *cli, struct err *err)
{
    struct settings settings;
    bool all = true;
    if (settings_load(&settings, err))
        return -1;
    cJSON *answer = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(answer, "findings");
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        struct finding f = {0};
        looks[i](&f, &settings);
        all = all && f.good;
        cJSON *o = cJSON_CreateObject();
        cJSON_AddBoolToObject(o, "good", f.good);
        cJSON_AddStringToObject(o, "message", f.words);
        cJSON_AddItemToArray(list, o);
        if (!cli->json)
            printf("%s%-4s%s %s\n", cli_colour(1, f.good ? "green" : "red"), f.good ? "ok" : "BAD",
                   cli_colour(1, "off"), f.words);
    }
    int code = cli->json ? cli_print_json(answer, err) : 0;
    cJSON_Delete(answer);
    return code ? code : all ? EXIT_OK : EXIT_CHECK_FAILED;
}
