/* SPDX-License-Identifier: GPL-3.0-or-later */
/* service: money. Properties that hold for whatever a shop sets, and a few sums done by hand. */
#include "service/costs.h"
#include "service/price.h"
#include "tests/test.h"

static struct err err;

/* 25 cents an hour, 30 a kWh, 24 an hour of work, 18 a kilogram: the sums below are by hand. */
static struct price_item usual(void)
{
    return (struct price_item){.quantity = 1,
                               .generation_minor = 24,
                               .item_labour_s = 120,
                               .piece_labour_s = 210,
                               .piece_time_s = 7200,
                               .piece_mg = 25000,
                               .rates = {.machine_hour = 25,
                                         .kwh = 30,
                                         .labour_hour = 2400,
                                         .material_kg = 1800,
                                         .packing_piece = 60,
                                         .power_w = 110,
                                         .failed_permille = 60},
                               .formula = {.margin_permille = 500}};
}

static uint64_t seed = 88172645463325252u;

static int64_t any(int64_t most)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int64_t)(seed % ((uint64_t)most + 1));
}

/* Anything that a shop could set, and a customer order. */
static struct price_item random_item(void)
{
    struct price_item i = {
        .quantity = 1 + any(99),
        .generation_minor = any(1000),
        .item_labour_s = any(2000),
        .piece_labour_s = any(2000),
        .piece_time_s = any(200000),
        .piece_mg = any(2000000),
        .rates = {any(2000), any(100), any(10000), any(10000), any(500), any(2000), any(900)},
        .formula = {any(3000), any(1000), any(3000), 0, 0, {{0, 0}}, 0}};
    static const int64_t steps[] = {0, 1, 5, 10, 100, 500};
    i.formula.round_up_minor = steps[any(5)];
    if (i.formula.round_up_minor > 1)
        i.formula.charm_minor = any(i.formula.round_up_minor - 1);
    for (int64_t from = 1, off = 0; i.formula.discount_count < (size_t)any(5);) {
        from += 1 + any(20);
        off += any(300);
        i.formula.discounts[i.formula.discount_count++] =
            (struct price_discount){from, off > 1000 ? 1000 : off};
    }
    return i;
}

static int64_t sum_of(const struct price *price)
{
    int64_t sum = 0;
    for (size_t i = 0; i < price->line_count; i++)
        sum += price->lines[i].minor;
    return sum;
}

static void test_price__adds_up_by_hand(void)
{
    struct price_item item = usual();
    struct price p;
    CHECK_OK(price_item(&p, &item, &err));
    CHECK(price_line(&p, "generation") == 24);
    CHECK(price_line(&p, "material") == 45);
    CHECK(price_line(&p, "machine") == 50);
    CHECK(price_line(&p, "electricity") == 7); /* 0.22 kWh: 6.6 */
    CHECK(price_line(&p, "labour") == 220);    /* 330 s */
    CHECK(price_line(&p, "packing") == 60);
    CHECK(price_line(&p, "reprints") == 7); /* 102 * 60 / 940: 6.5 */
    CHECK(p.cost_minor == 413);
    CHECK(price_line(&p, "margin") == 207); /* 206.5 */
    CHECK(p.total_minor == 620);
}

static void test_price__is_the_sum_of_its_lines(void)
{
    for (int n = 0; n < 20000; n++) {
        struct price_item item = random_item();
        struct price p;
        CHECK_OK(price_item(&p, &item, &err));
        CHECK(sum_of(&p) == p.total_minor);
        CHECK(p.total_minor >= item.formula.minimum_minor * item.quantity);
        CHECK(price_line(&p, "rounding") >= 0 && price_line(&p, "minimum") >= 0 &&
              price_line(&p, "discount") <= 0);
    }
}

/* The discount of the 20th piece must not make twenty cheaper than nineteen. */
static void test_price__never_falls_as_more_is_ordered(void)
{
    for (int n = 0; n < 300; n++) {
        struct price_item item = random_item();
        int64_t before = 0;
        for (item.quantity = 1; item.quantity <= 100; item.quantity++) {
            struct price p;
            CHECK_OK(price_item(&p, &item, &err));
            if (p.total_minor < before)
                TEST_GIVE_UP("%lld pieces cost %lld, one fewer %lld", (long long)item.quantity,
                             (long long)p.total_minor, (long long)before);
            before = p.total_minor;
        }
    }
}

static void test_price__never_falls_as_it_takes_longer_or_weighs_more(void)
{
    for (int n = 0; n < 20000; n++) {
        struct price_item item = random_item(), more = item;
        struct price p, q;
        more.piece_time_s += any(1000);
        more.piece_mg += any(10000);
        CHECK_OK(price_item(&p, &item, &err));
        CHECK_OK(price_item(&q, &more, &err));
        CHECK(q.total_minor >= p.total_minor);
    }
}

static void test_price__discounts_still_discount(void)
{
    struct price_item item = usual();
    struct price p, q;
    item.quantity = 40;
    CHECK_OK(price_item(&p, &item, &err));
    item.formula.discounts[0] = (struct price_discount){20, 100};
    item.formula.discount_count = 1;
    CHECK_OK(price_item(&q, &item, &err));
    CHECK(price_line(&q, "discount") == -((p.total_minor * 100 + 500) / 1000));
    CHECK(q.total_minor == p.total_minor + price_line(&q, "discount"));
}

/* Each is the least that ends so and is not below. */
static void test_price__rounds_up_to_the_next_charming_figure(void)
{
    struct price_item item = {.quantity = 1, .formula = {.round_up_minor = 100, .charm_minor = 90}};
    static const int64_t cases[][2] = {{1, 90},      {90, 90},     {91, 190},
                                       {1290, 1290}, {1291, 1390}, {0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct price p;
        item.generation_minor = cases[i][0];
        CHECK_OK(price_item(&p, &item, &err));
        if (p.total_minor != cases[i][1])
            TEST_GIVE_UP("%lld became %lld", (long long)cases[i][0], (long long)p.total_minor);
    }
}

static void test_price__rounds_half_up(void)
{
    int64_t out;
    CHECK_OK(price_share(&out, 1, 1, 2, &err));
    CHECK(out == 1);
    CHECK_OK(price_share(&out, 49, 1, 100, &err));
    CHECK(out == 0);
    CHECK_OK(price_share(&out, 3, 1, 2, &err));
    CHECK(out == 2);
    CHECK_OK(price_share(&out, 3000000000, 3000000, 1000, &err)); /* the product is past 64 bits */
    CHECK(out == 9000000000000);
}

static void test_price__refuses_what_would_overflow(void)
{
    struct price_item item = usual();
    struct price p;
    item.piece_time_s = PRICE_MINOR_MOST / 8;
    item.quantity = 1000;
    CHECK_FAILS(price_item(&p, &item, &err), ERR_LIMIT);
    CHECK_TEXT(err.code, "price_overflow");
    item = usual();
    item.piece_mg = INT64_MAX;
    CHECK_FAILS(price_item(&p, &item, &err), ERR_LIMIT);
    item = usual();
    item.quantity = 0;
    CHECK_FAILS(price_item(&p, &item, &err), ERR_INPUT);
    item = usual();
    item.rates.failed_permille = 1000; /* would never be done */
    CHECK_FAILS(price_item(&p, &item, &err), ERR_INPUT);
    item.rates.failed_permille = -1;
    CHECK_FAILS(price_item(&p, &item, &err), ERR_INPUT);
}

static void test_price__reads_its_formula_from_data(void)
{
    struct price_formula f;
    const char *text = "{\"margin_percent\":37.5,\"round_up_to_minor\":100,\"charm_minor\":90,"
                       "\"discounts\":[{\"from\":5,\"percent\":5},{\"from\":20,\"percent\":12}]}";
    cJSON *json;
    CHECK_OK(json_parse(&json, text, strlen(text), &err));
    CHECK_OK(price_formula_read(&f, json, &err));
    CHECK(f.margin_permille == 375 && f.discount_count == 2 && f.discounts[1].from == 20);
    cJSON_ReplaceItemInObject(json, "charm_minor", cJSON_CreateNumber(100));
    CHECK_FAILS(price_formula_read(&f, json, &err), ERR_INPUT);
    cJSON_ReplaceItemInObject(json, "charm_minor", cJSON_CreateNumber(0));
    cJSON_ReplaceItemInObject(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "discounts"), 1), "from",
                              cJSON_CreateNumber(5));
    CHECK_FAILS(price_formula_read(&f, json, &err), ERR_INPUT);
    cJSON_Delete(json);
    CHECK_OK(price_formula_read(&f, NULL, &err));
    CHECK(f.margin_permille == 0 && f.discount_count == 0);
}

static void test_price__is_written_as_people_write_it(void)
{
    char text[32];
    price_text(text, 1290, 2);
    CHECK_TEXT(text, "12.90");
    price_text(text, -5, 2);
    CHECK_TEXT(text, "-0.05");
    price_text(text, 1290, 0);
    CHECK_TEXT(text, "1290");
    price_text(text, 1290, 3);
    CHECK_TEXT(text, "1.290");
}

/* A printer's and a material's own word goes before costs.json, that before its row for any. */
static void test_costs__are_the_nearest_that_are_known(void)
{
    const char *text = "{\"machine_hour_minor\":77,\"power_w\":88}";
    struct printer_profile printer = {.id = "ender3v3se", .settings = cJSON_CreateObject()};
    struct material_profile material = {.id = "silk", .settings = cJSON_CreateObject()};
    struct price_rates r;
    cJSON *costs, *own;
    CHECK_OK(costs_read(&costs, NULL, &err));
    costs_rates(&r, costs, &printer, &material);
    CHECK(r.machine_hour ==
          (int64_t)json_number(json_get(costs, "printer"), "machine_hour_minor", -1));
    CHECK(r.material_kg ==
          (int64_t)json_number(json_get(costs, "material"), "price_minor_per_kg", -1));
    cJSON *row = cJSON_AddObjectToObject(cJSON_AddObjectToObject(costs, "printers"), "ender3v3se");
    cJSON_AddNumberToObject(row, "machine_hour_minor", 55);
    costs_rates(&r, costs, &printer, &material);
    CHECK(r.machine_hour == 55);
    CHECK_OK(json_parse(&own, text, strlen(text), &err));
    cJSON_AddItemToObject(printer.settings, "cost", own);
    cJSON_AddNumberToObject(material.settings, "price_minor_per_kg", 4321);
    costs_rates(&r, costs, &printer, &material);
    CHECK(r.machine_hour == 77 && r.power_w == 88 && r.material_kg == 4321);
    costs_rates(&r, costs, NULL, NULL);
    CHECK(r.power_w == (int64_t)json_number(json_get(costs, "printer"), "power_w", -1));
    cJSON_Delete(costs);
    cJSON_Delete(printer.settings);
    cJSON_Delete(material.settings);
}

/* Nothing is left behind that a caller would free again. */
static void test_costs__of_a_file_that_is_wrong_are_none(void)
{
    char folder[] = "/tmp/statuette-costs-XXXXXX", path[80];
    cJSON *costs = (cJSON *)folder;
    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/costs.json", folder);
    CHECK_OK(file_write(path, "{\"currency\":\"euro\"}", 19, &err));
    CHECK_FAILS(costs_read(&costs, folder, &err), ERR_INPUT);
    CHECK(costs == NULL);
    costs = (cJSON *)folder;
    CHECK_OK(file_write(path, "{", 1, &err));
    CHECK_FAILS(costs_read(&costs, folder, &err), ERR_INPUT);
    CHECK(costs == NULL);
    folder_remove(folder);
}

TESTS(TEST(test_price__adds_up_by_hand), TEST(test_price__is_the_sum_of_its_lines),
      TEST(test_price__never_falls_as_more_is_ordered),
      TEST(test_price__never_falls_as_it_takes_longer_or_weighs_more),
      TEST(test_price__discounts_still_discount),
      TEST(test_price__rounds_up_to_the_next_charming_figure), TEST(test_price__rounds_half_up),
      TEST(test_price__refuses_what_would_overflow), TEST(test_price__reads_its_formula_from_data),
      TEST(test_price__is_written_as_people_write_it),
      TEST(test_costs__are_the_nearest_that_are_known),
      TEST(test_costs__of_a_file_that_is_wrong_are_none))
