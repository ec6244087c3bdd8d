/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The role unpack: takes the model out of an archive that a provider gave. Runs confined; role.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/reading.h"
#include "print/read/bundle.h"
#include "service/role_own.h"

/* The best first: what has its colours inside comes before what has them beside it. */
static const char *const endings[] = {"glb", "obj", "stl", "ply"};
#define ENDINGS (sizeof endings / sizeof *endings)

/* Lower is better; ENDINGS where it is no model by its name. */
static size_t rank_of(const struct bundle_entry *entry)
{
    char ending[12];
    size_t rank = 0;
    name_ending(ending, entry->name);
    while (rank < ENDINGS && (!entry->is_file || strcmp(endings[rank], ending) != 0))
        rank++;
    return rank;
}

/* By kind, then the larger first, then as they stand in the archive. */
static int compare(const void *a, const void *b)
{
    const struct bundle_entry *x = a, *y = b;
    size_t rank_x = rank_of(x), rank_y = rank_of(y);
    if (rank_x != rank_y)
        return rank_x < rank_y ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static const char *format_of(const struct bytes *file)
{
    static const char *const formats[] = {
        [MODEL_GLB] = "glb", [MODEL_STL] = "stl", [MODEL_OBJ] = "obj", [MODEL_PLY] = "ply"};
    bool whole;
    return formats[model_sniff(&whole, file->data, file->len)];
}

static bool has_ending(const struct bundle *bundle, const char *wanted)
{
    char ending[12];
    for (size_t i = 0; i < bundle->count; i++) {
        name_ending(ending, bundle->entries[i].name);
        if (strcmp(ending, wanted) == 0)
            return true;
    }
    return false;
}

static int refuse(const struct bundle *bundle, struct err *err)
{
    if (has_ending(bundle, "zip"))
        return FAIL_CODE(err, ERR_INPUT, "bundle_nested", "an archive within the archive");
    if (has_ending(bundle, "fbx"))
        return FAIL_CODE(err, ERR_INPUT, "provider_format",
                         "the archive has its model as FBX only");
    return FAIL_CODE(err, ERR_INPUT, "provider_format", "no GLB, OBJ, STL or PLY in the archive");
}

static int leave(cJSON **result, const struct bytes *file, const char *format, const char *name,
                 struct err *err)
{
    if (file_write("out.model", file->data, file->len, err))
        return -1;
    *result = cJSON_CreateObject();
    cJSON_AddStringToObject(*result, "format", format);
    cJSON_AddStringToObject(*result, "name", name);
    return 0;
}

/* What is no model by its content is passed over. */
static int take_model(cJSON **result, struct bundle *bundle, struct err *err)
{
    qsort(bundle->entries, bundle->count, sizeof *bundle->entries, compare);
    for (size_t i = 0; i < bundle->count && rank_of(&bundle->entries[i]) < ENDINGS; i++) {
        const struct bundle_entry *entry = &bundle->entries[i];
        struct bytes file = {.limit = BUNDLE_BYTES_MOST};
        const char *format = NULL;
        int failed = bundle_unpack(&file, bundle, entry, err);
        if (!failed && (format = format_of(&file)))
            failed = leave(result, &file, format, entry->name, err);
        bytes_free(&file);
        if (failed || format)
            return failed ? -1 : 0;
    }
    return refuse(bundle, err);
}

int role_unpack(const struct ask *ask, cJSON **result, struct err *err)
{
    struct bytes in = {.limit = BUNDLE_BYTES_MOST};
    struct bundle bundle = {0};
    (void)ask;
    int failed = bytes_read_file(&in, "in", err) || bundle_open(&bundle, in.data, in.len, err);
    if (!failed)
        failed = bundle_is_3mf(&bundle) ? leave(result, &in, "3mf", "", err)
                                        : take_model(result, &bundle, err);
    bundle_close(&bundle);
    bytes_free(&in);
    return failed ? -1 : 0;
}
