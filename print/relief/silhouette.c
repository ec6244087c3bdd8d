/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure's outline as a signed distance: one piece, smooth below the grid step, thick enough to
 * print. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/relief/relief_parts.h"

/* A piece under this share of the largest is a speck or a torn-off hair. */
#define PIECE_SHARE 0.03

/* Distance to the zero line along the grid's axes, in cells; INFINITY where none is next door. */
static float near_distance(const float *in, int nx, int nz, int i, int k)
{
    size_t at = (size_t)k * nx + i;
    float best[2] = {INFINITY, INFINITY};
    for (int side = 0; side < 4; side++) {
        int x = i + (side == 0) - (side == 1), z = k + (side == 2) - (side == 3);
        if (x < 0 || z < 0 || x >= nx || z >= nz)
            continue;
        float other = in[(size_t)z * nx + x];
        if ((in[at] > 0) == (other > 0))
            continue;
        float d = fabsf(in[at]) / (fabsf(in[at]) + fabsf(other) + 1e-12f);
        best[side / 2] = fminf(best[side / 2], d);
    }
    if (isinf(best[0]) || isinf(best[1]))
        return fminf(best[0], best[1]);
    return best[0] * best[1] / (sqrtf(best[0] * best[0] + best[1] * best[1]) + 1e-12f);
}

static float eikonal(float a, float b)
{
    float low = fminf(a, b), gap = fabsf(a - b);
    return gap >= 1 ? low + 1 : 0.5f * (a + b + sqrtf(2 - gap * gap));
}

/* Fast sweeping, Zhao 2005: four directions, twice round. */
static void sweep(float *d, const uint8_t *fixed, int nx, int nz)
{
    for (int pass = 0; pass < 8; pass++)
        for (int v = 0; v < nz; v++)
            for (int u = 0; u < nx; u++) {
                int i = pass & 1 ? nx - 1 - u : u, k = pass & 2 ? nz - 1 - v : v;
                size_t at = (size_t)k * nx + i;
                if (fixed[at])
                    continue;
                float a = fminf(i ? d[at - 1] : 1e9f, i + 1 < nx ? d[at + 1] : 1e9f);
                float b = fminf(k ? d[at - nx] : 1e9f, k + 1 < nz ? d[at + nx] : 1e9f);
                d[at] = fminf(d[at], eikonal(a, b));
            }
}

int relief_distance(float *out, const float *in, const struct relief_grid *grid, struct err *err)
{
    size_t n = (size_t)grid->nx * grid->nz;
    uint8_t *fixed = malloc(n + 1);
    if (!fixed)
        return FAIL(err, ERR_LIMIT, "no memory for the outline");
    for (int k = 0; k < grid->nz; k++)
        for (int i = 0; i < grid->nx; i++) {
            size_t at = (size_t)k * grid->nx + i;
            float d = near_distance(in, grid->nx, grid->nz, i, k);
            fixed[at] = !isinf(d);
            out[at] = fixed[at] ? d : 1e9f;
        }
    sweep(out, fixed, grid->nx, grid->nz);
    for (size_t i = 0; i < n; i++)
        out[i] *= (float)(in[i] > 0 ? grid->step_mm : -grid->step_mm);
    free(fixed);
    return 0;
}

/* Numbers pieces of field > 0 from 1, 8-connected; size[label] counts cells. */
static int pieces_number(int *label, int *size, int *stack, const float *field,
                         const struct relief_grid *grid)
{
    int nx = grid->nx, nz = grid->nz, count = 0;
    memset(label, 0, (size_t)nx * nz * sizeof *label);
    for (int start = 0; start < nx * nz; start++) {
        if (label[start] || field[start] <= 0)
            continue;
        int depth = 0;
        label[start] = ++count;
        size[count] = 0;
        stack[depth++] = start;
        while (depth) {
            int at = stack[--depth], i = at % nx, k = at / nx;
            size[count]++;
            for (int side = 0; side < 9; side++) {
                int x = i + side % 3 - 1, z = k + side / 3 - 1, next = z * nx + x;
                if (x < 0 || z < 0 || x >= nx || z >= nz || label[next] || field[next] <= 0)
                    continue;
                label[next] = count;
                stack[depth++] = next;
            }
        }
    }
    return count;
}

/* Raises field to at least the distance to a rod of that radius, in mm, between two cells. */
static void rod_add(float *field, const struct relief_grid *grid, int from, int to, double radius)
{
    double ax = from % grid->nx, az = from / grid->nx, bx = to % grid->nx - ax;
    double bz = to / grid->nx - az, length = bx * bx + bz * bz;
    for (int k = 0; k < grid->nz; k++)
        for (int i = 0; i < grid->nx; i++) {
            double t = length > 0 ? ((i - ax) * bx + (k - az) * bz) / length : 0;
            t = fmin(1, fmax(0, t));
            double d = hypot(i - ax - t * bx, k - az - t * bz) * grid->step_mm;
            float *f = field + (size_t)k * grid->nx + i;
            *f = fmaxf(*f, (float)(radius - d));
        }
}

static bool on_edge(const float *field, const struct relief_grid *grid, int at)
{
    int i = at % grid->nx, k = at / grid->nx;
    return i > 0 && k > 0 && i + 1 < grid->nx && k + 1 < grid->nz &&
           (field[at - 1] <= 0 || field[at + 1] <= 0 || field[at - grid->nx] <= 0 ||
            field[at + grid->nx] <= 0);
}

/* The two outline cells, one of piece and one of the main piece, that lie closest. */
static void closest_cells(int *from, int *to, const float *field, const int *label, int piece,
                          int main, const struct relief_grid *grid, int *edge)
{
    int n = grid->nx * grid->nz, count = 0;
    double best = INFINITY;
    for (int at = 0; at < n; at++)
        if (label[at] == main && on_edge(field, grid, at))
            edge[count++] = at;
    for (int at = 0; at < n; at++) {
        if (label[at] != piece || !on_edge(field, grid, at))
            continue;
        for (int e = 0; e < count; e++) {
            double dx = at % grid->nx - edge[e] % grid->nx, dz = at / grid->nx - edge[e] / grid->nx;
            if (dx * dx + dz * dz < best) {
                best = dx * dx + dz * dz;
                *from = at;
                *to = edge[e];
            }
        }
    }
}

/* Leaves one piece: lesser ones are tied to the largest by a rod, specks go. */
static int pieces_join(float *field, struct relief_pieces *pieces, const struct relief_grid *grid,
                       double rod_mm, struct err *err)
{
    size_t n = (size_t)grid->nx * grid->nz;
    int *room = malloc((3 * n + 1) * sizeof *room);
    if (!room)
        return FAIL(err, ERR_LIMIT, "no memory for the outline");
    int *label = room, *stack = room + n, *size = room + 2 * n, main = 1;
    int count = pieces_number(label, size, stack, field, grid);
    for (int p = 2; p <= count; p++)
        main = size[p] > size[main] ? p : main;
    for (size_t at = 0; at < n; at++)
        if (label[at] && size[label[at]] < PIECE_SHARE * size[main])
            field[at] = -(float)grid->step_mm / 2;
    for (int p = 1; p <= count; p++) {
        int from = -1, to = -1;
        if (p == main || size[p] < PIECE_SHARE * size[main]) {
            pieces->dropped += p != main;
            continue;
        }
        closest_cells(&from, &to, field, label, p, main, grid, stack);
        pieces->joined++;
        if (from >= 0 && to >= 0)
            rod_add(field, grid, from, to, rod_mm);
    }
    pieces->found = count;
    free(room);
    return 0;
}

/*
 * Walls: opens the outline by half a wall, so that sharp tips end round, and gives back what was
 * lost where it was a real feature (a leg, a tail, a whisker) as a rod of a full wall.
 */
static int walls_thicken(float *field, struct relief_pieces *pieces, const struct relief_grid *grid,
                         double wall_mm, struct err *err)
{
    size_t n = (size_t)grid->nx * grid->nz;
    float radius = (float)wall_mm / 2, small = (float)grid->step_mm / 4;
    float *room = calloc(2 * n + 1, sizeof *room);
    int *labels = calloc(3 * n + 1, sizeof *labels);
    int result = -1;
    if (!room || !labels) {
        FAIL(err, ERR_LIMIT, "no memory for the outline");
        goto out;
    }
    float *opened = room, *thin = room + n;
    for (size_t i = 0; i < n; i++)
        thin[i] = field[i] - radius;
    if (relief_distance(opened, thin, grid, err))
        goto out;
    for (size_t i = 0; i < n; i++) {
        opened[i] += radius;
        thin[i] = field[i] > 0 && opened[i] < -small ? 1 : -1;
    }
    int count = pieces_number(labels, labels + 2 * n, labels + n, thin, grid);
    double cell = grid->step_mm * grid->step_mm;
    for (size_t i = 0; i < n && count; i++) {
        double area = labels[i] ? labels[2 * n + labels[i]] * cell : 0;
        if (labels[i] && area < 2)
            thin[i] = -1;
        else if (labels[i])
            pieces->thin_mm2 += cell;
    }
    if (relief_distance(field, thin, grid, err))
        goto out;
    for (size_t i = 0; i < n; i++)
        field[i] = fmaxf(opened[i], field[i] + radius);
    result = 0;
out:
    free(room);
    free(labels);
    return result;
}

/* A foot that the photo's perspective shows a little higher than the lowest one (its column ends
 * within reach of the ground) is drawn down to it, so that it stands. */
static void feet_lower(float *field, const struct relief_grid *grid, int feet_row)
{
    int reach = feet_row + grid->nz / 14;
    for (int i = 0; i < grid->nx; i++) {
        int low = 0;
        while (low < grid->nz && field[(size_t)low * grid->nx + i] <= 0)
            low++;
        if (low > reach)
            continue;
        for (int k = low - 1; k >= feet_row; k--)
            field[(size_t)k * grid->nx + i] = field[(size_t)low * grid->nx + i];
    }
}

int relief_silhouette(float *out, struct relief_pieces *pieces, float *alpha,
                      const struct relief_grid *grid, double wall_mm, int feet_row, struct err *err)
{
    size_t n = (size_t)grid->nx * grid->nz;
    /* Half a step of blur: the zero line then runs smoothly between cells. */
    relief_blur(alpha, out, grid, grid->step_mm);
    for (size_t i = 0; i < n; i++)
        alpha[i] -= 0.5f;
    if (feet_row > 0)
        feet_lower(alpha, grid, feet_row);
    if (relief_distance(out, alpha, grid, err) || walls_thicken(out, pieces, grid, wall_mm, err) ||
        pieces_join(out, pieces, grid, wall_mm, err))
        return -1;
    memcpy(alpha, out, n * sizeof *alpha);
    return relief_distance(out, alpha, grid, err);
}
