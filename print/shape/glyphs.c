/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The doorman of freetype (outlines) and harfbuzz (which glyphs, and where). */
#include "print/shape/glyphs.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_OUTLINE_H
#include <hb.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MOST 200
#define POINTS_MOST 200000
#define CHORD_EM (1.0 / 400)
#define THIN_SHARE 0.2

struct pen {
    struct glyph_line *line;
    double x, y, em;    /* where the glyph stands, font units in an em */
    size_t room, total; /* for points: of the present contour; in all */
    bool failed;
};

static void pen_point(struct pen *pen, double x, double y)
{
    struct contour *c = &pen->line->contours[pen->line->contour_count - 1];
    double px = (pen->x + x) / pen->em, py = (pen->y + y) / pen->em;
    if (pen->failed ||
        (c->count && c->points[c->count - 1][0] == px && c->points[c->count - 1][1] == py))
        return;
    if (c->count == pen->room) {
        size_t room = pen->room ? 2 * pen->room : 32;
        pen->total += room;
        void *more = pen->total < POINTS_MOST ? realloc(c->points, room * sizeof *c->points) : NULL;
        if (!more) {
            pen->failed = true;
            return;
        }
        c->points = more;
        pen->room = room;
    }
    c->points[c->count][0] = px;
    c->points[c->count++][1] = py;
}

static int pen_move(const FT_Vector *to, void *user)
{
    struct pen *pen = user;
    size_t n = pen->line->contour_count;
    void *more = realloc(pen->line->contours, (n + 1) * sizeof *pen->line->contours);
    pen->failed = pen->failed || !more || n > POINTS_MOST / 8;
    if (more)
        pen->line->contours = more;
    if (pen->failed)
        return 1;
    pen->line->contours[n] = (struct contour){.glyph = pen->line->glyph_count};
    pen->line->contour_count++;
    pen->room = 0;
    pen_point(pen, (double)to->x, (double)to->y);
    return pen->failed;
}

static int pen_line(const FT_Vector *to, void *user)
{
    struct pen *pen = user;
    pen_point(pen, (double)to->x, (double)to->y);
    return pen->failed;
}

/* Where the pen is, in font units of the present glyph. */
static void pen_at(const struct pen *pen, double at[2])
{
    const struct contour *c = &pen->line->contours[pen->line->contour_count - 1];
    at[0] = c->points[c->count - 1][0] * pen->em - pen->x;
    at[1] = c->points[c->count - 1][1] * pen->em - pen->y;
}

/* Chords of a parabola stay within a quarter of the second difference over their number squared. */
static int steps_for(double bend)
{
    double n = ceil(sqrt(bend / CHORD_EM / 4));
    return n < 1 ? 1 : n > 32 ? 32 : (int)n;
}

static int pen_conic(const FT_Vector *by, const FT_Vector *to, void *user)
{
    struct pen *pen = user;
    double a[2], b[2] = {(double)by->x, (double)by->y}, c[2] = {(double)to->x, (double)to->y};
    pen_at(pen, a);
    int n = steps_for(hypot(a[0] - 2 * b[0] + c[0], a[1] - 2 * b[1] + c[1]) / pen->em);
    for (int i = 1; i <= n; i++) {
        double t = (double)i / n, s = 1 - t;
        pen_point(pen, s * s * a[0] + 2 * s * t * b[0] + t * t * c[0],
                  s * s * a[1] + 2 * s * t * b[1] + t * t * c[1]);
    }
    return pen->failed;
}

static int pen_cubic(const FT_Vector *by, const FT_Vector *then, const FT_Vector *to, void *user)
{
    struct pen *pen = user;
    double a[2], b[2] = {(double)by->x, (double)by->y}, c[2] = {(double)then->x, (double)then->y};
    double d[2] = {(double)to->x, (double)to->y};
    pen_at(pen, a);
    double bend = hypot(a[0] - 2 * b[0] + c[0], a[1] - 2 * b[1] + c[1]) +
                  hypot(b[0] - 2 * c[0] + d[0], b[1] - 2 * c[1] + d[1]);
    int n = steps_for(3 * bend / pen->em);
    for (int i = 1; i <= n; i++) {
        double t = (double)i / n, s = 1 - t;
        pen_point(
            pen, s * s * s * a[0] + 3 * s * s * t * b[0] + 3 * s * t * t * c[0] + t * t * t * d[0],
            s * s * s * a[1] + 3 * s * s * t * b[1] + 3 * s * t * t * c[1] + t * t * t * d[1]);
    }
    return pen->failed;
}

static void contour_finish(struct contour *c, bool turned)
{
    if (c->count > 1 && c->points[0][0] == c->points[c->count - 1][0] &&
        c->points[0][1] == c->points[c->count - 1][1])
        c->count--;
    for (size_t i = 0; turned && i < c->count / 2; i++)
        for (int k = 0; k < 2; k++) {
            double other = c->points[i][k];
            c->points[i][k] = c->points[c->count - 1 - i][k];
            c->points[c->count - 1 - i][k] = other;
        }
}

static int draw_glyph(struct pen *pen, FT_Face face, uint32_t glyph, struct err *err)
{
    static const FT_Outline_Funcs funcs = {pen_move, pen_line, pen_conic, pen_cubic, 0, 0};
    size_t first = pen->line->contour_count;
    if (FT_Load_Glyph(face, glyph, FT_LOAD_NO_SCALE) ||
        face->glyph->format != FT_GLYPH_FORMAT_OUTLINE)
        return FAIL_CODE(err, ERR_INPUT, "font_damaged", "the font's glyph %u is no outline",
                         glyph);
    bool turned = FT_Outline_Get_Orientation(&face->glyph->outline) == FT_ORIENTATION_TRUETYPE;
    if (FT_Outline_Decompose(&face->glyph->outline, &funcs, pen) || pen->failed)
        return FAIL(err, ERR_LIMIT, "no memory for the outlines of a text");
    for (size_t i = first; i < pen->line->contour_count; i++)
        contour_finish(&pen->line->contours[i], turned);
    return 0;
}

/* The character at a byte offset, for the message. */
static int missing(const char *text, size_t at, struct err *err)
{
    size_t n = 1;
    while (((unsigned char)text[at + n] & 0xc0) == 0x80)
        n++;
    return FAIL_CODE(err, ERR_INPUT, "text_missing_glyph", "the font has no \"%.*s\"", (int)n,
                     text + at);
}

static int draw_line(struct glyph_line *line, FT_Face face, hb_buffer_t *buffer, const char *text,
                     struct err *err)
{
    unsigned count;
    const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(buffer, &count);
    const hb_glyph_position_t *at = hb_buffer_get_glyph_positions(buffer, &count);
    struct pen pen = {.line = line, .em = face->units_per_EM};
    double x = 0, y = 0;
    line->middle = malloc((count + 1) * sizeof *line->middle);
    if (!line->middle)
        return FAIL(err, ERR_LIMIT, "no memory for a text of %u letters", count);
    for (unsigned i = 0; i < count; i++) {
        if (info[i].codepoint == 0)
            return missing(text, info[i].cluster, err);
        pen.x = x + at[i].x_offset;
        pen.y = y + at[i].y_offset;
        if (draw_glyph(&pen, face, info[i].codepoint, err))
            return -1;
        line->middle[line->glyph_count++] = (x + at[i].x_advance / 2.0) / pen.em;
        x += at[i].x_advance;
        y += at[i].y_advance;
    }
    return 0;
}

/* How far ink reaches from an edge's middle, against the edge. */
static double ink_behind(const struct glyph_line *line, const double *a, const double *b)
{
    double x = (a[0] + b[0]) / 2, y = (a[1] + b[1]) / 2, length = hypot(b[0] - a[0], b[1] - a[1]);
    double dx = -(b[1] - a[1]) / length, dy = (b[0] - a[0]) / length, least = INFINITY;
    for (size_t i = 0; i < line->contour_count; i++) {
        const struct contour *c = &line->contours[i];
        for (size_t j = 0; j < c->count; j++) {
            const double *p = c->points[j], *q = c->points[j + 1 < c->count ? j + 1 : 0];
            /* Heights of both ends over the ray's line, and where it is cut. */
            double hp = (p[0] - x) * dy - (p[1] - y) * dx, hq = (q[0] - x) * dy - (q[1] - y) * dx;
            if ((hp > 0) == (hq > 0))
                continue;
            double t = hp / (hp - hq);
            double d = (p[0] + t * (q[0] - p[0]) - x) * dx + (p[1] + t * (q[1] - p[1]) - y) * dy;
            least = d > 1e-6 && d < least ? d : least;
        }
    }
    return least;
}

struct width {
    double ink, length;
};

static int width_compare(const void *a, const void *b)
{
    const struct width *p = a, *q = b;
    return p->ink < q->ink ? -1 : p->ink > q->ink;
}

static int measure_strokes(struct glyph_line *line, struct err *err)
{
    size_t edges = 0, n = 0;
    double sum = 0, thin = 0;
    for (size_t i = 0; i < line->contour_count; i++)
        edges += line->contours[i].count;
    struct width *widths = malloc((edges + 1) * sizeof *widths);
    if (!widths)
        return FAIL(err, ERR_LIMIT, "no memory for the strokes of a text");
    for (size_t i = 0; i < line->contour_count; i++)
        for (size_t j = 0; j < line->contours[i].count; j++) {
            const struct contour *c = &line->contours[i];
            const double *a = c->points[j], *b = c->points[j + 1 < c->count ? j + 1 : 0];
            double ink = ink_behind(line, a, b), length = hypot(b[0] - a[0], b[1] - a[1]);
            if (ink < INFINITY)
                widths[n++] = (struct width){ink, length}, sum += length;
        }
    qsort(widths, n, sizeof *widths, width_compare);
    for (size_t i = 0; i < n && thin < THIN_SHARE * sum; i++) {
        thin += widths[i].length;
        line->stroke = widths[i].ink;
    }
    free(widths);
    return 0;
}

/* The ink's box; moves it so that it begins at x = 0. */
static int settle_box(struct glyph_line *line, struct err *err)
{
    double left = INFINITY, right = -INFINITY;
    line->low = INFINITY, line->high = -INFINITY;
    for (size_t i = 0; i < line->contour_count; i++)
        for (size_t j = 0; j < line->contours[i].count; j++) {
            const double *p = line->contours[i].points[j];
            left = p[0] < left ? p[0] : left;
            right = p[0] > right ? p[0] : right;
            line->low = p[1] < line->low ? p[1] : line->low;
            line->high = p[1] > line->high ? p[1] : line->high;
        }
    if (!(right > left) || !(line->high > line->low))
        return FAIL_CODE(err, ERR_INPUT, "text_invalid", "the text has nothing that can be seen");
    for (size_t i = 0; i < line->contour_count; i++)
        for (size_t j = 0; j < line->contours[i].count; j++)
            line->contours[i].points[j][0] -= left;
    for (size_t i = 0; i < line->glyph_count; i++)
        line->middle[i] -= left;
    line->width = right - left;
    return 0;
}

static bool is_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p) {
        int more = *p < 0x80                 ? 0
                   : *p >= 0xc2 && *p < 0xe0 ? 1
                   : *p >= 0xe0 && *p < 0xf0 ? 2
                   : *p >= 0xf0 && *p < 0xf5 ? 3
                                             : -1;
        if (more < 0 || *p < 0x20 || *p == 0x7f)
            return false;
        for (p++; more > 0; more--, p++)
            if ((*p & 0xc0) != 0x80)
                return false;
    }
    return true;
}

static int shape_line(struct glyph_line *line, FT_Face face, const char *text, const uint8_t *font,
                      size_t font_bytes, struct err *err)
{
    hb_blob_t *blob = hb_blob_create((const char *)font, (unsigned)font_bytes,
                                     HB_MEMORY_MODE_READONLY, NULL, NULL);
    hb_face_t *hb_face = hb_face_create(blob, 0);
    hb_font_t *hb_font = hb_font_create(hb_face);
    hb_buffer_t *buffer = hb_buffer_create();
    hb_font_set_scale(hb_font, face->units_per_EM, face->units_per_EM);
    hb_buffer_add_utf8(buffer, text, -1, 0, -1);
    hb_buffer_guess_segment_properties(buffer);
    hb_shape(hb_font, buffer, NULL, 0);
    int failed = draw_line(line, face, buffer, text, err);
    hb_buffer_destroy(buffer);
    hb_font_destroy(hb_font);
    hb_face_destroy(hb_face);
    hb_blob_destroy(blob);
    return failed;
}

int glyph_line_make(struct glyph_line *out, const char *text, const uint8_t *font,
                    size_t font_bytes, struct err *err)
{
    FT_Library library;
    FT_Face face;
    struct glyph_line line = {0};
    if (strlen(text) > TEXT_BYTES_MOST || !is_utf8(text))
        return FAIL_CODE(err, ERR_INPUT, "text_invalid",
                         "the text is not UTF-8, has line breaks or is over %d bytes",
                         TEXT_BYTES_MOST);
    if (FT_Init_FreeType(&library))
        return FAIL(err, ERR_LIMIT, "no memory for a font");
    int failed = -1;
    if (FT_New_Memory_Face(library, font, (FT_Long)font_bytes, 0, &face)) {
        FAIL_CODE(err, ERR_INPUT, "font_damaged", "this is no font");
    } else if (!FT_IS_SCALABLE(face) || face->units_per_EM == 0) {
        FAIL_CODE(err, ERR_INPUT, "font_damaged", "the font has no outlines");
        FT_Done_Face(face);
    } else {
        failed = shape_line(&line, face, text, font, font_bytes, err);
        FT_Done_Face(face);
    }
    FT_Done_FreeType(library);
    if (failed || settle_box(&line, err) || measure_strokes(&line, err)) {
        glyph_line_free(&line);
        return -1;
    }
    *out = line;
    return 0;
}

void glyph_line_free(struct glyph_line *line)
{
    if (!line)
        return;
    for (size_t i = 0; i < line->contour_count; i++)
        free(line->contours[i].points);
    free(line->contours);
    free(line->middle);
    *line = (struct glyph_line){0};
}
