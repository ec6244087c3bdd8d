/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The courier with a real Postgres and a provider's simulator over HTTP: what is sent once, what is
 * in doubt, what is asked again, and what comes of a round. This program is its own child.
 */
#include "service/courier.h"
#include "tests/service/steps_fixture.h"

static struct sim_process provider;
static struct courier *courier;

static int provider_start(const char *option, const char *value)
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
        execl(program, program, "--provider", "hunyuan3d2", "--port", "0", option, value, NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *from = fdopen(out[0], "r");
    bool up =
        from && fgets(line, sizeof line, from) && sscanf(line, "port %d", &provider.port) == 1;
    if (from)
        fclose(from);
    snprintf(provider.url, sizeof provider.url, "http://127.0.0.1:%d", provider.port);
    setenv("STATUETTE_HUNYUAN3D2_URL", provider.url, 1);
    return up ? 0 : -1;
}

static int provider_count(const char *what)
{
    struct http_answer answer = {0};
    cJSON *counts = NULL;
    int count = -1;
    if (!sim_ask(&answer, &provider, "GET", "/sim/counts", NULL) &&
        !json_parse(&counts, answer.body.data, answer.body.len, NULL))
        count = (int)json_number(counts, what, -1);
    cJSON_Delete(counts);
    http_answer_free(&answer);
    return count;
}

/* An item that waits for its model from the remote provider, and a courier. */
static int begin(char item[32])
{
    if (add_item(item, "hunyuan3d2") || run_step("photo_check", step_photo_check, &err) ||
        run_step("generate", step_generate, &err))
        return -1;
    return courier_start(&courier, &settings, &err);
}

static void end(void)
{
    courier_stop(courier);
    courier = NULL;
    if (provider.pid > 0)
        sim_stop(&provider, SIGKILL);
    provider.pid = 0;
    unsetenv("STATUETTE_HUNYUAN3D2_URL");
}

/* Runs `gather` until the item has moved on. */
static bool gathered(const char *state)
{
    for (int i = 0; i < 100 && strcmp(ask(ITEM_STATE, NULL), "generating") == 0; i++) {
        if (make_due() || run_step("gather", step_gather, &err) < 0)
            return false;
        usleep(100 * 1000);
    }
    return strcmp(ask(ITEM_STATE, NULL), state) == 0;
}

static void asked(void)
{
    char item[32];
    CHECK_OK(begin(item));
    CHECK(gathered("inspecting"));
    CHECK_TEXT(ask(TASK_STATE, NULL), "succeeded");
    CHECK_TEXT(ask("select result_format from tasks", NULL), "glb");
    CHECK(provider_count("submits") == 1);
    /* what was asked is kept, the photo is not */
    struct bytes text = {.limit = 1 << 20};
    CHECK_OK(blob_get(&text, &blobs, ask("select sha256 from artifacts where kind = 'task'", NULL),
                      &err));
    bool kept = strstr((char *)text.data, "guidance_scale") && text.len < 6000;
    bytes_free(&text);
    CHECK(kept);
}

static void test_courier__a_model_is_asked_for_once_and_stored(void)
{
    BEGIN();
    CHECK(!provider_start("--slow", "300"));
    asked();
    end();
}

static void dropped(void)
{
    char item[32];
    CHECK_OK(begin(item));
    CHECK(gathered("review"));
    CHECK_TEXT(ask(TASK_STATE, NULL), "lost");
    CHECK_TEXT(ask(PROBLEM, NULL), "generation_in_doubt");
    CHECK(provider_count("submits") == 1);
}

static void test_courier__a_lost_answer_is_left_to_a_person(void)
{
    BEGIN();
    CHECK(!provider_start("--fault", "{\"fault\":\"answer_lost\",\"first\":1}"));
    dropped();
    end();
}

static void killed_while_sending(bool sent)
{
    char item[32];
    CHECK_OK(add_item(item, "hunyuan3d2"));
    CHECK_OK(run_step("photo_check", step_photo_check, &err));
    CHECK_OK(run_step("generate", step_generate, &err));
    /* a courier took it, and died */
    CHECK_TEXT(ask("select refusal from generation_take('hunyuan3d2', 'dead', 0, 0, 1, 0, 9, 9, 9, "
                   "$1::text = 'no')",
                   sent ? "yes" : "no"),
               "");
    CHECK_TEXT(ask(TASK_STATE, NULL), "submitting");
    CHECK_OK(courier_start(&courier, &settings, &err));
    CHECK(gathered(sent ? "review" : "inspecting"));
    CHECK(provider_count("submits") == (sent ? 0 : 1));
}

static void test_courier__what_may_have_been_sent_is_not_sent_again(void)
{
    BEGIN();
    CHECK(!provider_start("--slow", "100"));
    killed_while_sending(true);
    end();
}

static void test_courier__what_was_not_sent_is_sent(void)
{
    BEGIN();
    CHECK(!provider_start("--slow", "100"));
    killed_while_sending(false);
    end();
}

static void test_courier__a_provider_that_is_away_is_asked_again_later(void)
{
    char item[32];
    BEGIN();
    setenv("STATUETTE_HUNYUAN3D2_URL", "http://127.0.0.1:1", 1);
    CHECK_OK(begin(item));
    bool tried =
        wait_until("select (attempts > 0 and state = 'created')::text from tasks", "true", 20);
    end();
    CHECK(tried); /* positively not sent */
    CHECK_TEXT(ask("select faults > 0 from providers", NULL), "t");
}

static void another_server(struct sim_process *other)
{
    char item[32];
    setenv("STATUETTE_HUNYUAN3D2_URL", other->url, 1);
    CHECK_OK(begin(item));
    CHECK(gathered("review"));
    CHECK_TEXT(ask(TASK_STATE, NULL), "failed");
    CHECK_TEXT(ask(PROBLEM, NULL), "provider_failed");
}

static void test_courier__an_address_that_is_no_provider_calls_a_person(void)
{
    struct sim_process other;
    BEGIN();
    CHECK(!sim_start(&other, "1", NULL, 0)); /* a web server, but another one */
    another_server(&other);
    sim_stop(&other, SIGKILL);
    end();
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(test_courier__a_model_is_asked_for_once_and_stored),
        TEST(test_courier__a_lost_answer_is_left_to_a_person),
        TEST(test_courier__what_may_have_been_sent_is_not_sent_again),
        TEST(test_courier__what_was_not_sent_is_sent),
        TEST(test_courier__a_provider_that_is_away_is_asked_again_later),
        TEST(test_courier__an_address_that_is_no_provider_calls_a_person),
    };
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);
}
