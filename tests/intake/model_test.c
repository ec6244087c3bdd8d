/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/model.h: which files are taken for models, and which are refused by which code. */
#include <stdbool.h>

#include "intake/model.h"
#include "tests/test.h"

static struct err err;

/* The format that the bytes are taken for, or the code of the refusal. */
static const char *kind(const void *data, size_t n)
{
    const char *format;
    memset(&err, 0, sizeof err);
    return model_recognise(&format, data, n, &err) ? err.code : format;
}

static void test_model__is_told_by_its_content(void)
{
    static const char glb[] = "glTF\2\0\0\0\14\0\0\0";
    static const char obj[] = "# a cube\nv 0 0 0\nv 1 0 0\n", ply[] = "ply\nformat ascii 1.0\n";
    static const char stl[] = "solid cube\nfacet normal 0 0 1\n";
    uint8_t binary[84 + 50] = {0};
    binary[80] = 1;
    CHECK_TEXT(kind(glb, 12), "glb");
    CHECK_TEXT(kind(obj, sizeof obj - 1), "obj");
    CHECK_TEXT(kind(ply, sizeof ply - 1), "ply");
    CHECK_TEXT(kind(stl, sizeof stl - 1), "stl");
    CHECK_TEXT(kind(binary, sizeof binary), "stl");
}

/* A local header with the part that every 3MF has, and the end of an archive's directory. */
static size_t packed(uint8_t out[200], const char *name, bool with_end)
{
    size_t n = 30, name_len = strlen(name);
    memset(out, 0, 200);
    memcpy(out, "PK\3\4", 4);
    out[26] = (uint8_t)name_len;
    memcpy(out + n, name, name_len);
    n += name_len + 20;
    if (with_end)
        memcpy(out + n, "PK\5\6", 4);
    return n + 22;
}

static void test_model__a_3mf_is_an_archive_with_its_parts_named(void)
{
    uint8_t zip[200];
    CHECK_TEXT(kind(zip, packed(zip, "[Content_Types].xml", true)), "3mf");
    CHECK_TEXT(kind(zip, packed(zip, "3D/3dmodel.model", true)), "3mf");
    CHECK_TEXT(kind(zip, packed(zip, "[Content_Types].xml", false)), "model_truncated");
    CHECK_TEXT(kind(zip, packed(zip, "holiday.jpg", true)), "model_unknown");
}

static void test_model__half_a_file_is_said_to_be_one(void)
{
    static const char glb[] = "glTF\2\0\0\0\144\0\0\0";
    CHECK_TEXT(kind(glb, 12), "model_truncated");
}

static void test_model__what_is_none_is_refused(void)
{
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1};
    CHECK_TEXT(kind("", 0), "model_unknown");
    CHECK_TEXT(kind(jpeg, sizeof jpeg), "model_unknown");
    CHECK_TEXT(kind("{\"asset\":{}}", 12), "model_unknown");
    CHECK_TEXT(kind("<html><v 1></html>", 18), "model_unknown");
    CHECK_TEXT(kind("PK\3\4", 4), "model_unknown");
}

static void test_model__each_format_has_its_type(void)
{
    CHECK_TEXT(model_mime("glb"), "model/gltf-binary");
    CHECK_TEXT(model_mime("3mf"), "model/3mf");
    CHECK_TEXT(model_mime("exe"), "application/octet-stream");
}

TESTS(TEST(test_model__is_told_by_its_content),
      TEST(test_model__a_3mf_is_an_archive_with_its_parts_named),
      TEST(test_model__half_a_file_is_said_to_be_one), TEST(test_model__what_is_none_is_refused),
      TEST(test_model__each_format_has_its_type))
