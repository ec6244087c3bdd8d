/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the shop has set of each provider: config/providers/ID.json (the built-in one, or one of the
 * settings folder), and from the environment STATUETTE_<ID>_URL, _KEY and _SECRET (of its pushes).
 */
#ifndef SERVICE_PROVIDER_RULES_H
#define SERVICE_PROVIDER_RULES_H

#include "intake/provider/provider.h"
#include "service/settings.h"

struct provider_rules {
    const struct provider_driver *driver;
    bool on; /* it can be asked: made here, or its address or key is set, and it is not `off` */
    char url[300], upload_url[300], key[300], secret[200], dialect[16];
    bool send_and_poll;
    struct provider_pace pace;
    double calls_per_s;                  /* 0 = no limit */
    double cap_item, cap_order, cap_day; /* in its units; INFINITY = none */
    cJSON *config;                       /* the file; owned */
};

/** Loads the rules of one provider. Errors ERR_INPUT code provider_invalid; the caller frees. */
int provider_rules_load(struct provider_rules *rules, const struct provider_driver *driver,
                        const struct settings *settings, struct err *err) MUST_CHECK;
void provider_rules_free(struct provider_rules *rules);

/** For the driver: borrows from the rules. */
struct provider_settings provider_rules_settings(const struct provider_rules *rules);

/** In words, what is missing where it is not `on`: names the variable to set. */
void provider_rules_why_off(char *out, size_t room, const struct provider_rules *rules);

/** What a task of that spec (tasks.spec) is reserved at, in the provider's units. */
double provider_price(const struct provider_rules *rules, const cJSON *spec);

/** The version asked for: the spec's, else the shop's, else NULL (the driver's choice). */
const char *provider_model(const struct provider_rules *rules, const cJSON *spec);

#endif
