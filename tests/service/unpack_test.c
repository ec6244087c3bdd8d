/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The role unpack in its confined child: which of an archive's files it takes, and what it says of
 * an archive that has none. This program is its own child. */
#include <unistd.h>

#include "service/role.h"
#include "tests/print/zips.h"
#include "tests/test.h"

#define OBJ "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
#define GLB "glTF\2\0\0\0\14\0\0\0"
#define FILE_OF(file, content)                                                                     \
    {                                                                                              \
        .name = file, .data = content, .n = sizeof content - 1                                     \
    }

static struct err err;

/* Format and name of what was taken, or the code of the refusal; then whether out.model is `wanted`
 * to the byte. */
static const char *unpacked(const struct bytes *file, const void *wanted, size_t n)
{
    static char said[300];
    char folder[700], path[800];
    struct bytes out = {0};
    cJSON *result = NULL;
    memset(&err, 0, sizeof err);
    if (work_folder_make(folder, "/tmp", "statuette-unpack", &err))
        abort();
    snprintf(path, sizeof path, "%s/in", folder);
    if (file_write(path, file->data, file->len, &err))
        abort();
    if (role_run(&result, "unpack", folder, NULL, &err)) {
        snprintf(said, sizeof said, "%s", *err.code ? err.code : err.what);
    } else {
        snprintf(path, sizeof path, "%s/out.model", folder);
        bool same =
            !bytes_read_file(&out, path, &err) && out.len == n && memcmp(out.data, wanted, n) == 0;
        snprintf(said, sizeof said, "%s %s%s", json_text(result, "format", "?"),
                 json_text(result, "name", "?"), same ? "" : " differs");
    }
    bytes_free(&out);
    cJSON_Delete(result);
    work_folder_drop(folder);
    return said;
}

static const char *unpacked_zip(const struct zip_part *parts, size_t count, const void *wanted,
                                size_t n)
{
    struct bytes file = {0};
    if (put_zip(&file, parts, count, 0, &err))
        abort();
    const char *said = unpacked(&file, wanted, n);
    bytes_free(&file);
    return said;
}

static void test_unpack__takes_glb_before_obj_and_the_larger_of_two(void)
{
    const struct zip_part parts[] = {FILE_OF("readme.txt", "hello"),
                                     FILE_OF("a.obj", OBJ),
                                     FILE_OF("b/a.OBJ", OBJ "v 1 1 1\n"),
                                     FILE_OF("__MACOSX/._z.glb", GLB),
                                     FILE_OF("../z.glb", GLB),
                                     FILE_OF("b/model.glb", GLB)};
    CHECK_TEXT(unpacked_zip(parts, 6, GLB, sizeof GLB - 1), "glb b/model.glb");
    CHECK_TEXT(unpacked_zip(parts, 5, OBJ "v 1 1 1\n", sizeof OBJ + 7), "obj b/a.OBJ");
}

static void test_unpack__believes_the_content_and_not_the_name(void)
{
    const struct zip_part parts[] = {FILE_OF("a.glb", "<html>gone</html>"),
                                     FILE_OF("a.stl", "PK\3\4 within"), FILE_OF("a.ply", OBJ)};
    CHECK_TEXT(unpacked_zip(parts, 3, OBJ, sizeof OBJ - 1), "obj a.ply");
    CHECK_TEXT(unpacked_zip(parts, 2, "", 0), "provider_format");
}

static void test_unpack__says_what_is_in_it_instead_of_a_model(void)
{
    const struct zip_part fbx[] = {FILE_OF("a.fbx", "Kaydara FBX Binary  ")};
    const struct zip_part zip[] = {FILE_OF("inner.zip", "PK\3\4")};
    const struct zip_part locked[] = {FILE_OF("a.txt", "x"),
                                      {.name = "a.obj", .data = OBJ, .n = 9, .flags = 1}};
    struct bytes half = {0};
    CHECK_TEXT(unpacked_zip(fbx, 1, "", 0), "provider_format");
    CHECK(strstr(err.what, "FBX"));
    CHECK_TEXT(unpacked_zip(zip, 1, "", 0), "bundle_nested");
    CHECK_TEXT(unpacked_zip(locked, 2, "", 0), "bundle_encrypted");
    CHECK_OK(bytes_append(&half, "PK\3\4 and no more", 16, &err));
    CHECK_TEXT(unpacked(&half, "", 0), "bundle_damaged");
    bytes_free(&half);
}

static void test_unpack__leaves_a_3mf_as_it_is(void)
{
    const struct zip_part parts[] = {FILE_OF("[Content_Types].xml", "<Types/>"),
                                     FILE_OF("3D/3DModel.model", "<model/>")};
    struct bytes file = {0};
    CHECK_OK(put_zip(&file, parts, 2, 0, &err));
    CHECK_TEXT(unpacked(&file, file.data, file.len), "3mf ");
    bytes_free(&file);
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(test_unpack__takes_glb_before_obj_and_the_larger_of_two),
        TEST(test_unpack__believes_the_content_and_not_the_name),
        TEST(test_unpack__says_what_is_in_it_instead_of_a_model),
        TEST(test_unpack__leaves_a_3mf_as_it_is),
    };
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    unsetenv("STATUETTE_PROGRAM");
    return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);
}
