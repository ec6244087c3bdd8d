/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Vertices and triangles as 3MF text. They are cut into chunks of so many lines; each thread prints
 * and deflates one chunk at a time, and they are joined in their order. The cuts depend on the
 * counts alone, so the bytes are the same on any machine.
 */
#include "print/export/threemf_body.h"

#include <stdlib.h>
#include <string.h>

#include "print/export/number.h"

#define CHUNK_LINES 16384 /* 1 MB of text: a window lost in each costs 0.2 % */
#define LINE_ROOM 128

static const char between[] = "    </vertices>\n    <triangles>\n";

struct body {
    const struct bytes *head;
    const struct mesh *mesh;
    const struct export_palette *palette;
    unsigned common;
    size_t vertex_chunks, triangle_chunks;
};

static char *put_literal(char *to, const char *text, size_t n)
{
    memcpy(to, text, n);
    return to + n;
}
#define LITERAL(to, text) put_literal((to), (text), sizeof(text) - 1)

static char *put_vertex(char *to, const float *p)
{
    to = LITERAL(to, "<vertex x=\"");
    to += number_print_float(to, p[0]);
    to = LITERAL(to, "\" y=\"");
    to += number_print_float(to, p[1]);
    to = LITERAL(to, "\" z=\"");
    to += number_print_float(to, p[2]);
    return LITERAL(to, "\"/>\n");
}

static char *put_triangle(char *to, const uint32_t *v, int colour)
{
    to = LITERAL(to, "<triangle v1=\"");
    to += number_print_uint(to, v[0]);
    to = LITERAL(to, "\" v2=\"");
    to += number_print_uint(to, v[1]);
    to = LITERAL(to, "\" v3=\"");
    to += number_print_uint(to, v[2]);
    if (colour >= 0) {
        to = LITERAL(to, "\" pid=\"");
        to += number_print_uint(to, THREEMF_PALETTE);
        to = LITERAL(to, "\" p1=\"");
        to += number_print_uint(to, (uint32_t)colour);
    }
    return LITERAL(to, "\"/>\n");
}

static size_t print_vertices(char *text, const struct body *body, size_t first)
{
    const struct mesh *mesh = body->mesh;
    size_t end =
        first + CHUNK_LINES < mesh->vertex_count ? first + CHUNK_LINES : mesh->vertex_count;
    char *to = text;
    for (size_t i = first; i < end; i++)
        to = put_vertex(to, mesh->xyz + 3 * i);
    return (size_t)(to - text);
}

static size_t print_triangles(char *text, const struct body *body, size_t first)
{
    const struct mesh *mesh = body->mesh;
    const uint8_t *colours = body->palette ? body->palette->of_triangle : NULL;
    size_t end =
        first + CHUNK_LINES < mesh->triangle_count ? first + CHUNK_LINES : mesh->triangle_count;
    char *to = first == 0 ? LITERAL(text, between) : text;
    for (size_t i = first; i < end; i++)
        to = put_triangle(to, mesh->triangles + 3 * i,
                          colours && colours[i] != body->common ? colours[i] : -1);
    return (size_t)(to - text);
}

static int press_chunk(struct packer_press *press, char *text, const struct body *body, size_t i,
                       struct err *err)
{
    if (i == 0)
        return packer_press(press, body->head->data, body->head->len, err);
    size_t n = i <= body->vertex_chunks
                   ? print_vertices(text, body, (i - 1) * CHUNK_LINES)
                   : print_triangles(text, body, (i - 1 - body->vertex_chunks) * CHUNK_LINES);
    return packer_press(press, text, n, err);
}

int threemf_put_body(struct packer *zip, const struct bytes *head, const struct mesh *mesh,
                     const struct export_palette *palette, unsigned common, struct err *err)
{
    const struct body body = {head,
                              mesh,
                              palette,
                              common,
                              (mesh->vertex_count + CHUNK_LINES - 1) / CHUNK_LINES,
                              (mesh->triangle_count + CHUNK_LINES - 1) / CHUNK_LINES};
    const size_t chunks = 1 + body.vertex_chunks + body.triangle_chunks;
    int failed = 0;
#pragma omp parallel if (chunks > 4)
    {
        struct packer_press press = {0};
        struct err own = {0};
        char *text = malloc(CHUNK_LINES * LINE_ROOM + sizeof between);
#pragma omp for ordered schedule(dynamic, 1)
        for (size_t i = 0; i < chunks; i++) {
            int wrong = text ? press_chunk(&press, text, &body, i, &own)
                             : FAIL(&own, ERR_LIMIT, "no memory for the 3MF's text");
#pragma omp ordered
            {
                if (!failed && (wrong || packer_part_join(zip, &press, &own))) {
                    failed = -1;
                    if (err)
                        *err = own;
                }
            }
        }
        free(text);
        packer_press_free(&press);
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
