/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From triangles to bitmaps: each column of cells gets a sorted list of the heights at which it
 * enters and leaves the solid, and the layers between them are set. */
#include "print/measure/layers_grid.h"

#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"

#define BAND 8                /* rows that one thread handles at a time */
#define Z_STEPS 128           /* heights are told apart to this part of a layer */
#define MAX_CELLS 2147483648. /* 256 MB a bitmap */

/* A crossing in one word, so that sorting it sorts by height and puts entries before exits. */
#define KEY_STEEP ((1u << STEEP_LIMITS) - 1)
#define KEY_EXIT (1u << STEEP_LIMITS)
#define KEY_SHIFT (STEEP_LIMITS + 1)

struct band {
    uint32_t *starts; /* per cell of the band, + 1 */
    uint32_t *keys;
    size_t room;
};

struct builder {
    struct layer_grid *grid;
    const struct mesh *mesh;
    double sine[STEEP_LIMITS];
    float *placed;
    uint32_t *band_starts, *band_triangles;
    size_t bands;
};

/* Vertices in cells and layers. */
static int place_vertices(struct builder *b, struct err *err)
{
    const struct layer_grid *g = b->grid;
    const float *xyz = b->mesh->xyz;
    double per_pixel = 1 / g->pixel_mm, per_layer = 1 / g->layer_mm;
    b->placed = malloc((3 * b->mesh->vertex_count + 1) * sizeof *b->placed);
    if (!b->placed)
        return FAIL(err, ERR_LIMIT, "no memory for %zu vertices", b->mesh->vertex_count);
    for (size_t i = 0; i < 3 * b->mesh->vertex_count; i += 3) {
        b->placed[i] = (float)((xyz[i] - g->low[0]) * per_pixel);
        b->placed[i + 1] = (float)((xyz[i + 1] - g->low[1]) * per_pixel);
        b->placed[i + 2] = (float)((xyz[i + 2] - g->low[2]) * per_layer);
    }
    return 0;
}

static const float *placed_corner(const struct builder *b, size_t t, size_t c)
{
    return b->placed + 3 * (size_t)b->mesh->triangles[3 * t + c];
}

/* The first cell whose middle lies beyond a place; no ceil(), which is a call on plain x86-64. */
static size_t first_centre(double at)
{
    return at > 0 ? (size_t)(at + 0.5) : 0;
}

/* The rows whose middles a triangle reaches: none for most of a fine mesh. */
static bool triangle_rows(const struct builder *b, size_t t, size_t *first, size_t *end)
{
    float y0 = placed_corner(b, t, 0)[1], y1 = placed_corner(b, t, 1)[1];
    float y2 = placed_corner(b, t, 2)[1];
    float low = y0 < y1 ? y0 : y1, high = y0 < y1 ? y1 : y0;
    *first = first_centre(low < y2 ? low : y2);
    *end = first_centre(high > y2 ? high : y2);
    return *first < *end;
}

static int sort_into_bands(struct builder *b, struct err *err)
{
    size_t first, end, total = 0;
    b->bands = (b->grid->ny + BAND - 1) / BAND;
    b->band_starts = calloc(b->bands + 2, sizeof *b->band_starts);
    if (!b->band_starts)
        return FAIL(err, ERR_LIMIT, "no memory for bands");
    for (size_t t = 0; t < b->mesh->triangle_count; t++)
        if (triangle_rows(b, t, &first, &end))
            for (size_t band = first / BAND; band <= (end - 1) / BAND; band++, total++)
                b->band_starts[band + 2]++;
    for (size_t i = 2; i < b->bands + 2; i++)
        b->band_starts[i] += b->band_starts[i - 1];
    b->band_triangles = malloc((total + 1) * sizeof *b->band_triangles);
    if (!b->band_triangles)
        return FAIL(err, ERR_LIMIT, "no memory for bands of %zu triangles", total);
    for (size_t t = 0; t < b->mesh->triangle_count; t++)
        if (triangle_rows(b, t, &first, &end))
            for (size_t band = first / BAND; band <= (end - 1) / BAND; band++)
                b->band_triangles[b->band_starts[band + 1]++] = (uint32_t)t;
    return 0;
}

struct cut {
    double x, z;
    bool up; /* the edge runs towards larger y as the triangle goes around */
};

/*
 * Where row y cuts the triangle; an edge gives the same numbers from both its sides, since it is
 * always taken from its lower end.
 */
static size_t cut_row(struct cut *cuts, const struct vec *corner, double y)
{
    size_t n = 0;
    for (size_t c = 0; c < 3; c++) {
        struct vec a = corner[c], b = corner[c == 2 ? 0 : c + 1];
        bool up = a.y < b.y;
        if (!up) {
            struct vec swap = a;
            a = b, b = swap;
        }
        if (!(a.y < y && y <= b.y) || n == 2)
            continue;
        double s = (y - a.y) / (b.y - a.y);
        cuts[n++] = (struct cut){a.x + s * (b.x - a.x), a.z + s * (b.z - a.z), up};
    }
    return n;
}

static uint32_t steepness(const struct builder *b, const struct vec *corner)
{
    const struct layer_grid *g = b->grid;
    struct vec u = vec_sub(corner[1], corner[0]), v = vec_sub(corner[2], corner[0]);
    double ratio = g->pixel_mm / g->layer_mm;
    struct vec n = vec_cross(u, v);
    n.z *= ratio;
    double length = vec_length(n);
    uint32_t steep = 0;
    for (int s = 0; s < STEEP_LIMITS; s++)
        steep |= (uint32_t)(n.z < -b->sine[s] * length) << s;
    return steep;
}

/* Counts (keys NULL) or notes the crossings of one triangle in the rows of a band. */
static void scan_triangle(const struct builder *b, size_t t, size_t row0, size_t row1,
                          uint32_t *places, uint32_t *keys)
{
    struct vec corner[3];
    size_t first, end, nx = b->grid->nx;
    double most = (double)b->grid->nz;
    triangle_rows(b, t, &first, &end);
    first = first < row0 ? row0 : first;
    end = end > row1 ? row1 : end;
    for (size_t c = 0; c < 3; c++) {
        const float *p = placed_corner(b, t, c);
        corner[c] = (struct vec){p[0], p[1], p[2]};
    }
    uint32_t steep = UINT32_MAX; /* not known yet: few triangles reach the middle of a cell */
    for (size_t y = first; y < end; y++) {
        struct cut cut[2];
        if (cut_row(cut, corner, (double)y + 0.5) != 2)
            continue;
        const struct cut *l = &cut[cut[0].x > cut[1].x], *r = &cut[cut[0].x <= cut[1].x];
        size_t x = first_centre(l->x), stop = first_centre(r->x);
        stop = stop > nx ? nx : stop;
        for (; x < stop; x++) {
            size_t cell = (y - row0) * nx + x;
            if (!keys) {
                places[cell]++;
                continue;
            }
            if (steep == UINT32_MAX)
                steep = steepness(b, corner);
            double z = l->z + (r->z - l->z) * ((double)x + 0.5 - l->x) / (r->x - l->x);
            z = z < 0 ? 0 : z > most ? most : z;
            keys[places[cell]++] =
                (uint32_t)(z * Z_STEPS) << KEY_SHIFT | (r->up ? KEY_EXIT : 0) | (r->up ? 0 : steep);
        }
    }
}

static void sort_keys(uint32_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t key = keys[i];
        size_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--)
            keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

static int key_compare(const void *a, const void *b)
{
    uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;
    return (p > q) - (p < q);
}

/* The first layer whose middle is at or above a height. */
static size_t layer_of(uint32_t key)
{
    uint32_t z = key >> KEY_SHIFT;
    return z <= Z_STEPS / 2 ? 0 : (z + Z_STEPS / 2 - 1) / Z_STEPS;
}

/* Marks where a column changes sides; layers between are filled afterwards for whole words. */
static void mark_column(struct layer_grid *g, size_t x, size_t y, uint32_t *keys, size_t count)
{
    size_t word = y * g->row_words + x / 64, enter = 0;
    uint64_t bit = (uint64_t)1 << (x % 64);
    uint32_t steep = 0;
    int depth = 0;
    if (count > 24)
        qsort(keys, count, sizeof *keys, key_compare);
    else
        sort_keys(keys, count);
    for (size_t i = 0; i < count; i++) {
        if (!(keys[i] & KEY_EXIT)) {
            if (depth++ == 0) {
                enter = layer_of(keys[i]);
                steep = keys[i] & KEY_STEEP;
            }
            continue;
        }
        if (--depth != 0)
            continue;
        size_t leave = layer_of(keys[i]);
        if (enter >= leave)
            continue;
        g->solid[enter * g->plane_words + word] ^= bit;
        g->solid[leave * g->plane_words + word] ^= bit; /* there is a plane above the top one */
        for (int s = 0; s < STEEP_LIMITS; s++)
            if (g->steep[s] && steep >> s & 1)
                g->steep[s][enter * g->plane_words + word] |= bit;
    }
}

static int scan_band(const struct builder *b, size_t band, struct band *own)
{
    struct layer_grid *g = b->grid;
    size_t row0 = band * BAND, row1 = row0 + BAND < g->ny ? row0 + BAND : g->ny;
    size_t cells = (row1 - row0) * g->nx;
    const uint32_t *first = b->band_triangles + (band ? b->band_starts[band] : 0);
    const uint32_t *end = b->band_triangles + b->band_starts[band + 1];
    memset(own->starts, 0, (cells + 2) * sizeof *own->starts);
    for (const uint32_t *t = first; t < end; t++)
        scan_triangle(b, *t, row0, row1, own->starts + 2, NULL);
    for (size_t i = 2; i < cells + 2; i++)
        own->starts[i] += own->starts[i - 1];
    size_t total = own->starts[cells + 1];
    if (total > own->room || !own->keys) {
        free(own->keys);
        own->room = 2 * total + 1;
        own->keys = malloc(own->room * sizeof *own->keys);
        if (!own->keys)
            return -1;
    }
    for (const uint32_t *t = first; t < end; t++)
        scan_triangle(b, *t, row0, row1, own->starts + 1, own->keys);
    for (size_t i = 0; i < cells; i++) {
        uint32_t from = own->starts[i], to = own->starts[i + 1];
        if (to > from)
            mark_column(g, i % g->nx, row0 + i / g->nx, own->keys + from, to - from);
    }
    return 0;
}

static int scan_bands(const struct builder *b, struct err *err)
{
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        struct band own = {.starts = malloc((BAND * b->grid->nx + 2) * sizeof *own.starts)};
        failed = !own.starts;
#pragma omp for schedule(dynamic, 1)
        for (size_t band = 0; band < b->bands; band++)
            if (!failed)
                failed = scan_band(b, band, &own) != 0;
        free(own.starts);
        free(own.keys);
    }
    return failed ? FAIL(err, ERR_LIMIT, "no memory for the crossings of a band") : 0;
}

/*
 * From marks to layers. A gap thinner than a layer leaves a steep mark inside solid material: it
 * goes, and so do those on the bed.
 */
static void fill_layers(struct layer_grid *g)
{
#pragma omp parallel for schedule(static)
    for (size_t w = 0; w < g->plane_words; w++) {
        uint64_t below = 0;
        for (size_t k = 0; k < g->nz; k++) {
            size_t at = k * g->plane_words + w;
            uint64_t here = g->solid[at] ^ below;
            for (int s = 0; s < STEEP_LIMITS; s++)
                if (g->steep[s])
                    g->steep[s][at] &= k ? here & ~below : 0;
            g->solid[at] = below = here;
        }
    }
}

static int size_grid(struct layer_grid *g, const struct mesh *mesh,
                     const struct layer_grid_options *o, struct err *err)
{
    double low[3], high[3];
    mesh_bounds(mesh, low, high);
    g->pixel_mm = o->pixel_mm;
    g->layer_mm = o->layer_mm;
    if (!(high[2] > low[2]) || !(g->pixel_mm > 0) || !(g->layer_mm > 0))
        return FAIL_CODE(err, ERR_INPUT, "mesh_flat", "a mesh without height has no layers");
    for (;;) {
        size_t margin = (size_t)ceil(o->margin_mm / g->pixel_mm) + 2;
        double nx = ceil((high[0] - low[0]) / g->pixel_mm) + 2. * (double)margin;
        double ny = ceil((high[1] - low[1]) / g->pixel_mm) + 2. * (double)margin;
        double nz = ceil((high[2] - low[2]) / g->layer_mm - 1e-6);
        nz = nz < 1 ? 1 : nz;
        if ((nx + 64) * ny * nz > MAX_CELLS || nz > 1 << 18) {
            g->pixel_mm *= 1.25;
            g->layer_mm *= 1.25;
            continue;
        }
        g->nx = (size_t)nx, g->ny = (size_t)ny, g->nz = (size_t)nz;
        g->low[0] = low[0] - (double)margin * g->pixel_mm;
        g->low[1] = low[1] - (double)margin * g->pixel_mm;
        g->low[2] = low[2];
        g->row_words = (g->nx + 63) / 64;
        g->plane_words = g->row_words * g->ny;
        return 0;
    }
}

int layer_grid_build(struct layer_grid *out, const struct mesh *mesh,
                     const struct layer_grid_options *options, struct err *err)
{
    struct builder b = {.grid = out, .mesh = mesh};
    int result = -1;
    *out = (struct layer_grid){0};
    if (size_grid(out, mesh, options, err))
        return -1;
    out->solid = calloc((out->nz + 1) * out->plane_words, sizeof *out->solid);
    bool room = out->solid;
    for (int s = 0; s < STEEP_LIMITS; s++) {
        b.sine[s] = sin(options->steep_deg[s] * (M_PI / 180));
        if (options->steep_deg[s] > 0) {
            out->steep[s] = calloc(out->nz * out->plane_words, sizeof *out->steep[s]);
            room = room && out->steep[s];
        }
    }
    if (!room) {
        FAIL(err, ERR_LIMIT, "no memory for %zu layers of %zu x %zu cells", out->nz, out->nx,
             out->ny);
        goto out;
    }
    if (place_vertices(&b, err) || sort_into_bands(&b, err) || scan_bands(&b, err))
        goto out;
    fill_layers(out);
    result = 0;
out:
    free(b.placed);
    free(b.band_starts);
    free(b.band_triangles);
    if (result)
        layer_grid_free(out);
    return result;
}

void layer_grid_free(struct layer_grid *grid)
{
    if (!grid)
        return;
    free(grid->solid);
    for (int s = 0; s < STEEP_LIMITS; s++)
        free(grid->steep[s]);
    *grid = (struct layer_grid){0};
}
