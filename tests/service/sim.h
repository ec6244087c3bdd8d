/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts the printer simulator beside the test program, makes it misbehave, reads its counts. */
#ifndef TESTS_SERVICE_SIM_H
#define TESTS_SERVICE_SIM_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "intake/provider/provider.h"

struct sim_process {
    pid_t pid;
    int port;
    char url[64];
};

static inline int sim_start(struct sim_process *sim, const char *speed, const char *state_path,
                            int port)
{
    char program[600], number[16], line[64] = "";
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 40);
    int out[2];
    if (n < 0 || pipe(out))
        return -1;
    program[n] = 0;
    char *slash = strrchr(program, '/');
    strcpy(slash, "/../sim/printer_sim");
    snprintf(number, sizeof number, "%d", port);
    sim->pid = fork();
    if (sim->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], 1);
        close(out[0]);
        execl(program, program, "--key", "secret", "--port", number, "--speed", speed, "--slow-ms",
              "40", "--late-ms", "600", state_path ? "--state" : NULL, state_path, NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *from = fdopen(out[0], "r");
    bool up =
        from && fgets(line, sizeof line, from) && sscanf(line, "listening %d", &sim->port) == 1;
    if (from)
        fclose(from);
    snprintf(sim->url, sizeof sim->url, "http://127.0.0.1:%d", sim->port);
    return up ? 0 : -1;
}

static inline void sim_stop(struct sim_process *sim, int signal)
{
    if (sim->pid > 0) {
        kill(sim->pid, signal);
        waitpid(sim->pid, NULL, 0);
    }
    sim->pid = 0;
}

static inline int sim_ask(struct http_answer *answer, const struct sim_process *sim,
                          const char *method, const char *path, const char *json)
{
    struct http_request request = {.connect_s = 2, .total_s = 5, .max_bytes = 1 << 20};
    snprintf(request.method, sizeof request.method, "%s", method);
    request.headers = cJSON_CreateObject();
    cJSON_AddStringToObject(request.headers, "X-Api-Key", "secret");
    cJSON_AddStringToObject(request.headers, "Content-Type", "application/json");
    int failed = asprintf(&request.url, "%s%s", sim->url, path) < 0 ||
                 (json && bytes_append(&request.body, json, strlen(json), NULL));
    failed = failed || http_send(answer, &request, NULL);
    http_request_free(&request);
    return failed ? -1 : 0;
}

static inline int sim_fault(const struct sim_process *sim, const char *name)
{
    char json[64];
    struct http_answer answer = {0};
    snprintf(json, sizeof json, "{\"fault\":\"%s\"}", name);
    int failed = sim_ask(&answer, sim, "POST", "/sim/fault", json) || answer.status != 204;
    http_answer_free(&answer);
    return failed ? -1 : 0;
}

/* GET /sim/stats; the caller deletes it. NULL when it does not answer. */
static inline cJSON *sim_stats(const struct sim_process *sim)
{
    struct http_answer answer = {0};
    cJSON *stats = NULL;
    if (!sim_ask(&answer, sim, "GET", "/sim/stats", NULL) && answer.status == 200 &&
        json_parse(&stats, answer.body.data, answer.body.len, NULL))
        stats = NULL;
    http_answer_free(&answer);
    return stats;
}

/* All starts so far, or -1. */
static inline int sim_starts(const struct sim_process *sim)
{
    cJSON *stats = sim_stats(sim);
    int starts = (int)json_number(stats, "starts", -1);
    cJSON_Delete(stats);
    return starts;
}

#endif
