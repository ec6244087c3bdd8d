/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The courier with every outside provider, simulated over real HTTP: one task of each goes the
 * whole way, each way of going wrong comes to the right end, and the ledger is the bill. This
 * program is its own child.
 */
#include "service/courier.h"
#include "tests/service/provider_fixture.h"

/* --- the whole way ------------------------------------------------------------------------------
 */

static void whole_way(const char *id)
{
    char item[32];
    CHECK_OK(begin(item, id));
    CHECK(gathered("inspecting"));
    CHECK_TEXT(ask(TASK_STATE, NULL), "succeeded");
    CHECK_TEXT(ask("select result_format from tasks", NULL), "glb");
    CHECK(sim_number(id, "made") == 1);
    CHECK(result_names_its_task(id));
    CHECK(bill_is_ledger(id));
}

#define WHOLE_WAY(name, id)                                                                        \
    static void test_providers__a_task_of_##name##_goes_the_whole_way(void)                        \
    {                                                                                              \
        BEGIN();                                                                                   \
        CHECK(!provider_start(id, NULL));                                                          \
        whole_way(id);                                                                             \
        end();                                                                                     \
    }

WHOLE_WAY(tripo, "tripo")
WHOLE_WAY(3d_ai_studio, "3daistudio")
WHOLE_WAY(meshy, "meshy")
WHOLE_WAY(hunyuan, "hunyuan3d2")
WHOLE_WAY(hunyuan_2_1, "hunyuan3d21")
WHOLE_WAY(trellis, "trellis")
WHOLE_WAY(rodin, "rodin")
WHOLE_WAY(stability, "stability")
WHOLE_WAY(fal, "fal")
WHOLE_WAY(replicate, "replicate")

/* --- what goes wrong ----------------------------------------------------------------------------
 */

/* One fault of the simulator, and where the provider's task must end. */
struct wrong {
    const char *provider, *fault, *end;
    int made;
};

static void check_wrong(const struct wrong *w)
{
    char state[40];
    snprintf(state, sizeof state, "%s", task_of(w->provider, "state"));
    if (strcmp(state, w->end) != 0)
        TEST_GIVE_UP("%s with %s: %s, wanted %s (%s)", w->provider, w->fault, state, w->end,
                     task_of(w->provider, "coalesce(error ->> 'message', '')"));
    if (sim_number(w->provider, "made") != w->made)
        TEST_GIVE_UP("%s with %s: made %d", w->provider, w->fault, sim_number(w->provider, "made"));
    if (!bill_is_ledger(w->provider))
        TEST_GIVE_UP("%s with %s: billed %d, ledger %s", w->provider, w->fault,
                     sim_number(w->provider, "bill"), ledger_of(w->provider));
}

static int add_task_for(const char *id)
{
    char item[32];
    return add_item(item, id) || run_step("photo_check", step_photo_check, &err) ||
           run_step("generate", step_generate, &err) || write_rules(id);
}

/* The first of them, as many as are of different providers, all at once; returns how many. */
static size_t wave_of(const struct wrong *w, size_t count)
{
    size_t n = 0;
    while (n < count) {
        for (size_t i = 0; i < n; i++)
            if (strcmp(w[i].provider, w[n].provider) == 0)
                return n;
        n++;
    }
    return n;
}

static void go_wrong(const struct wrong *w, size_t count)
{
    CHECK(!simulator_start("--slow", "300", NULL, NULL));
    for (size_t i = 0; i < count; i++) {
        use_simulator(w[i].provider);
        if (add_task_for(w[i].provider))
            TEST_GIVE_UP("no task of %s: %s", w[i].provider, err.what);
        if (sim_fault_of(w[i].provider, w[i].fault))
            TEST_GIVE_UP("no such fault: %s", w[i].fault);
    }
    CHECK_OK(courier_start(&courier, &settings, &err));
    if (!ended())
        TEST_GIVE_UP("does not end: %s", ask("select provider || ' ' || state from tasks where "
                                             "state in " OPEN_STATES,
                                             NULL));
    for (size_t i = 0; i < count && !*test_failure; i++)
        check_wrong(&w[i]);
}

static void all_go_wrong(const struct wrong *w, size_t count)
{
    for (size_t n; count > 0 && !*test_failure; w += n, count -= n) {
        n = wave_of(w, count);
        if (set_up())
            TEST_GIVE_UP("set-up failed: %s", err.what);
        go_wrong(w, n);
        end();
    }
}

#define ALL_GO_WRONG(...)                                                                          \
    do {                                                                                           \
        static const struct wrong wrongs_[] = {__VA_ARGS__};                                       \
        BEGIN();                                                                                   \
        all_go_wrong(wrongs_, sizeof wrongs_ / sizeof *wrongs_);                                   \
    } while (0)

#define ALWAYS "\"first\":99"
#define ONCE "\"first\":1"

static void test_providers__too_many_requests_are_sent_later(void)
{
    ALL_GO_WRONG({"tripo", "{\"fault\":\"rate\",\"on\":\"submit\",\"retry_after_s\":1," ONCE "}",
                  "succeeded", 1},
                 {"meshy",
                  "{\"fault\":\"queue_full\",\"on\":\"submit\",\"retry_after_s\":1," ONCE "}",
                  "succeeded", 1},
                 {"replicate", "{\"fault\":\"rate\",\"on\":\"submit\"," ONCE "}", "succeeded", 1},
                 {"fal", "{\"fault\":\"rate\",\"on\":\"poll\"," ONCE "}", "succeeded", 1});
}

static void test_providers__polls_that_go_wrong_are_asked_again(void)
{
    ALL_GO_WRONG(
        {"tripo", "{\"fault\":\"server_error\",\"on\":\"poll\",\"first\":3}", "succeeded", 1},
        {"meshy", "{\"fault\":\"html\",\"on\":\"poll\",\"first\":2}", "succeeded", 1},
        {"fal", "{\"fault\":\"server_error\",\"on\":\"poll\",\"status\":502,\"first\":2}",
         "succeeded", 1},
        {"replicate", "{\"fault\":\"strange_status\"," ALWAYS "}", "succeeded", 1},
        {"3daistudio", "{\"fault\":\"strange_status\"," ALWAYS "}", "succeeded", 1},
        {"meshy", "{\"fault\":\"stuck\",\"s\":3," ALWAYS "}", "succeeded", 1},
        {"tripo", "{\"fault\":\"slow\",\"ms\":1500," ALWAYS "}", "succeeded", 1});
}

static void test_providers__a_failure_costs_what_the_provider_takes(void)
{
    ALL_GO_WRONG({"tripo", "{\"fault\":\"fail\"," ALWAYS "}", "failed", 1},
                 {"meshy", "{\"fault\":\"fail\"," ALWAYS "}", "failed", 1},
                 {"3daistudio", "{\"fault\":\"fail\"," ALWAYS "}", "failed", 1},
                 {"replicate", "{\"fault\":\"fail\"," ALWAYS "}", "failed", 1},
                 {"fal", "{\"fault\":\"fail\"," ALWAYS "}", "failed", 1},
                 {"rodin", "{\"fault\":\"fail\"," ALWAYS "}", "failed", 1},
                 {"stability", "{\"fault\":\"fail\",\"first\":0,\"tasks\":[1]}", "succeeded", 2});
}

static void test_providers__a_photo_that_is_refused_is_moderated(void)
{
    ALL_GO_WRONG(
        {"tripo", "{\"fault\":\"content\"," ALWAYS "}", "moderated", 1},
        {"meshy", "{\"fault\":\"content\"," ALWAYS "}", "moderated", 1},
        {"3daistudio", "{\"fault\":\"content\"," ALWAYS "}", "moderated", 1},
        {"replicate", "{\"fault\":\"content\"," ALWAYS "}", "moderated", 1},
        {"fal", "{\"fault\":\"content\"," ALWAYS "}", "moderated", 1},
        {"stability", "{\"fault\":\"content\"," ALWAYS "}", "moderated", 1},
        {"tripo", "{\"fault\":\"refused_at_once\",\"on\":\"submit\"," ALWAYS "}", "moderated", 0});
}

static void test_providers__a_key_or_credits_refused_end_it(void)
{
    ALL_GO_WRONG(
        {"tripo", "{\"fault\":\"no_credits\",\"on\":\"submit\"," ALWAYS "}", "failed", 0},
        {"fal", "{\"fault\":\"no_credits\",\"on\":\"submit\"," ALWAYS "}", "failed", 0},
        {"meshy", "{\"fault\":\"unauthorized\",\"on\":\"submit\"," ALWAYS "}", "failed", 0},
        {"rodin", "{\"fault\":\"no_credits\",\"on\":\"submit\"," ALWAYS "}", "failed", 0});
}

static void test_providers__a_file_that_can_be_had_anew_is(void)
{
    ALL_GO_WRONG(
        {"tripo", "{\"fault\":\"expired\",\"times\":1," ALWAYS "}", "succeeded", 1},
        {"rodin", "{\"fault\":\"expired\",\"times\":1," ALWAYS "}", "succeeded", 1},
        {"meshy", "{\"fault\":\"truncated\",\"times\":1," ALWAYS "}", "succeeded", 1},
        {"fal", "{\"fault\":\"half_model\",\"times\":1," ALWAYS "}", "succeeded", 1},
        {"3daistudio", "{\"fault\":\"no_results\",\"times\":2," ALWAYS "}", "succeeded", 1},
        {"tripo", "{\"fault\":\"no_results\",\"times\":2," ALWAYS "}", "succeeded", 1},
        {"rodin", "{\"fault\":\"no_results\",\"times\":2," ALWAYS "}", "succeeded", 1},
        {"meshy", "{\"fault\":\"web_page\",\"times\":1," ALWAYS "}", "succeeded", 1});
}

/* The provider has done its work and takes its price, whatever became of the file. */
static void test_providers__a_file_that_cannot_be_had_is_paid_for(void)
{
    ALL_GO_WRONG({"tripo", "{\"fault\":\"oversized\"," ALWAYS "}", "failed", 1},
                 {"meshy", "{\"fault\":\"redirect_inside\"," ALWAYS "}", "failed", 1},
                 {"tripo", "{\"fault\":\"expired\"," ALWAYS "}", "failed", 1},
                 {"replicate", "{\"fault\":\"expired\"," ALWAYS "}", "expired", 1},
                 {"replicate", "{\"fault\":\"no_results\"," ALWAYS "}", "expired", 1},
                 {"meshy", "{\"fault\":\"truncated\"," ALWAYS "}", "failed", 1});
}

static void test_providers__a_task_that_does_not_end_is_given_up(void)
{
    ALL_GO_WRONG({"meshy", "{\"fault\":\"stuck\"," ALWAYS "}", "timed_out", 1},
                 {"tripo", "{\"fault\":\"stuck\"," ALWAYS "}", "timed_out", 1},
                 {"fal", "{\"fault\":\"stuck\"," ALWAYS "}", "timed_out", 1});
}

/* --- in doubt -----------------------------------------------------------------------------------
 */

static void test_providers__an_answer_that_is_lost_is_found_in_the_list(void)
{
    ALL_GO_WRONG(
        {"tripo", "{\"fault\":\"answer_lost\",\"on\":\"submit\"," ONCE "}", "succeeded", 1},
        {"meshy", "{\"fault\":\"answer_lost\",\"on\":\"submit\"," ONCE "}", "succeeded", 1},
        {"replicate",
         "{\"fault\":\"server_error\",\"on\":\"submit\",\"status\":502,\"made\":true," ONCE "}",
         "succeeded", 1});
}

/* It may cost, so it stays reserved. */
static void test_providers__without_a_list_a_lost_answer_is_for_a_person(void)
{
#define LOST "{\"fault\":\"answer_lost\",\"on\":\"submit\"," ALWAYS "}", "lost", 1
    ALL_GO_WRONG({"fal", LOST}, {"3daistudio", LOST}, {"rodin", LOST}, {"stability", LOST});
}

static void not_made(void)
{
    char item[32];
    CHECK_OK(begin(item, "tripo"));
    CHECK(wait_until(TASK_STATE, "in_doubt", 10));
    for (int i = 0; i < 400 && sim_number("tripo", "made") == 0; i++) {
        CHECK_OK(sql("update tasks set next_at = now() where state = 'in_doubt'"));
        usleep(100 * 1000);
    }
    CHECK(gathered("inspecting"));
    CHECK(sim_number("tripo", "made") == 1);
    CHECK(sim_number("tripo", "submits") == 2);
    CHECK(bill_is_ledger("tripo"));
}

static void test_providers__what_the_list_shows_not_made_is_sent_again(void)
{
    BEGIN();
    CHECK(!provider_start("tripo", "{\"fault\":\"server_error\",\"on\":\"submit\"," ONCE "}"));
    not_made();
    end();
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(test_providers__a_task_of_tripo_goes_the_whole_way),
        TEST(test_providers__a_task_of_3d_ai_studio_goes_the_whole_way),
        TEST(test_providers__a_task_of_meshy_goes_the_whole_way),
        TEST(test_providers__a_task_of_hunyuan_goes_the_whole_way),
        TEST(test_providers__a_task_of_hunyuan_2_1_goes_the_whole_way),
        TEST(test_providers__a_task_of_trellis_goes_the_whole_way),
        TEST(test_providers__a_task_of_rodin_goes_the_whole_way),
        TEST(test_providers__a_task_of_stability_goes_the_whole_way),
        TEST(test_providers__a_task_of_fal_goes_the_whole_way),
        TEST(test_providers__a_task_of_replicate_goes_the_whole_way),
        TEST(test_providers__too_many_requests_are_sent_later),
        TEST(test_providers__polls_that_go_wrong_are_asked_again),
        TEST(test_providers__a_failure_costs_what_the_provider_takes),
        TEST(test_providers__a_photo_that_is_refused_is_moderated),
        TEST(test_providers__a_key_or_credits_refused_end_it),
        TEST(test_providers__a_file_that_can_be_had_anew_is),
        TEST(test_providers__a_file_that_cannot_be_had_is_paid_for),
        TEST(test_providers__a_task_that_does_not_end_is_given_up),
        TEST(test_providers__an_answer_that_is_lost_is_found_in_the_list),
        TEST(test_providers__without_a_list_a_lost_answer_is_for_a_person),
        TEST(test_providers__what_the_list_shows_not_made_is_sent_again),
    };
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);
}
