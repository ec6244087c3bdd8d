/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Support let down from the overhangs layer by layer, as slicers do it, but on bitmaps. */
#include "print/measure/support.h"

#include <stdlib.h>
#include <string.h>

struct shadow {
    const struct layer_grid *grid;
    size_t margin, gap;                           /* cells */
    uint64_t *carry, *fresh, *blocked, *scratch;  /* one plane each */
    size_t filled, sides, roof, landing, contact; /* cells */
};

/* One layer further down; above is the layer of which the undersides are held up. */
static void let_down(struct shadow *s, const uint64_t *above, const uint64_t *solid)
{
    const struct layer_grid *g = s->grid;
    plane_grow(g, s->blocked, solid, s->scratch, s->gap);
    plane_grow(g, s->fresh, above, s->scratch, s->margin);
    for (size_t w = 0; w < g->plane_words; w++) {
        uint64_t fresh = s->fresh[w] & ~s->blocked[w];
        uint64_t down = (s->carry[w] | fresh) & ~s->blocked[w];
        s->roof += word_count(fresh & ~s->carry[w]);
        s->landing += word_count(s->carry[w] & solid[w]);
        s->contact += word_count(above[w]);
        s->filled += word_count(down);
        s->carry[w] = down;
    }
    s->sides += plane_sides(g, s->carry);
}

static void estimate_one(struct support_estimate *out, struct shadow *s, size_t limit,
                         const struct support_style *style)
{
    const struct layer_grid *grid = s->grid;
    for (size_t k = grid->nz; k-- > 1;)
        let_down(s, layer_plane(grid, grid->steep[limit], k),
                 layer_plane(grid, grid->solid, k - 1));
    double cell = grid->pixel_mm * grid->pixel_mm;
    *out = (struct support_estimate){
        .filled_mm3 = (double)s->filled * cell * grid->layer_mm,
        .contact_mm2 = (double)s->contact * cell,
        .landing_mm2 = (double)s->landing * cell,
        .footprint_mm2 = (double)plane_count(s->carry, grid->plane_words) * cell,
        .sides_mm2 = M_PI / 4 * (double)s->sides * grid->pixel_mm * grid->layer_mm,
        .roof_mm2 = (double)s->roof * cell,
    };
    out->volume_mm3 = style->density * out->filled_mm3 + style->wall_mm * out->sides_mm2 +
                      style->roof_mm * out->roof_mm2 + style->landing_mm * out->landing_mm2;
}

static void mean_of(struct support_estimate *to, const struct support_estimate *other)
{
    double *a[] = {&to->volume_mm3,    &to->filled_mm3, &to->contact_mm2, &to->landing_mm2,
                   &to->footprint_mm2, &to->sides_mm2,  &to->roof_mm2};
    const double b[] = {other->volume_mm3,  other->filled_mm3,    other->contact_mm2,
                        other->landing_mm2, other->footprint_mm2, other->sides_mm2,
                        other->roof_mm2};
    for (size_t i = 0; i < sizeof b / sizeof *b; i++)
        *a[i] = (*a[i] + b[i]) / 2;
}

int support_estimate(struct support_estimate *out, uint64_t *foot, const struct layer_grid *grid,
                     size_t limit, const struct support_style *style, struct err *err)
{
    size_t words = grid->plane_words;
    struct support_estimate lax;
    uint64_t *planes = calloc(4 * words, sizeof *planes);
    if (!planes)
        return FAIL(err, ERR_LIMIT, "no memory for support");
    struct shadow begin = {.grid = grid,
                           .margin = (size_t)lround(style->margin_mm / grid->pixel_mm),
                           .gap = (size_t)lround(style->side_gap_mm / grid->pixel_mm),
                           .carry = planes,
                           .fresh = planes + words,
                           .blocked = planes + 2 * words,
                           .scratch = planes + 3 * words};
    struct shadow s = begin;
    estimate_one(out, &s, limit, style);
    if (style->slack_deg > 0) {
        memset(begin.carry, 0, words * sizeof *begin.carry);
        s = begin;
        estimate_one(&lax, &s, limit + 1, style);
        mean_of(out, &lax);
    }
    if (foot)
        memcpy(foot, s.carry, words * sizeof *foot);
    free(planes);
    return 0;
}
