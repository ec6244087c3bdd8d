/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The print queue, the verdict on a part, and the printers. */
#include <stdlib.h>
#include <string.h>

#include "base/assets.h"
#include "service/api.h"
#include "service/printer.h"
#include "storage/order.h"

static int reply_queue(struct request *request, struct reply *reply, const char *which,
                       struct err *err)
{
    const char *parameters[] = {which};
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    if (request_db(&db, request, err) || db_run(&rows, db, "api_queue", 1, parameters, err))
        return -1;
    int failed = api_reply_page(reply, "runs", rows, 0, err);
    db_rows_free(rows);
    return failed;
}

int api_queue_list(struct request *request, struct reply *reply, struct err *err)
{
    return reply_queue(request, reply, NULL, err);
}

int api_queue_explain(struct request *request, struct reply *reply, struct err *err)
{
    return reply_queue(request, reply, "waiting", err);
}

int api_run_verdict(struct request *request, struct reply *reply, struct err *err)
{
    static const char *const members[] = {"verdict", "reason", NULL};
    const char *verdict = "", *reason = "", *run = request->part[0];
    struct db *db = NULL;
    cJSON *body;
    if (request_json(&body, request, err))
        return -1;
    int failed =
        api_only_members(body, members, err) || api_need_text(&verdict, body, "verdict", 10, err);
    bool good = !failed && strcmp(verdict, "good") == 0;
    if (!failed && !good && strcmp(verdict, "scrap") != 0)
        failed = FAIL_CODE(err, ERR_INPUT, "schema_violation", "/verdict: must be good or scrap");
    if (!failed && !good)
        failed = api_need_text(&reason, body, "reason", 1000, err);
    if (!failed && good)
        reason = json_text(body, "reason", "");
    failed = failed || request_db(&db, request, err) ||
             run_judge(db, run, verdict, reason, request->actor, err);
    if (!failed) {
        reply->mime = "application/json";
        failed =
            bytes_printf(&reply->body, err, "{\"id\":\"%s\",\"verdict\":\"%s\"}", run, verdict);
    }
    cJSON_Delete(body);
    return failed ? -1 : 0;
}

static int reply_printer(struct request *request, struct reply *reply, struct err *err)
{
    const char *id[] = {request->part[0]};
    struct db_rows *rows;
    if (request_one(&rows, request, "printer", "api_printers", 1, id, err))
        return -1;
    int failed = reply_json(reply, db_text(rows, 0, 1), err);
    db_rows_free(rows);
    return failed;
}

int api_printer_list(struct request *request, struct reply *reply, struct err *err)
{
    static const char *const all[] = {NULL};
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    if (request_db(&db, request, err) || db_run(&rows, db, "api_printers", 1, all, err))
        return -1;
    int failed = api_reply_page(reply, "printers", rows, 0, err);
    db_rows_free(rows);
    return failed;
}

static int plain_id(const char *id, const char *member, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    if (strspn(id, allowed) == strlen(id))
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                     "/%s: may have lower-case letters, digits, - and _ only", member);
}

/* Is there a config/<kind>/<id>.json, of one's own or built in? */
static int known_profile(const struct request *request, const char *kind, const char *member,
                         const char *id, struct err *err)
{
    char name[700];
    cJSON *own = NULL;
    const char *folder = request_settings(request)->config_folder;
    if (plain_id(id, member, err))
        return -1;
    snprintf(name, sizeof name, "config/%s/%s.json", kind, id);
    if (asset_find(name))
        return 0;
    snprintf(name, sizeof name, "%s/%s/%s.json", folder, kind, id);
    if (*folder && json_read_file(&own, name, NULL) == 0) {
        cJSON_Delete(own);
        return 0;
    }
    return FAIL_CODE(err, ERR_INPUT, "schema_violation", "/%s: there is no %s", member, id);
}

struct printer_form {
    const char *id, *name, *driver, *url, *api_key, *printer_class, *material;
};

static int read_printer(struct printer_form *f, const struct request *request, const cJSON *body,
                        struct err *err)
{
    static const char *const members[] = {"id",      "name",          "driver",   "url",
                                          "api_key", "printer_class", "material", NULL};
    if (api_only_members(body, members, err) || api_need_text(&f->id, body, "id", 40, err) ||
        plain_id(f->id, "id", err) || api_need_text(&f->driver, body, "driver", 40, err) ||
        api_need_text(&f->url, body, "url", 300, err) ||
        api_need_text(&f->printer_class, body, "printer_class", 40, err) ||
        api_need_text(&f->material, body, "material", 40, err))
        return -1;
    f->name = json_text(body, "name", f->id);
    f->api_key = json_text(body, "api_key", "");
    if (strlen(f->name) > 80 || strlen(f->api_key) > 200)
        return FAIL_CODE(err, ERR_INPUT, "schema_violation", ": name or api_key is too long");
    if (strncmp(f->url, "http://", 7) != 0 && strncmp(f->url, "https://", 8) != 0)
        return FAIL_CODE(err, ERR_INPUT, "schema_violation", "/url: must be http:// or https://");
    if (strchr(f->url, '@'))
        return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                         "/url: may hold no user name; a key belongs into api_key");
    if (!printer_driver_find(f->driver))
        return FAIL_CODE(err, ERR_INPUT, "schema_violation", "/driver: there is no %.40s",
                         f->driver);
    return known_profile(request, "printers", "printer_class", f->printer_class, err) ||
                   known_profile(request, "materials", "material", f->material, err)
               ? -1
               : 0;
}

int api_printer_add(struct request *request, struct reply *reply, struct err *err)
{
    struct printer_form f = {0};
    struct db *db = NULL;
    cJSON *body;
    if (request_json(&body, request, err))
        return -1;
    int failed = read_printer(&f, request, body, err) || request_db(&db, request, err);
    if (!failed) {
        const char *parameters[] = {f.id,      f.name,          f.driver,   f.url,
                                    f.api_key, f.printer_class, f.material, request->actor};
        failed = db_run(NULL, db, "api_printer_add", 8, parameters, err);
        if (failed && err->kind == ERR_CONFLICT)
            failed = FAIL_CODE(err, ERR_CONFLICT, "printer_known", "there is a printer %s already",
                               f.id);
    }
    if (!failed) {
        snprintf(request->part[0], sizeof request->part[0], "%s", f.id);
        reply->status = 201;
        reply_header(reply, "Location", "/v1/printers");
    }
    cJSON_Delete(body);
    return failed ? -1 : reply_printer(request, reply, err);
}

/* clear, pause and resume: no body to read, the same answer. */
static int act(struct request *request, struct reply *reply,
               int (*action)(struct db *, const char *, const char *, struct err *),
               struct err *err)
{
    struct db *db = NULL;
    if (request_db(&db, request, err) || action(db, request->part[0], request->actor, err))
        return -1;
    return reply_printer(request, reply, err);
}

int api_printer_clear(struct request *request, struct reply *reply, struct err *err)
{
    return act(request, reply, printer_clear, err);
}

int api_printer_pause(struct request *request, struct reply *reply, struct err *err)
{
    return act(request, reply, printer_pause, err);
}

int api_printer_resume(struct request *request, struct reply *reply, struct err *err)
{
    return act(request, reply, printer_resume, err);
}

int api_printer_maintenance(struct request *request, struct reply *reply, struct err *err)
{
    static const char *const members[] = {"on", "reason", NULL};
    struct db *db = NULL;
    cJSON *body;
    if (request_json(&body, request, err))
        return -1;
    int failed = api_only_members(body, members, err);
    if (!failed && !cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(body, "on")))
        failed = FAIL_CODE(err, ERR_INPUT, "schema_violation", "/on: must be true or false");
    failed = failed || request_db(&db, request, err);
    if (!failed && json_bool(body, "on", false))
        failed = printer_take_out(db, request->part[0], request->actor,
                                  json_text(body, "reason", ""), err);
    else if (!failed)
        failed = printer_put_back(db, request->part[0], request->actor, err);
    cJSON_Delete(body);
    return failed ? -1 : reply_printer(request, reply, err);
}
