/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demo: a virtual printer, one real order through the HTTP API, its stages live. See demo.h. */
#include "service/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assets.h"
#include "base/clock.h"
#include "service/cli_client.h"

#define DEMO_DEADLINE_MS (10 * 60 * 1000)
#define SAMPLE "config/samples/dog.jpg"
#define KEY "demo"

struct demo {
    const struct cli *cli;
    const struct settings *settings;
    struct db *db;
    const atomic_bool *stop;
    pid_t simulator;
    char printer_url[64];
    char printer_id[40];
    char order_id[ID_ROOM];
    char photo_path[1200];
    char folder[1200];
    char passed[80]; /* "passed by policy:..." once the review is decided */
};

/* ---- the virtual printer: a process of its own that speaks OctoPrint's protocol ---- */

static int start_simulator(struct demo *d, struct err *err)
{
    static const char *const args[] = {"--port", "0", "--speed", "600", "--key", KEY, NULL};
    int port;
    if (demo_simulator(&d->simulator, &port, "printer_sim", args, err))
        return -1;
    snprintf(d->printer_url, sizeof d->printer_url, "http://127.0.0.1:%d", port);
    return 0;
}

/* Earlier demos may have left virtual printers in the middle of something: one that is free is used
 * anew. */
static int register_printer(struct demo *d, struct err *err)
{
    struct db_rows *rows;
    if (DB_RUN(&rows, d->db, "demo_printer", err, d->printer_url, KEY))
        return -1;
    snprintf(d->printer_id, sizeof d->printer_id, "%s", db_text(rows, 0, 0));
    db_rows_free(rows);
    return 0;
}

/* ---- the order ---- */

static int choose_photo(struct demo *d, struct err *err)
{
    const char *photo = cli_text(d->cli, "--photo", getenv("PHOTO"));
    if (photo && *photo) {
        snprintf(d->photo_path, sizeof d->photo_path, "%s", photo);
        return 0;
    }
    const struct asset *sample = asset_find(SAMPLE);
    if (!sample)
        return FAIL(err, ERR_BUG, "the sample photo is not built in");
    snprintf(d->photo_path, sizeof d->photo_path, "%s/sample.jpg", d->settings->var_folder);
    return file_write(d->photo_path, sample->data, sample->size, err);
}

static int place_order(struct demo *d, struct err *err)
{
    struct bytes body = {0};
    char type[120], key[ID_ROOM];
    const char *paths[] = {d->photo_path};
    cJSON *answer = NULL, *order = cJSON_CreateObject(), *item = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(order, "items"), item);
    cJSON_AddStringToObject(item, "template", cli_text(d->cli, "--template", "demo"));
    cJSON_AddNumberToObject(item, "quantity", 1);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(item, "photos"), cJSON_CreateString("photo1"));
    api_add_consent(order, "object");
    id_new(key, "key");
    struct api_call call = {
        .method = "POST", .path = "/v1/orders", .raw = &body, .content_type = type, .key = key};
    int failed =
        api_order_body(&body, type, order, paths, 1, NULL, err) || api_send(&answer, &call, err);
    if (!failed)
        snprintf(d->order_id, sizeof d->order_id, "%s", json_text(answer, "id", ""));
    bytes_free(&body);
    cJSON_Delete(order);
    cJSON_Delete(answer);
    return failed ? -1 : 0;
}

static int get_order(cJSON **order, const struct demo *d, struct err *err)
{
    char path[128];
    struct api_call call = {.method = "GET", .path = path};
    snprintf(path, sizeof path, "/v1/orders/%s", d->order_id);
    return api_send(order, &call, err);
}

/* ---- watching ---- */

struct stage {
    const char *state, *words;
};
static const struct stage stages[] = {
    {"photo_check", "checking the photo"},
    {"generating", "making a model of it"},
    {"inspecting", "inspecting the model"},
    {"preparing", "preparing it for print"},
    {"review", "review"},
    {"approved", "passed"},
    {"slicing", "slicing with CuraEngine"},
    {"queued", "queued for a printer"},
    {"printing", "printing"},
    {"ready", "part is good"},
};
#define STAGE_COUNT (int)(sizeof stages / sizeof *stages)

static int stage_number(const char *state)
{
    for (int i = 0; i < STAGE_COUNT; i++)
        if (strcmp(stages[i].state, state) == 0)
            return i;
    return -1;
}

/* Lines for the stages that were passed since the last look; quick ones may have come and gone
 * unseen. */
static void show_passed(const struct demo *d, int *shown, int now, double *since)
{
    for (; *shown < now; ++*shown) {
        bool review = strcmp(stages[*shown].state, "approved") == 0 && *d->passed;
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\r%s", "\033[K");
        printf("  %s%-36s%s done  %5.1f s\n", cli_colour(1, "green"),
               review ? d->passed : stages[*shown].words, cli_colour(1, "off"), clock_s() - *since);
        *since = clock_s();
    }
    fflush(stdout);
}

static int post(const char *path, const char *verdict, struct err *err)
{
    cJSON *body = NULL;
    if (verdict) {
        body = cJSON_CreateObject();
        cJSON_AddStringToObject(body, "verdict", verdict);
        cJSON_AddStringToObject(body, "reason", "demo");
    }
    struct api_call call = {.method = "POST", .path = path, .body = body};
    int failed = api_send(NULL, &call, err);
    cJSON_Delete(body);
    return failed;
}

/* In the demo nobody stands at the printer: its bed is confirmed as soon as that is asked for. */
static void clear_bed(const struct demo *d)
{
    struct db_rows *rows;
    struct err ignored;
    char path[160];
    if (DB_RUN(&rows, d->db, "demo_printer_state", &ignored, d->printer_id))
        return;
    bool waits = db_row_count(rows) && strcmp(db_text(rows, 0, 0), "awaiting_clear") == 0;
    db_rows_free(rows);
    snprintf(path, sizeof path, "/v1/printers/%s/clear", d->printer_id);
    if (waits && post(path, NULL, &ignored))
        return;
}

static int judge_finished(const cJSON *item, struct err *err)
{
    const cJSON *run;
    char path[160];
    cJSON_ArrayForEach (run, json_get(item, "runs")) {
        if (strcmp(json_text(run, "state", ""), "finished"))
            continue;
        snprintf(path, sizeof path, "/v1/runs/%s/verdict", json_text(run, "id", ""));
        if (post(path, "good", err))
            return -1;
    }
    return 0;
}

static double print_share(const cJSON *item)
{
    const cJSON *run;
    double share = 0;
    cJSON_ArrayForEach (run, json_get(item, "runs"))
        share = json_number(run, "progress", 0);
    return share;
}

static int stuck(const cJSON *item, const char *state, struct err *err)
{
    return FAIL_CODE(err, ERR_INPUT, json_text(json_get(item, "problem"), "code", "stopped"),
                     "the item stopped in %s: %s", state,
                     json_text(json_get(item, "problem"), "message", "no reason given"));
}

/* 1 when the part is ready, 0 when it goes on. */
static int look(struct demo *d, int *shown, double *since, struct err *err)
{
    cJSON *order = NULL;
    if (get_order(&order, d, err))
        return -1;
    const cJSON *item = cJSON_GetArrayItem(json_get(order, "items"), 0);
    const char *state = json_text(item, "state", "");
    const cJSON *review = cJSON_GetArrayItem(json_get(item, "reviews"), 0);
    int number = stage_number(state), result = 0;
    if (review)
        snprintf(d->passed, sizeof d->passed, "passed by %s", json_text(review, "actor", ""));
    if (number >= 0)
        show_passed(d, shown, number, since);
    if (number < 0 ? strcmp(state, "new") != 0 : cJSON_IsObject(json_get(item, "problem")))
        result = stuck(item, state, err);
    else if (strcmp(state, "ready") == 0)
        result = 1;
    else if (strcmp(state, "printing") == 0)
        cli_progress(d->cli, "printing", print_share(item) < 1 ? print_share(item) : 0.999);
    else if (number >= 0)
        cli_progress(d->cli, state, (double)number / STAGE_COUNT);
    if (!result)
        result = judge_finished(item, err);
    cJSON_Delete(order);
    return result;
}

static int watch(struct demo *d, struct err *err)
{
    int64_t deadline = clock_ms() + DEMO_DEADLINE_MS;
    double since = clock_s();
    int shown = 0, result;
    while ((result = look(d, &shown, &since, err)) == 0) {
        if (atomic_load(d->stop))
            return FAIL_CODE(err, ERR_LATER, "stopped",
                             "stopped; the order goes on at the next start");
        if (clock_ms() > deadline)
            return FAIL(err, ERR_LIMIT, "the demo took over ten minutes");
        clear_bed(d);
        usleep(150000);
    }
    if (result < 0)
        return -1;
    show_passed(d, &shown, STAGE_COUNT, &since);
    return 0;
}

/* ---- what came of it ---- */

static int write_artifact(const struct demo *d, const cJSON *artifact, struct err *err)
{
    if (api_save_artifact(artifact, d->folder, err))
        return -1;
    printf("  %.12s  %s/%s\n", json_text(artifact, "sha256", ""), d->folder,
           json_text(artifact, "name", ""));
    return 0;
}

static int tell(struct demo *d, const char *base_url, double seconds, struct err *err)
{
    cJSON *order = NULL;
    const cJSON *artifact;
    snprintf(d->folder, sizeof d->folder, "%s/demo/%s", d->settings->var_folder, d->order_id);
    if (get_order(&order, d, err) || folder_make(d->folder, err))
        return -1;
    const cJSON *item = cJSON_GetArrayItem(json_get(order, "items"), 0);
    const cJSON *run = cJSON_GetArrayItem(json_get(item, "runs"), 0);
    int failed = 0;
    printf("\n%sFiles%s (SHA-256, path)\n", cli_colour(1, "bold"), cli_colour(1, "off"));
    cJSON_ArrayForEach (artifact, json_get(item, "artifacts"))
        if (!failed)
            failed = write_artifact(d, artifact, err);
    double time_s = json_number(run, "print_time_s", 0);
    if (!failed)
        printf("\n%sPart%s %s  prints in %d h %02d min with %.1f g (virtual printer: sped up)\n"
               "Order %s is %s after %.1f s.  Service: %s\n",
               cli_colour(1, "bold"), cli_colour(1, "off"), json_text(run, "part_code", ""),
               (int)(time_s / 3600), (int)(time_s / 60) % 60, json_number(run, "filament_g", 0),
               d->order_id, json_text(order, "stage", ""), seconds, base_url);
    fflush(stdout);
    cJSON_Delete(order);
    return failed;
}

static int follow(struct demo *d, const char *base_url, bool keep, struct err *err)
{
    double started = clock_s();
    if (choose_photo(d, err) || start_simulator(d, err) || register_printer(d, err) ||
        place_order(d, err))
        return -1;
    printf("%sStatuette demo%s: %s becomes a printed part\nOrder %s at %s\n", cli_colour(1, "bold"),
           cli_colour(1, "off"), d->photo_path, d->order_id, base_url);
    fflush(stdout);
    if (watch(d, err) || tell(d, base_url, clock_s() - started, err))
        return -1;
    if (keep)
        printf("The service stays up (DEMO_KEEP); Ctrl-C stops it.\n");
    fflush(stdout);
    while (keep && !atomic_load(d->stop)) {
        clear_bed(d);
        usleep(300000);
    }
    return EXIT_OK;
}

int demo_run(const struct cli *cli, const struct settings *settings, struct db *db,
             const char *base_url, bool keep, const atomic_bool *stop, struct err *err)
{
    struct demo d = {.cli = cli, .settings = settings, .db = db, .stop = stop};
    setenv("STATUETTE_URL", base_url, 1);
    if (*settings->api_key)
        setenv("STATUETTE_API_KEY", settings->api_key, 1);
    int code = follow(&d, base_url, keep, err);
    demo_simulator_stop(d.simulator);
    return code;
}
