/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a provider's file comes in, with a real Postgres and a small server that plays Meshy: with no
 * key of ours, asked again where an error came in its place, unpacked where it is an archive. This
 * program is its own child.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#include "print/export/packer.h"
#include "service/courier.h"
#include "tests/service/steps_fixture.h"

#define OBJ                                                                                        \
    "mtllib model.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"

/* Says that the one task is done, and gives its file: the first so many times what is wrong. */
static struct {
    int listener, port;
    struct bytes file;
    const char *wrong;
    int wrong_times;
    char keys[2][200]; /* the Authorization lines of the submit and of the file */
    atomic_int submits, fetches;
    atomic_bool stop;
    pthread_t thread;
} shop;

static void say(int peer, const char *type, const void *body, size_t n)
{
    char head[200];
    int length = snprintf(head, sizeof head,
                          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          type, n);
    if (send(peer, head, (size_t)length, MSG_NOSIGNAL) > 0 && n > 0)
        (void)!send(peer, body, n, MSG_NOSIGNAL);
}

static void note_key(char key[200], const char *asked)
{
    const char *at = strcasestr(asked, "\r\nauthorization:");
    snprintf(key, 200, "%.*s", at ? (int)strcspn(at + 2, "\r") : 0, at ? at + 2 : "");
}

static void answer(int peer)
{
    static char asked[1 << 20], words[4000];
    size_t have = 0;
    long body = 0;
    for (const char *end = NULL; !end || strlen(end + 4) < (size_t)body;) {
        ssize_t n = read(peer, asked + have, sizeof asked - 1 - have);
        if (n <= 0)
            return;
        have += (size_t)n;
        asked[have] = 0;
        end = strstr(asked, "\r\n\r\n");
        const char *length = strcasestr(asked, "content-length:");
        body = length ? strtol(length + 15, NULL, 10) : 0;
    }
    if (strncmp(asked, "POST", 4) == 0) {
        note_key(shop.keys[0], asked);
        shop.submits++;
        say(peer, "application/json", "{\"result\":\"task-1\"}", 19);
    } else if (strncmp(asked, "GET /file", 9) == 0) {
        note_key(shop.keys[1], asked);
        if (shop.fetches++ < shop.wrong_times)
            say(peer, "text/html", shop.wrong, strlen(shop.wrong));
        else
            say(peer, "application/octet-stream", shop.file.data, shop.file.len);
    } else {
        snprintf(words, sizeof words,
                 "{\"id\":\"task-1\",\"status\":\"SUCCEEDED\",\"progress\":100,\"model_urls\":"
                 "{\"glb\":\"http://127.0.0.1:%d/file.glb?signed=%03000d\"}}",
                 shop.port, 1); /* as long as signed addresses get */
        say(peer, "application/json", words, strlen(words));
    }
}

static void *serve(void *user)
{
    (void)user;
    for (int peer; (peer = accept(shop.listener, NULL, NULL)) >= 0; close(peer)) {
        if (atomic_load(&shop.stop))
            break;
        answer(peer);
        shutdown(peer, SHUT_WR);
    }
    return NULL;
}

static void open_shop(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof here;
    char url[60];
    shop.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(shop.listener, (struct sockaddr *)&here, n) || listen(shop.listener, 16) ||
        getsockname(shop.listener, (struct sockaddr *)&here, &n))
        abort();
    shop.port = ntohs(here.sin_port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", shop.port);
    setenv("STATUETTE_MESHY_URL", url, 1);
    setenv("STATUETTE_MESHY_KEY", "our-own-key", 1);
    if (pthread_create(&shop.thread, NULL, serve, NULL))
        abort();
}

static void close_shop(struct courier *courier)
{
    courier_stop(courier);
    atomic_store(&shop.stop, true);
    shutdown(shop.listener, SHUT_RDWR);
    pthread_join(shop.thread, NULL);
    close(shop.listener);
    bytes_free(&shop.file);
    memset(&shop, 0, sizeof shop);
    unsetenv("STATUETTE_MESHY_URL");
    unsetenv("STATUETTE_MESHY_KEY");
}

/* From the order until the answer to a question is no more what it was; that answer. */
static const char *bring_until(struct courier **courier, const char *question, const char *was)
{
    char item[32];
    open_shop();
    if (add_item(item, "meshy") || run_step("photo_check", step_photo_check, &err) ||
        run_step("generate", step_generate, &err) || courier_start(courier, &settings, &err))
        return err.what;
    for (int i = 0; i < 300 && strcmp(ask(question, NULL), was) == 0; i++) {
        if (make_due() || run_step("gather", step_gather, &err) < 0 ||
            sql("update tasks set next_at = now() where id in (select id from tasks for update "
                "skip locked)"))
            return err.what;
        usleep(100 * 1000);
    }
    return ask(question, NULL);
}

static const char *bring(struct courier **courier)
{
    return bring_until(courier, ITEM_STATE, "generating");
}

static int add_part(struct packer *zip, const char *name, const void *data, size_t n)
{
    return packer_part_open(zip, name, &err) || packer_part_write(zip, data, n, &err) ||
           packer_part_close(zip, &err);
}

static void came_as_it_is(struct courier **courier)
{
    CHECK_OK(bytes_append(&shop.file, OBJ, strlen(OBJ), &err));
    shop.wrong = "<html>Just a moment</html>";
    shop.wrong_times = 1;
    CHECK_TEXT(bring(courier), "inspecting");
    CHECK_TEXT(ask("select result_format from tasks", NULL), "obj");
    CHECK(shop.submits == 1 && shop.fetches == 2);
    CHECK_TEXT(shop.keys[0], "Authorization: Bearer our-own-key");
    CHECK_TEXT(shop.keys[1], "");
}

static void test_fetch__takes_no_key_to_a_file_and_asks_again_for_a_web_page(void)
{
    struct courier *courier = NULL;
    BEGIN();
    came_as_it_is(&courier);
    close_shop(courier);
}

static void came_as_json(struct courier **courier)
{
    CHECK_OK(bytes_append(&shop.file, OBJ, strlen(OBJ), &err));
    shop.wrong = " {\"error\": \"not yet\"}";
    shop.wrong_times = 1000;
    CHECK_TEXT(bring_until(courier,
                           "select coalesce(max(error ->> 'class'), '') from tasks "
                           "where state = 'failed'",
                           ""),
               "server");
    CHECK(shop.fetches == 8);
}

static void test_fetch__gives_up_on_what_stays_an_error(void)
{
    struct courier *courier = NULL;
    BEGIN();
    came_as_json(&courier);
    close_shop(courier);
}

static void came_packed(struct courier **courier)
{
    struct packer zip = {.out = &shop.file};
    struct bytes model = {0};
    CHECK_OK(add_part(&zip, "out/texture.png", "\x89PNG", 4));
    CHECK_OK(add_part(&zip, "out/model.obj", OBJ, strlen(OBJ)));
    CHECK_OK(packer_close(&zip, &err));
    CHECK_TEXT(bring(courier), "inspecting");
    CHECK_TEXT(ask("select result_format from tasks", NULL), "obj");
    CHECK_OK(blob_get(&model, &blobs, ask("select result_hash from tasks", NULL), &err));
    bool same = model.len == strlen(OBJ) && memcmp(model.data, OBJ, model.len) == 0;
    bytes_free(&model);
    CHECK(same);
    CHECK_TEXT(
        ask("select string_agg(name, ' ' order by name) from artifacts where kind = 'source'",
            NULL),
        "03_generated.zip 03_unpacked.obj");
}

static void test_fetch__takes_the_model_out_of_an_archive(void)
{
    struct courier *courier = NULL;
    BEGIN();
    came_packed(&courier);
    close_shop(courier);
}

static void came_without_a_model(struct courier **courier)
{
    struct packer zip = {.out = &shop.file};
    CHECK_OK(add_part(&zip, "model.fbx", "Kaydara FBX Binary  ", 20));
    CHECK_OK(packer_close(&zip, &err));
    CHECK_TEXT(bring(courier), "review");
    CHECK_TEXT(ask("select distinct state from tasks", NULL), "failed");
    CHECK_TEXT(ask(PROBLEM, NULL), "provider_format");
    CHECK(strstr(ask("select problem ->> 'message' from items", NULL), "FBX"));
}

static void test_fetch__says_that_an_archive_has_no_model(void)
{
    struct courier *courier = NULL;
    BEGIN();
    came_without_a_model(&courier);
    close_shop(courier);
}

static void came_as_fbx(struct courier **courier)
{
    CHECK_OK(bytes_append(&shop.file, "Kaydara FBX Binary  \0\x1a\0", 23, &err));
    CHECK_TEXT(bring(courier), "review");
    CHECK_TEXT(ask(PROBLEM, NULL), "provider_format");
    CHECK(shop.fetches == shop.submits); /* the same again would be the same */
}

static void test_fetch__says_that_a_file_is_fbx(void)
{
    struct courier *courier = NULL;
    BEGIN();
    came_as_fbx(&courier);
    close_shop(courier);
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(test_fetch__takes_no_key_to_a_file_and_asks_again_for_a_web_page),
        TEST(test_fetch__gives_up_on_what_stays_an_error),
        TEST(test_fetch__takes_the_model_out_of_an_archive),
        TEST(test_fetch__says_that_an_archive_has_no_model),
        TEST(test_fetch__says_that_a_file_is_fbx),
    };
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);
}
