/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Coverage-guided fuzzing with clang's libFuzzer: a row below for each reader of mesh bytes, one
 * for G-code and one for the repair ladder. FUZZ_TARGET names the row; scripts/fuzz.sh runs them
 * side by side. What is wrong ends in abort(), so that libFuzzer keeps the input.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "print/export/packer.h"
#include "print/read/bundle.h"
#include "print/read/read.h"
#include "print/slice/gcode_check.h"
#include "tests/fuzz/soup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void stop(const char *why)
{
    fprintf(stderr, "fuzz: %s\n", why);
    abort();
}

static void check_read(const struct mesh *mesh)
{
    for (size_t i = 0; i < 3 * mesh->triangle_count; i++) {
        if (mesh->triangles[i] >= mesh->vertex_count)
            stop("a triangle points outside the mesh");
        for (size_t k = 0; k < 3; k++)
            if (!isfinite(mesh->xyz[3 * (size_t)mesh->triangles[i] + k]))
                stop("a corner is not finite");
    }
}

/* What the skin says must be there to be looked up. */
static void check_looks(const struct mesh *mesh, const struct skin *skin)
{
    static const double middle[3] = {0.5, 0.25, 0.25};
    uint8_t rgb[3];
    for (size_t t = 0; t < mesh->triangle_count; t++)
        skin_colour(rgb, skin, mesh, t, middle);
}

static void feed_file(const uint8_t *data, size_t n, const char *hint)
{
    struct mesh mesh = {0};
    struct skin skin = {0};
    struct read_notes notes;
    struct err err = {0};
    int failed = mesh_read_skin(&mesh, &skin, &notes, data, n, hint, &err);
    if (failed && ((err.kind != ERR_INPUT && err.kind != ERR_LIMIT) || !*err.code || !*err.what))
        stop("refused without a code");
    if (!failed) {
        check_read(&mesh);
        check_looks(&mesh, &skin);
    }
    mesh_free(&mesh);
    skin_free(&skin);
}

static void feed_zip(const uint8_t *data, size_t n, const char *hint)
{
    struct bundle bundle;
    struct err err = {0};
    int failed = bundle_open(&bundle, data, n, &err);
    (void)hint;
    bundle_is_3mf(&bundle);
    for (size_t i = 0; i < bundle.count && !failed; i++) {
        struct bytes plain = {.limit = BUNDLE_BYTES_MOST};
        failed = bundle_unpack(&plain, &bundle, &bundle.entries[i], &err);
        bytes_free(&plain);
    }
    if (failed && ((err.kind != ERR_INPUT && err.kind != ERR_LIMIT) || !*err.what))
        stop("refused without a reason");
    bundle_close(&bundle);
}

/* A GLB whose frame is right: two bytes of length, that much JSON, the rest is the binary chunk. */
static void feed_glb_parts(const uint8_t *data, size_t n, const char *hint)
{
    struct bytes file = {0};
    struct err err = {0};
    size_t text = n < 2 ? 0 : (size_t)data[0] | (size_t)data[1] << 8;
    if (n < 2)
        return;
    text = text > n - 2 ? n - 2 : text;
    uint32_t json = (uint32_t)(text + 3) & ~3u, bin = (uint32_t)(n - 2 - text + 3) & ~3u;
    uint32_t head[] = {0x46546c67, 2, 28 + json + bin, json, 0x4e4f534a}, part[] = {bin, 0x4e4942};
    if (bytes_append(&file, head, sizeof head, &err) || bytes_append(&file, data + 2, text, &err) ||
        bytes_append(&file, "   ", json - text, &err) ||
        bytes_append(&file, part, sizeof part, &err) ||
        bytes_append(&file, data + 2 + text, n - 2 - text, &err) ||
        bytes_append(&file, "\0\0\0", bin - (n - 2 - text), &err))
        stop(err.what);
    feed_file(file.data, file.len, hint);
    bytes_free(&file);
}

/* A 3MF whose zip is right: the bytes are its model. */
static void feed_threemf_model(const uint8_t *data, size_t n, const char *hint)
{
    static const char types[] =
        "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/"
        "content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-"
        "package.relationships+xml\"/><Default Extension=\"model\" ContentType=\"application/"
        "vnd.ms-package.3dmanufacturing-3dmodel+xml\"/></Types>";
    static const char links[] =
        "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/"
        "2006/relationships\"><Relationship Target=\"/3D/3dmodel.model\" Id=\"r\" Type=\"http://"
        "schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel\"/></Relationships>";
    struct bytes file = {0};
    struct err err = {0};
    struct packer zip = {.out = &file};
    if (packer_part_open(&zip, "[Content_Types].xml", &err) ||
        packer_part_write(&zip, types, sizeof types - 1, &err) || packer_part_close(&zip, &err) ||
        packer_part_open(&zip, "_rels/.rels", &err) ||
        packer_part_write(&zip, links, sizeof links - 1, &err) || packer_part_close(&zip, &err) ||
        packer_part_open(&zip, "3D/3dmodel.model", &err) ||
        packer_part_write(&zip, data, n, &err) || packer_part_close(&zip, &err) ||
        packer_close(&zip, &err))
        stop(err.what);
    feed_file(file.data, file.len, hint);
    bytes_free(&file);
}

/* Every move once as it is, and once in the slow way: a blank at its end keeps it from the fast
 * one. Both must measure the same. */
static cJSON *measure_gcode(const uint8_t *data, size_t n, bool slow)
{
    static struct printer_profile printer; /* read once: it takes longer than the file */
    cJSON *report = NULL;
    struct err err = {0};
    char path[40];
    bool passed;
    int fd = memfd_create("gcode", MFD_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f || (!printer.settings && printer_profile_load(&printer, NULL, "ender3v3se", &err)))
        stop("no file, or no printer");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (size_t i = 0, line = 0; i < n; i++) {
        if (slow && data[i] == '\n' && data[line] == 'G' && data[i - 1] != '\r')
            fputc(' ', f);
        fputc(data[i], f);
        line = data[i] == '\n' ? i + 1 : line;
    }
    fflush(f);
    if (gcode_check(&report, &passed, path, &(struct gcode_check_options){.printer = &printer},
                    &err) &&
        strcmp(err.code, "gcode_packed") != 0)
        stop(err.what);
    fclose(f);
    return report;
}

static void feed_gcode(const uint8_t *data, size_t n, const char *hint)
{
    cJSON *fast = measure_gcode(data, n, false), *slow = measure_gcode(data, n, true);
    const cJSON *a, *b = json_get(slow, "measures") ? json_get(slow, "measures")->child : NULL;
    (void)hint;
    cJSON_ArrayForEach (a, json_get(fast, "measures")) {
        if (!b || strcmp(a->string, b->string) != 0)
            stop("the two ways measure different things");
        if (cJSON_IsNumber(a) &&
            fabs(a->valuedouble - b->valuedouble) > 1e-6 * (1 + fabs(a->valuedouble)))
            stop("the fast way and the slow one differ");
        b = b->next;
    }
    cJSON_Delete(fast);
    cJSON_Delete(slow);
}

static void feed_soup(const uint8_t *data, size_t n, const char *hint)
{
    bool made;
    (void)hint;
    const char *wrong = soup_feed(data, n, !getenv("FUZZ_LET_CROSS"), &made);
    if (wrong)
        stop(wrong);
}

static const struct target {
    const char *name;
    void (*feed)(const uint8_t *data, size_t n, const char *hint);
    const char *hint;
} targets[] = {
    {"glb", feed_file, "a.glb"},
    {"glb_parts", feed_glb_parts, "a.glb"},
    {"stl", feed_file, "a.stl"},
    {"obj", feed_file, "a.obj"},
    {"ply", feed_file, "a.ply"},
    {"off", feed_file, "a.off"},
    {"3mf", feed_file, "a.3mf"},
    {"3mf_model", feed_threemf_model, "a.3mf"},
    {"soup", feed_soup, "a.stl"},
    {"drc", feed_file, "a.drc"},
    {"zip", feed_zip, ""},
    {"gcode", feed_gcode, ""},
    {"glb_draco", feed_glb_parts, "a.glb"},
    {"glb_meshopt", feed_glb_parts, "a.glb"},
    {"glb_textured", feed_glb_parts, "a.glb"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct target *target; /* chosen once: libFuzzer gives no room for it elsewhere */
    const char *name = getenv("FUZZ_TARGET");
    for (size_t i = 0; !target && i < sizeof targets / sizeof *targets; i++)
        if (name && strcmp(targets[i].name, name) == 0)
            target = &targets[i];
    if (!target) {
        for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
            fprintf(stderr, "%s\n", targets[i].name);
        stop("FUZZ_TARGET must name one of these");
    }
    target->feed(data, n, target->hint);
    return 0;
}
