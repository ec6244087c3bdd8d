/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /sim/state: what was asked, made, billed and broken; tests and people believe this and not
 * our own rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/provider_sim.h"

static const char *const phases[] = {"queued", "running", "done", "failed", "refused", "cancelled"};

static void add_task(cJSON *list, struct sim *sim, struct provider *p, const struct task *t)
{
    char key[120];
    cJSON *j = cJSON_CreateObject();
    snprintf(key, sizeof key, "%s:%lld", t->image, (long long)t->seed);
    cJSON_AddStringToObject(j, "id", t->id);
    cJSON_AddStringToObject(j, "kind", t->kind);
    cJSON_AddStringToObject(j, "image", t->image);
    cJSON_AddNumberToObject(j, "seed", (double)t->seed);
    cJSON_AddStringToObject(j, "key", key);
    cJSON_AddStringToObject(j, "phase", phases[task_phase(sim, p, t)]);
    cJSON_AddNumberToObject(j, "credits", task_bill(sim, p, t));
    cJSON_AddNumberToObject(j, "fetches", t->fetches);
    cJSON_AddItemToArray(list, j);
}

static int compare(const void *a, const void *b)
{
    const struct task *const *x = a, *const *y = b;
    int d = strcmp((*x)->image, (*y)->image);
    return d ? d : (*x)->seed < (*y)->seed ? -1 : (*x)->seed > (*y)->seed;
}

/* Keys (picture and seed) that more than one task was made for. */
static void add_doubles(cJSON *to, struct provider *p)
{
    cJSON *keys = cJSON_AddObjectToObject(to, "made_twice");
    struct task **sorted = calloc((size_t)p->count + 1, sizeof *sorted);
    if (!sorted)
        exit(1);
    for (int i = 0; i < p->count; i++)
        sorted[i] = p->tasks[i];
    qsort(sorted, (size_t)p->count, sizeof *sorted, compare);
    for (int i = 0, n; i < p->count; i += n) {
        char key[120];
        for (n = 1; i + n < p->count && compare(&sorted[i], &sorted[i + n]) == 0;)
            n++;
        snprintf(key, sizeof key, "%s:%lld", sorted[i]->image, (long long)sorted[i]->seed);
        if (n > 1)
            cJSON_AddNumberToObject(keys, key, n);
    }
    free(sorted);
}

static void add_faults(cJSON *to, struct sim *sim)
{
    cJSON *list = cJSON_AddArrayToObject(to, "faults");
    for (int i = 0; i < sim->fault_count; i++) {
        cJSON *j = cJSON_CreateObject();
        cJSON_AddStringToObject(j, "fault", sim->faults[i].name);
        cJSON_AddStringToObject(j, "on", sim->faults[i].on);
        cJSON_AddStringToObject(j, "provider", sim->faults[i].provider);
        cJSON_AddNumberToObject(j, "hits", sim->faults[i].hits);
        cJSON_AddItemToArray(list, j);
    }
}

static void add_provider(cJSON *to, struct sim *sim, struct provider *p)
{
    double bill = 0, frozen = 0;
    cJSON *j = cJSON_AddObjectToObject(to, p->name);
    for (int i = 0; i < p->count; i++)
        bill += task_bill(sim, p, p->tasks[i]);
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"requests", p->requests},
                   {"submits", p->submit_requests},
                   {"made", p->count},
                   {"poll_requests", p->poll_requests},
                   {"polled", p->polled},
                   {"uploads", p->uploads_count},
                   {"fetches", p->fetches},
                   {"cancels", p->cancels},
                   {"bill", bill},
                   {"balance", balance_of(sim, p, &frozen)},
                   {"frozen", frozen}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cJSON_AddNumberToObject(j, numbers[i].name, numbers[i].value);
    cJSON *broken = cJSON_AddObjectToObject(j, "violations");
    cJSON_AddNumberToObject(broken, "submits", p->submits.violations);
    cJSON_AddNumberToObject(broken, "polls", p->polls.violations);
    cJSON_AddNumberToObject(broken, "in_flight", p->in_flight.violations);
    add_doubles(j, p);
    cJSON *tasks = cJSON_AddArrayToObject(j, "tasks");
    for (int i = 0; i < p->count; i++)
        add_task(tasks, sim, p, p->tasks[i]);
}

void say_state(struct exchange *x)
{
    struct sim *sim = x->sim;
    cJSON *state = cJSON_CreateObject();
    cJSON_AddNumberToObject(state, "pushed", sim->pushed);
    cJSON_AddNumberToObject(state, "push_failures", sim->push_failures);
    add_faults(state, sim);
    cJSON *providers = cJSON_AddObjectToObject(state, "providers");
    for (int i = 0; i < sim->provider_count; i++)
        if (sim->providers[i].requests > 0)
            add_provider(providers, sim, &sim->providers[i]);
    bytes_free(&x->out);
    x->out.limit = (size_t)64 << 20;
    x->status = 200;
    x->mime = "application/json";
    if (json_print(&x->out, state, false, NULL))
        exit(1);
    cJSON_Delete(state);
}

/* The same in short, of the provider at the root. */
void say_counts(struct exchange *x)
{
    const struct provider *p = x->sim->root;
    if (p)
        say(x, 200, "{\"submits\":%d,\"polls\":%d,\"made\":%d,\"fetches\":%d}", p->submit_requests,
            p->poll_requests, p->count, p->fetches);
}
