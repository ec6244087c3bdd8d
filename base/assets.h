/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are built into the binary: SQL statements, migrations, schemas, example settings, the
 * console. The table is made by scripts/embed_assets.sh; names are paths from the project's root.
 */
#ifndef BASE_ASSETS_H
#define BASE_ASSETS_H

#include <stddef.h>

/* data is followed by a NUL that size does not count. */
struct asset {
    const char *name;
    const char *data;
    size_t size;
};

/** The asset with that name, or NULL. Cost O(log n). */
const struct asset *asset_find(const char *name);

/** The first asset whose name begins with prefix and sorts after `after` (NULL: from the start), or
 * NULL. */
const struct asset *asset_next(const char *prefix, const struct asset *after);

#endif
