/* SPDX-License-Identifier: GPL-3.0-or-later */
/* service: what a figure takes, against real slices that are kept with the coefficients, and rules
 * that hold for whatever is asked. */
#include <sys/stat.h>

#include "base/assets.h"
#include "service/estimate.h"
#include "service/quote.h"
#include "tests/test.h"

static struct err err;

static struct estimate_settings settings_of(const cJSON *s)
{
#define OF(name) .name = json_number(s, #name, NAN)
    return (struct estimate_settings){
        OF(layer_mm),      OF(first_layer_mm), OF(outer_mm),
        OF(line_mm),       OF(walls),          OF(top_mm),
        OF(bottom_mm),     OF(infill),         .support = json_bool(s, "support", false),
        OF(brim_mm),       OF(v_outer),        OF(v_inner),
        OF(v_infill),      OF(v_skin),         OF(v_support),
        OF(a_normal),      OF(a_outer),        OF(hop_s),
        OF(max_flow),      OF(min_layer_s),    OF(min_speed),
        .density_g_cm3 = 1};
}

static struct estimate_shape shape_of(const cJSON *s)
{
    return (struct estimate_shape){OF(height_mm), OF(volume_mm3), OF(area_mm2), OF(support_mm3),
                                   OF(contact_area_mm2)};
#undef OF
}

/* The script that finds the coefficients and the program that uses them have one formula: what the
 * one said of some real slices, the other says, too; and neither is far from the slicer. */
static void test_estimate__says_of_real_slices_what_the_fit_says(void)
{
    const struct asset *asset = asset_find("config/estimates.json");
    struct estimates *e;
    cJSON *file;
    const cJSON *one;
    int within = 0, count = 0;
    CHECK_OK(estimates_open(&e, NULL, &err));
    CHECK_OK(json_parse(&file, asset->data, asset->size, &err));
    cJSON_ArrayForEach (one, json_get(file, "examples")) {
        struct estimate_settings settings = settings_of(json_get(one, "settings"));
        struct estimate_shape shape = shape_of(json_get(one, "shape"));
        struct estimate out;
        const cJSON *says = json_get(one, "says"), *sliced = json_get(one, "sliced");
        double time_s = json_number(says, "time_s", 0), mm3 = json_number(says, "mm3", 0);
        CHECK_OK(estimate_of_shape(&out, e, &shape, &settings, NULL, &err));
        CHECK_NEAR(out.time_s, time_s, time_s * 1e-3);
        CHECK_NEAR(out.grams * 1000, mm3, mm3 * 1e-3);
        within += json_number(sliced, "time_s", 0) < out.time_p90_s &&
                  json_number(sliced, "mm3", 0) < out.grams_p90 * 1000;
        count++;
    }
    CHECK(count >= 8);
    CHECK(within >= count * 6 / 10); /* both below their p90: 0.8 of them are to be expected */
    cJSON_Delete(file);
    estimates_close(e);
}

static int settings_for(struct estimate_settings *out, const char *printer, const char *material)
{
    struct profile profile = {0};
    if (profile_load(&profile, NULL, printer, material, NULL, &err))
        return -1;
    estimate_settings_of(out, &profile);
    profile_free(&profile);
    return 0;
}

static void test_estimate__grows_with_the_height(void)
{
    static const char *const makers[] = {"model", "relief", "lithophane"};
    static const char *const classes[] = {"pet", "object", "adult", "child", NULL};
    struct estimate_settings settings;
    struct estimates *e;
    CHECK_OK(estimates_open(&e, NULL, &err));
    CHECK_OK(settings_for(&settings, "ender3v3se", "pla"));
    for (size_t m = 0; m < 3; m++)
        for (size_t c = 0; c < 5; c++) {
            struct estimate before = {0}, out;
            for (double h = 20; h <= 250; h += 0.5) {
                struct estimate_shape shape;
                struct estimate_spread spread;
                int figures;
                const struct estimate_subject subject = {makers[m], classes[c], h, 4, 0};
                CHECK_OK(estimate_shape(&shape, &spread, &figures, e, &subject, &err));
                CHECK_OK(estimate_of_shape(&out, e, &shape, &settings, &spread, &err));
                CHECK(isfinite(out.time_s) && out.time_s > before.time_s);
                CHECK(out.grams > before.grams && out.grams_p90 > out.grams);
                CHECK(out.time_p90_s > out.time_s && figures > 0);
                before = out;
            }
        }
    estimates_close(e);
}

static void test_estimate__knows_a_wide_subject_by_its_photo(void)
{
    struct estimate_shape shape, wide;
    struct estimate_spread spread, seen;
    struct estimates *e;
    int figures;
    CHECK_OK(estimates_open(&e, NULL, &err));
    struct estimate_subject subject = {"relief", "pet", 80, 0, 0};
    CHECK_OK(estimate_shape(&shape, &spread, &figures, e, &subject, &err));
    subject.aspect = 2.5;
    CHECK_OK(estimate_shape(&wide, &seen, &figures, e, &subject, &err));
    CHECK(wide.volume_mm3 > shape.volume_mm3 * 2 && wide.area_mm2 > shape.area_mm2 * 1.5);
    CHECK(seen.time < spread.time && seen.grams < spread.grams);
    estimates_close(e);
}

/* What costs time on the machine costs time here: finer layers, more infill, a slower printer. */
static void test_estimate__follows_the_settings(void)
{
    const struct estimate_shape shape = {80, 35000, 13500, 6600, 330};
    struct estimate_settings settings, other;
    struct estimate usual, changed;
    struct estimates *e;
    CHECK_OK(estimates_open(&e, NULL, &err));
    CHECK_OK(settings_for(&settings, "ender3v3se", "pla"));
    CHECK_OK(estimate_of_shape(&usual, e, &shape, &settings, NULL, &err));
    other = settings;
    other.layer_mm = 0.12;
    CHECK_OK(estimate_of_shape(&changed, e, &shape, &other, NULL, &err));
    CHECK(changed.time_s > usual.time_s * 1.3 && fabs(changed.grams / usual.grams - 1) < 0.02);
    other = settings;
    other.infill = 0.6;
    CHECK_OK(estimate_of_shape(&changed, e, &shape, &other, NULL, &err));
    CHECK(changed.grams > usual.grams * 1.2 && changed.time_s > usual.time_s);
    other = settings;
    other.support = false;
    CHECK_OK(estimate_of_shape(&changed, e, &shape, &other, NULL, &err));
    CHECK(changed.grams < usual.grams && changed.support_g == 0 && changed.time_s < usual.time_s);
    CHECK_OK(settings_for(&other, "k2plus", "pla"));
    CHECK_OK(estimate_of_shape(&changed, e, &shape, &other, NULL, &err));
    CHECK(changed.time_s < usual.time_s * 0.9);
    estimates_close(e);
}

/* A material may ask for no least time of a layer: then it is the moving that counts. */
static void test_estimate__knows_materials_that_need_no_rest(void)
{
    const struct estimate_shape shape = {80, 35000, 13500, 6600, 330};
    struct estimate_settings settings;
    struct estimate usual, hasty;
    struct estimates *e;
    CHECK_OK(estimates_open(&e, NULL, &err));
    CHECK_OK(settings_for(&settings, "ender3v3se", "pla"));
    CHECK_OK(estimate_of_shape(&usual, e, &shape, &settings, NULL, &err));
    settings.min_layer_s = 0;
    CHECK_OK(estimate_of_shape(&hasty, e, &shape, &settings, NULL, &err));
    CHECK(hasty.time_s > usual.time_s / 2 && hasty.time_s < usual.time_s);
    estimates_close(e);
}

static void test_estimate__refuses_nothing_to_print(void)
{
    static const struct estimate_shape bad[] = {{0, 1, 1, 0, 0},     {10, 0, 10, 0, 0},
                                                {10, 10, 0, 0, 0},   {10, 10, 10, -1, 0},
                                                {10, NAN, 10, 0, 0}, {10, INFINITY, 10, 0, 0}};
    struct estimate_settings settings;
    struct estimate out;
    struct estimates *e;
    CHECK_OK(estimates_open(&e, NULL, &err));
    CHECK_OK(settings_for(&settings, "ender3v3se", "pla"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_FAILS(estimate_of_shape(&out, e, &bad[i], &settings, NULL, &err), ERR_INPUT);
    const struct estimate_subject nobody = {"potter", "pet", 80, 0, 0};
    struct estimate_shape shape;
    struct estimate_spread spread;
    int figures;
    CHECK_FAILS(estimate_shape(&shape, &spread, &figures, e, &nobody, &err), ERR_ABSENT);
    estimates_close(e);
}

/* --- a whole quote, without a service -----------------------------------------------------------
 */

static int make(cJSON **out, const char *form_text, const struct quote_shop *shop)
{
    cJSON *form = NULL;
    int failed = quote_form_read(
                     &form, form_text, strlen(form_text),
                     *shop->settings->config_folder ? shop->settings->config_folder : NULL, &err) ||
                 quote_make(out, form, shop, &err);
    cJSON_Delete(form);
    return failed ? -1 : 0;
}

static int64_t sum_of(const cJSON *holder)
{
    const cJSON *line;
    int64_t sum = 0;
    cJSON_ArrayForEach (line, json_get(holder, "lines"))
        sum += llround(json_number(line, "minor", 0));
    return sum;
}

static void test_quote__adds_up_and_completes_what_was_left_out(void)
{
    struct settings settings = {0};
    const struct quote_shop shop = {.settings = &settings};
    cJSON *quote = NULL;
    const cJSON *item;
    CHECK_OK(make(&quote,
                  "{\"photo_class\":\"pet\",\"items\":[{\"template\":\"figure-80\",\"quantity\":3},"
                  "{\"template\":\"lithophane\",\"height_mm\":120},"
                  "{\"template\":\"figure-of-words\",\"style\":\"bust\"}]}",
                  &shop));
    int64_t all = 0;
    cJSON_ArrayForEach (item, json_get(quote, "items")) {
        CHECK(sum_of(item) == llround(json_number(item, "price_minor", -1)));
        all += sum_of(item);
    }
    const cJSON *first = cJSON_GetArrayItem(json_get(quote, "items"), 0);
    CHECK(json_number(first, "height_mm", 0) == 80);
    CHECK_TEXT(json_text(first, "material", ""), "pla");
    CHECK_TEXT(json_text(json_get(first, "based_on"), "maker", ""), "relief");
    CHECK(sum_of(quote) == llround(json_number(quote, "total_minor", -1)));
    CHECK(json_number(cJSON_GetArrayItem(json_get(quote, "lines"), 0), "minor", 0) == all);
    CHECK(json_number(json_get(json_get(quote, "estimate"), "time_s"), "p90", 0) >
          json_number(json_get(json_get(quote, "estimate"), "time_s"), "p50", 1e9));
    cJSON_Delete(quote);
}

/* An outside provider's credits are money; ours are none. */
static void test_quote__counts_the_providers_credits(void)
{
    struct settings settings = {0};
    const struct quote_shop shop = {.settings = &settings};
    cJSON *quote = NULL;
    CHECK_OK(make(&quote,
                  "{\"photo_class\":\"object\",\"items\":[{\"template\":\"figure-of-words\"}]}",
                  &shop));
    const cJSON *item = cJSON_GetArrayItem(json_get(quote, "items"), 0);
    const cJSON *generation = json_get(item, "generation");
    const cJSON *provider = cJSON_GetArrayItem(json_get(generation, "providers"), 0);
    CHECK_TEXT(json_text(provider, "id", ""), "tripo"); /* a credit is a cent */
    double said = json_number(provider, "credits", 0) * json_number(generation, "rounds", 0);
    CHECK_NEAR(json_number(cJSON_GetArrayItem(json_get(item, "lines"), 0), "minor", -1), said,
               0.51);
    CHECK(said > 0 && !json_bool(provider, "needs_consent", true));
    cJSON_Delete(quote);
}

static int double_time(struct quote_correction *out, void *user, const char *template,
                       const char *photo_class, const char *printer, struct err *why)
{
    (void)user, (void)why;
    if (strcmp(template, "figure-80") == 0 && strcmp(photo_class, "pet") == 0 &&
        strcmp(printer, "ender3v3se") == 0)
        *out = (struct quote_correction){2, 0.5, 9};
    return 0;
}

static void test_quote__applies_what_earlier_orders_took_and_says_so(void)
{
    static const char form[] = "{\"photo_class\":\"pet\",\"items\":[{\"template\":\"figure-80\"}]}";
    struct settings settings = {0};
    struct quote_shop shop = {.settings = &settings};
    cJSON *plain = NULL, *corrected = NULL;
    CHECK_OK(make(&plain, form, &shop));
    shop.correction = double_time;
    CHECK_OK(make(&corrected, form, &shop));
    const cJSON *a = json_get(cJSON_GetArrayItem(json_get(plain, "items"), 0), "estimate");
    const cJSON *item = cJSON_GetArrayItem(json_get(corrected, "items"), 0);
    const cJSON *b = json_get(item, "estimate");
    CHECK_NEAR(json_number(json_get(b, "time_s"), "p50", 0),
               json_number(json_get(a, "time_s"), "p50", 0) * 2, 1.01);
    CHECK_NEAR(json_number(json_get(b, "grams"), "p90", 0),
               json_number(json_get(a, "grams"), "p90", 0) / 2, 0.02);
    CHECK(json_number(json_get(item, "correction"), "samples", 0) == 9);
    cJSON_Delete(plain);
    cJSON_Delete(corrected);
}

/* A folder of a shop's own, with costs.json as it is built in but for some numbers. */
static int shop_with(struct settings *settings, char folder[40], const char *name, double value,
                     double hour)
{
    const struct asset *asset = asset_find("config/costs.json");
    struct bytes text = {0};
    cJSON *costs = NULL;
    char path[80];
    snprintf(folder, 40, "/tmp/statuette-shop-XXXXXX");
    if (!mkdtemp(folder) || json_parse(&costs, asset->data, asset->size, &err))
        return -1;
    cJSON_DeleteItemFromObjectCaseSensitive(costs, name);
    cJSON_AddNumberToObject(costs, name, value);
    cJSON_SetNumberValue(cJSON_GetObjectItem(json_get(costs, "labour"), "hour_minor"), hour);
    cJSON_SetNumberValue(cJSON_GetObjectItem(json_get(costs, "price"), "margin_percent"),
                         hour > 1e6 ? 100000 : 50);
    cJSON_SetNumberValue(cJSON_GetObjectItem(json_get(costs, "labour"), "finishing_s"),
                         hour > 1e6 ? 72000 : 0);
    snprintf(path, sizeof path, "%s/costs.json", folder);
    int failed =
        json_print(&text, costs, true, &err) || file_write(path, text.data, text.len, &err);
    cJSON_Delete(costs);
    bytes_free(&text);
    snprintf(settings->config_folder, sizeof settings->config_folder, "%s", folder);
    return failed;
}

static double line_of(const cJSON *holder, const char *code)
{
    const cJSON *line;
    cJSON_ArrayForEach (line, json_get(holder, "lines"))
        if (strcmp(json_text(line, "code", ""), code) == 0)
            return json_number(line, "minor", -1);
    return -1;
}

/* 8.25 % and 9.975 % are taxes that there are. */
static void test_quote__takes_a_tax_to_its_last_digit(void)
{
    static const double rates[] = {8.25, 9.975, 19};
    struct settings settings = {0};
    const struct quote_shop shop = {.settings = &settings};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        char folder[40];
        cJSON *quote = NULL;
        CHECK_OK(shop_with(&settings, folder, "vat_percent", rates[i], 2400));
        CHECK_OK(make(&quote,
                      "{\"photo_class\":\"pet\",\"items\":[{\"template\":\"figure-80\","
                      "\"quantity\":100}]}",
                      &shop));
        double net = line_of(quote, "items") + line_of(quote, "packing");
        CHECK(net > 10000);
        CHECK(line_of(quote, "vat") == floor(net * rates[i] / 100 + 0.5));
        CHECK(sum_of(quote) == llround(json_number(quote, "total_minor", -1)));
        cJSON_Delete(quote);
        folder_remove(folder);
    }
}

/* Each of many items is a price still, and their sum is none. */
static void test_quote__refuses_a_sum_that_is_no_price(void)
{
    struct settings settings = {0};
    const struct quote_shop shop = {.settings = &settings};
    struct bytes form = {0};
    cJSON *quote = NULL;
    char folder[40];
    CHECK_OK(shop_with(&settings, folder, "vat_percent", 0, 1e9));
    CHECK_OK(bytes_printf(&form, &err, "{\"photo_class\":\"pet\",\"items\":["));
    for (int i = 0; i < 50; i++)
        CHECK_OK(bytes_printf(&form, &err, "%s{\"template\":\"figure-80\",\"quantity\":100}",
                              i ? "," : ""));
    CHECK_OK(bytes_printf(&form, &err, "]}"));
    CHECK_OK(make(&quote,
                  "{\"photo_class\":\"pet\",\"items\":[{\"template\":\"figure-80\","
                  "\"quantity\":100}]}",
                  &shop));
    CHECK(json_number(quote, "total_minor", 0) > PRICE_MINOR_MOST / 50.0);
    cJSON_Delete(quote);
    quote = NULL;
    CHECK_FAILS(make(&quote, (const char *)form.data, &shop), ERR_LIMIT);
    CHECK_TEXT(err.code, "price_overflow");
    cJSON_Delete(quote);
    bytes_free(&form);
    folder_remove(folder);
}

/* How it is printed decides what it costs: where there is a choice it can be quoted. */
static void test_quote__is_of_the_process_that_is_asked_for(void)
{
    static const char text[] =
        "{\"id\":\"chosen\",\"name\":\"Chosen\",\"description\":\"In two "
        "qualities.\",\"provider\":{"
        "\"route\":[\"relief\"],\"candidates\":1},\"photos\":{\"min\":1,\"max\":1,"
        "\"needs_subject\":true},\"height_mm\":{\"min\":40,\"max\":150,\"default\":80},\"style\":{"
        "\"allowed\":[\"figure\"],\"default\":\"figure\"},\"material\":{\"allowed\":[\"pla\"],"
        "\"default\":\"pla\"},\"process\":{\"allowed\":[\"figure\",\"figure-fine\"],\"default\":"
        "\"figure\"},\"printer_class\":\"ender3v3se\",\"gates\":[\"review\"],\"auto_pass\":null,"
        "\"privacy\":{\"photo_days\":30,\"model_days\":90}}";
    struct settings settings = {0};
    const struct quote_shop shop = {.settings = &settings};
    char folder[40], path[100];
    cJSON *quote = NULL;
    CHECK_OK(shop_with(&settings, folder, "vat_percent", 0, 2400));
    snprintf(path, sizeof path, "%s/templates", folder);
    CHECK(mkdir(path, 0755) == 0);
    snprintf(path, sizeof path, "%s/templates/chosen.json", folder);
    CHECK_OK(file_write(path, text, strlen(text), &err));
    CHECK_OK(make(&quote,
                  "{\"photo_class\":\"pet\",\"items\":[{\"template\":\"chosen\"},"
                  "{\"template\":\"chosen\",\"process\":\"figure-fine\"}]}",
                  &shop));
    const cJSON *usual = cJSON_GetArrayItem(json_get(quote, "items"), 0);
    const cJSON *fine = cJSON_GetArrayItem(json_get(quote, "items"), 1);
    CHECK_TEXT(json_text(usual, "process", ""), "figure");
    CHECK_TEXT(json_text(fine, "process", ""), "figure-fine");
    CHECK(json_number(fine, "cost_minor", 0) > json_number(usual, "cost_minor", 0));
    cJSON_Delete(quote);
    quote = NULL;
    CHECK_FAILS(make(&quote,
                     "{\"photo_class\":\"pet\",\"items\":[{\"template\":\"chosen\","
                     "\"process\":\"figure-draft\"}]}",
                     &shop),
                ERR_INPUT);
    CHECK_TEXT(err.code, "option_out_of_range");
    folder_remove(folder);
}

static void test_quote__refuses_what_no_order_could_be(void)
{
    static const char *const bad[][2] = {
        {"{\"photo_class\":\"pet\",\"items\":[]}", "schema_violation"},
        {"{\"photo_class\":\"plant\",\"items\":[{\"template\":\"figure-80\"}]}",
         "schema_violation"},
        {"{\"photo_class\":\"pet\",\"items\":[{\"template\":\"nothing\"}]}", "unknown_template"},
        {"{\"photo_class\":\"pet\",\"items\":[{\"template\":\"canary\"}]}", "unknown_template"},
        {"{\"photo_class\":\"pet\",\"items\":[{\"template\":\"figure-80\",\"height_mm\":900}]}",
         "option_out_of_range"},
        {"{\"photo_class\":\"pet\",\"items\":[{\"template\":\"figure-80\",\"shape\":{}}]}",
         "schema_violation"},
        {"{\"photo_class\":\"pet\",\"items\":[{\"template\":\"figure-80\",\"material\":\"wood\"}]}",
         "option_out_of_range"}};
    struct settings settings = {0};
    const struct quote_shop shop = {.settings = &settings};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cJSON *quote = NULL;
        CHECK_FAILS(make(&quote, bad[i][0], &shop), ERR_INPUT);
        CHECK_TEXT(err.code, bad[i][1]);
    }
}

TESTS(TEST(test_estimate__says_of_real_slices_what_the_fit_says),
      TEST(test_estimate__grows_with_the_height),
      TEST(test_estimate__knows_a_wide_subject_by_its_photo),
      TEST(test_estimate__follows_the_settings), TEST(test_estimate__refuses_nothing_to_print),
      TEST(test_estimate__knows_materials_that_need_no_rest),
      TEST(test_quote__adds_up_and_completes_what_was_left_out),
      TEST(test_quote__counts_the_providers_credits),
      TEST(test_quote__applies_what_earlier_orders_took_and_says_so),
      TEST(test_quote__takes_a_tax_to_its_last_digit),
      TEST(test_quote__refuses_a_sum_that_is_no_price),
      TEST(test_quote__is_of_the_process_that_is_asked_for),
      TEST(test_quote__refuses_what_no_order_could_be))
