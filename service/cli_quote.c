/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette quote`: made here, without a service, from templates, profiles, costs and estimates;
 * or by the service, which keeps it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "intake/order_form.h"
#include "print/slice/slice.h"
#include "service/cli_client.h"
#include "service/cli_files.h"
#include "service/quote.h"

/* --- showing -----------------------------------------------------------------------------------
 */

static void print_duration(const char *before, double seconds)
{
    int minutes = (int)(seconds / 60 + 0.5);
    if (minutes >= 60)
        printf("%s%d h %02d min", before, minutes / 60, minutes % 60);
    else
        printf("%s%d min", before, minutes);
}

static void print_money(const char *name, const cJSON *object, const char *member, int digits)
{
    char text[32];
    price_text(text, (int64_t)json_number(object, member, 0), digits);
    printf("  %-22s %12s\n", name, text);
}

static void print_estimate(const cJSON *item)
{
    const cJSON *e = json_get(item, "estimate"), *time = json_get(e, "time_s");
    const cJSON *grams = json_get(e, "grams"), *correction = json_get(item, "correction");
    print_duration("  a piece takes ", json_number(time, "p50", 0));
    print_duration(" (nine of ten under ", json_number(time, "p90", 0));
    printf("), %.1f g (%.1f g), of it %.1f g support\n", json_number(grams, "p50", 0),
           json_number(grams, "p90", 0), json_number(e, "support_g", 0));
    printf("  by %s\n", json_text(json_get(item, "based_on"), "text", ""));
    if (json_number(correction, "samples", 0) > 0)
        printf("  corrected by %.0f earlier items: time x %.2f, grams x %.2f\n",
               json_number(correction, "samples", 0), json_number(correction, "time", 1),
               json_number(correction, "grams", 1));
}

static void print_generation(const cJSON *item)
{
    const cJSON *one, *generation = json_get(item, "generation");
    cJSON_ArrayForEach (one, json_get(generation, "providers"))
        printf("  model by %s: %.0f x %g %s, %g rounds%s%s\n", json_text(one, "id", ""),
               json_number(one, "candidates", 1), json_number(one, "credits", 0),
               json_text(one, "unit", "credit"), json_number(generation, "rounds", 1),
               json_bool(one, "set_up", true) ? "" : "; it is not set up",
               json_bool(one, "needs_consent", false) ? "; it needs the customer's consent" : "");
}

static void print_item(const cJSON *item, int digits)
{
    const cJSON *line;
    printf("%s%s%s, %g mm, %.0f of %s on %s (%s)\n", cli_colour(1, "bold"),
           json_text(item, "template", ""), cli_colour(1, "off"), json_number(item, "height_mm", 0),
           json_number(item, "quantity", 1), json_text(item, "material", ""),
           json_text(item, "printer", ""), json_text(item, "process", ""));
    print_estimate(item);
    print_generation(item);
    cJSON_ArrayForEach (line, json_get(item, "lines"))
        print_money(json_text(line, "code", ""), line, "minor", digits);
    print_money("price", item, "price_minor", digits);
    if (json_number(item, "quantity", 1) > 1)
        print_money("  each", item, "price_each_minor", digits);
}

static void print_actual(const cJSON *actual, int digits)
{
    const cJSON *item, *line;
    char minor[32], said[32], difference[32];
    cJSON_ArrayForEach (item, json_get(actual, "items")) {
        printf("%s so far: %.0f good, %.0f lost\n", json_text(item, "item_id", ""),
               json_number(item, "good", 0), json_number(item, "lost", 0));
        cJSON_ArrayForEach (line, json_get(item, "lines")) {
            price_text(minor, (int64_t)json_number(line, "minor", 0), digits);
            price_text(said, (int64_t)json_number(line, "estimated_minor", 0), digits);
            price_text(difference, (int64_t)json_number(line, "difference_minor", 0), digits);
            printf("  %-22s %12s of %s (%s)\n", json_text(line, "code", ""), minor, said,
                   difference);
        }
    }
}

static void print_quote(const cJSON *quote)
{
    const cJSON *one;
    int digits = (int)json_number(quote, "minor_digits", 2);
    if (json_text(quote, "id", NULL))
        printf("%s\n", json_text(quote, "id", ""));
    cJSON_ArrayForEach (one, json_get(quote, "items"))
        print_item(one, digits);
    printf("in all\n");
    cJSON_ArrayForEach (one, json_get(quote, "lines"))
        if (json_number(one, "minor", 0) != 0)
            print_money(json_text(one, "code", ""), one, "minor", digits);
    print_money("total", quote, "total_minor", digits);
    printf("  in %s, valid until %.10s\n", json_text(quote, "currency", ""),
           json_text(quote, "valid_until", ""));
    if (json_get(quote, "actual"))
        print_actual(json_get(quote, "actual"), digits);
}

/* --- a model or a photo that is there ----------------------------------------------------------
 */

static void copy_members(cJSON *to, const cJSON *from)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, from)
        if (!json_get(to, one->string))
            cJSON_AddItemToObject(to, one->string, cJSON_Duplicate(one, true));
}

static void new_options(struct file_work *work)
{
    cJSON_Delete(work->options);
    cJSON_Delete(work->result);
    work->result = NULL;
    work->options = cJSON_CreateObject();
}

/* The built-in maker makes its figure of the photo: it is the work folder's model then. */
static int make_relief(struct file_work *work, const cJSON *item, struct err *err)
{
    char from[800], to[800], model[800];
    bool plate = strcmp(json_text(item, "style", ""), "lithophane") == 0;
    snprintf(from, sizeof from, "%s/%s.png", work->folder, plate ? "normal" : "cutout");
    snprintf(to, sizeof to, "%s/in.png", work->folder);
    snprintf(model, sizeof model, "%s/model.stl", work->folder);
    if (rename(from, to))
        return FAIL_ERRNO(err, "%s", from);
    new_options(work);
    cJSON_AddStringToObject(work->options, "style", json_text(item, "style", "figure"));
    cJSON_AddNumberToObject(work->options, "height_mm", json_number(item, "height_mm", 80));
    if (file_work_run(work, "relief", err))
        return -1;
    new_options(work);
    cJSON_AddStringToObject(work->options, "input", model);
    cJSON_AddStringToObject(work->options, "name", "model.stl");
    return 0;
}

/* What others make of a photo is as wide as the subject on it. */
static void take_aspect(cJSON *item, const cJSON *result)
{
    const cJSON *photo = json_get(json_get(result, "report"), "photo");
    double width = json_number(photo, "subject_width", 0);
    double height = json_number(photo, "subject_height", 0);
    if (width > 0 && height > 0)
        cJSON_AddNumberToObject(item, "aspect", width / height);
}

/* Prepares the model as an order would, for its measures. */
static int prepare(struct file_work *work, cJSON *item, const cJSON *product, struct err *err)
{
    static const char *const members[] = {"volume_mm3", "area_mm2", "support_mm3",
                                          "contact_area_mm2"};
    cJSON *o = work->options;
    copy_members(o, json_get(product, "print"));
    cJSON_AddNumberToObject(o, "height_mm", json_number(item, "height_mm", 80));
    cJSON_AddStringToObject(o, "printer",
                            json_text(item, "printer", json_text(product, "printer_class", "")));
    cJSON_AddStringToObject(o, "material", json_text(item, "material", "pla"));
    cJSON_AddTrueToObject(o, "stl");
    if (file_work_run(work, "prep", err))
        return -1;
    const cJSON *output = json_get(work->result, "output");
    if (json_number(output, "volume_mm3", 0) <= 0)
        return FAIL_CODE(err, ERR_INPUT, "mesh_rejected",
                         "the model cannot be printed; `statuette mesh inspect` says why");
    cJSON *shape = cJSON_AddObjectToObject(item, "shape");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        cJSON_AddNumberToObject(shape, members[i], json_number(output, members[i], 0));
    return 0;
}

static void on_progress(void *user, double share)
{
    cli_progress(user, "slicing", share < 1 ? share : 0.99);
}

static int slice_it(const struct cli *cli, const struct file_work *work, cJSON *item,
                    const cJSON *product, const char *config_folder, struct err *err)
{
    char model[800], gcode[800];
    struct profile profile = {0};
    struct slice_result result;
    snprintf(model, sizeof model, "%s/out.stl", work->folder);
    snprintf(gcode, sizeof gcode, "%s/out.gcode", work->folder);
    if (profile_load(
            &profile, config_folder,
            json_text(item, "printer", json_text(product, "printer_class", "")),
            json_text(item, "material", "pla"),
            json_text(item, "process", json_text(json_get(product, "process"), "default", NULL)),
            err))
        return -1;
    const struct slice_object object = {.path = model};
    struct slice_options options = {.objects = &object,
                                    .object_count = 1,
                                    .out_path = gcode,
                                    .work_folder = work->folder,
                                    .profile = &profile,
                                    .on_progress = on_progress,
                                    .user = (void *)cli};
    int failed = slice_run(&result, &options, err);
    profile_free(&profile);
    if (failed)
        return -1;
    cli_progress(cli, "sliced", 1);
    cJSON *slice = cJSON_AddObjectToObject(item, "slice");
    cJSON_AddNumberToObject(slice, "time_s", result.print_time_s);
    cJSON_AddNumberToObject(slice, "grams", result.filament_g);
    cJSON_AddNumberToObject(slice, "layers", result.layer_count);
    return 0;
}

static bool made_here(const cJSON *product)
{
    const cJSON *first = cJSON_GetArrayItem(json_get(json_get(product, "provider"), "route"), 0);
    return cJSON_IsString(first) && strcmp(first->valuestring, "relief") == 0;
}

static int look_at_model(const struct cli *cli, struct file_work *work, cJSON *item,
                         const cJSON *product, const char *config_folder, struct err *err)
{
    if (prepare(work, item, product, err))
        return -1;
    return cli_flag(cli, "--slice") ? slice_it(cli, work, item, product, config_folder, err) : 0;
}

static int look_at_photo(const struct cli *cli, struct file_work *work, cJSON *item,
                         const cJSON *product, const char *config_folder, struct err *err)
{
    if (file_work_run(work, "photo", err))
        return -1;
    if (made_here(product))
        return make_relief(work, item, err) ||
                       look_at_model(cli, work, item, product, config_folder, err)
                   ? -1
                   : 0;
    take_aspect(item, work->result);
    return cli_flag(cli, "--slice")
               ? FAIL_CODE(err, ERR_INPUT, "usage",
                           "--slice needs --model: %s is made by others than the built-in maker",
                           json_text(item, "template", ""))
               : 0;
}

/* --model and --photo: measured instead of guessed. */
static int look_at_file(const struct cli *cli, cJSON *item, const char *config_folder,
                        struct err *err)
{
    const char *model = cli_text(cli, "--model", NULL), *photo = cli_text(cli, "--photo", NULL);
    struct file_work work;
    cJSON *product = NULL;
    if (model && photo)
        return FAIL_CODE(err, ERR_INPUT, "usage", "give --model or --photo, not both");
    if (!model && !photo)
        return cli_flag(cli, "--slice")
                   ? FAIL_CODE(err, ERR_INPUT, "usage", "--slice needs --model or --photo")
                   : 0;
    if (template_load(&product, config_folder, json_text(item, "template", ""), err))
        return -1;
    int failed = file_work_open(&work, model ? model : photo, err);
    if (!failed) {
        failed = model ? look_at_model(cli, &work, item, product, config_folder, err)
                       : look_at_photo(cli, &work, item, product, config_folder, err);
        file_work_close(&work);
    }
    cJSON_Delete(product);
    return failed ? -1 : 0;
}

/* --- asking ------------------------------------------------------------------------------------
 */

static int build_form(cJSON *form, const struct cli *cli, struct err *err)
{
    static const char *const texts[] = {"style", "material"};
    double quantity, height;
    if (cli_number(&quantity, cli, "--quantity", 1, 1, 100, err) ||
        cli_number(&height, cli, "--height", 0, 1, 1000, err))
        return -1;
    cJSON_AddStringToObject(form, "photo_class", cli_text(cli, "--photo-class", "object"));
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(form, "items"), item);
    cJSON_AddStringToObject(item, "template", cli_text(cli, "--template", "figure-80"));
    cJSON_AddNumberToObject(item, "quantity", quantity);
    if (height > 0)
        cJSON_AddNumberToObject(item, "height_mm", height);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char option[20];
        snprintf(option, sizeof option, "--%s", texts[i]);
        if (cli_flag(cli, option))
            cJSON_AddStringToObject(item, texts[i], cli_text(cli, option, ""));
    }
    return 0;
}

/* Checks and completes the form as the service would; then what only a person here may say. */
static int complete(cJSON **form, const struct cli *cli, const char *config_folder, struct err *err)
{
    struct bytes text = {0};
    cJSON *asked = cJSON_CreateObject();
    int failed = build_form(asked, cli, err) || json_print(&text, asked, false, err) ||
                 quote_form_read(form, text.data, text.len, config_folder, err);
    cJSON_Delete(asked);
    bytes_free(&text);
    if (failed)
        return -1;
    cJSON *item = cJSON_GetObjectItemCaseSensitive(*form, "items")->child;
    if (cli_flag(cli, "--printer"))
        cJSON_AddStringToObject(item, "printer", cli_text(cli, "--printer", ""));
    if (cli_flag(cli, "--process")) {
        cJSON_DeleteItemFromObjectCaseSensitive(item, "process"); /* the template's own */
        cJSON_AddStringToObject(item, "process", cli_text(cli, "--process", ""));
    }
    return look_at_file(cli, item, config_folder, err);
}

static int quote_here(const struct cli *cli, struct err *err)
{
    struct settings settings;
    cJSON *form = NULL, *quote = NULL;
    if (settings_load(&settings, err))
        return -1;
    const char *folder = *settings.config_folder ? settings.config_folder : NULL;
    const struct quote_shop shop = {.settings = &settings};
    int failed = complete(&form, cli, folder, err) || quote_make(&quote, form, &shop, err);
    cJSON_Delete(form);
    return failed ? -1 : cli_tell(cli, quote, print_quote, err);
}

/* What the service does not know of an order's item, it cannot bind a price to. */
static int quote_there(const struct cli *cli, struct err *err)
{
    static const char *const local[] = {"--printer", "--model", "--photo", "--slice"};
    char key[ID_ROOM];
    cJSON *form, *answer = NULL;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (cli_flag(cli, local[i]))
            return FAIL_CODE(err, ERR_INPUT, "usage",
                             "--save keeps what the service can hold an order against: not with %s",
                             local[i]);
    id_new(key, "key");
    form = cJSON_CreateObject();
    struct api_call call = {.method = "POST", .path = "/v1/quotes", .body = form, .key = key};
    int failed = build_form(form, cli, err);
    if (!failed && cli_flag(cli, "--process"))
        cJSON_AddStringToObject(json_get(form, "items")->child, "process",
                                cli_text(cli, "--process", ""));
    failed = failed || api_send(&answer, &call, err);
    cJSON_Delete(form);
    return failed ? -1 : cli_tell(cli, answer, print_quote, err);
}

int cli_quote(const struct cli *cli, struct err *err)
{
    return cli_flag(cli, "--save") ? quote_there(cli, err) : quote_here(cli, err);
}

int cli_quote_show(const struct cli *cli, struct err *err)
{
    char path[256];
    cJSON *answer;
    struct api_call call = {.method = "GET", .path = path};
    if (api_path(path, "/v1/quotes/", cli->words[0], "", err) || api_send(&answer, &call, err))
        return -1;
    return cli_tell(cli, answer, print_quote, err);
}

/* --- how good they were ------------------------------------------------------------------------
 */

static void print_accuracy(const cJSON *answer)
{
    const cJSON *one;
    if (cJSON_GetArraySize(json_get(answer, "groups")) == 0)
        puts("no order that rests on a quote has been made yet");
    cJSON_ArrayForEach (one, json_get(answer, "groups")) {
        const cJSON *c = json_get(one, "correction");
        printf("%-20s %-7s %-14s %3.0f items  time x %.2f (sliced x %.2f), grams x %.2f",
               json_text(one, "template", ""), json_text(one, "photo_class", ""),
               json_text(one, "printer", ""), json_number(one, "samples", 0),
               json_number(one, "time_ratio", 0), json_number(one, "slice_time_ratio", 0),
               json_number(one, "grams_ratio", 0));
        if (cJSON_IsObject(c))
            printf("; new quotes: time x %.2f, grams x %.2f", json_number(c, "time", 1),
                   json_number(c, "grams", 1));
        putchar('\n');
    }
}

int cli_quote_accuracy(const struct cli *cli, struct err *err)
{
    char path[64];
    double last;
    cJSON *answer = NULL;
    bool settle = strcmp(cli->command->name, "quote settle") == 0;
    struct api_call call = {.method = settle ? "POST" : "GET", .path = path};
    if (cli_number(&last, cli, "--last", 200, 1, 10000, err))
        return -1;
    snprintf(path, sizeof path, "/v1/quotes/accuracy?last=%.0f", last);
    return api_send(&answer, &call, err) ? -1 : cli_tell(cli, answer, print_accuracy, err);
}
