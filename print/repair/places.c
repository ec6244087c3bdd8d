/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the rungs worked: triangles that a rung made, gathered in the cells of a coarse grid. */
#include "print/repair/places.h"

#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"

#define CELLS 6 /* along each side of the mesh's box */
#define PER_RUNG 8

static size_t cell_of(const struct mesh *mesh, size_t t, const double low[3], const double high[3])
{
    size_t cell = 0;
    for (size_t k = 0; k < 3; k++) {
        double x = 0;
        for (size_t c = 0; c < 3; c++)
            x += mesh->xyz[3 * (size_t)mesh->triangles[3 * t + c] + k] / 3.0;
        double at = CELLS * (x - low[k]) / (high[k] - low[k] + 1e-30);
        cell = cell * CELLS + (size_t)(at < 0 ? 0 : at > CELLS - 1 ? CELLS - 1 : at);
    }
    return cell;
}

static void widen(struct repair_place *place, const struct mesh *mesh, size_t t)
{
    for (size_t c = 0; c < 3; c++)
        for (size_t k = 0; k < 3; k++) {
            float x = mesh->xyz[3 * (size_t)mesh->triangles[3 * t + c] + k];
            if ((place->triangles == 0 && c == 0) || x < place->low[k])
                place->low[k] = x;
            if ((place->triangles == 0 && c == 0) || x > place->high[k])
                place->high[k] = x;
        }
    place->triangles++;
}

static int place_compare(const void *a, const void *b)
{
    const struct repair_place *p = a, *q = b;
    if (p->triangles != q->triangles)
        return p->triangles > q->triangles ? -1 : 1;
    int c = memcmp(p->low, q->low, sizeof p->low);
    return c ? c : memcmp(p->high, q->high, sizeof p->high);
}

int places_note(struct repair_counts *counts, const char *rung, const struct mesh *mesh,
                const uint8_t *made, size_t first, struct err *err)
{
    double low[3], high[3];
    struct repair_place *cells = calloc(CELLS * CELLS * CELLS, sizeof *cells);
    if (!cells)
        return FAIL(err, ERR_LIMIT, "no memory for places");
    mesh_bounds(mesh, low, high);
    for (size_t t = first; t < mesh->triangle_count; t++)
        if (!made || made[t])
            widen(&cells[cell_of(mesh, t, low, high)], mesh, t);
    qsort(cells, CELLS * CELLS * CELLS, sizeof *cells, place_compare);
    for (size_t i = 0; i < PER_RUNG && cells[i].triangles; i++) {
        if (counts->place_count == REPAIR_PLACES)
            break;
        cells[i].rung = rung;
        counts->places[counts->place_count++] = cells[i];
    }
    free(cells);
    return 0;
}

/* The three corners from the least one on, so that equal triangles have equal bytes. */
static void key_of(float key[9], const struct mesh *mesh, size_t t)
{
    const float *p[3];
    int least = 0;
    for (int c = 0; c < 3; c++)
        p[c] = mesh->xyz + 3 * (size_t)mesh->triangles[3 * t + (size_t)c];
    for (int c = 1; c < 3; c++)
        least = memcmp(p[c], p[least], 12) < 0 ? c : least;
    for (int c = 0; c < 3; c++)
        memcpy(key + 3 * c, p[(least + c) % 3], 12);
}

static uint64_t hash_of(const float key[9])
{
    uint64_t h = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 9; i++) {
        uint32_t bits;
        memcpy(&bits, key + i, sizeof bits);
        h = (h ^ bits) * 0xd6e8feb86659fd93u;
        h ^= h >> 32;
    }
    return h;
}

int places_made(uint8_t *made, const struct mesh *now, const struct mesh *before, struct err *err)
{
    size_t room = 64;
    while (room < 2 * before->triangle_count)
        room *= 2;
    uint32_t *slots = malloc(room * sizeof *slots);
    if (!slots)
        return FAIL(err, ERR_LIMIT, "no memory to compare %zu triangles", before->triangle_count);
    memset(slots, 0xff, room * sizeof *slots);
    float key[9], other[9];
    for (uint32_t t = 0; t < before->triangle_count; t++) {
        key_of(key, before, t);
        size_t slot = hash_of(key) & (room - 1);
        while (slots[slot] != UINT32_MAX)
            slot = (slot + 1) & (room - 1);
        slots[slot] = t;
    }
    for (size_t t = 0; t < now->triangle_count; t++) {
        key_of(key, now, t);
        made[t] = 1;
        for (size_t slot = hash_of(key) & (room - 1); slots[slot] != UINT32_MAX && made[t];
             slot = (slot + 1) & (room - 1)) {
            key_of(other, before, slots[slot]);
            made[t] = memcmp(key, other, sizeof key) != 0;
        }
    }
    free(slots);
    return 0;
}
