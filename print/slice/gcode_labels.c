/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What our G-code says of itself in comments, and the pictures that printers show of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "print/render/render.h"
#include "print/slice/engine.h"

#define THUMBNAIL_COLUMNS 78 /* as slicers break them; firmware reads with small line buffers */

/* A comment ends with its line: no control character may pass. */
static void put_comment(FILE *out, const char *name, const char *text)
{
    fprintf(out, ";Statuette %s: ", name);
    for (const char *at = text; *at && (at - text < 200 || (*at & 0xc0) == 0x80); at++)
        if ((unsigned char)*at >= 0x20 && *at != 0x7f)
            fputc(*at, out);
    fputc('\n', out);
}

static int put_thumbnail(FILE *out, const struct mesh *mesh, uint32_t width, uint32_t height,
                         struct err *err)
{
    struct render_options options = RENDER_OPTIONS_DEFAULT;
    struct picture picture = {0};
    struct bytes png = {.limit = 4 << 20};
    char *text = NULL;
    int failed = -1;
    options.width = width;
    options.height = height;
    options.transparent = true;
    if (mesh_render_thumbnail(&picture, mesh, &options, err) || png_encode(&png, &picture, 9, err))
        goto out;
    text = malloc(4 * ((png.len + 2) / 3) + 1);
    if (!text) {
        FAIL(err, ERR_LIMIT, "no memory for a thumbnail");
        goto out;
    }
    base64_encode(text, png.data, png.len);
    fprintf(out, "; thumbnail begin %ux%u %zu\n", width, height, strlen(text));
    for (const char *at = text; *at; at += strnlen(at, THUMBNAIL_COLUMNS))
        fprintf(out, "; %.*s\n", THUMBNAIL_COLUMNS, at);
    fprintf(out, "; thumbnail end\n");
    failed = 0;
out:
    free(text);
    bytes_free(&png);
    picture_free(&picture);
    return failed;
}

/* In the order that the printer lists them; firmware takes the first that fits its screen. */
static int put_thumbnails(FILE *out, const struct engine_job *job, struct err *err)
{
    const cJSON *size, *sizes = json_get(job->options->profile->printer.settings, "thumbnails");
    struct mesh all = {0};
    if (cJSON_GetArraySize(sizes) == 0)
        return 0;
    int failed = models_join(&all, job, err);
    cJSON_ArrayForEach (size, sizes) {
        double width = cJSON_GetArrayItem(size, 0)->valuedouble;
        double height = cJSON_GetArrayItem(size, 1)->valuedouble;
        failed = failed || put_thumbnail(out, &all, (uint32_t)width, (uint32_t)height, err);
    }
    mesh_free(&all);
    return failed ? -1 : 0;
}

static int put_profile(FILE *out, const struct profile *profile, struct err *err)
{
    char hash[SHA256_HEX];
    struct bytes text = {.limit = 4 << 20};
    int failed = profile_frozen(&text, hash, profile, err);
    bytes_free(&text);
    if (!failed)
        put_comment(out, "profile", hash);
    return failed;
}

int gcode_labels(FILE *out, const struct engine_job *job, const struct engine *engine,
                 const char *closure_hash, struct err *err)
{
    const struct slice_options *o = job->options;
    char text[120];
    snprintf(text, sizeof text, "%s %s", engine->name, job->version.text);
    put_comment(out, "engine", text);
    put_comment(out, "printer", o->profile->printer.id);
    put_comment(out, "material", o->profile->material.id);
    put_comment(out, "process", o->profile->process_id);
    put_comment(out, "settings", closure_hash);
    if (put_profile(out, o->profile, err))
        return -1;
    for (size_t i = 0; i < o->object_count; i++)
        if (o->objects[i].name)
            put_comment(out, "object", o->objects[i].name);
    if (o->label)
        put_comment(out, "label", o->label);
    return put_thumbnails(out, job, err);
}
