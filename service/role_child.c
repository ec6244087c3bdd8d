/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The child's side of a role: locks itself down, reads the input, works, leaves result.json or
 * error.json. Everything that touches hostile bytes happens here; see role.h for what each role
 * reads and writes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "intake/photo.h"
#include "print/export/export.h"
#include "print/relief/relief.h"
#include "print/slice/slice.h"
#include "service/role.h"
#include "service/role_own.h"

#define PICTURE_PIXELS ((uint64_t)64 * 1000 * 1000)

struct role {
    const char *name;
    int (*run)(const struct ask *ask, cJSON **result, struct err *err);
    size_t input_limit;
};

/* The child's working folder is the role's folder: names suffice. */
static int write_json(const char *name, const cJSON *value, struct err *err)
{
    struct bytes text = {0};
    int failed = json_print(&text, value, false, err) || file_write(name, text.data, text.len, err);
    bytes_free(&text);
    return failed ? -1 : 0;
}

int role_write_png(const char *name, const struct picture *picture, struct err *err)
{
    struct bytes file = {0};
    int failed = png_encode(&file, picture, 6, err) || file_write(name, file.data, file.len, err);
    bytes_free(&file);
    return failed ? -1 : 0;
}

int role_read_png(struct picture *out, const char *name, struct err *err)
{
    struct bytes file = {0};
    int failed = bytes_read_file(&file, name, err) ||
                 png_decode(out, NULL, file.data, file.len, PICTURE_PIXELS, err);
    bytes_free(&file);
    return failed ? -1 : 0;
}

static cJSON *photo_result(const struct photo *photo, const char *mime)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "format", photo_format_name(photo->format));
    cJSON_AddNumberToObject(o, "width", photo->pixels.width);
    cJSON_AddNumberToObject(o, "height", photo->pixels.height);
    cJSON_AddStringToObject(o, "provider_mime", mime);
    cJSON_AddItemToObject(o, "report", cJSON_Duplicate(photo->report, 1));
    return o;
}

static int run_photo(const struct ask *ask, cJSON **result, struct err *err)
{
    struct bytes *in = ask->input, sent = {0};
    struct photo photo = {0};
    const char *mime = "";
    int failed = (!in->data && bytes_read_file(in, "in", err)) ||
                 photo_read(&photo, in->data, in->len, err) ||
                 photo_encode_for_provider(&sent, &mime, &photo, err) ||
                 role_write_png("normal.png", &photo.pixels, err) ||
                 role_write_png("cutout.png", &photo.cutout, err) ||
                 file_write("provider.bin", sent.data, sent.len, err);
    if (!failed)
        *result = photo_result(&photo, mime);
    bytes_free(in);
    bytes_free(&sent);
    photo_free(&photo);
    return failed ? -1 : 0;
}

int role_write_stl(const char *name, const struct mesh *mesh, const char *label, struct err *err)
{
    struct bytes file = {.limit = MESH_LIMIT};
    int failed = stl_write(&file, mesh, label, err) || file_write(name, file.data, file.len, err);
    bytes_free(&file);
    return failed ? -1 : 0;
}

static int run_relief(const struct ask *ask, cJSON **result, struct err *err)
{
    struct relief_options o = RELIEF_OPTIONS_DEFAULT;
    struct picture photo = {0};
    struct mesh mesh = {0};
    const cJSON *options = ask->options;
    if (strcmp(json_text(options, "style", "figure"), "lithophane") == 0)
        o.style = RELIEF_LITHOPHANE;
    o.height_mm = json_number(options, "height_mm", o.height_mm);
    int failed = role_read_png(&photo, "in.png", err) ||
                 relief_make(&mesh, result, &photo, &o, err) ||
                 role_write_stl("model.stl", &mesh, "relief", err);
    picture_free(&photo);
    mesh_free(&mesh);
    return failed ? -1 : 0;
}

static const struct role roles[] = {
    {"photo", run_photo, PHOTO_MAX_BYTES}, {"relief", run_relief, 0},
    {"inspect", role_inspect, MESH_LIMIT}, {"prep", role_prep, MESH_LIMIT},
    {"render", role_render, MESH_LIMIT},   {"tostl", role_tostl, MESH_LIMIT},
    {"plate", role_plate, MESH_LIMIT},     {"unpack", role_unpack, 0},
};

static const struct role *find_role(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    return NULL;
}

/* Profiles may lie in a folder of the shop's own, which the confined child could not read. */
static int load_profile(struct ask *ask, struct err *err)
{
    return profile_load(&ask->profile, json_text(ask->options, "config_folder", NULL),
                        json_text(ask->options, "printer", "ender3v3se"),
                        json_text(ask->options, "material", "pla"),
                        json_text(ask->options, "process", NULL), err);
}

#define FONT "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"

/* A text on a base needs a font, which the confined child could not read. */
static int load_font(struct ask *ask, struct err *err)
{
    const cJSON *base = json_get(ask->options, "base");
    const char *path = json_text(base, "font", FONT);
    struct err inner = {0};
    ask->font.limit = (size_t)32 << 20;
    if (!*json_text(base, "text", ""))
        return 0;
    return bytes_read_file(&ask->font, path, &inner)
               ? FAIL_CODE(err, ERR_INPUT, "font_missing",
                           "the font %s cannot be read: install fonts-dejavu-core or name another "
                           "one with --font",
                           path)
               : 0;
}

/* So is a file of the user's own; one thing less to copy. A plate has several. */
static int load_inputs(struct ask *ask, size_t limit, struct err *err)
{
    const char *path = json_text(ask->options, "input", NULL);
    const cJSON *list = json_get(ask->options, "inputs"), *one;
    size_t count = (size_t)cJSON_GetArraySize(list), left = limit;
    if (path && bytes_read_file(ask->input, path, err))
        return -1;
    if (count == 0)
        return 0;
    if (!(ask->inputs = calloc(count, sizeof *ask->inputs)))
        return FAIL(err, ERR_LIMIT, "no memory for %zu files", count);
    cJSON_ArrayForEach (one, list) {
        struct bytes *to = ask->inputs + ask->input_count++;
        to->limit = left;
        if (bytes_read_file(to, json_text(one, "input", ""), err))
            return -1;
        left -= to->len < left ? to->len : left - 1;
    }
    return 0;
}

static void free_ask(struct ask *ask)
{
    for (size_t i = 0; i < ask->input_count; i++)
        bytes_free(&ask->inputs[i]);
    free(ask->inputs);
    profile_free(&ask->profile);
    cJSON_Delete(ask->options);
    bytes_free(&ask->font);
    bytes_free(ask->input);
}

static int run_role(const struct role *role, const char *folder, struct err *err)
{
    struct bytes input = {.limit = role->input_limit};
    struct ask ask = {.input = &input};
    cJSON *result = NULL;
    if (chdir(folder))
        return FAIL_ERRNO(err, "cannot enter %s", folder);
    /* options are the parent's own words */
    if (access("options.json", F_OK) == 0 && json_read_file(&ask.options, "options.json", err))
        return -1;
    int failed = load_profile(&ask, err) || load_font(&ask, err) ||
                 load_inputs(&ask, role->input_limit, err) || child_confine(".", err) ||
                 role->run(&ask, &result, err) ||
                 (result && write_json("result.json", result, err));
    free_ask(&ask);
    cJSON_Delete(result);
    return failed ? -1 : 0;
}

static void leave_failure(const struct err *err)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "kind", err_kind_name(err->kind));
    cJSON_AddStringToObject(o, "code", err->code);
    cJSON_AddStringToObject(o, "what", err->what);
    struct err ignored;
    if (write_json("error.json", o, &ignored))
        fprintf(stderr, "%s\n", err->what);
    cJSON_Delete(o);
}

int role_main(int argc, char **argv)
{
    struct err err = {0};
    const struct role *role = argc == 2 ? find_role(argv[0]) : NULL;
    if (!role)
        return 2;
    if (run_role(role, argv[1], &err) == 0)
        return 0;
    leave_failure(&err);
    return 1;
}
