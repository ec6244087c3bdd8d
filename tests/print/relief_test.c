/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The built-in maker: what it makes must be one closed solid of the ordered height, however odd the
 * silhouette. The pictures are painted here; the checks on meshes are this file's own. */
#include "print/relief/relief.h"
#include "tests/test.h"

static struct err err;

static void paint_empty(struct picture *p, uint32_t w, uint32_t h)
{
    p->width = w;
    p->height = h;
    p->rgba = calloc((size_t)w * h, 4);
}

static void paint_box(struct picture *p, int x0, int y0, int x1, int y1, uint8_t grey)
{
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            uint8_t *c = p->rgba + ((size_t)y * p->width + (size_t)x) * 4;
            c[0] = c[1] = c[2] = grey;
            c[3] = 255;
        }
}

static void paint_disc(struct picture *p, double cx, double cy, double r, uint8_t grey)
{
    for (uint32_t y = 0; y < p->height; y++)
        for (uint32_t x = 0; x < p->width; x++)
            if (hypot(x + 0.5 - cx, y + 0.5 - cy) < r)
                paint_box(p, (int)x, (int)y, (int)x + 1, (int)y + 1, grey);
}

/* A head, a trunk, two legs of different length, an arm that holds a hoop: holes, thin parts, a
 * pointed ear. */
static void paint_creature(struct picture *p)
{
    paint_empty(p, 300, 400);
    paint_disc(p, 150, 90, 55, 150);
    paint_disc(p, 150, 220, 75, 120);
    paint_box(p, 105, 260, 135, 390, 100);
    paint_box(p, 165, 260, 190, 380, 100);
    paint_box(p, 60, 200, 100, 206, 180);
    for (int i = 0; i < 50; i++)
        paint_box(p, 110 + i / 4, 60 - i, 140 - i / 2, 61 - i, 160);
    for (uint32_t y = 0; y < p->height; y++)
        for (uint32_t x = 0; x < p->width; x++) {
            double r = hypot(x - 40.0, y - 203.0);
            if (r > 18 && r < 25)
                paint_box(p, (int)x, (int)y, (int)x + 1, (int)y + 1, 90);
        }
    paint_disc(p, 130, 80, 9, 20);
    paint_disc(p, 170, 80, 9, 20);
}

static int edge_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Every directed edge once, and its opposite once: closed, 2-manifold along edges, one way round.
 */
static bool closed_and_consistent(const struct mesh *m)
{
    size_t n = 3 * m->triangle_count;
    uint64_t *edge = malloc(n * sizeof *edge);
    bool good = n > 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t a = m->triangles[i], b = m->triangles[i % 3 == 2 ? i - 2 : i + 1];
        good = good && a != b && a < m->vertex_count && b < m->vertex_count;
        edge[i] = a << 32 | b;
    }
    qsort(edge, n, sizeof *edge, edge_order);
    for (size_t i = 1; i < n; i++)
        good = good && edge[i] != edge[i - 1];
    for (size_t i = 0; i < n && good; i++) {
        uint64_t other = edge[i] << 32 | edge[i] >> 32;
        good = bsearch(&other, edge, n, sizeof *edge, edge_order) != NULL;
    }
    free(edge);
    return good;
}

static uint32_t root_of(uint32_t *parent, uint32_t v)
{
    while (parent[v] != v)
        v = parent[v] = parent[parent[v]];
    return v;
}

/* Shells by common vertices; a vertex that no triangle names counts as one too. */
static size_t shell_count(const struct mesh *m)
{
    uint32_t *parent = malloc(m->vertex_count * sizeof *parent);
    size_t count = 0;
    for (size_t i = 0; i < m->vertex_count; i++)
        parent[i] = (uint32_t)i;
    for (size_t t = 0; t < 3 * m->triangle_count; t += 3)
        for (int k = 1; k < 3; k++)
            parent[root_of(parent, m->triangles[t + k])] = root_of(parent, m->triangles[t]);
    for (size_t i = 0; i < m->vertex_count; i++)
        count += parent[i] == i;
    free(parent);
    return count;
}

static double volume(const struct mesh *m)
{
    double sum = 0;
    for (size_t t = 0; t < m->triangle_count; t++) {
        const float *a = m->xyz + 3 * m->triangles[3 * t];
        const float *b = m->xyz + 3 * m->triangles[3 * t + 1];
        const float *c = m->xyz + 3 * m->triangles[3 * t + 2];
        sum += a[0] * ((double)b[1] * c[2] - (double)b[2] * c[1]) +
               a[1] * ((double)b[2] * c[0] - (double)b[0] * c[2]) +
               a[2] * ((double)b[0] * c[1] - (double)b[1] * c[0]);
    }
    return sum / 6;
}

struct extent {
    float low[3], high[3];
    size_t count;
};

/* Of the vertices with x and z in the given ranges. */
static struct extent extent_of(const struct mesh *m, double x0, double x1, double z0, double z1)
{
    struct extent e = {{1e9f, 1e9f, 1e9f}, {-1e9f, -1e9f, -1e9f}, 0};
    for (size_t i = 0; i < m->vertex_count; i++) {
        const float *p = m->xyz + 3 * i;
        if (p[0] < x0 || p[0] > x1 || p[2] < z0 || p[2] > z1)
            continue;
        e.count++;
        for (int c = 0; c < 3; c++) {
            e.low[c] = fminf(e.low[c], p[c]);
            e.high[c] = fmaxf(e.high[c], p[c]);
        }
    }
    return e;
}

static void check_solid(const struct mesh *m, double height_mm)
{
    struct extent e = extent_of(m, -1e9, 1e9, -1e9, 1e9);
    CHECK(closed_and_consistent(m));
    CHECK(shell_count(m) == 1);
    CHECK(volume(m) > 0);
    CHECK(e.low[2] == 0);
    CHECK_NEAR(e.high[2], height_mm, 1e-3);
}

static void test_relief__makes_one_closed_solid_of_the_ordered_height(void)
{
    static const double heights[] = {20, 80, 140};
    struct picture p;
    paint_creature(&p);
    for (int i = 0; i < 3; i++)
        for (int stand = 0; stand < 2; stand++) {
            struct relief_options o = RELIEF_OPTIONS_DEFAULT;
            struct mesh m;
            cJSON *notes;
            o.height_mm = heights[i];
            o.stand = stand;
            CHECK_OK(relief_make(&m, &notes, &p, &o, &err));
            check_solid(&m, heights[i]);
            if (*test_failure)
                return;
            CHECK(m.triangle_count < 500000);
            CHECK_TEXT(json_text(notes, "style", ""), "figure");
            cJSON_Delete(notes);
            mesh_free(&m);
        }
    picture_free(&p);
}

static void test_relief__leaves_no_wall_too_thin_to_print(void)
{
    /* Two discs joined by a hair 1 pixel wide: 0.2 mm at 80 mm if nobody thickened it. */
    struct picture p;
    struct mesh m;
    cJSON *notes;
    struct relief_options o = RELIEF_OPTIONS_DEFAULT;
    paint_empty(&p, 200, 400);
    paint_disc(&p, 100, 80, 60, 140);
    paint_disc(&p, 100, 320, 60, 140);
    paint_box(&p, 100, 100, 101, 300, 140);
    o.stand = false;
    o.resolution_mm = 0.25;
    CHECK_OK(relief_make(&m, &notes, &p, &o, &err));
    check_solid(&m, 80);
    if (*test_failure)
        return;
    struct extent e = extent_of(&m, -30, 30, 39, 41);
    CHECK(e.count > 20);
    CHECK(e.high[0] - e.low[0] >= 1.2);
    CHECK(e.high[1] - e.low[1] >= 1.2);
    cJSON_Delete(notes);
    mesh_free(&m);
    picture_free(&p);
}

static void test_relief__joins_pieces_and_drops_specks(void)
{
    struct picture p;
    struct mesh m;
    cJSON *notes;
    struct relief_options o = RELIEF_OPTIONS_DEFAULT;
    paint_empty(&p, 400, 400);
    paint_disc(&p, 120, 250, 90, 140);
    paint_disc(&p, 310, 120, 60, 140); /* hangs in the air: only a rod can hold it */
    paint_disc(&p, 350, 350, 5, 140);
    CHECK_OK(relief_make(&m, &notes, &p, &o, &err));
    check_solid(&m, 80);
    if (*test_failure)
        return;
    CHECK(json_number(notes, "pieces_joined", 0) == 1);
    CHECK(json_number(notes, "pieces_dropped", 0) == 1);
    struct extent e = extent_of(&m, -1e9, 1e9, 40, 1e9);
    CHECK(e.high[0] - e.low[0] > 50);
    cJSON_Delete(notes);
    mesh_free(&m);
    picture_free(&p);
}

static void test_relief__shows_the_shading_on_the_front_alone(void)
{
    struct picture p;
    struct mesh plain, spotted;
    cJSON *notes[2];
    struct relief_options o = RELIEF_OPTIONS_DEFAULT;
    o.stand = false;
    paint_empty(&p, 300, 300);
    paint_disc(&p, 150, 150, 140, 110);
    CHECK_OK(relief_make(&plain, &notes[0], &p, &o, &err));
    paint_disc(&p, 150, 150, 25, 220);
    CHECK_OK(relief_make(&spotted, &notes[1], &p, &o, &err));
    struct extent a = extent_of(&plain, -2, 2, 38, 42), b = extent_of(&spotted, -2, 2, 38, 42);
    CHECK(b.low[1] < a.low[1] - 0.3);              /* bright comes forward, towards -y */
    CHECK(b.low[1] > a.low[1] - 1.1 * 0.016 * 80); /* by no more than the bound */
    CHECK_NEAR(b.high[1], a.high[1], 0.01);
    cJSON_Delete(notes[0]);
    cJSON_Delete(notes[1]);
    mesh_free(&plain);
    mesh_free(&spotted);
    picture_free(&p);
}

static void test_relief__is_as_deep_as_asked(void)
{
    struct picture p;
    struct mesh m;
    cJSON *notes;
    struct relief_options o = RELIEF_OPTIONS_DEFAULT;
    paint_empty(&p, 300, 300);
    paint_disc(&p, 150, 150, 140, 110);
    o.stand = false;
    o.thickness_mm = 14;
    CHECK_OK(relief_make(&m, &notes, &p, &o, &err));
    struct extent e = extent_of(&m, -1e9, 1e9, -1e9, 1e9);
    CHECK_NEAR(e.high[1] - e.low[1], 14, 0.8);
    CHECK_NEAR(e.high[0] - e.low[0], 80, 0.8); /* a disc stays a disc */
    cJSON_Delete(notes);
    mesh_free(&m);
    picture_free(&p);
}

static void test_relief__makes_the_same_mesh_twice(void)
{
    static const enum relief_style styles[] = {RELIEF_FIGURE, RELIEF_LITHOPHANE};
    struct picture p;
    paint_creature(&p);
    for (int i = 0; i < 2; i++) {
        struct relief_options o = RELIEF_OPTIONS_DEFAULT;
        struct mesh a, b;
        cJSON *notes[2];
        o.style = styles[i];
        CHECK_OK(relief_make(&a, &notes[0], &p, &o, &err));
        CHECK_OK(relief_make(&b, &notes[1], &p, &o, &err));
        CHECK(a.vertex_count == b.vertex_count && a.triangle_count == b.triangle_count);
        CHECK(memcmp(a.xyz, b.xyz, a.vertex_count * 12) == 0);
        CHECK(memcmp(a.triangles, b.triangles, a.triangle_count * 12) == 0);
        for (int k = 0; k < 2; k++)
            cJSON_Delete(notes[k]);
        mesh_free(&a);
        mesh_free(&b);
    }
    picture_free(&p);
}

static void test_relief__refuses_a_picture_without_a_subject(void)
{
    struct picture p;
    struct mesh m;
    cJSON *notes;
    struct relief_options o = RELIEF_OPTIONS_DEFAULT;
    paint_empty(&p, 100, 100);
    CHECK_FAILS(relief_make(&m, &notes, &p, &o, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "no_subject");
    paint_box(&p, 0, 0, 100, 100, 90);
    CHECK_FAILS(relief_make(&m, &notes, &p, &o, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "no_subject");
    CHECK(!m.xyz && !notes);
    picture_free(&p);
}

static void test_relief__refuses_options_out_of_range(void)
{
    struct picture p;
    struct mesh m;
    cJSON *notes;
    paint_creature(&p);
    for (int i = 0; i < 5; i++) {
        struct relief_options o = RELIEF_OPTIONS_DEFAULT;
        o.height_mm = i == 0 ? 10 : i == 1 ? 300 : i == 2 ? NAN : 80;
        o.detail_mm = i == 3 ? -1 : 0;
        o.resolution_mm = i == 4 ? 0.001 : 0;
        CHECK_FAILS(relief_make(&m, &notes, &p, &o, &err), ERR_INPUT);
        CHECK_TEXT(err.code, "option_out_of_range");
    }
    picture_free(&p);
}

/* The plate's thickness, front to the flat back, near (x, z). */
static double thickness_at(const struct mesh *m, double x, double z)
{
    struct extent e = extent_of(m, x - 0.4, x + 0.4, z - 0.4, z + 0.4);
    return e.count ? (double)e.high[1] - e.low[1] : -1;
}

static void test_relief__lithophane_is_thicker_where_the_photo_is_darker(void)
{
    struct picture p;
    struct mesh m;
    cJSON *notes;
    struct relief_options o = RELIEF_OPTIONS_DEFAULT;
    paint_empty(&p, 256, 128);
    for (int x = 0; x < 256; x++)
        paint_box(&p, x, 0, x + 1, 128, (uint8_t)(255 - x)); /* white at the left */
    o.style = RELIEF_LITHOPHANE;
    o.height_mm = 70;
    CHECK_OK(relief_make(&m, &notes, &p, &o, &err));
    check_solid(&m, 70);
    if (*test_failure)
        return;
    double last = 0, left = -55, right = 55;
    for (double x = left; x <= right; x += 5) {
        double t = thickness_at(&m, x, 35);
        CHECK(t >= last - 1e-6);
        CHECK(t >= 0.8 - 1e-6 && t <= 3.0 + 1e-6);
        last = t;
    }
    CHECK(thickness_at(&m, left, 35) < 1.0);
    CHECK(thickness_at(&m, right, 35) > 2.9);
    CHECK(thickness_at(&m, 0, 1) > 10);   /* the foot */
    CHECK(thickness_at(&m, 0, 69) > 3.0); /* the frame */
    cJSON_Delete(notes);
    mesh_free(&m);
    picture_free(&p);
}

static void test_relief__lithophane_follows_how_plastic_passes_light(void)
{
    /* Halving the light costs the same thickness wherever it is done: log 2 of log 30. */
    struct picture p;
    struct mesh m;
    cJSON *notes;
    struct relief_options o = RELIEF_OPTIONS_DEFAULT;
    paint_empty(&p, 300, 300);
    paint_box(&p, 0, 0, 100, 300, 255);   /* light 1 */
    paint_box(&p, 100, 0, 200, 300, 188); /* 1/2 in linear light */
    paint_box(&p, 200, 0, 300, 300, 137); /* 1/4 */
    o.style = RELIEF_LITHOPHANE;
    o.height_mm = 100;
    CHECK_OK(relief_make(&m, &notes, &p, &o, &err));
    double half = 2.2 * log(2) / log(30);
    CHECK_NEAR(thickness_at(&m, -30, 50), 0.8, 0.01);
    CHECK_NEAR(thickness_at(&m, 0, 50), 0.8 + half, 0.02);
    CHECK_NEAR(thickness_at(&m, 30, 50), 0.8 + 2 * half, 0.02);
    cJSON_Delete(notes);
    mesh_free(&m);
    picture_free(&p);
}

static void test_relief__lithophane_keeps_the_background(void)
{
    struct picture p;
    struct mesh m;
    cJSON *notes;
    struct relief_options o = RELIEF_OPTIONS_DEFAULT;
    paint_empty(&p, 200, 200);
    for (int y = 0; y < 200; y++)
        paint_box(&p, 0, y, 200, y + 1, (uint8_t)(20 + y / 50));
    paint_disc(&p, 100, 100, 50, 250);
    for (size_t i = 0; i < 200u * 200; i++) /* the mask of a photo's cut-out */
        p.rgba[4 * i + 3] = p.rgba[4 * i] > 200 ? 255 : 0;
    o.style = RELIEF_LITHOPHANE;
    CHECK_OK(relief_make(&m, &notes, &p, &o, &err));
    CHECK(thickness_at(&m, 0, 42) < 1.0);
    CHECK(thickness_at(&m, 28, 70) > 2.5);
    cJSON_Delete(notes);
    mesh_free(&m);
    picture_free(&p);
}

TESTS(TEST(test_relief__makes_one_closed_solid_of_the_ordered_height),
      TEST(test_relief__leaves_no_wall_too_thin_to_print),
      TEST(test_relief__joins_pieces_and_drops_specks),
      TEST(test_relief__shows_the_shading_on_the_front_alone),
      TEST(test_relief__is_as_deep_as_asked), TEST(test_relief__makes_the_same_mesh_twice),
      TEST(test_relief__refuses_a_picture_without_a_subject),
      TEST(test_relief__refuses_options_out_of_range),
      TEST(test_relief__lithophane_is_thicker_where_the_photo_is_darker),
      TEST(test_relief__lithophane_follows_how_plastic_passes_light),
      TEST(test_relief__lithophane_keeps_the_background))
