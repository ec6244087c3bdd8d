/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP side of quotes: made, kept, cited by an order that is held to them, and settled by what
 * orders took. */
#include "base/assets.h"
#include "base/json.h"
#include "service/quote.h"
#include "tests/service/http_fixture.h"

#define DOG "{\"photo_class\":\"pet\",\"items\":[{\"template\":\"figure-80\",\"quantity\":2}]}"

static struct told quote_for(const char *key, const char *form)
{
    char headers[120];
    snprintf(headers, sizeof headers, "Idempotency-Key: %s\r\n", key);
    return post("/v1/quotes", headers, form);
}

static cJSON *body_of(const struct told *told)
{
    cJSON *json = NULL;
    return told->body && json_parse(&json, told->body, told->body_len, NULL) == 0 ? json : NULL;
}

/* The id of a fresh quote for two dogs; "" when there is none. */
static const char *fresh_quote(void)
{
    static char id[ID_ROOM];
    char key[ID_ROOM];
    id_new(key, "key");
    struct told told = quote_for(key, DOG);
    cJSON *json = told.status == 201 ? body_of(&told) : NULL;
    snprintf(id, sizeof id, "%s", json ? json_text(json, "id", "") : "");
    cJSON_Delete(json);
    told_free(&told);
    return id;
}

static void test_quotes__are_made_once_for_a_key_and_kept(void)
{
    NEEDS_HTTP();
    char path[80], id[ID_ROOM];
    struct told first = quote_for("dogs", DOG);
    if (first.status != 201)
        TEST_GIVE_UP("%d %.300s", first.status, first.body);
    cJSON *json = body_of(&first);
    CHECK(json && id_valid(json_text(json, "id", ""), "quo"));
    snprintf(id, sizeof id, "%s", json_text(json, "id", ""));
    CHECK(strstr(header_of(&first, "Location"), id));
    CHECK(json_number(json, "total_minor", 0) > 0 && cJSON_IsNull(json_get(json, "order_id")));
    CHECK(!json_get(json, "actual"));
    cJSON_Delete(json);
    struct told again = quote_for("dogs", DOG);
    CHECK(again.status == 201 && body_has(&again, id));
    CHECK_TEXT(header_of(&again, "Idempotent-Replayed"), "true");
    told_free(&again);
    again = quote_for("dogs", DOG " ");
    CHECK_TOLD(again, 422, "idempotency_key_reused");
    snprintf(path, sizeof path, "/v1/quotes/%s", id);
    again = get(path);
    CHECK(again.status == 200 && first.body_len == again.body_len);
    CHECK(memcmp(first.body, again.body, first.body_len) == 0);
    told_free(&again);
    told_free(&first);
    again = get("/v1/quotes?limit=1");
    CHECK(again.status == 200 && body_has(&again, "\"total_minor\""));
    told_free(&again);
}

static void test_quotes__are_refused_with_a_reason(void)
{
    NEEDS_HTTP();
    struct told told = post("/v1/quotes", "", DOG);
    CHECK_TOLD(told, 400, "idempotency_key_missing");
    told = quote_for("bad", "{\"photo_class\":\"pet\",\"items\":[{\"template\":\"nothing\"}]}");
    CHECK_TOLD(told, 422, "unknown_template");
    told = quote_for("bad", "{\"photo_class\":\"pet\",\"items\":[{\"template\":\"figure-80\","
                            "\"printer\":\"k2plus\"}]}");
    CHECK_TOLD(told, 422, "schema_violation");
    told = get("/v1/quotes/quo_00000000000000000000000000");
    CHECK(told.status == 404);
    told_free(&told);
    told = get("/v1/quotes?cursor=ord_00000000000000000000000000");
    CHECK_TOLD(told, 400, "query_invalid");
    told = get("/v1/quotes/accuracy?last=0");
    CHECK_TOLD(told, 400, "query_invalid");
}

/* --- orders that cite one ----------------------------------------------------------------------
 */

static bool program_there(void)
{
    static const char built[] = "build/statuette";
    const char *named = getenv("STATUETTE_PROGRAM");
    char path[600];
    if (named && *named)
        return access(named, X_OK) == 0;
    return access(built, X_OK) == 0 && realpath(built, path) &&
           setenv("STATUETTE_PROGRAM", path, 1) == 0;
}

/* An order of the sample photo that rests on a quote. */
static struct told place(const char *key, const char *quote, const char *class, double height,
                         int quantity)
{
    const struct asset *photo = asset_find("config/samples/dog.jpg");
    struct bytes body = {.limit = 32 << 20};
    struct told told = {0};
    char headers[200];
    snprintf(headers, sizeof headers,
             "Idempotency-Key: %s\r\nContent-Type: multipart/form-data; boundary=bnd\r\n", key);
    if (bytes_printf(&body, &err,
                     "--bnd\r\nContent-Disposition: form-data; name=\"order\"\r\n"
                     "Content-Type: application/json\r\n\r\n{\"quote_id\":\"%s\",\"items\":[{"
                     "\"template\":\"figure-80\",\"height_mm\":%g,\"quantity\":%d,\"photos\":["
                     "\"photo1\"]}],\"consent\":{\"text_version\":\"1\",\"given_at\":"
                     "\"2026-01-01T00:00:00Z\",\"photo_class\":\"%s\"}}\r\n--bnd\r\n"
                     "Content-Disposition: form-data; name=\"photo1\"; filename=\"x\"\r\n\r\n",
                     quote, height, quantity, class) == 0 &&
        bytes_append(&body, photo->data, photo->size, &err) == 0 &&
        bytes_printf(&body, &err, "\r\n--bnd--\r\n") == 0)
        told = request_to(http_port, "POST", "/v1/orders", headers, body.data, body.len);
    bytes_free(&body);
    return told;
}

static void test_quotes__bind_an_order_to_what_they_were_made_for(void)
{
    NEEDS_HTTP();
    if (!program_there())
        SKIP("build/statuette is not built");
    char id[ID_ROOM];
    snprintf(id, sizeof id, "%s", fresh_quote());
    CHECK(*id);
    struct told told = place("higher", id, "pet", 100, 2);
    CHECK(body_has(&told, "/items/0/height_mm\""));
    CHECK_TOLD(told, 422, "quote_mismatch");
    told = place("more", id, "pet", 80, 3);
    CHECK_TOLD(told, 422, "quote_mismatch");
    told = place("other", id, "adult", 80, 2);
    CHECK_TOLD(told, 422, "quote_mismatch");
    told = place("none", "quo_00000000000000000000000000", "pet", 80, 2);
    CHECK_TOLD(told, 422, "quote_unknown");
    CHECK_TEXT(ask("select count(*) from orders where quote_id is not null", NULL), "0");

    told = place("right", id, "pet", 80, 2);
    if (told.status != 201)
        TEST_GIVE_UP("%d %.300s", told.status, told.body);
    cJSON *order = body_of(&told);
    CHECK_TEXT(json_text(order, "quote_id", ""), id);
    char price[24];
    snprintf(price, sizeof price, "%.0f", json_number(order, "price_minor", 0));
    CHECK_TEXT(ask("select (document ->> 'total_minor')::int = $1::int from quotes where id = "
                   "(select quote_id from orders where quote_id is not null)",
                   price),
               "t");
    CHECK(json_number(json_get(order, "cost"), "total_minor", -1) == 0);
    cJSON_Delete(order);
    told_free(&told);
    told = place("right", id, "pet", 80, 2); /* the same again is the same order, not another */
    CHECK(told.status == 201);
    told_free(&told);
    told = place("second", id, "pet", 80, 2);
    CHECK_TOLD(told, 409, "quote_used");
    CHECK_TEXT(ask("select count(*) from orders where quote_id = $1", id), "1");
}

/* Finer layers take twice the time: what was quoted for the usual ones does not pay for them. */
static void test_quotes__bind_the_process_too(void)
{
    static const char *const said[][2] = {{"figure", ""}, {"figure-fine", "quote_mismatch"}};
    static const char stored[] =
        "insert into quotes (id, form, document, total_minor, currency, "
        "valid_until) values ('quo_process', '{\"photo_class\":\"pet\",\"items\":[{"
        "\"template\":\"x\",\"height_mm\":80,\"style\":\"figure\",\"material\":"
        "\"pla\",\"process\":\"figure\",\"quantity\":1}]}', '{}', 900, 'EUR', "
        "now() + interval '1 day')";
    NEEDS_HTTP();
    CHECK_OK(db_script(db, stored, &err));
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        char text[400];
        cJSON *order;
        snprintf(
            text, sizeof text,
            "{\"consent\":{\"photo_class\":\"pet\"},\"items\":[{\"template\":\"x\",\"height_mm\":"
            "80,\"style\":\"figure\",\"material\":\"pla\",\"process\":\"%s\",\"quantity\":1}]}",
            said[i][0]);
        CHECK_OK(json_parse(&order, text, strlen(text), &err));
        int failed = quote_check_order(db, "quo_process", order, &err);
        cJSON_Delete(order);
        CHECK_TEXT(failed ? err.code : "", said[i][1]);
    }
}

/* The second is told, however close behind the first it comes. */
static void *bind_one(void *user)
{
    struct crowd *me = user;
    struct db *mine = me->db;
    char order[32];
    snprintf(order, sizeof order, "ord_race%d", me->number);
    me->result = db_begin(mine, &me->err) ||
                 db_text_run(NULL, mine, "insert into orders (id) values ($1)", 1,
                             (const char *const[]){order}, &me->err) ||
                 quote_bind(mine, order, "quo_race", &me->err) ||
                 db_text_run(NULL, mine, "select pg_sleep(0.5)", 0, NULL, &me->err) ||
                 db_commit(mine, &me->err);
    if (me->result)
        db_rollback(mine);
    return NULL;
}

static void test_quotes__are_of_one_order_however_many_ask_at_once(void)
{
    NEEDS_HTTP();
    struct crowd members[4];
    int bound = 0;
    CHECK_OK(db_script(db,
                       "insert into quotes (id, form, document, total_minor, currency, "
                       "valid_until) values ('quo_race', '{}', '{}', 900, 'EUR', now() + interval "
                       "'1 day')",
                       &err));
    CHECK_OK(crowd_run(members, 4, bind_one, NULL));
    for (int i = 0; i < 4; i++) {
        bound += !members[i].result;
        if (members[i].result)
            CHECK_TEXT(members[i].err.code, "quote_used");
    }
    CHECK(bound == 1);
    ask("delete from orders where quote_id = $1", "quo_race");
}

static void test_quotes__expire(void)
{
    NEEDS_HTTP();
    if (!program_there())
        SKIP("build/statuette is not built");
    char id[ID_ROOM];
    snprintf(id, sizeof id, "%s", fresh_quote());
    ask("update quotes set valid_until = now() - interval '1 second' where id = $1", id);
    struct told told = place("late", id, "pet", 80, 2);
    CHECK_TOLD(told, 409, "quote_expired");
    CHECK_TEXT(ask("select count(*) from orders where quote_id = $1", id), "0");
}

/* --- settled -----------------------------------------------------------------------------------
 */

/* A quote of one item that says 100 s (times what it was corrected by) and 10 g a piece. */
static const char *stored_quote(double time_s, double factor)
{
    static char id[ID_ROOM];
    char document[900];
    id_new(id, "quo");
    snprintf(document, sizeof document,
             "{\"id\":\"%s\",\"photo_class\":\"pet\",\"currency\":\"EUR\",\"minor_digits\":2,"
             "\"total_minor\":900,\"items\":[{\"template\":\"figure-80\",\"printer\":"
             "\"ender3v3se\",\"estimate\":{\"time_s\":{\"p50\":%g,\"p90\":200},\"grams\":{\"p50\":"
             "10,\"p90\":20}},\"correction\":{\"time\":%g,\"grams\":1,\"samples\":0},\"rates\":{"
             "\"machine_hour_minor\":3600,\"power_w\":1000,\"kwh_minor\":360,"
             "\"price_minor_per_kg\":2000},\"lines\":[{\"code\":\"generation\",\"minor\":7},{"
             "\"code\":\"material\",\"minor\":20},{\"code\":\"machine\",\"minor\":100}]}]}",
             id, time_s, factor);
    return db_text_run(NULL, db,
                       "insert into quotes (id, form, document, total_minor, currency, "
                       "valid_until) values ($1, '{}', $2, 900, 'EUR', now() + interval '1 day')",
                       2, (const char *const[]){id, document}, &err) == 0
               ? id
               : "";
}

/* The run that waits, printed in so many seconds and judged. */
static int print_one(const char *item, const char *seconds, const char *verdict)
{
    static const char *const way[] = {"run.assigned", "run.uploading", "run.upload_ok",
                                      "run.started", "run.finished"};
    char run[ID_ROOM];
    snprintf(run, sizeof run, "%s",
             ask("select min(id) from runs where item_id = $1 and state = 'queued'", item));
    for (size_t i = 0; i < sizeof way / sizeof *way; i++)
        if (move("run", run, way[i]))
            return -1;
    if (strcmp(ask("select state from items where id = $1", item), "queued") == 0 &&
        move("item", item, "run.started"))
        return -1;
    if (db_text_run(NULL, db,
                    "update runs set started_at = now() - $2::float8 * interval '1 second', "
                    "ended_at = now(), progress = 1 where id = $1",
                    2, (const char *const[]){run, seconds}, &err))
        return -1;
    return run_judge(db, run, verdict, "", "user:test", &err);
}

/* An order of one part that rests on a quote, sliced at 120 s and 4 g. */
static int order_on(char order[32], char item[32], const char *quote)
{
    char slice[32];
    if (item_queued(order, item, slice, 1) ||
        db_text_run(NULL, db, "update orders set quote_id = $1 where id = $2", 2,
                    (const char *const[]){quote, order}, &err) ||
        db_text_run(NULL, db,
                    "update slices set printer_class = 'ender3v3se', print_time_s = 120, "
                    "filament_g = 4 where id = $1",
                    1, (const char *const[]){slice}, &err))
        return -1;
    return runs_plan(NULL, db, item, slice, "worker:test", &err);
}

static int64_t minor_of(const cJSON *item, const char *code, const char *member)
{
    const cJSON *line;
    cJSON_ArrayForEach (line, json_get(item, "lines"))
        if (strcmp(json_text(line, "code", ""), code) == 0)
            return (int64_t)json_number(line, member, -1);
    return -1;
}

/* 4 g good and 4 g scrap at 2 a gram; 150 s and 50 s at 1 a second, 0.1 of electricity. */
static void test_quotes__say_what_their_order_took(void)
{
    NEEDS_HTTP();
    char order[32], item[32], quote[ID_ROOM], path[80];
    snprintf(quote, sizeof quote, "%s", stored_quote(100, 1));
    CHECK_OK(order_on(order, item, quote));
    CHECK_OK(print_one(item, "50", "scrap"));
    CHECK_OK(print_one(item, "150", "good"));
    ask("insert into tasks (id, item_id, round, provider, seed) values ('gen_x', $1, 1, 'tripo', "
        "1)",
        item);
    CHECK_OK(db_text_run(NULL, db,
                         "insert into ledger (provider, task_id, item_id, order_id, kind, credits) "
                         "values ('tripo', 'gen_x', $1, $2, 'reserve', 20), ('tripo', 'gen_x', $1, "
                         "$2, 'settle', -5)",
                         2, (const char *const[]){item, order}, &err));
    snprintf(path, sizeof path, "/v1/quotes/%s", quote);
    struct told told = get(path);
    CHECK(told.status == 200);
    cJSON *json = body_of(&told);
    const cJSON *actual = json_get(json, "actual");
    const cJSON *one = cJSON_GetArrayItem(json_get(actual, "items"), 0);
    CHECK_TEXT(json_text(json, "order_id", ""), order);
    CHECK(minor_of(one, "generation", "minor") == 15);
    CHECK(minor_of(one, "generation", "difference_minor") == 8);
    CHECK(minor_of(one, "material", "minor") == 8);
    CHECK(minor_of(one, "material", "difference_minor") == -12);
    CHECK(minor_of(one, "machine", "minor") == 150);
    CHECK(minor_of(one, "machine", "estimated_minor") == 100);
    CHECK(minor_of(one, "electricity", "minor") == 15);
    CHECK(minor_of(one, "reprints", "minor") == 8 + 50 + 5);
    CHECK(json_number(one, "total_minor", 0) == 15 + 8 + 150 + 15 + 63);
    CHECK(json_number(one, "good", 0) == 1 && json_number(one, "lost", 0) == 1);
    CHECK(json_number(json_get(one, "piece"), "printed_time_s", 0) == 150);
    CHECK(json_number(json_get(one, "piece"), "sliced_time_s", 0) == 120);
    CHECK(json_number(json_get(one, "piece"), "estimated_time_s", 0) == 100);
    cJSON_Delete(json);
    told_free(&told);
    snprintf(path, sizeof path, "/v1/orders/%s", order);
    told = get(path);
    json = body_of(&told);
    CHECK(json_number(json_get(json, "cost"), "total_minor", 0) == 251);
    CHECK(json_number(json, "price_minor", 0) == 900);
    cJSON_Delete(json);
    told_free(&told);
    ask("delete from ledger where item_id = $1", item);
}

/* Printing that is under way counts as far as it has come; what did not start, not at all. */
static void test_quotes__cost_so_far_needs_no_quote(void)
{
    NEEDS_HTTP();
    char order[32], item[32], slice[32], path[80];
    CHECK_OK(item_queued(order, item, slice, 2));
    ask("update slices set printer_class = 'ender3v3se', material = 'pla', print_time_s = 14400, "
        "filament_g = 100 where id = $1",
        slice);
    CHECK_OK(runs_plan(NULL, db, item, slice, "worker:test", &err));
    ask("update runs set started_at = now(), progress = 0.5 where id = (select min(id) from runs "
        "where item_id = $1)",
        item);
    snprintf(path, sizeof path, "/v1/orders/%s", order);
    struct told told = get(path);
    cJSON *json = body_of(&told);
    const cJSON *one = cJSON_GetArrayItem(json_get(json_get(json, "cost"), "items"), 0);
    CHECK(minor_of(one, "machine", "minor") == 80);            /* two hours at 40 */
    CHECK(minor_of(one, "material", "minor") == 50 * 22 / 10); /* 50 g; no price of its own */
    CHECK(minor_of(one, "machine", "estimated_minor") == -1 && !json_get(json, "price_minor"));
    cJSON_Delete(json);
    told_free(&told);
    ask("update slices set printer_class = 'sold' where id = $1", slice);
    told = get(path);
    CHECK(told.status == 200); /* a printer that is no longer there hides no order */
    told_free(&told);
}

/* A service with a costs.json that breaks its schema says so, shows its orders, and lives. */
static void test_quotes__a_costs_file_that_is_wrong_hides_no_order(void)
{
    NEEDS_HTTP();
    struct settings own = settings;
    struct http *other;
    char order[32], item[32], slice[32], path[200];
    int port;
    CHECK_OK(item_queued(order, item, slice, 1));
    snprintf(own.config_folder, sizeof own.config_folder, "%s", http_folder);
    snprintf(path, sizeof path, "%s/costs.json", http_folder);
    CHECK_OK(file_write(path, "{\"currency\":\"euro\"}", 19, &err));
    CHECK_OK(http_start(&other, &port, &own, &err));
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "/v1/orders/%s", order);
        struct told told = request_to(port, "GET", path, "", NULL, 0);
        cJSON *json = body_of(&told);
        CHECK(told.status == 200 && cJSON_IsNull(json_get(json, "cost")));
        cJSON_Delete(json);
        told_free(&told);
        told = request_to(port, "POST", "/v1/quotes",
                          "Idempotency-Key: wrong-costs\r\nContent-Type: application/json\r\n", DOG,
                          strlen(DOG));
        CHECK_TOLD(told, 422, "schema_violation");
    }
    http_stop(other);
}

static const char *accuracy(const char *method, const char *member)
{
    static char out[60];
    struct told told = request_to(http_port, method, "/v1/quotes/accuracy?last=1000", "", NULL, 0);
    cJSON *json = body_of(&told);
    const cJSON *one = cJSON_GetArrayItem(json_get(json, "groups"), 0);
    const cJSON *c = json_get(one, "correction");
    if (strcmp(member, "correction") == 0 && cJSON_IsObject(c))
        snprintf(out, sizeof out, "%g %g %g", json_number(c, "time", 0), json_number(c, "grams", 0),
                 json_number(c, "samples", 0));
    else
        snprintf(out, sizeof out, "%g", json_number(one, member, -1));
    cJSON_Delete(json);
    told_free(&told);
    return out;
}

/* Five say 150 s for 100 and 4 g for 10: the next quote is corrected by 1.5, and by no less than a
 * half; what was corrected already is held against what it was before. */
static void test_quotes__learn_from_five_orders_and_not_from_four(void)
{
    NEEDS_HTTP();
    char order[32], item[32];
    ask("update orders set quote_id = null", NULL);
    for (int i = 0; i < 4; i++) {
        CHECK_OK(order_on(order, item, stored_quote(100, 1)));
        CHECK_OK(print_one(item, i == 2 ? "90000" : "150", "good")); /* one stood overnight */
    }
    CHECK_TEXT(accuracy("POST", "samples"), "4");
    CHECK_TEXT(accuracy("GET", "correction"), "-1");
    CHECK_OK(order_on(order, item, stored_quote(200, 2)));
    CHECK_OK(print_one(item, "150", "good"));
    CHECK_TEXT(accuracy("GET", "time_ratio"), "1.5");
    CHECK_TEXT(accuracy("GET", "slice_time_ratio"), "1.2");
    CHECK_TEXT(accuracy("GET", "grams_ratio"), "0.4");
    CHECK_TEXT(accuracy("GET", "correction"), "-1");
    CHECK_TEXT(accuracy("POST", "correction"), "1.5 0.5 5");
    struct told told = quote_for("learnt", DOG);
    cJSON *json = body_of(&told);
    const cJSON *c = json_get(cJSON_GetArrayItem(json_get(json, "items"), 0), "correction");
    CHECK(json_number(c, "time", 0) == 1.5 && json_number(c, "grams", 0) == 0.5);
    CHECK(json_number(c, "samples", 0) == 5);
    cJSON_Delete(json);
    told_free(&told);
}

TESTS(TEST(test_quotes__are_made_once_for_a_key_and_kept),
      TEST(test_quotes__are_refused_with_a_reason),
      TEST(test_quotes__bind_an_order_to_what_they_were_made_for),
      TEST(test_quotes__bind_the_process_too),
      TEST(test_quotes__are_of_one_order_however_many_ask_at_once), TEST(test_quotes__expire),
      TEST(test_quotes__say_what_their_order_took), TEST(test_quotes__cost_so_far_needs_no_quote),
      TEST(test_quotes__a_costs_file_that_is_wrong_hides_no_order),
      TEST(test_quotes__learn_from_five_orders_and_not_from_four))
