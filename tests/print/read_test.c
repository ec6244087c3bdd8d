/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/read: each format's dialects on one or two triangles, and what hostile files must get. */
#include "tests/test.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "print/read/read.h"
#include "print/read/text.h"
#include "tests/print/packed.h"

static struct err err;
static struct mesh m;
static struct read_notes notes;

static int read_bytes(const void *data, size_t n, const char *name)
{
    mesh_free(&m);
    memset(&err, 0, sizeof err);
    return mesh_read(&m, &notes, data, n, name, &err);
}

static int read_text(const char *text, const char *name)
{
    return read_bytes(text, strlen(text), name);
}

static int is_at(size_t vertex, float x, float y, float z)
{
    const float *p = m.xyz + 3 * vertex;
    return fabsf(p[0] - x) < 1e-5f && fabsf(p[1] - y) < 1e-5f && fabsf(p[2] - z) < 1e-5f;
}

/* The calls hold whole files as text: too long to print. */
#define FAILS_WITH(call, expected)                                                                 \
    do {                                                                                           \
        if ((call) != -1 || strcmp(err.code, expected) != 0)                                       \
            TEST_GIVE_UP("wanted %s, got %s: %.100s", expected, err.code, err.what);               \
    } while (0)
#define READS(call)                                                                                \
    do {                                                                                           \
        if (call)                                                                                  \
            TEST_GIVE_UP("refused as %s: %.100s", err.code, err.what);                             \
    } while (0)

static void test_read__refuses_what_is_no_mesh(void)
{
    FAILS_WITH(read_text("", "a.stl"), "mesh_empty");
    FAILS_WITH(read_text("hello there, this is a letter", "a.txt"), "mesh_unknown_format");
    FAILS_WITH(read_text("version https://git-lfs.github.com/spec/v1\n", "a.glb"),
               "mesh_unknown_format");
    FAILS_WITH(read_text("v 1 2 3\nv 4 5 6\n", "a.obj"), "mesh_empty");
    FAILS_WITH(read_text("v 1 2 nan\nv 4 5 6\nv 1 1 1\nf 1 2 3\n", "a.obj"), "mesh_not_finite");
    READS(read_text("v 1 2 3\nv 4 5 6\nv 1 1 1\nv nan 0 0\nf 1 2 3\n", "a.obj"));
}

static void test_stl__reads_text_in_odd_dress(void)
{
    READS(read_text("  SOLID some vertex name\r\nfacet NORMAL 0 0 1\r\n Outer Loop\r\nVERTEX 0 "
                    "0 0\nvertex 1e0 0 0\nvertex 0 +1 -.5\nendloop endfacet\nendsolid x\n"
                    "solid two\nfacet normal 0 0 0 outer loop vertex 0 0 0 vertex 2 0 0 vertex 0 "
                    "2 0 endloop endfacet endsolid",
                    NULL));
    CHECK(m.triangle_count == 2 && is_at(2, 0, 1, -0.5f) && is_at(4, 2, 0, 0));
    CHECK_TEXT(notes.format, "stl");
    FAILS_WITH(read_text("solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1", NULL),
               "mesh_truncated");
    FAILS_WITH(read_text("solid empty\nendsolid empty\n", NULL), "mesh_empty");
}

/* The header begins with "solid", as many exporters write it. */
static void test_stl__reads_binary_by_its_size(void)
{
    uint8_t file[84 + 50] = "solid in name only";
    const float corners[9] = {0, 0, 0, 1, 0, 0, 0, 1, 0};
    file[80] = 1;
    memcpy(file + 96, corners, sizeof corners);
    READS(read_bytes(file, sizeof file, NULL));
    CHECK(m.triangle_count == 1 && is_at(1, 1, 0, 0));
    file[80] = 2;
    FAILS_WITH(read_bytes(file, sizeof file, "a.stl"), "mesh_truncated");
    file[83] = 0xff;
    FAILS_WITH(read_bytes(file, sizeof file, "a.stl"), "mesh_truncated");
}

static void test_obj__reads_the_forms_of_a_face(void)
{
    READS(read_text("# c\nv 0 0 0 1 0.5 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\n"
                    "f 1/1/1 2//1 3/1 \\\n 4\nf -4 -3 -2\nf 1 2\nf 1 2 9\nf 0 1 2\nl 1 2\n",
                    NULL));
    CHECK(m.triangle_count == 3 && m.vertex_count == 4);
    CHECK(m.triangles[3] == 0 && m.triangles[5] == 3 && m.triangles[6] == 0);
    CHECK(strstr(notes.text, "left out"));
}

/* A wedge that lies on an edge with Z up and on its square with Y up; then a box, which stands. */
static void test_obj__is_turned_when_it_stands_only_with_y_up(void)
{
    READS(read_text("v 0 0 0\nv 4 0 0\nv 4 0 4\nv 0 0 4\nv 2 9 4\nf 1 2 3 4\nf 2 1 5\nf 3 2 5\n"
                    "f 4 3 5\nf 1 4 5\n",
                    NULL));
    CHECK(is_at(4, 2, -4, 9) && strstr(notes.text, "Y is taken as up"));
    READS(read_text("v 0 0 0\nv 4 0 0\nv 4 4 0\nv 0 4 0\nv 2 2 9\nf 4 3 2 1\nf 1 2 5\nf 2 3 5\n"
                    "f 3 4 5\nf 4 1 5\n",
                    NULL));
    CHECK(is_at(4, 2, 2, 9) && strstr(notes.text, "Z is taken as up"));
}

static void test_ply__reads_text_and_both_byte_orders(void)
{
    const char *head = "element vertex 3\ncomment x\nproperty uchar red\nproperty double z\n"
                       "property float x\nproperty float y\nelement face 1\nproperty list uchar "
                       "ushort vertex_indices\nend_header\n";
    struct bytes b = {0};
    READS(bytes_printf(&b, &err, "ply\nformat ascii 1.0\n%s9 0.5 1 2 9 0 0 0\n9 0 1 0 3 0 1 2\n",
                       head));
    READS(read_bytes(b.data, b.len, NULL));
    CHECK(m.triangle_count == 1 && is_at(0, 1, 2, 0.5f));
    bytes_free(&b);
    for (int big = 0; big < 2; big++) {
        READS(bytes_printf(&b, &err, "ply\r\nformat binary_%s_endian 1.0\r\n%s",
                           big ? "big" : "little", head));
        for (int v = 0; v < 3; v++) {
            const uint8_t red = 7, zero[16] = {0};
            READS(bytes_append(&b, &red, 1, &err));
            READS(bytes_append(&b, zero, 8, &err));
            const uint8_t one[2][4] = {{0, 0, 0x80, 0x3f}, {0x3f, 0x80, 0, 0}};
            READS(bytes_append(&b, v == 1 ? one[big] : zero, 4, &err));
            READS(bytes_append(&b, v == 2 ? one[big] : zero, 4, &err));
        }
        const uint8_t face[2][7] = {{3, 0, 0, 1, 0, 2, 0}, {3, 0, 0, 0, 1, 0, 2}};
        READS(bytes_append(&b, face[big], 7, &err));
        READS(read_bytes(b.data, b.len, NULL));
        CHECK(m.triangle_count == 1 && m.triangles[2] == 2 && is_at(1, 1, 0, 0));
        FAILS_WITH(read_bytes(b.data, b.len - 1, NULL), "mesh_truncated");
        bytes_free(&b);
    }
    FAILS_WITH(read_text("ply\nformat ascii 1.0\nelement vertex 4000000000\nproperty float x\n"
                         "end_header\n1\n",
                         NULL),
               "mesh_truncated");
}

static void test_off__reads_with_comments_and_without_blank(void)
{
    READS(read_text("COFF # colours\n# more\n4 1 0\n0 0 0 1 1 1 1\n1 0 0\n1 1 0\n0 1 0\n"
                    "4 0 1 2 3 0.5 0.5 0.5\n",
                    NULL));
    CHECK(m.triangle_count == 2);
    READS(read_text("OFF3 1 2\n0 0 0\n1 0 0\n1 1 0\n3 0 1 2\n", NULL));
    FAILS_WITH(read_text("OFF\n3 1 2\n0 0 0\n1 0 0\n1 1 0\n3 0 1 3\n", NULL), "mesh_damaged");
    FAILS_WITH(read_text("OFF\n3 1 2\n0 0 0\n1 0 0\n", NULL), "mesh_truncated");
}

/* Four corners of a square in XY as floats, then indices 0 1 2 3 as bytes, shorts and words. */
static size_t square(uint8_t out[76])
{
    const float xyz[12] = {0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0};
    const uint8_t small[4] = {0, 1, 2, 3};
    const uint16_t middle[4] = {0, 1, 2, 3};
    const uint32_t large[4] = {0, 1, 2, 3};
    memcpy(out, xyz, 48);
    memcpy(out + 48, small, 4);
    memcpy(out + 52, middle, 8);
    memcpy(out + 60, large, 16);
    return 76;
}

/* A glTF around the square's bytes. more: accessors and meshes; see the calls. */
static int read_gltf_with(const char *nodes, const char *mode, const char *accessors,
                          const char *views)
{
    uint8_t data[76];
    char base64[120], text[2000];
    base64_encode(base64, data, square(data));
    snprintf(text, sizeof text,
             "{\"asset\":{\"version\":\"2.0\"},\"scenes\":[{\"nodes\":[0]}],\"nodes\":%s,"
             "\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0},\"indices\":1,"
             "\"mode\":%s}]}],\"accessors\":%s,\"bufferViews\":%s,\"buffers\":[{\"byteLength\":76,"
             "\"uri\":\"data:application/octet-stream;base64,%s\"}]}",
             nodes, mode, accessors, views, base64);
    return read_text(text, NULL);
}

#define POSITIONS "{\"bufferView\":0,\"componentType\":5126,\"count\":4,\"type\":\"VEC3\"}"
#define INDICES(type, view)                                                                        \
    "{\"bufferView\":" view ",\"componentType\":" type ",\"count\":4,\"type\":\"SCALAR\"}"
#define VIEWS                                                                                      \
    "[{\"buffer\":0,\"byteLength\":48},{\"buffer\":0,\"byteOffset\":48,\"byteLength\":4},"         \
    "{\"buffer\":0,\"byteOffset\":52,\"byteLength\":8},"                                           \
    "{\"buffer\":0,\"byteOffset\":60,\"byteLength\":16}]"
#define WORDS "[" POSITIONS "," INDICES("5125", "3") "]"

static void test_gltf__turns_y_up_to_z_up(void)
{
    READS(read_gltf_with("[{\"mesh\":0}]", "6", WORDS, VIEWS));
    CHECK(m.triangle_count == 2 && m.vertex_count == 4);
    CHECK(is_at(2, 1, 0, 1)); /* (1, 1, 0) with Y up is (1, 0, 1) with Z up */
}

static void test_gltf__reads_every_index_width_and_mode(void)
{
    READS(read_gltf_with("[{\"mesh\":0}]", "5", "[" POSITIONS "," INDICES("5121", "1") "]", VIEWS));
    CHECK(m.triangle_count == 2);
    /* A strip turns every other triangle round: 0 1 2, then 2 1 3. */
    CHECK(m.triangles[3] == 2 && m.triangles[4] == 1 && m.triangles[5] == 3);
    READS(read_gltf_with("[{\"mesh\":0}]", "6", "[" POSITIONS "," INDICES("5123", "2") "]", VIEWS));
    CHECK(m.triangles[3] == 0 && m.triangles[4] == 2 && m.triangles[5] == 3);
    READS(read_gltf_with("[{\"mesh\":0}]", "4", WORDS, VIEWS));
    CHECK(m.triangle_count == 1);
    FAILS_WITH(read_gltf_with("[{\"mesh\":0}]", "1", WORDS, VIEWS), "mesh_empty");
}

static void test_gltf__applies_the_transforms_of_the_tree(void)
{
    /* Scale 2, a quarter turn around Y, then up by 5; the child is mirrored in X. */
    READS(read_gltf_with("[{\"children\":[1],\"translation\":[0,5,0],\"scale\":[2,2,2],"
                         "\"rotation\":[0,0.7071067811865476,0,0.7071067811865476]},"
                         "{\"mesh\":0,\"matrix\":[-1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]}]",
                         "6", WORDS, VIEWS));
    /* Corner (1, 1, 0): mirrored (-1, 1, 0), doubled (-2, 2, 0), turned (0, 2, 2), raised
     * (0, 7, 2), Z up (0, -2, 7). */
    CHECK(is_at(2, 0, -2, 7));
    CHECK(m.triangles[1] == 2 && m.triangles[2] == 1); /* mirrored: corners change places */
}

static void test_gltf__reads_sparse_and_quantised_positions(void)
{
    /* All zeros but elements 1 and 2, given by two of the index bytes and two corners. */
    READS(read_gltf_with("[{\"mesh\":0}]", "6",
                         "[{\"componentType\":5126,\"count\":4,\"type\":\"VEC3\",\"sparse\":{"
                         "\"count\":2,\"indices\":{\"bufferView\":1,\"byteOffset\":1,"
                         "\"componentType\":5121},\"values\":{\"bufferView\":0,\"byteOffset\":12"
                         "}}}," INDICES("5125", "3") "]",
                         VIEWS));
    CHECK(is_at(1, 1, 0, 0) && is_at(2, 1, 0, 1) && is_at(3, 0, 0, 0));
    /* The words 0, 1, 2, 3 read as normalised signed shorts, eight bytes apart: (2, 0, 3) in Y up.
     */
    READS(read_gltf_with("[{\"mesh\":0}]", "6",
                         "[{\"bufferView\":0,\"componentType\":5122,\"count\":2,\"type\":"
                         "\"VEC3\",\"normalized\":true},{\"bufferView\":1,\"componentType\":5121,"
                         "\"count\":3,\"type\":\"SCALAR\"}]",
                         "[{\"buffer\":0,\"byteOffset\":60,\"byteLength\":14,\"byteStride\":8},"
                         "{\"buffer\":0,\"byteOffset\":47,\"byteLength\":3}]"));
    CHECK(m.vertex_count == 2 && is_at(1, 2 / 32767.0f, -3 / 32767.0f, 0));
}

static void test_gltf__refuses_what_reaches_too_far(void)
{
    FAILS_WITH(
        read_gltf_with("[{\"mesh\":0,\"children\":[1]},{\"children\":[0]}]", "4", WORDS, VIEWS),
        "mesh_damaged");
    FAILS_WITH(read_gltf_with("[{\"mesh\":7}]", "4", WORDS, VIEWS), "mesh_damaged");
    FAILS_WITH(read_gltf_with("[{\"mesh\":0}]", "4",
                              "[{\"bufferView\":0,\"byteOffset\":9007199254740990,"
                              "\"componentType\":5126,\"count\":4,\"type\":\"VEC3\"}," INDICES(
                                  "5125", "3") "]",
                              VIEWS),
               "mesh_truncated");
    FAILS_WITH(read_gltf_with("[{\"mesh\":0}]", "4",
                              "[{\"bufferView\":0,\"componentType\":5126,\"count\":5,\"type\":"
                              "\"VEC3\"}," INDICES("5125", "3") "]",
                              VIEWS),
               "mesh_truncated");
    FAILS_WITH(read_gltf_with("[{\"mesh\":0}]", "4", WORDS,
                              "[{\"buffer\":0,\"byteOffset\":40,\"byteLength\":48},{},{},"
                              "{\"buffer\":0,\"byteOffset\":60,\"byteLength\":16}]"),
               "mesh_truncated");
    FAILS_WITH(
        read_gltf_with("[{\"mesh\":0}]", "4",
                       "[{\"componentType\":5126,\"count\":50000000,\"type\":\"VEC3\"}," INDICES(
                           "5125", "3") "]",
                       VIEWS),
        "mesh_damaged");
    FAILS_WITH(read_text("{\"asset\":{\"version\":\"2.0\"},\"extensionsRequired\":"
                         "[\"ACME_mesh_of_the_future\"]}",
                         NULL),
               "mesh_unsupported");
    FAILS_WITH(read_text("{\"asset\":", NULL), "mesh_damaged");
}

static void test_gltf__never_opens_another_file(void)
{
    FAILS_WITH(
        read_text("{\"asset\":{\"version\":\"2.0\"},\"nodes\":[{\"mesh\":0}],\"meshes\":[{"
                  "\"primitives\":[{\"attributes\":{\"POSITION\":0}}]}],\"accessors\":[" POSITIONS
                  "],\"bufferViews\":[{\"buffer\":0,\"byteLength\":48}],"
                  "\"buffers\":[{\"byteLength\":48,\"uri\":\"/etc/passwd\"}]}",
                  NULL),
        "mesh_unsupported");
}

static void test_glb__is_held_to_its_lengths(void)
{
    const char *json = "{\"asset\":{\"version\":\"2.0\"},\"nodes\":[{\"mesh\":0}],\"meshes\":[{"
                       "\"primitives\":[{\"attributes\":{\"POSITION\":0},\"mode\":6}]}],"
                       "\"accessors\":[" POSITIONS "],\"bufferViews\":[{\"buffer\":0,"
                       "\"byteLength\":48}],\"buffers\":[{\"byteLength\":48}]}";
    uint8_t data[76];
    struct bytes b = {0};
    square(data);
    uint32_t n = (uint32_t)strlen(json);
    const uint32_t head[5] = {0x46546c67, 2, 12 + 8 + n + 8 + 48, n, 0x4e4f534a};
    const uint32_t chunk[2] = {48, 0x004e4942};
    READS(bytes_append(&b, head, sizeof head, &err));
    READS(bytes_append(&b, json, n, &err));
    READS(bytes_append(&b, chunk, sizeof chunk, &err));
    READS(bytes_append(&b, data, 48, &err));
    READS(read_bytes(b.data, b.len, NULL));
    CHECK(m.triangle_count == 2);
    /* Every shorter file is refused, whichever byte it ends at. */
    for (size_t len = 4; len < b.len; len++)
        CHECK(read_bytes(b.data, len, "a.glb") == -1);
    b.data[12] += 60; /* the JSON chunk reaches into the next one */
    CHECK(read_bytes(b.data, b.len, NULL) == -1);
    bytes_free(&b);
    mesh_free(&m);
}

static int read_packed(struct bytes *b)
{
    int failed = read_bytes(b->data, b->len, NULL);
    bytes_free(b);
    return failed;
}

static void bounds(float low[3], float high[3])
{
    for (size_t i = 0; i < 3 * m.vertex_count; i++) {
        low[i % 3] = i < 3 || m.xyz[i] < low[i % 3] ? m.xyz[i] : low[i % 3];
        high[i % 3] = i < 3 || m.xyz[i] > high[i % 3] ? m.xyz[i] : high[i % 3];
    }
}

static void test_gltf__unpacks_draco(void)
{
    struct bytes b = {0};
    float low[3], high[3];
    CHECK_OK(put_glb_draco(&b, 36, &err));
    READS(read_packed(&b));
    if (m.triangle_count != 12 || m.vertex_count < 8 || m.vertex_count > 36)
        TEST_GIVE_UP("%zu triangles, %zu vertices", m.triangle_count, m.vertex_count);
    bounds(low, high);
    /* 10 x 20 x 30 with Y up is 10 x 30 x 20 with Z up; 11 bits of 30. */
    const float wanted[6] = {0, -30, 0, 10, 0, 20};
    for (int k = 0; k < 3; k++) {
        CHECK_NEAR(low[k], wanted[k], 0.02);
        CHECK_NEAR(high[k], wanted[3 + k], 0.02);
    }
    READS(read_bytes(draco_box, sizeof draco_box, NULL));
    CHECK_TEXT(notes.format, "drc");
    CHECK(m.triangle_count == 12);
}

/* The file promises fewer triangles than the stream would unpack to; then a stream cut anywhere. */
static void test_gltf__refuses_draco_that_unpacks_to_more(void)
{
    struct bytes b = {0};
    CHECK_OK(put_glb_draco(&b, 33, &err));
    FAILS_WITH(read_packed(&b), "mesh_too_large");
    for (size_t n = 5; n < sizeof draco_box; n++)
        CHECK(read_bytes(draco_box, n, "a.drc") == -1 && *err.code);
    /* The head says 4,294,967,295 triangles: refused before libdraco reserves them. */
    uint8_t bomb[sizeof draco_box + 8];
    memcpy(bomb, draco_box, 13);
    memcpy(bomb + 13, "\xff\xff\xff\xff\x0f", 5);
    memcpy(bomb + 18, draco_box + 14, sizeof draco_box - 14);
    FAILS_WITH(read_bytes(bomb, sizeof draco_box + 4, NULL), "mesh_too_large");
}

static void test_gltf__unpacks_meshopt(void)
{
    struct bytes b = {0};
    float low[3], high[3];
    CHECK_OK(put_glb_meshopt(&b, &err));
    READS(read_packed(&b));
    CHECK(m.triangle_count == 224);
    bounds(low, high);
    /* glb_write gives metres; the ball of radius 10 mm stands about (1, 2, 3) mm. */
    for (int k = 0; k < 3; k++) {
        CHECK_NEAR(low[k] * 1000, k + 1 - 10.0, 0.25);
        CHECK_NEAR(high[k] * 1000, k + 1 + 10.0, 0.25);
    }
}

/* Counts that the packed bytes cannot hold are refused before memory is reserved. */
static void test_gltf__refuses_meshopt_bombs(void)
{
    struct bytes b = {0};
    static const char *const tries[][2] = {{"ATTRIBUTES", "40000000"}, {"TRIANGLES", "150000000"},
                                           {"INDICES", "100000000"},   {"ATTRIBUTES", "9e15"},
                                           {"TRIANGLES", "3000"},      {"WISHES", "3"}};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        char json[1200];
        snprintf(json, sizeof json,
                 "{\"asset\":{\"version\":\"2.0\"},\"nodes\":[{\"mesh\":0}],\"meshes\":[{"
                 "\"primitives\":[{\"attributes\":{\"POSITION\":0}}]}],\"accessors\":[{"
                 "\"bufferView\":0,\"componentType\":5126,\"count\":3,\"type\":\"VEC3\"}],"
                 "\"bufferViews\":[{\"buffer\":0,\"byteLength\":36,\"extensions\":{"
                 "\"EXT_meshopt_compression\":{\"buffer\":0,\"byteLength\":64,\"byteStride\":%d,"
                 "\"mode\":\"%s\",\"count\":%s}}}],\"buffers\":[{\"byteLength\":64}]}",
                 *tries[i][0] == 'A' ? 12 : 4, tries[i][0], tries[i][1]);
        uint8_t data[64] = {0xa0};
        CHECK_OK(put_glb(&b, json, data, sizeof data, &err));
        CHECK(read_packed(&b) == -1);
        if (strcmp(err.code, "mesh_damaged") != 0 && strcmp(err.code, "mesh_too_large") != 0)
            TEST_GIVE_UP("try %zu: %s %s", i, err.code, err.what);
    }
}

/* Morph targets stand at their default weights: half of (0, 0, 4) is added to each corner. */
static void test_gltf__stands_at_its_default_weights(void)
{
    static const float data[18] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 4, 0, 0, 4};
    static const char json[] =
        "{\"asset\":{\"version\":\"2.0\"},\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"weights\":[0.5],"
        "\"primitives\":[{\"attributes\":{\"POSITION\":0},\"targets\":[{\"POSITION\":1}]}]}],"
        "\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"count\":3,\"type\":\"VEC3\"},"
        "{\"bufferView\":0,\"byteOffset\":36,\"componentType\":5126,\"count\":3,\"type\":\"VEC3\"}]"
        ","
        "\"bufferViews\":[{\"buffer\":0,\"byteLength\":72}],\"buffers\":[{\"byteLength\":72}]}";
    struct bytes b = {0};
    CHECK_OK(put_glb(&b, json, data, sizeof data, &err));
    READS(read_packed(&b));
    CHECK(is_at(0, 0, -2, 0) && is_at(1, 1, -2, 0) && is_at(2, 0, -2, 1));
}

/* Nothing to copy to nowhere: the undefined-behaviour sanitizer found it. */
static void test_gltf__takes_accessors_of_nothing(void)
{
    FAILS_WITH(read_gltf_with("[{\"mesh\":0}]", "4",
                              "[{\"bufferView\":0,\"componentType\":5126,\"count\":0,\"type\":"
                              "\"VEC3\"},{\"bufferView\":3,\"componentType\":5125,\"count\":0,"
                              "\"type\":\"SCALAR\"}]",
                              VIEWS),
               "mesh_empty");
}

/* Decimals as near to the middle of two floats as can be are where a fast way goes wrong. */
static void test_text__rounds_numbers_exactly(void)
{
    uint64_t dice = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        char word[80];
        float f, wanted;
        double d;
        dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
        uint32_t bits = (uint32_t)(dice >> 20) % 0x40000000u + 0x20000000u;
        memcpy(&f, &bits, sizeof f);
        double middle = ((double)f + (double)nextafterf(f, 1e30f)) / 2;
        snprintf(word, sizeof word, i % 3 ? "%.*g" : "%.*e", 6 + i % 30,
                 i % 2 ? (double)f : middle);
        struct text text = {word, word + strlen(word)}, again = text;
        CHECK(text_float(&text, &f) && text_number(&again, &d) && text.at == text.end);
        wanted = strtof(word, NULL);
        if (memcmp(&f, &wanted, sizeof f) != 0 || d != strtod(word, NULL))
            TEST_GIVE_UP("%s read as %.9g and %.17g", word, f, d);
    }
}

/* 2 MB of text are read in pieces by several threads: the same as in one, also where faces count
 * back and lines go on in the next one. */
static void test_obj__reads_large_files_in_pieces(void)
{
    struct bytes b = {0};
    for (unsigned i = 0; i < 60000; i++)
        CHECK_OK(bytes_printf(&b, &err, "v %u.25 %u 0\nv %u 1 \\\n 0\nv %u 0 1\nf -3 -2 \\\n -1\n",
                              i, i, i, i));
    CHECK(b.len > (size_t)5 << 19);
    READS(read_packed(&b));
    CHECK(m.triangle_count == 60000 && m.vertex_count == 180000);
    for (uint32_t t = 0; t < 60000; t++)
        CHECK(m.triangles[3 * t] == 3 * t && m.triangles[3 * t + 2] == 3 * t + 2);
    CHECK(m.xyz[9 * 59999] == 59999.25f);
}

/* The name of the second solid is a word that ends facets elsewhere. */
static void test_stl__reads_large_text_in_pieces(void)
{
    struct bytes b = {0};
    CHECK_OK(bytes_printf(&b, &err, "solid endfacet\n"));
    for (unsigned i = 0; i < 90000; i++)
        CHECK_OK(
            bytes_printf(&b, &err,
                         "%sfacet normal 0 0 1\n outer loop\n  vertex %u 0 0\n  vertex %u 1 0\n"
                         "  vertex %u 0 1\n endloop\nendfacet\n",
                         i == 45000 ? "endsolid\nsolid\n  endfacet\n" : "", i, i, i));
    CHECK_OK(bytes_printf(&b, &err, "endsolid\n"));
    CHECK(b.len > (size_t)8 << 20);
    READS(read_packed(&b));
    CHECK(m.triangle_count == 90000 && m.xyz[9 * 89999] == 89999);
    CHECK(strstr(notes.text, "several solids") && !strstr(notes.text, "no end"));
}

/* Binary words and faces that are no triangles after a run that is. */
static void test_ply__takes_runs_of_plain_triangles(void)
{
    struct bytes b = {0};
    const float xyz[15] = {0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 5, 5, 5};
    const int32_t three[3] = {0, 1, 2}, four[4] = {0, 1, 2, 3}, last[3] = {4, 3, 2};
    CHECK_OK(
        bytes_printf(&b, &err,
                     "ply\nformat binary_little_endian 1.0\nelement vertex 5\nproperty float x\n"
                     "property float y\nproperty float z\nelement face 4\n"
                     "property list uchar int vertex_indices\nend_header\n"));
    CHECK_OK(bytes_append(&b, xyz, sizeof xyz, &err));
    for (int i = 0; i < 4; i++) {
        CHECK_OK(bytes_append(&b, i == 2 ? "\4" : "\3", 1, &err));
        CHECK_OK(i == 2 ? bytes_append(&b, four, 16, &err)
                        : bytes_append(&b, i == 3 ? last : three, 12, &err));
    }
    READS(read_bytes(b.data, b.len, NULL));
    CHECK(m.triangle_count == 5 && m.triangles[12] == 4 && m.triangles[11] == 3);
    FAILS_WITH(read_bytes(b.data, b.len - 1, NULL), "mesh_truncated");
    bytes_free(&b);
}

TESTS(TEST(test_read__refuses_what_is_no_mesh), TEST(test_stl__reads_text_in_odd_dress),
      TEST(test_stl__reads_binary_by_its_size), TEST(test_obj__reads_the_forms_of_a_face),
      TEST(test_obj__is_turned_when_it_stands_only_with_y_up),
      TEST(test_ply__reads_text_and_both_byte_orders),
      TEST(test_off__reads_with_comments_and_without_blank), TEST(test_gltf__turns_y_up_to_z_up),
      TEST(test_gltf__reads_every_index_width_and_mode),
      TEST(test_gltf__applies_the_transforms_of_the_tree),
      TEST(test_gltf__reads_sparse_and_quantised_positions),
      TEST(test_gltf__refuses_what_reaches_too_far), TEST(test_gltf__never_opens_another_file),
      TEST(test_glb__is_held_to_its_lengths), TEST(test_gltf__unpacks_draco),
      TEST(test_gltf__refuses_draco_that_unpacks_to_more), TEST(test_gltf__unpacks_meshopt),
      TEST(test_gltf__refuses_meshopt_bombs), TEST(test_gltf__stands_at_its_default_weights),
      TEST(test_gltf__takes_accessors_of_nothing), TEST(test_text__rounds_numbers_exactly),
      TEST(test_obj__reads_large_files_in_pieces), TEST(test_stl__reads_large_text_in_pieces),
      TEST(test_ply__takes_runs_of_plain_triangles))
