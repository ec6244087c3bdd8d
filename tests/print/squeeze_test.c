/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/export/squeeze: whatever steps a text is made of, zlib's inflate gives the text back. */
#include <stdbool.h>
#include <zlib.h>

#include "print/export/packer.h"
#include "print/export/repeats.h"
#include "tests/test.h"

static struct err err;
static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed * below) >> 32);
}

/* Two pieces one behind the other: the second must begin at a byte and look back no further. */
static bool gives_back(struct squeeze *squeeze, const char *text, size_t n)
{
    size_t room = squeeze_bound(squeeze, n), made;
    uint8_t *packed = malloc(2 * room + 2), *plain = malloc(2 * n + 1);
    struct squeeze again = *squeeze;
    size_t bytes = squeeze_write(packed, squeeze, text, n);
    bytes += squeeze_write(packed + bytes, &again, text, n);
    packed[bytes++] = 3; /* the last block, empty */
    packed[bytes++] = 0;
    z_stream z = {.next_in = packed, .avail_in = (uInt)bytes, .next_out = plain};
    z.avail_out = (uInt)(2 * n + 1);
    bool good = inflateInit2(&z, -MAX_WBITS) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END;
    made = z.total_out;
    good = good && z.avail_in == 0 && made == 2 * n && !memcmp(plain, text, n) &&
           !memcmp(plain + n, text, n);
    inflateEnd(&z);
    free(packed);
    free(plain);
    return good;
}

#define MOST 200000

/* A text made by steps of all lengths and distances, so that the repeats in it are true. */
static size_t make_steps(char *text, struct squeeze *squeeze, size_t steps, uint32_t letters)
{
    size_t n = 0;
    for (size_t i = 0; i < steps && n + 700 < MOST; i++) {
        for (uint32_t k = draw(i % 7 ? 12 : 400); k > 0; k--)
            text[n++] = (char)draw(letters);
        size_t far = n < SQUEEZE_FARTHEST ? n : SQUEEZE_FARTHEST;
        if (far == 0)
            continue;
        uint32_t way = draw(4);
        size_t distance = way == 0 ? 1 : way == 1 ? far : 1 + draw((uint32_t)far);
        size_t length = way == 2 ? SQUEEZE_LONGEST : way == 3 ? 3 : 3 + draw(256);
        for (size_t k = 0; k < length; k++)
            text[n + k] = text[n + k - distance];
        squeeze_add(squeeze, text, n, length, distance);
        n += length;
    }
    for (uint32_t k = draw(20); k > 0; k--)
        text[n++] = (char)draw(letters);
    return n;
}

static void test_squeeze__gives_back_what_steps_of_all_sizes_say(void)
{
    char *text = calloc(1, MOST + 8);
    for (uint32_t i = 0; i < 200; i++) {
        struct squeeze squeeze = {.steps = malloc(2000 * sizeof *squeeze.steps)};
        size_t n = make_steps(text, &squeeze, i < 100 ? i : 2000, 1 + draw(256));
        if (!gives_back(&squeeze, text, n))
            TEST_GIVE_UP("text %u of %zu bytes in %zu steps", i, n, squeeze.count);
        free(squeeze.steps);
    }
    free(text);
}

/* Counts that grow like rabbits want a code of 24 bits for the rarest; deflate has 15, and 7 for
 * the codes' own lengths. */
static void test_squeeze__keeps_codes_short_enough(void)
{
    char *text = calloc(1, MOST + 8);
    for (int letters = 1; letters <= 24; letters++) {
        struct squeeze squeeze = {0};
        size_t n = 0;
        for (uint32_t i = 0, a = 1, b = 1; i < (uint32_t)letters; i++) {
            memset(text + n, 'a' + (int)i, a);
            n += a;
            uint32_t next = a + b;
            a = b, b = next;
        }
        CHECK(n < MOST);
        CHECK(gives_back(&squeeze, text, n));
    }
    struct squeeze empty = {0};
    CHECK(gives_back(&empty, text, 0));
    free(text);
}

/* Lines as a 3MF has them: each number's field is found again, and next to nothing is left. */
static void test_repeats__of_equal_lines_leave_little(void)
{
    static const char line[] = "<v x=\"12.5\" y=\"-7\"/>\n";
    const size_t lines = 1000, n = lines * (sizeof line - 1);
    char *text = calloc(1, n + 8);
    struct repeats_field *fields = malloc(2 * lines * sizeof *fields);
    struct repeats *repeats = malloc(sizeof *repeats);
    struct squeeze squeeze = {.steps = malloc(2 * lines * sizeof *squeeze.steps)};
    struct packer_press press = {0};
    for (size_t i = 0; i < lines; i++) {
        uint32_t at = (uint32_t)(i * (sizeof line - 1));
        memcpy(text + at, line, sizeof line - 1);
        fields[2 * i] = (struct repeats_field){at, 0, 5};
        fields[2 * i + 1] = (struct repeats_field){at + 10, 1, 9};
    }
    repeats_begin(repeats, text);
    repeats_find(&squeeze, repeats, fields, 2 * lines, n);
    CHECK(squeeze.count > 0 && squeeze.done == n);
    CHECK_OK(packer_press_steps(&press, &squeeze, text, n, &err));
    CHECK(press.packed_bytes < 300 && press.bytes == n);
    CHECK(press.crc == crc32(0, (const Bytef *)text, (uInt)n));
    packer_press_free(&press);
    struct squeeze second = {.steps = squeeze.steps};
    repeats_begin(repeats, text);
    repeats_find(&second, repeats, fields, 2 * lines, n);
    CHECK(gives_back(&second, text, n));
    free(squeeze.steps);
    free(repeats);
    free(fields);
    free(text);
}

TESTS(TEST(test_squeeze__gives_back_what_steps_of_all_sizes_say),
      TEST(test_squeeze__keeps_codes_short_enough), TEST(test_repeats__of_equal_lines_leave_little))
