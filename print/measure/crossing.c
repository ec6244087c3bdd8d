/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Triangles that meet one another: the tree against itself down to pairs of triangles whose boxes
 * touch, then the exact test. The work is cut into the same tasks for any number of threads. */
#include <stdlib.h>
#include <string.h>

#include "print/measure/boxes.h"
#include "print/measure/stars.h"

#define FEW 20000 /* triangles: below this one thread is as fast, and faster on a busy machine */
#define TASKS 512
#define TASK_SHARE 64 /* one task may use up a 64th of max_tests */

struct node_pair {
    uint32_t one, two;
};

/* The corners of four triangles; what is no flat star has a number that nothing else has. */
struct corners_four {
    four_int id[3];
};

struct crossing {
    const struct bvh *bvh;
    const struct bvh_pair_options *options;
    const struct boxes *boxes;
    struct corners_four *corners; /* by node of level 0 */
    uint8_t *dirty;               /* per node, the levels one after the other: bit i for box i */
    uint8_t *crossed;             /* per triangle, when pairs are not asked for */
    struct node_pair *tasks;
    int task_level;
    size_t task_count;
    size_t task_tests; /* how many a task may do */
    struct err *err;
};

/* What one task found. */
struct finds {
    uint32_t (*pair)[2];
    size_t count, room, tests;
    bool no_memory;
};

static void keep_pair(struct finds *f, uint32_t a, uint32_t b)
{
    if (f->count == f->room) {
        size_t room = f->room ? 2 * f->room : 64;
        void *grown = realloc(f->pair, room * sizeof *f->pair);
        if (!grown) {
            f->no_memory = true;
            return;
        }
        f->pair = grown;
        f->room = room;
    }
    f->pair[f->count][0] = a < b ? a : b;
    f->pair[f->count++][1] = a < b ? b : a;
}

/* Bit j: triangle i of a and triangle j of b have a flat star in common, so nothing more can be. */
static inline unsigned side_by_side(const struct corners_four *a, int i,
                                    const struct corners_four *b)
{
    four_int equal = (four_int){0};
    for (int k = 0; k < 3; k++)
        for (int l = 0; l < 3; l++)
            equal |= a->id[k][i] == b->id[l];
    return four_bits(equal);
}

static struct exact_triangle triangle_at(const struct bvh *bvh, size_t place)
{
    struct exact_triangle t;
    const uint32_t *corner = bvh->mesh->triangles + 3 * (size_t)bvh->order[place];
    memcpy(t.at, bvh->corners[place].at, sizeof t.at);
    memcpy(t.corner, corner, sizeof t.corner);
    return t;
}

static void test_pair(const struct crossing *c, struct finds *f, size_t i, size_t j)
{
    uint32_t one = c->bvh->order[i], two = c->bvh->order[j];
    if (c->crossed && __atomic_load_n(&c->crossed[one], __ATOMIC_RELAXED) &&
        __atomic_load_n(&c->crossed[two], __ATOMIC_RELAXED))
        return;
    struct exact_triangle a = triangle_at(c->bvh, i), b = triangle_at(c->bvh, j);
    enum exact_meeting how = exact_triangles(&a, &b);
    if (how == EXACT_APART || (how == EXACT_COPIES && !c->options->copies))
        return;
    if (!c->crossed) {
        keep_pair(f, one, two);
        return;
    }
    __atomic_store_n(&c->crossed[one], 1, __ATOMIC_RELAXED);
    __atomic_store_n(&c->crossed[two], 1, __ATOMIC_RELAXED);
}

static inline unsigned dirty_of(const struct crossing *c, int level, size_t node)
{
    return c->dirty[(size_t)(c->boxes->level[level] - c->boxes->nodes) + node];
}

/* Bit 4 i + j: box i of node one and box j of node two have to do with one another; of a node with
 * itself each pair once, and no triangle with itself. */
static inline unsigned boxes_below(const struct crossing *c, int level, struct node_pair p)
{
    const struct boxes_four *nodes = c->boxes->level[level];
    unsigned in = 0;
    for (int i = 0; i < 4; i++)
        in |= boxes_touch(&nodes[p.one], i, &nodes[p.two]) << 4 * i;
    if (p.one == p.two)
        in &= level ? 0x8cef : 0x08ce;
    if (c->dirty) {
        unsigned one = dirty_of(c, level, p.one), rows = 0;
        for (unsigned i = 0; i < 4; i++)
            rows |= (one >> i & 1) * 15u << 4 * i;
        in &= rows | dirty_of(c, level, p.two) * 0x1111u;
    }
    return in;
}

static inline struct node_pair pair_below(struct node_pair p, unsigned in)
{
    unsigned at = (unsigned)__builtin_ctz(in);
    return (struct node_pair){4 * p.one + at / 4, 4 * p.two + at % 4};
}

/* Of sixteen: the builtin is a call where the processor need not know the instruction. */
static inline unsigned count_bits(unsigned x)
{
    x -= x >> 1 & 0x5555;
    x = (x & 0x3333) + (x >> 2 & 0x3333);
    return ((x + (x >> 4)) & 0x0f0f) * 0x0101 >> 8 & 31;
}

static void leaves_meet(const struct crossing *c, struct finds *f, struct node_pair p)
{
    unsigned in = boxes_below(c, 0, p), known = 0;
    if (!in)
        return;
    f->tests += count_bits(in);
    for (int i = 0; i < 4; i++)
        known |= side_by_side(&c->corners[p.one], i, &c->corners[p.two]) << 4 * i;
    for (in &= ~known; in; in &= in - 1) {
        struct node_pair t = pair_below(p, in);
        test_pair(c, f, t.one, t.two);
    }
}

static void nodes_meet(const struct crossing *c, struct finds *f, int level, struct node_pair p)
{
    if (level == 0) {
        leaves_meet(c, f, p);
        return;
    }
    if (f->tests > c->task_tests || f->no_memory)
        return;
    for (unsigned in = boxes_below(c, level, p); in; in &= in - 1)
        nodes_meet(c, f, level - 1, pair_below(p, in));
}

/* Replaces the tasks by those one level below. */
static int open_tasks(struct crossing *c)
{
    struct node_pair *below = malloc(16 * c->task_count * sizeof *below);
    size_t count = 0;
    if (!below)
        return -1;
    for (size_t t = 0; t < c->task_count; t++)
        for (unsigned in = boxes_below(c, c->task_level, c->tasks[t]); in; in &= in - 1)
            below[count++] = pair_below(c->tasks[t], in);
    free(c->tasks);
    c->tasks = below;
    c->task_count = count;
    c->task_level--;
    return 0;
}

static int make_tasks(struct crossing *c)
{
    c->tasks = calloc(1, sizeof *c->tasks);
    c->task_level = c->boxes->levels - 1;
    c->task_count = 1;
    if (!c->tasks)
        return -1;
    while (c->task_level > 0 && c->task_count > 0 && c->task_count < TASKS)
        if (open_tasks(c))
            return -1;
    return 0;
}

static int number_corners(struct crossing *c)
{
    const size_t n = c->bvh->mesh->triangle_count, nodes = c->boxes->count[0];
    const uint32_t *triangles = c->bvh->mesh->triangles;
    uint8_t *flat = malloc(c->bvh->mesh->vertex_count + 1);
    c->corners = malloc(nodes * sizeof *c->corners);
    if (!flat || !c->corners || stars_flat(flat, c->bvh->mesh, c->err)) {
        free(flat);
        return -1;
    }
#pragma omp parallel for schedule(static) if (n > FEW)
    for (size_t node = 0; node < nodes; node++)
        for (size_t i = 0; i < 4; i++) {
            size_t at = 4 * node + i;
            const uint32_t *v = at < n ? triangles + 3 * (size_t)c->bvh->order[at] : NULL;
            for (size_t k = 0; k < 3; k++)
                c->corners[node].id[k][i] =
                    (int32_t)(v && flat[v[k]] ? v[k] : UINT32_MAX - (3 * at + k));
        }
    free(flat);
    return 0;
}

static void mark_dirty(struct crossing *c)
{
    const size_t n = c->bvh->mesh->triangle_count;
    uint8_t *at = c->dirty, *below = NULL;
    for (int level = 0; level < c->boxes->levels; level++) {
        size_t count = c->boxes->count[level], under = level ? c->boxes->count[level - 1] : n;
        for (size_t i = 0; i < count; i++) {
            at[i] = 0;
            for (size_t k = 0; k < 4 && 4 * i + k < under; k++) {
                bool set = level ? below[4 * i + k] != 0
                                 : c->options->dirty[c->bvh->order[4 * i + k]] != 0;
                at[i] |= (uint8_t)(set << k);
            }
        }
        below = at;
        at += count;
    }
}

static int crossing_open(struct crossing *c)
{
    if (number_corners(c))
        return -1;
    if (c->options->dirty) {
        const struct boxes *b = c->boxes;
        size_t last = (size_t)(b->level[b->levels - 1] - b->nodes);
        c->dirty = malloc(last + 1);
        if (!c->dirty)
            return -1;
        mark_dirty(c);
    }
    c->task_tests = c->options->max_tests / TASK_SHARE;
    return make_tasks(c);
}

/* In rounds of as many tasks as may use up max_tests, so that where it ends does not depend on the
 * threads. */
static bool run_tasks(const struct crossing *c, struct finds *finds, struct bvh_pairs *out)
{
    size_t tests = 0, pairs = 0, max_pairs = c->options->max_pairs;
    bool no_memory = false;
    bool threads = c->bvh->mesh->triangle_count > FEW;
    for (size_t from = 0; from < c->task_count && !out->gave_up; from += TASK_SHARE) {
        size_t end = from + TASK_SHARE < c->task_count ? from + TASK_SHARE : c->task_count;
#pragma omp parallel for schedule(dynamic, 1) if (threads)
        for (size_t i = from; i < end; i++)
            nodes_meet(c, &finds[i], c->task_level, c->tasks[i]);
        for (size_t i = from; i < end; i++) {
            tests += finds[i].tests;
            pairs += finds[i].count;
            no_memory |= finds[i].no_memory;
            out->gave_up |= finds[i].tests > c->task_tests;
        }
        out->gave_up |= tests > c->options->max_tests || (max_pairs && pairs > max_pairs);
    }
    out->tests = tests;
    return no_memory;
}

static int in_order(const void *a, const void *b)
{
    const uint32_t *p = a, *q = b;
    if (p[0] != q[0])
        return p[0] < q[0] ? -1 : 1;
    return (p[1] > q[1]) - (p[1] < q[1]);
}

static int gather(struct bvh_pairs *out, const struct finds *finds, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += finds[i].count;
    out->pair = malloc((total + 1) * sizeof *out->pair);
    if (!out->pair)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (finds[i].count)
            memcpy(out->pair + out->count, finds[i].pair, finds[i].count * sizeof *out->pair);
        out->count += finds[i].count;
    }
    qsort(out->pair, total, sizeof *out->pair, in_order);
    return 0;
}

/* Lists pairs into out, or marks what meets in crossed when that is given. */
static int look(struct bvh_pairs *out, uint8_t *crossed, const struct bvh *bvh,
                const struct bvh_pair_options *options, struct err *err)
{
    struct crossing c = {
        .bvh = bvh, .boxes = bvh->boxes, .options = options, .crossed = crossed, .err = err};
    struct finds *finds = NULL;
    int failed = crossing_open(&c);
    if (!failed) {
        finds = calloc(c.task_count + 1, sizeof *finds);
        failed =
            !finds || run_tasks(&c, finds, out) || (!crossed && gather(out, finds, c.task_count));
    }
    for (size_t i = 0; finds && i < c.task_count; i++)
        free(finds[i].pair);
    free(finds);
    free(c.tasks);
    free(c.dirty);
    free(c.corners);
    return failed ? FAIL(err, ERR_LIMIT, "no memory for pairs of %zu triangles",
                         bvh->mesh->triangle_count)
                  : 0;
}

int bvh_meeting_pairs(struct bvh_pairs *out, const struct bvh *bvh,
                      const struct bvh_pair_options *options, struct err *err)
{
    struct bvh_pairs made = {0};
    if (bvh->mesh->triangle_count && look(&made, NULL, bvh, options, err)) {
        bvh_pairs_free(&made);
        return -1;
    }
    *out = made;
    return 0;
}

void bvh_pairs_free(struct bvh_pairs *pairs)
{
    if (!pairs)
        return;
    free(pairs->pair);
    *pairs = (struct bvh_pairs){0};
}

int bvh_self_intersections(const struct bvh *bvh, size_t *count, size_t max_tests, struct err *err)
{
    size_t n = bvh->mesh->triangle_count;
    struct bvh_pair_options options = {.max_tests = max_tests, .copies = true};
    struct bvh_pairs none = {0};
    uint8_t *crossed = calloc(n + 1, 1);
    if (!crossed)
        return FAIL(err, ERR_LIMIT, "no memory for crossings of %zu triangles", n);
    int failed = n ? look(&none, crossed, bvh, &options, err) : 0;
    *count = 0;
    for (size_t i = 0; i < n; i++)
        *count += crossed[i];
    free(crossed);
    return failed;
}
