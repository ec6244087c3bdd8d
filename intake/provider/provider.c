/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of providers, the names of their states, and who may see whose photo; provider.h. */
#include "intake/provider/provider.h"

#include <stdlib.h>
#include <string.h>

#include "intake/provider/drivers.h"

static const struct provider_driver relief = {
    .id = "relief",
    .summary = "built in: shapes a figure or a plate from the photo's outline and shading",
    .local = true,
    .pace = {.max_in_flight = 2},
};

static const struct provider_driver upload = {
    .id = "upload",
    .summary =
        "the customer's or the shop's own GLB, OBJ, STL, 3MF or PLY, where a made one would be",
    .local = true,
    .takes_model = true,
    .pace = {.max_in_flight = 2},
};

static const struct provider_driver *const table[] = {&relief,
                                                      &upload,
                                                      &provider_hunyuan3d2,
                                                      &provider_tripo,
                                                      &provider_hunyuan3d21,
                                                      &provider_trellis,
                                                      &provider_3daistudio,
                                                      &provider_meshy,
                                                      &provider_rodin,
                                                      &provider_stability,
                                                      &provider_fal,
                                                      &provider_replicate,
                                                      NULL};

const struct provider_driver *provider_at(size_t i)
{
    for (size_t row = 0; table[row]; row++)
        if (row == i)
            return table[row];
    return NULL;
}

const struct provider_driver *provider_find(const char *id)
{
    for (size_t row = 0; table[row]; row++)
        if (strcmp(table[row]->id, id) == 0)
            return table[row];
    return NULL;
}

const char *task_state_name(enum task_state state)
{
    static const char *const names[] = {"queued",   "running", "succeeded", "failed",
                                        "rejected", "expired", "cancelled", "unknown"};
    return (size_t)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

const char *provider_error_name(enum provider_error error)
{
    static const char *const names[] = {"ok",          "auth",        "credits",   "rate",
                                        "concurrency", "content",     "bad_input", "not_found",
                                        "server",      "url_expired", "protocol"};
    return (size_t)error < sizeof names / sizeof *names ? names[error] : "protocol";
}

const char *provider_retry_name(enum provider_retry retry)
{
    static const char *const names[] = {"no", "yes", "once", "new_task", "reconcile", "operator"};
    return (size_t)retry < sizeof names / sizeof *names ? names[retry] : "operator";
}

static bool is_named(const cJSON *list, const char *id)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, list)
        if (cJSON_IsString(one) && strcmp(one->valuestring, id) == 0)
            return true;
    return false;
}

bool provider_may_receive(const struct provider_driver *driver, const char *photo_class,
                          const cJSON *consent)
{
    const cJSON *list = json_get(consent, "may_send_to");
    if (driver->local || driver->self_hosted)
        return true;
    if (!photo_class)
        photo_class = "child";
    if (strcmp(photo_class, "pet") == 0 || strcmp(photo_class, "object") == 0)
        return !list || is_named(list, driver->id);
    if (!is_named(list, driver->id))
        return false;
    return strcmp(photo_class, "adult") == 0 || json_bool(consent, "guardian", false);
}

void provider_reading_free(struct provider_reading *reading)
{
    if (!reading)
        return;
    for (size_t i = 0; i < reading->many_count; i++)
        provider_reading_free(&reading->many[i]);
    for (size_t i = 0; i < reading->file_count; i++)
        free(reading->files[i].url);
    free(reading->many);
    free(reading->files);
    free(reading->aux);
    free(reading->token);
    cJSON_Delete(reading->keys);
    bytes_free(&reading->model);
    *reading = (struct provider_reading){0};
}

void provider_push_free(struct provider_push *push)
{
    if (push)
        provider_reading_free(&push->reading);
}
