/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/photo: formats by their bytes, refusals by code, orientation, colour, size, findings. */
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <lcms2.h>
#include <zlib.h>

#include "intake/photo.h"
#include "intake/photo_judge.h"
#include "intake/photo_raw.h"
#include "tests/test.h"

static struct err err;

/* --- pictures made here --- */

static struct picture make_picture(uint32_t width, uint32_t height)
{
    struct picture p = {malloc((size_t)width * height * 4), width, height};
    if (!p.rgba)
        abort();
    memset(p.rgba, 255, (size_t)width * height * 4);
    return p;
}

static uint8_t *at(const struct picture *p, uint32_t x, uint32_t y)
{
    return p->rgba + 4 * ((size_t)y * p->width + x);
}

static void paint(struct picture *p, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1,
                  const uint8_t rgb[3])
{
    for (uint32_t y = y0; y < y1; y++)
        for (uint32_t x = x0; x < x1; x++)
            memcpy(at(p, x, y), rgb, 3);
}

static const uint8_t red[3] = {220, 20, 20}, green[3] = {20, 200, 20}, blue[3] = {20, 20, 220},
                     black[3] = {0, 0, 0};

/* Grey blocks of chance from a fixed seed: full contrast, and edges as sharp as can be. */
static void paint_noise(struct picture *p, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1)
{
    uint32_t seed = 1, block = 20;
    for (uint32_t y = y0; y < y1; y += block)
        for (uint32_t x = x0; x < x1; x += block) {
            seed = seed * 1664525 + 1013904223;
            uint8_t grey = (uint8_t)(40 + (seed >> 24) / 2);
            const uint8_t rgb[3] = {grey, grey, grey};
            paint(p, x, y, x + block < x1 ? x + block : x1, y + block < y1 ? y + block : y1, rgb);
        }
}

static void box_blur(struct picture *p, int radius)
{
    struct picture from = make_picture(p->width, p->height);
    memcpy(from.rgba, p->rgba, (size_t)p->width * p->height * 4);
    for (int y = radius; y < (int)p->height - radius; y++)
        for (int x = radius; x < (int)p->width - radius; x++) {
            int sum = 0, side = 2 * radius + 1;
            for (int j = -radius; j <= radius; j++)
                for (int i = -radius; i <= radius; i++)
                    sum += at(&from, (uint32_t)(x + i), (uint32_t)(y + j))[0];
            memset(at(p, (uint32_t)x, (uint32_t)y), sum / (side * side), 3);
        }
    picture_free(&from);
}

/* Four quarters: red, green / blue, black; 60 x 40. Which is where tells how it was turned. */
static struct picture quarters(void)
{
    struct picture p = make_picture(60, 40);
    paint(&p, 0, 0, 30, 20, red);
    paint(&p, 30, 0, 60, 20, green);
    paint(&p, 0, 20, 30, 40, blue);
    paint(&p, 30, 20, 60, 40, black);
    return p;
}

static struct bytes as_jpeg(const struct picture *p)
{
    struct bytes out = {0};
    if (photo_jpeg_encode(&out, p, 95, &err))
        abort();
    return out;
}

static struct bytes as_png(const struct picture *p)
{
    struct bytes out = {0};
    if (png_encode(&out, p, 3, &err))
        abort();
    return out;
}

/* Puts an EXIF block with one orientation tag behind the first marker of a JPEG. */
static struct bytes with_orientation(const struct bytes *jpeg, int orientation)
{
    uint8_t exif[36] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42,
                        0,    0,    0, 8,  0,   1,   1,   18,  0, 3, 0,   0,   0, 1};
    struct bytes out = {0};
    exif[29] = (uint8_t)orientation;
    if (bytes_append(&out, jpeg->data, 2, &err) || bytes_append(&out, exif, 36, &err) ||
        bytes_append(&out, jpeg->data + 2, jpeg->len - 2, &err))
        abort();
    return out;
}

static int read_photo(struct photo *photo, const void *data, size_t n)
{
    memset(&err, 0, sizeof err);
    return photo_read(photo, data, n, &err);
}

/* Reads, frees, and gives the code of the refusal ("read" when there was none). */
static const char *code_of(const void *data, size_t n)
{
    struct photo photo;
    if (read_photo(&photo, data, n))
        return err.code;
    photo_free(&photo);
    return "read";
}

static const char *severity_of(const cJSON *report, const char *code)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_get(report, "findings"))
        if (strcmp(json_text(finding, "code", ""), code) == 0)
            return json_text(finding, "severity", "");
    return "none";
}

/* --- what kind of file --- */

static enum photo_format sniff(const char *bytes, size_t n)
{
    return photo_sniff((const uint8_t *)bytes, n);
}

static void test_photo__tells_formats_by_their_first_bytes(void)
{
    CHECK(sniff("\xff\xd8\xff\xe0", 4) == PHOTO_JPEG);
    CHECK(sniff("\x89PNG\r\n\x1a\n", 8) == PHOTO_PNG);
    CHECK(sniff("RIFF\0\0\0\0WEBPVP8 ", 16) == PHOTO_WEBP);
    CHECK(sniff("\0\0\0\x18"
                "ftypheic\0\0\0\0mif1heic",
                24) == PHOTO_HEIC);
    CHECK(sniff("\0\0\0\x18"
                "ftypmif1\0\0\0\0mif1avif",
                24) == PHOTO_AVIF);
    CHECK(sniff("\0\0\0\x18"
                "ftypisom\0\0\0\0isommp42",
                24) == PHOTO_UNKNOWN);
    CHECK(sniff("GIF89a", 6) == PHOTO_UNKNOWN);
    CHECK(sniff("\xff\xd8", 2) == PHOTO_UNKNOWN);
    CHECK(sniff("", 0) == PHOTO_UNKNOWN);
}

static void test_photo__refuses_what_is_no_photo(void)
{
    CHECK_TEXT(code_of("", 0), "photo_empty");
    CHECK_TEXT(code_of("This is a letter, not a photo.\n", 31), "photo_unknown_format");
    CHECK(err.kind == ERR_INPUT);
    CHECK_TEXT(code_of("\xff\xd8\xff\xe0", 4), "photo_truncated");
}

static void test_photo__refuses_a_file_cut_short_anywhere(void)
{
    struct picture p = make_picture(400, 300);
    paint_noise(&p, 0, 0, 400, 300);
    struct bytes jpeg = as_jpeg(&p), png = as_png(&p);
    const char *whole = code_of(jpeg.data, jpeg.len);
    CHECK_TEXT(whole, "read");
    for (size_t eighth = 1; eighth < 8; eighth++) {
        CHECK_TEXT(code_of(jpeg.data, jpeg.len * eighth / 8), "photo_truncated");
        CHECK_TEXT(code_of(png.data, png.len * eighth / 8), "photo_truncated");
    }
    bytes_free(&jpeg);
    bytes_free(&png);
    picture_free(&p);
}

static void put_big_endian(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A header that promises 30,000 x 30,000 pixels, then the start of the data. */
static size_t bomb_png(uint8_t *out, uint32_t side)
{
    const uint8_t start[16] = {0x89, 'P', 'N', 'G', 13,  10,  26,  10,
                               0,    0,   0,   13,  'I', 'H', 'D', 'R'};
    memcpy(out, start, 16);
    put_big_endian(out + 16, side);
    put_big_endian(out + 20, side);
    memcpy(out + 24, "\x01\0\0\0\0", 5);
    put_big_endian(out + 29, (uint32_t)crc32(0, out + 12, 17));
    memcpy(out + 33, "\0\0\0\x10IDAT\x78\x9c", 10);
    return 43;
}

static long resident_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void test_photo__refuses_a_huge_png_at_once_and_without_memory(void)
{
    uint8_t bomb[64];
    long before = resident_kb();
    clock_t start = clock(); /* the processor's time: the machine may be busy */
    CHECK_TEXT(code_of(bomb, bomb_png(bomb, 30000)), "photo_too_large");
    CHECK(err.kind == ERR_LIMIT);
    CHECK_TEXT(code_of(bomb, bomb_png(bomb, 65536)), "photo_too_large");
    CHECK((clock() - start) / (double)CLOCKS_PER_SEC < 0.2);
    CHECK(resident_kb() - before < 4096);
}

static void test_photo__refuses_a_huge_jpeg_by_its_header(void)
{
    struct picture p = make_picture(16, 16);
    struct bytes jpeg = as_jpeg(&p);
    for (size_t i = 0; i + 9 < jpeg.len; i++)
        if (jpeg.data[i] == 0xff && jpeg.data[i + 1] == 0xc0)
            memcpy(jpeg.data + i + 5, "\x75\x30\x75\x30", 4); /* 30,000 x 30,000 */
    CHECK_TEXT(code_of(jpeg.data, jpeg.len), "photo_too_large");
    CHECK(err.kind == ERR_LIMIT);
    bytes_free(&jpeg);
    picture_free(&p);
}

static void test_photo__refuses_more_bytes_than_it_takes(void)
{
    uint8_t *data = calloc(1, PHOTO_MAX_BYTES + 1);
    memcpy(data, "\xff\xd8\xff", 3);
    const char *code = code_of(data, PHOTO_MAX_BYTES + 1);
    free(data);
    CHECK_TEXT(code, "photo_too_large");
}

/*
 * A progressive file whose last scan is repeated: each costs a pass over the whole picture. The
 * scan is found by its marker; libjpeg takes repeated refinements with a warning at most.
 */
static void test_photo__stops_at_endless_scans(void)
{
    static const uint8_t head[] = {
        0xff, 0xd8, 0xff, 0xdb, 0, 67, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        /* progressive, 8 bit, 8 x 8, one component */
        0xff, 0xc2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
        /* a Huffman table with the one code 0 for "no bits" */
        0xff, 0xc4, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t scan[] = {0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0, 0x7f};
    struct bytes file = {0};
    CHECK_OK(bytes_append(&file, head, sizeof head, &err));
    for (int i = 0; i < 3; i++)
        CHECK_OK(bytes_append(&file, scan, sizeof scan, &err));
    CHECK_OK(bytes_append(&file, "\xff\xd9", 2, &err));
    CHECK_TEXT(code_of(file.data, file.len), "read");
    file.len -= 2;
    for (int i = 0; i < 2000; i++)
        CHECK_OK(bytes_append(&file, scan, sizeof scan, &err));
    CHECK_OK(bytes_append(&file, "\xff\xd9", 2, &err));
    CHECK_TEXT(code_of(file.data, file.len), "photo_damaged");
    CHECK(strstr(err.what, "passes"));
    bytes_free(&file);
}

/* --- upright, in sRGB, bounded --- */

/* Quarter by quarter what the eight orientations must show: top left and top right colours. */
static void test_photo__bakes_each_orientation_once(void)
{
    static const uint8_t *const top_left[9] = {NULL, red,  green, black, blue,
                                               red,  blue, black, green};
    static const uint8_t *const top_right[9] = {NULL, green, red,   blue, black,
                                                blue, red,   green, black};
    struct picture p = quarters();
    struct bytes plain = as_jpeg(&p);
    picture_free(&p);
    for (int o = 1; o <= 8; o++) {
        struct photo photo;
        struct bytes jpeg = with_orientation(&plain, o);
        CHECK_OK(read_photo(&photo, jpeg.data, jpeg.len));
        bytes_free(&jpeg);
        CHECK(photo.exif_orientation == o);
        CHECK(photo.source_width == 60 && photo.source_height == 40);
        CHECK(photo.pixels.width == (o < 5 ? 60u : 40u));
        for (int c = 0; c < 3; c++) {
            CHECK_NEAR(at(&photo.pixels, 4, 4)[c], top_left[o][c], 12);
            CHECK_NEAR(at(&photo.pixels, photo.pixels.width - 5, 4)[c], top_right[o][c], 12);
        }
        photo_free(&photo);
    }
    bytes_free(&plain);
}

static void test_exif__survives_every_cut_and_every_changed_byte(void)
{
    static const uint8_t tiff[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1,
                                   3,   0,   1,  0, 0, 0, 6, 0, 0, 0, 0,    0};
    uint8_t copy[sizeof tiff];
    CHECK(photo_exif_orientation(tiff, sizeof tiff) == 6);
    for (size_t n = 0; n < 22; n++) {
        uint8_t *cut = malloc(n + 1); /* of that size, for the sanitizer to guard */
        memcpy(cut, tiff, n);
        int orientation = photo_exif_orientation(cut, n);
        free(cut);
        CHECK(orientation == 1);
    }
    for (size_t i = 0; i < sizeof tiff * 256; i++) {
        memcpy(copy, tiff, sizeof tiff);
        copy[i / 256] = (uint8_t)(i % 256);
        int orientation = photo_exif_orientation(copy, sizeof copy);
        CHECK(orientation >= 1 && orientation <= 8);
    }
}

static void test_photo__shrinks_in_linear_light(void)
{
    struct picture p = make_picture(4096, 64);
    for (uint32_t y = 0; y < 64; y++)
        for (uint32_t x = y % 2; x < 4096; x += 2)
            paint(&p, x, y, x + 1, y + 1, black);
    CHECK_OK(photo_shrink(&p, 2048, false, &err));
    CHECK(p.width == 2048 && p.height == 32);
    CHECK_NEAR(at(&p, 100, 10)[0], 188, 1); /* half the light; 128 would be half the number */
    picture_free(&p);
}

static void test_photo__shrinks_by_any_ratio_without_drift(void)
{
    struct picture p = make_picture(3001, 777);
    paint(&p, 0, 0, 3001, 777, blue);
    CHECK_OK(photo_shrink(&p, 2048, false, &err));
    CHECK(p.width == 2048 && p.height == 530);
    for (uint32_t y = 0; y < p.height; y += 53)
        for (uint32_t x = 0; x < p.width; x += 89)
            CHECK(memcmp(at(&p, x, y), "\x14\x14\xdc\xff", 4) == 0);
    picture_free(&p);
}

static void test_photo__bounds_the_longest_side_and_keeps_the_shape(void)
{
    struct photo photo;
    struct picture p = make_picture(5000, 2500);
    paint(&p, 1500, 500, 3500, 2000, red);
    struct bytes jpeg = as_jpeg(&p);
    picture_free(&p);
    CHECK_OK(read_photo(&photo, jpeg.data, jpeg.len));
    CHECK(photo.source_width == 5000 && photo.source_height == 2500);
    CHECK(photo.pixels.width == 2048 && photo.pixels.height == 1024);
    CHECK_NEAR(at(&photo.pixels, 1024, 512)[0], 220, 4);
    photo_free(&photo);
    bytes_free(&jpeg);
}

static void test_photo__keeps_real_alpha_and_lays_stray_alpha_on_white(void)
{
    struct photo photo;
    struct picture p = make_picture(100, 100);
    paint(&p, 0, 0, 100, 100, red);
    for (uint32_t y = 0; y < 100; y++)
        for (uint32_t x = 0; x < 30; x++)
            at(&p, x, y)[3] = 0;
    struct bytes png = as_png(&p);
    CHECK_OK(read_photo(&photo, png.data, png.len));
    CHECK(photo.has_alpha && at(&photo.pixels, 5, 5)[3] == 0 &&
          at(&photo.pixels, 50, 50)[3] == 255);
    CHECK(at(&photo.pixels, 5, 5)[0] == 0); /* the red below is gone */
    photo_free(&photo);
    bytes_free(&png);
    paint(&p, 0, 0, 100, 100, black);
    for (uint32_t i = 0; i < 100 * 100; i++)
        p.rgba[4 * i + 3] = 200;
    png = as_png(&p);
    CHECK_OK(read_photo(&photo, png.data, png.len));
    CHECK(!photo.has_alpha && at(&photo.pixels, 5, 5)[3] == 255);
    CHECK_NEAR(at(&photo.pixels, 5, 5)[0], 55, 1);
    photo_free(&photo);
    bytes_free(&png);
    picture_free(&p);
}

static void test_colour__ignores_a_broken_profile_and_says_so(void)
{
    struct photo_raw raw = {.pixels = quarters(), .orientation = 1};
    bool ignored = false;
    CHECK_OK(bytes_append(&raw.icc, "no profile at all", 17, &err));
    CHECK_OK(photo_colour_to_srgb(&raw, &ignored, &err));
    CHECK(ignored && at(&raw.pixels, 1, 1)[0] == 220);
    photo_raw_free(&raw);
}

/* A profile whose numbers are light itself: 55 of 255 is a fifth of the light, in sRGB 128. */
static struct bytes linear_profile(bool grey)
{
    cmsCIExyYTRIPLE primaries = {{0.64, 0.33, 1}, {0.30, 0.60, 1}, {0.15, 0.06, 1}};
    cmsCIExyY white = {0.3127, 0.3290, 1};
    cmsToneCurve *straight = cmsBuildGamma(NULL, 1.0);
    cmsToneCurve *three[3] = {straight, straight, straight};
    cmsHPROFILE profile = grey ? cmsCreateGrayProfile(&white, straight)
                               : cmsCreateRGBProfile(&white, &primaries, three);
    uint8_t room[16384];
    cmsUInt32Number n = sizeof room;
    struct bytes out = {0};
    if (!cmsSaveProfileToMem(profile, room, &n) || bytes_append(&out, room, n, &err))
        abort();
    cmsCloseProfile(profile);
    cmsFreeToneCurve(straight);
    return out;
}

static void test_colour__follows_the_embedded_profile(void)
{
    for (int grey = 0; grey < 2; grey++) {
        struct photo_raw raw = {.pixels = make_picture(3, 1), .icc = linear_profile(grey)};
        bool ignored = true;
        memcpy(raw.pixels.rgba, "\x37\x37\x37\x50\x00\x00\x00\xff\xff\xff\xff\x01", 12);
        CHECK_OK(photo_colour_to_srgb(&raw, &ignored, &err));
        CHECK(!ignored);
        for (uint32_t c = 0; c < 3; c++) {
            CHECK_NEAR(at(&raw.pixels, 0, 0)[c], 128, 2);
            CHECK_NEAR(at(&raw.pixels, 1, 0)[c], 0, 1);
            CHECK_NEAR(at(&raw.pixels, 2, 0)[c], 255, 1);
        }
        CHECK(at(&raw.pixels, 0, 0)[3] == 0x50 && at(&raw.pixels, 2, 0)[3] == 1);
        photo_raw_free(&raw);
    }
}

/* A profile for printing inks says nothing about a picture of light. */
static void test_colour__ignores_a_profile_of_another_kind(void)
{
    struct photo_raw raw = {
        .pixels = make_picture(1, 1), .cmyk = true, .icc = linear_profile(false)};
    bool ignored = false;
    CHECK_OK(photo_colour_to_srgb(&raw, &ignored, &err));
    CHECK(ignored && at(&raw.pixels, 0, 0)[0] == 0); /* all inks in full: black */
    photo_raw_free(&raw);
}

static void test_colour__turns_inks_into_light(void)
{
    struct photo_raw raw = {.pixels = make_picture(2, 1), .cmyk = true, .orientation = 1};
    bool ignored = false;
    memcpy(raw.pixels.rgba, "\xff\x00\x00\x00\x00\x00\x00\xff", 8); /* cyan, then black */
    CHECK_OK(photo_colour_to_srgb(&raw, &ignored, &err));
    CHECK(!ignored && memcmp(raw.pixels.rgba, "\x00\xff\xff\xff\x00\x00\x00\xff", 8) == 0);
    photo_raw_free(&raw);
}

/* --- findings --- */

/* A subject that is exactly the given box of the picture. */
static struct subject box_subject(const struct picture *p, uint32_t x0, uint32_t y0, uint32_t x1,
                                  uint32_t y1)
{
    struct subject s = {.mask = calloc((size_t)p->width * p->height, 1), .confidence = 1};
    for (uint32_t y = y0; y < y1; y++)
        memset(s.mask + (size_t)y * p->width + x0, 255, x1 - x0);
    s.share = (double)(x1 - x0) * (y1 - y0) / ((double)p->width * p->height);
    return s;
}

/* The report on a 700 x 700 picture whose subject is the middle 400. */
static cJSON *judge_middle(struct picture *p, struct subject *changed)
{
    struct photo photo = {.format = PHOTO_PNG, .pixels = *p};
    struct subject s = box_subject(p, 150, 150, 550, 550);
    if (changed) {
        s.confidence = changed->confidence;
        memcpy(s.border_share, changed->border_share, sizeof s.border_share);
    }
    if (photo_judge(&photo, &s, false, &err))
        abort();
    subject_free(&s);
    picture_free(p);
    return photo.report;
}

static struct picture sharp_picture(void)
{
    struct picture p = make_picture(700, 700);
    paint_noise(&p, 150, 150, 550, 550);
    return p;
}

static void test_judge__passes_a_good_photo(void)
{
    struct picture p = sharp_picture();
    cJSON *report = judge_middle(&p, NULL);
    CHECK_TEXT(json_text(report, "verdict", ""), "pass");
    CHECK(cJSON_GetArraySize(json_get(report, "findings")) == 0);
    CHECK_NEAR(json_number(json_get(report, "photo"), "subject_width", 0), 400, 0);
    cJSON_Delete(report);
}

static void test_judge__sees_blur_inside_the_subject(void)
{
    struct picture p = sharp_picture();
    box_blur(&p, 7);
    box_blur(&p, 7);
    cJSON *report = judge_middle(&p, NULL);
    CHECK_TEXT(severity_of(report, "photo_blurred"), "warning");
    CHECK_TEXT(json_text(report, "verdict", ""), "revise");
    cJSON_Delete(report);
}

static void scale_light(struct picture *p, double factor, double offset)
{
    for (size_t i = 0; i < (size_t)p->width * p->height * 4; i++)
        p->rgba[i] = (uint8_t)fmin(255, p->rgba[i] * factor + offset);
}

static void test_judge__sees_too_little_and_too_much_light(void)
{
    struct picture p = sharp_picture();
    scale_light(&p, 0.25, 0);
    cJSON *report = judge_middle(&p, NULL);
    CHECK_TEXT(severity_of(report, "photo_dark"), "warning");
    cJSON_Delete(report);
    p = sharp_picture();
    scale_light(&p, 0.02, 0);
    report = judge_middle(&p, NULL);
    CHECK_TEXT(severity_of(report, "photo_dark"), "error");
    CHECK_TEXT(json_text(report, "verdict", ""), "reject");
    cJSON_Delete(report);
    p = sharp_picture();
    scale_light(&p, 1, 170);
    report = judge_middle(&p, NULL);
    CHECK_TEXT(severity_of(report, "photo_bright"), "warning");
    cJSON_Delete(report);
    p = sharp_picture();
    scale_light(&p, 0.1, 100);
    report = judge_middle(&p, NULL);
    CHECK_TEXT(severity_of(report, "photo_low_contrast"), "warning");
    CHECK_TEXT(severity_of(report, "photo_blurred"), "none"); /* flat light is no blur */
    cJSON_Delete(report);
}

static void test_judge__sees_a_subject_cut_off_or_unclear(void)
{
    struct picture p = sharp_picture();
    struct subject cut = {.confidence = 1, .border_share = {0, 0.4, 0, 0}};
    cJSON *report = judge_middle(&p, &cut);
    CHECK_TEXT(severity_of(report, "subject_cut_off"), "warning");
    cJSON_Delete(report);
    p = sharp_picture();
    struct subject bust = {.confidence = 0.1, .border_share = {0, 0, 0.5, 0}};
    report = judge_middle(&p, &bust);
    CHECK_TEXT(severity_of(report, "subject_cut_off"), "info");
    CHECK_TEXT(severity_of(report, "subject_unclear"), "warning");
    cJSON_Delete(report);
}

static void test_judge__sees_nothing_and_two_of_a_kind(void)
{
    struct picture p = make_picture(700, 700);
    struct photo photo = {.pixels = p};
    struct subject s = box_subject(&p, 0, 0, 0, 0);
    CHECK_OK(photo_judge(&photo, &s, true, &err));
    CHECK_TEXT(severity_of(photo.report, "no_subject"), "error");
    CHECK_TEXT(severity_of(photo.report, "photo_profile_ignored"), "info");
    CHECK_TEXT(json_text(photo.report, "verdict", ""), "reject");
    cJSON_Delete(photo.report);
    subject_free(&s);
    s = box_subject(&p, 50, 100, 300, 600);
    for (uint32_t y = 100; y < 600; y++)
        memset(s.mask + (size_t)y * 700 + 400, 255, 200);
    CHECK_OK(photo_judge(&photo, &s, false, &err));
    CHECK_TEXT(severity_of(photo.report, "several_subjects"), "warning");
    cJSON_Delete(photo.report);
    subject_free(&s);
    picture_free(&p);
}

/* One pixel high, and wider than the grid that is measured on. */
static void test_judge__measures_a_line(void)
{
    struct photo photo;
    struct picture p = make_picture(1000, 1);
    paint(&p, 100, 0, 900, 1, red);
    struct bytes png = as_png(&p);
    picture_free(&p);
    CHECK_OK(read_photo(&photo, png.data, png.len));
    CHECK(cJSON_IsNull(json_get(json_get(photo.report, "photo"), "sharpness")));
    photo_free(&photo);
    bytes_free(&png);
}

static void test_judge__sees_a_small_photo(void)
{
    struct photo photo;
    struct picture p = make_picture(200, 300);
    paint(&p, 50, 50, 150, 250, red);
    struct bytes png = as_png(&p);
    picture_free(&p);
    CHECK_OK(read_photo(&photo, png.data, png.len));
    CHECK_TEXT(severity_of(photo.report, "photo_small"), "error");
    CHECK(cJSON_GetArraySize(json_get(photo.report, "findings")) >= 1);
    photo_free(&photo);
    bytes_free(&png);
}

/* --- what a provider gets --- */

static bool contains(const struct bytes *file, const char *word)
{
    return memmem(file->data, file->len, word, strlen(word)) != NULL;
}

static void test_photo__leaves_the_metadata_behind(void)
{
    struct photo photo;
    const char *mime;
    struct bytes out = {0};
    struct picture p = quarters();
    struct bytes plain = as_jpeg(&p), jpeg = with_orientation(&plain, 6);
    CHECK(contains(&jpeg, "Exif"));
    CHECK_OK(read_photo(&photo, jpeg.data, jpeg.len));
    CHECK_OK(photo_encode_for_provider(&out, &mime, &photo, &err));
    CHECK_TEXT(mime, "image/jpeg");
    CHECK(photo_sniff(out.data, out.len) == PHOTO_JPEG && !contains(&out, "Exif"));
    photo_free(&photo);
    bytes_free(&out);
    bytes_free(&jpeg);
    bytes_free(&plain);
    picture_free(&p);
}

/* Coloured noise with a hole: a PNG of it at 1600 px is about 7 MB. */
static void test_photo__gives_a_provider_at_most_four_million_bytes(void)
{
    struct photo photo = {.has_alpha = true, .pixels = make_picture(1600, 1600)};
    const char *mime;
    struct bytes out = {0};
    uint32_t seed = 7;
    for (size_t i = 0; i < (size_t)1600 * 1600 * 4; i++) {
        seed = seed * 1664525 + 1013904223;
        photo.pixels.rgba[i] = i % 4 == 3 ? (i > 400000 ? 255 : 0) : (uint8_t)(seed >> 24);
    }
    CHECK_OK(photo_encode_for_provider(&out, &mime, &photo, &err));
    CHECK_TEXT(mime, "image/png");
    CHECK(out.len <= 4000000 && out.len > 1000000);
    CHECK(photo.pixels.width == 1600); /* the photo itself is left alone */
    bytes_free(&out);
    photo_free(&photo);
}

TESTS(TEST(test_photo__tells_formats_by_their_first_bytes),
      TEST(test_photo__refuses_what_is_no_photo),
      TEST(test_photo__refuses_a_huge_png_at_once_and_without_memory),
      TEST(test_photo__refuses_a_file_cut_short_anywhere),
      TEST(test_photo__refuses_a_huge_jpeg_by_its_header),
      TEST(test_photo__refuses_more_bytes_than_it_takes), TEST(test_photo__stops_at_endless_scans),
      TEST(test_photo__bakes_each_orientation_once),
      TEST(test_exif__survives_every_cut_and_every_changed_byte),
      TEST(test_photo__shrinks_in_linear_light),
      TEST(test_photo__shrinks_by_any_ratio_without_drift),
      TEST(test_photo__bounds_the_longest_side_and_keeps_the_shape),
      TEST(test_photo__keeps_real_alpha_and_lays_stray_alpha_on_white),
      TEST(test_colour__ignores_a_broken_profile_and_says_so),
      TEST(test_colour__follows_the_embedded_profile),
      TEST(test_colour__ignores_a_profile_of_another_kind),
      TEST(test_colour__turns_inks_into_light), TEST(test_judge__passes_a_good_photo),
      TEST(test_judge__sees_blur_inside_the_subject),
      TEST(test_judge__sees_too_little_and_too_much_light),
      TEST(test_judge__sees_a_subject_cut_off_or_unclear),
      TEST(test_judge__sees_nothing_and_two_of_a_kind), TEST(test_judge__measures_a_line),
      TEST(test_judge__sees_a_small_photo), TEST(test_photo__leaves_the_metadata_behind),
      TEST(test_photo__gives_a_provider_at_most_four_million_bytes))
