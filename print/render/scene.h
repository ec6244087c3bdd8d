/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the passes of the renderer hand to one another; private to print/render. */
#ifndef PRINT_RENDER_SCENE_H
#define PRINT_RENDER_SCENE_H

#include <stdbool.h>

#include "print/mesh.h"
#include "print/render/render.h"

#define NO_TRIANGLE UINT32_MAX
#define GRAIN_MOST 4 /* samples along a pixel's side */
#define SUBPIXEL 256 /* steps of one sample in the fixed-point screen positions */

/* Camera space: x right, y up, z towards the eye, which is at (0, 0, distance); origin at centre.
 */
struct camera {
    double centre[3], right[3], up[3], towards[3];
    double distance;
    double radius;           /* half the diagonal of the mesh's box */
    double ground_z;         /* lowest z of the mesh */
    double low[3], high[3];  /* the mesh's box */
    double leftmost;         /* least of the mesh along right, from the centre */
    double scale;            /* samples for one unit of x / depth */
    double shift_x, shift_y; /* where the optical axis meets the picture, in samples */
};

/* A vertex on the screen. near is 1 / depth, 0 for one that cannot be drawn. */
struct spot {
    int32_t x, y;
    float near;
};

struct scene {
    const struct mesh *mesh;
    struct camera camera;
    uint32_t width, height; /* pixels */
    uint32_t grain;         /* samples along one side of a pixel */
    uint32_t free_right;
    double margin;
    bool ruler;
    bool small;         /* a thumbnail: triangles of a few pixels are lit flat */
    struct spot *spots; /* one for each vertex */
    float *depths;      /* 1 / depth of each sample, 0 where nothing is */
    uint32_t *ids;      /* triangle seen by each sample, or NO_TRIANGLE */

    /* Surface: vertices at the same place are one; the triangles round each, as ranges. */
    uint32_t *welded; /* vertex -> first vertex at that place */
    uint32_t *ring_start;
    uint32_t *ring;
    float *normals; /* of each triangle, as long as the triangle is large; NULL when small */

    float *occlusion; /* of each pixel, 1 = open sky */
    float *shadow;    /* SHADOW_SIDE squared, 0..1 */
    double shadow_from[2], shadow_cell;
};

#define SHADOW_SIDE 256

static inline double dot3(const double *a, const double *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* The passes, in this order: surface and ground serve all views of a mesh, the others are made
 * anew. Each fails with ERR_LIMIT for want of memory only. */

/** Aims at the mesh so that all of the first `frames` turns of an even turn fit; then
 * camera_turn picks one. Errors ERR_INPUT nothing can be drawn. */
int camera_aim(struct scene *scene, const struct render_options *options, size_t frames,
               struct err *err) MUST_CHECK;
void camera_turn(struct scene *scene, const struct render_options *options, double more_deg);
int camera_project(struct scene *scene, struct err *err) MUST_CHECK;
int raster_draw(struct scene *scene, struct err *err) MUST_CHECK;
int surface_build(struct scene *scene, struct err *err) MUST_CHECK;
/** Instead of surface_build for a thumbnail, once its samples are drawn. */
int surface_build_seen(struct scene *scene, struct err *err) MUST_CHECK;
int occlusion_build(struct scene *scene, struct err *err) MUST_CHECK;
int ground_build(struct scene *scene, struct err *err) MUST_CHECK;
void shade_picture(struct picture *out, const struct scene *scene,
                   const struct render_options *options);

/** The normal of a triangle in world space, as long as the triangle is large. */
void surface_normal(float out[3], const struct scene *scene, uint32_t triangle);

/** The smoothed unit normals of a triangle's corners in world space. */
void surface_corner_normals(float out[3][3], const struct scene *scene, uint32_t triangle);

/** Where the ground lies behind a sample; false when there is none. */
bool camera_ground(double out[2], const struct camera *camera, double x, double y);

/** Where a point of the world falls, in samples. */
void camera_place(double out[2], const struct camera *camera, const double point[3]);

/** The place at height z on the upright scale to the left of the mesh. */
void camera_ruler(double out[3], const struct camera *camera, double z);

/** How dark (0..1) the ruler's grid is at a pixel. */
float ruler_grid(const struct scene *scene, uint32_t x, uint32_t y);

/** Draws the height's scale and the words over the finished picture. */
void ruler_draw(struct picture *picture, const struct scene *scene);

/** A picture of which each pixel is little: what is smaller is not smoothed. */
int render_small(struct picture *out, const struct mesh *mesh, const struct render_options *options,
                 struct err *err) MUST_CHECK;

/** The share of light (0..1) that the ground loses at a place. */
double ground_shadow(const struct scene *scene, double x, double y);

#endif
