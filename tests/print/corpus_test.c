/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every real mesh file beside the project ends as a watertight part, a rejection or a typed
 * refusal. Skipped where the corpus is not there. Files over 3 MB are left to a longer run. */
#include "tests/test.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/json.h"
#include "print/measure/measure.h"
#include "print/prep.h"
#include "print/read/read.h"
#include "print/repair/weld.h"

#define MAX_FILE ((size_t)3 << 20)

struct tally {
    unsigned refused, rejected, made, open, odd;
    char first[200]; /* the first file that broke the rule */
};

static void blame(struct tally *tally, const char *path, const char *why)
{
    if (!*tally->first)
        snprintf(tally->first, sizeof tally->first, "%.100s: %.90s", why, strrchr(path, '/') + 1);
}

/* As the reader of the written STL sees it: the floats as they are, equal corners welded. */
static void check_made(struct tally *tally, const char *path, const struct mesh *mesh)
{
    struct mesh_measures m;
    struct err err;
    tally->made++;
    if (mesh_measure(&m, mesh, &err) || !m.watertight || m.nonmanifold_vertices ||
        m.volume_mm3 <= 0) {
        tally->open++;
        blame(tally, path, "not closed");
    }
}

static void try_file(struct tally *tally, const char *path)
{
    struct bytes bytes = {.limit = MAX_FILE};
    struct mesh in = {0};
    struct prepared out = {0};
    struct read_notes notes;
    struct err err = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    cJSON *report = NULL;
    if (bytes_read_file(&bytes, path, &err))
        return;
    if (mesh_read(&in, &notes, bytes.data, bytes.len, path, &err)) {
        tally->refused++;
        if ((err.kind != ERR_INPUT && err.kind != ERR_LIMIT) || !*err.code || !*err.what) {
            tally->odd++;
            blame(tally, path, "refused without a code");
        }
    } else if (options.unit_mm = notes.unit_mm, mesh_prep(&out, &report, &in, &options, &err)) {
        tally->odd++;
        blame(tally, path, err.what);
    } else if (out.verdict == VERDICT_REJECT) {
        tally->rejected++;
    } else {
        check_made(tally, path, &out.mesh);
    }
    cJSON_Delete(report);
    mesh_free(&in);
    prepared_free(&out);
    bytes_free(&bytes);
}

static void try_folder(struct tally *tally, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char path[1024];
        struct stat st;
        if (*entry->d_name == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode))
            try_folder(tally, path);
        else
            try_file(tally, path);
    }
    if (dir)
        closedir(dir);
}

/* Where we differ from the manifest's own reader, on purpose or because it counts otherwise. */
static const struct {
    const char *name, *why;
} differences[] = {
    {"3mfbase13_holed_cube_support.3mf", "its support object is left out"},
    {"Offset1.obj", "as many triangles; vertices joined within a tolerance there"},
    {"mode5.gltf", "as many triangles; vertices joined otherwise there"},
};

static bool is_different(const char *path)
{
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
        if (strstr(path, differences[i].name))
            return true;
    return false;
}

/* The manifest counts vertices as indexed, or welded, or those that are used. */
static bool has_vertices(struct mesh *mesh, size_t wanted)
{
    struct err err;
    size_t indexed = mesh->vertex_count;
    if (mesh_weld_exact(mesh, NULL, &err))
        return false;
    size_t welded = mesh->vertex_count;
    if (mesh_compact(mesh, &err))
        return false;
    return wanted == indexed || wanted == welded || wanted == mesh->vertex_count;
}

/* fields: path, sum, bytes, format, category, source, licence, triangles, vertices. */
static void compare_file(struct tally *tally, const char *shared, char *const fields[9])
{
    char path[1200];
    struct bytes bytes = {.limit = (size_t)1 << 30};
    struct mesh mesh = {0};
    struct skin skin = {0};
    struct err err = {0};
    size_t triangles = strtoul(fields[7], NULL, 10), vertices = strtoul(fields[8], NULL, 10);
    bool hostile = strstr(fields[0], "/hostile/") != NULL;
    snprintf(path, sizeof path, "%s/corpus/%s", shared, fields[0]);
    if (bytes_read_file(&bytes, path, &err))
        return;
    if (mesh_read_skin(&mesh, &skin, NULL, bytes.data, bytes.len, path, &err)) {
        tally->refused++;
        if ((err.kind != ERR_INPUT && err.kind != ERR_LIMIT) || !*err.code || !*err.what)
            tally->odd++, blame(tally, path, "refused without a code");
        /* glTF whose buffers lie in other files is never read. */
        if (triangles && !hostile && strcmp(err.code, "mesh_unsupported") != 0)
            tally->odd++, blame(tally, path, err.what);
    } else {
        tally->made++;
        bool counted = *fields[7] && !is_different(path);
        if (counted && (mesh.triangle_count != triangles || !has_vertices(&mesh, vertices)))
            tally->odd++, blame(tally, path, "other counts than the manifest");
    }
    mesh_free(&mesh);
    skin_free(&skin);
    bytes_free(&bytes);
}

static void test_corpus__counts_are_those_of_the_manifest(void)
{
    static const char *const kinds[] = {"glb", "gltf", "stl", "obj", "ply", "off", "3mf", "drc"};
    char path[600], *line = NULL;
    size_t room = 0;
    struct tally tally = {0};
    const char *shared = getenv("STATUETTE_SHARED");
    shared = shared ? shared : "../shared";
    snprintf(path, sizeof path, "%s/corpus/manifest.tsv", shared);
    FILE *file = fopen(path, "r");
    if (!file)
        SKIP("the corpus is not beside the project");
    while (getline(&line, &room, file) > 0) {
        char *fields[9] = {0}, *rest = line;
        for (int i = 0; i < 9 && rest; i++)
            fields[i] = strsep(&rest, "\t");
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (fields[8] && strncmp(fields[0], "meshes/", 7) == 0 &&
                strcasecmp(fields[3], kinds[k]) == 0)
                compare_file(&tally, shared, fields);
    }
    free(line);
    fclose(file);
    printf("# manifest: %u read, %u refused\n", tally.made, tally.refused);
    if (tally.odd)
        TEST_GIVE_UP("%u odd; first: %s", tally.odd, tally.first);
    CHECK(tally.made > 180);
}

/* least: fewer parts than this means that the readers refuse what they must read. */
static void run_folder(const char *name, unsigned least)
{
    char folder[600];
    struct tally tally = {0};
    struct stat st;
    const char *shared = getenv("STATUETTE_SHARED");
    snprintf(folder, sizeof folder, "%s/corpus/meshes/%s", shared ? shared : "../shared", name);
    if (stat(folder, &st))
        SKIP("the corpus is not beside the project");
    try_folder(&tally, folder);
    printf("# %s: %u made, %u rejected, %u refused\n", name, tally.made, tally.rejected,
           tally.refused);
    if (tally.open || tally.odd)
        TEST_GIVE_UP("%u not closed, %u odd; first: %s", tally.open, tally.odd, tally.first);
    CHECK(tally.made >= least);
}

static void test_corpus__ai_meshes_become_parts(void)
{
    run_folder("ai", 9); /* all but one that is too large for this run */
}

static void test_corpus__figurines_become_parts(void)
{
    run_folder("figurine", 4);
}

static void test_corpus__broken_meshes_become_parts_or_are_refused(void)
{
    run_folder("broken", 55);
}

static void test_corpus__conformance_files_are_read_or_refused(void)
{
    run_folder("conformance", 40);
}

static void test_corpus__hostile_files_are_refused(void)
{
    run_folder("hostile", 0);
}

TESTS(TEST(test_corpus__counts_are_those_of_the_manifest),
      TEST(test_corpus__ai_meshes_become_parts), TEST(test_corpus__figurines_become_parts),
      TEST(test_corpus__broken_meshes_become_parts_or_are_refused),
      TEST(test_corpus__conformance_files_are_read_or_refused),
      TEST(test_corpus__hostile_files_are_refused))
