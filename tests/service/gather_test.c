/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rounds of candidates with a real Postgres: which candidate goes on, who is asked next, when a new
 * round begins and when a person is asked. What providers do is written into the tables by hand, so
 * that each case is one candidate's fate. This program is its own child.
 */
#include "service/steps_generate.h"
#include "tests/service/steps_fixture.h"

/* A product like `demo` with this provider part; and an order of it that waits to be generated. */
static int begin_round(char item[32], const char *provider)
{
    const struct asset *asset = asset_find("config/templates/demo.json");
    char folder[600], path[700];
    cJSON *product = NULL;
    struct bytes text = {0};
    if (!asset || json_parse(&product, asset->data, asset->size, &err))
        return -1;
    cJSON_ReplaceItemInObjectCaseSensitive(product, "id", cJSON_CreateString("try"));
    cJSON_ReplaceItemInObjectCaseSensitive(product, "provider", cJSON_Parse(provider));
    snprintf(settings.config_folder, sizeof settings.config_folder, "%s/config", cluster_folder);
    snprintf(folder, sizeof folder, "%s/config/templates", cluster_folder);
    snprintf(path, sizeof path, "%s/try.json", folder);
    int failed = folder_make(folder, &err) || json_print(&text, product, true, &err) ||
                 file_write(path, text.data, text.len, &err) || add_item(item, "relief") ||
                 sql("update items set template = 'try', options = options - 'provider'") ||
                 run_step("photo_check", step_photo_check, &err);
    bytes_free(&text);
    cJSON_Delete(product);
    return failed ? -1 : 0;
}

static const char *count_of(const char *where)
{
    char question[300];
    snprintf(question, sizeof question, "select count(*) from tasks where %s", where);
    return ask(question, NULL);
}

/* Takes tasks along the flow to one of their ends. */
static int walk_to(const char *which, const char *state)
{
    static const char *const ways[][4] = {{"succeeded", "submitting", "submitted", "fetching"},
                                          {"timed_out", "submitting", "submitted", NULL},
                                          {"moderated", "submitting", NULL, NULL},
                                          {"lost", "submitting", "in_doubt", NULL},
                                          {"failed", NULL, NULL, NULL}};
    char text[300];
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int k = 1; k < 5 && strcmp(ways[i][0], state) == 0; k++) {
            const char *to = k < 4 ? ways[i][k] : state;
            snprintf(text, sizeof text,
                     "update tasks set state = '%s' where (%s) and state in ('created', "
                     "'submitting', 'submitted', 'in_doubt', 'fetching')",
                     to, which);
            if (to && sql(text))
                return -1;
        }
    return 0;
}

/* As the courier does with every end: the round is to be looked at. */
static int call_gather(void)
{
    return sql("delete from jobs where kind = 'gather' and key = subject") ||
           sql("insert into jobs (kind, subject, key) select 'gather', id, id from items");
}

static int end_task(const char *which, const char *state, const char *class, const char *code)
{
    char text[600];
    snprintf(text, sizeof text,
             "update tasks set error = jsonb_build_object('code', '%s', 'class', '%s', 'message', "
             "'the words of it') where (%s) and result_hash is null and error is null",
             code, class, which);
    return sql(text) || walk_to(which, state) || call_gather();
}

/* A box with a roof that hangs over by that much, as ASCII STL: the more, the more support. */
static int put_table(char hash[SHA256_HEX], double over)
{
    struct bytes text = {.limit = 1 << 16};
    const double boxes[2][6] = {{0, 0, 0, 10, 10, 20},
                                {-over, -over, 20, 10 + over, 10 + over, 22}};
    static const int faces[12][3] = {{0, 2, 1}, {1, 2, 3}, {4, 5, 6}, {5, 7, 6},
                                     {0, 1, 4}, {1, 5, 4}, {2, 6, 3}, {3, 6, 7},
                                     {0, 4, 2}, {2, 4, 6}, {1, 3, 5}, {3, 7, 5}};
    char line[120];
    int failed = bytes_append(&text, "solid t\n", 8, &err);
    for (int f = 0; f < 24 && !failed; f++) {
        const double *b = boxes[f / 12];
        failed = bytes_append(&text, "facet normal 0 0 0\nouter loop\n", 30, &err);
        for (int k = 0; k < 3 && !failed; k++) {
            int corner = faces[f % 12][k];
            int n = snprintf(line, sizeof line, "vertex %g %g %g\n", b[corner & 1 ? 3 : 0],
                             b[corner & 2 ? 4 : 1], b[corner & 4 ? 5 : 2]);
            failed = bytes_append(&text, line, (size_t)n, &err);
        }
        failed = failed || bytes_append(&text, "endloop\nendfacet\n", 17, &err);
    }
    failed = failed || bytes_append(&text, "endsolid t\n", 11, &err) ||
             blob_put(hash, &blobs, text.data, text.len, &err);
    bytes_free(&text);
    return failed;
}

/* The candidate's task has given such a file. */
static int give(int candidate, const char *hash, const char *format)
{
    char which[80];
    const char *const values[] = {hash, format};
    snprintf(which, sizeof which, "candidate = %d and state = 'created'", candidate);
    char text[200];
    snprintf(text, sizeof text, "update tasks set result_hash = $1, result_format = $2 where %s",
             which);
    snprintf(which, sizeof which, "candidate = %d and result_hash is not null", candidate);
    return db_text_run(NULL, db, text, 2, values, &err) || walk_to(which, "succeeded") ||
           call_gather();
}

static int give_noise(int candidate)
{
    char hash[SHA256_HEX];
    return blob_put(hash, &blobs, "solid nothing\nendsolid nothing\n", 31, &err) ||
           give(candidate, hash, "stl");
}

static int gather(void)
{
    return make_due() || run_step("gather", step_gather, &err);
}

/* --- choosing --- */

static void test_gather__the_best_of_the_candidates_goes_on(void)
{
    BEGIN();
    char item[32], tables[3][SHA256_HEX];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item, "{\"route\":[\"tripo\"],\"candidates\":3}"));
    CHECK_TEXT(count_of("provider = 'tripo' and state = 'created'"), "3");
    CHECK_TEXT(ask("select count(distinct seed) from tasks", NULL), "3");
    for (int i = 0; i < 3; i++)
        CHECK_OK(put_table(tables[i], i == 1 ? 0.5 : 14));
    CHECK_OK(give(1, tables[0], "stl"));
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "generating");
    CHECK_OK(give(2, tables[1], "stl"));
    CHECK_OK(gather());
    CHECK_OK(give(3, tables[2], "stl"));
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "inspecting");
    CHECK_TEXT(count_of("score is not null"), "3");
    CHECK_TEXT(ask("select candidate from tasks where chosen", NULL), "2");
    CHECK_TEXT(ask("select count(*) from jobs where kind = 'inspect'", NULL), "1");
    unsetenv("STATUETTE_TRIPO_KEY");
}

static void test_gather__relief_makes_its_candidates_and_one_goes_on(void)
{
    BEGIN();
    char item[32];
    CHECK_OK(begin_round(item, "{\"route\":[\"relief\"],\"candidates\":2}"));
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(count_of("state = 'succeeded'"), "2");
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "inspecting");
    /* the same photo gives the same model: the first of two that are alike */
    CHECK_TEXT(ask("select candidate from tasks where chosen", NULL), "1");
}

static void test_gather__spread_begins_at_different_providers(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(
        begin_round(item, "{\"route\":[\"relief\",\"tripo\"],\"candidates\":3,\"spread\":true}"));
    CHECK_TEXT(ask("select string_agg(provider, ' ' order by candidate) from tasks", NULL),
               "relief tripo relief");
    unsetenv("STATUETTE_TRIPO_KEY");
}

/* --- what a model is made of --- */

static const char second_photo[] =
    "insert into photos (id, item_id, slot, format, width, height, normal_hash, "
    "cutout_hash, provider_hash, provider_mime, report) select 'pho_2', item_id, "
    "'back', format, width, height, normal_hash, cutout_hash, provider_hash, "
    "provider_mime, report from photos";

static void test_gather__a_provider_gets_the_sides_that_it_takes(void)
{
    BEGIN();
    char item[32];
    CHECK_OK(begin_round(item, "{\"route\":[\"hunyuan3d2\",\"tripo\"],\"candidates\":1}"));
    CHECK_OK(sql(second_photo));
    setenv("STATUETTE_HUNYUAN3D2_URL", "http://127.0.0.1:9", 1);
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(
        ask("select jsonb_path_query_array(spec, '$.photos[*].view')::text from tasks", NULL),
        "[\"front\"]");
    CHECK_OK(sql("delete from tasks"));
    unsetenv("STATUETTE_HUNYUAN3D2_URL");
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(gather());
    CHECK_TEXT(
        ask("select provider || ' ' || jsonb_path_query_array(spec, '$.photos[*].view')::text "
            "from tasks",
            NULL),
        "tripo [\"front\", \"back\"]");
    unsetenv("STATUETTE_TRIPO_KEY");
}

static const char of_words[] =
    "{\"route\":[\"relief\",\"hunyuan3d2\",\"meshy\"],\"candidates\":1,\"texture\":true,"
    "\"face_limit\":9000,\"prompt\":\"{style} of {object} for {name}, {material} {none}\","
    "\"options\":{\"a\":1},\"providers\":{\"meshy\":{\"model\":\"latest\",\"options\":"
    "{\"b\":2}}}}";

static void test_gather__words_alone_go_to_a_provider_that_reads(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_MESHY_KEY", "msy_x", 1);
    setenv("STATUETTE_HUNYUAN3D2_URL", "http://127.0.0.1:9", 1);
    CHECK_OK(begin_round(item, of_words));
    CHECK_OK(sql("delete from tasks"));
    CHECK_OK(sql("delete from photos"));
    CHECK_OK(sql("update items set name = 'Ann', options = options || '{\"object\":\"a fox\"}'"));
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(ask("select provider from tasks", NULL), "meshy");
    CHECK_TEXT(ask("select spec ->> 'prompt' from tasks", NULL), "figure of a fox for Ann, pla ");
    CHECK_TEXT(ask("select spec ->> 'model' from tasks", NULL), "latest");
    CHECK_TEXT(ask("select spec ->> 'options' from tasks", NULL), "{\"b\": 2}");
    CHECK_TEXT(ask("select (spec ->> 'texture') || (spec ->> 'face_limit') from tasks", NULL),
               "true9000");
    unsetenv("STATUETTE_MESHY_KEY");
    unsetenv("STATUETTE_HUNYUAN3D2_URL");
}

/* --- failing --- */

static void test_gather__one_that_failed_is_asked_of_the_next(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item, "{\"route\":[\"tripo\",\"relief\"],\"candidates\":1}"));
    CHECK_OK(end_task("state = 'created'", "failed", "server", "provider_failed"));
    CHECK_OK(gather());
    CHECK_TEXT(count_of("provider = 'tripo'"), "2");
    CHECK_OK(end_task("state = 'created'", "failed", "server", "provider_failed"));
    CHECK_OK(gather());
    CHECK_TEXT(count_of("provider = 'tripo'"), "2");
    CHECK_TEXT(count_of("provider = 'relief' and state = 'created'"), "1");
    CHECK_TEXT(ask("select count(*) from jobs where kind = 'generate'", NULL), "1");
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "inspecting");
    unsetenv("STATUETTE_TRIPO_KEY");
}

static void test_gather__what_relief_cannot_make_another_may(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item, "{\"route\":[\"relief\",\"tripo\"],\"candidates\":1}"));
    /* a cut-out with nothing in it: a picture of one clear pixel */
    static const uint8_t clear[] = {
        0x89, 'P',  'N',  'G',  '\r', '\n', 0x1a, '\n', 0,   0,   0,    13,   'I',  'H',
        'D',  'R',  0,    0,    0,    1,    0,    0,    0,   1,   8,    6,    0,    0,
        0,    0x1f, 0x15, 0xc4, 0x89, 0,    0,    0,    13,  'I', 'D',  'A',  'T',  0x78,
        0x9c, 0x63, 0x60, 0x60, 0x60, 0x60, 0,    0,    0,   5,   0,    1,    0xa5, 0xf6,
        0x45, 0x40, 0,    0,    0,    0,    'I',  'E',  'N', 'D', 0xae, 0x42, 0x60, 0x82};
    char hash[SHA256_HEX];
    CHECK_OK(blob_put(hash, &blobs, clear, sizeof clear, &err));
    CHECK_OK(db_text_run(NULL, db, "update photos set cutout_hash = $1", 1,
                         (const char *const[]){hash}, &err));
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(count_of("provider = 'relief' and state = 'failed' and error ->> 'code' <> ''"),
               "1");
    CHECK_OK(gather());
    CHECK_TEXT(count_of("provider = 'tripo' and state = 'created'"), "1");
    unsetenv("STATUETTE_TRIPO_KEY");
}

static void test_gather__all_red_leads_to_a_new_round_and_then_to_a_person(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item, "{\"route\":[\"tripo\"],\"candidates\":2,\"rounds\":2}"));
    CHECK_OK(give_noise(1));
    CHECK_OK(give_noise(2));
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "generating");
    CHECK_TEXT(ask("select round from items", NULL), "2");
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(count_of("round = 2 and state = 'created'"), "2");
    CHECK_TEXT(ask("select count(distinct seed) from tasks", NULL), "4");
    CHECK_OK(give_noise(1));
    CHECK_OK(give_noise(2));
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "inspecting");
    CHECK_FAILS(run_step("inspect", step_inspect, &err), ERR_INPUT);
    CHECK_TEXT(count_of("score ->> 'verdict' = 'reject' and score -> 'problem' ->> 'code' <> ''"),
               "4");
    unsetenv("STATUETTE_TRIPO_KEY");
}

static void test_gather__none_left_leads_to_a_person_with_the_reason(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item, "{\"route\":[\"tripo\"],\"candidates\":2,\"rounds\":2}"));
    CHECK_OK(end_task("true", "failed", "credits", "provider_failed"));
    CHECK_OK(gather());
    CHECK_TEXT(ask("select round from items", NULL), "2");
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_OK(end_task("round = 2", "timed_out", "server", "provider_timeout"));
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "review");
    CHECK_TEXT(ask(PROBLEM, NULL), "provider_timeout");
    CHECK(strstr(ask("select problem ->> 'message' from items", NULL), "the words of it"));
    CHECK_TEXT(count_of("true"), "4");
    unsetenv("STATUETTE_TRIPO_KEY");
}

/* --- ends at a person, with that code --- */

static void ends_with(const char *provider, const char *class, const char *code)
{
    char item[32], text[100];
    CHECK_OK(begin_round(item, provider));
    snprintf(text, sizeof text, "update orders set photo_class = '%s'", class);
    CHECK_OK(sql(text));
    CHECK_OK(sql("delete from tasks"));
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(count_of("true"), "0");
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "review");
    CHECK_TEXT(ask(PROBLEM, NULL), code);
}

static void test_gather__nobody_set_up_is_said(void)
{
    BEGIN();
    unsetenv("STATUETTE_TRIPO_KEY");
    ends_with("{\"route\":[\"tripo\",\"meshy\"],\"candidates\":2,\"rounds\":3}", "object",
              "provider_off");
}

static void test_gather__a_childs_photo_stays_and_that_is_said(void)
{
    BEGIN();
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    ends_with("{\"route\":[\"tripo\"],\"candidates\":2,\"rounds\":3}", "child",
              "provider_not_allowed");
    unsetenv("STATUETTE_TRIPO_KEY");
}

static void test_gather__a_photo_is_no_model_and_that_is_said(void)
{
    BEGIN();
    ends_with("{\"route\":[\"upload\"],\"candidates\":1}", "object", "provider_unfit");
}

static void test_gather__a_refused_photo_is_asked_of_nobody_else(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item, "{\"route\":[\"tripo\",\"relief\"],\"candidates\":2,\"rounds\":3}"));
    /* of the other candidate neither: it is the same photo */
    CHECK_OK(end_task("candidate = 1", "moderated", "content", "photo_refused"));
    CHECK_OK(end_task("candidate = 2", "failed", "server", "provider_failed"));
    CHECK_OK(gather());
    CHECK_TEXT(count_of("true"), "2");
    CHECK_TEXT(ask(ITEM_STATE, NULL), "review");
    CHECK_TEXT(ask(PROBLEM, NULL), "photo_refused");
    CHECK_TEXT(ask("select round from items", NULL), "1");
    unsetenv("STATUETTE_TRIPO_KEY");
}

static void test_gather__a_red_model_beside_a_refusal_begins_no_round(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item, "{\"route\":[\"tripo\"],\"candidates\":2,\"rounds\":3}"));
    CHECK_OK(end_task("candidate = 1", "moderated", "content", "photo_refused"));
    CHECK_OK(give_noise(2));
    CHECK_OK(gather());
    CHECK_TEXT(ask("select round from items", NULL), "1");
    CHECK_TEXT(count_of("true"), "2");
    unsetenv("STATUETTE_TRIPO_KEY");
}

static void test_gather__a_lost_task_is_not_made_again_by_a_round(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item, "{\"route\":[\"tripo\"],\"candidates\":1,\"rounds\":3}"));
    CHECK_OK(end_task("true", "lost", "server", "generation_in_doubt"));
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "review");
    CHECK_TEXT(ask(PROBLEM, NULL), "generation_in_doubt");
    CHECK_TEXT(count_of("true"), "1");
    unsetenv("STATUETTE_TRIPO_KEY");
}

/* --- waiting --- */

static void test_gather__an_open_circuit_is_waited_for(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(sql("insert into providers (id, circuit_until) values ('tripo', now() + interval '1 "
                 "minute')"));
    CHECK_OK(begin_round(item, "{\"route\":[\"tripo\"],\"candidates\":2}"));
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(count_of("true"), "0");
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "generating");
    CHECK_TEXT(ask("select count(*) from jobs where kind = 'gather' and run_at > now()", NULL),
               "1");
    CHECK_OK(sql("update providers set circuit_until = now() - interval '1 second'"));
    CHECK_OK(gather());
    CHECK_TEXT(count_of("state = 'created'"), "2");
    unsetenv("STATUETTE_TRIPO_KEY");
}

static void test_gather__a_provider_that_comes_and_goes_is_not_asked_for_ever(void)
{
    BEGIN();
    char item[32];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item, "{\"route\":[\"tripo\"],\"candidates\":8}"));
    /* "provider_away" is no try of its own, but more than can be seen are too many */
    for (int i = 0; i < 12 && strcmp(ask(ITEM_STATE, NULL), "generating") == 0; i++) {
        CHECK_OK(end_task("state = 'created'", "failed", "server", "provider_away"));
        CHECK_OK(gather());
    }
    CHECK_TEXT(ask(ITEM_STATE, NULL), "review");
    CHECK(atoi(count_of("true")) <= ROUND_TASKS_MOST);
    unsetenv("STATUETTE_TRIPO_KEY");
}

static void test_gather__after_the_deadline_what_is_there_goes_on(void)
{
    BEGIN();
    char item[32], table[SHA256_HEX];
    setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1);
    CHECK_OK(begin_round(item,
                         "{\"route\":[\"tripo\",\"relief\"],\"candidates\":3,\"deadline_s\":600}"));
    CHECK_TEXT(ask("select count(*) from jobs where kind = 'gather' and run_at > now() + interval "
                   "'9 minutes'",
                   NULL),
               "1");
    CHECK_OK(put_table(table, 0.5));
    CHECK_OK(give(2, table, "stl"));
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "generating");
    CHECK_OK(sql("update tasks set created_at = created_at - interval '11 minutes'"));
    CHECK_OK(end_task("candidate = 3", "failed", "server", "provider_failed"));
    CHECK_OK(gather());
    CHECK_TEXT(ask(ITEM_STATE, NULL), "inspecting");
    CHECK_TEXT(ask("select candidate from tasks where chosen", NULL), "2");
    CHECK_TEXT(count_of("true"), "3");
    unsetenv("STATUETTE_TRIPO_KEY");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    static const struct test tests[] = {
        TEST(test_gather__the_best_of_the_candidates_goes_on),
        TEST(test_gather__relief_makes_its_candidates_and_one_goes_on),
        TEST(test_gather__spread_begins_at_different_providers),
        TEST(test_gather__a_provider_gets_the_sides_that_it_takes),
        TEST(test_gather__words_alone_go_to_a_provider_that_reads),
        TEST(test_gather__one_that_failed_is_asked_of_the_next),
        TEST(test_gather__what_relief_cannot_make_another_may),
        TEST(test_gather__all_red_leads_to_a_new_round_and_then_to_a_person),
        TEST(test_gather__none_left_leads_to_a_person_with_the_reason),
        TEST(test_gather__nobody_set_up_is_said),
        TEST(test_gather__a_childs_photo_stays_and_that_is_said),
        TEST(test_gather__a_photo_is_no_model_and_that_is_said),
        TEST(test_gather__a_refused_photo_is_asked_of_nobody_else),
        TEST(test_gather__a_red_model_beside_a_refusal_begins_no_round),
        TEST(test_gather__a_lost_task_is_not_made_again_by_a_round),
        TEST(test_gather__an_open_circuit_is_waited_for),
        TEST(test_gather__a_provider_that_comes_and_goes_is_not_asked_for_ever),
        TEST(test_gather__after_the_deadline_what_is_there_goes_on),
    };
    return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);
}
