/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking up built-in files; see assets.h. */
#include "base/assets.h"

#include <stdlib.h>
#include <string.h>

/* In build/<config>/assets.S, sorted by name in the C locale. */
extern const struct asset assets_table[];
extern const size_t assets_count;

static int compare(const void *name, const void *asset)
{
    return strcmp(name, ((const struct asset *)asset)->name);
}

const struct asset *asset_find(const char *name)
{
    return bsearch(name, assets_table, assets_count, sizeof *assets_table, compare);
}

const struct asset *asset_next(const char *prefix, const struct asset *after)
{
    size_t i = after ? (size_t)(after - assets_table) + 1 : 0;
    for (; i < assets_count; i++)
        if (strncmp(assets_table[i].name, prefix, strlen(prefix)) == 0)
            return &assets_table[i];
    return NULL;
}
