/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gather: looks at an item's round as a whole whenever one of its tasks has ended. A candidate that
 * failed is asked of the next provider of the route; those that are there are prepared and scored
 * by our own measures; when nothing is under way any more the best one goes on, or a new round
 * begins, or a person is told why not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/log.h"
#include "service/role.h"
#include "service/steps_generate.h"
#include "storage/flow.h"

#define ROUND_S 86400 /* how long a round may take where its template does not say */
#define WAIT_MS 30000 /* until a provider that is left alone is looked at again */

/* --- scoring ------------------------------------------------------------------------------------
 */

/* A file that cannot be prepared is a bad candidate, not a failure of ours. */
static int measure(cJSON **report, struct step *step, const struct item *item,
                   const struct round_task *task, const char *folder, struct err *err)
{
    char file[24];
    cJSON *options = NULL;
    struct err why = {0};
    snprintf(file, sizeof file, "in.%.10s", task->format);
    int failed = folder_blob(step, task->hash, folder, "in", err) ||
                 item_role_options(&options, item, step, file, err) ||
                 step_mask(step, item, folder, err) ||
                 folder_write(folder, "options.json", options, err);
    if (!failed && role_run(report, "prep", folder, step->stop, &why)) {
        if (why.kind != ERR_INPUT && why.kind != ERR_LIMIT) {
            *err = why;
            failed = -1;
        } else {
            *report = cJSON_CreateObject();
            cJSON_AddStringToObject(*report, "verdict", "reject");
            cJSON_AddStringToObject(*report, "code", why.code);
            cJSON_AddStringToObject(*report, "message", why.what);
        }
    }
    cJSON_Delete(options);
    return failed ? -1 : 0;
}

static cJSON *score_of(const cJSON *report)
{
    static const char *const kept[] = {"support_mm3",    "thin_share",        "silhouette_overlap",
                                       "islands",        "deviation_mean_mm", "volume_mm3",
                                       "tilt_margin_deg"};
    cJSON *score = cJSON_CreateObject();
    cJSON_AddNumberToObject(score, "points", candidate_points(report));
    cJSON_AddStringToObject(score, "verdict", json_text(report, "verdict", "reject"));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(json_get(report, "output"), kept[i]);
        if (value)
            cJSON_AddItemToObject(score, kept[i], cJSON_Duplicate(value, true));
    }
    char *problem = report_problem(report, json_text(report, "message", "it cannot be used"));
    cJSON_AddItemToObject(score, "problem", cJSON_Parse(problem ? problem : "null"));
    free(problem);
    return score;
}

static int score(struct step *step, const struct item *item, const struct round_task *task,
                 struct err *err)
{
    char folder[700] = "";
    cJSON *report = NULL, *points = NULL;
    struct bytes text = {0};
    int failed = work_folder_make(folder, step->settings->work_folder, "gather", err) ||
                 measure(&report, step, item, task, folder, err);
    if (!failed) {
        points = score_of(report);
        failed = json_print(&text, points, false, err) ||
                 DB_RUN(NULL, step->db, "generation_score", err, task->id, (const char *)text.data);
    }
    bytes_free(&text);
    cJSON_Delete(points);
    cJSON_Delete(report);
    work_folder_drop(folder);
    return failed ? -1 : 0;
}

static bool is_made(const struct round_task *task)
{
    return strcmp(task->state, "succeeded") == 0 && *task->hash;
}

/* An archive that came in after this gather had unpacked those that were there. */
static bool is_packed(const struct round_task *task)
{
    return is_made(task) && strcmp(task->format, "zip") == 0;
}

/* One candidate and one round: the step `inspect` says the same, once. */
static bool needs_scores(const struct round *round, const struct item *item)
{
    return round->wanted > 1 || json_number(json_get(item->product, "provider"), "rounds", 1) > 1;
}

static int score_all(struct step *step, const struct item *item, struct err *err)
{
    struct round round;
    int failed = round_load(&round, step, item, err);
    for (int i = 0; i < round.count && !failed; i++)
        if (is_made(&round.tasks[i]) && !is_packed(&round.tasks[i]) && !*round.tasks[i].score &&
            needs_scores(&round, item))
            failed = score(step, item, &round.tasks[i], err);
    round_free(&round);
    return failed;
}

/* --- deciding -----------------------------------------------------------------------------------
 */

struct standing {
    int asked, waiting, unscored; /* candidates */
    bool packed;                  /* one is an archive still */
    bool local;                   /* one that was asked for is made here */
    const char *why;              /* of those that are over: the gravest reason */
};

static int grade(const char *why)
{
    static const char *const reasons[] = {"no_candidate",         "provider_off",
                                          "provider_not_allowed", "provider_unfit",
                                          "generation_in_doubt",  "photo_refused"};
    for (int i = 0; i < 6; i++)
        if (why && strcmp(reasons[i], why) == 0)
            return i;
    return -1;
}

/* Adds what is to be asked of another provider, in the transaction that is open. */
static int stand(struct standing *s, struct step *step, const struct item *item,
                 const struct round *round, bool overdue, struct err *err)
{
    *s = (struct standing){0};
    for (int candidate = 1; candidate <= round->wanted; candidate++) {
        const struct provider_driver *driver;
        const char *why;
        enum route_step next = round_next(&driver, &why, round, item, candidate);
        bool under_way = false;
        for (int i = 0; i < round->count; i++)
            under_way |=
                round->tasks[i].candidate == candidate && round_task_is_open(&round->tasks[i]);
        if (overdue && (next == ROUTE_ASK || (next == ROUTE_WAIT && !under_way))) {
            next = ROUTE_OVER;
            why = "no_candidate";
        }
        if (next == ROUTE_OVER && grade(why) > grade(s->why))
            s->why = why;
        s->waiting += next == ROUTE_WAIT;
        if (next != ROUTE_ASK)
            continue;
        s->asked++;
        s->local |= driver->local;
        if (round_add(step, item, candidate, driver, err))
            return -1;
    }
    for (int i = 0; i < round->count; i++) {
        s->unscored += is_made(&round->tasks[i]) && !*round->tasks[i].score;
        s->packed |= is_packed(&round->tasks[i]);
    }
    return 0;
}

static double points_of(const struct round_task *task)
{
    cJSON *score = cJSON_Parse(task->score);
    double points = json_number(score, "points", 0);
    cJSON_Delete(score);
    return points;
}

static const struct round_task *best_of(const struct round *round)
{
    const struct round_task *best = NULL;
    double most = 0;
    for (int i = 0; i < round->count; i++) {
        if (!is_made(&round->tasks[i]))
            continue;
        double points = points_of(&round->tasks[i]);
        if (!best || points > most) {
            best = &round->tasks[i];
            most = points;
        }
    }
    return best;
}

static const char *words_for(const char *why)
{
    return strcmp(why, "photo_refused") == 0
               ? "a provider refused the photo for its content; no other was asked"
           : strcmp(why, "generation_in_doubt") == 0
               ? "a request was sent and its answer was lost; look at the provider, then resolve it"
           : strcmp(why, "provider_unfit") == 0
               ? "no provider of the template makes a model of what was sent"
           : strcmp(why, "provider_not_allowed") == 0
               ? "the consent does not let this photo go to any provider of the template"
           : strcmp(why, "provider_off") == 0
               ? "no provider of the template is set up here; see `statuette provider list`"
               : "no provider gave a model";
}

/* The last task's own words say more than ours. */
static char *reason_of(const char *why, const struct round *round, struct step *step)
{
    struct db_rows *rows = NULL;
    struct err inner = {0};
    char words[400];
    snprintf(words, sizeof words, "%s", words_for(why));
    for (int i = round->count - 1; i >= 0; i--) {
        if (!*round->tasks[i].code ||
            DB_RUN(&rows, step->db, "generation_reason", &inner, round->tasks[i].id))
            continue;
        if (db_row_count(rows) == 1 && *db_text(rows, 0, 0)) {
            size_t n = strlen(words);
            snprintf(words + n, sizeof words - n, " (%.30s: %.200s)", round->tasks[i].provider,
                     db_text(rows, 0, 0));
            db_rows_free(rows);
            break;
        }
        db_rows_free(rows);
        rows = NULL;
    }
    const char *code =
        strcmp(why, "no_candidate") == 0 && round->count > 0 && *round->tasks[round->count - 1].code
            ? round->tasks[round->count - 1].code
            : why;
    return problem_text(code, words);
}

/* By itself only where everything was tried and failed: what was refused, or may be paid for and on
 * its way, is for a person. */
static bool may_begin_anew(const struct item *item, const char *why)
{
    double rounds = json_number(json_get(item->product, "provider"), "rounds", 1);
    return item->round < rounds && strcmp(why, "no_candidate") == 0;
}

/* Nothing came of this round: another one, while the template allows it, or a person. */
static int give_up(struct step *step, const struct item *item, const struct round *round,
                   const char *why, struct err *err)
{
    if (may_begin_anew(item, why))
        return DB_RUN(NULL, step->db, "generation_next_round", err, item->id) ||
               item_job(step, item, "generate", err) || step_end(step, err);
    char *problem = reason_of(why, round, step);
    int failed = item_move(step, item, "round.exhausted", problem, err) || step_end(step, err);
    free(problem);
    return failed ? -1 : 0;
}

static int choose(struct step *step, const struct item *item, const struct round_task *task,
                  struct err *err)
{
    return DB_RUN(NULL, step->db, "generation_choose", err, item->id, task->id) ||
                   item_move(step, item, "candidate.stored", NULL, err) ||
                   item_job(step, item, "inspect", err) || step_end(step, err)
               ? -1
               : 0;
}

/* Something is under way: what ends from now on adds a gather of its own. Where nothing is, and
 * only an open circuit is waited for, nobody else would look. */
static int wait_on(const struct standing *s, struct step *step, const struct item *item,
                   const struct round *round, struct err *err)
{
    bool nothing_runs = s->asked == 0;
    for (int i = 0; i < round->count; i++)
        nothing_runs &= !round_task_is_open(&round->tasks[i]);
    if (nothing_runs)
        return job_release(step->db, step->job, WAIT_MS, err) || db_commit(step->db, err) ? -1 : 0;
    return (s->local && item_job(step, item, "generate", err)) || step_end(step, err) ? -1 : 0;
}

/* In the open transaction, under the item's lock. */
static int decide(struct step *step, const struct item *item, const struct round *round,
                  struct err *err)
{
    struct standing s;
    double most_s = json_number(json_get(item->product, "provider"), "deadline_s", ROUND_S);
    bool overdue = round->age_s >= most_s;
    if (stand(&s, step, item, round, overdue, err))
        return -1;
    if (s.packed || (s.unscored > 0 && needs_scores(round, item))) /* one came in meanwhile */
        return job_release(step->db, step->job, 0, err) || db_commit(step->db, err) ? -1 : 0;
    const struct round_task *best = best_of(round);
    const char *why = s.why ? s.why : "no_candidate";
    /* after the deadline a good one does not wait for those that may be better */
    bool good_enough = overdue && best && (!*best->score || points_of(best) >= 0);
    if ((s.asked > 0 || s.waiting > 0) && !good_enough)
        return wait_on(&s, step, item, round, err);
    if (!best)
        return give_up(step, item, round, why, err);
    if (*best->score && points_of(best) < 0 && may_begin_anew(item, why))
        return give_up(step, item, round, why, err);
    return choose(step, item, best, err);
}

static int gather(struct step *step, const struct item *item, struct err *err)
{
    struct round round = {0};
    int result = round_unpack(step, item, err);
    if (!result)
        result = score_all(step, item, err);
    if (!result)
        result = step_begin(step, item, "generating", err);
    if (!result)
        result = round_load(&round, step, item, err);
    if (!result)
        result = decide(step, item, &round, err);
    round_free(&round);
    return result;
}

int step_gather(struct step *step, struct err *err)
{
    struct item item;
    int result = item_load(&item, step, err);
    if (!result && strcmp(item.state, "generating") != 0)
        result = step_drop(step, "the item has moved on", err);
    else if (!result)
        result = gather(step, &item, err);
    item_free(&item);
    return result < 0 ? -1 : 0;
}
