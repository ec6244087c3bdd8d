/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/export: what is written is what a second reader gets, and nothing else is. */
#include "base/child.h"
#include "print/export/export.h"
#include "print/export/glb_write.h"
#include "print/export/number.h"
#include "print/export/packer.h"
#include "print/export/xml.h"
#include "print/read/read.h"
#include "tests/print/plates.h"
#include "tests/test.h"

#include <omp.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err err;

/* A tetrahedron with coordinates that need all nine digits, a tiny one and a huge one. */
static float tetra_xyz[] = {0.1f, -0.0f,      0,           33.3333321f, 1.00000012f, 2.5e-7f,
                            1,    1234567.9f, 0.33333334f, 3,           4,           99.9999924f};
static uint32_t tetra_triangles[] = {0, 2, 1, 0, 1, 3, 1, 2, 3, 2, 0, 3};
static const struct mesh tetra = {tetra_xyz, tetra_triangles, 4, 4};

/* A 10 mm cube standing on z = 0 about the origin: the shape that every slicer takes. */
static float cube_xyz[] = {-5, -5, 0,  5, -5, 0,  5, 5, 0,  -5, 5, 0,
                           -5, -5, 10, 5, -5, 10, 5, 5, 10, -5, 5, 10};
static uint32_t cube_triangles[] = {0, 2, 1, 0, 3, 2, 4, 5, 6, 4, 6, 7, 0, 1, 5, 0, 5, 4,
                                    1, 2, 6, 1, 6, 5, 2, 3, 7, 2, 7, 6, 3, 0, 4, 3, 4, 7};
static const struct mesh cube = {cube_xyz, cube_triangles, 8, 12};

static const struct export_labels labels = {.title = "Ana & \"Bo\" <3",
                                            .order_id = "ord_1",
                                            .item_id = "itm_1",
                                            .printer_id = "ender3v3se",
                                            .material_id = "pla",
                                            .version_hash = "abc",
                                            .created = "2026-11-21"};

static int same_mesh(const struct mesh *a, const struct mesh *b)
{
    return a->vertex_count == b->vertex_count && a->triangle_count == b->triangle_count &&
           !memcmp(a->xyz, b->xyz, a->vertex_count * 12) &&
           !memcmp(a->triangles, b->triangles, a->triangle_count * 12);
}

/* The only object of ours, as lib3mf's strict mode has it. */
static int read_one(struct mesh *mesh, const struct bytes *file)
{
    struct threemf_objects read;
    int failed = threemf_read_objects(&read, file->data, file->len, &err);
    if (!failed && read.count == 1) {
        *mesh = read.at[0].mesh;
        read.at[0].mesh = (struct mesh){0};
    }
    threemf_objects_free(&read);
    return failed;
}

static void test_number__reads_back_to_the_same_float(void)
{
    uint32_t bits = 1;
    for (int i = 0; i < 400000; i++) {
        bits = bits * 1664525u + 1013904223u;
        float value, plain = (float)(bits >> 8) / 65536.0f;
        memcpy(&value, &bits, sizeof value);
        value = i % 2 && isfinite(value) ? value : plain;
        char text[NUMBER_ROOM + 1] = "", shorter[40];
        text[number_print_float(text, value)] = 0;
        float back = strtof(text, NULL), cast = (float)strtod(text, NULL);
        if (memcmp(&back, &value, 4) || memcmp(&cast, &value, 4))
            TEST_GIVE_UP("%s is not %.9g", text, (double)value);
        /* Not one digit more than needed. */
        size_t digits = 0, zeros = 0;
        for (const char *c = text; *c && *c != 'e'; c++)
            if (*c >= '0' && *c <= '9' && (digits > 0 || *c != '0'))
                digits++, zeros = *c == '0' ? zeros + 1 : 0;
        int need = (int)(digits - (strchr(text, '.') ? 0 : zeros));
        if (need > 1) {
            snprintf(shorter, sizeof shorter, "%.*e", need - 2, (double)value);
            if (strtof(shorter, NULL) == value)
                TEST_GIVE_UP("%s could be %s", text, shorter);
        }
    }
}

static void test_threemf__round_trip_is_bit_for_bit_and_without_warnings(void)
{
    uint8_t pixels[16 * 16 * 4];
    memset(pixels, 200, sizeof pixels);
    struct picture thumbnail = {pixels, 16, 16};
    struct bytes out = {0};
    struct mesh back = {0};
    CHECK_OK(write_one(
        &out,
        ONE(.mesh = &tetra, .labels = &labels, .thumbnail = &thumbnail, .x_mm = 110, .y_mm = 110.5),
        &err));
    CHECK_OK(read_one(&back, &out));
    CHECK(same_mesh(&tetra, &back));
    mesh_free(&back);
    /* Anybody's way of reading: the place on the bed counts. */
    CHECK_OK(threemf_read_skin(&back, NULL, out.data, out.len, &err));
    CHECK_NEAR(back.xyz[0], 110.1, 1e-4);
    CHECK_NEAR(back.xyz[1], 110.5, 1e-4);
    mesh_free(&back);
    bytes_free(&out);
}

static void test_threemf__same_input_gives_same_bytes(void)
{
    struct bytes a = {0}, b = {0};
    CHECK_OK(bytes_append(&b, "before", 6, &err));
    CHECK_OK(write_one(&a, ONE(.mesh = &cube, .labels = &labels), &err));
    CHECK_OK(write_one(&b, ONE(.mesh = &cube, .labels = &labels), &err));
    CHECK(b.len == a.len + 6 && !memcmp(a.data, b.data + 6, a.len));
    bytes_free(&a);
    bytes_free(&b);
}

static int write_parts(struct bytes *out, const char *model)
{
    static const char types[] =
        "<?xml version=\"1.0\"?><Types "
        "xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default "
        "Extension=\"rels\" ContentType=\"application/"
        "vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"model\" "
        "ContentType=\"application/vnd.ms-package.3dmanufacturing-3dmodel+xml\"/></Types>";
    static const char rels[] =
        "<?xml version=\"1.0\"?><Relationships "
        "xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship "
        "Target=\"/3D/m.model\" Id=\"a\" "
        "Type=\"http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel\"/></Relationships>";
    const char *parts[][2] = {
        {"[Content_Types].xml", types}, {"_rels/.rels", rels}, {"3D/m.model", model}};
    struct packer zip = {.out = out};
    for (int i = 0; i < 3; i++)
        if (packer_part_open(&zip, parts[i][0], &err) ||
            packer_part_write(&zip, parts[i][1], strlen(parts[i][1]), &err) ||
            packer_part_close(&zip, &err))
            return -1;
    return packer_close(&zip, &err);
}

#define MODEL(unit, objects, items)                                                                \
    "<?xml version=\"1.0\"?><model unit=\"" unit                                                   \
    "\" xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/2015/02\"><resources>"           \
    "<object id=\"1\" type=\"model\"><mesh><vertices><vertex x=\"0\" y=\"0\" z=\"0\"/>"            \
    "<vertex x=\"1\" y=\"0\" z=\"0\"/><vertex x=\"0\" y=\"1\" z=\"0\"/>"                           \
    "<vertex x=\"0\" y=\"0\" z=\"1\"/></vertices><triangles><triangle v1=\"0\" v2=\"2\" "          \
    "v3=\"1\"/>"                                                                                   \
    "<triangle v1=\"0\" v2=\"1\" v3=\"3\"/><triangle v1=\"1\" v2=\"2\" v3=\"3\"/>"                 \
    "<triangle v1=\"2\" v2=\"0\" v3=\"3\"/></triangles></mesh></object>" objects                   \
    "</resources><build>" items "</build></model>"

/* Six times the signed volume: positive when the triangles face outwards. */
static double volume6(const struct mesh *m)
{
    double sum = 0;
    for (size_t t = 0; t < m->triangle_count; t++) {
        const float *a = m->xyz + 3 * m->triangles[3 * t],
                    *b = m->xyz + 3 * m->triangles[3 * t + 1],
                    *c = m->xyz + 3 * m->triangles[3 * t + 2];
        sum += a[0] * ((double)b[1] * c[2] - (double)b[2] * c[1]) +
               a[1] * ((double)b[2] * c[0] - (double)b[0] * c[2]) +
               a[2] * ((double)b[0] * c[1] - (double)b[1] * c[0]);
    }
    return sum;
}

/* Inches, two items, one through a component that mirrors and moves: all that can go wrong. */
static void test_threemf__reads_items_components_mirrors_and_units(void)
{
    struct bytes file = {0};
    struct mesh mesh = {0};
    static const char model[] =
        MODEL("inch",
              "<object id=\"2\" type=\"model\"><components><component objectid=\"1\" "
              "transform=\"-1 0 0 0 1 0 0 0 1 5 0 0\"/></components></object>",
              "<item objectid=\"1\"/><item objectid=\"2\" transform=\"0 2 0 -2 0 0 0 0 2 0 "
              "0 7\"/>");
    CHECK_OK(write_parts(&file, model));
    CHECK_OK(threemf_read_skin(&mesh, NULL, file.data, file.len, &err));
    CHECK(mesh.vertex_count == 8 && mesh.triangle_count == 8);
    CHECK_NEAR(mesh.xyz[3], 25.4, 1e-4);
    /* Vertex 1 of the second: (1,0,0) -> mirrored (4,0,0) -> turned and doubled (0,8,7). */
    CHECK_NEAR(mesh.xyz[15], 0, 1e-3);
    CHECK_NEAR(mesh.xyz[16], 8 * 25.4, 1e-3);
    CHECK_NEAR(mesh.xyz[17], 7 * 25.4, 1e-3);
    CHECK_NEAR(volume6(&mesh), (1 + 8) * 25.4 * 25.4 * 25.4, 1);
    mesh_free(&mesh);
    bytes_free(&file);
}

static void test_threemf__refuses_what_builds_nothing_or_is_no_zip(void)
{
    struct bytes file = {0};
    struct mesh mesh = {0};
    CHECK_OK(write_parts(&file, MODEL("millimeter", "", "")));
    CHECK_FAILS(threemf_read_skin(&mesh, NULL, file.data, file.len, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "threemf_rejected");
    CHECK_FAILS(threemf_read_skin(&mesh, NULL, (const uint8_t *)"hello", 5, &err), ERR_INPUT);
    CHECK_FAILS(threemf_read_skin(&mesh, NULL, file.data, file.len / 2, &err), ERR_INPUT);
    CHECK(!mesh.xyz);
    bytes_free(&file);
}

/* Each component names the next twice: 2^24 copies of a tetrahedron from a few hundred bytes. */
static void test_threemf__refuses_components_that_multiply(void)
{
    struct bytes objects = {0}, model = {0}, file = {0};
    struct mesh mesh = {0};
    for (int i = 2; i < 26; i++)
        CHECK_OK(bytes_printf(&objects, &err,
                              "<object id=\"%d\" type=\"model\"><components><component "
                              "objectid=\"%d\"/><component objectid=\"%d\"/></components></object>",
                              i, i - 1, i - 1));
    static const char frame[] = MODEL("millimeter", "@", "<item objectid=\"25\"/>");
    const char *at = strchr(frame, '@');
    CHECK_OK(bytes_printf(&model, &err, "%.*s%s%s", (int)(at - frame), frame, (char *)objects.data,
                          at + 1));
    CHECK_OK(write_parts(&file, (const char *)model.data));
    CHECK_FAILS(threemf_read_skin(&mesh, NULL, file.data, file.len, &err), ERR_LIMIT);
    bytes_free(&objects);
    bytes_free(&model);
    bytes_free(&file);
}

static void test_threemf__writer_refuses_damaged_meshes_and_takes_back_its_bytes(void)
{
    struct bytes out = {.limit = 2000};
    float bad_xyz[12];
    uint32_t bad_triangles[12];
    memcpy(bad_xyz, tetra_xyz, sizeof bad_xyz);
    memcpy(bad_triangles, tetra_triangles, sizeof bad_triangles);
    struct mesh bad = {bad_xyz, bad_triangles, 4, 4};
    bad_xyz[5] = NAN;
    CHECK_FAILS(write_one(&out, ONE(.mesh = &bad), &err), ERR_INPUT);
    CHECK_TEXT(err.code, "mesh_not_finite");
    bad_xyz[5] = 0;
    bad_triangles[4] = 4;
    CHECK_FAILS(write_one(&out, ONE(.mesh = &bad), &err), ERR_INPUT);
    CHECK_TEXT(err.code, "mesh_damaged");
    bad_triangles[4] = bad_triangles[3];
    CHECK_FAILS(write_one(&out, ONE(.mesh = &bad), &err), ERR_INPUT);
    CHECK_TEXT(err.code, "mesh_degenerate");
    CHECK_OK(bytes_append(&out, "kept", 4, &err));
    out.limit = 900;
    CHECK_FAILS(write_one(&out, ONE(.mesh = &tetra, .labels = &labels), &err), ERR_LIMIT);
    CHECK_TEXT((char *)out.data, "kept");
    bytes_free(&out);
}

static void test_xml__escapes_drops_and_bounds(void)
{
    struct bytes out = {0};
    CHECK_OK(
        xml_text(&out, "a<b>&\"'\x07\x1f\n\xc3\xa4\xc3\xff\xed\xa0\x80\xef\xbf\xbe.", 50, &err));
    CHECK_TEXT((char *)out.data, "a&lt;b&gt;&amp;&quot;&apos; \xc3\xa4.");
    bytes_free(&out);
    CHECK_OK(xml_text(&out, "\xc3\xa4\xc3\xb6\xc3\xbc", 2, &err));
    CHECK_TEXT((char *)out.data, "\xc3\xa4\xc3\xb6");
    bytes_free(&out);
}

static void test_stl__holds_each_triangle_with_its_normal(void)
{
    struct bytes out = {0};
    CHECK_OK(stl_write(&out, &cube, "solid\n", &err));
    CHECK(out.len == 84 + 12 * 50);
    CHECK(memcmp(out.data, "solid", 5) != 0);
    uint32_t count;
    float record[12];
    memcpy(&count, out.data + 80, 4);
    CHECK(count == 12);
    memcpy(record, out.data + 84, sizeof record);
    CHECK(record[0] == 0 && record[1] == 0 && record[2] == -1);
    CHECK(record[3] == -5 && record[6] == 5 && record[7] == 5 && record[9] == 5);
    bytes_free(&out);
}

/* Customers' files are read there: each system call that lib3mf makes must be on the list. */
static void test_threemf__is_read_in_a_confined_child(void)
{
    struct bytes out = {0};
    int status = 0;
    CHECK_OK(
        write_one(&out, ONE(.mesh = &cube, .labels = &labels, .x_mm = 110, .y_mm = 110), &err));
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct mesh back = {0};
        int failed = child_confine("/tmp", &err) ||
                     threemf_read_skin(&back, NULL, out.data, out.len, &err) ||
                     back.triangle_count != 12;
        _exit(failed ? 1 : 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    bytes_free(&out);
}

/* What other programs say of the same file. */
static void run_on_cube(struct child_result *r, const char *const *argv, const char *folder)
{
    struct bytes out = {0};
    char path[100];
    snprintf(path, sizeof path, "%s/cube.3mf", folder);
    CHECK_OK(
        write_one(&out, ONE(.mesh = &cube, .labels = &labels, .x_mm = 110, .y_mm = 110), &err));
    CHECK_OK(file_write(path, out.data, out.len, &err));
    bytes_free(&out);
    if (child_run(r, &(struct child_options){.argv = argv, .folder = folder}, &err)) {
        if (err.kind == ERR_ABSENT)
            SKIP(err.what);
        TEST_GIVE_UP("%s", err.what);
    }
}

static void test_threemf__prusa_slicer_calls_the_cube_manifold(void)
{
    char folder[] = "/tmp/statuette-test-XXXXXX";
    struct child_result r = {0};
    CHECK(mkdtemp(folder));
    run_on_cube(&r, (const char *[]){"prusa-slicer", "--info", "cube.3mf", NULL}, folder);
    folder_remove(folder);
    if (*test_skipped || *test_failure)
        return;
    CHECK(r.exit_code == 0);
    CHECK(strstr((char *)r.out.data, "manifold = yes"));
    CHECK(strstr((char *)r.out.data, "number_of_facets = 12"));
    child_result_free(&r);
}

static void test_threemf__python_reads_the_archive_and_its_labels(void)
{
    static const char script[] =
        "import zipfile,xml.etree.ElementTree as e\n"
        "z=zipfile.ZipFile('cube.3mf'); assert z.testzip() is None\n"
        "r=e.fromstring(z.read('3D/3dmodel.model')); n=r.tag[:r.tag.index('}')+1]\n"
        "print({m.get('name'):m.text for m in r.iter(n+'metadata')}, "
        "r.find('.//'+n+'object').get('name'))\n";
    char folder[] = "/tmp/statuette-test-XXXXXX";
    struct child_result r = {0};
    CHECK(mkdtemp(folder));
    run_on_cube(&r, (const char *[]){"python3", "-c", script, NULL}, folder);
    folder_remove(folder);
    if (*test_skipped || *test_failure)
        return;
    CHECK(r.exit_code == 0);
    CHECK(strstr((char *)r.out.data, "'Title': 'Ana & \"Bo\" <3'"));
    CHECK(strstr((char *)r.out.data, "'statuette:OrderId': 'ord_1'"));
    CHECK(strstr((char *)r.out.data, "'statuette:VersionHash': 'abc'"));
    CHECK(strstr((char *)r.out.data, "figure 1"));
    child_result_free(&r);
}

/* Threads share the chunks out as they come; 70,000 triangles are some six chunks. */
static void test_threemf__many_threads_give_the_bytes_of_one(void)
{
    struct mesh ball = {0};
    struct bytes one = {0}, many = {0};
    add_ball(&ball, 1, 2, 3, 40, 133);
    omp_set_num_threads(1);
    CHECK_OK(write_one(&one, ONE(.mesh = &ball, .labels = &labels), &err));
    omp_set_num_threads(5);
    CHECK_OK(write_one(&many, ONE(.mesh = &ball, .labels = &labels), &err));
    CHECK(one.len == many.len && memcmp(one.data, many.data, one.len) == 0);
    /* Five blocks of text in a ring of four: the last must not run over the first. */
    for (int i = 0; i < 40; i++)
        CHECK_OK(verify_one(&one, one.len, ONE(.mesh = &ball, .labels = &labels), &err));
    struct mesh back = {0};
    CHECK_OK(read_one(&back, &many));
    CHECK(same_mesh(&back, &ball));
    mesh_free(&back);
    mesh_free(&ball);
    bytes_free(&one);
    bytes_free(&many);
}

/* Every single bit of the model's packed bytes matters, and so does every number of the mesh. */
static void test_threemf__verify_finds_every_difference(void)
{
    struct bytes file = {0};
    struct mesh other = {0};
    CHECK_OK(write_one(&file, ONE(.mesh = &cube), &err));
    CHECK_OK(verify_one(&file, file.len, ONE(.mesh = &cube), &err));
    for (int i = 0; i < 24; i++) {
        CHECK_OK(mesh_copy(&other, &cube, &err));
        other.xyz[i] = nextafterf(other.xyz[i], 100);
        CHECK_FAILS(verify_one(&file, file.len, ONE(.mesh = &other), &err), ERR_BUG);
        mesh_free(&other);
    }
    for (int i = 0; i < 36; i++) {
        CHECK_OK(mesh_copy(&other, &cube, &err));
        other.triangles[i] ^= 1;
        CHECK_FAILS(verify_one(&file, file.len, ONE(.mesh = &other), &err), ERR_BUG);
        mesh_free(&other);
    }
    CHECK_OK(mesh_copy(&other, &cube, &err));
    other.triangle_count--; /* one more in the file than was meant */
    CHECK_FAILS(verify_one(&file, file.len, ONE(.mesh = &other), &err), ERR_BUG);
    mesh_free(&other);
    const uint8_t *head = memmem(file.data, file.len, "3D/3dmodel.model", 16);
    size_t first = (size_t)(head - file.data) + 16;
    const uint8_t *end = memmem(head, file.len - first, "PK\1\2", 4);
    end = memmem(head, (size_t)(end - head), "PK\3\4", 4);
    /* the last byte may be filled up with bits that nobody reads */
    for (size_t i = first; i < (size_t)(end - file.data) - 1; i++) {
        file.data[i] ^= 4;
        CHECK_FAILS(verify_one(&file, file.len, ONE(.mesh = &cube), &err), ERR_BUG);
        file.data[i] ^= 4;
    }
    for (size_t n = 0; n < file.len; n++)
        CHECK(verify_one(&file, n, ONE(.mesh = &cube), &err) == -1);
    bytes_free(&file);
}

/* lib3mf's strict reader takes the palette without a warning. */
static void test_threemf__colours_pass_the_strict_reader(void)
{
    const uint8_t rgb[2][3] = {{255, 255, 255}, {16, 32, 48}};
    uint8_t of_triangle[12] = {1, 0, 0, 1};
    struct export_palette palette = {2, rgb, of_triangle};
    struct bytes file = {0};
    struct mesh back = {0};
    CHECK_OK(write_one(
        &file, ONE(.mesh = &cube, .palette = &palette, .labels = &labels, .x_mm = 110, .y_mm = 110),
        &err));
    CHECK_OK(read_one(&back, &file));
    CHECK(same_mesh(&back, &cube));
    CHECK_OK(verify_one(
        &file, file.len,
        ONE(.mesh = &cube, .palette = &palette, .labels = &labels, .x_mm = 110, .y_mm = 110),
        &err));
    of_triangle[5] = 2;
    CHECK_FAILS(write_one(&file, ONE(.mesh = &cube, .palette = &palette), &err), ERR_INPUT);
    mesh_free(&back);
    bytes_free(&file);
}

/* Through our own reader; three.js and Khronos's validator were asked by hand. */
static void test_glb__preview_reads_back_and_keeps_to_its_budget(void)
{
    struct mesh ball = {0}, back = {0};
    struct bytes file = {0}, again = {0};
    struct read_notes notes;
    struct glb_options options = GLB_OPTIONS_DEFAULT;
    float high[3] = {-1, -1, -1};
    add_ball(&ball, 0, 0, 50, 50, 60);
    CHECK_OK(glb_write(&file, &ball, NULL, &options, &err));
    CHECK_OK(mesh_read(&back, &notes, file.data, file.len, NULL, &err));
    CHECK(back.triangle_count == ball.triangle_count && back.vertex_count == ball.vertex_count);
    for (size_t i = 0; i < 3 * back.vertex_count; i++)
        high[i % 3] = back.xyz[i] > high[i % 3] ? back.xyz[i] : high[i % 3];
    CHECK_NEAR(high[0], 0.05, 1e-5); /* metres, Z up again */
    CHECK_NEAR(high[2], 0.1, 1e-5);
    CHECK(file.len < 6 * ball.triangle_count);
    mesh_free(&back);
    options.max_triangles = 2000;
    bytes_free(&file);
    CHECK_OK(glb_write(&file, &ball, NULL, &options, &err));
    CHECK_OK(glb_write(&again, &ball, NULL, &options, &err));
    CHECK(file.len == again.len && memcmp(file.data, again.data, file.len) == 0);
    CHECK_OK(mesh_read(&back, &notes, file.data, file.len, NULL, &err));
    CHECK(back.triangle_count <= 2250 && back.triangle_count > 500);
    mesh_free(&back);
    mesh_free(&ball);
    bytes_free(&file);
    bytes_free(&again);
}

/* A palette stays sharp: each side of the box has its own colour right to its edges. */
static void test_glb__preview_keeps_a_palettes_edges(void)
{
    struct mesh back = {0};
    struct skin skin = {0};
    struct bytes file = {0};
    struct read_notes notes;
    struct glb_options options = GLB_OPTIONS_DEFAULT;
    uint8_t rgb[12][3], got[3];
    size_t seen = 0;
    for (int t = 0; t < 12; t++)
        memcpy(rgb[t], (uint8_t[3]){(uint8_t)(40 * (t / 2)), 7, 200}, 3);
    CHECK_OK(glb_write(&file, &cube, (const uint8_t(*)[3])rgb, &options, &err));
    CHECK_OK(mesh_read_skin(&back, &skin, &notes, file.data, file.len, NULL, &err));
    CHECK(back.triangle_count == 12 && back.vertex_count == 24);
    for (size_t t = 0; t < 12; t++) {
        skin_colour(got, &skin, &back, t, (double[3]){0.98, 0.01, 0.01});
        CHECK(got[1] == 7 && got[2] == 200 && got[0] % 40 == 0);
        seen |= (size_t)1 << (got[0] / 40);
    }
    CHECK(seen == 63);
    mesh_free(&back);
    skin_free(&skin);
    bytes_free(&file);
}

TESTS(TEST(test_number__reads_back_to_the_same_float),
      TEST(test_threemf__round_trip_is_bit_for_bit_and_without_warnings),
      TEST(test_threemf__same_input_gives_same_bytes),
      TEST(test_threemf__reads_items_components_mirrors_and_units),
      TEST(test_threemf__refuses_what_builds_nothing_or_is_no_zip),
      TEST(test_threemf__refuses_components_that_multiply),
      TEST(test_threemf__writer_refuses_damaged_meshes_and_takes_back_its_bytes),
      TEST(test_xml__escapes_drops_and_bounds), TEST(test_stl__holds_each_triangle_with_its_normal),
      TEST(test_threemf__is_read_in_a_confined_child),
      TEST(test_threemf__prusa_slicer_calls_the_cube_manifold),
      TEST(test_threemf__python_reads_the_archive_and_its_labels),
      TEST(test_threemf__many_threads_give_the_bytes_of_one),
      TEST(test_threemf__verify_finds_every_difference),
      TEST(test_threemf__colours_pass_the_strict_reader),
      TEST(test_glb__preview_reads_back_and_keeps_to_its_budget),
      TEST(test_glb__preview_keeps_a_palettes_edges))
