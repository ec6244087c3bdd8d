/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who would make the model of a figure, and what that costs; see quote.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "intake/provider/route.h"
#include "service/provider_rules.h"
#include "service/quote.h"

#define USABLE_MOST 8

/* One provider of the route that makes such models. */
struct usable {
    const struct provider_driver *driver;
    double credits, cents; /* of one candidate; of one unit */
    char unit[24];
    bool on, allowed;
};

static unsigned sources_of(const cJSON *product)
{
    const cJSON *provider = json_get(product, "provider"), *one;
    unsigned sources = json_number(json_get(product, "photos"), "max", 1) > 0 ? FROM_PHOTO : 0;
    if (*json_text(provider, "prompt", ""))
        sources |= FROM_TEXT;
    cJSON_ArrayForEach (one, json_get(provider, "route"))
        if (cJSON_IsString(one) && strcmp(one->valuestring, "upload") == 0)
            sources |= FROM_MODEL;
    return sources;
}

/* What one candidate is reserved at: as the round asks for it, of one photo. */
static cJSON *spec_of(const cJSON *asked, const char *id)
{
    static const char *const wishes[] = {"texture", "parts"};
    cJSON *spec = cJSON_CreateObject();
    const char *model = json_text(json_get(json_get(asked, "providers"), id), "model", NULL);
    for (size_t i = 0; i < 2; i++)
        if (json_bool(asked, wishes[i], false))
            cJSON_AddTrueToObject(spec, wishes[i]);
    if (model)
        cJSON_AddStringToObject(spec, "model", model);
    return spec;
}

static int look_at(struct usable *out, const struct provider_driver *driver, const cJSON *asked,
                   const char *photo_class, const struct settings *settings, struct err *err)
{
    struct provider_rules rules;
    if (provider_rules_load(&rules, driver, settings, err))
        return -1;
    cJSON *spec = spec_of(asked, driver->id);
    *out = (struct usable){.driver = driver,
                           .credits = provider_price(&rules, spec),
                           .cents = json_number(rules.config, "cents", 0),
                           .on = rules.on,
                           .allowed = provider_may_receive(driver, photo_class, NULL)};
    snprintf(out->unit, sizeof out->unit, "%s", json_text(rules.config, "unit", "credit"));
    cJSON_Delete(spec);
    provider_rules_free(&rules);
    return 0;
}

/* Those of the route that make models of such sources, in its order. */
static int read_route(struct usable *out, size_t *count, const cJSON *product,
                      const char *photo_class, const struct settings *settings, struct err *err)
{
    const cJSON *asked = json_get(product, "provider"), *one;
    unsigned sources = sources_of(product);
    *count = 0;
    cJSON_ArrayForEach (one, json_get(asked, "route")) {
        const struct provider_driver *driver =
            cJSON_IsString(one) ? provider_find(one->valuestring) : NULL;
        if (!driver || !route_makes_of(driver, sources) || *count == USABLE_MOST)
            continue;
        if (look_at(&out[(*count)++], driver, asked, photo_class, settings, err))
            return -1;
    }
    return 0;
}

/* Leaves the best that there are: set up and free to have the photo, else one of the two. */
static size_t keep_best(struct usable *list, size_t count)
{
    int best = -1;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        int rank = list[i].allowed * 2 + list[i].on;
        if (rank > best) {
            best = rank;
            kept = 0;
        }
        if (rank == best)
            list[kept++] = list[i];
    }
    return kept;
}

static int cost_of(int64_t *minor, const struct usable *one, int64_t candidates, double rounds,
                   struct err *err)
{
    int64_t unit_price;
    return price_share(&unit_price, llround(one->credits * 1000), llround(one->cents * 1000), 1,
                       err) ||
                   price_share(minor, unit_price, candidates * llround(rounds * 1000), 1000000000,
                               err)
               ? -1
               : 0;
}

static void tell(cJSON *list, const struct usable *one, int64_t candidates)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", one->driver->id);
    cJSON_AddNumberToObject(o, "candidates", (double)candidates);
    cJSON_AddNumberToObject(o, "credits", one->credits);
    cJSON_AddStringToObject(o, "unit", one->unit);
    cJSON_AddBoolToObject(o, "set_up", one->on);
    cJSON_AddBoolToObject(o, "needs_consent", !one->allowed);
    cJSON_AddItemToArray(list, o);
}

/* All candidates begin at the first; with `spread` they take the providers in turn. */
static int add_up(struct quote_generation *out, const struct usable *list, size_t count,
                  const cJSON *asked, double rounds, struct err *err)
{
    int64_t candidates = llround(json_number(asked, "candidates", 1));
    size_t used = json_bool(asked, "spread", false) ? count : count > 0;
    cJSON *told = cJSON_AddArrayToObject(out->told, "providers");
    for (size_t i = 0; i < used; i++) {
        int64_t minor, each = (candidates - (int64_t)i + (int64_t)used - 1) / (int64_t)used;
        if (each <= 0)
            continue;
        if (cost_of(&minor, &list[i], each, rounds, err))
            return -1;
        out->minor += minor;
        tell(told, &list[i], each);
    }
    return 0;
}

int quote_generation(struct quote_generation *out, const cJSON *product, const cJSON *item,
                     const char *photo_class, const cJSON *costs, const struct settings *settings,
                     struct err *err)
{
    struct usable list[USABLE_MOST];
    size_t count;
    *out = (struct quote_generation){.told = cJSON_CreateObject(), .maker = "model"};
    int failed = read_route(list, &count, product, photo_class, settings, err);
    if (!failed) {
        count = keep_best(list, count);
        const struct provider_driver *first = count ? list[0].driver : NULL;
        /* What is made here costs no round: it comes out the same each time. */
        double rounds = first && first->local ? 1 : json_number(costs, "generation_rounds", 1);
        cJSON_AddNumberToObject(out->told, "rounds", rounds);
        if (strcmp(json_text(item, "style", ""), "lithophane") == 0)
            out->maker = "lithophane";
        else if (first && first->local && !first->takes_model)
            out->maker = "relief";
        failed = add_up(out, list, count, json_get(product, "provider"), rounds, err);
    }
    if (failed) {
        cJSON_Delete(out->told);
        out->told = NULL;
    }
    return failed;
}
