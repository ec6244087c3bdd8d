/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines, boxes and letters made of strokes; see draw.h. */
#include "print/render/draw.h"

#include <math.h>
#include <stddef.h>

/*
 * A letter is polylines, parted by blanks; a point is a digit (x) and a letter (y: a is 2 below the
 * line that the text stands on, c on it, g the height of an x, i that of a capital).
 */
static const char *const glyphs[128] = {
    ['0'] = "1c3c4d4h3i1i0h0d1c",
    ['1'] = "0g2i2c",
    ['2'] = "0h1i3i4h4g0c4c",
    ['3'] = "0i4i2g3g4f4d3c1c0d",
    ['4'] = "3c3i0e4e",
    ['5'] = "4i0i0f3f4e4d3c1c0d",
    ['6'] = "4h3i1i0h0d1c3c4d4e3f1f0e",
    ['7'] = "0i4i1c",
    ['8'] = "1f0e0d1c3c4d4e3f1f0g0h1i3i4h4g3f",
    ['9'] = "0d1c3c4d4h3i1i0h0g1f3f4g",
    ['A'] = "0c2i4c 1e3e",
    ['B'] = "0c0i3i4h4g3f0f 3f4e4d3c0c",
    ['C'] = "4h3i1i0h0d1c3c4d",
    ['D'] = "0c0i3i4h4d3c0c",
    ['E'] = "4c0c0i4i 0f3f",
    ['F'] = "0c0i4i 0f3f",
    ['G'] = "4h3i1i0h0d1c3c4d4f2f",
    ['H'] = "0c0i 4c4i 0f4f",
    ['I'] = "0c0i",
    ['J'] = "3i3d2c1c0d",
    ['K'] = "0c0i 4i0e 1f4c",
    ['L'] = "0i0c3c",
    ['M'] = "0c0i2f4i4c",
    ['N'] = "0c0i4c4i",
    ['O'] = "1c3c4d4h3i1i0h0d1c",
    ['P'] = "0c0i3i4h4g3f0f",
    ['Q'] = "1c3c4d4h3i1i0h0d1c 2e4c",
    ['R'] = "0c0i3i4h4g3f0f 2f4c",
    ['S'] = "4h3i1i0h0g1f3f4e4d3c1c0d",
    ['T'] = "0i4i 2i2c",
    ['U'] = "0i0d1c3c4d4i",
    ['V'] = "0i2c4i",
    ['W'] = "0i1c2g3c4i",
    ['X'] = "0i4c 4i0c",
    ['Y'] = "0i2f4i 2f2c",
    ['Z'] = "0i4i0c4c",
    ['a'] = "0g2g3f3c1c0d1e3e",
    ['b'] = "0i0c2c3d3f2g0g",
    ['c'] = "3f2g1g0f0d1c2c3d",
    ['d'] = "3i3c1c0d0f1g3g",
    ['e'] = "0e3e3f2g1g0f0d1c3c",
    ['f'] = "3i2i1h1c 0g2g",
    ['g'] = "3c1c0d0f1g3g3b2a0a",
    ['h'] = "0i0c 0g2g3f3c",
    ['i'] = "0g0c 0i0i",
    ['j'] = "1g1b0a 1i1i",
    ['k'] = "0i0c 0d3g 1e3c",
    ['l'] = "0i0d1c",
    ['m'] = "0c0g1g2f2c 2f3g4f4c",
    ['n'] = "0c0g2g3f3c",
    ['o'] = "1c2c3d3f2g1g0f0d1c",
    ['p'] = "0a0g2g3f3d2c0c",
    ['q'] = "3a3g1g0f0d1c3c",
    ['r'] = "0c0g 0f1g2g",
    ['s'] = "3g1g0f1e2e3d2c0c",
    ['t'] = "1i1d2c 0g2g",
    ['u'] = "0g0d1c3c 3g3c",
    ['v'] = "0g2c4g",
    ['w'] = "0g1c2f3c4g",
    ['x'] = "0g3c 3g0c",
    ['y'] = "0g2c 4g2c1a0a",
    ['z'] = "0g3g0c3c",
    ['.'] = "0c0c",
    [','] = "1c0b",
    [':'] = "0c0c 0f0f",
    [';'] = "1c0b 1f1f",
    ['-'] = "0e3e",
    ['_'] = "0b4b",
    ['+'] = "0e4e 2c2g",
    ['='] = "0d3d 0f3f",
    ['<'] = "3g0e3c",
    ['>'] = "0g3e0c",
    ['/'] = "0b3i",
    ['%'] = "0c4i 0i0h 4c4d",
    ['('] = "1i0h0c1b",
    [')'] = "0i1h1c0b",
    ['['] = "1i0i0b1b",
    [']'] = "0i1i1b0b",
    ['|'] = "0b0i",
    ['!'] = "0i0e 0c0c",
    ['?'] = "0h1i2i3h3g1f1e 1c1c",
    ['\''] = "0i0g",
    ['"'] = "0i0g 2i2g",
    ['#'] = "1c1i 3c3i 0e4e 0g4g",
    ['*'] = "0e2g 0g2e",
    ['~'] = "0e1f2e3f",
    ['&'] = "4c1g1h2i3h0e0d1c2c4e",
};
static const char unknown[] = "0c3c3i0i0c";

static void blend(uint8_t *pixel, const uint8_t rgb[3], double cover)
{
    double under = pixel[3] / 255.0 * (1 - cover), alpha = cover + under;
    for (int k = 0; k < 3 && alpha > 0; k++)
        pixel[k] = (uint8_t)lrint((cover * rgb[k] + under * pixel[k]) / alpha);
    pixel[3] = (uint8_t)lrint(alpha * 255);
}

static double segment_distance(double x, double y, const double s[4])
{
    double dx = s[2] - s[0], dy = s[3] - s[1], length2 = dx * dx + dy * dy;
    double t = length2 > 0 ? ((x - s[0]) * dx + (y - s[1]) * dy) / length2 : 0;
    t = fmin(fmax(t, 0), 1);
    return hypot(x - s[0] - t * dx, y - s[1] - t * dy);
}

/* All segments as one stroke, so that where two meet nothing is painted twice. */
static void stroke(struct picture *picture, double (*segments)[4], size_t count, double width,
                   const uint8_t rgb[3])
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < 4; k++) {
            low[k % 2] = fmin(low[k % 2], segments[i][k]);
            high[k % 2] = fmax(high[k % 2], segments[i][k]);
        }
    double reach = width / 2 + 1;
    long left = lrint(fmax(floor(low[0] - reach), 0)), top = lrint(fmax(floor(low[1] - reach), 0));
    long right = lrint(fmin(ceil(high[0] + reach), picture->width));
    long bottom = lrint(fmin(ceil(high[1] + reach), picture->height));
    for (long y = top; y < bottom; y++)
        for (long x = left; x < right; x++) {
            double nearest = INFINITY;
            for (size_t i = 0; i < count; i++)
                nearest =
                    fmin(nearest, segment_distance((double)x + 0.5, (double)y + 0.5, segments[i]));
            double cover = fmin(fmax(width / 2 + 0.5 - nearest, 0), 1);
            if (cover > 0)
                blend(picture->rgba + 4 * ((size_t)y * picture->width + (size_t)x), rgb,
                      fmin(cover, width));
        }
}

void draw_line(struct picture *picture, double x0, double y0, double x1, double y1, double width,
               const uint8_t rgb[3])
{
    double segment[1][4] = {{x0, y0, x1, y1}};
    stroke(picture, segment, 1, width, rgb);
}

void draw_box(struct picture *picture, long x, long y, long width, long height,
              const uint8_t rgb[3])
{
    for (long j = y < 0 ? 0 : y; j < y + height && j < (long)picture->height; j++)
        for (long i = x < 0 ? 0 : x; i < x + width && i < (long)picture->width; i++)
            blend(picture->rgba + 4 * ((size_t)j * picture->width + (size_t)i), rgb, 1);
}

void draw_picture(struct picture *picture, const struct picture *from, long x, long y)
{
    for (long j = 0; j < (long)from->height; j++)
        for (long i = 0; i < (long)from->width; i++) {
            const uint8_t *p = from->rgba + 4 * ((size_t)j * from->width + (size_t)i);
            if (x + i < 0 || y + j < 0 || x + i >= (long)picture->width ||
                y + j >= (long)picture->height || p[3] == 0)
                continue;
            blend(picture->rgba + 4 * ((size_t)(y + j) * picture->width + (size_t)(x + i)), p,
                  p[3] / 255.0);
        }
}

/* The next character's strokes, or NULL for a blank; steps over all bytes of a UTF-8 one. */
static const char *next_glyph(const char **text)
{
    unsigned char c = (unsigned char)*(*text)++;
    while (((unsigned char)**text & 0xc0) == 0x80)
        ++*text;
    if (c == ' ')
        return NULL;
    return c < 128 && glyphs[c] ? glyphs[c] : unknown;
}

static int glyph_width(const char *glyph)
{
    int widest = 0;
    for (const char *p = glyph; p && *p; p += *p == ' ' ? 1 : 2)
        if (*p != ' ' && *p - '0' > widest)
            widest = *p - '0';
    return glyph ? widest : 1;
}

#define UNITS 6.0 /* a capital's height in the glyphs' steps */
#define GAP 2     /* between letters, in steps */

double draw_text_width(double cap, const char *text)
{
    int steps = 0;
    while (*text)
        steps += glyph_width(next_glyph(&text)) + GAP;
    return (steps ? steps - GAP : 0) * cap / UNITS;
}

void draw_text(struct picture *picture, double x, double y, double cap, const char *text,
               const uint8_t rgb[3])
{
    double unit = cap / UNITS, width = fmax(cap * 0.13, 1.1);
    while (*text) {
        double segments[32][4];
        size_t count = 0;
        const char *glyph = next_glyph(&text);
        for (const char *p = glyph; p && *p && count < 32;) {
            const char *q = p[2] && p[2] != ' ' ? p + 2 : p;
            segments[count][0] = x + (p[0] - '0') * unit;
            segments[count][1] = y - (p[1] - 'c') * unit;
            segments[count][2] = x + (q[0] - '0') * unit;
            segments[count++][3] = y - (q[1] - 'c') * unit;
            p += 2;
            p += *p == ' ';
        }
        if (count)
            stroke(picture, segments, count, width, rgb);
        x += (glyph_width(glyph) + GAP) * unit;
    }
}
