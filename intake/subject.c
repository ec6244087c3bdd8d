/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the subject of a photo: alpha where the file has some, else what the border's colours do
 * not explain, refined by colour models of subject and background in turn. Called by photo.c. */
#include "intake/subject.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "intake/subject_parts.h"

#define WORK_SIDE 320

/* Costs of likely colours lie near -10; from here on a colour is not the border's. */
#define BORDER_LIKE (-3.0)

struct work {
    struct small_photo photo;
    float *saliency, *cost, *cut;
    uint8_t *subject, *background, *scratch;
    struct colour_model of_subject, of_background;
};

static void work_free(struct work *work)
{
    free(work->photo.lab);
    free(work->saliency);
    free(work->subject);
}

static int work_make(struct work *work, const struct picture *photo, struct err *err)
{
    if (small_photo_make(&work->photo, photo, WORK_SIDE, err))
        return -1;
    size_t n = (size_t)work->photo.width * work->photo.height;
    work->saliency = calloc(n * 3, sizeof *work->saliency);
    work->subject = calloc(n * 3, 1);
    if (!work->saliency || !work->subject)
        return FAIL(err, ERR_LIMIT, "no memory to find the subject");
    work->cost = work->saliency + n;
    work->cut = work->saliency + 2 * n;
    work->background = work->subject + n;
    work->scratch = work->subject + 2 * n;
    return 0;
}

/* The threshold that splits values 0..1 best into two (Otsu 1979). */
static double threshold_between(const float *value, size_t n)
{
    double count[64] = {0}, total = 0, below = 0, sum_below = 0, best = 0, at = 0.5;
    for (size_t i = 0; i < n; i++) {
        int bin = (int)(fminf(value[i], 0.999f) * 64);
        count[bin] += 1;
        total += bin;
    }
    for (int k = 0; k < 63; k++) {
        below += count[k];
        sum_below += k * count[k];
        if (below == 0 || below == n)
            continue;
        double difference = sum_below / below - (total - sum_below) / (n - below);
        double between = below * (n - below) * difference * difference;
        if (between > best) {
            best = between;
            at = (k + 1) / 64.0;
        }
    }
    return at;
}

/* A subject often runs out of the picture at the bottom (a bust, a sitting dog), seldom elsewhere:
 * the background is learnt from three sides, and from the bottom only what looks like those. */
static void border_choose(struct work *work)
{
    int w = work->photo.width, h = work->photo.height, strip = 1 + (w < h ? w : h) / 40;
    uint8_t *chosen = work->background;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            chosen[(size_t)y * w + x] = x < strip || y < strip || x >= w - strip;
    colour_model_fit(&work->of_background, &work->photo, chosen, work->scratch);
    for (int y = h - strip; y < h; y++)
        for (int x = 0; x < w; x++) {
            size_t i = (size_t)y * w + x;
            double cost = colour_model_cost(&work->of_background, work->photo.lab + 3 * i);
            chosen[i] = chosen[i] || cost < BORDER_LIKE;
        }
}

static float high_value(const float *value, size_t n)
{
    size_t count[256] = {0}, seen = 0;
    float top = 1e-6f;
    for (size_t i = 0; i < n; i++)
        top = fmaxf(top, value[i]);
    for (size_t i = 0; i < n; i++)
        count[(int)(255 * value[i] / top)]++;
    int k = 255;
    while (k > 0 && (seen += count[k]) < n / 50)
        k--;
    return top * (float)(k + 1) / 256;
}

/*
 * Saliency 0..1: half how far a pixel's colour lies from the border's colours, half how high a
 * barrier stands between it and the border, a little less towards the picture's corners.
 * Result   1 when nothing stands out at all, else 0.
 */
static int saliency_measure(struct work *work, struct err *err)
{
    int w = work->photo.width, h = work->photo.height;
    size_t n = (size_t)w * h;
    border_choose(work);
    colour_model_fit(&work->of_background, &work->photo, work->background, work->scratch);
    if (barrier_from_seeds(work->saliency, &work->photo, work->background, err))
        return -1;
    float barrier = high_value(work->saliency, n);
    if (barrier < 0.05f)
        return 1;
#pragma omp parallel for schedule(static)
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            size_t i = (size_t)y * w + x;
            double cost = colour_model_cost(&work->of_background, work->photo.lab + 3 * i);
            double odd = 1 - exp(-fmax(0, cost + 5) / 8);
            double u = (x + 0.5) / w * 2 - 1, v = (y + 0.5) / h * 2 - 1;
            double below = v > 0 ? 0.2 : 1; /* see border_choose */
            double central = exp(-0.8 * (u * u * u * u + below * v * v * v * v));
            double high = fmin(1, work->saliency[i] / barrier);
            work->saliency[i] = (float)fmin(1, (0.5 * odd + 0.5 * high) * central);
        }
    return 0;
}

static void models_fit(struct work *work, double threshold, bool from_cut)
{
    size_t n = (size_t)work->photo.width * work->photo.height;
    for (size_t i = 0; i < n; i++) {
        bool in = from_cut ? work->cut[i] > 0.5f : work->saliency[i] > threshold;
        work->subject[i] = in;
        work->background[i] = !in;
    }
    colour_model_fit(&work->of_subject, &work->photo, work->subject, work->scratch);
    colour_model_fit(&work->of_background, &work->photo, work->background, work->scratch);
}

/* Negative where a pixel is rather subject. The saliency stays in as a memory of the place. */
static void costs_measure(struct work *work, double threshold)
{
    size_t n = (size_t)work->photo.width * work->photo.height;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        const float *lab = work->photo.lab + 3 * i;
        double difference = colour_model_cost(&work->of_subject, lab) -
                            colour_model_cost(&work->of_background, lab);
        double colour = 4 * tanh(difference / 4);
        double place = 4 * tanh(3 * (threshold - work->saliency[i]) / fmax(threshold, 0.1));
        work->cost[i] = (float)(0.35 * (colour + place));
    }
}

static int cut_refine(struct work *work, struct err *err)
{
    size_t n = (size_t)work->photo.width * work->photo.height;
    double threshold = threshold_between(work->saliency, n);
    for (size_t i = 0; i < n; i++)
        work->cut[i] = work->saliency[i] > threshold;
    for (int round = 0; round < 4; round++) {
        models_fit(work, threshold, round > 0);
        if (!work->of_subject.count || !work->of_background.count)
            return 0;
        costs_measure(work, threshold);
        if (cut_by_total_variation(work->cut, work->cost, &work->photo, 120, err))
            return -1;
    }
    for (size_t i = 0; i < n; i++)
        work->subject[i] = work->cut[i] > 0.5f;
    if (mask_tidy(work->subject, work->photo.width, work->photo.height, err))
        return -1;
    for (size_t i = 0; i < n; i++) /* what tidying took or gave is no longer soft */
        if (work->subject[i] != (work->cut[i] > 0.5f))
            work->cut[i] = work->subject[i];
    return 0;
}

/* Mean colour step across the outline, in Oklab; 0.1 is plain to see. */
static double outline_contrast(const struct work *work)
{
    int w = work->photo.width, h = work->photo.height, reach = 3;
    double sum = 0, count = 0;
    for (int y = reach; y < h - reach; y++)
        for (int x = reach; x < w - reach; x++)
            for (int down = 0; down < 2; down++) {
                size_t i = (size_t)y * w + x, next = i + (down ? (size_t)w : 1);
                if (work->subject[i] == work->subject[next])
                    continue;
                size_t off = (size_t)(reach - 1) * (down ? (size_t)w : 1);
                const float *a = work->photo.lab + 3 * (i - off);
                const float *b = work->photo.lab + 3 * (next + off);
                double d0 = a[0] - b[0], d1 = a[1] - b[1], d2 = a[2] - b[2];
                sum += sqrt(d0 * d0 + d1 * d1 + d2 * d2);
                count += 1;
            }
    return count ? sum / count : 0;
}

static double models_agree(const struct work *work)
{
    size_t n = (size_t)work->photo.width * work->photo.height;
    double right = 0;
    for (size_t i = 0; i < n; i++)
        right += (work->cost[i] < 0) == (work->subject[i] != 0);
    return right / (double)n;
}

static void measure(struct subject *out, uint32_t w, uint32_t h)
{
    double sum = 0, touch[4] = {0};
    for (size_t i = 0; i < (size_t)w * h; i++)
        sum += out->mask[i];
    out->share = sum / 255 / ((double)w * h);
    for (uint32_t x = 0; x < w; x++) {
        touch[0] += out->mask[x] > 127;
        touch[2] += out->mask[(size_t)(h - 1) * w + x] > 127;
    }
    for (uint32_t y = 0; y < h; y++) {
        touch[3] += out->mask[(size_t)y * w] > 127;
        touch[1] += out->mask[(size_t)y * w + w - 1] > 127;
    }
    for (int k = 0; k < 4; k++)
        out->border_share[k] = touch[k] / (k % 2 ? h : w);
}

static void confidence_set(struct subject *out, const struct work *work)
{
    double frame = (out->border_share[0] + out->border_share[1] + out->border_share[3]) / 3;
    double contrast = 1 - exp(-outline_contrast(work) / 0.07);
    double size = fmin(1, out->share / 0.03) * fmin(1, (1 - out->share) / 0.15);
    double agree = fmax(0, 2 * models_agree(work) - 1);
    out->confidence = contrast * agree * size * (1 - 0.7 * frame);
    if (out->share < 0.003 || out->share > 0.985 || out->confidence < 0.02) {
        out->share = out->confidence = 0;
        memset(out->border_share, 0, sizeof out->border_share);
    }
}

static int find_by_colour(struct subject *out, const struct picture *photo, struct err *err)
{
    struct work work = {0};
    int result = work_make(&work, photo, err);
    if (!result)
        result = saliency_measure(&work, err);
    if (result == 0)
        result = cut_refine(&work, err);
    if (result == 0)
        result = mask_enlarge(out->mask, work.cut, &work.photo, photo, err);
    if (result == 0) {
        measure(out, photo->width, photo->height);
        confidence_set(out, &work);
    }
    work_free(&work);
    size_t n = (size_t)photo->width * photo->height;
    if (result >= 0 && out->share == 0)
        memset(out->mask, 0, n);
    return result < 0 ? -1 : 0;
}

/* Transparency counts when a person cut it out: both clear and solid pixels in good number. */
static bool find_by_alpha(struct subject *out, const struct picture *photo)
{
    size_t n = (size_t)photo->width * photo->height, clear = 0, solid = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t alpha = photo->rgba[4 * i + 3];
        out->mask[i] = alpha;
        clear += alpha < 64;
        solid += alpha > 191;
    }
    if (clear < n / 200 || solid < n / 400)
        return false;
    measure(out, photo->width, photo->height);
    out->from_alpha = true;
    out->confidence = fmin(1, (double)(clear + solid) / (double)n);
    return true;
}

int subject_find(struct subject *out, const struct picture *photo, bool has_alpha, struct err *err)
{
    memset(out, 0, sizeof *out);
    size_t n = (size_t)photo->width * photo->height;
    if (!n)
        return FAIL(err, ERR_INPUT, "the picture is empty");
    out->mask = calloc(n, 1);
    if (!out->mask)
        return FAIL(err, ERR_LIMIT, "no memory for the subject's mask");
    if (has_alpha && find_by_alpha(out, photo))
        return 0;
    if (find_by_colour(out, photo, err)) {
        subject_free(out);
        return -1;
    }
    return 0;
}

void subject_free(struct subject *subject)
{
    if (!subject)
        return;
    free(subject->mask);
    *subject = (struct subject){0};
}
