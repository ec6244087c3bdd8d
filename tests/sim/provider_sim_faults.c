/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scenario: what the simulated providers are like, and which tasks and requests go wrong. The
 * same seed spoils the same tasks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/provider_sim.h"

/* Of a task: what becomes of it or its file. The others are of a request. */
static const char *const task_faults[] = {
    "fail",     "content",    "stuck",           "strange_status", "no_results",
    "expired",  "truncated",  "oversized",       "half_model",     "redirect_inside",
    "web_page", "push_twice", "push_disordered", "push_forged",    NULL};
static const char *const request_faults[] = {
    "slow", "rate",         "queue_full",  "unauthorized",    "no_credits", "bad_input",
    "html", "server_error", "answer_lost", "refused_at_once", NULL};

static int index_in(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

/* --- drawing --- */

/* 0 .. 1, the same for the same question. */
static double draw(struct sim *sim, const struct provider *p, const char *what, int64_t number)
{
    char text[200], hash[SHA256_HEX], digits[12];
    int n = snprintf(text, sizeof text, "%llu %s %s %lld", (unsigned long long)sim->seed, p->name,
                     what, (long long)number);
    sha256_hex(hash, text, (size_t)n);
    snprintf(digits, sizeof digits, "%.8s", hash);
    return (double)strtoul(digits, NULL, 16) / 4294967296.0;
}

double draw_between(struct sim *sim, struct provider *p, int number, const char *what,
                    const double range[2])
{
    return range[0] + (range[1] - range[0]) * draw(sim, p, what, number);
}

static bool is_for(const struct fault *f, const struct provider *p, const char *name)
{
    return strcmp(f->name, name) == 0 && (!*f->provider || strcmp(f->provider, p->name) == 0);
}

static bool names_task(const struct fault *f, int64_t number)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, f->tasks)
        if ((int64_t)cJSON_GetNumberValue(one) == number)
            return true;
    return false;
}

struct fault *fault_of_task(struct sim *sim, struct provider *p, int number, const char *name)
{
    for (int i = 0; i < sim->fault_count; i++) {
        struct fault *f = &sim->faults[i];
        char what[60];
        if (!is_for(f, p, name))
            continue;
        snprintf(what, sizeof what, "%s %d", name, i);
        if (number <= f->first || names_task(f, number) ||
            (f->share > 0 && draw(sim, p, what, number) < f->share))
            return f;
    }
    return NULL;
}

/* One of a submit can be chosen by the number of the task that it would make. */
struct fault *fault_of_request(struct sim *sim, struct provider *p, const char *name,
                               const char *on)
{
    int kind = index_in(request_faults, name);
    int64_t turn = ++p->draws[kind * 3 + (strcmp(on, "submit") == 0 ? 0 : 1)];
    for (int i = 0; i < sim->fault_count; i++) {
        struct fault *f = &sim->faults[i];
        char what[80];
        if (!is_for(f, p, name) || (*f->on && strcmp(f->on, on) != 0))
            continue;
        snprintf(what, sizeof what, "%s %s %d", name, on, i);
        bool goes_on = f->left > 0;
        bool hit = goes_on || turn <= f->first ||
                   (strcmp(on, "submit") == 0 && names_task(f, p->count + 1)) ||
                   (f->share > 0 && draw(sim, p, what, turn) < f->share);
        if (!hit)
            continue;
        f->left = goes_on ? f->left - 1 : f->burst > 1 ? f->burst - 1 : 0;
        f->hits++;
        return f;
    }
    return NULL;
}

/* --- reading --- */

int fault_add(struct sim *sim, const cJSON *line, struct err *err)
{
    const char *name = json_text(line, "fault", "");
    if (index_in(task_faults, name) < 0 && index_in(request_faults, name) < 0)
        return FAIL(err, ERR_INPUT, "no such fault: %.40s", name);
    if (sim->fault_count == FAULTS_MOST)
        return FAIL(err, ERR_LIMIT, "more than %d faults", FAULTS_MOST);
    struct fault *f = &sim->faults[sim->fault_count++];
    *f = (struct fault){.share = json_number(line, "share", 0),
                        .first = (int)json_number(line, "first", 0),
                        .tasks = cJSON_Duplicate(json_get(line, "tasks"), true),
                        .burst = (int)json_number(line, "burst", 1),
                        .times = (int)json_number(line, "times", 0),
                        .ms = (int)json_number(line, "ms", 1000),
                        .status = (int)json_number(line, "status", 0),
                        .s = json_number(line, "s", 0),
                        .retry_after_s = json_number(line, "retry_after_s", -1),
                        .made = json_bool(line, "made", false)};
    snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(f->on, sizeof f->on, "%s", json_text(line, "on", ""));
    snprintf(f->provider, sizeof f->provider, "%s", json_text(line, "provider", ""));
    return 0;
}

static void read_range(double range[2], const cJSON *scenario, const char *name)
{
    const cJSON *both = json_get(scenario, name);
    if (cJSON_GetArraySize(both) != 2)
        return;
    range[0] = cJSON_GetNumberValue(cJSON_GetArrayItem(both, 0));
    range[1] = cJSON_GetNumberValue(cJSON_GetArrayItem(both, 1));
}

static int read_limit(struct limit *limit, const cJSON *provider, const char *name, struct err *err)
{
    const cJSON *line = json_get(json_get(provider, "limits"), name);
    limit->most = (int)json_number(line, "most", 0);
    limit->window_ms = (int64_t)(1000 * json_number(line, "window_s", 60));
    return limit->most < WINDOW_MOST ? 0 : FAIL(err, ERR_INPUT, "a limit above %d", WINDOW_MOST);
}

static struct provider *provider_named(struct sim *sim, const char *name)
{
    for (int i = 0; i < sim->provider_count; i++)
        if (strcmp(sim->providers[i].name, name) == 0)
            return &sim->providers[i];
    return NULL;
}

int scenario_read(struct sim *sim, const cJSON *scenario, struct err *err)
{
    const cJSON *one;
    sim->seed = (uint64_t)json_number(scenario, "seed", (double)sim->seed);
    read_range(sim->queue_s, scenario, "queue_s");
    read_range(sim->run_s, scenario, "run_s");
    cJSON_ArrayForEach (one, json_get(scenario, "providers")) {
        struct provider *p = provider_named(sim, one->string);
        if (!p)
            return FAIL(err, ERR_INPUT, "no such provider: %.40s", one->string);
        p->price = json_number(one, "price", p->price);
        p->balance = json_number(one, "balance", p->balance);
        stock(sim, p, (int)json_number(one, "stock", 0));
        p->skew_s = (int)json_number(one, "clock_skew_s", p->skew_s);
        snprintf(p->key, sizeof p->key, "%s", json_text(one, "key", p->key));
        snprintf(p->secret, sizeof p->secret, "%s", json_text(one, "secret", p->secret));
        if (read_limit(&p->submits, one, "submits", err) ||
            read_limit(&p->polls, one, "polls", err) ||
            read_limit(&p->in_flight, one, "in_flight", err))
            return -1;
    }
    cJSON_ArrayForEach (one, json_get(scenario, "faults"))
        if (fault_add(sim, one, err))
            return -1;
    return 0;
}
