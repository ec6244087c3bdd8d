/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a review may change on an item: members that the next preparation knows, in ranges that the
 * item's template offers. They become the item's options, so anything else in them would be obeyed
 * later: a policy that passes it, a provider that the product does not name.
 */
#include <math.h>
#include <string.h>

#include "intake/order_form.h"
#include "service/api.h"

static bool is_listed(const cJSON *list, const char *text)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, list)
        if (cJSON_IsString(one) && strcmp(one->valuestring, text) == 0)
            return true;
    return false;
}

static int check_number(const cJSON *option, double least, double most, bool whole, struct err *err)
{
    double value = cJSON_IsNumber(option) ? option->valuedouble : NAN;
    if (value >= least && value <= most && (!whole || value == floor(value)))
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                     "/options/%s: must be a%s from %g to %g", option->string,
                     whole ? " whole number" : " number", least, most);
}

static int check_choice(const cJSON *option, const cJSON *allowed, struct err *err)
{
    if (cJSON_IsString(option) && is_listed(allowed, option->valuestring))
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                     "/options/%s: is not one that this template offers", option->string);
}

static int check_orient(const cJSON *option, struct err *err)
{
    const char *how = cJSON_IsString(option) ? option->valuestring : "";
    if (strcmp(how, "upright") == 0 || strcmp(how, "auto") == 0 || strcmp(how, "keep") == 0)
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                     "/options/orient: must be upright, auto or keep");
}

static int check_words(const cJSON *option, const cJSON *base, struct err *err)
{
    if (cJSON_IsString(option) && base && strlen(option->valuestring) <= 240)
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                     "/options/text: must be words of at most 60 letters, and the template must "
                     "have a base");
}

/* What is to be made, where the template asks a provider with words. */
static int check_object(const cJSON *option, const char *prompt, struct err *err)
{
    size_t n = cJSON_IsString(option) ? strlen(option->valuestring) : 0;
    if (n > 0 && n <= 800 && strstr(prompt, "{object}"))
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                     "/options/object: must be words of at most 200 letters, and the template must "
                     "be made of words");
}

static int check_option(const cJSON *option, const cJSON *product, struct err *err)
{
    const char *name = option->string;
    const cJSON *offer = json_get(product, name);
    if (strcmp(name, "height_mm") == 0)
        return check_number(option, json_number(offer, "min", 0), json_number(offer, "max", 0),
                            false, err);
    if (strcmp(name, "flatten_mm") == 0)
        return check_number(option, 0, 50, false, err);
    if (strcmp(name, "max_triangles") == 0)
        return check_number(option, 100, 50e6, true, err);
    if (strcmp(name, "hollow_mm") == 0)
        return check_number(option, 0, 20, false, err);
    if (strcmp(name, "orient") == 0)
        return check_orient(option, err);
    if (strcmp(name, "text") == 0)
        return check_words(option, json_get(json_get(product, "print"), "base"), err);
    if (strcmp(name, "object") == 0)
        return check_object(option, json_text(json_get(product, "provider"), "prompt", ""), err);
    if (strcmp(name, "style") == 0 || strcmp(name, "material") == 0 || strcmp(name, "process") == 0)
        return check_choice(option, json_get(offer, "allowed"), err);
    if (strcmp(name, "provider") == 0)
        return check_choice(option, json_get(offer, "route"), err);
    return FAIL_CODE(err, ERR_INPUT, "schema_violation", "/options/%.60s: is not known here", name);
}

int api_review_options(const cJSON *options, const char *template, const char *config_folder,
                       struct err *err)
{
    cJSON *product;
    const cJSON *option;
    int failed = 0;
    if (!options || !options->child)
        return 0;
    if (template_load(&product, config_folder, template, err))
        return -1;
    cJSON_ArrayForEach (option, options)
        failed = failed ? failed : check_option(option, product, err);
    cJSON_Delete(product);
    return failed;
}
