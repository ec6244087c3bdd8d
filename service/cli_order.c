/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette order add|model|show|list|export|cancel|import`. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/cli.h"
#include "service/cli_client.h"

static void print_item(const cJSON *item)
{
    const cJSON *problem = json_get(item, "problem");
    printf("  %s  %-12s %s  %.0f of %.0f good\n", json_text(item, "id", ""),
           json_text(item, "state", ""), json_text(item, "template", ""),
           json_number(item, "good", 0), json_number(item, "wanted", 0));
    if (cJSON_IsObject(problem))
        printf("    %s%s%s\n", cli_colour(1, "yellow"), json_text(problem, "message", ""),
               cli_colour(1, "off"));
    const cJSON *run;
    cJSON_ArrayForEach (run, json_get(item, "runs"))
        printf("    run %s  %-10s %3.0f %%  part %s\n", json_text(run, "id", ""),
               json_text(run, "state", ""), json_number(run, "progress", 0) * 100,
               json_text(run, "part_code", ""));
}

/* In minor units: an order's document does not say how many digits its currency has. */
static void print_cost(const cJSON *order)
{
    const cJSON *cost = json_get(order, "cost"), *price = json_get(order, "price_minor");
    printf("  cost so far %.0f", json_number(cost, "total_minor", 0));
    if (cJSON_IsNumber(price))
        printf(", price %.0f", price->valuedouble);
    printf(" (%s, minor units)\n", json_text(cost, "currency", ""));
}

static void print_order(const cJSON *order)
{
    const cJSON *item;
    printf("%s%s%s  %s\n", cli_colour(1, "bold"), json_text(order, "id", ""), cli_colour(1, "off"),
           json_text(order, "stage", ""));
    if (json_get(order, "cost"))
        print_cost(order);
    cJSON_ArrayForEach (item, json_get(order, "items"))
        print_item(item);
}

static int send_order(cJSON **answer, const cJSON *order, const char *const *paths, int count,
                      const char *model, const char *key, struct err *err)
{
    struct bytes body = {0};
    char type[120], fresh[ID_ROOM];
    id_new(fresh, "key");
    struct api_call call = {.method = "POST",
                            .path = "/v1/orders",
                            .raw = &body,
                            .content_type = type,
                            .key = key ? key : fresh};
    int failed = api_order_body(&body, type, order, paths, count, model, err) ||
                 api_send(answer, &call, err);
    bytes_free(&body);
    return failed ? -1 : 0;
}

static int build_item(cJSON *item, const struct cli *cli, struct err *err)
{
    double quantity, height;
    const char *style = cli_text(cli, "--style", NULL), *name = cli_text(cli, "--name", NULL);
    const char *object = cli_text(cli, "--object", NULL);
    if (cli_number(&quantity, cli, "--quantity", 1, 1, 100, err) ||
        cli_number(&height, cli, "--height", 0, 1, 1000, err))
        return -1;
    cJSON_AddStringToObject(item, "template", cli_text(cli, "--template", "figure-80"));
    cJSON_AddNumberToObject(item, "quantity", quantity);
    cJSON *photos = cJSON_AddArrayToObject(item, "photos");
    for (int i = 0; i < cli->word_count; i++) {
        char part[24];
        snprintf(part, sizeof part, "photo%d", i + 1);
        cJSON_AddItemToArray(photos, cJSON_CreateString(part));
    }
    if (height > 0)
        cJSON_AddNumberToObject(item, "height_mm", height);
    if (style)
        cJSON_AddStringToObject(item, "style", style);
    if (name)
        cJSON_AddStringToObject(item, "name", name);
    if (object)
        cJSON_AddStringToObject(item, "object", object);
    return 0;
}

int cli_order_add(const struct cli *cli, struct err *err)
{
    cJSON *order = cJSON_CreateObject(), *answer = NULL;
    const char *external = cli_text(cli, "--external-id", NULL);
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(order, "items"), item);
    if (external)
        cJSON_AddStringToObject(order, "external_id", external);
    if (cli_flag(cli, "--quote"))
        cJSON_AddStringToObject(order, "quote_id", cli_text(cli, "--quote", ""));
    api_add_consent(order, cli_text(cli, "--photo-class", "object"));
    int code = build_item(item, cli, err) ||
               send_order(&answer, order, cli->words, cli->word_count,
                          cli_text(cli, "--model", NULL), cli_text(cli, "--key", external), err);
    cJSON_Delete(order);
    return code ? -1 : cli_tell(cli, answer, print_order, err);
}

int cli_order_model(const struct cli *cli, struct err *err)
{
    char path[256], type[120], fresh[ID_ROOM];
    struct bytes body = {0};
    cJSON *answer = NULL;
    id_new(fresh, "key");
    struct api_call call = {.method = "POST",
                            .path = path,
                            .raw = &body,
                            .content_type = type,
                            .key = cli_text(cli, "--key", fresh)};
    int code = api_path(path, "/v1/items/", cli->words[0], "/model", err) ||
               api_order_body(&body, type, NULL, NULL, 0, cli->words[1], err) ||
               api_send(&answer, &call, err);
    bytes_free(&body);
    return code ? -1 : cli_tell(cli, answer, print_item, err);
}

int cli_order_show(const struct cli *cli, struct err *err)
{
    char path[256];
    cJSON *answer;
    struct api_call call = {.method = "GET", .path = path};
    if (api_path(path, "/v1/orders/", cli->words[0], "", err) || api_send(&answer, &call, err))
        return -1;
    return cli_tell(cli, answer, print_order, err);
}

static void print_list(const cJSON *answer)
{
    const cJSON *order;
    cJSON_ArrayForEach (order, json_get(answer, "orders"))
        printf("%s  %-16s %s\n", json_text(order, "id", ""), json_text(order, "stage", ""),
               json_text(order, "created_at", ""));
}

int cli_order_list(const struct cli *cli, struct err *err)
{
    char path[64];
    double limit;
    cJSON *answer;
    struct api_call call = {.method = "GET", .path = path};
    if (cli_number(&limit, cli, "--limit", 20, 1, 200, err))
        return -1;
    snprintf(path, sizeof path, "/v1/orders?limit=%d", (int)limit);
    return api_send(&answer, &call, err) ? -1 : cli_tell(cli, answer, print_list, err);
}

int cli_order_cancel(const struct cli *cli, struct err *err)
{
    char path[256];
    cJSON *answer, *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "reason", cli_text(cli, "--reason", ""));
    struct api_call call = {.method = "POST", .path = path, .body = body};
    int code = api_path(path, "/v1/orders/", cli->words[0], "/cancel", err) ||
               api_send(&answer, &call, err);
    cJSON_Delete(body);
    return code ? -1 : cli_tell(cli, answer, print_order, err);
}

static int export_item(const struct cli *cli, const cJSON *item, const char *folder,
                       struct err *err)
{
    const cJSON *artifacts = json_get(item, "artifacts"), *artifact;
    double done = 0, count = cJSON_GetArraySize(artifacts);
    if (folder_make(folder, err))
        return -1;
    cJSON_ArrayForEach (artifact, artifacts) {
        if (api_save_artifact(artifact, folder, err))
            return -1;
        cli_progress(cli, "exporting", ++done / count);
    }
    return 0;
}

int cli_order_export(const struct cli *cli, struct err *err)
{
    char path[256], folder[1200];
    const char *out = cli_text(cli, "-o", NULL);
    cJSON *order = NULL;
    const cJSON *item;
    struct api_call call = {.method = "GET", .path = path};
    if (!out)
        return FAIL_CODE(err, ERR_INPUT, "usage", "order export needs -o DIR");
    int code =
        api_path(path, "/v1/orders/", cli->words[0], "", err) || api_send(&order, &call, err);
    const cJSON *items = json_get(order, "items");
    int number = 0, many = cJSON_GetArraySize(items) > 1;
    if (!code)
        cJSON_ArrayForEach (item, items) {
            snprintf(folder, sizeof folder, many ? "%s/item_%03d" : "%s", out, ++number);
            code = export_item(cli, item, folder, err);
            if (code)
                break;
        }
    if (!code) {
        struct bytes text = {0};
        snprintf(folder, sizeof folder, "%s/order.json", out);
        code = json_print(&text, order, true, err) || file_write(folder, text.data, text.len, err);
        bytes_free(&text);
    }
    if (!code && cli->json)
        code = cli_print_json(order, err);
    cJSON_Delete(order);
    return code ? -1 : 0;
}

/* Photos of a batch are paths beside the file; as parts they are photo1, photo2, ... */
static int import_one(cJSON **answer, cJSON *order, const char *folder, struct err *err)
{
    char store[16][1200];
    const char *paths[16];
    int count = 0;
    const char *key = json_text(order, "external_id", NULL);
    const cJSON *item;
    if (!key)
        return FAIL_CODE(err, ERR_INPUT, "external_id_missing", "an order has no external_id");
    cJSON_ArrayForEach (item, json_get(order, "items")) {
        cJSON *photos = cJSON_GetObjectItemCaseSensitive(item, "photos");
        for (int i = 0; i < cJSON_GetArraySize(photos); i++) {
            const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(photos, i));
            char part[24];
            if (!name || count == 16)
                return FAIL_CODE(err, ERR_INPUT, "photo_missing", "order %.40s: %s", key,
                                 name ? "more than 16 photos" : "a photo is no path");
            snprintf(store[count], sizeof store[count], *name == '/' ? "%.0s%s" : "%s/%s", folder,
                     name);
            paths[count] = store[count];
            snprintf(part, sizeof part, "photo%d", ++count);
            cJSON_ReplaceItemInArray(photos, i, cJSON_CreateString(part));
        }
    }
    return send_order(answer, order, paths, count, NULL, key, err);
}

int cli_order_import(const struct cli *cli, struct err *err)
{
    cJSON *batch, *order, *answer, *answers = cJSON_CreateArray();
    char copy[1200];
    snprintf(copy, sizeof copy, "%s", cli->words[0]);
    const char *folder = dirname(copy);
    if (json_read_file(&batch, cli->words[0], err)) {
        cJSON_Delete(answers);
        return -1;
    }
    int code = cJSON_IsArray(batch) ? 0
                                    : FAIL_CODE(err, ERR_INPUT, "json_invalid",
                                                "%.100s is no array of orders", cli->words[0]);
    double done = 0, count = cJSON_GetArraySize(batch);
    if (!code)
        cJSON_ArrayForEach (order, batch) {
            if ((code = import_one(&answer, order, folder, err)))
                break;
            if (!cli->json)
                print_order(answer);
            cJSON_AddItemToArray(answers, answer);
            cli_progress(cli, "importing", ++done / count);
        }
    if (!code && cli->json)
        code = cli_print_json(answers, err);
    cJSON_Delete(batch);
    cJSON_Delete(answers);
    return code;
}
