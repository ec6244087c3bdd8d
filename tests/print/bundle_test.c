/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/read/bundle: zip archives that are good, and every way in which one may lie. */
#include "print/read/bundle.h"
#include "tests/print/zips.h"
#include "tests/test.h"

static struct err err;

/* The archive of those parts, opened: 0, or its failure is in err. The caller closes both. */
struct opened {
    struct bytes file;
    struct bundle bundle;
};

static int open_parts(struct opened *o, const struct zip_part *parts, size_t count)
{
    *o = (struct opened){.file.limit = (size_t)400 << 20};
    memset(&err, 0, sizeof err);
    if (put_zip(&o->file, parts, count, 0, &err))
        abort();
    return bundle_open(&o->bundle, o->file.data, o->file.len, &err);
}

static void close_parts(struct opened *o)
{
    bundle_close(&o->bundle);
    bytes_free(&o->file);
}

/* The code with which an archive of one part is refused when it is opened or unpacked. */
static const char *refusal(struct zip_part part)
{
    struct opened o;
    struct bytes plain = {0};
    if (open_parts(&o, &part, 1) == 0 &&
        bundle_unpack(&plain, &o.bundle, &o.bundle.entries[0], &err) == 0)
        snprintf(err.code, sizeof err.code, "taken");
    bytes_free(&plain);
    close_parts(&o);
    return err.code;
}

static void test_bundle__unpacks_what_was_stored_deflated_and_wide(void)
{
    const struct zip_part parts[] = {
        {.name = "a.obj", .data = "v 0 0 0\n", .n = 8},
        {.name = "sub/b.obj", .data = "v 1 1 1 v 1 1 1 v 1 1 1\n", .n = 24, .is_deflated = true},
        {.name = "c.obj", .data = "v 2 2 2\n", .n = 8, .is_deflated = true, .is_wide = true},
        {.name = "empty.obj", .data = "", .n = 0, .is_deflated = true},
        {.name = "none.obj", .data = "", .n = 0},
    };
    struct opened o;
    CHECK_OK(open_parts(&o, parts, 5));
    CHECK(o.bundle.count == 5);
    for (size_t i = 0; i < 5; i++) {
        struct bytes plain = {0};
        const struct bundle_entry *entry = &o.bundle.entries[i];
        CHECK_OK(bundle_unpack(&plain, &o.bundle, entry, &err));
        CHECK(entry->is_file && plain.len == parts[i].n);
        CHECK(plain.len == 0 || memcmp(plain.data, parts[i].data, plain.len) == 0);
        CHECK_TEXT(entry->name, parts[i].name);
        bytes_free(&plain);
    }
    close_parts(&o);
}

static void test_bundle__refuses_what_does_not_hold_what_it_says(void)
{
    static const char text[] = "v 0 0 0 v 0 0 0 v 0 0 0\n";
    const struct zip_part good = {
        .name = "a.obj", .data = text, .n = sizeof text - 1, .is_deflated = true};
    struct zip_part bad = good;
    CHECK_TEXT(refusal(good), "taken");
    bad.bytes = 23; /* more comes out than it says */
    CHECK_TEXT(refusal(bad), "bundle_damaged");
    bad.bytes = 25;
    CHECK_TEXT(refusal(bad), "bundle_damaged");
    bad = good;
    bad.crc = 1;
    CHECK_TEXT(refusal(bad), "bundle_damaged");
    bad = good;
    bad.packed_bytes = 3;
    CHECK_TEXT(refusal(bad), "bundle_damaged");
    bad.packed_bytes = 100000;
    CHECK_TEXT(refusal(bad), "bundle_damaged");
    bad = good;
    bad.at = 7;
    CHECK_TEXT(refusal(bad), "bundle_damaged");
    bad.at = 0xfffffffe;
    CHECK_TEXT(refusal(bad), "bundle_damaged");
    bad = good;
    bad.method = 99;
    CHECK_TEXT(refusal(bad), "bundle_method");
    bad = good;
    bad.is_deflated = false;
    bad.method = 8; /* plain bytes that are said to be deflated */
    CHECK_TEXT(refusal(bad), "bundle_damaged");
}

static void test_bundle__refuses_what_is_encrypted(void)
{
    struct zip_part part = {.name = "a.obj", .data = "v 0 0 0\n", .n = 8, .flags = 1};
    CHECK_TEXT(refusal(part), "bundle_encrypted");
    part.flags = 0x2000;
    CHECK_TEXT(refusal(part), "bundle_encrypted");
    part.flags = 0x808; /* a descriptor behind it, a name in UTF-8 */
    CHECK_TEXT(refusal(part), "taken");
}

static void test_bundle__refuses_bombs(void)
{
    size_t n = (size_t)8 << 20;
    uint8_t *zeros = calloc(1, n);
    struct zip_part bomb = {.name = "a.obj", .data = zeros, .n = n, .is_deflated = true};
    CHECK_TEXT(refusal(bomb), "bundle_too_large"); /* a thousand times */
    bomb.n = 1000000;
    CHECK_TEXT(refusal(bomb), "taken"); /* as dense, but small */
    bomb.bytes = 0xfffffff0;
    CHECK_TEXT(refusal(bomb), "bundle_too_large");
    free(zeros);
    /* Each within the limit, but not all of them: 2 MB that say 200 MB. */
    const struct zip_part half = {.name = "a.obj", .data = "", .n = 0, .bytes = 200 << 20};
    struct zip_part parts[2] = {half, half};
    struct opened o;
    uint8_t *noise = malloc(2 << 20);
    memset(noise, 7, 2 << 20);
    parts[0].data = parts[1].data = noise;
    parts[0].n = parts[1].n = 2 << 20;
    CHECK(open_parts(&o, parts, 1) == 0);
    close_parts(&o);
    CHECK(open_parts(&o, parts, 2) == -1 && err.kind == ERR_LIMIT);
    close_parts(&o);
    free(noise);
}

static void test_bundle__counts_entries(void)
{
    struct zip_part *parts = calloc(BUNDLE_ENTRIES_MOST + 1, sizeof *parts);
    struct opened o;
    for (int i = 0; i <= BUNDLE_ENTRIES_MOST; i++)
        parts[i] = (struct zip_part){.name = "a", .data = "", .n = 0};
    CHECK_OK(open_parts(&o, parts, BUNDLE_ENTRIES_MOST));
    close_parts(&o);
    CHECK(open_parts(&o, parts, BUNDLE_ENTRIES_MOST + 1) == -1 && err.kind == ERR_LIMIT);
    close_parts(&o);
    free(parts);
}

static void test_bundle__looks_at_no_file_outside_its_folder(void)
{
    static const char *const names[] = {
        "../a.obj", "a/../../a.obj",    "/etc/passwd.obj", "..\\a.obj",   "C:a.obj",
        "a/..",     "__MACOSX/._a.obj", "sub/._a.obj",     ".hidden.obj", "folder.obj/",
        "",         "./../a.obj"};
    struct opened o;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct zip_part part = {.name = names[i], .data = "v 0 0 0\n", .n = 8};
        CHECK_OK(open_parts(&o, &part, 1));
        bool is_file = o.bundle.entries[0].is_file;
        close_parts(&o);
        if (is_file)
            TEST_GIVE_UP("%s", names[i]);
    }
    const struct zip_part fine = {.name = "a..b/c d.obj", .data = "v 0 0 0\n", .n = 8};
    CHECK_OK(open_parts(&o, &fine, 1));
    CHECK(o.bundle.entries[0].is_file);
    close_parts(&o);
}

static void test_bundle__tells_a_3mf(void)
{
    struct zip_part parts[] = {{.name = "[Content_Types].xml", .data = "", .n = 0},
                               {.name = "3D/3dmodel.model", .data = "", .n = 0}};
    struct opened o;
    CHECK_OK(open_parts(&o, parts, 2));
    CHECK(bundle_is_3mf(&o.bundle));
    close_parts(&o);
    CHECK_OK(open_parts(&o, parts, 1));
    CHECK(!bundle_is_3mf(&o.bundle));
    close_parts(&o);
    parts[1].name = "x/3dmodel.model";
    CHECK_OK(open_parts(&o, parts, 2));
    CHECK(!bundle_is_3mf(&o.bundle));
    close_parts(&o);
}

/* Every beginning of a good archive, in memory of exactly its size. */
static void test_bundle__refuses_half_an_archive(void)
{
    const struct zip_part parts[] = {{.name = "a.obj", .data = "v 0 0 0\n", .n = 8},
                                     {.name = "b.obj", .data = "v 0 0 0\n", .n = 8}};
    struct bytes file = {0};
    CHECK_OK(put_zip(&file, parts, 2, 0, &err));
    for (size_t n = 0; n < file.len; n++) {
        uint8_t *part = malloc(n + !n);
        struct bundle bundle;
        memcpy(part, file.data, n);
        int failed = bundle_open(&bundle, part, n, &err);
        bundle_close(&bundle);
        free(part);
        if (!failed)
            TEST_GIVE_UP("%zu bytes of %zu were taken", n, file.len);
    }
    bytes_free(&file);
    struct bundle bundle;
    CHECK_OK(put_zip(&file, parts, 2, 3, &err)); /* three, it says */
    CHECK_FAILS(bundle_open(&bundle, file.data, file.len, &err), ERR_INPUT);
    bundle_close(&bundle);
    bytes_free(&file);
}

TESTS(TEST(test_bundle__unpacks_what_was_stored_deflated_and_wide),
      TEST(test_bundle__refuses_what_does_not_hold_what_it_says),
      TEST(test_bundle__refuses_what_is_encrypted), TEST(test_bundle__refuses_bombs),
      TEST(test_bundle__counts_entries), TEST(test_bundle__looks_at_no_file_outside_its_folder),
      TEST(test_bundle__tells_a_3mf), TEST(test_bundle__refuses_half_an_archive))
