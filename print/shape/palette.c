/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Few colours for many, in CIELAB, where distances are what the eye sees. Colours are counted in
 * cells of 32 x 32 x 32, so the choice costs the same for any mesh. */
#include "print/shape/palette.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/topology.h"
#include "print/measure/vec.h"

#define CELLS 32768
#define LLOYD_ROUNDS 24
#define SMOOTH_ROUNDS 12
/* Distances above this count no more: a wrong colour is a wrong colour. */
#define FAR_LAB 40.0

struct tint {
    struct vec lab;
    double area;
    unsigned group;
};

static double linear(uint8_t v)
{
    double x = v / 255.0;
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

static double lab_curve(double t)
{
    return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

/* sRGB to CIELAB under D65. */
static struct vec lab_of(const uint8_t rgb[3])
{
    double r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]);
    double x = lab_curve((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
    double y = lab_curve(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
    double z = lab_curve((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
    return (struct vec){116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

static double lab_uncurve(double t)
{
    return t * t * t > 216.0 / 24389 ? t * t * t : (116 * t - 16) * 27 / 24389;
}

static uint8_t encoded(double v)
{
    double x = v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
    return (uint8_t)(x <= 0 ? 0 : x >= 1 ? 255 : lround(255 * x));
}

static void rgb_of(uint8_t rgb[3], struct vec lab)
{
    double fy = (lab.x + 16) / 116;
    double x = 0.95047 * lab_uncurve(fy + lab.y / 500), y = lab_uncurve(fy);
    double z = 1.08883 * lab_uncurve(fy - lab.z / 200);
    rgb[0] = encoded(3.2404542 * x - 1.5371385 * y - 0.4985314 * z);
    rgb[1] = encoded(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z);
    rgb[2] = encoded(0.0556434 * x - 0.2040259 * y + 1.0572252 * z);
}

static size_t cell_of(const uint8_t rgb[3])
{
    return (size_t)(rgb[0] >> 3) << 10 | (size_t)(rgb[1] >> 3) << 5 | (size_t)(rgb[2] >> 3);
}

static double distance2(struct vec a, struct vec b)
{
    struct vec d = vec_sub(a, b);
    return vec_dot(d, d);
}

/* The mean colour of each cell that has any, weighted by area. */
static size_t gather_tints(struct tint *tints, const struct mesh *mesh, const uint8_t (*rgb)[3],
                           const double *area)
{
    size_t n = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct tint *tint = &tints[cell_of(rgb[t])];
        tint->lab = vec_add(tint->lab, vec_scale(lab_of(rgb[t]), area[t]));
        tint->area += area[t];
    }
    for (size_t i = 0; i < CELLS; i++)
        if (tints[i].area > 0) {
            tints[n] = tints[i];
            tints[n].lab = vec_scale(tints[n].lab, 1 / tints[n].area);
            tints[n++].group = 0;
        }
    return n;
}

struct spread {
    struct vec mean, variance;
    double area;
};

static struct spread spread_of(const struct tint *tints, size_t n, unsigned group)
{
    struct spread s = {0};
    for (size_t i = 0; i < n; i++)
        if (tints[i].group == group) {
            s.mean = vec_add(s.mean, vec_scale(tints[i].lab, tints[i].area));
            s.area += tints[i].area;
        }
    s.mean = vec_scale(s.mean, s.area > 0 ? 1 / s.area : 0);
    for (size_t i = 0; i < n; i++)
        if (tints[i].group == group) {
            struct vec d = vec_sub(tints[i].lab, s.mean);
            s.variance =
                vec_add(s.variance,
                        vec_scale((struct vec){d.x * d.x, d.y * d.y, d.z * d.z}, tints[i].area));
        }
    return s;
}

static double along(struct vec v, int axis)
{
    return axis == 0 ? v.x : axis == 1 ? v.y : v.z;
}

/* Parts the group with the largest sum of squares along its longest axis, at its mean. */
static bool split_widest(struct tint *tints, size_t n, unsigned groups)
{
    double widest = 1e-6;
    unsigned which = 0;
    int axis = 0;
    struct spread at = {0};
    for (unsigned g = 0; g < groups; g++) {
        struct spread s = spread_of(tints, n, g);
        for (int k = 0; k < 3; k++)
            if (along(s.variance, k) > widest) {
                widest = along(s.variance, k);
                which = g, axis = k, at = s;
            }
    }
    if (!(at.area > 0))
        return false;
    for (size_t i = 0; i < n; i++)
        if (tints[i].group == which && along(tints[i].lab, axis) > along(at.mean, axis))
            tints[i].group = groups;
    return true;
}

static unsigned nearest(const struct vec *colours, unsigned count, struct vec lab)
{
    unsigned best = 0;
    for (unsigned c = 1; c < count; c++)
        if (distance2(colours[c], lab) < distance2(colours[best], lab))
            best = c;
    return best;
}

/* Chosen colours, largest share first. */
static unsigned choose_colours(struct vec *colours, struct tint *tints, size_t n, unsigned wanted)
{
    struct spread s[PALETTE_MOST];
    unsigned count = 1;
    while (count < wanted && split_widest(tints, n, count))
        count++;
    for (int round = 0; round <= LLOYD_ROUNDS; round++) {
        for (unsigned c = 0; c < count; c++) {
            s[c] = spread_of(tints, n, c);
            if (s[c].area > 0)
                colours[c] = s[c].mean;
        }
        for (size_t i = 0; i < n && round < LLOYD_ROUNDS; i++)
            tints[i].group = nearest(colours, count, tints[i].lab);
    }
    for (unsigned i = 1; i < count; i++)
        for (unsigned j = i; j > 0 && s[j].area > s[j - 1].area; j--) {
            struct spread other = s[j];
            s[j] = s[j - 1];
            s[j - 1] = other;
            struct vec colour = colours[j];
            colours[j] = colours[j - 1];
            colours[j - 1] = colour;
        }
    return count;
}

static double misfit(struct vec colour, struct vec lab)
{
    double d = sqrt(distance2(colour, lab));
    return d < FAR_LAB ? d : FAR_LAB;
}

struct smoothing {
    const struct mesh *mesh;
    const uint8_t (*rgb)[3];
    const uint32_t *twin;
    const double *area;
    const struct vec *colours;
    unsigned count;
    double border; /* cost of a millimetre of border, in area x misfit */
};

/* What a colour would cost here with the neighbours as they are. */
static double cost_of(const struct smoothing *s, const uint8_t *index, size_t t, unsigned colour,
                      struct vec lab)
{
    double cost = s->area[t] * misfit(s->colours[colour], lab);
    for (size_t k = 0; k < 3; k++) {
        uint32_t twin = s->twin[3 * t + k];
        if (twin >= TWIN_MANY || index[twin / 3] == colour)
            continue;
        struct vec edge =
            vec_sub(mesh_corner(s->mesh, t, (int)(k + 1) % 3), mesh_corner(s->mesh, t, (int)k));
        cost += s->border * vec_length(edge);
    }
    return cost;
}

/* One triangle after the other takes what is cheapest (Besag 1986) until nothing changes. */
static void smooth(uint8_t *index, const struct smoothing *s)
{
    size_t changed = 1;
    for (int round = 0; round < SMOOTH_ROUNDS && changed; round++) {
        changed = 0;
        for (size_t t = 0; t < s->mesh->triangle_count; t++) {
            bool alone = true;
            for (size_t k = 0; k < 3; k++) {
                uint32_t twin = s->twin[3 * t + k];
                alone = alone && (twin >= TWIN_MANY || index[twin / 3] == index[t]);
            }
            if (alone)
                continue;
            struct vec lab = lab_of(s->rgb[t]);
            unsigned best = index[t];
            double least = cost_of(s, index, t, best, lab);
            for (unsigned c = 0; c < s->count; c++) {
                double cost = cost_of(s, index, t, c, lab);
                if (cost < least)
                    least = cost, best = c;
            }
            changed += best != index[t];
            index[t] = (uint8_t)best;
        }
    }
}

static int smooth_index(uint8_t *index, const struct mesh *mesh, const uint8_t (*rgb)[3],
                        const double *area, const struct vec *colours, unsigned count,
                        double strength, struct err *err)
{
    struct topology topology;
    double total = 0;
    if (topology_build(&topology, mesh, err))
        return -1;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        total += area[t];
    /* A triangle of middle size gives way to its three neighbours over a misfit of about 12. */
    double side = sqrt(total / (double)(mesh->triangle_count + 1) * 2.3);
    struct smoothing s = {.mesh = mesh,
                          .rgb = rgb,
                          .twin = topology.twin,
                          .area = area,
                          .colours = colours,
                          .count = count,
                          .border = strength * 12 * side * 0.43 / 3};
    smooth(index, &s);
    topology_free(&topology);
    return 0;
}

static void fill_palette(struct palette *palette, const uint8_t *index, const struct mesh *mesh,
                         const uint8_t (*rgb)[3], const double *area, const struct vec *colours)
{
    double total = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        palette->share[index[t]] += area[t];
        palette->error_mean += area[t] * sqrt(distance2(colours[index[t]], lab_of(rgb[t])));
        total += area[t];
    }
    for (unsigned c = 0; c < palette->count && total > 0; c++)
        palette->share[c] /= total;
    palette->error_mean = total > 0 ? palette->error_mean / total : 0;
}

int mesh_palette(uint8_t *index, struct palette *palette, const struct mesh *mesh,
                 const uint8_t (*rgb)[3], const struct palette_options *options, struct err *err)
{
    struct vec colours[PALETTE_MOST];
    *palette = (struct palette){.count = options->count};
    if (options->count < 1 || options->count > PALETTE_MOST || !(options->smooth >= 0))
        return FAIL_CODE(err, ERR_INPUT, "palette_invalid", "a palette has 1 to %d colours",
                         PALETTE_MOST);
    struct tint *tints = calloc(CELLS, sizeof *tints);
    double *area = malloc((mesh->triangle_count + 1) * sizeof *area);
    int failed = tints && area ? 0 : FAIL(err, ERR_LIMIT, "no memory for colours");
    if (!failed) {
        for (size_t t = 0; t < mesh->triangle_count; t++)
            area[t] = vec_length(mesh_normal2(mesh, t)) / 2;
        size_t n = gather_tints(tints, mesh, rgb, area);
        if (options->filaments)
            for (unsigned c = 0; c < options->count; c++)
                colours[c] = lab_of(options->filaments[c]);
        else
            palette->count = choose_colours(colours, tints, n, options->count);
        for (unsigned c = 0; c < palette->count; c++) {
            rgb_of(palette->rgb[c], colours[c]);
            if (options->filaments)
                memcpy(palette->rgb[c], options->filaments[c], 3);
        }
        for (size_t t = 0; t < mesh->triangle_count; t++)
            index[t] = (uint8_t)nearest(colours, palette->count, lab_of(rgb[t]));
        if (options->smooth > 0)
            failed =
                smooth_index(index, mesh, rgb, area, colours, palette->count, options->smooth, err);
        fill_palette(palette, index, mesh, rgb, area, colours);
    }
    free(tints);
    free(area);
    return failed;
}
