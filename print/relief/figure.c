/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A figure in the round from one cut-out photo: outline, cushion, shading, stand, surface. */
#include <math.h>
#include <stdlib.h>

#include "print/relief/relief_parts.h"

#define WALL_MM 1.4     /* thinnest limb across: 1.2 after the surface's rounding */
#define BACK_SHARE 0.65 /* the back is flatter than the front */
#define MARGIN 6        /* empty cells round the figure */

/* The picture rows and columns in which the subject lies. */
struct box {
    uint32_t left, right, top, bottom; /* right and bottom are past the end */
    double share, decided;
    bool touches[4];
};

static int box_find(struct box *box, const struct picture *photo, struct err *err)
{
    uint32_t w = photo->width, h = photo->height;
    size_t inside = 0, decided = 0;
    *box = (struct box){.left = w, .top = h};
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            uint8_t alpha = photo->rgba[((size_t)y * w + x) * 4 + 3];
            decided += alpha < 32 || alpha > 223;
            if (alpha < 128)
                continue;
            inside++;
            box->left = x < box->left ? x : box->left;
            box->right = x >= box->right ? x + 1 : box->right;
            box->top = y < box->top ? y : box->top;
            box->bottom = y + 1;
        }
    double all = (double)w * h;
    box->share = (double)inside / all;
    box->decided = (double)decided / all;
    bool touches[4] = {box->top == 0, box->right == w, box->bottom == h, box->left == 0};
    for (int k = 0; k < 4; k++)
        box->touches[k] = touches[k];
    if (box->share < 0.003 || box->share > 0.985 || box->right - box->left < 8 ||
        box->bottom - box->top < 8)
        return FAIL_CODE(err, ERR_INPUT, "no_subject",
                         "no subject stands out from the photo's background");
    return 0;
}

struct plan {
    struct box box;
    struct relief_window window;
    double step, tall_mm, sink_mm; /* the figure alone; sink_mm of it is inside the stand */
    int feet_row;                  /* of the lowest point of the subject */
};

/* The figure's share of the ordered height, and the grid that holds it. */
static int plan_make(struct plan *plan, struct relief_body *body, const struct picture *photo,
                     const struct relief_options *options, struct err *err)
{
    if (box_find(&plan->box, photo, err))
        return -1;
    double height = options->height_mm, pixels = plan->box.bottom - plan->box.top;
    if (options->stand) {
        body->stand.top = fmin(6, fmax(2.4, 0.045 * height));
        plan->sink_mm = 0.6 * body->stand.top;
    }
    plan->tall_mm = height - body->stand.top + plan->sink_mm;
    double wide_mm = plan->tall_mm * (plan->box.right - plan->box.left) / pixels;
    /* A subject much wider than tall would take a million triangles: 45,000 cells are enough. */
    plan->step = fmin(0.6, fmax(0.25, fmax(height / 210, sqrt(wide_mm * plan->tall_mm / 45000))));
    if (options->resolution_mm > 0)
        plan->step = options->resolution_mm;
    if (wide_mm > 400 || wide_mm * plan->tall_mm / (plan->step * plan->step) > 6e6)
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "a subject this wide makes a figure %.0f mm wide", wide_mm);
    plan->window.pixels_per_cell = pixels * plan->step / plan->tall_mm;
    /* The stand may be wider than the figure, and reaches below it. */
    int side = MARGIN + (options->stand ? (int)ceil((4 + 0.2 * height) / plan->step) : 0);
    plan->feet_row = MARGIN + (int)ceil(body->stand.top / plan->step);
    body->grid.step_mm = plan->step;
    body->grid.nx = (int)ceil(wide_mm / plan->step) + 2 * side;
    body->grid.nz = (int)ceil(plan->tall_mm / plan->step) + plan->feet_row + MARGIN;
    plan->window.left = plan->box.left - side * plan->window.pixels_per_cell;
    plan->window.bottom = plan->box.bottom + plan->feet_row * plan->window.pixels_per_cell;
    /* z = 0 falls half-way between two rows: the underside is then one exact plane. */
    double feet_z = options->stand ? body->stand.top - plan->sink_mm : 0;
    double row = round(plan->feet_row - feet_z / plan->step) + 0.5;
    body->base_z = -row * plan->step;
    return 0;
}

/* The least oval that carries the feet and keeps the whole from tipping. */
static void stand_fit(struct relief_body *body, const float *distance, double height_mm)
{
    const struct relief_grid *grid = &body->grid;
    double low = 1e9, high = -1e9, all_low = 1e9, all_high = -1e9, deep = 0, step = grid->step_mm;
    double mass = 0, moment = 0;
    for (int k = 0; k < grid->nz; k++)
        for (int i = 0; i < grid->nx; i++) {
            size_t at = (size_t)k * grid->nx + i;
            if (distance[at] <= 0)
                continue;
            double x = i * step, z = body->base_z + k * step;
            all_low = fmin(all_low, x);
            all_high = fmax(all_high, x);
            mass += sqrt(fmax(0, body->half[at]));
            moment += x * sqrt(fmax(0, body->half[at]));
            if (z > body->stand.top + 0.08 * height_mm)
                continue;
            low = fmin(low, x);
            high = fmax(high, x);
            deep = fmax(deep, sqrt(fmax(0, body->half[at])));
        }
    if (low > high) {
        low = all_low;
        high = all_high;
    }
    double centre = moment / fmax(mass, 1e-9), middle = (low + high) / 2;
    struct relief_stand *stand = &body->stand;
    stand->centre_x = middle + fmax(-0.1, fmin(0.1, (centre - middle) / height_mm)) * height_mm;
    double reach = fmax(high - stand->centre_x, stand->centre_x - low) + 3;
    stand->radius_x = fmax(reach, fmax(0.3 * (all_high - all_low), 0.18 * height_mm));
    stand->radius_y = fmax(deep + 3, fmax(0.17 * height_mm, body->deepest + 1));
    double room = fmin(stand->centre_x, (grid->nx - 1) * step - stand->centre_x) - 3 * step;
    stand->radius_x = fmin(stand->radius_x, room);
}

/* A last exact fit: feet on z = 0, the top at the ordered height, the middle over the origin. */
static void figure_place(struct mesh *mesh, double height_mm)
{
    float low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i < 3 * mesh->vertex_count; i++) {
        low[i % 3] = fminf(low[i % 3], mesh->xyz[i]);
        high[i % 3] = fmaxf(high[i % 3], mesh->xyz[i]);
    }
    double scale = height_mm / ((double)high[2] - low[2]);
    double middle = ((double)low[0] + high[0]) / 2;
    for (size_t i = 0; i < mesh->vertex_count; i++) {
        float *p = mesh->xyz + 3 * i;
        p[0] = (float)((p[0] - middle) * scale);
        p[1] = (float)(p[1] * scale);
        p[2] = (float)(((double)p[2] - low[2]) * scale);
    }
}

static int body_room(struct relief_body *body, float **luma, float **alpha, float **distance,
                     struct err *err)
{
    size_t n = (size_t)body->grid.nx * body->grid.nz;
    float *room = calloc(n * 6, sizeof *room);
    if (!room)
        return FAIL(err, ERR_LIMIT, "no memory for the figure");
    body->half = room;
    body->steep = room + n;
    body->detail = room + 2 * n;
    *luma = room + 3 * n;
    *alpha = room + 4 * n;
    *distance = room + 5 * n;
    return 0;
}

static double area_of(const float *distance, const struct relief_grid *grid)
{
    size_t n = (size_t)grid->nx * grid->nz, count = 0;
    for (size_t i = 0; i < n; i++)
        count += distance[i] > 0;
    return (double)count * grid->step_mm * grid->step_mm;
}

static void notes_add(cJSON *notes, const struct plan *plan, const struct relief_pieces *pieces,
                      const struct relief_body *body, double detail_mm)
{
    cJSON_AddStringToObject(notes, "style", "figure");
    cJSON_AddStringToObject(notes, "cut_from", "alpha");
    cJSON_AddNumberToObject(notes, "subject_share", plan->box.share);
    cJSON_AddNumberToObject(notes, "confidence", plan->box.decided);
    static const char *const side[4] = {"top", "right", "bottom", "left"};
    cJSON *touches = cJSON_AddArrayToObject(notes, "subject_touches_border");
    for (int k = 0; k < 4; k++)
        if (plan->box.touches[k])
            cJSON_AddItemToArray(touches, cJSON_CreateString(side[k]));
    cJSON_AddNumberToObject(notes, "pieces_found", pieces->found);
    cJSON_AddNumberToObject(notes, "pieces_joined", pieces->joined);
    cJSON_AddNumberToObject(notes, "pieces_dropped", pieces->dropped);
    cJSON_AddNumberToObject(notes, "thickened_mm2", pieces->thin_mm2);
    cJSON_AddNumberToObject(notes, "depth_mm", body->deepest * (1 + body->back));
    cJSON_AddNumberToObject(notes, "detail_mm", detail_mm);
    cJSON_AddNumberToObject(notes, "resolution_mm", body->grid.step_mm);
}

int relief_figure(struct mesh *out, cJSON *notes, const struct picture *photo,
                  const struct relief_options *options, struct err *err)
{
    struct plan plan = {0};
    struct relief_body body = {.back = BACK_SHARE};
    struct relief_pieces pieces = {0};
    float *luma = NULL, *alpha = NULL, *distance = NULL;
    if (plan_make(&plan, &body, photo, options, err) ||
        body_room(&body, &luma, &alpha, &distance, err))
        return -1;
    double detail = options->detail_mm > 0 ? options->detail_mm : 0.016 * options->height_mm;
    int result = -1;
    relief_sample(luma, alpha, photo, &body.grid, &plan.window, true);
    if (relief_silhouette(distance, &pieces, alpha, &body.grid, WALL_MM,
                          options->stand ? plan.feet_row : 0, err))
        goto out;
    double depth = options->thickness_mm > 0 ? options->thickness_mm
                                             : 0.55 * sqrt(area_of(distance, &body.grid));
    if (relief_inflate(&body, distance, depth / (1 + body.back), err) ||
        relief_detail(&body, luma, distance, detail, err))
        goto out;
    if (options->stand)
        stand_fit(&body, distance, options->height_mm);
    if (relief_surface(out, &body, err))
        goto out;
    if (!out->triangle_count) {
        FAIL_CODE(err, ERR_INPUT, "no_subject", "the subject is too thin to print at this height");
        goto out;
    }
    figure_place(out, options->height_mm);
    notes_add(notes, &plan, &pieces, &body, detail);
    result = 0;
out:
    free(body.half);
    return result;
}
