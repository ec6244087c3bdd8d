/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks of the simulated providers: taken within limits, moved by the clock, billed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "intake/provider/reading.h"
#include "tests/sim/provider_sim.h"

int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t provider_ms(const struct provider *p)
{
    return wall_ms() + (int64_t)p->skew_s * 1000;
}

const char *time_text(char out[32], const struct provider *p, int64_t at_ms)
{
    time_t s = (time_t)(at_ms / 1000 + p->skew_s);
    struct tm tm;
    gmtime_r(&s, &tm);
    size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, 32 - n, ".%03dZ", (int)(at_ms % 1000));
    return out;
}

double price_of(const struct provider *p, double otherwise)
{
    return p->price >= 0 ? p->price : otherwise;
}

double seed_of(const cJSON *object, const char *name)
{
    const char *text = json_text(object, name, NULL);
    return text ? atof(text) : json_number(object, name, -1);
}

/* --- limits -------------------------------------------------------------------------------------
 */

/* True where this one is one too many; those count as well, as they do at most providers. */
static bool is_over(struct limit *limit)
{
    int64_t now = wall_ms();
    if (limit->most <= 0)
        return false;
    int64_t oldest =
        limit->count >= limit->most ? limit->at[(limit->count - limit->most) % WINDOW_MOST] : 0;
    limit->at[limit->count++ % WINDOW_MOST] = now;
    if (!oldest || oldest <= now - limit->window_ms)
        return false;
    limit->violations++;
    return true;
}

static int running(struct sim *sim, struct provider *p)
{
    int count = 0;
    for (int i = p->count - 1; i >= 0; i--)
        count += task_phase(sim, p, p->tasks[i]) <= PHASE_RUNNING;
    return count;
}

/* --- a task -------------------------------------------------------------------------------------
 */

static struct task *task_add(struct exchange *x, const char *kind)
{
    struct provider *p = x->p;
    struct task *t = calloc(1, sizeof *t);
    char text[80], hash[SHA256_HEX];
    if (p->count == p->room) {
        p->room = p->room ? p->room * 2 : 64;
        p->tasks = realloc(p->tasks, (size_t)p->room * sizeof(struct task *));
    }
    if (!t || !p->tasks)
        exit(1);
    p->tasks[p->count++] = t;
    t->number = p->count;
    int n = snprintf(text, sizeof text, "%s %llu %d", p->name, (unsigned long long)x->sim->seed,
                     t->number);
    sha256_hex(hash, text, (size_t)n);
    snprintf(t->id, sizeof t->id, "%.8s-%.4s-4%.3s-8%.3s-%012d", hash, hash + 8, hash + 12,
             hash + 15, t->number);
    snprintf(t->handle, sizeof t->handle, "sub.%.40s", hash + 20);
    snprintf(t->kind, sizeof t->kind, "%s", kind);
    return t;
}

static struct fault *counted(struct fault *fault)
{
    if (fault)
        fault->hits++;
    return fault;
}

static void plan(struct exchange *x, struct task *t)
{
    struct sim *sim = x->sim;
    t->made_ms = wall_ms();
    t->start_ms =
        t->made_ms + (int64_t)(1000 * draw_between(sim, x->p, t->number, "queue", sim->queue_s));
    t->ready_ms =
        t->start_ms + (int64_t)(1000 * draw_between(sim, x->p, t->number, "run", sim->run_s));
    t->fails = counted(fault_of_task(sim, x->p, t->number, "fail")) != NULL;
    t->refused = counted(fault_of_task(sim, x->p, t->number, "content")) != NULL;
    counted(fault_of_task(sim, x->p, t->number, "strange_status"));
    const struct fault *stuck = counted(fault_of_task(sim, x->p, t->number, "stuck"));
    if (stuck)
        t->ready_ms += stuck->s > 0 ? (int64_t)(1000 * stuck->s) : (int64_t)1 << 50;
}

/* Refused before anything is made; true then. */
static bool is_refused(struct exchange *x)
{
    static const struct {
        const char *name;
        enum refusal refusal;
    } kinds[] = {{"unauthorized", REFUSE_KEY}, {"no_credits", REFUSE_CREDITS},
                 {"rate", REFUSE_RATE},        {"queue_full", REFUSE_FULL},
                 {"bad_input", REFUSE_INPUT},  {"refused_at_once", REFUSE_CONTENT}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct fault *fault = fault_of_request(x->sim, x->p, kinds[i].name, "submit");
        if (!fault)
            continue;
        refuse(x, kinds[i].refusal);
        x->retry_after_s = fault->retry_after_s;
        return true;
    }
    if (is_over(&x->p->submits)) {
        refuse(x, REFUSE_RATE);
        return true;
    }
    if (x->p->in_flight.most > 0 && running(x->sim, x->p) >= x->p->in_flight.most) {
        x->p->in_flight.violations++;
        refuse(x, REFUSE_FULL);
        return true;
    }
    return false;
}

struct task *submit(struct exchange *x, const char *kind, const char *image, int64_t seed,
                    double credits)
{
    struct sim *sim = x->sim;
    struct provider *p = x->p;
    p->submit_requests++;
    const struct fault *down = fault_of_request(sim, p, "server_error", "submit");
    if ((down && !down->made) || (!down && is_refused(x))) {
        if (down)
            refuse(x, REFUSE_SERVER);
        if (down && down->status)
            x->status = down->status;
        return NULL;
    }
    struct task *t = task_add(x, kind);
    plan(x, t);
    snprintf(t->image, sizeof t->image, "%s", image ? image : x->image);
    t->seed = seed;
    t->credits = credits;
    if (fault_of_request(sim, p, "answer_lost", "submit"))
        x->cut = true;
    if (down) { /* it is made, and nobody is told */
        refuse(x, REFUSE_SERVER);
        x->status = down->status ? down->status : x->status;
        return NULL;
    }
    return t;
}

void stock(struct sim *sim, struct provider *p, int count)
{
    struct exchange x = {.sim = sim, .p = p};
    for (int i = 0; i < count; i++) {
        struct task *t = task_add(&x, strcmp(p->name, "meshy") == 0 ? "image-to-3d" : "stocked");
        t->seed = -1;
        t->made_ms = t->start_ms = wall_ms();
        t->ready_ms = (int64_t)1 << 50;
    }
}

struct task *task_find(struct provider *p, const char *id)
{
    const char *dash = strrchr(id, '-');
    int number = dash ? atoi(dash + 1) : 0;
    if (number < 1 || number > p->count || strcmp(p->tasks[number - 1]->id, id) != 0)
        return NULL;
    return p->tasks[number - 1];
}

bool poll_refused(struct exchange *x, int count)
{
    struct provider *p = x->p;
    p->poll_requests++;
    p->polled += count;
    const struct fault *fault = fault_of_request(x->sim, p, "rate", "poll");
    if (fault || is_over(&p->polls)) {
        refuse(x, REFUSE_RATE);
        x->retry_after_s = fault ? fault->retry_after_s : 1;
        return true;
    }
    fault = fault_of_request(x->sim, p, "server_error", "poll");
    if (fault) {
        refuse(x, REFUSE_SERVER);
        if (fault->status)
            x->status = fault->status;
        return true;
    }
    if (!fault_of_request(x->sim, p, "html", "poll"))
        return false;
    say(x, 200, "<html><body><h1>Just a moment...</h1></body></html>");
    x->mime = "text/html; charset=utf-8";
    return true;
}

struct task *task_asked(struct exchange *x, const char *id)
{
    char plain[64];
    if (poll_refused(x, 1))
        return NULL;
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(id, "/?"), id);
    struct task *t = task_find(x->p, plain);
    if (!t)
        refuse(x, REFUSE_ABSENT);
    return t;
}

/* --- how it stands ------------------------------------------------------------------------------
 */

enum phase task_phase(struct sim *sim, struct provider *p, const struct task *t)
{
    int64_t now = wall_ms();
    (void)sim;
    (void)p;
    if (t->cancelled)
        return PHASE_CANCELLED;
    if (now < t->start_ms)
        return PHASE_QUEUED;
    if (now < t->ready_ms)
        return PHASE_RUNNING;
    return t->refused ? PHASE_REFUSED : t->fails ? PHASE_FAILED : PHASE_DONE;
}

int task_progress(struct sim *sim, struct provider *p, const struct task *t)
{
    enum phase phase = task_phase(sim, p, t);
    if (phase == PHASE_QUEUED)
        return 0;
    if (phase != PHASE_RUNNING)
        return 100;
    const struct fault *stuck = fault_of_task(sim, p, t->number, "stuck");
    int64_t whole = t->ready_ms - t->start_ms;
    if (stuck)
        return 99;
    return whole > 0 ? (int)(99 * (wall_ms() - t->start_ms) / whole) : 99;
}

double task_bill(struct sim *sim, struct provider *p, const struct task *t)
{
    enum phase phase = task_phase(sim, p, t);
    bool failed = phase == PHASE_FAILED || phase == PHASE_REFUSED || phase == PHASE_CANCELLED;
    /* fal never charges for an error of its own, whatever it takes for one of the caller */
    bool own = strcmp(p->protocol->id, "fal") == 0 && phase == PHASE_FAILED;
    return failed && (p->protocol->refunds || own) ? 0 : t->credits;
}

double balance_of(struct sim *sim, struct provider *p, double *frozen)
{
    double left = p->balance, held = 0;
    for (int i = 0; i < p->count; i++) {
        double credits = task_bill(sim, p, p->tasks[i]);
        if (task_phase(sim, p, p->tasks[i]) <= PHASE_RUNNING)
            held += credits;
        left -= credits;
    }
    if (frozen)
        *frozen = held;
    return left;
}

/* --- its result ---------------------------------------------------------------------------------
 */

void result_url(char *out, size_t room, struct exchange *x, struct task *t)
{
    snprintf(out, room, "%s/result/%s/%d/model.glb?Expires=%lld&Signature=sim", x->base, t->id,
             ++t->addresses, (long long)(provider_ms(x->p) / 1000 + 300));
}

bool has_no_results(struct exchange *x, struct task *t)
{
    struct fault *fault = fault_of_task(x->sim, x->p, t->number, "no_results");
    t->looks++;
    if (!fault || (fault->times > 0 && t->looks > fault->times))
        return false;
    fault->hits++;
    return true;
}

const char *running_word(struct exchange *x, const struct task *t, const char *word)
{
    return fault_of_task(x->sim, x->p, t->number, "strange_status") ? "rethinking_topology" : word;
}

/* --- pictures -----------------------------------------------------------------------------------
 */

void upload_add(struct provider *p, const char *token, const char *image)
{
    struct upload *u = calloc(1, sizeof *u);
    if (!u)
        exit(1);
    snprintf(u->token, sizeof u->token, "%s", token);
    snprintf(u->image, sizeof u->image, "%s", image);
    u->next = p->uploads;
    p->uploads = u;
    p->uploads_count++;
}

static const char *data_uri(struct exchange *x, const char *text)
{
    struct bytes image = {0};
    const char *comma = strchr(text, ',');
    *x->image = 0;
    if (comma && !base64_decode(&image, comma + 1, strlen(comma + 1), NULL) && image.len > 8)
        sha256_hex(x->image, image.data, image.len);
    bytes_free(&image);
    return *x->image ? x->image : NULL;
}

const char *image_known(struct exchange *x, const char *text)
{
    if (strncmp(text, "data:", 5) == 0)
        return data_uri(x, text);
    for (const struct upload *u = x->p->uploads; u; u = u->next) {
        size_t n = strlen(text), k = strlen(u->token);
        if (n >= k && strcmp(text + n - k, u->token) == 0)
            return u->image;
    }
    return NULL;
}
