/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes to a small random soup of triangles, and what the preparation must make of it: a closed
 * 2-manifold solid without self-intersections, or a typed refusal. The corners lie on a small grid
 * of whole numbers, so that equal, collinear, coplanar and touching things are the rule, not the
 * exception.
 */
#ifndef TESTS_FUZZ_SOUP_H
#define TESTS_FUZZ_SOUP_H

#include <stdio.h>

#include "print/measure/measure.h"
#include "print/prep.h"
#include "print/repair/repair.h"
#include "tests/fuzz/proof.h"
#include "tests/print/meshes.h"

#define SOUP_MOST 200 /* triangles */

struct soup {
    const uint8_t *data;
    size_t n, at;
    unsigned grid;
    struct mesh mesh;
};

/* Bytes end as zeros do. */
static inline unsigned soup_byte(struct soup *s)
{
    return s->at < s->n ? s->data[s->at++] : 0;
}

static inline float soup_number(struct soup *s)
{
    return (float)(soup_byte(s) % s->grid);
}

static inline void soup_corner(struct soup *s, float p[3], bool off_grid)
{
    for (int k = 0; k < 3; k++) {
        p[k] = soup_number(s);
        if (off_grid) /* a hair's breadth to grid lines: 2^-19 .. 2^-12 */
            p[k] += (float)(soup_byte(s) - 128.0) / (1 << 19);
    }
}

static inline void soup_add(struct soup *s, const float corners[9])
{
    struct mesh *m = &s->mesh;
    m->xyz = realloc(m->xyz, (m->vertex_count + 3) * 3 * sizeof(float));
    m->triangles = realloc(m->triangles, (m->triangle_count + 1) * 3 * sizeof(uint32_t));
    if (!m->xyz || !m->triangles)
        abort();
    memcpy(m->xyz + 3 * m->vertex_count, corners, 9 * sizeof(float));
    for (uint32_t k = 0; k < 3; k++)
        m->triangles[3 * m->triangle_count + k] = (uint32_t)m->vertex_count + k;
    m->vertex_count += 3;
    m->triangle_count++;
}

/* A triangle of the soup again, turned round when `turn`. */
static inline void soup_repeat(struct soup *s, size_t which, bool turn)
{
    float c[9];
    for (size_t k = 0; k < 3; k++)
        memcpy(c + 3 * k, s->mesh.xyz + 3 * (size_t)s->mesh.triangles[3 * which + k],
               3 * sizeof(float));
    soup_add(s, c);
    if (turn)
        turn_triangles(&s->mesh, s->mesh.triangle_count - 1, s->mesh.triangle_count);
}

static inline void soup_tetrahedron(struct soup *s, bool off_grid)
{
    static const int side[4][3] = {{0, 2, 1}, {0, 1, 3}, {1, 2, 3}, {0, 3, 2}};
    float p[4][3], c[9];
    for (int i = 0; i < 4; i++)
        soup_corner(s, p[i], off_grid);
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 3; k++)
            memcpy(c + 3 * k, p[side[i][k]], sizeof p[0]);
        soup_add(s, c);
    }
}

static inline void soup_box(struct soup *s, bool inside_out)
{
    float p[3], d[3];
    soup_corner(s, p, false);
    for (int k = 0; k < 3; k++)
        d[k] = 1 + soup_number(s);
    add_box(&s->mesh, p[0], p[1], p[2], d[0], d[1], d[2]);
    if (inside_out)
        turn_triangles(&s->mesh, s->mesh.triangle_count - 12, s->mesh.triangle_count);
}

static inline void soup_step(struct soup *s)
{
    unsigned what = soup_byte(s);
    float c[9];
    size_t n = s->mesh.triangle_count;
    switch (what % 8) {
    case 0:
    case 1:
    case 2:
        for (int k = 0; k < 3; k++)
            soup_corner(s, c + 3 * k, what % 8 == 2);
        soup_add(s, c);
        break;
    case 3:
        soup_tetrahedron(s, what & 8);
        break;
    case 4:
    case 5:
        soup_box(s, what & 8);
        break;
    case 6:
        if (n)
            soup_repeat(s, soup_byte(s) % n, what & 8);
        break;
    default: /* a triangle less: a hole */
        if (n) {
            size_t gone = soup_byte(s) % n;
            memcpy(s->mesh.triangles + 3 * gone, s->mesh.triangles + 3 * (n - 1), 12);
            s->mesh.triangle_count--;
        }
    }
}

static inline void soup_make(struct mesh *out, struct prep_options *options, const uint8_t *data,
                             size_t n)
{
    struct soup s = {.data = data, .n = n};
    unsigned ask = soup_byte(&s);
    s.grid = 2 + soup_byte(&s) % 15;
    *options = PREP_OPTIONS_DEFAULT;
    options->unit_mm = 1;
    options->height_mm = ask & 1 ? 8 : 0; /* small: volumetric rungs cost by walls in a size */
    options->flatten_mm = ask & 2 ? 0.6 : 0;
    options->orient = ask & 4 ? ORIENT_AUTO : ORIENT_KEEP;
    options->max_triangles = ask & 8 ? 60 : 0;
    while (s.at < s.n && s.mesh.triangle_count + 12 <= SOUP_MOST)
        soup_step(&s);
    *out = s.mesh;
}

/* NULL when the mesh is what a printer wants, else what is wrong; crossings: also tell of these. */
static inline const char *soup_judge(const struct mesh *mesh, bool crossings)
{
    static char why[200];
    struct mesh_measures m;
    struct mesh welded = {0};
    struct err err = {0};
    if (mesh_measure(&m, mesh, &err) || mesh_copy(&welded, mesh, &err) ||
        mesh_weld_exact(&welded, NULL, &err))
        return "no memory to judge it";
    long crossed = crossings ? proof_crossings(&welded, 100) : 0;
    snprintf(why, sizeof why,
             "%zu triangles: %zu boundary, %zu non-manifold, %zu inconsistent edges, %zu "
             "non-manifold vertices, %zu degenerate, volume %g mm3, %ld pairs cross",
             m.triangles, m.boundary_edges, m.nonmanifold_edges, m.inconsistent_edges,
             m.nonmanifold_vertices, m.degenerate, m.volume_mm3, crossed);
    mesh_free(&welded);
    bool good = m.watertight && !m.nonmanifold_vertices && !m.degenerate && m.volume_mm3 > 0;
    return good && !crossed ? NULL : why;
}

/* The whole preparation; a failure to be told goes to why. */
static inline int soup_prepare(struct mesh *out, const struct mesh *in,
                               const struct prep_options *options, char *why, size_t n)
{
    struct prepared made = {0};
    struct err err = {0};
    cJSON *report = NULL;
    int result = mesh_prep(&made, &report, in, options, &err);
    if (result)
        snprintf(why, n, "failed as %s %s: %.200s", err_kind_name(err.kind), err.code, err.what);
    else if (made.verdict != VERDICT_REJECT)
        *out = made.mesh, made.mesh = (struct mesh){0};
    else if (cJSON_GetArraySize(json_get(report, "findings")) == 0)
        snprintf(why, n, "rejected without a finding");
    else
        result = 1;
    cJSON_Delete(report);
    prepared_free(&made);
    return *why ? -1 : result;
}

/* The ladder alone. */
static inline int soup_repair(struct mesh *out, const struct mesh *in, double wall_mm, char *why,
                              size_t n)
{
    struct repair_options options = {.min_wall_mm = wall_mm};
    struct repair_counts counts;
    struct err err = {0};
    double low[3], high[3];
    mesh_bounds(in, low, high);
    for (int k = 0; k < 3; k++)
        options.size_mm = fmax(options.size_mm, high[k] - low[k]);
    int result = mesh_copy(out, in, &err) || mesh_repair(out, &counts, &options, &err) < 0 ? -1 : 0;
    if (result)
        snprintf(why, n, "failed as %s %s: %.200s", err_kind_name(err.kind), err.code, err.what);
    return result ? -1 : out->triangle_count == 0;
}

/* NULL when the soup came out right or was refused with a word; crossings count when asked for. */
static inline const char *soup_feed(const uint8_t *data, size_t n, bool crossings, bool *made)
{
    static char why[400];
    struct mesh in, out = {0};
    struct prep_options options;
    const char *wrong = NULL;
    soup_make(&in, &options, data, n);
    *made = false;
    *why = 0;
    if (in.triangle_count) {
        int result = data[0] & 16 ? soup_prepare(&out, &in, &options, why, sizeof why)
                                  : soup_repair(&out, &in, data[0] & 32 ? 2 : 0.8, why, sizeof why);
        *made = result == 0;
        wrong = result < 0 ? why : result == 0 ? soup_judge(&out, crossings) : NULL;
    }
    mesh_free(&in);
    mesh_free(&out);
    return wrong;
}

#endif
