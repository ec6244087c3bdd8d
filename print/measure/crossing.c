/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Triangles that meet one another: the tree against itself down to pairs of triangles whose boxes
 * touch, then the exact test. The work is cut into the same tasks for any number of threads. */
#include "print/measure/bvh.h"

#include <stdlib.h>
#include <string.h>

#define FEW 20000 /* triangles: below this one thread is as fast, and faster on a busy machine */
#define TASKS 2048
#define TASK_SHARE 64 /* one task may use up a 64th of max_tests */

struct node_pair {
    uint32_t one, two;
};

/* A triangle's box with the number of the triangle, laid out as a node's. */
struct triangle_box {
    float low[3];
    uint32_t triangle;
    float high[3];
    uint32_t dirty;
};

struct crossing {
    const struct bvh *bvh;
    const struct bvh_pair_options *options;
    struct triangle_box *boxes; /* by place in the tree */
    uint8_t *dirty;             /* per node: something dirty below */
    uint8_t *crossed;           /* per triangle, when pairs are not asked for */
    struct node_pair *tasks;
    size_t task_count;
    size_t task_tests; /* how many a task may do */
};

/* What one task found. */
struct finds {
    uint32_t (*pair)[2];
    size_t count, room, tests;
    bool no_memory;
};

typedef float four __attribute__((vector_size(16)));
typedef int32_t four_int __attribute__((vector_size(16)));

/* Boxes as six floats with a fourth lane of anything behind each three. */
static inline bool boxes_touch(const float *a_low, const float *a_high, const float *b_low,
                               const float *b_high)
{
    four al, ah, bl, bh;
    memcpy(&al, a_low, sizeof al);
    memcpy(&ah, a_high, sizeof ah);
    memcpy(&bl, b_low, sizeof bl);
    memcpy(&bh, b_high, sizeof bh);
    four_int in = (al <= bh) & (bl <= ah);
    return in[0] & in[1] & in[2];
}

static bool nodes_touch(const struct crossing *c, uint32_t one, uint32_t two)
{
    const struct bvh_node *a = &c->bvh->nodes[one], *b = &c->bvh->nodes[two];
    return (!c->dirty || c->dirty[one] || c->dirty[two]) &&
           boxes_touch(a->low, a->high, b->low, b->high);
}

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

static void test_pair(const struct crossing *c, struct finds *f, uint32_t i, uint32_t j)
{
    uint32_t one = c->boxes[i].triangle, two = c->boxes[j].triangle;
    f->tests++;
    if (c->crossed && __atomic_load_n(&c->crossed[one], __ATOMIC_RELAXED) &&
        __atomic_load_n(&c->crossed[two], __ATOMIC_RELAXED))
        return;
    enum exact_meeting how = exact_triangles(&c->bvh->corners[i], &c->bvh->corners[j]);
    if (how == EXACT_APART || (how == EXACT_COPIES && !c->options->copies))
        return;
    if (!c->crossed) {
        keep_pair(f, one, two);
        return;
    }
    __atomic_store_n(&c->crossed[one], 1, __ATOMIC_RELAXED);
    __atomic_store_n(&c->crossed[two], 1, __ATOMIC_RELAXED);
}

static void leaves_meet(const struct crossing *c, struct finds *f, const struct bvh_node *a,
                        const struct bvh_node *b)
{
    for (uint32_t i = a->first; i < a->first + a->count; i++) {
        const struct triangle_box *one = &c->boxes[i];
        if (!boxes_touch(one->low, one->high, b->low, b->high))
            continue;
        for (uint32_t j = a == b ? i + 1 : b->first; j < b->first + b->count; j++) {
            const struct triangle_box *two = &c->boxes[j];
            if (boxes_touch(one->low, one->high, two->low, two->high) && (one->dirty | two->dirty))
                test_pair(c, f, i, j);
        }
    }
}

/* The pairs of nodes that this one falls into; how many there are. */
static int open_pair(struct node_pair out[3], const struct crossing *c, struct node_pair p)
{
    const struct bvh_node *a = &c->bvh->nodes[p.one], *b = &c->bvh->nodes[p.two];
    if (p.one == p.two) {
        out[0] = (struct node_pair){a->first, a->first};
        out[1] = (struct node_pair){a->first + 1, a->first + 1};
        out[2] = (struct node_pair){a->first, a->first + 1};
        return 3;
    }
    bool open_one = b->count || (!a->count && p.one < p.two);
    for (uint32_t i = 0; i < 2; i++)
        out[i] = open_one ? (struct node_pair){a->first + i, p.two}
                          : (struct node_pair){p.one, b->first + i};
    return 2;
}

/* Depth is at most twice that of the tree. */
static void nodes_meet(const struct crossing *c, struct finds *f, struct node_pair p)
{
    if (f->tests > c->task_tests || f->no_memory || !nodes_touch(c, p.one, p.two))
        return;
    const struct bvh_node *a = &c->bvh->nodes[p.one], *b = &c->bvh->nodes[p.two];
    if (a->count && b->count) {
        leaves_meet(c, f, a, b);
        return;
    }
    struct node_pair below[3];
    int count = open_pair(below, c, p);
    for (int i = 0; i < count; i++)
        nodes_meet(c, f, below[i]);
}

/* Opens pairs of nodes, widest first, until there are tasks enough. */
static int make_tasks(struct crossing *c)
{
    size_t room = TASKS + 4, first = 0, end = 1;
    struct node_pair *queue = malloc(2 * room * sizeof *queue);
    if (!queue)
        return -1;
    queue[0] = (struct node_pair){0, 0};
    while (first < end && end - first + 3 <= TASKS && end + 3 <= 2 * room) {
        struct node_pair p = queue[first];
        if (c->bvh->nodes[p.one].count && c->bvh->nodes[p.two].count)
            break;
        first++;
        if (nodes_touch(c, p.one, p.two))
            end += (size_t)open_pair(queue + end, c, p);
    }
    c->task_count = end - first;
    c->tasks = malloc((c->task_count + 1) * sizeof *c->tasks);
    if (c->tasks)
        memcpy(c->tasks, queue + first, c->task_count * sizeof *queue);
    free(queue);
    return c->tasks ? 0 : -1;
}

static void fit_boxes(struct crossing *c)
{
    const uint8_t *dirty = c->options->dirty;
#pragma omp parallel for schedule(static) if (c->bvh->mesh->triangle_count > FEW)
    for (size_t i = 0; i < c->bvh->mesh->triangle_count; i++) {
        const struct exact_triangle *t = &c->bvh->corners[i];
        struct triangle_box *box = &c->boxes[i];
        box->triangle = c->bvh->order[i];
        box->dirty = dirty ? dirty[box->triangle] : 1;
        for (int k = 0; k < 3; k++) {
            float x = t->at[0][k], y = t->at[1][k], z = t->at[2][k];
            float low = x < y ? x : y, high = x < y ? y : x;
            box->low[k] = z < low ? z : low;
            box->high[k] = z > high ? z : high;
        }
    }
}

/* Children have larger numbers than their parent. */
static void mark_dirty_nodes(struct crossing *c)
{
    for (size_t i = c->bvh->node_count; i-- > 0;) {
        const struct bvh_node *node = &c->bvh->nodes[i];
        c->dirty[i] = 0;
        for (uint32_t j = 0; j < node->count; j++)
            c->dirty[i] |= (uint8_t)c->boxes[node->first + j].dirty;
        if (!node->count)
            c->dirty[i] = c->dirty[node->first] | c->dirty[node->first + 1];
    }
}

static int crossing_open(struct crossing *c)
{
    c->boxes = malloc((c->bvh->mesh->triangle_count + 1) * sizeof *c->boxes);
    if (!c->boxes)
        return -1;
    fit_boxes(c);
    if (c->options->dirty) {
        c->dirty = malloc(c->bvh->node_count);
        if (!c->dirty)
            return -1;
        mark_dirty_nodes(c);
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
            nodes_meet(c, &finds[i], c->tasks[i]);
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
    struct crossing c = {.bvh = bvh, .options = options, .crossed = crossed};
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
    free(c.boxes);
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
