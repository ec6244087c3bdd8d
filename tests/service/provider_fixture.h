/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A simulated provider, settings that make it quick, and a courier: what tests of the courier with
 * outside providers share. */
#ifndef TESTS_SERVICE_PROVIDER_FIXTURE_H
#define TESTS_SERVICE_PROVIDER_FIXTURE_H

#include <fcntl.h>

#include "service/courier.h"
#include "tests/service/steps_fixture.h"

static struct sim_process provider;
static struct courier *courier;

/* STATUETTE_<ID>_<WHAT> */
static inline void set_environment(const char *id, const char *what, const char *value)
{
    char name[80];
    snprintf(name, sizeof name, "STATUETTE_%.40s_%s", id, what);
    for (char *c = name; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* The built-in settings of that provider, without caps and with another pace. */
static inline int write_rules_paced(const char *id, const char *pace)
{
    char name[120], path[800];
    struct bytes text = {0};
    cJSON *rules = NULL;
    snprintf(name, sizeof name, "config/providers/%s.json", id);
    const struct asset *asset = asset_find(name);
    snprintf(settings.config_folder, sizeof settings.config_folder, "%.400s/config",
             cluster_folder);
    snprintf(path, sizeof path, "%s/providers", settings.config_folder);
    if (!asset || json_parse(&rules, asset->data, asset->size, &err) || folder_make(path, &err))
        return -1;
    cJSON_DeleteItemFromObjectCaseSensitive(rules, "caps");
    cJSON_AddItemToObject(rules, "pace", cJSON_Parse(pace));
    snprintf(path, sizeof path, "%s/providers/%s.json", settings.config_folder, id);
    int failed =
        json_print(&text, rules, true, &err) || file_write(path, text.data, text.len, &err);
    bytes_free(&text);
    cJSON_Delete(rules);
    return failed;
}

/* Quick, and ending after 12 s. */
static inline int write_rules(const char *id)
{
    return write_rules_paced(id, "{\"submits_per_min\":600,\"burst\":10,\"calls_per_s\":50,"
                                 "\"poll_s\":0.2,\"poll_most_s\":0.5,\"deadline_s\":12}");
}

/* Starts the simulator on a free port, with up to two options. */
static inline int simulator_start(const char *option, const char *value, const char *other,
                                  const char *other_value)
{
    char program[600], line[64] = "";
    int out[2];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 40);
    if (n < 0 || pipe(out))
        return -1;
    program[n] = 0;
    strcpy(strrchr(program, '/'), "/../sim/provider_sim");
    provider.pid = fork();
    if (provider.pid == 0) {
        dup2(out[1], 1);
        close(out[0]);
        execl(program, program, "--port", "0", option, value, other_value ? other : NULL,
              other_value, NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *from = fdopen(out[0], "r");
    bool up =
        from && fgets(line, sizeof line, from) && sscanf(line, "port %d", &provider.port) == 1;
    if (from)
        fclose(from);
    snprintf(provider.url, sizeof provider.url, "http://127.0.0.1:%d", provider.port);
    return up ? 0 : -1;
}

/* The simulator is this provider's address. */
static inline void use_simulator(const char *id)
{
    char url[120];
    snprintf(url, sizeof url, "%s/%s", provider.url, id);
    set_environment(id, "URL", url);
    set_environment(id, "UPLOAD_URL", url);
    set_environment(id, "KEY", "tsk_test");
}

/* What a worker of another process needs to find our database and files. */
static inline void set_worker_environment(void)
{
    setenv("STATUETTE_DATABASE", settings.database, 1);
    setenv("STATUETTE_BLOBS", settings.blob_folder, 1);
    setenv("STATUETTE_WORK", settings.work_folder, 1);
    setenv("STATUETTE_VAR", cluster_folder, 1);
    setenv("STATUETTE_CONFIG", settings.config_folder, 1);
    setenv("STATUETTE_LOG", "warn", 1);
}

/* A worker process of these kinds of jobs, or -1. */
static inline pid_t worker_start(const char *kinds, const char *log)
{
    const char *program = getenv("STATUETTE_PROGRAM");
    pid_t pid = program ? fork() : -1;
    if (pid == 0) {
        int to = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to, 1);
        dup2(to, 2);
        execl(program, program, "work", "--kinds", kinds, NULL);
        _exit(127);
    }
    return pid;
}

/* Starts the simulator, with one fault or none, and makes `id` the one provider that is set up. */
static inline int provider_start(const char *id, const char *fault)
{
    if (simulator_start("--slow", "300", "--fault", fault))
        return -1;
    use_simulator(id);
    return write_rules(id);
}

/* One more fault, of one provider only. */
static inline int sim_fault_of(const char *id, const char *fault)
{
    char json[400];
    struct http_answer answer = {0};
    snprintf(json, sizeof json, "{\"provider\":\"%s\",%s", id, fault + 1);
    int failed = sim_ask(&answer, &provider, "POST", "/sim/fault", json) || answer.status != 200;
    http_answer_free(&answer);
    return failed ? -1 : 0;
}

/* An item that waits for its model from that provider, and a courier. */
static inline int begin(char item[32], const char *id)
{
    if (add_item(item, id) || run_step("photo_check", step_photo_check, &err) ||
        run_step("generate", step_generate, &err))
        return -1;
    return courier_start(&courier, &settings, &err);
}

static inline void end(void)
{
    const struct provider_driver *driver;
    courier_stop(courier);
    courier = NULL;
    sim_stop(&provider, SIGKILL);
    for (size_t i = 0; (driver = provider_at(i)); i++) {
        set_environment(driver->id, "URL", NULL);
        set_environment(driver->id, "UPLOAD_URL", NULL);
        set_environment(driver->id, "KEY", NULL);
    }
    *settings.config_folder = 0;
}

/* Runs `gather` until the item has moved on. */
static inline bool gathered(const char *state)
{
    for (int i = 0; i < 200 && strcmp(ask(ITEM_STATE, NULL), "generating") == 0; i++) {
        if (make_due() || run_step("gather", step_gather, &err) < 0)
            return false;
        usleep(100 * 1000);
    }
    return strcmp(ask(ITEM_STATE, NULL), state) == 0;
}

#define OPEN_STATES "('created', 'submitting', 'submitted', 'running', 'fetching', 'in_doubt')"

/* Until all tasks are at their end; what waits to be asked again is hurried. */
static inline bool ended(void)
{
    static const char open[] = "select count(*) from tasks where state in " OPEN_STATES;
    for (int i = 0; i < 300 && strcmp(ask(open, NULL), "0") != 0; i++) {
        if (sql("update tasks set next_at = now() where state in ('in_doubt', 'created', "
                "'fetching') and next_at > now() + interval '2 seconds'") ||
            sql("update providers set hold_until = now() + interval '1 second' where hold_until > "
                "now() + interval '1 second'"))
            return false;
        usleep(100 * 1000);
    }
    return strcmp(ask(open, NULL), "0") == 0;
}

/* Of the provider's newest task. */
static inline const char *task_of(const char *id, const char *what)
{
    char query[300];
    snprintf(query, sizeof query,
             "select %s from tasks where provider = $1 order by created_at desc limit 1", what);
    return ask(query, id);
}

static inline const char *ledger_of(const char *id)
{
    return ask("select coalesce(sum(credits), 0) from ledger where provider = $1", id);
}

static inline cJSON *sim_state(void)
{
    struct http_request request = {
        .method = "GET", .connect_s = 2, .total_s = 20, .max_bytes = (size_t)64 << 20};
    struct http_answer answer = {0};
    cJSON *state = NULL;
    if (asprintf(&request.url, "%s/sim/state", provider.url) < 0 ||
        http_send(&answer, &request, NULL) ||
        json_parse(&state, answer.body.data, answer.body.len, NULL))
        state = NULL;
    http_request_free(&request);
    http_answer_free(&answer);
    return state;
}

static inline int sim_number(const char *id, const char *what)
{
    cJSON *state = sim_state();
    int number = (int)json_number(json_get(json_get(state, "providers"), id), what, state ? 0 : -1);
    cJSON_Delete(state);
    return number;
}

static inline bool bill_is_ledger(const char *id)
{
    cJSON *state = sim_state();
    double bill = json_number(json_get(json_get(state, "providers"), id), "bill", 0);
    cJSON_Delete(state);
    return state && fabs(bill - atof(ledger_of(id))) < 0.001;
}

/* The file that was stored is the one that this task made. */
static inline bool result_names_its_task(const char *id)
{
    struct bytes model = {.limit = 1 << 24};
    cJSON *state = sim_state();
    const cJSON *task =
        cJSON_GetArrayItem(json_get(json_get(json_get(state, "providers"), id), "tasks"), 0);
    const char *name = json_text(task, "id", "?");
    bool named =
        !blob_get(&model, &blobs,
                  ask("select result_hash from tasks where state = 'succeeded'", NULL), &err) &&
        memmem(model.data, model.len, name, strlen(name));
    bytes_free(&model);
    cJSON_Delete(state);
    return named;
}

#endif
