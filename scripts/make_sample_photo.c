/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the project's own sample photos, so that none is anybody else's: a toy dog or robot of
 * implicit surfaces, ray-marched before a studio backdrop with soft light, shadow, lens blur and
 * sensor noise, saved as JPEG.
 *   gcc -O2 -fopenmp -o make_sample_photo scripts/make_sample_photo.c -ljpeg -lm
 *   ./make_sample_photo dog|robot OUT.jpg
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#define WIDTH 1200
#define HEIGHT 1600

struct v3 {
    double x, y, z;
};

/* What a ray met: signed distance and which paint. */
struct hit {
    double d;
    int paint;
};

typedef struct hit (*toy_fn)(struct v3);

static struct v3 v(double x, double y, double z)
{
    return (struct v3){x, y, z};
}
static struct v3 add(struct v3 a, struct v3 b)
{
    return v(a.x + b.x, a.y + b.y, a.z + b.z);
}
static struct v3 sub(struct v3 a, struct v3 b)
{
    return v(a.x - b.x, a.y - b.y, a.z - b.z);
}
static struct v3 mul(struct v3 a, double s)
{
    return v(a.x * s, a.y * s, a.z * s);
}
static double dot(struct v3 a, struct v3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
static double len(struct v3 a)
{
    return sqrt(dot(a, a));
}
static struct v3 unit(struct v3 a)
{
    return mul(a, 1 / len(a));
}
static struct v3 cross(struct v3 a, struct v3 b)
{
    return v(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

static double ball(struct v3 p, struct v3 c, double r)
{
    return len(sub(p, c)) - r;
}

/* An ellipsoid, near enough to a distance for marching with care. */
static double egg(struct v3 p, struct v3 c, struct v3 r)
{
    struct v3 q = sub(p, c);
    double k0 = len(v(q.x / r.x, q.y / r.y, q.z / r.z));
    double k1 = len(v(q.x / (r.x * r.x), q.y / (r.y * r.y), q.z / (r.z * r.z)));
    return k1 > 1e-9 ? k0 * (k0 - 1) / k1 : -fmin(r.x, fmin(r.y, r.z));
}

/* A rod whose ends have their own radii. */
static double rod(struct v3 p, struct v3 a, struct v3 b, double ra, double rb)
{
    struct v3 ab = sub(b, a), ap = sub(p, a);
    double t = fmax(0, fmin(1, dot(ap, ab) / dot(ab, ab)));
    return len(sub(ap, mul(ab, t))) - (ra + (rb - ra) * t);
}

static double block(struct v3 p, struct v3 c, struct v3 half, double round)
{
    struct v3 q = sub(p, c);
    q = v(fabs(q.x) - half.x + round, fabs(q.y) - half.y + round, fabs(q.z) - half.z + round);
    return len(v(fmax(q.x, 0), fmax(q.y, 0), fmax(q.z, 0))) + fmin(fmax(q.x, fmax(q.y, q.z)), 0) -
           round;
}

static double blend(double a, double b, double k)
{
    double h = fmax(k - fabs(a - b), 0) / k;
    return fmin(a, b) - h * h * k / 4;
}

static struct hit nearer(struct hit a, double d, int paint)
{
    return d < a.d ? (struct hit){d, paint} : a;
}

enum paint { FLOOR, COAT, CREAM, DARK, RED, GOLD, STEEL, GLASS };

/* A sitting puppy, 1.9 units tall, facing -y and a little to its right. */
static struct hit dog(struct v3 p)
{
    struct v3 m = v(fabs(p.x), p.y, p.z); /* left and right are alike */
    double coat = egg(p, v(0, 0.12, 0.52), v(0.42, 0.46, 0.52));
    coat = blend(coat, egg(p, v(0, -0.12, 0.78), v(0.34, 0.32, 0.42)), 0.2);
    coat = blend(coat, egg(m, v(0.36, 0.08, 0.28), v(0.21, 0.36, 0.29)), 0.12);
    coat = blend(coat, rod(m, v(0.2, -0.3, 0.72), v(0.22, -0.42, 0.1), 0.15, 0.115), 0.08);
    double head = egg(p, v(0, -0.2, 1.42), v(0.42, 0.38, 0.37));
    coat = blend(coat, head, 0.12);
    coat = blend(coat, rod(p, v(0.2, 0.5, 0.25), v(0.68, 0.45, 0.62), 0.11, 0.06), 0.1);
    struct hit h = {coat, COAT};
    double ear = egg(sub(m, v(0.45, -0.12, 1.36)), v(0, 0, 0), v(0.13, 0.17, 0.33));
    h = nearer(h, ear, DARK);
    double muzzle = egg(p, v(0, -0.52, 1.3), v(0.22, 0.2, 0.165));
    muzzle = blend(muzzle, egg(m, v(0.085, -0.62, 1.25), v(0.12, 0.11, 0.1)), 0.06);
    h = nearer(h, muzzle, CREAM);
    h = nearer(h, egg(p, v(0, -0.3, 0.76), v(0.23, 0.2, 0.31)), CREAM);
    double paw = egg(m, v(0.23, -0.52, 0.1), v(0.15, 0.2, 0.1));
    paw = fmin(paw, egg(m, v(0.43, -0.2, 0.09), v(0.14, 0.24, 0.09)));
    h = nearer(h, paw, CREAM);
    h = nearer(h, egg(p, v(0, -0.73, 1.37), v(0.085, 0.06, 0.06)), GLASS);
    h = nearer(h, ball(m, v(0.155, -0.525, 1.5), 0.066), GLASS);
    double ring = len(v(len(v(p.x / 1.02, p.y + 0.14, 0)) - 0.315, p.z - 1.07, 0)) - 0.05;
    h = nearer(h, ring, RED);
    return nearer(h, egg(p, v(0, -0.5, 0.97), v(0.075, 0.03, 0.075)), GOLD);
}

/* A tin robot, 2 units tall. */
static struct hit robot(struct v3 p)
{
    struct v3 m = v(fabs(p.x), p.y, p.z);
    struct hit h = {block(p, v(0, 0, 0.92), v(0.4, 0.28, 0.36), 0.08), STEEL};
    h = nearer(h, block(p, v(0, 0, 1.6), v(0.34, 0.27, 0.26), 0.1), STEEL);
    h = nearer(h, rod(p, v(0, 0, 1.2), v(0, 0, 1.4), 0.13, 0.13), DARK);
    h = nearer(h, rod(m, v(0.48, 0, 1.14), v(0.62, -0.1, 0.72), 0.09, 0.08), DARK);
    h = nearer(h, ball(m, v(0.44, 0, 1.16), 0.14), RED);
    h = nearer(h, ball(m, v(0.63, -0.13, 0.62), 0.15), RED);
    h = nearer(h, rod(m, v(0.2, 0, 0.6), v(0.21, 0, 0.16), 0.12, 0.11), DARK);
    h = nearer(h, block(m, v(0.22, -0.07, 0.1), v(0.18, 0.28, 0.1), 0.06), RED);
    h = nearer(h, block(p, v(0, -0.27, 0.98), v(0.25, 0.05, 0.18), 0.04), CREAM);
    h = nearer(h, ball(p, v(-0.12, -0.33, 1.0), 0.06), RED);
    h = nearer(h, ball(p, v(0.1, -0.33, 1.0), 0.06), GOLD);
    h = nearer(h, ball(m, v(0.14, -0.25, 1.65), 0.095), GLASS);
    h = nearer(h, block(p, v(0, -0.27, 1.45), v(0.16, 0.03, 0.035), 0.02), DARK);
    h = nearer(h, rod(p, v(0, 0, 1.84), v(0, 0, 2.02), 0.035, 0.03), DARK);
    return nearer(h, ball(p, v(0, 0, 2.07), 0.085), RED);
}

/* The toy turned a little, on the floor z = 0. */
static struct hit scene(toy_fn toy, struct v3 p)
{
    double c = cos(0.28), s = sin(0.28);
    struct hit h = toy(v(c * p.x + s * p.y, -s * p.x + c * p.y, p.z));
    h.d *= 0.8; /* eggs and blends overstate distance */
    return nearer(h, p.z, FLOOR);
}

static int march(toy_fn toy, struct v3 from, struct v3 way, double *t, int *paint)
{
    for (int i = 0; i < 160 && *t < 30; i++) {
        struct hit h = scene(toy, add(from, mul(way, *t)));
        *paint = h.paint;
        if (h.d < 0.0006 * *t)
            return 1;
        *t += h.d;
    }
    return 0;
}

static struct v3 normal_at(toy_fn toy, struct v3 p)
{
    const double e = 0.0008;
    double d = scene(toy, p).d;
    return unit(v(scene(toy, add(p, v(e, 0, 0))).d - d, scene(toy, add(p, v(0, e, 0))).d - d,
                  scene(toy, add(p, v(0, 0, e))).d - d));
}

/* How much of a broad lamp is seen: 1 all, 0 none. */
static double lamp_seen(toy_fn toy, struct v3 p, struct v3 to)
{
    double seen = 1;
    for (double t = 0.03; t < 5;) {
        double d = scene(toy, add(p, mul(to, t))).d;
        seen = fmin(seen, 0.5 + 0.5 * d * 5 / t);
        if (seen < 0.001)
            return 0;
        t += fmax(0.02, fabs(d));
    }
    return seen * seen * (3 - 2 * seen);
}

static double openness(toy_fn toy, struct v3 p, struct v3 n)
{
    double closed = 0, weight = 1;
    for (int i = 1; i <= 5; i++, weight *= 0.75) {
        double h = 0.07 * i;
        closed += weight * (h - scene(toy, add(p, mul(n, h))).d);
    }
    return fmax(0.15, 1 - 0.9 * closed);
}

static struct v3 paint_colour(int paint, struct v3 p)
{
    static const struct v3 colours[] = {
        {0.6, 0.64, 0.68},   {0.5, 0.25, 0.09}, {0.82, 0.66, 0.45}, {0.13, 0.06, 0.035},
        {0.55, 0.035, 0.03}, {0.75, 0.5, 0.1},  {0.16, 0.3, 0.42},  {0.015, 0.013, 0.012}};
    double grain = sin(p.x * 61 + 3 * sin(p.z * 23)) * sin(p.z * 57 + 2 * sin(p.y * 31));
    struct v3 c = colours[paint];
    return paint == COAT || paint == CREAM || paint == DARK ? mul(c, 1 + 0.1 * grain) : c;
}

static double shine_of(int paint)
{
    return paint == GLASS ? 0.9 : paint == GOLD || paint == STEEL || paint == RED ? 0.35 : 0.06;
}

static struct v3 light_at(toy_fn toy, struct v3 eye, struct v3 way)
{
    const struct v3 lamp = unit(v(-0.55, -0.75, 0.95)), fill = unit(v(0.9, -0.5, 0.35));
    double t = 1;
    int paint = FLOOR;
    struct v3 backdrop = v(0.6, 0.64, 0.68);
    if (!march(toy, eye, way, &t, &paint))
        return mul(backdrop, 0.92);
    struct v3 p = add(eye, mul(way, t)), n = paint == FLOOR ? v(0, 0, 1) : normal_at(toy, p);
    struct v3 off = add(p, mul(n, 0.01)), c = paint_colour(paint, p);
    double seen = lamp_seen(toy, off, lamp), open = openness(toy, off, n);
    double direct = fmax(0, dot(n, lamp)) * seen, soft = fmax(0, dot(n, fill));
    double sky = 0.5 + 0.5 * n.z;
    struct v3 half = unit(sub(lamp, way));
    double gloss = shine_of(paint) * pow(fmax(0, dot(n, half)), paint == GLASS ? 180 : 40) * seen;
    struct v3 lit = mul(c, 1.15 * direct + open * (0.2 * soft + 0.38 * sky + 0.1));
    lit = add(lit, mul(v(1, 0.97, 0.92), gloss));
    if (paint != FLOOR)
        return lit;
    double far = fmin(1, fmax(0, (len(v(p.x, p.y, 0)) - 1.6) / 5)); /* the sweep of the backdrop */
    far = far * far * (3 - 2 * far);
    return add(mul(lit, 1 - far), mul(backdrop, 0.92 * far));
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static double noise(uint32_t *state)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += next_random(state) / 4294967296.0 - 0.5;
    return sum;
}

static uint8_t encode(double light)
{
    light = fmin(1, fmax(0, light));
    double s = light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
    return (uint8_t)lrint(255 * s);
}

static void row_render(uint8_t *row, int y, toy_fn toy)
{
    const struct v3 eye = v(-0.35, -6.2, 1.75), look = v(0, 0, 0.95);
    const struct v3 ahead = unit(sub(look, eye)), side = unit(cross(ahead, v(0, 0, 1)));
    const struct v3 up = cross(side, ahead);
    uint32_t state = 2463534242u ^ (uint32_t)(y + 1) * 2654435761u;
    for (int x = 0; x < WIDTH; x++) {
        struct v3 sum = {0, 0, 0};
        for (int s = 0; s < 4; s++) {
            double u = (x + 0.25 + 0.5 * (s & 1) - WIDTH / 2.0) / HEIGHT;
            double w = (HEIGHT / 2.0 - y - 0.25 - 0.5 * (s >> 1)) / HEIGHT;
            struct v3 way = unit(add(ahead, add(mul(side, 0.46 * u), mul(up, 0.46 * w))));
            sum = add(sum, mul(light_at(toy, eye, way), 0.25));
        }
        double u = (double)x / WIDTH - 0.5, w = (double)y / HEIGHT - 0.5;
        double vignette = 1 - 0.35 * (u * u + w * w);
        double rgb[3] = {sum.x, sum.y, sum.z};
        for (int c = 0; c < 3; c++) {
            double light = rgb[c] * vignette;
            light += 0.025 * noise(&state) * sqrt(fmax(light, 0.01));
            row[3 * x + c] = encode(light);
        }
    }
}

static int jpeg_save(const char *path, const uint8_t *rgb)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 86, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < HEIGHT) {
        JSAMPROW row = (JSAMPROW)(rgb + (size_t)jpeg.next_scanline * WIDTH * 3);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return fclose(file);
}

int main(int argc, char **argv)
{
    toy_fn toy = argc == 3 && !strcmp(argv[1], "dog")     ? dog
                 : argc == 3 && !strcmp(argv[1], "robot") ? robot
                                                          : NULL;
    if (!toy) {
        fprintf(stderr, "use: make_sample_photo dog|robot OUT.jpg\n");
        return 2;
    }
    uint8_t *rgb = malloc((size_t)WIDTH * HEIGHT * 3);
    if (!rgb)
        return 1;
#pragma omp parallel for schedule(dynamic, 8)
    for (int y = 0; y < HEIGHT; y++)
        row_render(rgb + (size_t)y * WIDTH * 3, y, toy);
    int result = jpeg_save(argv[2], rgb);
    free(rgb);
    return result ? 1 : 0;
}
