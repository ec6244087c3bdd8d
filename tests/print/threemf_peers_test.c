/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What other programs make of our 3MF files: schemas, three.js, PrusaSlicer, Cura's own reader. */
#include <limits.h>
#include <unistd.h>

#include "base/child.h"
#include "base/json.h"
#include "print/export/verify_zip.h"
#include "tests/print/plates.h"
#include "tests/test.h"

static struct err err;

/* A folder for one test, and its plates as files "0.3mf", "1.3mf" ... */
static char folder[64];

static int open_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/statuette-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int write_plate(const struct export_plate *plate, int kind)
{
    struct bytes file = {0};
    char path[100];
    snprintf(path, sizeof path, "%s/%d.3mf", folder, kind);
    int failed =
        threemf_write_plate(&file, plate, &err) || file_write(path, file.data, file.len, &err);
    bytes_free(&file);
    return failed;
}

static int write_kinds(void)
{
    for (int kind = 0; kind < PLATE_KINDS; kind++) {
        struct plate_made made;
        plate_make(&made, kind);
        int failed = write_plate(&made.plate, kind);
        plate_free(&made);
        if (failed)
            return -1;
    }
    return 0;
}

/* Runs a program there; 1 where it is not installed. */
static int run(struct child_result *r, const char *const *argv)
{
    if (!child_run(r, &(struct child_options){.argv = argv, .folder = folder}, &err))
        return 0;
    return err.kind == ERR_ABSENT ? 1 : -1;
}
#define RUN(r, ...)                                                                                \
    do {                                                                                           \
        int code_ = run((r), (const char *const[]){__VA_ARGS__, NULL});                            \
        if (code_)                                                                                 \
            folder_remove(folder);                                                                 \
        if (code_ > 0)                                                                             \
            SKIP(err.what);                                                                        \
        if (code_ < 0)                                                                             \
            TEST_GIVE_UP("%s", err.what);                                                          \
    } while (0)

static const struct {
    const char *schema, *part;
} schemas[] = {{"model.xsd", "3D/3dmodel.model"},
               {"types.xsd", "[Content_Types].xml"},
               {"relations.xsd", "_rels/.rels"},
               {"prusa.xsd", "Metadata/Slic3r_PE_model.config"},
               {"orca.xsd", "Metadata/model_settings.config"}};
enum { MODEL, TYPES, RELATIONS, PRUSA, ORCA, SCHEMAS };

/* One part of a plate's file, as text. */
static int part_of(struct bytes *text, int kind, int schema)
{
    struct plate_made made;
    struct bytes file = {0};
    struct verify_zip zip;
    plate_make(&made, kind);
    int failed = threemf_write_plate(&file, &made.plate, &err) ||
                 verify_zip_open(&zip, file.data, file.len, &err) ||
                 verify_zip_read(text, verify_zip_find(&zip, schemas[schema].part), &err);
    bytes_free(&file);
    plate_free(&made);
    return failed;
}

/* Says 0 where the text follows its schema, 1 where not. */
static int validate(struct child_result *r, const char *text, int schema)
{
    char path[100], here[PATH_MAX], file[PATH_MAX + 100];
    snprintf(path, sizeof path, "%s/part.xml", folder);
    if (!getcwd(here, sizeof here) || file_write(path, text, strlen(text), &err))
        return -1;
    snprintf(file, sizeof file, "%s/tests/print/threemf/%s", here, schemas[schema].schema);
    return run(r, (const char *const[]){"xmllint", "--nonet", "--noout", "--schema", file,
                                        "part.xml", NULL});
}

static void test_threemf__every_kind_follows_the_schemas(void)
{
    CHECK(!open_folder());
    for (int kind = 0; kind < PLATE_KINDS; kind++)
        for (int schema = 0; schema < SCHEMAS; schema++) {
            struct bytes text = {0};
            struct child_result r = {0};
            CHECK_OK(part_of(&text, kind, schema));
            int code = validate(&r, (const char *)text.data, schema);
            if (code > 0) {
                folder_remove(folder);
                SKIP(err.what);
            }
            CHECK(code == 0);
            if (r.exit_code)
                TEST_GIVE_UP("kind %d: %.300s", kind, (const char *)r.err.data);
            bytes_free(&text);
            child_result_free(&r);
        }
    folder_remove(folder);
}

/* What the schemas are for: each of these differs from a good file by one word. */
static const struct {
    int schema;
    const char *from, *to;
} spoilt[] = {
    {MODEL, "<model unit=\"millimeter\"", "<model unit=\"miles\""},
    {MODEL, "<metadata name=\"Title\"", "<metadata name=\"Titel\""},
    {MODEL, "<metadata name=\"Designer\"", "<metadata name=\"Title\""},
    {MODEL, "<metadata name=\"Title\"", "<metadata"},
    {MODEL, "name=\"statuette:OrderId\"", "name=\"other:OrderId\""},
    {MODEL, " <resources>", " <resources/><resources>"},
    {MODEL, "</resources>", "</resources><metadata name=\"Rating\">5</metadata>"},
    {MODEL, "<m:color color=\"#FFFFFF\"", "<m:color color=\"#FFFFF\""},
    {MODEL, "<m:color color=\"#FFFFFF\"", "<m:color"},
    {MODEL, "<m:colorgroup id=\"4\">", "<m:colorgroup>"},
    {MODEL, "<m:colorgroup id=\"4\">", "<m:colorgroup id=\"5\">"}, /* what has colours has none */
    {MODEL, "<m:colorgroup id=\"4\">", "<m:colorgroup id=\"1\">"}, /* one id, two resources */
    {MODEL, "<object id=\"2\"", "<object id=\"1\""},
    {MODEL, "<object id=\"2\"", "<object"},
    {MODEL, "<object id=\"2\"", "<object id=\"0\""},
    {MODEL, "type=\"model\"", "type=\"thing\""},
    {MODEL, "<mesh>", "<mesh><beams/>"},
    {MODEL, "<vertices>", "<vertices><point x=\"0\" y=\"0\" z=\"0\"/>"},
    {MODEL, "<vertex x=\"-10\"", "<vertex x=\"nan\""},
    {MODEL, "<vertex x=\"-10\"", "<vertex x=\"-10,5\""},
    {MODEL, "<vertex x=\"-10\"", "<vertex"},
    {MODEL, "v3=\"1\"", ""},
    {MODEL, "v3=\"1\"", "v3=\"-1\""},
    {MODEL, "pid=\"4\" p1=\"1\"", "pid=\"2\" p1=\"1\""}, /* an object is no colour */
    {MODEL, "pid=\"4\" p1=\"1\"", "p4=\"1\""},
    {MODEL, "<item objectid=\"3\"", "<item objectid=\"33\""},
    {MODEL, "<item objectid=\"3\"", "<item"},
    {MODEL, "60.5 61.25 0\"", "60.5 61.25\""},
    {MODEL, "60.5 61.25 0\"", "60.5 61.25 0 1\""},
    {MODEL, "60.5 61.25 0\"", "60.5 61.25 inf\""},
    {MODEL, " <build>", " <build/><build>"},
    {TYPES, "Extension=\"png\"", "Extension=\"rels\""},
    {TYPES, " ContentType=\"image/png\"", ""},
    {RELATIONS, "Target=\"/3D/3dmodel.model\"", "Target=\"3D/3dmodel.model\""},
    {RELATIONS, "Id=\"rel-2\"", "Id=\"rel-1\""},
    {RELATIONS, "metadata/thumbnail", "metadata/thumb"},
    {PRUSA, "<object id=\"2\"", "<object id=\"1\""},
    {PRUSA, "key=\"fill_density\"", "key=\"name\""},
    {PRUSA, "<volume firstid=\"0\"", "<volume"},
    {ORCA, "<assemble_item object_id=\"3\"", "<assemble_item object_id=\"4\""},
    {ORCA, "subtype=\"normal_part\"", "subtype=\"part\""},
    {ORCA, "key=\"wall_loops\"", "key=\"sparse_infill_density\""},
    {ORCA, "offset=\"0 0 0\"", "offset=\"0 0 0 0\""},
};

static void test_threemf__schemas_refuse_what_is_spoilt(void)
{
    CHECK(!open_folder());
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        struct bytes text = {0}, changed = {0};
        struct child_result r = {0};
        CHECK_OK(part_of(&text, 2, spoilt[i].schema));
        const char *at = strstr((const char *)text.data, spoilt[i].from);
        if (!at)
            TEST_GIVE_UP("there is no %s", spoilt[i].from);
        CHECK_OK(bytes_printf(&changed, &err, "%.*s%s%s", (int)(at - (const char *)text.data),
                              (const char *)text.data, spoilt[i].to, at + strlen(spoilt[i].from)));
        int code = validate(&r, (const char *)changed.data, spoilt[i].schema);
        if (code > 0) {
            folder_remove(folder);
            SKIP(err.what);
        }
        CHECK(code == 0);
        if (r.exit_code != 3) /* xmllint's word for what is well-formed and not valid */
            TEST_GIVE_UP("%s in place of %s: xmllint ends with %d", spoilt[i].to, spoilt[i].from,
                         r.exit_code);
        bytes_free(&text);
        bytes_free(&changed);
        child_result_free(&r);
    }
    folder_remove(folder);
}

static int count_of(const char *text, const char *word)
{
    int count = 0;
    while ((text = strstr(text, word)))
        count++, text += strlen(word);
    return count;
}

static void test_threemf__prusa_slicer_calls_each_object_manifold(void)
{
    CHECK(!open_folder());
    CHECK_OK(write_kinds());
    for (int kind = 0; kind < PLATE_KINDS; kind++) {
        struct child_result r = {0};
        char name[16];
        snprintf(name, sizeof name, "%d.3mf", kind);
        RUN(&r, "prusa-slicer", "--info", name);
        CHECK(r.exit_code == 0);
        int objects = kind < 2 ? 1 : 3;
        const char *said = (const char *)r.out.data;
        CHECK(count_of(said, "manifold = yes") == objects);
        CHECK(count_of(said, "number_of_facets = 12\n") == (objects + 2) / 2);
        CHECK(count_of(said, "number_of_facets = 840\n") == objects / 2);
        child_result_free(&r);
    }
    folder_remove(folder);
}

/* A printer and a filament in PrusaSlicer's words; what a run may change comes in. */
struct wished {
    const char *density, *layer_mm, *nozzle_c;
};
struct sliced {
    double used_mm;
    int layers, hot; /* hot: lines that ask for 231 degrees */
};

static int slice(struct sliced *out, const struct wished *wished)
{
    struct plate_made made;
    struct child_result r = {0};
    char ini[600], path[100];
    int size = snprintf(ini, sizeof ini,
                        "; made for a test\n\n; nozzle_diameter = 0.4\n; bed_shape = "
                        "0x0,220x0,220x220,0x220\n; gcode_flavor = marlin\n; layer_height = %s\n"
                        "; first_layer_height = 0.2\n; temperature = %s\n"
                        "; first_layer_temperature = 222\n; fill_density = 15%%\n"
                        "; filament_diameter = 1.75\n",
                        wished->layer_mm, wished->nozzle_c);
    const struct export_setting prusa[] = {{"fill_density", wished->density}, {"perimeters", "3"}};
    const struct export_part part = {"Metadata/Slic3r_PE.config", ini, (size_t)size, false};
    plate_make(&made, 2);
    made.objects[0].prusa = prusa;
    made.objects[2].place_mm[0] = 150;
    made.plate.parts = &part;
    made.plate.part_count = 1;
    int failed = write_plate(&made.plate, 2);
    plate_free(&made);
    failed = failed ? -1
                    : run(&r, (const char *const[]){"prusa-slicer", "-g", "--dont-arrange", "2.3mf",
                                                    "-o", "out.gcode", NULL});
    struct bytes gcode = {0};
    snprintf(path, sizeof path, "%s/out.gcode", folder);
    if (!failed && (r.exit_code || bytes_read_file(&gcode, path, &err)))
        failed = FAIL(&err, ERR_BUG, "prusa-slicer ends with %d: %.100s", r.exit_code,
                      (const char *)r.err.data);
    if (!failed) {
        const char *used = strstr((const char *)gcode.data, "; filament used [mm] = ");
        out->used_mm = used ? atof(used + 23) : 0;
        out->layers = count_of((const char *)gcode.data, ";LAYER_CHANGE");
        out->hot = count_of((const char *)gcode.data, "M104 S231");
    }
    bytes_free(&gcode);
    child_result_free(&r);
    return failed;
}

/* The G-code follows the printer inside the file, and one object's own values. */
static void test_threemf__prusa_slicer_slices_with_what_is_inside(void)
{
    static const struct wished plain = {"40%", "0.2", "215"}, dense = {"80%", "0.2", "215"},
                               coarse = {"40%", "0.3", "231"};
    struct sliced first = {0}, denser = {0}, coarser = {0};
    CHECK(!open_folder());
    int code = slice(&first, &plain);
    if (code > 0) {
        folder_remove(folder);
        SKIP(err.what);
    }
    CHECK_OK(code);
    CHECK_OK(slice(&denser, &dense));
    CHECK_OK(slice(&coarser, &coarse));
    folder_remove(folder);
    /* 24.8 mm high; of the three objects only the box became denser: 8 cm3, 40 % more of them */
    CHECK(first.layers >= 123 && first.layers <= 125 && first.hot == 0);
    CHECK(denser.used_mm > 1.2 * first.used_mm && denser.used_mm < 1.6 * first.used_mm);
    CHECK(denser.layers == first.layers && denser.hot == 0);
    CHECK(coarser.layers >= 82 && coarser.layers <= 84 && coarser.hot == 1);
}

static int same_box(const cJSON *found, const struct export_object *object)
{
    for (int k = 0; k < 3; k++) {
        float low = INFINITY, high = -INFINITY;
        for (size_t v = 0; v < object->mesh->vertex_count; v++) {
            low = fminf(low, object->mesh->xyz[3 * v + (size_t)k]);
            high = fmaxf(high, object->mesh->xyz[3 * v + (size_t)k]);
        }
        const cJSON *min = cJSON_GetArrayItem(cJSON_GetObjectItem(found, "min"), k),
                    *max = cJSON_GetArrayItem(cJSON_GetObjectItem(found, "max"), k);
        if (!cJSON_IsNumber(min) || !cJSON_IsNumber(max) ||
            fabs(min->valuedouble - (double)low - object->place_mm[k]) > 1e-4 ||
            fabs(max->valuedouble - (double)high - object->place_mm[k]) > 1e-4)
            return 0;
    }
    return 1;
}

/* Each colour has as many triangles as were given it; what has none is white. */
static int same_colours(const cJSON *found, const struct export_object *object)
{
    const struct export_palette *palette = object->palette;
    const cJSON *colours = cJSON_GetObjectItem(found, "colours");
    int seen = 0;
    for (size_t i = 0; palette && i < palette->count; i++) {
        char hex[8];
        double count = 0;
        for (size_t t = 0; t < object->mesh->triangle_count; t++)
            count += palette->of_triangle[t] == i;
        snprintf(hex, sizeof hex, "%02x%02x%02x", palette->rgb[i][0], palette->rgb[i][1],
                 palette->rgb[i][2]);
        const cJSON *one = cJSON_GetObjectItem(colours, hex);
        if (count > 0 && (!one || one->valuedouble != count))
            return 0;
        seen += count > 0;
    }
    return cJSON_GetArraySize(colours) == (palette ? seen : 1);
}

/* npm needs the network and the settings of whoever runs the tests: no child of ours. */
static int has_node(void)
{
    return system("command -v node >/dev/null 2>&1") == 0;
}

static void test_threemf__three_js_loads_every_kind(void)
{
    const char *build = getenv("STATUETTE_BUILD");
    char command[PATH_MAX + 200], script[PATH_MAX + 64], here[PATH_MAX];
    if (!has_node())
        SKIP("there is no node");
    CHECK(getcwd(here, sizeof here));
    snprintf(script, sizeof script, "%s%s%s/node", build && *build == '/' ? "" : here,
             build && *build == '/' ? "" : "/", build ? build : "build");
    snprintf(command, sizeof command, "scripts/node_packages.sh '%s'", script);
    CHECK(system(command) == 0);
    strcat(script, "/load_3mf.mjs");
    CHECK(!open_folder());
    CHECK_OK(write_kinds());
    for (int kind = 0; kind < PLATE_KINDS; kind++) {
        struct plate_made made;
        struct child_result r = {0};
        char name[16];
        snprintf(name, sizeof name, "%d.3mf", kind);
        RUN(&r, "node", script, name);
        if (r.exit_code)
            TEST_GIVE_UP("node: %.300s", (const char *)r.err.data);
        plate_make(&made, kind);
        cJSON *found = cJSON_Parse((const char *)r.out.data);
        CHECK(cJSON_GetArraySize(found) == (int)made.plate.object_count);
        for (size_t i = 0; i < made.plate.object_count; i++) {
            const struct export_object *object = &made.objects[i];
            const cJSON *one = cJSON_GetArrayItem(found, (int)i);
            const cJSON *triangles = cJSON_GetObjectItem(one, "triangles"),
                        *label = cJSON_GetObjectItem(one, "name");
            CHECK(triangles && triangles->valuedouble == (double)object->mesh->triangle_count);
            CHECK(same_box(one, object));
            CHECK(same_colours(one, object));
            if (kind == 2)
                CHECK_TEXT(label->valuestring, object->name ? object->name : "figure");
        }
        cJSON_Delete(found);
        plate_free(&made);
        child_result_free(&r);
    }
    folder_remove(folder);
}

/* Savitar reads 3MF for Cura: each item as a node, with its name, its place and its triangles. */
static void test_threemf__savitar_reads_what_cura_would(void)
{
    static const char script[] =
        "import zipfile, Savitar\n"
        "z = zipfile.ZipFile('2.3mf')\n"
        "s = Savitar.ThreeMFParser().parse(z.open('3D/3dmodel.model').read())\n"
        "print(s.getUnit())\n"
        "for n in s.getSceneNodes():\n"
        "    m = n.getMeshData()\n"
        "    t = n.getTransformation().split()\n"
        "    print(n.getName(), len(m.getFacesAsBytes()) // 12, len(m.getVerticesAsBytes()) // 12, "
        "*t[9:])\n"
        "print(s.getMetadata()['statuette:PartCode'].value)\n";
    struct child_result r = {0};
    CHECK(!open_folder());
    CHECK_OK(write_kinds());
    RUN(&r, "/usr/bin/python3", "-c", script);
    folder_remove(folder);
    if (r.err.data && strstr((const char *)r.err.data, "No module named 'Savitar'"))
        SKIP("there is no python3-savitar");
    if (r.exit_code)
        TEST_GIVE_UP("Savitar: %.300s", (const char *)r.err.data);
    CHECK_TEXT((const char *)r.out.data, "millimeter\n"
                                         "figure \xc3\x84nne 12 8 60.5 61.25 0\n"
                                         "base 840 422 120.1 60 0.125\n"
                                         "figure 12 8 -1.5 150 0\n"
                                         "words & <signs>\n");
    child_result_free(&r);
}

TESTS(TEST(test_threemf__every_kind_follows_the_schemas),
      TEST(test_threemf__schemas_refuse_what_is_spoilt),
      TEST(test_threemf__prusa_slicer_calls_each_object_manifold),
      TEST(test_threemf__prusa_slicer_slices_with_what_is_inside),
      TEST(test_threemf__three_js_loads_every_kind),
      TEST(test_threemf__savitar_reads_what_cura_would))
