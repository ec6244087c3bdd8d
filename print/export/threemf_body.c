/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Vertices and triangles as 3MF text. They are cut into chunks of so many lines; each thread prints
 * and deflates one chunk at a time, and they are joined in their order. The cuts depend on the
 * counts alone, so the bytes are the same on any machine.
 */
#include "print/export/threemf_body.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/export/number.h"
#include "print/export/repeats.h"

#define CHUNK_LINES 16384 /* 1 MB of text: a window lost in each costs 0.2 % */
#define LINE_ROOM 128

static const char end_of_line[] = "\"/>\n";
static const char between[] = "    </vertices>\n    <triangles>\n";

/* What one thread works with. */
struct desk {
    struct packer_press press;
    struct squeeze squeeze;
    struct repeats repeats;
    struct repeats_field *fields, *field; /* of the present chunk, and the next one to be noted */
    char *text;
};

static char *put_literal(char *to, const char *text, size_t n)
{
    memcpy(to, text, n);
    return to + n;
}
#define LITERAL(to, text) put_literal((to), (text), sizeof(text) - 1)

/* Vertices that begin alike: five characters leave a few hundred of them within reach. */
static uint16_t key_of_text(const char *number)
{
    uint64_t first = 0;
    memcpy(&first, number, 5);
    return (uint16_t)((first * 0x9e3779b97f4a7c15u) >> 52);
}

static void note(struct desk *desk, const char *from, int column, uint16_t key)
{
    *desk->field++ = (struct repeats_field){(uint32_t)(from - desk->text), (uint16_t)column, key};
}

/* A field begins at the end of the number before: what this line shares with others begins there.
 * Its key is taken when what follows the number is there, too. */
static char *put_vertex(struct desk *desk, char *to, const float *p, bool first)
{
    char *from[3], *number[3];
    from[0] = first ? to : to - (sizeof end_of_line - 1);
    to = number[0] = LITERAL(to, "<vertex x=\"");
    to = from[1] = to + number_print_float(to, p[0]);
    to = number[1] = LITERAL(to, "\" y=\"");
    to = from[2] = to + number_print_float(to, p[1]);
    to = number[2] = LITERAL(to, "\" z=\"");
    to += number_print_float(to, p[2]);
    to = LITERAL(to, end_of_line);
    for (int k = 0; k < 3; k++)
        note(desk, from[k], k, key_of_text(number[k]));
    return to;
}

static char *put_triangle(struct desk *desk, char *to, const uint32_t *v, int colour,
                          unsigned palette, bool first)
{
    char *from = first ? to : to - (sizeof end_of_line - 1);
    to = LITERAL(to, "<triangle v1=\"");
    to += number_print_uint(to, v[0]);
    note(desk, from, 0, v[0] % REPEATS_KEYS);
    from = to;
    to = LITERAL(to, "\" v2=\"");
    to += number_print_uint(to, v[1]);
    note(desk, from, 1, v[1] % REPEATS_KEYS);
    from = to;
    to = LITERAL(to, "\" v3=\"");
    to += number_print_uint(to, v[2]);
    note(desk, from, 2, v[2] % REPEATS_KEYS);
    if (colour >= 0) {
        note(desk, to, 3, (uint16_t)colour);
        to = LITERAL(to, "\" pid=\"");
        to += number_print_uint(to, palette);
        to = LITERAL(to, "\" p1=\"");
        to += number_print_uint(to, (uint32_t)colour);
    }
    return LITERAL(to, end_of_line);
}

static char *print_vertices(struct desk *desk, const struct threemf_body *body, size_t first)
{
    const struct mesh *mesh = body->mesh;
    size_t end =
        first + CHUNK_LINES < mesh->vertex_count ? first + CHUNK_LINES : mesh->vertex_count;
    char *to = desk->text;
    for (size_t i = first; i < end; i++)
        to = put_vertex(desk, to, mesh->xyz + 3 * i, i == first);
    return to;
}

static char *print_triangles(struct desk *desk, const struct threemf_body *body, size_t first)
{
    const struct mesh *mesh = body->mesh;
    const uint8_t *colours = body->colours;
    size_t end =
        first + CHUNK_LINES < mesh->triangle_count ? first + CHUNK_LINES : mesh->triangle_count;
    char *to = first == 0 ? LITERAL(desk->text, between) : desk->text;
    for (size_t i = first; i < end; i++)
        to = put_triangle(desk, to, mesh->triangles + 3 * i,
                          colours && colours[i] != body->common ? colours[i] : -1, body->palette,
                          i == first);
    return to;
}

static size_t chunks_of(size_t lines)
{
    return (lines + CHUNK_LINES - 1) / CHUNK_LINES;
}

static int press_chunk(struct desk *desk, const struct threemf_body *body, size_t i,
                       struct err *err)
{
    if (i == 0)
        return packer_press(&desk->press, body->head->data, body->head->len, err);
    const size_t vertex_chunks = chunks_of(body->mesh->vertex_count);
    desk->field = desk->fields;
    char *end = i <= vertex_chunks
                    ? print_vertices(desk, body, (i - 1) * CHUNK_LINES)
                    : print_triangles(desk, body, (i - 1 - vertex_chunks) * CHUNK_LINES);
    size_t n = (size_t)(end - desk->text);
    desk->squeeze = (struct squeeze){.steps = desk->squeeze.steps};
    repeats_begin(&desk->repeats, desk->text);
    repeats_find(&desk->squeeze, &desk->repeats, desk->fields, (size_t)(desk->field - desk->fields),
                 n);
    return packer_press_steps(&desk->press, &desk->squeeze, desk->text, n, err);
}

static void desk_close(struct desk *desk)
{
    if (!desk)
        return;
    packer_press_free(&desk->press);
    free(desk->squeeze.steps);
    free(desk->fields);
    free(desk->text);
    free(desk);
}

static struct desk *desk_open(struct err *err)
{
    struct desk *desk = calloc(1, sizeof *desk);
    if (desk) {
        desk->text = malloc(CHUNK_LINES * LINE_ROOM + sizeof between);
        desk->fields = malloc(CHUNK_LINES * REPEATS_COLUMNS * sizeof *desk->fields);
        desk->squeeze.steps = malloc(CHUNK_LINES * REPEATS_COLUMNS * sizeof *desk->squeeze.steps);
    }
    if (desk && desk->text && desk->fields && desk->squeeze.steps)
        return desk;
    desk_close(desk);
    (void)FAIL(err, ERR_LIMIT, "no memory for the 3MF's text");
    return NULL;
}

int threemf_put_body(struct packer *zip, const struct threemf_body *body, struct err *err)
{
    const size_t chunks =
        1 + chunks_of(body->mesh->vertex_count) + chunks_of(body->mesh->triangle_count);
    int failed = 0;
#pragma omp parallel if (chunks > 4)
    {
        struct err own = {0};
        struct desk *desk = desk_open(&own);
#pragma omp for ordered schedule(dynamic, 1)
        for (size_t i = 0; i < chunks; i++) {
            int wrong = desk ? press_chunk(desk, body, i, &own) : -1;
#pragma omp ordered
            {
                if (!failed && (wrong || packer_part_join(zip, &desk->press, &own))) {
                    failed = -1;
                    if (err)
                        *err = own;
                }
            }
        }
        desk_close(desk);
    }
    return failed;
}

unsigned threemf_commonest(const struct export_palette *palette, size_t triangle_count)
{
    size_t counts[256] = {0};
    unsigned best = 0;
    for (size_t t = 0; t < triangle_count; t++)
        counts[palette->of_triangle[t]]++;
    for (unsigned i = 1; i < 256; i++)
        best = counts[i] > counts[best] ? i : best;
    return best;
}
