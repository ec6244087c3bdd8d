/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/order_form: what is filled in, what is refused and by which code; the templates shipped.
 */
#include <unistd.h>

#include "base/assets.h"
#include "intake/order_form.h"
#include "intake/provider/provider.h"
#include "tests/test.h"

static struct err err;

#define CONSENT                                                                                    \
    "\"consent\":{\"text_version\":\"2026-01\",\"given_at\":\"2026-11-21T05:00:00Z\","             \
    "\"photo_class\":\"pet\"}"

static const char *const one_photo[] = {"photo1"};
static const char *const two_photos[] = {"photo1", "photo2"};

static int read_order(cJSON **order, const char *text, const char *const *photos, size_t count)
{
    memset(&err, 0, sizeof err);
    *order = NULL;
    return order_form_read(order, text, strlen(text), photos, count, NULL, &err);
}

/* The code of the refusal, or "accepted". */
static const char *code_of(const char *text, const char *const *photos, size_t count)
{
    cJSON *order;
    if (read_order(&order, text, photos, count))
        return err.kind == ERR_INPUT && !order ? err.code : "wrong kind";
    cJSON_Delete(order);
    return "accepted";
}

static void test_order_form__fills_in_what_the_template_knows(void)
{
    cJSON *order;
    CHECK_OK(read_order(&order, "{" CONSENT ",\"items\":[{\"template\":\"figure-80\"}]}",
                        two_photos, 2));
    const cJSON *item = json_get(order, "items")->child;
    CHECK_NEAR(json_number(item, "height_mm", 0), 80, 0);
    CHECK_NEAR(json_number(item, "quantity", 0), 1, 0);
    CHECK_TEXT(json_text(item, "style", ""), "figure");
    CHECK_TEXT(json_text(item, "material", ""), "pla");
    CHECK(cJSON_GetArraySize(json_get(item, "photos")) == 2);
    CHECK_TEXT(json_get(item, "photos")->child->valuestring, "photo1");
    cJSON_Delete(order);
}

/* Contact, notes and two items of different templates. */
static const char *const full_order =
    "{\"external_id\":\"shop-17\",\"contact\":{\"name\":\"Zoë\",\"email\":\"z@example.org\"},"
    "\"notes\":\"by Friday\"," CONSENT ",\"items\":["
    "{\"template\":\"lithophane\",\"photos\":[\"photo2\"],\"quantity\":3},"
    "{\"template\":\"figure-80\",\"photos\":[\"photo1\"],\"height_mm\":120.5,"
    "\"name\":\"Rex\",\"style\":\"figure\",\"material\":\"pla\"}]}";

static void test_order_form__keeps_what_was_ordered(void)
{
    cJSON *order;
    CHECK_OK(read_order(&order, full_order, two_photos, 2));
    const cJSON *first = json_get(order, "items")->child;
    CHECK_NEAR(json_number(first, "quantity", 0), 3, 0);
    CHECK_TEXT(json_text(first, "style", ""), "lithophane");
    CHECK_NEAR(json_number(first->next, "height_mm", 0), 120.5, 0);
    cJSON_Delete(order);
}

#define ITEMS(list) "{" CONSENT ",\"items\":[" list "]}"

static void test_order_form__refuses_by_code(void)
{
    static const struct {
        const char *text, *code;
    } cases[] = {
        {"{\"items\":", "json_invalid"},
        {"", "json_invalid"},
        {"[]", "schema_violation"},
        {"{\"items\":[{\"template\":\"figure-80\"}]}", "schema_violation"},
        {ITEMS(""), "schema_violation"},
        {ITEMS("{\"template\":\"figure-80\",\"quantity\":0}"), "schema_violation"},
        {ITEMS("{\"template\":\"figure-80\",\"quantity\":101}"), "schema_violation"},
        {ITEMS("{\"template\":\"figure-80\",\"quantity\":1.5}"), "schema_violation"},
        {ITEMS("{\"template\":\"figure-80\",\"height_mm\":-80}"), "schema_violation"},
        {ITEMS("{\"template\":\"figure-80\",\"callback\":\"http://x\"}"), "schema_violation"},
        {ITEMS("{\"template\":\"figure-80\",\"photos\":[]}"), "photo_missing"},
        {ITEMS("{\"template\":\"../../etc/passwd\"}"), "schema_violation"},
        {ITEMS("{\"template\":\"no-such-thing\"}"), "unknown_template"},
        {ITEMS("{\"template\":\"figure-80\",\"height_mm\":500}"), "option_out_of_range"},
        {ITEMS("{\"template\":\"figure-80\",\"style\":\"lithophane\"}"), "option_out_of_range"},
        {ITEMS("{\"template\":\"figure-80\",\"material\":\"gold\"}"), "option_out_of_range"},
        {ITEMS("{\"template\":\"figure-80\",\"photos\":[\"photo9\"]}"), "photo_missing"},
        {ITEMS("{\"template\":\"figure-80\",\"photos\":[\"photo1\"]},{\"template\":\"demo\"}"),
         "photo_missing"},
        {ITEMS("{\"template\":\"figure-80\",\"photos\":[\"photo1\"]}"), "accepted"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *code = code_of(cases[i].text, one_photo, 1);
        if (strcmp(code, cases[i].code) != 0)
            TEST_GIVE_UP("case %zu: %.80s, wanted %s", i, code, cases[i].code);
    }
}

static void test_order_form__knows_photos_that_nobody_named_and_items_without(void)
{
    CHECK_TEXT(
        code_of(ITEMS("{\"template\":\"figure-80\",\"photos\":[\"photo1\"]}"), two_photos, 2),
        "photo_not_named");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"figure-80\"}"), NULL, 0), "photo_missing");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"demo\"}"), two_photos, 2), "option_out_of_range");
}

static void test_order_form__takes_models_where_the_template_does(void)
{
    static const char *const one[] = {"model"}, *const both[] = {"photo1", "model"};
    cJSON *order;
    CHECK_OK(read_order(&order, ITEMS("{\"template\":\"own-model\"}"), both, 2));
    const cJSON *item = json_get(order, "items")->child;
    CHECK_TEXT(json_text(item, "model", ""), "model");
    CHECK(cJSON_GetArraySize(json_get(item, "photos")) == 1);
    cJSON_Delete(order);
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"own-model\"}"), one, 1), "accepted");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"own-model\"}"), NULL, 0), "model_missing");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"own-model\",\"model\":\"model9\"}"), NULL, 0),
               "model_missing");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"figure-80\"}"), both, 2), "option_out_of_range");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"own-model\",\"photos\":[\"model\"]}"), one, 1),
               "photo_missing");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"own-model\",\"model\":\"photo1\"}"), one_photo, 1),
               "schema_violation");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"demo\",\"photos\":[\"photo1\"]},"
                             "{\"template\":\"demo\",\"photos\":[\"photo1\"]}"),
                       both, 2),
               "model_not_named");
}

static void test_order_form__takes_words_where_the_template_does(void)
{
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"figure-of-words\",\"object\":\"a fox\"}"), NULL, 0),
               "accepted");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"figure-of-words\",\"name\":\"fox\"}"), NULL, 0),
               "accepted");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"figure-of-words\"}"), NULL, 0), "object_missing");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"figure-of-words\"}"), one_photo, 1), "accepted");
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"figure-80\",\"object\":\"a fox\"}"), one_photo, 1),
               "option_out_of_range");
    /* each of two items says for itself what it is made of */
    CHECK_TEXT(code_of(ITEMS("{\"template\":\"figure-of-words\",\"object\":\"a fox\"},"
                             "{\"template\":\"demo\",\"photos\":[\"photo1\"]}"),
                       one_photo, 1),
               "accepted");
}

static void test_order_form__checks_the_consent(void)
{
    static const char *const broken[] = {
        "{\"text_version\":\"1\",\"given_at\":\"yesterday\",\"photo_class\":\"pet\"}",
        "{\"text_version\":\"1\",\"given_at\":\"2026-11-21T05:00:00Z\",\"photo_class\":\"baby\"}",
        "{\"text_version\":\"1\",\"given_at\":\"2026-11-21T05:00:00Z\"}",
        "{\"given_at\":\"2026-11-21T05:00:00Z\",\"photo_class\":\"pet\"}",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char text[512];
        snprintf(text, sizeof text, "{\"consent\":%s,\"items\":[{\"template\":\"demo\"}]}",
                 broken[i]);
        CHECK_TEXT(code_of(text, one_photo, 1), "schema_violation");
    }
}

static void test_template__all_that_are_shipped_load_and_name_known_providers(void)
{
    const struct asset *asset = NULL;
    int count = 0;
    while ((asset = asset_next("config/templates/", asset))) {
        char id[60];
        cJSON *product;
        const cJSON *provider;
        snprintf(id, sizeof id, "%s", asset->name + strlen("config/templates/"));
        *strstr(id, ".json") = 0;
        CHECK_OK(template_load(&product, NULL, id, &err));
        cJSON_ArrayForEach (provider, json_get(json_get(product, "provider"), "route"))
            CHECK(provider_find(provider->valuestring));
        cJSON_Delete(product);
        count++;
    }
    CHECK(count >= 4);
}

/* A person must pass what customers order; only the demonstration may go by itself. */
static void test_template__only_the_demonstration_passes_by_policy(void)
{
    static const char *const ids[] = {"figure-80", "lithophane", "memorial", "demo"};
    for (size_t i = 0; i < 4; i++) {
        cJSON *product;
        CHECK_OK(template_load(&product, NULL, ids[i], &err));
        bool by_policy = cJSON_IsObject(json_get(product, "auto_pass"));
        cJSON_Delete(product);
        CHECK(by_policy == (strcmp(ids[i], "demo") == 0));
    }
}

static int load_text(const char *id, const char *text)
{
    char folder[] = "/tmp/statuette-test-XXXXXX", path[128];
    cJSON *product = NULL;
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/templates", folder);
    if (folder_make(path, &err))
        abort();
    snprintf(path, sizeof path, "%s/templates/%s.json", folder, id);
    if (file_write(path, text, strlen(text), &err))
        abort();
    memset(&err, 0, sizeof err);
    int failed = template_load(&product, folder, id, &err);
    cJSON_Delete(product);
    folder_remove(folder);
    return failed;
}

static void test_template__of_the_shop_wins_over_the_built_in_one(void)
{
    const struct asset *asset = asset_find("config/templates/demo.json");
    CHECK(asset);
    CHECK_OK(load_text("demo", asset->data));
    /* the same under another name: its id is not its file's name */
    CHECK(load_text("other", asset->data) == -1 && err.kind == ERR_BUG);
    CHECK_TEXT(err.code, "template_invalid");
    CHECK(load_text("demo", "{\"id\":\"demo\"}") == -1 && err.kind == ERR_BUG);
    CHECK(load_text("demo", "{") == -1 && err.kind == ERR_BUG);
}

static void test_template__an_id_is_never_a_path(void)
{
    cJSON *product;
    CHECK_FAILS(template_load(&product, "/tmp", "../demo", &err), ERR_INPUT);
    CHECK_TEXT(err.code, "unknown_template");
    CHECK_FAILS(template_load(&product, NULL, "", &err), ERR_INPUT);
}

static void test_template__must_make_sense(void)
{
    cJSON *product;
    CHECK_OK(template_load(&product, NULL, "demo", &err));
    cJSON *height = cJSON_GetObjectItem(product, "height_mm");
    CHECK_OK(template_check(product, &err));
    cJSON_SetNumberValue(cJSON_GetObjectItem(height, "default"), 500);
    CHECK_FAILS(template_check(product, &err), ERR_BUG);
    cJSON_SetNumberValue(cJSON_GetObjectItem(height, "default"), 50);
    cJSON_SetValuestring(cJSON_GetObjectItem(cJSON_GetObjectItem(product, "style"), "default"),
                         "bronze");
    CHECK_FAILS(template_check(product, &err), ERR_BUG);
    cJSON_Delete(product);
}

TESTS(TEST(test_order_form__fills_in_what_the_template_knows),
      TEST(test_order_form__keeps_what_was_ordered), TEST(test_order_form__refuses_by_code),
      TEST(test_order_form__knows_photos_that_nobody_named_and_items_without),
      TEST(test_order_form__takes_models_where_the_template_does),
      TEST(test_order_form__takes_words_where_the_template_does),
      TEST(test_order_form__checks_the_consent),
      TEST(test_template__all_that_are_shipped_load_and_name_known_providers),
      TEST(test_template__only_the_demonstration_passes_by_policy),
      TEST(test_template__of_the_shop_wins_over_the_built_in_one),
      TEST(test_template__an_id_is_never_a_path), TEST(test_template__must_make_sense))
