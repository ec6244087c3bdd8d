/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A round of candidates as it stands in the store, and the tasks that are added to it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/steps_generate.h"

/* --- loading ------------------------------------------------------------------------------------
 */

static void read_tasks(struct round *round)
{
    const struct db_rows *rows = round->rows;
    for (int i = 0; i < db_row_count(rows) && i < ROUND_TASKS_MOST; i++) {
        round->tasks[round->count++] = (struct round_task){
            .id = db_text(rows, i, 0),
            .candidate = (int)db_int(rows, i, 1),
            .provider = db_text(rows, i, 2),
            .state = db_text(rows, i, 3),
            .class = db_text(rows, i, 4),
            .hash = db_text(rows, i, 5),
            .format = db_text(rows, i, 6),
            .score = db_text(rows, i, 7),
            .chosen = db_text(rows, i, 8)[0] == 't',
            .code = db_text(rows, i, 12),
        };
        if (i == 0)
            round->age_s = db_real(rows, 0, 10);
    }
}

/* The operator's own word goes before the template's route. */
static void read_route(struct round *round, const struct item *item)
{
    const cJSON *provider = json_get(item->product, "provider"), *one;
    const char *own = json_text(item->options, "provider", NULL);
    round->wanted = (int)json_number(provider, "candidates", 1);
    if (round->wanted < 1 || round->wanted > CANDIDATES_MOST)
        round->wanted = 1;
    if (own) {
        round->route[round->route_count++] = own;
        return;
    }
    cJSON_ArrayForEach (one, json_get(provider, "route"))
        if (cJSON_IsString(one) && round->route_count < sizeof round->route / sizeof *round->route)
            round->route[round->route_count++] = one->valuestring;
}

static int is_closed(const struct db_rows *rows, const char *id)
{
    for (int i = 0; i < db_row_count(rows); i++)
        if (strcmp(db_text(rows, i, 0), id) == 0)
            return db_text(rows, i, 1)[0] == 't';
    return 0;
}

static int read_health(struct round *round, struct step *step, struct err *err)
{
    const struct provider_driver *driver;
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, step->db, "generation_health", err, NULL))
        return -1;
    int failed = 0;
    for (size_t i = 0; (driver = provider_at(i)) && i < 24 && !failed; i++) {
        struct provider_rules rules;
        failed = provider_rules_load(&rules, driver, step->settings, err);
        if (failed)
            break;
        round->health[i].driver = driver;
        round->health[i].ready = !rules.on ? 0 : is_closed(rows, driver->id) ? -1 : 1;
        round->health_count = i + 1;
        provider_rules_free(&rules);
    }
    db_rows_free(rows);
    return failed;
}

const char *given_model(const struct item *item)
{
    return json_text(json_get(item->options, "model"), "sha256", "");
}

static int read_sources(struct round *round, struct step *step, const struct item *item,
                        struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, step->db, "step_photos", err, item->id))
        return -1;
    if (db_row_count(rows) > 0)
        round->sources |= FROM_PHOTO;
    if (*json_text(json_get(item->product, "provider"), "prompt", ""))
        round->sources |= FROM_TEXT;
    if (*given_model(item))
        round->sources |= FROM_MODEL;
    db_rows_free(rows);
    return 0;
}

int round_load(struct round *round, struct step *step, const struct item *item, struct err *err)
{
    char number[16];
    *round = (struct round){0};
    snprintf(number, sizeof number, "%d", item->round);
    read_route(round, item);
    if (DB_RUN(&round->rows, step->db, "generation_round", err, item->id, number))
        return -1;
    read_tasks(round);
    return read_sources(round, step, item, err) || read_health(round, step, err) ? -1 : 0;
}

void round_free(struct round *round)
{
    db_rows_free(round->rows);
    *round = (struct round){0};
}

/* --- what is next -------------------------------------------------------------------------------
 */

bool round_task_is_open(const struct round_task *task)
{
    static const char *const open[] = {"created", "submitting", "submitted",
                                       "running", "fetching",   "in_doubt"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (strcmp(task->state, open[i]) == 0)
            return true;
    return false;
}

static enum provider_error error_of(const char *class)
{
    for (int e = 0; e <= PROVIDER_PROTOCOL; e++)
        if (strcmp(provider_error_name((enum provider_error)e), class) == 0)
            return (enum provider_error)e;
    return PROVIDER_SERVER;
}

static struct route_try try_of(const struct round_task *task)
{
    struct route_try t = {.provider = task->provider, .state = TASK_FAILED};
    if (round_task_is_open(task))
        t.state = TASK_RUNNING;
    else if (strcmp(task->state, "succeeded") == 0)
        /* A first pass that was refined has no model of its own. */
        t.state = *task->hash ? TASK_SUCCEEDED : TASK_RUNNING;
    else if (strcmp(task->state, "moderated") == 0)
        t.state = TASK_REJECTED;
    t.lost = strcmp(task->state, "lost") == 0;
    t.slow = strcmp(task->state, "timed_out") == 0;
    if (t.state == TASK_FAILED && *task->class)
        t.error = error_of(task->class);
    return t;
}

/* What only says that the provider was not to be asked just then is no try. */
static bool is_no_try(const struct round_task *task)
{
    return strcmp(task->code, "provider_away") == 0;
}

static int ready(void *user, const struct provider_driver *driver)
{
    const struct round *round = user;
    for (size_t i = 0; i < round->health_count; i++)
        if (round->health[i].driver == driver)
            return round->health[i].ready;
    return 0;
}

static bool was_refused(const struct round *round)
{
    for (int i = 0; i < round->count; i++)
        if (try_of(&round->tasks[i]).state == TASK_REJECTED ||
            try_of(&round->tasks[i]).error == PROVIDER_CONTENT)
            return true;
    return false;
}

/* What the round as a whole says against asking: every candidate is made of the same photo; and a
 * task that is not seen, being one too many, would be made anew. */
static enum route_step hold_back(const struct provider_driver **provider, const char **why,
                                 const struct round *round)
{
    bool refused = was_refused(round), full = round->count > ROUND_TASKS_MOST - CANDIDATES_MOST;
    if (!refused && !full)
        return ROUTE_ASK;
    *provider = NULL;
    *why = refused ? "photo_refused" : "no_candidate";
    return ROUTE_OVER;
}

enum route_step round_next(const struct provider_driver **provider, const char **why,
                           const struct round *round, const struct item *item, int candidate)
{
    struct route_try tries[ROUND_TASKS_MOST];
    const char *route[8];
    size_t count = 0, turn = 0;
    bool spread = json_bool(json_get(item->product, "provider"), "spread", false);
    if (spread && round->route_count)
        turn = (size_t)(candidate - 1) % round->route_count;
    for (size_t i = 0; i < round->route_count; i++)
        route[i] = round->route[(i + turn) % round->route_count];
    for (int i = 0; i < round->count; i++) {
        const struct round_task *task = &round->tasks[i];
        bool passed_on = strcmp(task->state, "succeeded") == 0 && !*task->hash;
        if (task->candidate == candidate && !is_no_try(task) && !passed_on)
            tries[count++] = try_of(task);
    }
    struct round borrowed = *round;
    const struct route_case of = {.sources = round->sources,
                                  .route = route,
                                  .route_count = round->route_count,
                                  .tries = tries,
                                  .try_count = count,
                                  .photo_class = item->photo_class,
                                  .consent = item->consent,
                                  .ready = ready,
                                  .user = &borrowed,
                                  .tries_each = 2};
    enum route_step step = route_next(provider, why, &of);
    return step == ROUTE_ASK ? hold_back(provider, why, round) : step;
}

/* --- adding -------------------------------------------------------------------------------------
 */

/* No more sides than the provider takes: what it would not use need not leave, nor cost. */
static int add_photos(cJSON *spec, struct step *step, const struct item *item,
                      const struct provider_driver *driver, struct err *err)
{
    int most = driver->takes_views ? VIEW_COUNT : 1;
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, step->db, "step_photos", err, item->id))
        return -1;
    cJSON *photos = cJSON_AddArrayToObject(spec, "photos");
    for (int i = 0; i < db_row_count(rows) && i < most; i++) {
        cJSON *photo = cJSON_CreateObject();
        cJSON_AddStringToObject(photo, "view", db_text(rows, i, 5));
        cJSON_AddStringToObject(photo, "sha256", db_text(rows, i, 3));
        cJSON_AddStringToObject(photo, "mime", db_text(rows, i, 4));
        cJSON_AddItemToArray(photos, photo);
    }
    db_rows_free(rows);
    return 0;
}

/* "{style} {object}, {material}" with the item's own words; a name that it has not becomes "". */
static void fill_prompt(char *out, size_t room, const char *pattern, const struct item *item)
{
    size_t used = 0;
    while (*pattern && used + 1 < room) {
        const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
        if (!end || end - pattern > 40) {
            out[used++] = *pattern++;
            continue;
        }
        char name[48];
        snprintf(name, sizeof name, "%.*s", (int)(end - pattern - 1), pattern + 1);
        const char *called = item->name ? item->name : "";
        const char *word = strcmp(name, "object") == 0 ? json_text(item->options, "object", called)
                           : strcmp(name, "name") == 0 ? called
                                                       : item_text(item, name, "");
        used += (size_t)snprintf(out + used, room - used, "%s", word);
        if (used >= room)
            used = room - 1;
        pattern = end + 1;
    }
    out[used] = 0;
}

static cJSON *spec_of(const struct item *item, const struct provider_driver *driver)
{
    const cJSON *wish = json_get(item->product, "provider");
    const cJSON *own = json_get(json_get(wish, "providers"), driver->id);
    const char *model = json_text(own, "model", NULL), *prompt = json_text(wish, "prompt", NULL);
    cJSON *spec = cJSON_CreateObject();
    cJSON_AddBoolToObject(spec, "texture", json_bool(wish, "texture", false));
    cJSON_AddBoolToObject(spec, "parts", json_bool(wish, "parts", false));
    cJSON_AddNumberToObject(spec, "face_limit", json_number(wish, "face_limit", 0));
    if (model)
        cJSON_AddStringToObject(spec, "model", model);
    if (prompt) {
        char text[600];
        fill_prompt(text, sizeof text, prompt, item);
        cJSON_AddStringToObject(spec, "prompt", text);
    }
    const cJSON *options = json_get(own, "options");
    if (!options)
        options = json_get(wish, "options");
    if (options)
        cJSON_AddItemToObject(spec, "options", cJSON_Duplicate(options, true));
    return spec;
}

int round_add(struct step *step, const struct item *item, int candidate,
              const struct provider_driver *driver, struct err *err)
{
    char id[ID_ROOM], round[16], slot[12], seed[24], price[32];
    struct bytes text = {0};
    struct provider_rules rules;
    if (provider_rules_load(&rules, driver, step->settings, err))
        return -1;
    id_new(id, "gen");
    snprintf(round, sizeof round, "%d", item->round);
    snprintf(slot, sizeof slot, "%d", candidate);
    /* The same photo, options and round give the same candidates; another round other ones. */
    snprintf(seed, sizeof seed, "%d", 1000 + item->round + 100 * (candidate - 1));
    cJSON *spec = spec_of(item, driver);
    int failed = add_photos(spec, step, item, driver, err);
    snprintf(price, sizeof price, "%.3f", provider_price(&rules, spec));
    failed = failed || json_print(&text, spec, false, err) ||
             DB_RUN(NULL, step->db, "generation_add", err, id, item->id, round, slot, driver->id,
                    seed, (const char *)text.data, price, step->actor);
    bytes_free(&text);
    cJSON_Delete(spec);
    provider_rules_free(&rules);
    return failed ? -1 : 0;
}

/* The round is looked at when its deadline is there, whatever is under way then. */
static int set_deadline(struct step *step, const struct item *item, struct err *err)
{
    char key[80];
    double most_s = json_number(json_get(item->product, "provider"), "deadline_s", 0);
    struct job_new job = {.kind = "gather",
                          .subject = item->id,
                          .key = key,
                          .delay_ms = most_s < 1 || most_s > 1e6 ? 0 : (int)(most_s * 1000)};
    snprintf(key, sizeof key, "%s round %d", item->id, item->round);
    return job.delay_ms == 0 ? 0 : job_add(step->db, &job, err);
}

int round_begin(struct step *step, const struct item *item, struct err *err)
{
    struct round round = {0};
    int failed = set_deadline(step, item, err) || round_load(&round, step, item, err);
    for (int candidate = 1; candidate <= round.wanted && !failed; candidate++) {
        const struct provider_driver *driver;
        const char *why;
        if (round_next(&driver, &why, &round, item, candidate) == ROUTE_ASK)
            failed = round_add(step, item, candidate, driver, err);
    }
    round_free(&round);
    return failed;
}

/* --- how it fares -------------------------------------------------------------------------------
 */

double candidate_points(const cJSON *report)
{
    const cJSON *out = json_get(report, "output"), *finding;
    double points = 100;
    if (!out || strcmp(json_text(report, "verdict", "reject"), "reject") == 0)
        return -1;
    /* An outline that fits the photo half is as bad as 50 cm3 of support. */
    points += 100 * (json_number(out, "silhouette_overlap", 0.5) - 1);
    points -= json_number(out, "support_mm3", 0) / 1000;
    points -= 200 * json_number(out, "thin_share", 0);
    points -= 50 * fmin(json_number(out, "deviation_mean_mm", 0), 1);
    cJSON_ArrayForEach (finding, json_get(report, "findings"))
        if (strcmp(json_text(finding, "severity", ""), "warning") == 0)
            points -= 3;
    return fmax(points, 0);
}
