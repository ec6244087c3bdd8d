/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP side as its clients see it: orders, decisions, versions, events, files, keys, outages.
 */
#include "base/assets.h"
#include "base/json.h"
#include "base/png.h"
#include "storage/blob.h"
#include "tests/service/http_fixture.h"

#define KEYED "Idempotency-Key: %s\r\nContent-Type: multipart/form-data; boundary=bnd\r\n"
#define HTTP_TEST_BIG ((size_t)(1 << 20) + 100)
#define ORDER                                                                                      \
    "{\"items\":[{\"template\":\"figure-80\",\"photos\":[\"photo1\"]}],\"consent\":{\"text_"       \
    "version\":\"1\",\"given_at\":\"2026-01-01T00:00:00Z\",\"photo_class\":\"object\"}}"

/* A form with the order and, unless photo is NULL, one photo. */
static int form(struct bytes *out, const char *order, const void *photo, size_t n)
{
    out->limit = 32 << 20;
    if (order && bytes_printf(out, &err,
                              "--bnd\r\nContent-Disposition: form-data; name=\"order\"\r\n"
                              "Content-Type: application/json\r\n\r\n%s\r\n",
                              order))
        return -1;
    if (photo && (bytes_printf(out, &err,
                               "--bnd\r\nContent-Disposition: form-data; name=\"photo1\"; "
                               "filename=\"x\"\r\n\r\n") ||
                  bytes_append(out, photo, n, &err) || bytes_printf(out, &err, "\r\n")))
        return -1;
    return bytes_printf(out, &err, "--bnd--\r\n");
}

static struct told place(const char *key, const char *order, const void *photo, size_t n)
{
    struct bytes body = {0};
    struct told told = {0};
    char headers[300];
    snprintf(headers, sizeof headers, KEYED, key);
    if (form(&body, order, photo, n) == 0)
        told = request_to(http_port, "POST", "/v1/orders", headers, body.data, body.len);
    bytes_free(&body);
    return told;
}

/* A dark disc on a light ground, a little uneven, so that it passes for a photo of something. */
static int make_photo(struct bytes *out)
{
    struct picture p = {calloc(700 * 600, 4), 600, 700};
    for (int y = 0; p.rgba && y < 700; y++)
        for (int x = 0; x < 600; x++) {
            bool in = (x - 300) * (x - 300) + (y - 350) * (y - 350) < 200 * 200;
            uint8_t v = (uint8_t)((in ? 70 : 225) + (x * 7 + y * 13) % 9);
            memcpy(&p.rgba[(y * 600 + x) * 4], (uint8_t[]){v, (uint8_t)(v - 9), v, 255}, 4);
        }
    int failed = p.rgba ? png_encode(out, &p, 3, &err) : -1;
    picture_free(&p);
    return failed;
}

/* The photo's reader is the program itself as a confined child. */
static bool program_there(void)
{
    static const char built[] = "build/statuette";
    const char *named = getenv("STATUETTE_PROGRAM");
    if (named && *named)
        return access(named, X_OK) == 0;
    char path[600];
    if (access(built, X_OK) || !realpath(built, path))
        return false;
    return setenv("STATUETTE_PROGRAM", path, 1) == 0;
}

static const char *json_of(const struct told *told, const char *name)
{
    static char value[4][200];
    static int next;
    char *out = value[next++ & 3];
    cJSON *json = NULL;
    *out = 0;
    if (told->body && json_parse(&json, told->body, told->body_len, NULL) == 0)
        snprintf(out, 200, "%s", json_text(json, name, ""));
    cJSON_Delete(json);
    return out;
}

static int files_below(const char *folder)
{
    char command[700], line[32] = "";
    snprintf(command, sizeof command, "find '%s' -mindepth 1 -type f | wc -l", folder);
    FILE *f = popen(command, "r");
    if (f && !fgets(line, sizeof line, f))
        line[0] = 0;
    if (f)
        pclose(f);
    return atoi(line);
}

static void test_http__takes_an_order_once_for_a_key(void)
{
    NEEDS_HTTP();
    if (!program_there())
        SKIP("build/statuette is not built");
    struct bytes photo = {0};
    CHECK_OK(make_photo(&photo));
    struct told first = place("once", ORDER, photo.data, photo.len);
    if (first.status != 201)
        TEST_GIVE_UP("%d %.300s", first.status, first.body);
    const char *id = json_of(&first, "id");
    CHECK(id_valid(id, "ord"));
    CHECK(strstr(header_of(&first, "Location"), id));
    CHECK(body_has(&first, "\"state\":\"photo_check\""));
    struct told again = place("once", ORDER, photo.data, photo.len);
    CHECK(again.status == 201);
    CHECK_TEXT(json_of(&again, "id"), id);
    CHECK_TEXT(header_of(&again, "Idempotent-Replayed"), "true");
    told_free(&again);
    again = place("once", ORDER " ", photo.data, photo.len);
    CHECK_TOLD(again, 422, "idempotency_key_reused");
    CHECK_TEXT(ask("select count(*) from orders where id = $1", id), "1");
    CHECK_TEXT(ask("select count(*) from jobs where kind = 'photo_check' and subject = (select id "
                   "from items where order_id = $1)",
                   id),
               "1");
    char path[100];
    snprintf(path, sizeof path, "/v1/orders/%s", id);
    again = get(path);
    CHECK(again.status == 200);
    char seen[100];
    snprintf(seen, sizeof seen, "If-None-Match: %s\r\n", header_of(&again, "ETag"));
    told_free(&again);
    again = request_to(http_port, "GET", path, seen, NULL, 0);
    CHECK(again.status == 304 && again.body_len == 0);
    told_free(&again);
    told_free(&first);
    bytes_free(&photo);
    CHECK(files_below(settings.work_folder) == 0);
}

/* Each refusal names its code; nothing stays behind, neither an order nor a file nor a taken key.
 */
static void test_http__refuses_orders_with_a_code(void)
{
    NEEDS_HTTP();
    char before[20];
    snprintf(before, sizeof before, "%s", ask("select count(*) from orders", NULL));
    int blobs = files_below(settings.blob_folder);
    struct told told = place("bad", "{\"items\":[", "x", 1);
    CHECK_TOLD(told, 422, "json_invalid");
    told = place("bad", "{\"items\":[],\"consent\":{}}", "x", 1);
    CHECK_TOLD(told, 422, "schema_violation");
    told = place("bad", ORDER, NULL, 0);
    CHECK_TOLD(told, 422, "photo_missing");
    told = place("bad", NULL, "x", 1);
    CHECK_TOLD(told, 422, "order_missing");
    told = place("bad", ORDER, "", 0);
    CHECK_TOLD(told, 422, "photo_empty");
    char *big = calloc(1, HTTP_TEST_BIG + 1);
    CHECK(big);
    memset(big, ' ', HTTP_TEST_BIG);
    told = place("bad", big, "x", 1);
    free(big);
    CHECK_TOLD(told, 413, "order_too_large");
    told = request_to(http_port, "POST", "/v1/orders",
                      "Content-Type: multipart/form-data; boundary=bnd\r\n", "--bnd--\r\n", 9);
    CHECK_TOLD(told, 400, "idempotency_key_missing");
    if (program_there()) {
        told = place("bad", ORDER, "this is no picture", 18);
        CHECK(body_has(&told, "\"pointer\":\"/parts/photo1\""));
        CHECK_TOLD(told, 422, "photo_unknown_format");
    }
    CHECK_TEXT(ask("select count(*) from orders", NULL), before);
    CHECK_TEXT(ask("select count(*) from idempotency where key = 'bad'", NULL), "0");
    CHECK(files_below(settings.blob_folder) == blobs);
    CHECK(files_below(settings.work_folder) == 0);
}

static void test_http__points_at_what_is_wrong(void)
{
    NEEDS_HTTP();
    struct told told = place("p", "{\"items\":[],\"consent\":{}}", "x", 1);
    CHECK(told.status == 422);
    CHECK(body_has(&told, "\"errors\":[{\"pointer\":\"/"));
    CHECK(body_has(&told, "\"trace_id\":\"req_"));
    told_free(&told);
}

static void test_http__answers_for_paths_and_methods_that_are_not_there(void)
{
    NEEDS_HTTP();
    struct told told = get("/v1/nothing");
    CHECK_TOLD(told, 404, "no_such_path");
    told = get("/v1/orders/ord_00000000000000000000000000");
    CHECK_TOLD(told, 404, "not_found");
    told = get("/v1/items/itm_x");
    CHECK_TOLD(told, 404, "not_found");
    told = get("/v1/files/0000000000000000000000000000000000000000000000000000000000000000");
    CHECK_TOLD(told, 404, "not_found");
    told = get("/v1/files/..%2f..%2fetc%2fpasswd");
    CHECK_TOLD(told, 404, "not_found");
    told = get("/console/..%2fmain.c");
    CHECK_TOLD(told, 404, "not_found");
    told = post("/v1/reviews", "", "{}");
    CHECK_TEXT(header_of(&told, "Allow"), "GET, HEAD");
    CHECK_TOLD(told, 405, "method_not_allowed");
    told = get("/v1/orders?limit=0");
    CHECK_TOLD(told, 400, "query_invalid");
    told = get("/v1/orders?stage=lost");
    CHECK_TOLD(told, 400, "query_invalid");
}

static void test_http__pages_through_orders_without_missing_or_repeating(void)
{
    NEEDS_HTTP();
    char order[32], item[32], path[120] = "/v1/orders?limit=2", seen[4000] = "";
    for (int i = 0; i < 5; i++) {
        char external[32];
        snprintf(external, sizeof external, "page/%d", i);
        CHECK_OK(order_of(order, item, 1, external));
    }
    int found = 0;
    for (int pages = 0; *path && pages < 100; pages++) {
        cJSON *page = NULL;
        const cJSON *one;
        struct told told = get(path);
        CHECK(told.status == 200);
        CHECK_OK(json_parse(&page, told.body, told.body_len, &err));
        cJSON_ArrayForEach (one, json_get(page, "orders")) {
            if (strncmp(json_text(one, "external_id", ""), "page/", 5) != 0)
                continue;
            found++;
            CHECK(!strstr(seen, json_text(one, "external_id", "")));
            strncat(seen, json_text(one, "external_id", ""), 20);
        }
        const char *next = json_text(page, "next_cursor", NULL);
        snprintf(path, sizeof path, next ? "/v1/orders?limit=2&cursor=%s" : "", next);
        cJSON_Delete(page);
        told_free(&told);
    }
    CHECK(found == 5);
    struct told told = get("/v1/orders/@page%2F3");
    CHECK(told.status == 200 && body_has(&told, "page/3"));
    told_free(&told);
    told = get("/v1/orders/@page%2F3/events");
    CHECK(told.status == 200 && body_has(&told, "order.created"));
    told_free(&told);
    told = post("/v1/orders/@page%2F3/cancel", "Statuette-User: ada\r\n", "{\"reason\":\"no\"}");
    CHECK(told.status == 200 && body_has(&told, "\"stage\":\"cancelled\""));
    told_free(&told);
    CHECK_TEXT(ask("select actor from events e join orders o on o.id = e.order_id where "
                   "o.external_id = 'page/3' and event = 'order.cancelled'",
                   NULL),
               "user:ada");
}

/* A decision binds to the version that was seen and to the exact hash. */
static void test_http__binds_a_decision_to_what_was_seen(void)
{
    NEEDS_HTTP();
    char order[32], item[32], hash[SHA256_HEX], path[100], review[120], body[300], match[100];
    CHECK_OK(item_in_review(order, item, hash, 1));
    snprintf(path, sizeof path, "/v1/items/%s", item);
    snprintf(review, sizeof review, "/v1/items/%s/review", item);
    struct told told = get(path);
    CHECK(told.status == 200);
    snprintf(match, sizeof match, "If-Match: %s\r\n", header_of(&told, "ETag"));
    told_free(&told);
    told = get("/v1/reviews");
    CHECK(told.status == 200 && body_has(&told, item) && body_has(&told, hash));
    told_free(&told);
    snprintf(body, sizeof body, "{\"decision\":\"pass\",\"threemf_hash\":\"%s\"}", hash);
    told = post(review, "", body);
    CHECK_TOLD(told, 428, "if_match_missing");
    told = post(review, "If-Match: \"1\"\r\n", body);
    CHECK_TOLD(told, 412, "etag_mismatch");
    told = post(review, "If-Match: *\r\n", body);
    CHECK_TOLD(told, 412, "etag_mismatch");
    told = post(review, match, "{\"decision\":\"maybe\"}");
    CHECK_TOLD(told, 422, "schema_violation");
    told = post(review, match, "{\"decision\":\"reject\"}");
    CHECK_TOLD(told, 422, "schema_violation");
    told = post(review, match, "{\"decision\":\"pass\",\"threemf_hash\":\"00\"}");
    CHECK_TOLD(told, 409, "model_changed");
    told = post(review, match, body);
    CHECK(told.status == 200);
    CHECK_TEXT(json_of(&told, "state"), "approved");
    told_free(&told);
    told = post(review, match, body);
    CHECK_TOLD(told, 412, "etag_mismatch");
    told = request_to(http_port, "POST", review, match, "{}", 2);
    CHECK_TOLD(told, 415, "not_json");
}

static void test_http__judges_and_packs_parts(void)
{
    NEEDS_HTTP();
    char order[32], item[32], slice[32], run[40], path[120], body[120], code[20];
    CHECK_OK(item_queued(order, item, slice, 1));
    CHECK_OK(runs_plan(NULL, db, item, slice, "worker:test", &err));
    snprintf(run, sizeof run, "%s", ask("select id from runs where item_id = $1", item));
    snprintf(code, sizeof code, "%s", ask("select part_code from runs where id = $1", run));
    struct told told = get("/v1/queue/explain");
    CHECK(told.status == 200 && body_has(&told, run) && body_has(&told, "No printer"));
    told_free(&told);
    snprintf(path, sizeof path, "/v1/runs/%s/verdict", run);
    told = post(path, "", "{\"verdict\":\"good\"}");
    CHECK_TOLD(told, 409, NULL);
    CHECK_OK(move("run", run, "run.assigned"));
    CHECK_OK(move("run", run, "run.uploading"));
    CHECK_OK(move("run", run, "run.upload_ok"));
    CHECK_OK(move("run", run, "run.started"));
    CHECK_OK(move("item", item, "run.started"));
    CHECK_OK(move("run", run, "run.finished"));
    snprintf(body, sizeof body, "/v1/orders/%s", order);
    told = get(body);
    CHECK(told.status == 200 && body_has(&told, "verdict_waiting") &&
          body_has(&told, "waits for its verdict"));
    told_free(&told);
    told = post(path, "", "{\"verdict\":\"scrap\"}");
    CHECK_TOLD(told, 422, "schema_violation");
    told = post(path, "", "{\"verdict\":\"good\"}");
    CHECK_TOLD(told, 200, NULL);
    snprintf(path, sizeof path, "/v1/items/%s/pack", item);
    told = post(path, "", "{\"part_code\":\"ZZZZZZ\"}");
    CHECK_TOLD(told, 422, "part_code_wrong");
    snprintf(body, sizeof body, "{\"part_code\":\"%s\"}", code);
    told = post(path, "", body);
    CHECK(told.status == 200);
    CHECK_TEXT(json_of(&told, "state"), "packed");
    told_free(&told);
    told = post(path, "", body);
    CHECK_TOLD(told, 409, NULL);
}

static void test_http__hands_out_files_on_record_only(void)
{
    NEEDS_HTTP();
    char order[32], item[32], kept[SHA256_HEX], loose[SHA256_HEX], path[120];
    struct blobs blobs;
    CHECK_OK(blobs_open(&blobs, settings.blob_folder, &err));
    CHECK_OK(order_of(order, item, 1, "files"));
    CHECK_OK(blob_put(kept, &blobs, "solid x\nendsolid x\n", 19, &err));
    CHECK_OK(blob_put(loose, &blobs, "nobody's", 8, &err));
    CHECK_OK(artifact_add(db, item, NULL, "stl", "07_print.stl", "model/stl", kept, 19, &err));
    snprintf(path, sizeof path, "/v1/files/%s", kept);
    struct told told = get(path);
    CHECK(told.status == 200 && told.body_len == 19);
    CHECK_TEXT(header_of(&told, "Content-Type"), "model/stl");
    CHECK_TEXT(header_of(&told, "X-Content-Type-Options"), "nosniff");
    CHECK_TEXT(header_of(&told, "Content-Disposition"), "attachment; filename=\"07_print.stl\"");
    told_free(&told);
    snprintf(path, sizeof path, "/v1/files/%s", loose);
    told = get(path);
    CHECK_TOLD(told, 404, "not_found");
}

/* The archive is unpacked by the real tar. */
static void test_http__exports_an_order_as_tar(void)
{
    NEEDS_HTTP();
    char order[32], item[32], hash[SHA256_HEX], command[300], path[100], line[200] = "";
    struct blobs blobs;
    struct bytes big = {0};
    CHECK_OK(blobs_open(&blobs, settings.blob_folder, &err));
    CHECK_OK(order_of(order, item, 1, "export"));
    CHECK_OK(db_text_run(NULL, db, "delete from artifacts where item_id = $1", 1,
                         (const char *const[]){item}, &err));
    for (int i = 0; i < 20000; i++)
        CHECK_OK(bytes_printf(&big, &err, "line %d\n", i));
    CHECK_OK(blob_put(hash, &blobs, big.data, big.len, &err));
    CHECK_OK(artifact_add(db, item, NULL, "gcode", "09_print.gcode", "text/x.gcode", hash, big.len,
                          &err));
    snprintf(path, sizeof path, "/v1/orders/%s/export", order);
    struct told told = get(path);
    CHECK(told.status == 200);
    CHECK_TEXT(header_of(&told, "Content-Type"), "application/x-tar");
    snprintf(path, sizeof path, "%s/export.tar", http_folder);
    CHECK_OK(file_write(path, told.body, told.body_len, &err));
    told_free(&told);
    snprintf(command, sizeof command,
             "cd %s && tar xf export.tar && cat order_*/01_Rex/09_print.gcode | sha256sum && "
             "grep -c %s order_*/order.json",
             http_folder, order);
    FILE *f = popen(command, "r");
    CHECK(f);
    CHECK(fgets(line, sizeof line, f) && strncmp(line, hash, 64) == 0);
    CHECK(fgets(line, sizeof line, f) && atoi(line) == 1);
    pclose(f);
    bytes_free(&big);
}

/* Reads one more event from a stream: its id in id, its line of data in data. */
static int next_event(int fd, struct bytes *kept, char id[64], char *data, size_t room)
{
    char *end;
    int64_t until = clock_ms() + 10000;
    for (;;) {
        char *at = kept->data ? strstr((char *)kept->data, "\ndata: ") : NULL;
        end = at ? strstr(at, "\n\n") : NULL;
        if (end) {
            char *named = at;
            while (named > (char *)kept->data && strncmp(named, "id: ", 4) != 0)
                named--;
            snprintf(id, 64, "%.*s", (int)strcspn(named + 4, "\n"), named + 4);
            snprintf(data, room, "%.*s", (int)(end - at - 7), at + 7);
            size_t used = (size_t)(end - (char *)kept->data) + 1;
            memmove(kept->data, kept->data + used, kept->len - used + 1);
            kept->len -= used;
            return 0;
        }
        if (clock_ms() > until || hear(kept, fd, 200))
            return -1;
    }
}

static int follow(const char *last)
{
    char text[300];
    int fd = dial(http_port);
    int n = snprintf(text, sizeof text, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n",
                     last ? "Last-Event-ID: " : "", last ? last : "", last ? "\r\n" : "");
    say(fd, text, (size_t)n);
    return fd;
}

static int happen(const char *reason)
{
    return db_text_run(NULL, db,
                       "select event_add('order', 'x', null, null, 'test.event', null, null, "
                       "'user:test', $1, '{}')",
                       1, (const char *const[]){reason}, &err);
}

/* A client that comes back with its last id misses nothing and hears nothing twice. */
static void test_http__resumes_the_events_where_the_client_left(void)
{
    NEEDS_HTTP();
    char id[64], data[600];
    struct bytes kept = {0};
    int fd = follow(NULL);
    CHECK(!hear(&kept, fd, 500));
    CHECK_OK(happen("one"));
    CHECK_OK(happen("two"));
    CHECK(next_event(fd, &kept, id, data, sizeof data) == 0);
    CHECK(strstr(data, "\"one\""));
    close(fd);
    bytes_free(&kept);
    CHECK_OK(happen("three"));
    fd = follow(id);
    CHECK(next_event(fd, &kept, id, data, sizeof data) == 0);
    CHECK(strstr(data, "two"));
    CHECK(next_event(fd, &kept, id, data, sizeof data) == 0);
    CHECK(strstr(data, "three"));
    CHECK_OK(happen("four"));
    CHECK(next_event(fd, &kept, id, data, sizeof data) == 0);
    CHECK(strstr(data, "four"));
    close(fd);
    bytes_free(&kept);
    struct told told = request_to(http_port, "GET", "/v1/events", "Last-Event-ID: no\r\n", NULL, 0);
    CHECK_TOLD(told, 400, "query_invalid");
}

static void test_http__registers_printers_and_hides_their_keys(void)
{
    NEEDS_HTTP();
    static const char good[] =
        "{\"id\":\"p1\",\"driver\":\"octoprint\",\"url\":\"http://127.0.0.1:9"
        "\",\"api_key\":\"verysecret\",\"printer_class\":\"ender3v3se\","
        "\"material\":\"pla\"}";
    struct told told = post("/v1/printers", "", "{\"id\":\"P 1\"}");
    CHECK_TOLD(told, 422, "schema_violation");
    if (!asset_find("config/printers/ender3v3se.json"))
        SKIP("no printer profile is built in");
    told = post("/v1/printers", "", good);
    CHECK_TOLD(told, 201, NULL);
    told = post("/v1/printers", "", good);
    CHECK_TOLD(told, 409, "printer_known");
    told = get("/v1/printers");
    CHECK(told.status == 200 && body_has(&told, "\"p1\"") && !body_has(&told, "verysecret"));
    told_free(&told);
    told = post("/v1/printers/none/clear", "", "{}");
    CHECK_TOLD(told, 404, "not_found");
}

/* A second service beside the first, with other settings; NULL when it does not start. */
static struct http *beside(int *port, const char *key, const char *database)
{
    static struct settings other;
    struct http *started = NULL;
    other = settings;
    snprintf(other.api_key, sizeof other.api_key, "%s", key);
    if (database)
        snprintf(other.database, sizeof other.database, "%s", database);
    return http_start(&started, port, &other, &err) ? NULL : started;
}

/* A shop's own template stands beside the built-in ones, and a broken one is no secret. */
static void test_http__lists_templates_of_ones_own(void)
{
    NEEDS_HTTP();
    struct bytes text = {0};
    char path[200], folder[150];
    int port;
    const struct asset *known = asset_find("config/templates/figure-80.json");
    CHECK(known);
    CHECK_OK(bytes_append(&text, known->data, known->size, &err));
    char *id = strstr((char *)text.data, "\"figure-80\"");
    CHECK(id);
    memcpy(id, "\"owners-80\"", 11);
    snprintf(folder, sizeof folder, "%s/config", http_folder);
    snprintf(path, sizeof path, "%s/templates", folder);
    CHECK_OK(folder_make(path, &err));
    snprintf(path, sizeof path, "%s/templates/owners-80.json", folder);
    CHECK_OK(file_write(path, text.data, text.len, &err));
    bytes_free(&text);
    snprintf(settings.config_folder, sizeof settings.config_folder, "%s", folder);
    struct http *own = beside(&port, "", NULL);
    settings.config_folder[0] = 0;
    CHECK(own);
    struct told told = request_to(port, "GET", "/v1/templates", "", NULL, 0);
    bool both = body_has(&told, "\"owners-80\"") && body_has(&told, "\"figure-80\"");
    told_free(&told);
    http_stop(own);
    CHECK(both);
}

static void test_http__refuses_writes_from_pages_of_other_sites(void)
{
    NEEDS_HTTP();
    struct told told = post("/v1/printers/x/clear", "Origin: http://evil.example\r\n", "{}");
    CHECK_TOLD(told, 403, "origin_refused");
    told = post("/v1/printers/x/clear", "Sec-Fetch-Site: cross-site\r\n", "{}");
    CHECK_TOLD(told, 403, "origin_refused");
    told = post("/v1/printers/x/clear", "Origin: http://localhost\r\n", "{}");
    CHECK_TOLD(told, 404, "not_found");
}

static void test_http__wants_the_key_where_one_is_set(void)
{
    NEEDS_HTTP();
    int port;
    char cookie[200];
    struct http *locked = beside(&port, "open-sesame", NULL);
    CHECK(locked);
    struct told told = request_to(port, "GET", "/v1/orders", "", NULL, 0);
    CHECK_TOLD(told, 401, "api_key_needed");
    told = request_to(port, "GET", "/v1/orders", "Authorization: Bearer open\r\n", NULL, 0);
    CHECK_TOLD(told, 401, "api_key_needed");
    told = request_to(port, "GET", "/v1/orders", "Authorization: Bearer open-sesame\r\n", NULL, 0);
    CHECK_TOLD(told, 200, NULL);
    told = request_to(port, "GET", "/healthz", "", NULL, 0);
    CHECK_TOLD(told, 200, NULL);
    told = request_to(port, "POST", "/v1/session", "Content-Type: application/json\r\n",
                      "{\"api_key\":\"open\"}", 18);
    CHECK_TOLD(told, 401, "api_key_needed");
    told = request_to(port, "POST", "/v1/session", "Content-Type: application/json\r\n",
                      "{\"api_key\":\"open-sesame\"}", 25);
    CHECK(told.status == 200 && strstr(header_of(&told, "Set-Cookie"), "HttpOnly"));
    snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n",
             (int)strcspn(header_of(&told, "Set-Cookie"), ";"), header_of(&told, "Set-Cookie"));
    told_free(&told);
    told = request_to(port, "GET", "/v1/orders", cookie, NULL, 0);
    CHECK_TOLD(told, 200, NULL);
    http_stop(locked);
}

static void test_http__says_what_is_away_and_goes_on_without_a_database(void)
{
    NEEDS_HTTP();
    int port;
    struct http *alone = beside(&port, "", "host=/nonexistent dbname=none connect_timeout=2");
    CHECK(alone);
    struct told told = request_to(port, "GET", "/v1/orders", "", NULL, 0);
    CHECK_TEXT(header_of(&told, "Retry-After"), "2");
    CHECK_TOLD(told, 503, "database_away");
    told = request_to(port, "GET", "/readyz", "", NULL, 0);
    CHECK_TOLD(told, 503, "database_away");
    told = request_to(port, "GET", "/healthz", "", NULL, 0);
    CHECK_TOLD(told, 200, NULL);
    told = request_to(port, "GET", "/metrics", "", NULL, 0);
    CHECK(told.status == 200 && body_has(&told, "statuette_database_up 0"));
    told_free(&told);
    http_stop(alone);
    told = get("/readyz");
    CHECK_TOLD(told, 200, NULL);
}

static void test_http__refuses_a_port_that_is_taken_and_an_open_door_without_a_key(void)
{
    NEEDS_HTTP();
    struct settings other = settings;
    struct http *started;
    int port;
    snprintf(other.listen, sizeof other.listen, "127.0.0.1:%d", http_port);
    CHECK_FAILS(http_start(&started, &port, &other, &err), ERR_CONFLICT);
    CHECK_TEXT(err.code, "port_taken");
    snprintf(other.listen, sizeof other.listen, "0.0.0.0:0");
    CHECK_FAILS(http_start(&started, &port, &other, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "api_key_needed");
}

/* Asked of a model that is being made anew, it would be dropped without a word. */
static void test_http__asks_for_a_second_opinion_on_a_model_that_stands(void)
{
    NEEDS_HTTP();
    char order[32], item[32], hash[SHA256_HEX], path[100];
    CHECK_OK(item_in_review(order, item, hash, 1));
    snprintf(path, sizeof path, "/v1/items/%s/second-opinion", item);
    struct told told = post(path, "", "");
    CHECK(told.status == 202);
    told_free(&told);
    CHECK_TEXT(ask("select count(*) from jobs where kind = 'slice_ahead' and subject = $1", item),
               "1");
    ask("delete from jobs where subject = $1", item);
    CHECK_OK(move("item", item, "review.reshaped"));
    told = post(path, "", "");
    CHECK_TOLD(told, 409, "no_model");
    CHECK_OK(move("item", item, "item.cancelled"));
    told = post(path, "", "");
    CHECK_TOLD(told, 409, "too_late");
    CHECK_TEXT(ask("select count(*) from jobs where subject = $1", item), "0");
}

TESTS(TEST(test_http__takes_an_order_once_for_a_key),
      TEST(test_http__asks_for_a_second_opinion_on_a_model_that_stands),
      TEST(test_http__refuses_orders_with_a_code), TEST(test_http__points_at_what_is_wrong),
      TEST(test_http__answers_for_paths_and_methods_that_are_not_there),
      TEST(test_http__pages_through_orders_without_missing_or_repeating),
      TEST(test_http__binds_a_decision_to_what_was_seen), TEST(test_http__judges_and_packs_parts),
      TEST(test_http__hands_out_files_on_record_only), TEST(test_http__exports_an_order_as_tar),
      TEST(test_http__resumes_the_events_where_the_client_left),
      TEST(test_http__registers_printers_and_hides_their_keys),
      TEST(test_http__lists_templates_of_ones_own),
      TEST(test_http__refuses_writes_from_pages_of_other_sites),
      TEST(test_http__wants_the_key_where_one_is_set),
      TEST(test_http__says_what_is_away_and_goes_on_without_a_database),
      TEST(test_http__refuses_a_port_that_is_taken_and_an_open_door_without_a_key))
