/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the simulated providers push: once, twice, out of order, or with a forged signature. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "intake/provider/http.h"
#include "tests/sim/provider_sim.h"

#define WAITING_MOST 32

/* One push to be sent, outside the lock. */
struct push {
    char url[700];
    cJSON *headers;
    struct bytes body;
};

/* --- keys --- */

static void key_pair(unsigned char public_key[32], unsigned char secret[64])
{
    static const unsigned char seed[32] = "statuette simulated fal, key one";
    crypto_sign_seed_keypair(public_key, secret, seed);
}

void push_public_key(char out[64])
{
    unsigned char public_key[32], secret[64];
    key_pair(public_key, secret);
    sodium_bin2base64(out, 64, public_key, sizeof public_key,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void push_sign_fal(char hex[129], const char *text, size_t n)
{
    unsigned char public_key[32], secret[64], signature[64];
    key_pair(public_key, secret);
    crypto_sign_detached(signature, NULL, (const unsigned char *)text, n, secret);
    sodium_bin2hex(hex, 129, signature, sizeof signature);
}

/* --- what is due --- */

static bool url_of(char url[700], struct sim *sim, struct provider *p, const struct task *t)
{
    if (*t->push_url)
        snprintf(url, 700, "%s", t->push_url);
    else if (*sim->push_to && strcmp(p->name, "replicate") != 0 && strcmp(p->name, "fal") != 0)
        snprintf(url, 700, "%s/%s", sim->push_to, p->name);
    else
        return false;
    return true;
}

/* Any digit of a signature is another one then. */
static void forge(cJSON *headers)
{
    cJSON *header;
    cJSON_ArrayForEach (header, headers) {
        size_t n = strlen(header->valuestring);
        if (strcasestr(header->string, "signature") && n > 4)
            header->valuestring[n - 3] = header->valuestring[n - 3] == 'a' ? 'b' : 'a';
    }
}

static int write_push(struct push *to, struct sim *sim, struct provider *p, struct task *t,
                      bool ended)
{
    struct exchange x = {.sim = sim, .p = p, .method = "", .path = "", .retry_after_s = -1};
    snprintf(x.base, sizeof x.base, "http://127.0.0.1:%d/%s", sim->port, p->name);
    p->protocol->push(&x, t, ended);
    if (x.out.len == 0 || !url_of(to->url, sim, p, t)) {
        bytes_free(&x.out);
        cJSON_Delete(x.headers);
        return 0;
    }
    to->headers = x.headers ? x.headers : cJSON_CreateObject();
    to->body = x.out;
    cJSON_AddStringToObject(to->headers, "Content-Type", "application/json");
    if (fault_of_task(sim, p, t->number, "push_forged"))
        forge(to->headers);
    return 1;
}

/* The stage that a task has reached is pushed once; disordered, the end comes first. */
static int due_of_task(struct push *to, struct sim *sim, struct provider *p, struct task *t)
{
    char url[700];
    enum phase phase = task_phase(sim, p, t);
    int stage = phase == PHASE_QUEUED ? 0 : phase == PHASE_RUNNING ? 1 : 2, count = 0;
    bool disordered = fault_of_task(sim, p, t->number, "push_disordered") != NULL;
    if (stage <= t->pushed || !url_of(url, sim, p, t) || (disordered && stage < 2))
        return 0;
    count += write_push(&to[count], sim, p, t, stage == 2);
    if (disordered) { /* what was true before */
        int64_t ready = t->ready_ms;
        t->ready_ms = INT64_MAX;
        count += write_push(&to[count], sim, p, t, false);
        t->ready_ms = ready;
    }
    if (fault_of_task(sim, p, t->number, "push_twice"))
        count += write_push(&to[count], sim, p, t, stage == 2);
    t->pushed = stage;
    return count;
}

static int due(struct push *to, struct sim *sim)
{
    int count = 0;
    for (int i = 0; i < sim->provider_count; i++) {
        struct provider *p = &sim->providers[i];
        for (int k = p->count - 1; p->protocol->push && k >= 0 && count + 3 < WAITING_MOST; k--)
            if (p->tasks[k]->pushed < 2)
                count += due_of_task(to + count, sim, p, p->tasks[k]);
    }
    return count;
}

static bool send_push(struct push *push)
{
    struct http_request request = {.method = "POST",
                                   .url = strdup(push->url),
                                   .connect_s = 2,
                                   .total_s = 15,
                                   .max_bytes = 1 << 16};
    struct http_answer answer = {0};
    struct err err = {0};
    request.headers = push->headers;
    request.body = push->body;
    *push = (struct push){0};
    bool sent = !http_send(&answer, &request, &err) && answer.status < 300;
    http_answer_free(&answer);
    http_request_free(&request);
    return sent;
}

void *push_main(void *user)
{
    struct sim *sim = user;
    static struct push waiting[WAITING_MOST];
    if (sodium_init() < 0)
        exit(1);
    for (;;) {
        pthread_mutex_lock(&sim->lock);
        int count = due(waiting, sim);
        pthread_mutex_unlock(&sim->lock);
        int failed = 0;
        for (int i = 0; i < count; i++)
            failed += !send_push(&waiting[i]);
        pthread_mutex_lock(&sim->lock);
        sim->pushed += count;
        sim->push_failures += failed;
        pthread_mutex_unlock(&sim->lock);
        if (count == 0)
            usleep(100 * 1000);
    }
    return NULL;
}
