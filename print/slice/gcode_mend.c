/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The G-code as the printer gets it: true header, our labels, thumbnails, then the engine's work.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int put_head(FILE *out, const struct engine_job *job, const struct engine *engine,
                    const char *closure_hash, struct err *err)
{
    const struct slice_options *o = job->options;
    const cJSON *size;
    char text[120];
    fwrite(job->words.header.data, 1, job->words.header.len, out);
    snprintf(text, sizeof text, "%s %s", engine->name, job->words.version);
    put_comment(out, "engine", text);
    put_comment(out, "printer", o->profile->printer.id);
    put_comment(out, "material", o->profile->material.id);
    put_comment(out, "settings", closure_hash);
    if (o->label)
        put_comment(out, "label", o->label);
    cJSON_ArrayForEach (size, json_get(o->profile->printer.settings, "thumbnails")) {
        double width = cJSON_GetArrayItem(size, 0)->valuedouble;
        double height = cJSON_GetArrayItem(size, 1)->valuedouble;
        if (put_thumbnail(out, job->mesh, (uint32_t)width, (uint32_t)height, err))
            return -1;
    }
    return 0;
}

static void copy_rest(FILE *out, FILE *in, const struct engine *engine)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int state = 0;
    while (state == 0 && (n = getline(&line, &room, in)) > 0)
        if (!engine->placeholder(&state, line))
            fwrite(line, 1, (size_t)n, out);
    free(line);
    char block[65536];
    size_t got;
    while ((got = fread(block, 1, sizeof block, in)) > 0)
        fwrite(block, 1, got, out);
}

int gcode_mend(const char *to, const struct engine_job *job, const struct engine *engine,
               const char *closure_hash, struct err *err)
{
    FILE *in = fopen(job->raw, "re"), *out = NULL;
    int failed = -1;
    if (!in) {
        FAIL_CODE(err, ERR_INPUT, "slice_empty", "%s wrote no G-code", engine->program);
        goto out;
    }
    out = fopen(to, "we");
    if (!out) {
        FAIL_ERRNO(err, "cannot write %s", to);
        goto out;
    }
    if (put_head(out, job, engine, closure_hash, err))
        goto out;
    copy_rest(out, in, engine);
    failed = ferror(in) || ferror(out) || fflush(out) || fsync(fileno(out));
    if (failed)
        failed = FAIL_ERRNO(err, "cannot write %s", to);
out:
    if (out && fclose(out) && !failed)
        failed = FAIL_ERRNO(err, "cannot write %s", to);
    if (in)
        fclose(in);
    return failed;
}
