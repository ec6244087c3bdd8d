/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What it costs one worker process to poll tasks that are under way: CPU seconds for 1,000 polls
 * and resident memory, with 100, 1,000 and 5,000 of them, at a provider that is asked about one
 * task a call (meshy) and at one that is asked about a hundred (tripo). `make polls`.
 */
#include "tests/service/provider_fixture.h"

#define SETTLE_S 6
#define MEASURE_S 15

struct sample {
    double cpu_s, at_s;
    long polls, tasks;
};

/* user and system time of the process so far */
static double cpu_of(pid_t pid)
{
    char path[60], line[1000] = "";
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *from = fopen(path, "r");
    size_t n = from ? fread(line, 1, sizeof line - 1, from) : 0;
    if (from)
        fclose(from);
    line[n] = 0;
    const char *rest = strrchr(line, ')');
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                        &system) != 2)
        return -1;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double memory_mb(pid_t pid)
{
    char path[60], line[200];
    double kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *from = fopen(path, "r");
    while (from && fgets(line, sizeof line, from))
        if (sscanf(line, "VmRSS: %lf kB", &kb) == 1)
            break;
    if (from)
        fclose(from);
    return kb / 1024;
}

static struct sample take_sample(pid_t worker, const char *id)
{
    cJSON *state = sim_state();
    const cJSON *p = json_get(json_get(state, "providers"), id);
    const struct sample s = {.cpu_s = cpu_of(worker),
                             .at_s = clock_s(),
                             .polls = (long)json_number(p, "poll_requests", 0),
                             .tasks = (long)json_number(p, "polled", 0)};
    cJSON_Delete(state);
    return s;
}

static int write_scenario(char path[800], const char *id, int count)
{
    char text[200];
    snprintf(path, 800, "%s/scenario.json", cluster_folder);
    int n = snprintf(text, sizeof text, "{\"providers\":{\"%s\":{\"stock\":%d}}}", id, count);
    return file_write(path, text, (size_t)n, &err);
}

/* The provider's tasks become ours, all under way. */
static int take_over(const char *id)
{
    char item[32], path[60];
    cJSON *state = NULL, *names = cJSON_CreateArray();
    const cJSON *task;
    struct bytes text = {.limit = 1 << 24};
    struct http_answer answer = {0};
    /* a provider that was asked nothing is not in the state */
    snprintf(path, sizeof path, "%s/nothing", id);
    if (!sim_ask(&answer, &provider, "GET", path, NULL))
        http_answer_free(&answer);
    state = sim_state();
    cJSON_ArrayForEach (task, json_get(json_get(json_get(state, "providers"), id + 1), "tasks"))
        cJSON_AddItemToArray(names, cJSON_CreateString(json_text(task, "id", "")));
    int failed =
        add_item(item, id + 1) || json_print(&text, names, false, &err) ||
        sql("delete from jobs") || sql("update items set state = 'generating'") ||
        db_text_run(
            NULL, db,
            "insert into tasks (id, item_id, round, provider, seed, spec, state, provider_task, "
            "sent_at, next_at, polls) select 'gen_' || n, $1, 1, $2, 1, '{}', 'running', x, now(), "
            "now() + random() * interval '5 seconds', 9 from jsonb_array_elements_text("
            "$3::jsonb) with ordinality as e (x, n)",
            3, (const char *const[]){item, id + 1, (const char *)text.data}, &err);
    bytes_free(&text);
    cJSON_Delete(names);
    cJSON_Delete(state);
    return failed;
}

static void print_row(const char *id, int count, const struct sample *a, const struct sample *b,
                      double mb)
{
    double cpu = b->cpu_s - a->cpu_s, s = b->at_s - a->at_s;
    double tasks = (double)(b->tasks - a->tasks), calls = (double)(b->polls - a->polls);
    printf("| %s | %d | %.1f | %.1f | %.3f | %.1f %% | %.1f |\n", id, count, calls / s, tasks / s,
           tasks > 0 ? 1000 * cpu / tasks : 0, 100 * cpu / s, mb);
    fflush(stdout);
}

static int measure(const char *id, int count)
{
    char path[800], log[800], slash[40];
    snprintf(slash, sizeof slash, "/%s", id);
    snprintf(log, sizeof log, "%s/worker.log", cluster_folder);
    if (set_up() || write_scenario(path, id, count) ||
        simulator_start("--scenario", path, NULL, NULL))
        return -1;
    use_simulator(id);
    if (write_rules_paced(id, "{\"calls_per_s\":0,\"poll_s\":5,\"poll_most_s\":5,"
                              "\"deadline_s\":86400}") ||
        take_over(slash))
        return -1;
    set_worker_environment();
    pid_t worker = worker_start("generate", log);
    if (worker < 0)
        return FAIL(&err, ERR_INPUT, "STATUETTE_PROGRAM says which worker to measure");
    sleep(SETTLE_S);
    const struct sample a = take_sample(worker, id);
    sleep(MEASURE_S);
    const struct sample b = take_sample(worker, id);
    print_row(id, count, &a, &b, memory_mb(worker));
    kill(worker, SIGTERM);
    waitpid(worker, NULL, 0);
    end();
    return 0;
}

int main(int argc, char **argv)
{
    static const int counts[] = {100, 1000, 5000};
    static const char *const ids[] = {"meshy", "tripo"};
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    if (fixture()) {
        fprintf(stderr, "polls: %s\n", cluster_why);
        return 1;
    }
    puts("| provider | running tasks | calls/s | polls/s | CPU s per 1,000 polls | CPU of one core "
         "| resident MB |\n|---|---|---|---|---|---|---|");
    for (int p = 0; p < 2; p++)
        for (int i = 0; i < 3; i++)
            if (measure(ids[p], counts[i])) {
                fprintf(stderr, "polls: %s\n", err.what);
                return 1;
            }
    return 0;
}
