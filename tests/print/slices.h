/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of print/slice share: small solids, a job in a folder of its own. */
#ifndef TESTS_PRINT_SLICES_H
#define TESTS_PRINT_SLICES_H

#include "base/bytes.h"
#include "base/hash.h"
#include "print/export/export.h"
#include "print/slice/slice.h"
#include "tests/test.h"

#include <dirent.h>
#include <unistd.h>

static struct err err;
static char folder[64], out_path[128];

/* A box from low to high, as 8 vertices and 12 triangles. */
static inline void make_box(struct mesh *mesh, const float low[3], const float high[3])
{
    static const uint32_t corners[36] = {0, 2, 1, 0, 3, 2, 4, 5, 6, 4, 6, 7, 0, 1, 5, 0, 5, 4,
                                         1, 2, 6, 1, 6, 5, 2, 3, 7, 2, 7, 6, 3, 0, 4, 3, 4, 7};
    if (mesh_alloc(mesh, mesh->vertex_count + 8, mesh->triangle_count + 12, &err))
        abort();
    for (int i = 0; i < 8; i++) {
        mesh->xyz[3 * i] = (i & 3) == 1 || (i & 3) == 2 ? high[0] : low[0];
        mesh->xyz[3 * i + 1] = (i & 3) >= 2 ? high[1] : low[1];
        mesh->xyz[3 * i + 2] = i >= 4 ? high[2] : low[2];
    }
    memcpy(mesh->triangles, corners, sizeof corners);
}

/* A post with a wide head, which needs support. */
static inline void make_mushroom(struct mesh *mesh, float neck, float height, float half_width,
                                 float half_depth)
{
    struct mesh post = {0}, head = {0};
    make_box(&post, (float[]){-4, -4, 0}, (float[]){4, 4, neck + 1});
    make_box(&head, (float[]){-half_width, -half_depth, neck},
             (float[]){half_width, half_depth, height});
    if (mesh_alloc(mesh, 16, 24, &err))
        abort();
    memcpy(mesh->xyz, post.xyz, 96);
    memcpy(mesh->xyz + 24, head.xyz, 96);
    for (int i = 0; i < 36; i++) {
        mesh->triangles[i] = post.triangles[i];
        mesh->triangles[36 + i] = head.triangles[i] + 8;
    }
    mesh_free(&post);
    mesh_free(&head);
}

static inline void make_figure(struct mesh *mesh)
{
    make_mushroom(mesh, 9, 15, 10, 4);
}

static inline int write_stl(char *path, const char *name, const struct mesh *mesh)
{
    struct bytes stl = {0};
    snprintf(path, 128, "%s/%s", folder, name);
    int failed = stl_write(&stl, mesh, name, &err) || file_write(path, stl.data, stl.len, &err);
    bytes_free(&stl);
    return failed ? -1 : 0;
}

struct setting {
    struct profile profile;
    struct slice_object object;
    struct slice_options options;
    char model[128];
};

static inline int open_setting(struct setting *s, const char *printer, const char *material)
{
    memset(s, 0, sizeof *s);
    snprintf(folder, sizeof folder, "/tmp/statuette-test-XXXXXX");
    if (!mkdtemp(folder) || profile_load(&s->profile, NULL, printer, material, NULL, &err))
        return -1;
    snprintf(out_path, sizeof out_path, "%s/out.gcode", folder);
    s->object.path = s->model;
    s->options = (struct slice_options){.objects = &s->object,
                                        .object_count = 1,
                                        .out_path = out_path,
                                        .work_folder = folder,
                                        .profile = &s->profile};
    return 0;
}

static inline void close_setting(struct setting *s)
{
    profile_free(&s->profile);
    folder_remove(folder);
}

/* Files in the work folder, without . and .. */
static inline int count_files(void)
{
    DIR *dir = opendir(folder);
    int n = -2;
    while (dir && readdir(dir))
        n++;
    closedir(dir);
    return n;
}

#define SKIP_WITHOUT_ENGINE()                                                                      \
    do {                                                                                           \
        if (access("/usr/bin/CuraEngine", X_OK) != 0)                                              \
            SKIP("CuraEngine is not installed (package cura-engine)");                             \
    } while (0)

#define SKIP_WITHOUT_PRUSA()                                                                       \
    do {                                                                                           \
        if (access("/usr/bin/prusa-slicer", X_OK) != 0)                                            \
            SKIP("PrusaSlicer is not installed (package prusa-slicer)");                           \
    } while (0)

struct told {
    int times;
    double last;
    bool fell;
};

static inline void on_progress(void *user, double share)
{
    struct told *told = user;
    told->fell = told->fell || share < told->last || share > 1;
    told->last = share;
    told->times++;
}

#endif
