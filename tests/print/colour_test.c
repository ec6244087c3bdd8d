/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/colour: what files say of colours, a colour at a point, colours over to another mesh,
 * parts. */
#include "tests/print/plates.h"
#include "tests/test.h"

#include <omp.h>

#include "print/colour/parts.h"
#include "print/colour/picture.h"
#include "print/colour/transfer.h"
#include "print/export/export.h"
#include "print/read/read.h"
#include "tests/print/packed.h"
#include "tests/print/zips.h"

static struct err err;
static struct mesh m;
static struct skin skin;
static struct read_notes notes;
static uint8_t rgb[3];

static int read_bytes(const void *data, size_t n, const char *name)
{
    mesh_free(&m);
    skin_free(&skin);
    memset(&err, 0, sizeof err);
    return mesh_read_skin(&m, &skin, &notes, data, n, name, &err);
}

static int read_text(const char *text)
{
    return read_bytes(text, strlen(text), NULL);
}

static int read_packed(struct bytes *b)
{
    int failed = read_bytes(b->data, b->len, NULL);
    bytes_free(b);
    return failed;
}

static int colour_is(size_t triangle, double a, double b, int red, int green, int blue)
{
    const double at[3] = {1 - a - b, a, b};
    skin_colour(rgb, &skin, &m, triangle, at);
    return abs(rgb[0] - red) <= 1 && abs(rgb[1] - green) <= 1 && abs(rgb[2] - blue) <= 1;
}
/* The calls hold whole files as text: too long to print. */
#define READS(call)                                                                                \
    do {                                                                                           \
        if (call)                                                                                  \
            TEST_GIVE_UP("refused as %s: %.100s", err.code, err.what);                             \
    } while (0)
#define COLOUR(triangle, a, b, red, green, blue)                                                   \
    do {                                                                                           \
        if (!colour_is(triangle, a, b, red, green, blue))                                          \
            TEST_GIVE_UP("triangle %d at %g %g is %d %d %d", (int)(triangle), (double)(a),         \
                         (double)(b), rgb[0], rgb[1], rgb[2]);                                     \
    } while (0)

/* Four pixels: red and green above, blue and white below. */
static int png_of_four(struct bytes *png)
{
    uint8_t pixels[16] = {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255};
    return png_encode(png, &(struct picture){pixels, 2, 2}, 6, &err);
}

static int read_square(const char *texture, const char *material)
{
    struct bytes png = {0}, glb = {0};
    int failed = png_of_four(&png) ||
                 put_glb_textured(&glb, texture, material, png.data, png.len, &err) ||
                 read_packed(&glb);
    bytes_free(&png);
    return failed;
}

/* The square's lower left corner shows the picture's lower left pixel. */
static void test_skin__shows_a_texture_right_way_up(void)
{
    READS(read_square("", ""));
    CHECK(skin.picture_count == 1 && skin.material_count == 1 && skin_has_colour(&skin));
    COLOUR(0, 0, 0, 0, 0, 255);
    COLOUR(0, 1, 0, 255, 255, 255);
    COLOUR(0, 0, 1, 0, 255, 0);
    COLOUR(1, 0, 1, 255, 0, 0);
    /* The middle is the mean of all four in linear light: half, not 127. */
    COLOUR(0, 0, 0.5, 188, 188, 188);
    CHECK(skin.part_count == 1);
    CHECK_TEXT(skin.parts[0].name, "square");
}

static void test_skin__multiplies_factors_in_linear_light(void)
{
    READS(read_square("", ",\"baseColorFactor\":[1,0.5,0,1]"));
    COLOUR(0, 1, 0, 255, 188, 0);
}

/* Turned by a quarter about the corner and moved back: KHR_texture_transform. */
static void test_skin__moves_textures_by_their_transform(void)
{
    READS(read_square(",\"extensions\":{\"KHR_texture_transform\":{\"offset\":[0,1],"
                      "\"rotation\":1.5707963267948966}}",
                      ""));
    /* (u, v) looks at (v, 1 - u): the lower left corner (0, 1) at (1, 1), lower right (1, 1) at
     * (1, 0). */
    COLOUR(0, 0, 0, 255, 255, 255);
    COLOUR(0, 1, 0, 0, 255, 0);
}

static void test_skin__notes_textures_that_it_cannot_read(void)
{
    struct bytes glb = {0};
    CHECK_OK(
        put_glb_textured(&glb, "", ",\"baseColorFactor\":[0,0,1,1]", "\xabKTX 20\xbb", 8, &err));
    READS(read_packed(&glb));
    CHECK(strstr(notes.text, "not read") && skin.picture_count == 0);
    COLOUR(0, 0, 0, 0, 0, 255);
    CHECK_OK(put_glb_textured(&glb, "", "", "\x89PNG\r\n\x1a\nrubbish", 15, &err));
    READS(read_packed(&glb));
    CHECK(strstr(notes.text, "damaged texture") && m.triangle_count == 2);
    CHECK(!skin_has_colour(&skin));
}

static void test_texture__is_refused_over_its_pixels(void)
{
    struct bytes png = {0};
    struct picture picture = {0};
    CHECK_OK(png_of_four(&png));
    CHECK_OK(texture_decode(&picture, png.data, png.len, 4, &err));
    picture_free(&picture);
    CHECK_FAILS(texture_decode(&picture, png.data, png.len, 3, &err), ERR_LIMIT);
    CHECK_FAILS(texture_decode(&picture, (const uint8_t *)"\xff\xd8\xff\xe0 no", 8, 100, &err),
                ERR_INPUT);
    CHECK_FAILS(texture_decode(&picture, (const uint8_t *)"RIFF\x10\0\0\0WEBPVP8 ", 16, 100, &err),
                ERR_INPUT);
    CHECK(texture_decode(&picture, (const uint8_t *)"DDS |", 5, 100, &err) == 1);
    bytes_free(&png);
}

/* Draco's attribute numbers, normalised bytes: corner v's red is 30 v in linear light. */
static void test_skin__takes_colours_through_draco(void)
{
    struct bytes b = {0};
    CHECK_OK(put_glb_draco(&b, 36, &err));
    READS(read_packed(&b));
    CHECK(skin.rgb && skin.uv && skin_has_colour(&skin));
    CHECK_TEXT(skin.parts[0].name, "box");
    for (size_t v = 0; v < m.vertex_count; v++) {
        const float *p = m.xyz + 3 * v;
        int corner = (p[0] > 5) + 2 * (p[2] > 10) + 4 * (p[1] < -15);
        CHECK(skin.rgb[v][0] == skin_from_light((float)(30 * corner) / 255) &&
              skin.rgb[v][1] == 255);
    }
}

static void test_skin__takes_vertex_colours_of_obj_and_ply(void)
{
    READS(read_text("v 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 0 1 0 0 0 1\nv 1 1 0\nf 1 2 3\nf 2 4 3\n"));
    COLOUR(0, 0, 0, 255, 0, 0);
    COLOUR(0, 1, 0, 0, 255, 0);
    COLOUR(1, 1, 0, 255, 255, 255);
    /* Colours to 255, and a weight between place and colour. */
    READS(read_text("v 0 0 0 1 0 128 0\nv 1 0 0 1 255 0 1\nv 0 1 0 1 0 0 0\nf 1 2 3\n"));
    COLOUR(0, 0, 0, 0, 128, 0);
    COLOUR(0, 1, 0, 255, 0, 1);
    READS(read_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"));
    CHECK(!skin_has_colour(&skin) && skin.part_count == 0);
    READS(read_text("ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
                    "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar "
                    "blue\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
                    "0 0 0 9 8 7\n1 0 0 0 0 0\n0 1 0 0 0 255\n3 0 1 2\n"));
    COLOUR(0, 0, 0, 9, 8, 7);
    COLOUR(0, 0, 1, 0, 0, 255);
    /* Faces' colours, on a polygon of two triangles, as floats. */
    READS(read_text("ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\n"
                    "property float z\nelement face 2\nproperty list uchar int vertex_indices\n"
                    "property float red\nproperty float green\nproperty float blue\nend_header\n"
                    "0 0 0\n1 0 0\n1 1 0\n0 1 0\n4 0 1 2 3 1 0.5 0\n3 0 1 2 0 0 1\n"));
    COLOUR(1, 0.3, 0.3, 255, 128, 0);
    COLOUR(2, 0.3, 0.3, 0, 0, 255);
}

/* As others write them: one entry for the object, and others for single triangles. */
static int write_base_materials(struct bytes *out, const struct mesh *box)
{
    static const char types[] =
        "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default "
        "Extension=\"rels\" ContentType=\"application/"
        "vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"model\" "
        "ContentType=\"application/vnd.ms-package.3dmanufacturing-3dmodel+xml\"/></Types>";
    static const char links[] =
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
        "<Relationship Target=\"/3D/3dmodel.model\" Id=\"a\" "
        "Type=\"http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel\"/></Relationships>";
    struct bytes model = {0};
    int failed = bytes_printf(
        &model, &err,
        "<model unit=\"millimeter\" xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/"
        "2015/02\"><resources><basematerials id=\"2\"><base name=\"a\" displaycolor=\"#FF0000\"/>"
        "<base name=\"b\" displaycolor=\"#010203\"/><base name=\"c\" displaycolor=\"#00FF80\"/>"
        "</basematerials><object id=\"1\" type=\"model\" pid=\"2\" pindex=\"1\"><mesh><vertices>");
    for (size_t v = 0; v < box->vertex_count && !failed; v++)
        failed = bytes_printf(&model, &err, "<vertex x=\"%g\" y=\"%g\" z=\"%g\"/>", box->xyz[3 * v],
                              box->xyz[3 * v + 1], box->xyz[3 * v + 2]);
    failed = failed || bytes_printf(&model, &err, "</vertices><triangles>");
    for (size_t t = 0; t < 12 && !failed; t++)
        failed = bytes_printf(&model, &err, "<triangle v1=\"%u\" v2=\"%u\" v3=\"%u\"%s/>",
                              box->triangles[3 * t], box->triangles[3 * t + 1],
                              box->triangles[3 * t + 2],
                              t < 2     ? " pid=\"2\" p1=\"0\""
                              : t == 11 ? " pid=\"2\" p1=\"2\""
                                        : "");
    failed = failed || bytes_printf(&model, &err,
                                    "</triangles></mesh></object></resources><build><item "
                                    "objectid=\"1\"/></build></model>");
    struct zip_part parts[] = {
        {.name = "[Content_Types].xml", .data = types, .n = sizeof types - 1},
        {.name = "_rels/.rels", .data = links, .n = sizeof links - 1},
        {.name = "3D/3dmodel.model", .data = model.data, .n = model.len}};
    failed = failed || put_zip(out, parts, 3, 0, &err);
    bytes_free(&model);
    return failed;
}

/* Colour groups, as we write them, and base materials. */
static void test_skin__takes_both_sorts_of_colours_of_3mf(void)
{
    struct mesh box = {0};
    struct bytes b = {0};
    uint8_t of_triangle[12] = {0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2};
    const uint8_t filaments[3][3] = {{255, 0, 0}, {1, 2, 3}, {0, 255, 128}};
    const struct export_palette palette = {3, filaments, of_triangle};
    add_box(&box, 0, 0, 0, 10, 20, 30);
    for (int base = 0; base < 2; base++) {
        CHECK_OK(base ? write_base_materials(&b, &box)
                      : write_one(&b, ONE(.mesh = &box, .palette = &palette), &err));
        READS(read_packed(&b));
        for (size_t t = 0; t < 12; t++) {
            const uint8_t *c = filaments[of_triangle[t]];
            COLOUR(t, 0.2, 0.3, c[0], c[1], c[2]);
        }
        CHECK_TEXT(skin.parts[0].name, base ? "" : "figure 1");
        bytes_free(&b);
    }
    mesh_free(&box);
}

/* A square of two colours: the same mesh with other corners first, then one cut finer and lifted.
 */
static void test_transfer__goes_by_equal_triangles_and_by_nearness(void)
{
    struct mesh other = {0};
    uint8_t out[4][3];
    READS(read_square("", ""));
    CHECK_OK(mesh_alloc(&other, 4, 2, &err));
    memcpy(other.xyz, m.xyz, 48);
    memcpy(other.triangles, (uint32_t[6]){2, 3, 0, 1, 2, 0}, 24);
    CHECK_OK(mesh_transfer_colours(out, &other, &m, &skin, &err));
    uint8_t straight[2][3];
    CHECK_OK(mesh_transfer_colours(straight, &m, &m, &skin, &err));
    CHECK(memcmp(out[0], straight[1], 3) == 0 && memcmp(out[1], straight[0], 3) == 0);
    /* Lower right of the picture is white, upper left red; the model's up is glTF's Y. */
    for (int v = 0; v < 4; v++)
        other.xyz[3 * v + 1] += 0.01f;
    CHECK_OK(mesh_transfer_colours(out, &other, &m, &skin, &err));
    for (int k = 0; k < 3; k++)
        CHECK(abs(out[0][k] - straight[1][k]) <= 2 && abs(out[1][k] - straight[0][k]) <= 2);
    CHECK(straight[1][0] > straight[1][1]); /* red wins in the upper left half */
    mesh_free(&other);
}

/* A ball coloured by place, dropped triangles, moved ones and turned corners; one thread and five.
 */
static void test_transfer__is_the_same_with_many_threads(void)
{
    struct mesh ball = {0}, other = {0};
    struct skin painted = {0};
    add_ball(&ball, 0, 0, 0, 10, 40);
    painted.rgb = malloc(3 * ball.vertex_count);
    CHECK(painted.rgb);
    for (size_t i = 0; i < 3 * ball.vertex_count; i++)
        painted.rgb[i / 3][i % 3] = (uint8_t)(128 + 12 * ball.xyz[i]);
    CHECK_OK(mesh_copy(&other, &ball, &err));
    other.triangle_count -= 100; /* the first hundred go */
    memmove(other.triangles, other.triangles + 300, other.triangle_count * 12);
    memcpy(other.triangles,
           (uint32_t[3]){other.triangles[1], other.triangles[2], other.triangles[0]}, 12);
    for (size_t i = other.vertex_count / 2 * 3; i < other.vertex_count * 3; i++)
        other.xyz[i] *= 1.001f;
    uint8_t(*one)[3] = malloc(3 * other.triangle_count),
    (*five)[3] = malloc(3 * other.triangle_count);
    omp_set_num_threads(1);
    CHECK_OK(mesh_transfer_colours(one, &other, &ball, &painted, &err));
    omp_set_num_threads(5);
    CHECK_OK(mesh_transfer_colours(five, &other, &ball, &painted, &err));
    CHECK(memcmp(one, five, 3 * other.triangle_count) == 0);
    for (size_t t = 0; t < other.triangle_count; t++)
        for (size_t k = 0; k < 3; k++) {
            float sum = 0;
            for (size_t c = 0; c < 3; c++)
                sum += skin_to_light(painted.rgb[other.triangles[3 * t + c]][k]);
            if (abs(one[t][k] - skin_from_light(sum / 3)) > 1)
                TEST_GIVE_UP("triangle %zu: %d for %d", t, one[t][k], skin_from_light(sum / 3));
        }
    free(one);
    free(five);
    skin_free(&painted);
    mesh_free(&ball);
    mesh_free(&other);
}

static void test_parts__are_shells_or_what_the_file_names(void)
{
    struct part_list list = {0};
    struct mesh boxes = {0};
    add_box(&boxes, 0, 0, 0, 1, 1, 1);
    add_ball(&boxes, 9, 9, 9, 2, 6);
    add_box(&boxes, 0.5f, 0, 5, 1, 1, 1);
    CHECK_OK(mesh_parts(&list, &boxes, NULL, &err));
    CHECK(list.part_count == 3 && list.shell_count == 3 && !list.named);
    CHECK(list.parts[0].triangles == 120 && list.parts[1].triangles == 12);
    CHECK(list.ranges[list.parts[0].first_range].first == 12);
    CHECK(list.ranges[list.parts[2].first_range].first == 132);
    CHECK_TEXT(list.parts[0].name, "shell 1");
    CHECK_NEAR(list.parts[2].high[2], 6, 1e-6);
    parts_free(&list);
    READS(read_text("{\"asset\":{\"version\":\"2.0\"},\"nodes\":[{\"mesh\":0,\"name\":\"head\"},{"
                    "\"mesh\":0,\"name\":\"a name that is longer than sixty-three bytes and is cut "
                    "before its \xc3\xa4\"}],\"meshes\":[{\"primitives\":[{\"attributes\":{"
                    "\"POSITION\":0}}]}],\"accessors\":[{\"componentType\":5126,\"count\":3,"
                    "\"type\":\"VEC3\"}]}"));
    CHECK_OK(mesh_parts(&list, &m, &skin, &err));
    CHECK(list.named && list.part_count == 2 && list.parts[1].triangles == 1);
    CHECK_TEXT(list.parts[0].name, "head");
    CHECK(strlen(list.parts[1].name) <= 63 && !strstr(list.parts[1].name, "\xc3"));
    parts_free(&list);
    mesh_free(&boxes);
    mesh_free(&m);
    skin_free(&skin);
}

TESTS(TEST(test_skin__shows_a_texture_right_way_up),
      TEST(test_skin__multiplies_factors_in_linear_light),
      TEST(test_skin__moves_textures_by_their_transform),
      TEST(test_skin__notes_textures_that_it_cannot_read),
      TEST(test_texture__is_refused_over_its_pixels), TEST(test_skin__takes_colours_through_draco),
      TEST(test_skin__takes_vertex_colours_of_obj_and_ply),
      TEST(test_skin__takes_both_sorts_of_colours_of_3mf),
      TEST(test_transfer__goes_by_equal_triangles_and_by_nearness),
      TEST(test_transfer__is_the_same_with_many_threads),
      TEST(test_parts__are_shells_or_what_the_file_names))
