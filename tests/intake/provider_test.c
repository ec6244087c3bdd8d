/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * intake/provider: what all drivers share, the hunyuan3d2 driver against its simulator over real
 * HTTP, and who may receive whose photo. The HTTP doorman itself is tested in http_test.c.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "intake/provider/provider.h"
#include "intake/provider/reading.h"
#include "tests/test.h"

static struct err err;

static const uint8_t small_jpeg[12] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1};

static const struct provider_driver *driver(void)
{
    return provider_find("hunyuan3d2");
}

static int read_op(struct provider_reading *out, enum provider_op op, struct http_answer *answer)
{
    return driver()->read(out, op, &(struct provider_call){0}, answer, &err);
}

static int submit_request(struct http_request *out, const struct provider_settings *settings,
                          const struct generation_spec *spec)
{
    const struct provider_call call = {.settings = settings, .spec = spec};
    return driver()->request(out, OP_SUBMIT, &call, &err);
}

static int poll_request(struct http_request *out, const struct provider_settings *settings,
                        const char *task)
{
    const struct provider_call call = {.settings = settings, .task = task};
    return driver()->request(out, OP_POLL, &call, &err);
}

static enum model_kind sniff_text(const char *text)
{
    bool whole;
    return model_sniff(&whole, (const uint8_t *)text, strlen(text));
}

static void test_reading__tells_models_by_their_content(void)
{
    CHECK(sniff_text("solid x\nfacet normal 0 0 1\n") == MODEL_STL);
    CHECK(sniff_text("ply\nformat ascii 1.0\n") == MODEL_PLY);
    CHECK(sniff_text("# made by x\nv 0 0 0\nf 1 2 3\n") == MODEL_OBJ);
    CHECK(sniff_text("{\"v \": 1}") == MODEL_UNKNOWN);
    CHECK(sniff_text("<html>\nv </html>") == MODEL_UNKNOWN);
    CHECK(sniff_text("") == MODEL_UNKNOWN);
}

static void test_reading__decodes_base64_and_refuses_what_is_none(void)
{
    struct bytes out = {0};
    CHECK_OK(base64_decode(&out, "aGVsbG8=", 8, &err));
    CHECK_TEXT((char *)out.data, "hello");
    CHECK_FAILS(base64_decode(&out, "aGV$", 4, &err), ERR_INPUT);
    CHECK_FAILS(base64_decode(&out, "aGVsb", 5, &err), ERR_INPUT);
    bytes_free(&out);
}

static void test_table__has_each_provider_once_and_a_name_for_each_word(void)
{
    const struct provider_driver *one;
    for (size_t i = 0; (one = provider_at(i)); i++) {
        CHECK(provider_find(one->id) == one);
        CHECK(one->local || (one->request && one->read && (one->ops & OP_BIT(OP_SUBMIT))));
        CHECK(one->pace.max_in_flight > 0 && strlen(one->summary) > 10);
    }
    CHECK(provider_find("relief")->local);
    CHECK(!provider_find("nobody"));
    CHECK_TEXT(provider_retry_name(RETRY_OPERATOR), "operator");
    CHECK_TEXT(provider_error_name(PROVIDER_PROTOCOL), "protocol");
    CHECK_TEXT(task_state_name(TASK_UNKNOWN), "unknown");
}

/* --- whose photo may go where --- */

static void test_consent__keeps_a_childs_photo_in_the_house(void)
{
    const struct provider_driver outside = {.id = "cloud"};
    cJSON *silent = cJSON_Parse("{}");
    cJSON *named = cJSON_Parse("{\"may_send_to\":[\"cloud\"]}");
    cJSON *other = cJSON_Parse("{\"may_send_to\":[\"elsewhere\"]}");
    cJSON *guardian = cJSON_Parse("{\"may_send_to\":[\"cloud\"],\"guardian\":true}");
    CHECK(provider_may_receive(provider_find("relief"), "child", silent));
    CHECK(provider_may_receive(provider_find("hunyuan3d2"), "child", silent));
    CHECK(!provider_may_receive(&outside, "child", silent));
    CHECK(!provider_may_receive(&outside, "child", named));
    CHECK(!provider_may_receive(&outside, "child", NULL));
    CHECK(!provider_may_receive(&outside, "toddler", named));
    CHECK(!provider_may_receive(&outside, NULL, named));
    CHECK(provider_may_receive(&outside, "child", guardian));
    CHECK(!provider_may_receive(&outside, "adult", silent));
    CHECK(provider_may_receive(&outside, "adult", named));
    CHECK(provider_may_receive(&outside, "pet", silent));
    CHECK(!provider_may_receive(&outside, "pet", other));
    cJSON_Delete(silent);
    cJSON_Delete(named);
    cJSON_Delete(other);
    cJSON_Delete(guardian);
}

/* --- the simulator, over real HTTP --- */

struct server {
    pid_t pid;
    int port;
};

static struct http_request request_to(int port, const char *path)
{
    struct http_request request = {
        .method = "GET", .connect_s = 5, .total_s = 10, .max_bytes = 1 << 20};
    char url[200];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    request.url = strdup(url);
    return request;
}

/* argv ends with NULL; its first place is for the program. 0 when it is not built. */
static struct server sim_start(const char **argv)
{
    static char path[1024];
    struct server server = {0};
    char line[64] = "";
    int out[2];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
    path[n > 0 ? n : 0] = 0;
    char *end = strstr(path, "/intake/provider_test");
    if (!end)
        return server;
    strcpy(end, "/sim/provider_sim");
    if (access(path, X_OK) || pipe(out))
        return server;
    argv[0] = path;
    fflush(stdout);
    server.pid = fork();
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], 1);
        execv(path, (char **)(uintptr_t)argv);
        _exit(127);
    }
    close(out[1]);
    FILE *words = fdopen(out[0], "r");
    if (!fgets(line, sizeof line, words) || sscanf(line, "port %d", &server.port) != 1)
        server.port = 0;
    fclose(words);
    return server;
}

static void sim_end(struct server *server)
{
    if (server->pid > 0) {
        kill(server->pid, SIGTERM);
        waitpid(server->pid, NULL, 0);
    }
}

static int sim_count(const struct server *server, const char *what)
{
    struct http_request request = request_to(server->port, "/sim/counts");
    struct http_answer answer;
    cJSON *counts = NULL;
    int count = -1;
    if (!http_send(&answer, &request, &err) &&
        !json_parse(&counts, answer.body.data, answer.body.len, &err))
        count = (int)json_number(counts, what, -1);
    cJSON_Delete(counts);
    http_answer_free(&answer);
    http_request_free(&request);
    return count;
}

/* One submit through driver and doorman; total_s 0 leaves the driver's own limit. */
static struct provider_reading generate(const struct server *server, bool prefer_async,
                                        unsigned total_s)
{
    char url[64];
    struct http_request request;
    struct http_answer answer;
    struct provider_reading reading = {0};
    struct generation_spec spec = {.images[VIEW_FRONT] = {.data = small_jpeg, .bytes = 12},
                                   .seed = 7};
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server->port);
    struct provider_settings settings = {.base_url = url, .prefer_async = prefer_async};
    if (submit_request(&request, &settings, &spec))
        abort();
    if (total_s)
        request.total_s = total_s;
    if (http_send(&answer, &request, &err) && answer.status != 0)
        abort();
    if (read_op(&reading, OP_SUBMIT, &answer))
        abort();
    http_answer_free(&answer);
    http_request_free(&request);
    return reading;
}

static struct provider_reading poll_once(const struct server *server, const char *task)
{
    char url[64];
    struct http_request request;
    struct http_answer answer;
    struct provider_reading reading = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", server->port);
    struct provider_settings settings = {.base_url = url};
    if (poll_request(&request, &settings, task) || http_send(&answer, &request, &err) ||
        read_op(&reading, OP_POLL, &answer))
        abort();
    http_answer_free(&answer);
    http_request_free(&request);
    return reading;
}

#define START_SIM(...)                                                                             \
    struct server sim = sim_start(                                                                 \
        (const char *[]){"", "--provider", "hunyuan3d2", "--port", "0", __VA_ARGS__, NULL});       \
    if (sim.pid == 0)                                                                              \
        SKIP("the simulator is not built");                                                        \
    CHECK(sim.port > 0)

static void test_sim__a_photo_becomes_a_model(void)
{
    START_SIM("--slow", "50");
    struct provider_reading r = generate(&sim, false, 0);
    CHECK(r.state == TASK_SUCCEEDED && r.model.len > 10000);
    CHECK(memcmp(r.model.data, "glTF", 4) == 0);
    provider_reading_free(&r);
    sim_end(&sim);
}

static void test_sim__a_failure_is_worth_one_more_try(void)
{
    START_SIM("--fault", "{\"fault\":\"fail\",\"first\":1}");
    struct provider_reading r = generate(&sim, false, 0);
    CHECK(r.error == PROVIDER_SERVER && r.retry == RETRY_ONCE);
    r = generate(&sim, false, 0);
    CHECK(r.state == TASK_SUCCEEDED);
    provider_reading_free(&r);
    sim_end(&sim);
}

static void test_sim__an_answer_lost_after_the_work_is_in_doubt_and_not_asked_twice(void)
{
    START_SIM("--fault", "{\"fault\":\"answer_lost\",\"first\":1}");
    struct provider_reading r = generate(&sim, false, 0);
    CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_RECONCILE);
    CHECK(sim_count(&sim, "submits") == 1);
    CHECK(sim_count(&sim, "made") == 1);
    sim_end(&sim);
}

static void test_sim__a_call_out_of_time_is_in_doubt(void)
{
    START_SIM("--slow", "1500");
    memset(&err, 0, sizeof err);
    struct provider_reading r = generate(&sim, false, 1);
    CHECK_TEXT(err.code, "http_timeout");
    CHECK(r.retry == RETRY_RECONCILE);
    sim_end(&sim);
}

static void *raise_after_a_while(void *flag)
{
    usleep(200000);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void test_sim__a_stopped_worker_does_not_wait_out_the_call(void)
{
    START_SIM("--fault", "{\"fault\":\"slow\",\"first\":1,\"ms\":30000}");
    atomic_bool stop = false;
    struct http_request request = request_to(sim.port, "/generate");
    struct http_answer answer;
    pthread_t thread;
    strcpy(request.method, "POST");
    request.stop = &stop;
    CHECK_OK(bytes_printf(&request.body, &err, "{}"));
    CHECK(!pthread_create(&thread, NULL, raise_after_a_while, &stop));
    double start = clock_s();
    CHECK_FAILS(http_send(&answer, &request, &err), ERR_LATER);
    CHECK_TEXT(err.code, "http_stopped");
    CHECK(answer.sent && clock_s() - start < 20);
    pthread_join(thread, NULL);
    http_answer_free(&answer);
    http_request_free(&request);
    kill(sim.pid, SIGKILL); /* it would sleep on */
    sim_end(&sim);
}

static void test_sim__half_a_model_and_a_web_page_are_no_result(void)
{
    START_SIM("--fault", "{\"fault\":\"half_model\",\"first\":1}");
    struct provider_reading r = generate(&sim, false, 0);
    sim_end(&sim);
    CHECK(r.state == TASK_FAILED && r.retry == RETRY_ONCE && r.model.len == 0);
    struct server web =
        sim_start((const char *[]){"", "--provider", "hunyuan3d2", "--port", "0", "--fault",
                                   "{\"fault\":\"web_page\",\"first\":1}", NULL});
    r = generate(&web, false, 0);
    sim_end(&web);
    CHECK(r.state == TASK_FAILED && r.error == PROVIDER_PROTOCOL);
}

static void test_sim__the_async_way_polls_past_a_file_half_written(void)
{
    START_SIM("--slow", "200", "--fault", "{\"fault\":\"half_model\",\"first\":1,\"times\":1}");
    struct provider_reading r = generate(&sim, true, 0), last = {0};
    int looks = 0;
    CHECK(r.state == TASK_RUNNING && *r.task);
    do { /* at least twice: the first look at the finished file gets half of it */
        last = poll_once(&sim, r.task);
        usleep(20000);
    } while (last.state == TASK_RUNNING && ++looks < 500);
    CHECK(looks >= 1 && last.state == TASK_SUCCEEDED && last.model.len > 10000);
    provider_reading_free(&last);
    last = poll_once(&sim, "00000000-0000-4000-8000-000000000000");
    CHECK(last.state == TASK_RUNNING);
    sim_end(&sim);
}

TESTS(TEST(test_reading__tells_models_by_their_content),
      TEST(test_reading__decodes_base64_and_refuses_what_is_none),
      TEST(test_table__has_each_provider_once_and_a_name_for_each_word),
      TEST(test_consent__keeps_a_childs_photo_in_the_house),
      TEST(test_sim__a_photo_becomes_a_model), TEST(test_sim__a_failure_is_worth_one_more_try),
      TEST(test_sim__an_answer_lost_after_the_work_is_in_doubt_and_not_asked_twice),
      TEST(test_sim__a_call_out_of_time_is_in_doubt),
      TEST(test_sim__a_stopped_worker_does_not_wait_out_the_call),
      TEST(test_sim__half_a_model_and_a_web_page_are_no_result),
      TEST(test_sim__the_async_way_polls_past_a_file_half_written))
