/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Welding through open-addressed hash tables of vertex numbers; cleaning through one of triangles.
 */
#include "print/repair/weld.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 29;
    h *= 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

static uint64_t hash3(uint32_t a, uint32_t b, uint32_t c)
{
    return mix(mix((uint64_t)a << 32 | b) + c);
}

struct table {
    uint32_t *slots;
    size_t mask;
};

static int table_open(struct table *table, size_t count, struct err *err)
{
    size_t room = 64;
    while (room < count * 2)
        room *= 2;
    table->slots = malloc(room * sizeof *table->slots);
    if (!table->slots)
        return FAIL(err, ERR_LIMIT, "no memory to weld %zu vertices", count);
    memset(table->slots, 0xff, room * sizeof *table->slots);
    table->mask = room - 1;
    return 0;
}

static void renumber(struct mesh *mesh, const uint32_t *map)
{
    for (size_t h = 0; h < 3 * mesh->triangle_count; h++)
        mesh->triangles[h] = map[mesh->triangles[h]];
}

static uint32_t exact_place(struct table *table, float *xyz, const float *p, uint32_t kept)
{
    uint32_t bits[3];
    memcpy(bits, p, sizeof bits);
    size_t slot = hash3(bits[0], bits[1], bits[2]) & table->mask;
    for (;; slot = (slot + 1) & table->mask) {
        uint32_t there = table->slots[slot];
        if (there == UINT32_MAX) {
            table->slots[slot] = kept;
            return kept;
        }
        if (memcmp(xyz + 3 * (size_t)there, p, 12) == 0)
            return there;
    }
}

int mesh_weld_exact(struct mesh *mesh, size_t *merged, struct err *err)
{
    struct table table;
    uint32_t *map = malloc((mesh->vertex_count + 1) * sizeof *map);
    if (!map || table_open(&table, mesh->vertex_count, err)) {
        free(map);
        return FAIL(err, ERR_LIMIT, "no memory to weld %zu vertices", mesh->vertex_count);
    }
    uint32_t kept = 0;
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        float p[3];
        for (int k = 0; k < 3; k++)
            p[k] = mesh->xyz[3 * v + (size_t)k] + 0.0f; /* -0 becomes 0 */
        map[v] = exact_place(&table, mesh->xyz, p, kept);
        if (map[v] == kept)
            memcpy(mesh->xyz + 3 * (size_t)kept++, p, sizeof p);
    }
    renumber(mesh, map);
    if (merged)
        *merged = mesh->vertex_count - kept;
    mesh->vertex_count = kept;
    free(table.slots);
    free(map);
    return 0;
}

struct near_grid {
    struct table table;
    const float *xyz;
    const int64_t *cells; /* three a vertex */
    double tolerance;
};

static bool is_near(const float *a, const float *b, double tolerance)
{
    double dx = (double)a[0] - b[0], dy = (double)a[1] - b[1], dz = (double)a[2] - b[2];
    return dx * dx + dy * dy + dz * dz <= tolerance * tolerance;
}

static size_t cell_slot(const struct near_grid *grid, const int64_t cell[3])
{
    return mix(mix(mix((uint64_t)cell[0]) + (uint64_t)cell[1]) + (uint64_t)cell[2]) &
           grid->table.mask;
}

/* A kept vertex within reach of v in one of the 27 cells around it, or UINT32_MAX. */
static uint32_t near_find(const struct near_grid *grid, size_t v)
{
    for (int n = 0; n < 27; n++) {
        int64_t cell[3];
        const int step[3] = {n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1};
        for (int k = 0; k < 3; k++)
            cell[k] = grid->cells[3 * v + (size_t)k] + step[k];
        size_t slot = cell_slot(grid, cell);
        for (uint32_t there; (there = grid->table.slots[slot]) != UINT32_MAX;
             slot = (slot + 1) & grid->table.mask)
            if (memcmp(grid->cells + 3 * (size_t)there, cell, sizeof cell) == 0 &&
                is_near(grid->xyz + 3 * (size_t)there, grid->xyz + 3 * v, grid->tolerance))
                return there;
    }
    return UINT32_MAX;
}

int mesh_weld_near(struct mesh *mesh, double tolerance, size_t *merged, struct err *err)
{
    struct near_grid grid = {.xyz = mesh->xyz, .tolerance = tolerance};
    uint32_t *map = malloc((mesh->vertex_count + 1) * sizeof *map);
    int64_t *cells = calloc(mesh->vertex_count + 1, 3 * sizeof *cells);
    if (!map || !cells || table_open(&grid.table, mesh->vertex_count, err)) {
        free(map);
        free(cells);
        return FAIL(err, ERR_LIMIT, "no memory to weld %zu vertices", mesh->vertex_count);
    }
    grid.cells = cells;
    for (size_t i = 0; i < 3 * mesh->vertex_count; i++)
        cells[i] = (int64_t)floor(mesh->xyz[i] / tolerance);
    size_t gone = 0;
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        uint32_t there = near_find(&grid, v);
        map[v] = there == UINT32_MAX ? (uint32_t)v : there;
        gone += there != UINT32_MAX;
        if (there != UINT32_MAX)
            continue;
        size_t slot = cell_slot(&grid, cells + 3 * v);
        while (grid.table.slots[slot] != UINT32_MAX)
            slot = (slot + 1) & grid.table.mask;
        grid.table.slots[slot] = (uint32_t)v;
    }
    renumber(mesh, map);
    if (merged)
        *merged = gone;
    free(grid.table.slots);
    free(cells);
    free(map);
    return mesh_compact(mesh, err);
}

int mesh_compact(struct mesh *mesh, struct err *err)
{
    uint32_t *map = malloc((mesh->vertex_count + 1) * sizeof *map);
    if (!map)
        return FAIL(err, ERR_LIMIT, "no memory to compact %zu vertices", mesh->vertex_count);
    memset(map, 0xff, (mesh->vertex_count + 1) * sizeof *map);
    for (size_t h = 0; h < 3 * mesh->triangle_count; h++)
        map[mesh->triangles[h]] = 0;
    uint32_t kept = 0;
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        if (map[v] == UINT32_MAX)
            continue;
        memmove(mesh->xyz + 3 * (size_t)kept, mesh->xyz + 3 * v, 3 * sizeof *mesh->xyz);
        map[v] = kept++;
    }
    renumber(mesh, map);
    mesh->vertex_count = kept;
    free(map);
    return 0;
}

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t c = *a;
    *a = *b;
    *b = c;
}

/* Sorted vertices into key; +1 for an even order of the triangle's own, -1 for an odd one. */
static int triangle_key(uint32_t key[3], const uint32_t *t)
{
    int sign = 1;
    memcpy(key, t, 3 * sizeof *key);
    for (int i = 0; i < 3; i++) {
        int j = i == 1 ? 1 : 0;
        if (key[j] > key[j + 1]) {
            swap(&key[j], &key[j + 1]);
            sign = -sign;
        }
    }
    return sign;
}

size_t mesh_drop_degenerate(struct mesh *mesh)
{
    size_t kept = 0;
    for (size_t i = 0; i < mesh->triangle_count; i++) {
        const uint32_t *t = mesh->triangles + 3 * i;
        if (t[0] == t[1] || t[1] == t[2] || t[2] == t[0])
            continue;
        memmove(mesh->triangles + 3 * kept++, t, 3 * sizeof *t);
    }
    size_t gone = mesh->triangle_count - kept;
    mesh->triangle_count = kept;
    return gone;
}

int mesh_count_sides(int32_t *net, const struct mesh *mesh, struct err *err)
{
    struct table table;
    if (table_open(&table, mesh->triangle_count, err))
        return -1;
    for (size_t i = 0; i < mesh->triangle_count; i++) {
        uint32_t key[3], other[3];
        int sign = triangle_key(key, mesh->triangles + 3 * i);
        net[i] = 0;
        for (size_t slot = hash3(key[0], key[1], key[2]) & table.mask;;
             slot = (slot + 1) & table.mask) {
            uint32_t there = table.slots[slot];
            if (there == UINT32_MAX) {
                table.slots[slot] = (uint32_t)i;
                net[i] = 1;
                break;
            }
            int its = triangle_key(other, mesh->triangles + 3 * (size_t)there);
            if (memcmp(key, other, sizeof key) == 0) {
                net[there] += its == sign ? 1 : -1;
                net[i] = MESH_COPY;
                break;
            }
        }
    }
    free(table.slots);
    return 0;
}

static size_t drop_copies(struct mesh *mesh, const int32_t *net)
{
    size_t kept = 0, cancelled = 0, copies = 0;
    for (size_t i = 0; i < mesh->triangle_count; i++) {
        cancelled += net[i] == 0;
        copies += net[i] == MESH_COPY;
    }
    /* Modelled two-sided all over: one side of it is the surface that was meant. */
    bool keep_cancelled = 2 * (cancelled + copies) > mesh->triangle_count && cancelled > 0 &&
                          4 * cancelled > mesh->triangle_count;
    for (size_t i = 0; i < mesh->triangle_count; i++) {
        uint32_t *t = mesh->triangles + 3 * i;
        if (net[i] == MESH_COPY || (net[i] == 0 && !keep_cancelled))
            continue;
        if (net[i] < 0)
            swap(&t[1], &t[2]);
        memmove(mesh->triangles + 3 * kept++, t, 3 * sizeof *t);
    }
    size_t gone = mesh->triangle_count - kept;
    mesh->triangle_count = kept;
    return gone;
}

int mesh_clean(struct mesh *mesh, struct clean_counts *counts, struct err *err)
{
    struct clean_counts found = {.degenerate = mesh_drop_degenerate(mesh)};
    int32_t *net = malloc((mesh->triangle_count + 1) * sizeof *net);
    if (!net || mesh_count_sides(net, mesh, err)) {
        free(net);
        return FAIL(err, ERR_LIMIT, "no memory to compare %zu triangles", mesh->triangle_count);
    }
    found.duplicate = drop_copies(mesh, net);
    free(net);
    if (counts)
        *counts = found;
    return mesh_compact(mesh, err);
}
