/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is not about orders: templates, health, figures, the description, the console's files. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/assets.h"
#include "base/version.h"
#include "intake/order_form.h"
#include "service/api.h"

#define DISK_LEAST_BYTES ((uint64_t)256 << 20)
#define TEMPLATES "config/templates/"

static int reply_asset(struct reply *reply, const char *name, const char *mime, struct err *err)
{
    const struct asset *asset = asset_find(name);
    if (!asset)
        return FAIL_CODE(err, ERR_ABSENT, "not_found", "there is no such file");
    reply->text = asset->data;
    reply->text_bytes = asset->size;
    reply->mime = mime;
    return 0;
}

int api_openapi(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    return reply_asset(reply, "schemas/openapi.yaml", "application/json", err);
}

int api_console(struct request *request, struct reply *reply, struct err *err)
{
    static const struct {
        const char *ending, *mime;
    } mimes[] = {{".html", "text/html; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".svg", "image/svg+xml"}};
    const char *file = *request->part[0] ? request->part[0] : "index.html";
    const char *ending = strrchr(file, '.');
    char name[160];
    snprintf(name, sizeof name, "service/console/%s", file);
    reply_header(reply, "Cache-Control", "no-cache");
    for (size_t i = 0; ending && i < sizeof mimes / sizeof *mimes; i++)
        if (strcmp(ending, mimes[i].ending) == 0)
            return reply_asset(reply, name, mimes[i].mime, err);
    return FAIL_CODE(err, ERR_ABSENT, "not_found", "there is no such file");
}

static int add_template(cJSON *list, const char *folder, const char *file, struct err *err)
{
    char id[64];
    cJSON *one = NULL;
    const char *ending = strrchr(file, '.');
    if (!ending || strcmp(ending, ".json") != 0 || (size_t)(ending - file) >= sizeof id)
        return 0;
    snprintf(id, sizeof id, "%.*s", (int)(ending - file), file);
    if (template_load(&one, folder, id, err))
        return -1;
    if (json_bool(one, "offered", true))
        cJSON_AddItemToArray(list, one);
    else
        cJSON_Delete(one);
    return 0;
}

/* Those of one's own that are no built-in one in another version. */
static int add_own_templates(cJSON *list, const char *folder, struct err *err)
{
    char path[600], name[300];
    int failed = 0;
    const struct dirent *file;
    snprintf(path, sizeof path, "%s/templates", folder);
    DIR *dir = opendir(path);
    while (dir && !failed && (file = readdir(dir))) {
        snprintf(name, sizeof name, TEMPLATES "%s", file->d_name);
        if (!asset_find(name))
            failed = add_template(list, folder, file->d_name, err);
    }
    if (dir)
        closedir(dir);
    return failed;
}

/* Each is loaded as orders load it: one's own stands before the built-in one of the same id. */
int api_template_list(struct request *request, struct reply *reply, struct err *err)
{
    const char *own = request_settings(request)->config_folder, *folder = *own ? own : NULL;
    cJSON *page = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(page, "templates");
    int failed = 0;
    for (const struct asset *a = asset_next(TEMPLATES, NULL); a && !failed;
         a = asset_next(TEMPLATES, a))
        failed = add_template(list, folder, a->name + strlen(TEMPLATES), err);
    if (folder && !failed)
        failed = add_own_templates(list, folder, err);
    reply->mime = "application/json";
    failed = failed || json_print(&reply->body, page, false, err);
    cJSON_Delete(page);
    return failed ? -1 : 0;
}

int api_healthz(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    return reply_json(reply, "{\"status\":\"alive\"}", err);
}

int api_version(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    return reply_json(
        reply, "{\"name\":\"statuette\",\"api\":\"v1\",\"version\":\"" STATUETTE_VERSION "\"}",
        err);
}

static int newest_migration(void)
{
    static const char folder[] = "schemas/migrations/";
    int newest = 0;
    for (const struct asset *a = asset_next(folder, NULL); a; a = asset_next(folder, a))
        newest = atoi(a->name + sizeof folder - 1);
    return newest;
}

static int check_database(struct request *request, struct err *err)
{
    static const char *const parameters[] = {"1"};
    struct db_rows *rows;
    if (request_one(&rows, request, "schema", "api_ready", 1, parameters, err))
        return -1;
    int laid = (int)db_int(rows, 0, 0);
    db_rows_free(rows);
    if (laid < newest_migration())
        return FAIL_CODE(err, ERR_LATER, "migration_missing",
                         "the database is at schema %d, this program needs %d", laid,
                         newest_migration());
    return 0;
}

static int disk_free(uint64_t *bytes, const struct request *request, struct err *err)
{
    struct statvfs fs;
    if (statvfs(request_blobs(request)->folder, &fs))
        return FAIL_ERRNO(err, "the folder of stored files cannot be reached");
    *bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}

int api_readyz(struct request *request, struct reply *reply, struct err *err)
{
    uint64_t bytes = 0;
    if (check_database(request, err) || disk_free(&bytes, request, err))
        return -1;
    if (bytes < DISK_LEAST_BYTES)
        return FAIL_CODE(err, ERR_LATER, "disk_full", "the disk of stored files has %llu MB left",
                         (unsigned long long)(bytes >> 20));
    reply->mime = "application/json";
    return bytes_printf(&reply->body, err, "{\"status\":\"ready\",\"disk_free_bytes\":%llu}",
                        (unsigned long long)bytes);
}

static int write_own_figures(struct bytes *out, struct request *request, struct err *err)
{
    struct http *http = request->http;
    uint64_t free_bytes = 0;
    if (disk_free(&free_bytes, request, err) ||
        bytes_printf(out, err, "# TYPE statuette_http_requests_total counter\n"))
        return -1;
    for (int i = 1; i <= 5; i++)
        if (bytes_printf(out, err, "statuette_http_requests_total{class=\"%dxx\"} %llu\n", i,
                         (unsigned long long)atomic_load(&http->answered[i])))
            return -1;
    return bytes_printf(out, err,
                        "# TYPE statuette_http_seconds_total counter\n"
                        "statuette_http_seconds_total %.6f\n"
                        "# TYPE statuette_http_under_way gauge\nstatuette_http_under_way %d\n"
                        "# TYPE statuette_uptime_seconds gauge\nstatuette_uptime_seconds %.0f\n"
                        "# TYPE statuette_disk_free_bytes gauge\nstatuette_disk_free_bytes %llu\n",
                        (double)atomic_load(&http->seconds_us) / 1e6, atomic_load(&http->under_way),
                        clock_s() - http->started_s, (unsigned long long)free_bytes);
}

static int write_rows(struct bytes *out, const struct db_rows *rows, struct err *err)
{
    for (int i = 0; i < db_row_count(rows); i++) {
        const char *name = db_text(rows, i, 0), *labels = db_text(rows, i, 1);
        if ((i == 0 || strcmp(name, db_text(rows, i - 1, 0)) != 0) &&
            bytes_printf(out, err, "# TYPE %s gauge\n", name))
            return -1;
        if (bytes_printf(out, err, "%s%s%s%s %s\n", name, *labels ? "{" : "", labels,
                         *labels ? "}" : "", db_text(rows, i, 2)))
            return -1;
    }
    return 0;
}

/* A database that is away is a figure too, not a failure of the page. */
int api_metrics(struct request *request, struct reply *reply, struct err *err)
{
    static const char *const parameters[] = {"1"};
    struct bytes *out = &reply->body;
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    struct err away = {0};
    int up = request_db(&db, request, &away) == 0 &&
             db_run(&rows, db, "api_metrics", 1, parameters, &away) == 0;
    if (!up && away.kind != ERR_LATER) {
        *err = away;
        return -1;
    }
    reply->mime = "text/plain; version=0.0.4; charset=utf-8";
    int failed =
        write_own_figures(out, request, err) ||
        bytes_printf(out, err, "# TYPE statuette_database_up gauge\nstatuette_database_up %d\n",
                     up) ||
        (up && write_rows(out, rows, err));
    db_rows_free(rows);
    return failed ? -1 : 0;
}

/* The console cannot send a key with pictures and event streams: it gets a cookie for the key. */
int api_session(struct request *request, struct reply *reply, struct err *err)
{
    static const char *const members[] = {"api_key", NULL};
    const char *wanted = request_settings(request)->api_key, *given = "";
    const char *proto = request_header(request, "X-Forwarded-Proto");
    char a[SHA256_HEX], b[SHA256_HEX];
    cJSON *body;
    if (request_json(&body, request, err))
        return -1;
    int failed =
        api_only_members(body, members, err) || api_need_text(&given, body, "api_key", 128, err);
    if (!failed && *wanted) {
        sha256_hex(a, given, strlen(given));
        sha256_hex(b, wanted, strlen(wanted));
        if (memcmp(a, b, SHA256_HEX) != 0)
            failed = FAIL_CODE(err, ERR_DENIED, "api_key_needed", "this is not the API key");
    }
    cJSON_Delete(body);
    if (failed)
        return -1;
    if (*wanted)
        reply_header(
            reply, "Set-Cookie", "statuette_session=%s; Path=/; HttpOnly; SameSite=Strict%s",
            request->http->session, proto && strcmp(proto, "https") == 0 ? "; Secure" : "");
    return reply_json(reply, "{\"session\":true}", err);
}
