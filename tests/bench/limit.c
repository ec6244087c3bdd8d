/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the machine itself needs on one thread for the steps that no preparation can leave out, each
 * as plain as can be, on the same file in the same run: the ground to measure our own time against.
 *     limit IN.glb OUT.3mf      IN as make_meshes writes it; OUT our own result, whose XML is
 * packed again
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "base/bytes.h"

#define LEVEL 4 /* of zlib */

struct soup {
    float *xyz;
    uint32_t *corners; /* 3 a triangle */
    size_t vertices, triangles;
};

static struct err err;
static double begun;

static void give_up(const char *why)
{
    fprintf(stderr, "limit: %s\n", why);
    exit(1);
}

static void *room(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        give_up("no memory");
    return p;
}

/* Processor time of this one thread: what the wall clock would show if nothing else ran. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void start(void)
{
    begun = now();
}

static void row(const char *name)
{
    printf(",\"%s\":%.5f", name, now() - begun);
    start();
}

/* One primitive, floats then 32-bit indices: what make_meshes writes and nothing else. */
static void unpack(struct soup *s, const struct bytes *file)
{
    uint32_t text, bin;
    if (file->len < 28)
        give_up("no GLB");
    memcpy(&text, file->data + 12, 4);
    memcpy(&bin, file->data + 20 + text, 4);
    const char *count = strstr((const char *)file->data + 20, "\"count\":");
    s->vertices = count ? (size_t)atol(count + 8) : 0;
    if (!s->vertices || 12 * s->vertices > bin || 28 + (size_t)text + bin > file->len)
        give_up("not the GLB that make_meshes writes");
    s->triangles = (bin - 12 * s->vertices) / 12;
    s->xyz = room(12 * s->vertices);
    s->corners = room(12 * s->triangles);
    memcpy(s->xyz, file->data + 28 + text, 12 * s->vertices);
    memcpy(s->corners, file->data + 28 + text + 12 * s->vertices, 12 * s->triangles);
}

static uint32_t mix(const float *p)
{
    uint32_t w[3];
    memcpy(w, p, 12);
    uint64_t h =
        w[0] * 0x9e3779b97f4a7c15u ^ w[1] * 0xc2b2ae3d27d4eb4fu ^ w[2] * 0x165667b19e3779f9u;
    return (uint32_t)(h >> 32 ^ h);
}

/* Equal corners become one by open addressing. */
static void weld(struct soup *s)
{
    size_t slots = 64, kept = 0;
    while (slots < 2 * s->vertices)
        slots *= 2;
    uint32_t *table = room(4 * slots), *map = room(4 * s->vertices);
    memset(table, 0xff, 4 * slots);
    for (size_t v = 0; v < s->vertices; v++) {
        float p[3] = {s->xyz[3 * v] + 0.0f, s->xyz[3 * v + 1] + 0.0f, s->xyz[3 * v + 2] + 0.0f};
        size_t at = mix(p) & (slots - 1);
        while (table[at] != UINT32_MAX && memcmp(s->xyz + 3 * (size_t)table[at], p, 12) != 0)
            at = (at + 1) & (slots - 1);
        if (table[at] == UINT32_MAX) {
            table[at] = (uint32_t)kept;
            memcpy(s->xyz + 3 * kept++, p, 12);
        }
        map[v] = table[at];
    }
    for (size_t i = 0; i < 3 * s->triangles; i++)
        s->corners[i] = map[s->corners[i]];
    s->vertices = kept;
    free(table);
    free(map);
}

/* Partners by lists of halfedges that start at each vertex; returns how many have none. */
static size_t find_twins(uint32_t *twin, const struct soup *s)
{
    size_t n = 3 * s->triangles, alone = 0;
    uint32_t *first = room(4 * (s->vertices + 2)), *list = room(4 * n);
    memset(first, 0, 4 * (s->vertices + 2));
    for (size_t h = 0; h < n; h++)
        first[s->corners[h] + 2]++;
    for (size_t v = 2; v < s->vertices + 2; v++)
        first[v] += first[v - 1];
    for (size_t h = 0; h < n; h++)
        list[first[s->corners[h] + 1]++] = (uint32_t)h;
    for (size_t h = 0; h < n; h++) {
        uint32_t from = s->corners[h], to = s->corners[h % 3 == 2 ? h - 2 : h + 1];
        twin[h] = UINT32_MAX;
        for (uint32_t i = first[to]; i < first[to + 1] && twin[h] == UINT32_MAX; i++) {
            uint32_t g = list[i];
            if (s->corners[g % 3 == 2 ? g - 2 : g + 1] == from)
                twin[h] = g;
        }
        alone += twin[h] == UINT32_MAX;
    }
    free(first);
    free(list);
    return alone;
}

/* Normals, area, volume and box in one pass. */
static double measure(float *normals, const struct soup *s)
{
    double area = 0, volume = 0, low = INFINITY, high = -INFINITY;
    for (size_t t = 0; t < s->triangles; t++) {
        const float *a = s->xyz + 3 * (size_t)s->corners[3 * t],
                    *b = s->xyz + 3 * (size_t)s->corners[3 * t + 1],
                    *c = s->xyz + 3 * (size_t)s->corners[3 * t + 2];
        double u[3], v[3], n[3];
        for (int k = 0; k < 3; k++)
            u[k] = (double)b[k] - a[k], v[k] = (double)c[k] - a[k];
        n[0] = u[1] * v[2] - u[2] * v[1];
        n[1] = u[2] * v[0] - u[0] * v[2];
        n[2] = u[0] * v[1] - u[1] * v[0];
        double length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
        area += length / 2;
        volume += (n[0] * a[0] + n[1] * a[1] + n[2] * a[2]) / 6;
        low = fmin(low, a[2]);
        high = fmax(high, a[2]);
        for (int k = 0; k < 3; k++)
            normals[3 * t + (size_t)k] = (float)(length > 0 ? n[k] / length : 0);
    }
    return volume / (area + 1) + high - low;
}

static void pack_stl(uint8_t *out, const struct soup *s, const float *normals)
{
    memset(out, 0, 84);
    memcpy(out + 80, &(uint32_t){(uint32_t)s->triangles}, 4);
    for (size_t t = 0; t < s->triangles; t++) {
        uint8_t *r = out + 84 + 50 * t;
        memcpy(r, normals + 3 * t, 12);
        for (size_t k = 0; k < 3; k++)
            memcpy(r + 12 + 12 * k, s->xyz + 3 * (size_t)s->corners[3 * t + k], 12);
        memset(r + 48, 0, 2);
    }
}

/* The largest part of the archive, unpacked: the model's XML. */
static void find_xml(struct bytes *xml, uint32_t *packed, const struct bytes *zip)
{
    size_t end = zip->len < 22 ? 0 : zip->len - 22;
    uint32_t at, best = 0, where = 0;
    uint16_t parts, name;
    while (end && memcmp(zip->data + end, "PK\5\6", 4) != 0)
        end--;
    memcpy(&parts, zip->data + end + 10, 2);
    memcpy(&at, zip->data + end + 16, 4);
    for (; parts; parts--) {
        uint32_t size, offset;
        uint16_t lengths[3];
        memcpy(&size, zip->data + at + 24, 4);
        memcpy(&offset, zip->data + at + 42, 4);
        memcpy(lengths, zip->data + at + 28, 6);
        if (size > best)
            best = size, where = offset, memcpy(packed, zip->data + at + 20, 4);
        at += 46u + lengths[0] + lengths[1] + lengths[2];
    }
    uint16_t extra;
    memcpy(&name, zip->data + where + 26, 2);
    memcpy(&extra, zip->data + where + 28, 2);
    xml->data = room(best);
    xml->len = best;
    z_stream z = {.next_in = zip->data + where + 30 + name + extra,
                  .avail_in = *packed,
                  .next_out = xml->data,
                  .avail_out = best};
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK || inflate(&z, Z_FINISH) != Z_STREAM_END)
        give_up("our 3MF does not unpack");
    inflateEnd(&z);
}

static size_t deflate_at(uint8_t *out, size_t most, const struct bytes *xml, int level)
{
    z_stream z = {
        .next_in = xml->data, .avail_in = (uInt)xml->len, .next_out = out, .avail_out = (uInt)most};
    if (deflateInit2(&z, level, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END)
        give_up("zlib");
    size_t n = z.total_out;
    deflateEnd(&z);
    return n;
}

/* zlib's level 4, which gains most for its time: 1 to 3 leave 14 to 18 % more, 6 takes twice as
 * long for 2 % less. Our writer packs smaller than any level does, so its size chooses none: the
 * slowest would be the nearest, and make the limit large. */
static void time_deflate(const struct bytes *zip)
{
    static const int levels[] = {1, LEVEL};
    static const char *const names[] = {"deflate_fastest", "deflate"};
    struct bytes xml = {0};
    uint32_t packed = 0;
    find_xml(&xml, &packed, zip);
    size_t most = xml.len + 100000, n = 0;
    uint8_t *out = room(most);
    for (size_t i = 0; i < 2; i++) {
        start();
        n = deflate_at(out, most, &xml, levels[i]);
        printf(",\"%s\":%.5f", names[i], now() - begun);
    }
    printf(",\"level\":%d,\"zlib_bytes\":%zu,\"xml_bytes\":%zu,\"packed_bytes\":%u", LEVEL, n,
           xml.len, packed);
    free(out);
    free(xml.data);
}

int main(int argc, char **argv)
{
    struct bytes file = {.limit = (size_t)1 << 31}, zip = {.limit = (size_t)1 << 31};
    struct soup s;
    if (argc != 3)
        return 2;
    start();
    if (bytes_read_file(&file, argv[1], &err))
        give_up(err.what);
    double read = now() - begun;
    start();
    unpack(&s, &file);
    printf("{\"triangles\":%zu,\"read\":%.5f", s.triangles, read);
    row("unpack");
    weld(&s);
    row("weld");
    uint32_t *twin = room(12 * s.triangles);
    start();
    size_t alone = find_twins(twin, &s);
    row("twins");
    float *normals = room(12 * s.triangles);
    start();
    double sum = measure(normals, &s);
    row("normals");
    uint8_t *stl = room(84 + 50 * s.triangles);
    start();
    pack_stl(stl, &s, normals);
    row("pack_stl");
    if (bytes_read_file(&zip, argv[2], &err))
        give_up(err.what);
    time_deflate(&zip);
    printf(",\"open_edges\":%zu,\"check\":%g}\n", alone, sum); /* nothing above may be left out */
    bytes_free(&file);
    bytes_free(&zip);
    free(s.xyz);
    free(s.corners);
    free(twin);
    free(normals);
    free(stl);
    return 0;
}
