/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the simulated providers make, a small figure as GLB that names its task, and how it is
 * handed out: whole, in part, too large, expired, or as something else. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/provider_sim.h"

/* A body of revolution with a foot, a waist and a head, 1 unit high. */
#define ROWS 40
#define SEGMENTS 48
#define VERTICES (ROWS * SEGMENTS + 2)
#define TRIANGLES ((ROWS - 1) * SEGMENTS * 2 + SEGMENTS * 2)

static double radius_at(double t)
{
    if (t < 0.06)
        return 0.24;
    if (t < 0.62)
        return 0.16 + 0.05 * cos((t - 0.06) / 0.56 * 2 * M_PI);
    if (t < 0.66)
        return 0.08;
    double u = (t - 0.82) / 0.165;
    return fmax(0.02, 0.165 * sqrt(fmax(0, 1 - u * u)));
}

static void fill_positions(float *xyz)
{
    for (int row = 0; row < ROWS; row++) {
        double t = row / (ROWS - 1.0), r = radius_at(t);
        for (int s = 0; s < SEGMENTS; s++) {
            double angle = 2 * M_PI * s / SEGMENTS;
            *xyz++ = (float)(r * cos(angle));
            *xyz++ = (float)t;
            *xyz++ = (float)(-r * sin(angle));
        }
    }
    const float ends[6] = {0, 0, 0, 0, 1, 0};
    memcpy(xyz, ends, sizeof ends);
}

static void add_triangle(uint16_t **at, int a, int b, int c)
{
    *(*at)++ = (uint16_t)a;
    *(*at)++ = (uint16_t)b;
    *(*at)++ = (uint16_t)c;
}

static void fill_indices(uint16_t *at)
{
    for (int s = 0; s < SEGMENTS; s++) {
        int n = (s + 1) % SEGMENTS, top = (ROWS - 1) * SEGMENTS;
        add_triangle(&at, VERTICES - 2, n, s);
        add_triangle(&at, VERTICES - 1, top + s, top + n);
        for (int row = 0; row + 1 < ROWS; row++) {
            int below = row * SEGMENTS, above = below + SEGMENTS;
            add_triangle(&at, below + s, below + n, above + n);
            add_triangle(&at, below + s, above + n, above + s);
        }
    }
}

static void put(struct bytes *out, const void *data, size_t n)
{
    if (bytes_append(out, data, n, NULL))
        exit(1);
}

static void put_u32(struct bytes *out, uint32_t v)
{
    const uint8_t le[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    put(out, le, 4);
}

void make_model(struct bytes *glb, const char *name)
{
    float xyz[VERTICES * 3];
    uint16_t indices[TRIANGLES * 3];
    char json[1200];
    const unsigned index_bytes = sizeof indices, position_bytes = sizeof xyz;
    fill_positions(xyz);
    fill_indices(indices);
    int n = snprintf(
        json, sizeof json,
        "{\"asset\":{\"version\":\"2.0\",\"generator\":\"%s\"},\"scene\":0,"
        "\"scenes\":[{\"nodes\":[0]}],"
        "\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0},"
        "\"indices\":1}]}],\"buffers\":[{\"byteLength\":%u}],\"bufferViews\":["
        "{\"buffer\":0,\"byteOffset\":0,\"byteLength\":%u},"
        "{\"buffer\":0,\"byteOffset\":%u,\"byteLength\":%u}],\"accessors\":["
        "{\"bufferView\":0,\"componentType\":5126,\"count\":%d,\"type\":\"VEC3\","
        "\"min\":[-0.24,0,-0.24],\"max\":[0.24,1,0.24]},"
        "{\"bufferView\":1,\"componentType\":5123,\"count\":%d,\"type\":\"SCALAR\"}]}",
        name, position_bytes + index_bytes, position_bytes, position_bytes, index_bytes, VERTICES,
        TRIANGLES * 3);
    while (n % 4)
        json[n++] = ' ';
    put_u32(glb, 0x46546c67);
    put_u32(glb, 2);
    put_u32(glb, (uint32_t)(12 + 8 + n + 8) + position_bytes + index_bytes);
    put_u32(glb, (uint32_t)n);
    put_u32(glb, 0x4e4f534a);
    put(glb, json, (size_t)n);
    put_u32(glb, position_bytes + index_bytes);
    put_u32(glb, 0x004e4942);
    put(glb, xyz, sizeof xyz);
    put(glb, indices, sizeof indices);
}

/* --- handing out --- */

/* A fault of a task's file that is still to be shown. */
static bool spoils(struct exchange *x, struct task *t, const char *name, int turn)
{
    struct fault *fault = fault_of_task(x->sim, x->p, t->number, name);
    if (!fault || (fault->times > 0 && turn > fault->times))
        return false;
    fault->hits++;
    return true;
}

static void say_page(struct exchange *x, int status, const char *mime, const char *text)
{
    say(x, status, "%s", text);
    x->mime = mime;
}

void say_model(struct exchange *x, struct task *t)
{
    bytes_free(&x->out);
    x->status = 200;
    x->mime = "model/gltf-binary";
    t->fetches++;
    x->p->fetches++;
    if (spoils(x, t, "web_page", t->fetches)) {
        say_page(x, 200, "text/html", "<html><body>502 Bad Gateway</body></html>");
        return;
    }
    if (x->sim->model.len)
        put(&x->out, x->sim->model.data, x->sim->model.len);
    else
        make_model(&x->out, t->id);
    if (spoils(x, t, "half_model", t->fetches))
        x->out.len /= 2;
    if (spoils(x, t, "truncated", t->fetches)) {
        x->claimed = x->out.len;
        x->out.len /= 3;
    }
    if (spoils(x, t, "oversized", t->fetches))
        x->claimed = (uint64_t)1 << 40;
}

static void say_gone(struct exchange *x)
{
    bool replicate = strcmp(x->p->protocol->id, "replicate") == 0;
    if (replicate)
        say_page(x, 404, "text/plain; charset=utf-8", "Not Found");
    else
        say_page(x, 403, "text/xml",
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code>"
                 "<Message>Request has expired</Message></Error>");
}

/* TASK/NUMBER OF THE ADDRESS/model.glb */
void serve_result(struct exchange *x, const char *rest)
{
    char id[64];
    const char *slash = strchr(rest, '/');
    snprintf(id, sizeof id, "%.*s", (int)strcspn(rest, "/"), rest);
    struct task *t = task_find(x->p, id);
    int address = slash ? atoi(slash + 1) : 0;
    if (!t || address < 1 || address > t->addresses || task_phase(x->sim, x->p, t) != PHASE_DONE ||
        spoils(x, t, "expired", address)) {
        say_gone(x);
        return;
    }
    if (spoils(x, t, "redirect_inside", t->fetches + 1)) {
        say_page(x, 302, "text/plain", "");
        snprintf(x->location, sizeof x->location, "http://169.254.169.254/latest/meta-data/");
        return;
    }
    say_model(x, t);
}
