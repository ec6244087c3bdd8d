/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a first good file for each row of tests/fuzz/targets.c: FOLDER/ROW/seed.   write_seeds
 * FOLDER */
#include "base/bytes.h"
#include "tests/fuzz/seeds.h"

/* The frame off a GLB: the parts as targets.c wants them. */
static int parts_of(struct bytes *out, int (*make)(struct bytes *out, struct err *err),
                    struct err *err)
{
    struct bytes file = {0};
    uint32_t text;
    if (make(&file, err))
        return -1;
    memcpy(&text, file.data + 12, 4);
    uint8_t length[2] = {(uint8_t)text, (uint8_t)(text >> 8)};
    int failed = bytes_append(out, length, 2, err) ||
                 bytes_append(out, file.data + 20, text, err) ||
                 bytes_append(out, file.data + 28 + text, file.len - 28 - text, err);
    bytes_free(&file);
    return failed;
}

static int seed_glb_parts(struct bytes *out, struct err *err)
{
    return parts_of(out, seed_glb, err);
}

static int seed_draco_parts(struct bytes *out, struct err *err)
{
    return parts_of(out, seed_glb_draco, err);
}

static int seed_meshopt_parts(struct bytes *out, struct err *err)
{
    return parts_of(out, seed_glb_meshopt, err);
}

static int seed_textured_parts(struct bytes *out, struct err *err)
{
    return parts_of(out, seed_glb_textured, err);
}

static int seed_threemf_model(struct bytes *out, struct err *err)
{
    return bytes_printf(
        out, err,
        "<?xml version=\"1.0\"?><model unit=\"millimeter\" xml:lang=\"en-US\" xmlns=\"http://"
        "schemas.microsoft.com/3dmanufacturing/core/2015/02\"><resources><object id=\"1\" type=\""
        "model\"><mesh><vertices><vertex x=\"0\" y=\"0\" z=\"0\"/><vertex x=\"9\" y=\"0\" z=\"0\"/>"
        "<vertex x=\"0\" y=\"9\" z=\"0\"/><vertex x=\"0\" y=\"0\" z=\"9\"/></vertices><triangles>"
        "<triangle v1=\"0\" v2=\"2\" v3=\"1\"/><triangle v1=\"0\" v2=\"1\" v3=\"3\"/><triangle "
        "v1=\"1\" v2=\"2\" v3=\"3\"/><triangle v1=\"0\" v2=\"3\" v3=\"2\"/></triangles></mesh>"
        "</object><object id=\"2\" type=\"model\"><components><component objectid=\"1\" "
        "transform=\""
        "1 0 0 0 1 0 0 0 -1 2 0 0\"/></components></object></resources><build><item objectid=\"2\""
        "/></build></model>");
}

/* Two boxes, one inside out, a tetrahedron, three loose triangles, one missing. */
static int seed_soup(struct bytes *out, struct err *err)
{
    static const uint8_t data[] = {3, 8, 4, 0, 0, 0, 5, 5, 5, 13, 1, 1, 1, 2, 2, 2, 3,
                                   0, 0, 0, 4, 0, 0, 0, 4, 0, 0,  0, 7, 0, 1, 2, 3, 4,
                                   5, 6, 7, 0, 1, 2, 6, 1, 2, 3,  3, 3, 3, 7, 5};
    return bytes_append(out, data, sizeof data, err);
}

static const struct {
    const char *row;
    int (*make)(struct bytes *out, struct err *err);
} seeds[] = {
    {"gcode", seed_gcode},
    {"glb", seed_glb},
    {"glb_parts", seed_glb_parts},
    {"stl", seed_stl},
    {"obj", seed_obj},
    {"ply", seed_ply},
    {"off", seed_off},
    {"3mf", seed_threemf},
    {"3mf_model", seed_threemf_model},
    {"soup", seed_soup},
    {"drc", seed_drc},
    {"zip", seed_zip},
    {"glb_draco", seed_draco_parts},
    {"glb_meshopt", seed_meshopt_parts},
    {"glb_textured", seed_textured_parts},
};

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc != 2)
        return 2;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        struct bytes file = {0};
        char path[1000];
        snprintf(path, sizeof path, "%s/%s", argv[1], seeds[i].row);
        if (folder_make(path, &err) || seeds[i].make(&file, &err))
            return fprintf(stderr, "%s\n", err.what), 1;
        snprintf(path, sizeof path, "%s/%s/seed", argv[1], seeds[i].row);
        if (file_write(path, file.data, file.len, &err))
            return fprintf(stderr, "%s\n", err.what), 1;
        bytes_free(&file);
    }
    return 0;
}
