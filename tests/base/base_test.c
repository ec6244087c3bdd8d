/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base: buffers, files, hashes, ids, JSON, schema, PNG and child processes. */
#include "base/bytes.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/png.h"
#include "tests/test.h"

#include <signal.h>
#include <unistd.h>
#include <zlib.h>

static struct err err;

static void test_bytes__refuses_what_is_over_its_cap(void)
{
    struct bytes b = {.limit = 8};
    CHECK_OK(bytes_append(&b, "12345678", 8, &err));
    CHECK_FAILS(bytes_append(&b, "9", 1, &err), ERR_LIMIT);
    CHECK_TEXT((char *)b.data, "12345678");
    bytes_free(&b);
}

static void test_file__is_written_whole_and_read_back(void)
{
    char folder[] = "/tmp/statuette-test-XXXXXX";
    CHECK(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/a/b", folder);
    CHECK_OK(folder_make(path, &err));
    snprintf(path, sizeof path, "%s/a/b/c", folder);
    CHECK_OK(file_write(path, "hello", 5, &err));
    struct bytes b = {.limit = 5};
    CHECK_OK(bytes_read_file(&b, path, &err));
    CHECK(b.len == 5);
    CHECK_TEXT((char *)b.data, "hello");
    bytes_free(&b);
    b.limit = 4;
    CHECK_FAILS(bytes_read_file(&b, path, &err), ERR_LIMIT);
    folder_remove(folder);
    CHECK_FAILS(bytes_read_file(&b, path, &err), ERR_ABSENT);
}

static void test_hash__matches_the_published_vector(void)
{
    char hex[SHA256_HEX];
    sha256_hex(hex, "abc", 3); /* FIPS 180-2, appendix B.1 */
    CHECK_TEXT(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_hash__authenticates_parts_as_one_text(void)
{
    /* RFC 4231, test case 2, and the same text in two parts. */
    const struct hash_part whole = {"what do ya want for nothing?", 28};
    const struct hash_part parts[] = {{"what do ya want ", 16}, {"for nothing?", 12}};
    uint8_t mac[HMAC_SHA256_BYTES], known[HMAC_SHA256_BYTES];
    CHECK(hex_read(known, sizeof known,
                   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                   64) == sizeof known);
    hmac_sha256(mac, "Jefe", 4, &whole, 1);
    CHECK(secret_same(mac, known, sizeof mac));
    hmac_sha256(mac, "Jefe", 4, parts, 2);
    CHECK(secret_same(mac, known, sizeof mac));
    mac[31] ^= 1;
    CHECK(!secret_same(mac, known, sizeof mac));
}

static void test_hash__verifies_ed25519(void)
{
    uint8_t key[ED25519_KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];
    /* RFC 8032, section 7.1, test 2: one byte, 0x72. */
    CHECK(hex_read(key, sizeof key,
                   "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                   64) == sizeof key);
    CHECK(hex_read(signature, sizeof signature,
                   "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                   "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
                   128) == sizeof signature);
    CHECK(ed25519_verify(signature, "\x72", 1, key));
    CHECK(!ed25519_verify(signature, "\x73", 1, key));
    signature[0] ^= 1;
    CHECK(!ed25519_verify(signature, "\x72", 1, key));
}

static void test_hash__reads_hex_and_base64_strictly(void)
{
    uint8_t out[4];
    CHECK(hex_read(out, sizeof out, "00FFa1", 6) == 3 && out[1] == 0xff && out[2] == 0xa1);
    CHECK(hex_read(out, sizeof out, "00ff0", 5) == 0);
    CHECK(hex_read(out, sizeof out, "00 ff", 5) == 0);
    CHECK(hex_read(out, sizeof out, "0011223344", 10) == 0);
    CHECK(base64_read(out, sizeof out, "+/8=", 4) == 2 && out[0] == 0xfb && out[1] == 0xff);
    CHECK(base64_read(out, sizeof out, "-_8", 3) == 2 && out[0] == 0xfb && out[1] == 0xff);
    CHECK(base64_read(out, sizeof out, "-/8=", 4) == 0);
    CHECK(base64_read(out, sizeof out, "AAAAAAAA", 8) == 0);
    CHECK(base64_read(out, sizeof out, "", 0) == 0);
}

static void test_id__sorts_and_is_recognised(void)
{
    char one[ID_ROOM], two[ID_ROOM];
    id_new(one, "ord");
    usleep(2000);
    id_new(two, "ord");
    CHECK(strcmp(one, two) < 0);
    for (int i = 0; i < 5000; i++) { /* many in each millisecond */
        memcpy(one, two, sizeof one);
        id_new(two, "ord");
        CHECK(strcmp(one, two) < 0);
    }
    CHECK(id_valid(one, "ord"));
    CHECK(!id_valid(one, "itm"));
    CHECK(!id_valid("ord_", "ord"));
}

static void test_json__names_the_place_of_a_fault(void)
{
    cJSON *value;
    CHECK_FAILS(json_parse(&value, "{\"a\":}", 6, &err), ERR_INPUT);
    CHECK_FAILS(json_parse(&value, "{} x", 4, &err), ERR_INPUT);
    CHECK_OK(json_parse(&value, "{\"a\":[1,2]} ", 12, &err));
    CHECK(json_number(value, "b", 7) == 7);
    cJSON_Delete(value);
}

static int schema_check(const char *schema_text, const char *value_text)
{
    cJSON *schema, *value;
    if (json_parse(&schema, schema_text, strlen(schema_text), &err))
        return -2;
    if (json_parse(&value, value_text, strlen(value_text), &err))
        return -2;
    int result = json_schema_check(schema, value, &err);
    cJSON_Delete(schema);
    cJSON_Delete(value);
    return result;
}

static void test_json__merges_objects_and_replaces_the_rest(void)
{
    cJSON *base = cJSON_Parse("{\"a\":{\"b\":1,\"c\":[1,2]},\"d\":{\"e\":1},\"A\":0}");
    cJSON *over = cJSON_Parse("{\"a\":{\"c\":[3],\"f\":null},\"d\":7,\"g\":{\"h\":1}}");
    cJSON *wanted = cJSON_Parse("{\"a\":{\"b\":1,\"c\":[3],\"f\":null},\"d\":7,\"A\":0,"
                                "\"g\":{\"h\":1}}");
    CHECK_OK(json_merge(base, over, &err));
    CHECK(cJSON_Compare(base, wanted, true));
    CHECK_OK(json_merge(base, NULL, &err));
    CHECK(cJSON_Compare(base, wanted, true));
    cJSON_Delete(base);
    cJSON_Delete(over);
    cJSON_Delete(wanted);
}

static void note_fault(void *user, const char *path, const char *keyword, const char *what)
{
    struct bytes *list = user;
    if (bytes_printf(list, NULL, "%s|%s|%s\n", path, keyword, what))
        abort();
}

static void test_schema__tells_every_fault_when_asked(void)
{
    cJSON *schema = cJSON_Parse(
        "{\"type\":\"object\",\"required\":[\"x\",\"y\"],\"additionalProperties\":false,"
        "\"properties\":{\"n\":{\"type\":\"number\",\"minimum\":3},"
        "\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":2}},"
        "\"p\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"properties\":"
        "{\"q\":{\"enum\":[\"r\"]}}}]},"
        "\"s\":{\"$ref\":\"process.schema.json#/$defs/speed\"}}}");
    cJSON *value = cJSON_Parse("{\"n\":1,\"l\":[\"abc\",1,\"ok\"],\"p\":{\"q\":1},\"s\":0,"
                               "\"z\":1,\"w\":2}");
    struct bytes list = {0};
    CHECK(schema && value);
    CHECK_OK(json_schema_faults(schema, value, note_fault, &list, &err));
    CHECK_TEXT((char *)list.data,
               "|required|lacks the member x\n"
               "|required|lacks the member y\n"
               "/n|minimum|must be at least 3\n"
               "/l/0|maxLength|may have at most this many characters: 2\n"
               "/l/1|type|must be of type string\n"
               "/p/q|anyOf|must be one of r\n"
               "/s|minimum|must be at least 1\n"
               "|additionalProperties|has an unknown member: z; known are n, l, p, s\n"
               "|additionalProperties|has an unknown member: w; known are n, l, p, s\n");
    CHECK_FAILS(json_schema_check(schema, value, &err), ERR_INPUT);
    CHECK_TEXT(err.what, "/: lacks the member x");
    bytes_free(&list);
    cJSON_Delete(schema);
    cJSON_Delete(value);
    /* A schema that leads nowhere is no promise. */
    schema = cJSON_Parse("{\"$ref\":\"nothing.schema.json#/$defs/a\"}");
    value = cJSON_CreateNull();
    CHECK_FAILS(json_schema_faults(schema, value, note_fault, &list, &err), ERR_BUG);
    cJSON_Delete(schema);
    schema = cJSON_Parse("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}");
    CHECK_FAILS(json_schema_faults(schema, value, note_fault, &list, &err), ERR_BUG);
    cJSON_Delete(schema);
    cJSON_Delete(value);
}

static void test_schema__finds_each_sort_of_violation(void)
{
    static const char schema[] =
        "{\"type\":\"object\",\"required\":[\"n\"],\"additionalProperties\":false,\"properties\":{"
        "\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9},"
        "\"s\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":3,\"pattern\":\"^[a-z]+$\"},"
        "\"e\":{\"enum\":[\"x\",\"y\"]},"
        "\"l\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/p\"},\"maxItems\":2}},"
        "\"$defs\":{\"p\":{\"type\":\"number\",\"exclusiveMinimum\":0}}}";
    CHECK_OK(schema_check(schema, "{\"n\":3,\"s\":\"ab\",\"e\":\"x\",\"l\":[1]}"));
    static const char *const bad[] = {"{}",
                                      "{\"n\":0}",
                                      "{\"n\":10}",
                                      "{\"n\":1.5}",
                                      "{\"n\":\"1\"}",
                                      "{\"n\":1,\"s\":\"a\"}",
                                      "{\"n\":1,\"s\":\"abcd\"}",
                                      "{\"n\":1,\"s\":\"A1\"}",
                                      "{\"n\":1,\"e\":\"z\"}",
                                      "{\"n\":1,\"l\":[0]}",
                                      "{\"n\":1,\"l\":[1,2,3]}",
                                      "{\"n\":1,\"q\":1}",
                                      "[]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int result = schema_check(schema, bad[i]);
        if (result != -1 || err.kind != ERR_INPUT)
            TEST_GIVE_UP("%s passed", bad[i]);
    }
    CHECK_FAILS(schema_check("{\"dependentSchemas\":{}}", "{}"), ERR_BUG);
}

static void test_png__comes_back_as_it_went(void)
{
    uint8_t pixels[] = {255, 0, 0, 255, 0, 255, 0, 128, 0, 0, 255, 0, 9, 8, 7, 255};
    struct picture in = {pixels, 2, 2}, out;
    struct bytes file = {0};
    CHECK_OK(png_encode(&file, &in, 6, &err));
    CHECK_OK(png_decode(&out, NULL, file.data, file.len, 4, &err));
    CHECK(out.width == 2 && out.height == 2 && memcmp(out.rgba, pixels, sizeof pixels) == 0);
    picture_free(&out);
    CHECK_FAILS(png_decode(&out, NULL, file.data, file.len, 3, &err), ERR_LIMIT);
    CHECK_FAILS(png_decode(&out, NULL, file.data, file.len - 20, 4, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "photo_truncated");
    bytes_free(&file);
}

/* The chunk at `at`: its name, and where the next one begins. */
static size_t chunk_at(char name[5], const uint8_t *file, size_t at)
{
    memcpy(name, file + at + 4, 4);
    name[4] = 0;
    return at + 12 + ((size_t)file[at + 2] << 8) + file[at + 3]; /* these are under 64 KiB */
}

/* A still PNG of the last frame: its pixels under the name that still pictures have. */
static int last_frame(struct picture *out, const struct bytes *animation)
{
    struct bytes still = {0};
    char name[5];
    size_t from = 0;
    for (size_t at = 8, next; at < animation->len; at = next) {
        next = chunk_at(name, animation->data, at);
        from = strcmp(name, "fcTL") == 0 ? next : from;
    }
    size_t end = chunk_at(name, animation->data, from), n = end - from - 16;
    uint8_t head[8] = {0, 0, (uint8_t)(n >> 8), (uint8_t)n, 'I', 'D', 'A', 'T'}, tail[4];
    uLong crc = crc32(crc32(0, head + 4, 4), animation->data + from + 12, (uInt)n);
    for (int i = 0; i < 4; i++)
        tail[i] = (uint8_t)(crc >> (24 - 8 * i));
    int failed = bytes_append(&still, animation->data, 33, &err) ||
                 bytes_append(&still, head, 8, &err) ||
                 bytes_append(&still, animation->data + from + 12, n, &err) ||
                 bytes_append(&still, tail, 4, &err) ||
                 bytes_append(&still, animation->data + animation->len - 12, 12, &err) ||
                 png_decode(out, NULL, still.data, still.len, 100, &err);
    bytes_free(&still);
    return failed;
}

/* Three frames: a reader of still pictures sees the first, the others follow with rising numbers.
 */
static void test_png__plays_frames_in_turn(void)
{
    uint8_t red[] = {255, 0, 0, 255}, green[] = {0, 255, 0, 255}, clear[] = {0, 0, 255, 0};
    struct picture frames[3] = {{red, 1, 1}, {green, 1, 1}, {clear, 1, 1}}, out;
    struct bytes file = {0};
    char name[5], names[100] = "";
    uint32_t sequence = 0;
    CHECK_OK(png_animate(&file, frames, 3, 80, 6, &err));
    CHECK_OK(png_decode(&out, NULL, file.data, file.len, 4, &err));
    CHECK(!memcmp(out.rgba, red, 4));
    picture_free(&out);
    for (size_t at = 8, next; at < file.len; at = next) {
        next = chunk_at(name, file.data, at);
        strcat(strcat(names, name), " ");
        if (strcmp(name, "fcTL") == 0 || strcmp(name, "fdAT") == 0)
            CHECK(file.data[at + 11] == sequence++);
        if (strcmp(name, "fcTL") == 0) /* each in place of the last: it could not be cleared */
            CHECK(file.data[at + 8 + 25] == 0);
    }
    CHECK_TEXT(names, "IHDR acTL sRGB fcTL IDAT fcTL fdAT fcTL fdAT IEND ");
    CHECK_OK(last_frame(&out, &file));
    CHECK(out.rgba[3] == 0);
    picture_free(&out);
    frames[1].width = 0;
    CHECK_FAILS(png_animate(&file, frames, 3, 80, 6, &err), ERR_INPUT);
    CHECK_FAILS(png_animate(&file, frames, 0, 80, 6, &err), ERR_INPUT);
    bytes_free(&file);
}

static int run(struct child_result *r, const char *script, struct child_limits limits)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct child_options o = {.argv = argv, .folder = "/tmp", .limits = limits};
    return child_run(r, &o, &err);
}

static void test_child__returns_streams_and_code(void)
{
    struct child_result r;
    CHECK_OK(run(&r, "echo out; echo err >&2; exit 7", (struct child_limits){0}));
    CHECK(r.exit_code == 7 && r.signal == 0);
    CHECK_TEXT((char *)r.out.data, "out\n");
    CHECK_TEXT((char *)r.err.data, "err\n");
    child_result_free(&r);
}

static void test_child__is_killed_at_its_time_limit(void)
{
    struct child_result r;
    CHECK_OK(run(&r, "sleep 30 & sleep 30", (struct child_limits){.wall_s = 1}));
    CHECK(r.timed_out && r.signal == SIGKILL && r.seconds < 5);
    child_result_free(&r);
    CHECK_OK(run(&r, "exec >/dev/null 2>&1; sleep 30", (struct child_limits){.wall_s = 1}));
    CHECK(r.timed_out && r.seconds < 5);
    child_result_free(&r);
}

struct heard {
    char text[200];
};

static void on_heard(void *user, const char *line)
{
    struct heard *heard = user;
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof heard->text - used, "%s;", line);
}

/* A complaint at the very end often has no line end; a slicer's progress comes on stdout. */
static void test_child__tells_lines_of_both_streams_and_one_without_end(void)
{
    static const char *const argv[] = {"sh", "-c", "printf 'a\\nb'; nproc >&2", NULL};
    struct heard heard = {""};
    struct child_result r;
    const struct child_options o = {.argv = argv,
                                    .limits = {.one_processor = true},
                                    .on_output_line = on_heard,
                                    .on_line = on_heard,
                                    .user = &heard};
    CHECK_OK(child_run(&r, &o, &err));
    CHECK(strstr(heard.text, "a;") && strstr(heard.text, "b;"));
    CHECK(strstr(heard.text, "1;")); /* processors */
    child_result_free(&r);
}

static void test_child__says_what_is_not_installed(void)
{
    struct child_result r;
    const char *argv[] = {"no-such-program-here", NULL};
    struct child_options o = {.argv = argv};
    CHECK_FAILS(child_run(&r, &o, &err), ERR_ABSENT);
    CHECK_TEXT(err.code, "program_missing");
    child_result_free(&r);
}

TESTS(TEST(test_bytes__refuses_what_is_over_its_cap),
      TEST(test_file__is_written_whole_and_read_back),
      TEST(test_hash__matches_the_published_vector),
      TEST(test_hash__authenticates_parts_as_one_text), TEST(test_hash__verifies_ed25519),
      TEST(test_hash__reads_hex_and_base64_strictly), TEST(test_id__sorts_and_is_recognised),
      TEST(test_json__names_the_place_of_a_fault),
      TEST(test_json__merges_objects_and_replaces_the_rest),
      TEST(test_schema__tells_every_fault_when_asked),
      TEST(test_schema__finds_each_sort_of_violation), TEST(test_png__comes_back_as_it_went),
      TEST(test_png__plays_frames_in_turn), TEST(test_child__returns_streams_and_code),
      TEST(test_child__is_killed_at_its_time_limit),
      TEST(test_child__tells_lines_of_both_streams_and_one_without_end),
      TEST(test_child__says_what_is_not_installed))
