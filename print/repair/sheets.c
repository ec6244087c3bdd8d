/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Surfaces with nothing solid behind them are given a wall: the side that is seen stays where it
 * is, the back lies one wall behind it, and where they hang on the solid they reach into it. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/sets.h"
#include "print/measure/visible.h"
#include "print/repair/sheets_side.h"
#include "print/repair/solid.h"
#include "print/repair/steps.h"
#include "print/repair/weld.h"

#define MIN_EXTENT 0.5  /* of the wall: smaller patches are crumbs */
#define MIN_REACH 0.125 /* of the wall: nearer to the solid all over, it is its surface */
#define ANCHOR 0.6      /* of the wall: how far a hanging rim reaches into the solid */
#define FOLD (-0.9)     /* cosine between normals: what turns back so sharply is two sheets */

static struct vec middle_of(const struct mesh *mesh, size_t t)
{
    struct vec sum = vec_add(mesh_corner(mesh, t, 0), mesh_corner(mesh, t, 1));
    return vec_scale(vec_add(sum, mesh_corner(mesh, t, 2)), 1.0 / 3);
}

static bool is_rim(const struct mesh *m, const uint32_t *twin, uint32_t h)
{
    if (twin[h] >= TWIN_MANY || m->triangles[h] == m->triangles[twin[h]])
        return true;
    struct vec a = mesh_normal2(m, h / 3), b = mesh_normal2(m, twin[h] / 3);
    return vec_dot(a, b) < FOLD * vec_length(a) * vec_length(b);
}

static void number_sheets(struct sheets *s, const uint32_t *twin)
{
    const size_t n = s->loose->triangle_count;
    for (uint32_t i = 0; i < n; i++)
        s->patch[i] = i;
    for (uint32_t h = 0; h < 3 * n; h++)
        if (!is_rim(s->loose, twin, h))
            sets_join(s->patch, h / 3, twin[h] / 3);
    for (uint32_t i = 0; i < n; i++)
        s->patch[i] = sets_find(s->patch, i);
    for (uint32_t i = 0; i < n; i++)
        s->patch[i] = s->patch[i] == i ? (uint32_t)s->count++ : s->patch[s->patch[i]];
}

static void look_at(struct sheets *s, size_t t)
{
    struct sheet_sum *sum = &s->sums[s->patch[t]];
    struct vec p = middle_of(s->loose, t), n = mesh_normal2(s->loose, t);
    double area = vec_length(n), far = 2 * s->wall;
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 3; k++) {
            float x = s->loose->xyz[3 * (size_t)s->loose->triangles[3 * t + (size_t)c] + (size_t)k];
            sum->low[k] = x < sum->low[k] ? x : sum->low[k];
            sum->high[k] = x > sum->high[k] ? x : sum->high[k];
        }
    double d = s->solid ? bvh_nearest(s->solid, p, far, NULL, NULL) : far;
    sum->reach = d > sum->reach ? d : sum->reach;
    sum->area += area;
    sum->count++;
    if (!sheets_is_vote(sum->count))
        return;
    /* The middle of a large triangle in a tangle is often hidden, and its corners are not. */
    int parts = sheets_parts(s->loose);
    sum->looked += area;
    for (int i = 0; i < parts; i++) {
        struct vec at = sheets_middle(s->loose, t, i, parts);
        unsigned front = bvh_escapes(s->before, at, n, UINT32_MAX, SHEET_RAYS, 0);
        unsigned back = bvh_escapes(s->before, at, vec_scale(n, -1), UINT32_MAX, SHEET_RAYS, 0);
        sum->front += area * front / parts;
        sum->back += area * back / parts;
        sum->seen += front || back;
    }
}

/* Keeps what is seen, has extent, and turns it so that its better seen side is the front. */
static int choose_sheets(struct sheets *s, size_t *kept, struct err *err)
{
    uint8_t *keep = malloc(s->loose->triangle_count + 1);
    if (!keep)
        return FAIL(err, ERR_LIMIT, "no memory for sheets");
    for (size_t i = 0; i < s->count; i++)
        for (int k = 0; k < 3; k++)
            s->sums[i].low[k] = INFINITY, s->sums[i].high[k] = -INFINITY;
    for (size_t t = 0; t < s->loose->triangle_count; t++)
        look_at(s, t);
    *kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct sheet_sum *sum = &s->sums[i];
        double extent = 0;
        for (int k = 0; k < 3; k++)
            extent = fmax(extent, sum->high[k] - sum->low[k]);
        sum->keeps = sum->seen && extent > MIN_EXTENT * s->wall &&
                     sum->area > 0.1 * s->wall * s->wall && sum->reach > MIN_REACH * s->wall;
        *kept += sum->keeps;
    }
    if (sheets_choose_sides(s, err)) {
        free(keep);
        return -1;
    }
    for (size_t t = 0; t < s->loose->triangle_count; t++) {
        const struct sheet_sum *sum = &s->sums[s->patch[t]];
        uint32_t *v = s->loose->triangles + 3 * t, other = v[1];
        keep[t] = sum->keeps;
        if (sum->keeps && sum->turned) {
            v[1] = v[2];
            v[2] = other;
        }
    }
    int failed = mesh_keep(s->loose, keep, err);
    free(keep);
    return failed;
}

/* Each patch gets vertices of its own, so that a vertex has one normal and one rim. */
static int part_patches(struct mesh *m, struct err *err)
{
    struct topology t;
    const size_t corners = 3 * m->triangle_count;
    if (topology_build(&t, m, err))
        return -1;
    uint32_t *fan = malloc((corners + 1) * sizeof *fan);
    uint32_t *number = malloc((corners + 1) * sizeof *number);
    float *xyz = malloc((3 * corners + 1) * sizeof *xyz);
    int failed = fan && number && xyz ? 0 : FAIL(err, ERR_LIMIT, "no memory for sheets");
    for (uint32_t h = 0; !failed && h < corners; h++)
        fan[h] = h;
    for (uint32_t h = 0; !failed && h < corners; h++)
        if (!is_rim(m, t.twin, h))
            sets_join(fan, h, halfedge_next(t.twin[h]));
    size_t count = 0;
    for (uint32_t h = 0; !failed && h < corners; h++) {
        uint32_t root = sets_find(fan, h);
        if (root == h) {
            number[h] = (uint32_t)count;
            memcpy(xyz + 3 * count++, m->xyz + 3 * (size_t)m->triangles[h], 3 * sizeof *xyz);
        }
        number[h] = number[root];
    }
    for (size_t h = 0; !failed && h < corners; h++)
        m->triangles[h] = number[h];
    if (!failed) {
        free(m->xyz);
        m->xyz = xyz;
        xyz = NULL;
        m->vertex_count = count;
    }
    free(fan);
    free(number);
    free(xyz);
    topology_free(&t);
    return failed;
}

static void add(struct mesh *m, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t *t = m->triangles + 3 * m->triangle_count++;
    t[0] = a, t[1] = b, t[2] = c;
}

static void sum_normals(struct vec *normal, const struct mesh *m)
{
    for (size_t t = 0; t < m->triangle_count; t++)
        for (int c = 0; c < 3; c++) {
            struct vec *n = &normal[m->triangles[3 * t + (size_t)c]];
            *n = vec_add(*n, mesh_normal2(m, t));
        }
    for (size_t v = 0; v < m->vertex_count; v++)
        normal[v] = vec_unit(normal[v]);
}

/* Away from the sheet, in its plane, for the rim vertices that lie on the solid; zero elsewhere. */
static void find_anchors(struct vec *outward, const struct sheets *s, const uint32_t *twin)
{
    const struct mesh *m = s->loose;
    for (uint32_t h = 0; h < 3 * m->triangle_count; h++) {
        if (!is_rim(m, twin, h))
            continue;
        uint32_t a = m->triangles[h], b = m->triangles[halfedge_next(h)];
        struct vec along = vec_sub(mesh_point(m, b), mesh_point(m, a));
        struct vec out = vec_unit(vec_cross(along, mesh_normal2(m, h / 3)));
        outward[a] = vec_add(outward[a], out);
        outward[b] = vec_add(outward[b], out);
    }
    for (uint32_t v = 0; v < m->vertex_count; v++) {
        struct vec p = mesh_point(m, v), to = vec_scale(vec_unit(outward[v]), ANCHOR * s->wall);
        bool holds = vec_dot(to, to) > 0 && s->solid &&
                     bvh_nearest(s->solid, p, s->wall, NULL, NULL) < 1e-3 * s->wall &&
                     bvh_winding(s->solid, vec_add(p, to)) > 0.5;
        outward[v] = holds ? to : (struct vec){0};
    }
}

static bool is_anchor(struct vec v)
{
    return vec_dot(v, v) > 0;
}

/* Strips of triangles from the rim into the solid. */
static int extend(struct mesh *m, const struct vec *outward, const uint32_t *twin, struct err *err)
{
    const size_t corners = 3 * m->triangle_count, vertices = m->vertex_count;
    size_t strips = 0;
    for (uint32_t h = 0; h < corners; h++)
        strips += is_rim(m, twin, h) && is_anchor(outward[m->triangles[h]]) &&
                  is_anchor(outward[m->triangles[halfedge_next(h)]]);
    if (mesh_grow(m, vertices, 2 * strips, err))
        return -1;
    for (uint32_t v = 0; v < vertices; v++)
        mesh_point_set(m, (uint32_t)(vertices + v), vec_add(mesh_point(m, v), outward[v]));
    m->vertex_count = 2 * vertices;
    for (uint32_t h = 0; h < corners; h++) {
        uint32_t a = m->triangles[h], b = m->triangles[halfedge_next(h)];
        if (!is_rim(m, twin, h) || !is_anchor(outward[a]) || !is_anchor(outward[b]))
            continue;
        add(m, b, a, (uint32_t)(vertices + a));
        add(m, b, (uint32_t)(vertices + a), (uint32_t)(vertices + b));
    }
    return mesh_compact(m, err);
}

static int anchor(const struct sheets *s, struct err *err)
{
    struct mesh *m = s->loose;
    struct topology t;
    struct vec *outward = calloc(m->vertex_count + 1, sizeof *outward);
    if (!outward || topology_build(&t, m, err)) {
        free(outward);
        return FAIL(err, ERR_LIMIT, "no memory for sheets");
    }
    find_anchors(outward, s, t.twin);
    int failed = extend(m, outward, t.twin, err);
    topology_free(&t);
    free(outward);
    return failed;
}

/* The back, and walls along the rims: a closed shell around each patch. */
static int give_wall(struct mesh *m, double wall, struct err *err)
{
    struct topology t;
    const size_t n = m->triangle_count, vertices = m->vertex_count;
    struct vec *normal = calloc(vertices + 1, sizeof *normal);
    if (!normal || topology_build(&t, m, err)) {
        free(normal);
        return FAIL(err, ERR_LIMIT, "no memory for sheets");
    }
    sum_normals(normal, m);
    int failed = mesh_grow(m, vertices, n + 6 * n, err);
    for (uint32_t v = 0; !failed && v < vertices; v++)
        mesh_point_set(m, (uint32_t)(vertices + v),
                       vec_sub(mesh_point(m, v), vec_scale(normal[v], wall)));
    m->vertex_count += failed ? 0 : vertices;
    for (uint32_t i = 0; !failed && i < n; i++) {
        const uint32_t *v = m->triangles + 3 * (size_t)i, up = (uint32_t)vertices;
        add(m, up + v[0], up + v[2], up + v[1]);
        for (uint32_t h = 3 * i; h < 3 * i + 3; h++) {
            uint32_t a = m->triangles[h], b = m->triangles[halfedge_next(h)];
            if (!is_rim(m, t.twin, h))
                continue;
            add(m, b, a, up + a);
            add(m, b, up + a, up + b);
        }
    }
    topology_free(&t);
    free(normal);
    return failed;
}

static int find_sheets(struct sheets *s, size_t *kept, struct err *err)
{
    struct topology t;
    if (topology_build(&t, s->loose, err))
        return -1;
    s->patch = malloc((s->loose->triangle_count + 1) * sizeof *s->patch);
    s->sums = calloc(s->loose->triangle_count + 1, sizeof *s->sums);
    int failed = s->patch && s->sums ? 0 : FAIL(err, ERR_LIMIT, "no memory for sheets");
    if (!failed) {
        number_sheets(s, t.twin);
        failed = choose_sheets(s, kept, err);
    }
    topology_free(&t);
    free(s->patch);
    free(s->sums);
    return failed;
}

int mesh_thicken_sheets(struct mesh *loose, const struct bvh *solid, const struct bvh *before,
                        double wall_mm, size_t *sheets, struct err *err)
{
    struct sheets s = {.loose = loose, .solid = solid, .before = before, .wall = wall_mm};
    size_t merged;
    if (mesh_weld_exact(loose, &merged, err))
        return -1;
    mesh_drop_degenerate(loose);
    if (mesh_orient_patches(loose, &merged, err) || find_sheets(&s, sheets, err))
        return -1;
    if (loose->triangle_count == 0)
        return 0;
    return part_patches(loose, err) || anchor(&s, err) || part_patches(loose, err) ||
                   give_wall(loose, wall_mm, err)
               ? -1
               : 0;
}
