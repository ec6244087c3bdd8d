/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Closing boundary loops with least-area lids (Barequet and Sharir 1995), or ears when long. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/repair/holes.h"
#include "print/repair/steps.h"

/* The table costs n^3 / 6 areas: 300 corners take some 20 ms. */
#define TABLE_CORNERS 300
#define MAX_EAR_CORNERS 8000
#define CRACK_CORNERS 64 /* longer slits are no accident of rounding */

struct filler {
    struct mesh *mesh;
    const uint32_t *twin;
    uint32_t *loops;  /* vertices of all loops, one after the other */
    uint32_t *starts; /* loop l: loops[starts[l] .. starts[l + 1]) */
    uint32_t *shell;  /* per loop: a triangle at its rim, to know its shell */
    size_t loop_count;
    struct mesh lids; /* triangles only: xyz stays NULL */
    size_t lid_room;
    struct lid *sure; /* the accepted ones, in the order of their triangles in lids */
    size_t sure_count;
};

static int add_lid(struct filler *f, uint32_t a, uint32_t b, uint32_t c, struct err *err)
{
    if (f->lids.triangle_count == f->lid_room) {
        size_t room = f->lid_room ? 2 * f->lid_room : 256;
        uint32_t *grown = realloc(f->lids.triangles, room * 3 * sizeof *grown);
        if (!grown)
            return FAIL(err, ERR_LIMIT, "no memory for lids");
        f->lids.triangles = grown;
        f->lid_room = room;
    }
    uint32_t *t = f->lids.triangles + 3 * f->lids.triangle_count++;
    t[0] = a, t[1] = b, t[2] = c;
    return 0;
}

/* The next boundary halfedge after h: turn round h's end until the fan ends. */
static uint32_t next_on_rim(const struct filler *f, uint32_t h)
{
    uint32_t g = halfedge_next(h);
    for (size_t guard = 0; f->twin[g] != TWIN_NONE && guard < 3 * f->mesh->triangle_count; guard++)
        g = halfedge_next(f->twin[g]);
    return g;
}

static int trace_loops(struct filler *f, struct err *err)
{
    const size_t corners = 3 * f->mesh->triangle_count;
    size_t rim = 0, used = 0;
    for (uint32_t h = 0; h < corners; h++)
        rim += f->twin[h] == TWIN_NONE;
    uint8_t *seen = calloc(corners + 1, 1);
    f->loops = malloc((rim + 1) * sizeof *f->loops);
    f->starts = malloc((rim + 2) * sizeof *f->starts);
    f->shell = malloc((rim + 1) * sizeof *f->shell);
    if (!seen || !f->loops || !f->starts || !f->shell) {
        free(seen);
        return FAIL(err, ERR_LIMIT, "no memory for %zu rim edges", rim);
    }
    for (uint32_t h = 0; h < corners; h++) {
        if (f->twin[h] != TWIN_NONE || seen[h])
            continue;
        f->shell[f->loop_count] = h / 3;
        f->starts[f->loop_count++] = (uint32_t)used;
        for (uint32_t g = h; !seen[g] && f->twin[g] == TWIN_NONE; g = next_on_rim(f, g)) {
            seen[g] = 1;
            f->loops[used++] = f->mesh->triangles[g];
        }
    }
    f->starts[f->loop_count] = (uint32_t)used;
    free(seen);
    return 0;
}

static double area2(const struct mesh *mesh, uint32_t a, uint32_t b, uint32_t c)
{
    struct vec p = mesh_point(mesh, a);
    return vec_length(vec_cross(vec_sub(mesh_point(mesh, b), p), vec_sub(mesh_point(mesh, c), p)));
}

/* Lids face the other way round than the rim runs: corner i, then k, then j for i < j < k. */
static int add_table_lid(struct filler *f, const uint32_t *loop, const uint16_t *split, size_t n,
                         struct err *err)
{
    uint16_t stack[2 * TABLE_CORNERS + 2];
    size_t top = 0;
    stack[top++] = 0;
    stack[top++] = (uint16_t)(n - 1);
    while (top) {
        uint16_t k = stack[--top], i = stack[--top];
        if (k - i < 2)
            continue;
        uint16_t j = split[i * n + k];
        if (add_lid(f, loop[i], loop[k], loop[j], err))
            return -1;
        stack[top++] = i;
        stack[top++] = j;
        stack[top++] = j;
        stack[top++] = k;
    }
    return 0;
}

static int fill_by_table(struct filler *f, const uint32_t *loop, size_t n, struct err *err)
{
    double *cost = calloc(n * n, sizeof *cost);
    uint16_t *split = calloc(n * n, sizeof *split);
    if (!cost || !split) {
        free(cost);
        free(split);
        return FAIL(err, ERR_LIMIT, "no memory for a lid of %zu corners", n);
    }
    for (size_t span = 2; span < n; span++)
        for (size_t i = 0; i + span < n; i++) {
            size_t k = i + span;
            /* A little weight on length keeps slivers out where all areas are equal. */
            struct vec d = vec_sub(mesh_point(f->mesh, loop[k]), mesh_point(f->mesh, loop[i]));
            double best = INFINITY, length = 1e-3 * vec_dot(d, d);
            for (size_t j = i + 1; j < k; j++) {
                double c = cost[i * n + j] + cost[j * n + k];
                if (c >= best)
                    continue;
                c += area2(f->mesh, loop[i], loop[j], loop[k]);
                if (c < best) {
                    best = c;
                    split[i * n + k] = (uint16_t)j;
                }
            }
            cost[i * n + k] = best + length;
        }
    int failed = add_table_lid(f, loop, split, n, err);
    free(cost);
    free(split);
    return failed;
}

/* Sum of (p - middle) x (q - middle): the rim's own normal, against which ears are judged. */
static struct vec rim_normal(const struct mesh *mesh, const uint32_t *loop, size_t n)
{
    struct vec sum = {0}, origin = mesh_point(mesh, loop[0]);
    for (size_t i = 0; i < n; i++)
        sum = vec_add(sum, vec_cross(vec_sub(mesh_point(mesh, loop[i]), origin),
                                     vec_sub(mesh_point(mesh, loop[(i + 1) % n]), origin)));
    return vec_unit(sum);
}

static double ear_cost(const struct mesh *mesh, struct vec normal, uint32_t a, uint32_t b,
                       uint32_t c)
{
    struct vec p = mesh_point(mesh, a), q = mesh_point(mesh, b), r = mesh_point(mesh, c);
    struct vec n = vec_cross(vec_sub(q, p), vec_sub(r, p)), d = vec_sub(r, p);
    double cost = vec_dot(d, d);
    return vec_dot(n, normal) > 0 ? cost : cost * 100 + 1e3 * vec_length(n);
}

/* Cuts off the ear with the shortest new side until three corners are left. */
static int fill_by_ears(struct filler *f, const uint32_t *loop, size_t n, struct err *err)
{
    uint32_t *left = malloc(n * sizeof *left);
    double *cost = malloc(n * sizeof *cost);
    int failed = 0;
    if (!left || !cost)
        failed = FAIL(err, ERR_LIMIT, "no memory for a lid of %zu corners", n);
    struct vec normal = {0};
    if (!failed)
        normal = rim_normal(f->mesh, loop, n);
    for (size_t i = 0; !failed && i < n; i++) {
        left[i] = loop[i];
        cost[i] = ear_cost(f->mesh, normal, loop[(i + n - 1) % n], loop[i], loop[(i + 1) % n]);
    }
    while (!failed && n > 2) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++)
            best = cost[i] < cost[best] ? i : best;
        failed = add_lid(f, left[(best + n - 1) % n], left[(best + 1) % n], left[best], err);
        memmove(left + best, left + best + 1, (n - best - 1) * sizeof *left);
        memmove(cost + best, cost + best + 1, (n - best - 1) * sizeof *cost);
        n--;
        for (size_t i = best + n - 1; i <= best + n && n > 2; i++)
            cost[i % n] =
                ear_cost(f->mesh, normal, left[(i + n - 1) % n], left[i % n], left[(i + 1) % n]);
    }
    free(left);
    free(cost);
    return failed;
}

static double loop_width(const struct mesh *mesh, const uint32_t *loop, size_t n)
{
    double widest = 0;
    struct vec p = mesh_point(mesh, loop[0]);
    for (size_t i = 1; i < n; i++) {
        double d = vec_length(vec_sub(mesh_point(mesh, loop[i]), p));
        widest = d > widest ? d : widest;
    }
    return widest;
}

static int fill_loop(struct filler *f, size_t l, struct err *err)
{
    const uint32_t *loop = f->loops + f->starts[l];
    size_t n = f->starts[l + 1] - f->starts[l];
    if (n < 3 || n > MAX_EAR_CORNERS)
        return 0;
    return n <= TABLE_CORNERS ? fill_by_table(f, loop, n, err) : fill_by_ears(f, loop, n, err);
}

static double triangles_area(const struct mesh *xyz, const uint32_t *t, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += area2(xyz, t[3 * i], t[3 * i + 1], t[3 * i + 2]) / 2;
    return sum;
}

/* Lids of one shell must stay small beside it, or a sheet would be closed upon itself. */
struct shell_lids {
    double area, lids;
};

static bool is_sensible(const struct shell_lids *sum, double lid_share)
{
    return sum->lids <= lid_share * sum->area;
}

/* Sensible lids first, then the proposals. */
static int accept_lids(struct filler *f, const uint32_t *shell, const struct shell_lids *sums,
                       const uint32_t *ends, double lid_share, struct hole_counts *counts,
                       struct err *err)
{
    uint32_t *sorted = malloc((3 * f->lids.triangle_count + 1) * sizeof *sorted);
    f->sure = calloc(f->loop_count + 1, sizeof *f->sure);
    if (!sorted || !f->sure) {
        free(sorted);
        return FAIL(err, ERR_LIMIT, "no memory for %zu holes", f->loop_count);
    }
    size_t kept = 0;
    for (int proposals = 0; proposals < 2; proposals++)
        for (size_t l = 0; l < f->loop_count; l++) {
            size_t from = l ? ends[l - 1] : 0, n = ends[l] - from;
            bool sensible = is_sensible(&sums[shell[f->shell[l]]], lid_share);
            counts->left += proposals && (n == 0 || !sensible);
            if (n == 0 || sensible == (proposals == 1))
                continue;
            memcpy(sorted + 3 * kept, f->lids.triangles + 3 * from, 3 * n * sizeof *sorted);
            kept += n;
            if (proposals) {
                counts->proposed += n;
                continue;
            }
            const uint32_t *loop = f->loops + f->starts[l];
            const size_t corners = f->starts[l + 1] - f->starts[l];
            double width = loop_width(f->mesh, loop, corners);
            f->sure[f->sure_count++] = (struct lid){
                .loop = loop, .corners = corners, .triangles = sorted + 3 * (kept - n), .count = n};
            counts->lid_area_mm2 += triangles_area(f->mesh, f->lids.triangles, from, ends[l]);
            counts->largest_mm = fmax(counts->largest_mm, width);
            counts->filled++;
        }
    free(f->lids.triangles);
    f->lids.triangles = sorted;
    f->lids.triangle_count = kept;
    return 0;
}

static int make_lids(struct filler *f, const uint32_t *shell, size_t shells, double lid_share,
                     struct hole_counts *counts, struct err *err)
{
    struct shell_lids *sums = calloc(shells + 1, sizeof *sums);
    uint32_t *ends = malloc((f->loop_count + 1) * sizeof *ends);
    int failed = sums && ends ? 0 : FAIL(err, ERR_LIMIT, "no memory for %zu holes", f->loop_count);
    for (size_t t = 0; !failed && t < f->mesh->triangle_count; t++)
        sums[shell[t]].area += vec_length(mesh_normal2(f->mesh, t)) / 2;
    for (size_t l = 0; !failed && l < f->loop_count; l++) {
        size_t before = f->lids.triangle_count;
        failed = fill_loop(f, l, err);
        ends[l] = (uint32_t)f->lids.triangle_count;
        sums[shell[f->shell[l]]].lids +=
            triangles_area(f->mesh, f->lids.triangles, before, ends[l]);
    }
    if (!failed)
        failed = accept_lids(f, shell, sums, ends, lid_share, counts, err);
    free(sums);
    free(ends);
    return failed;
}

static int append_lids(struct filler *f, struct err *err)
{
    if (mesh_grow(f->mesh, 0, f->lids.triangle_count, err))
        return -1;
    memcpy(f->mesh->triangles + 3 * f->mesh->triangle_count, f->lids.triangles,
           3 * f->lids.triangle_count * sizeof *f->mesh->triangles);
    f->mesh->triangle_count += f->lids.triangle_count;
    return 0;
}

static void filler_free(struct filler *f)
{
    free(f->loops);
    free(f->starts);
    free(f->shell);
    free(f->lids.triangles);
    free(f->sure);
}

static double loop_length(const struct mesh *mesh, const uint32_t *loop, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += vec_length(vec_sub(mesh_point(mesh, loop[i]), mesh_point(mesh, loop[(i + 1) % n])));
    return sum;
}

int mesh_close_cracks(struct mesh *mesh, double width_mm, struct err *err)
{
    struct filler f = {.mesh = mesh};
    uint32_t *twin = malloc((3 * mesh->triangle_count + 1) * sizeof *twin);
    int failed = twin ? 0 : FAIL(err, ERR_LIMIT, "no memory to find cracks");
    f.twin = twin;
    if (!failed)
        failed = mesh_pair_halfedges(twin, mesh, err) || trace_loops(&f, err);
    for (size_t l = 0; !failed && l < f.loop_count; l++) {
        size_t before = f.lids.triangle_count, n = f.starts[l + 1] - f.starts[l];
        const uint32_t *loop = f.loops + f.starts[l];
        if (n > CRACK_CORNERS)
            continue;
        failed = fill_loop(&f, l, err);
        double area = triangles_area(mesh, f.lids.triangles, before, f.lids.triangle_count);
        if (area > width_mm * loop_length(mesh, loop, n))
            f.lids.triangle_count = before;
    }
    if (!failed && f.lids.triangle_count)
        failed = append_lids(&f, err);
    free(twin);
    filler_free(&f);
    return failed ? -1 : 0;
}

int mesh_fill_holes(struct mesh *mesh, double lid_share, struct hole_counts *counts,
                    struct err *err)
{
    struct filler f = {.mesh = mesh};
    struct topology topology = {0};
    const size_t base = mesh->triangle_count;
    uint32_t *twin = malloc((3 * base + 1) * sizeof *twin);
    *counts = (struct hole_counts){0};
    int failed = twin ? 0 : FAIL(err, ERR_LIMIT, "no memory to find holes");
    f.twin = twin;
    if (!failed)
        failed = mesh_pair_halfedges(twin, mesh, err) || trace_loops(&f, err) ||
                 topology_build(&topology, mesh, err);
    if (!failed && f.loop_count)
        failed = make_lids(&f, topology.shell, topology.shells, lid_share, counts, err);
    if (!failed && f.lids.triangle_count)
        failed = append_lids(&f, err);
    if (!failed && f.sure_count)
        failed = lids_smooth(mesh, base, f.sure, f.sure_count, &counts->smooth, err);
    topology_free(&topology);
    free(twin);
    filler_free(&f);
    return failed ? -1 : 0;
}
