/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every photo of the shared corpus, good and hostile, gives a normalised picture or a typed
 * refusal. Says the outcome by folder. Skipped where the corpus is not at hand.
 */
#include <dirent.h>
#include <unistd.h>

#include "base/clock.h"
#include "intake/photo.h"
#include "tests/test.h"

#define SLOWEST_S 30 /* far above the slowest seen (1.3 s under ASan), far below a hang */

static struct err err;

struct tally {
    int files, normalised, transparent;
    char codes[8][32];
    int counts[8];
    double slowest_s;
};

static const char *corpus(void)
{
    static char path[512];
    const char *shared = getenv("STATUETTE_SHARED");
    snprintf(path, sizeof path, "%s/corpus/photos", shared && *shared ? shared : "../shared");
    return access(path, R_OK) == 0 ? path : NULL;
}

static void count_refusal(struct tally *tally, const char *code)
{
    int i = 0;
    while (i < 7 && tally->counts[i] && strcmp(tally->codes[i], code) != 0)
        i++;
    snprintf(tally->codes[i], sizeof tally->codes[i], "%s", code);
    tally->counts[i]++;
}

static const char *fault_of(const struct photo *photo)
{
    const struct picture *p = &photo->pixels;
    if (!p->rgba || p->width == 0 || p->height == 0)
        return "no pixels";
    if (p->width > PHOTO_LONGEST_SIDE || p->height > PHOTO_LONGEST_SIDE)
        return "larger than the longest side";
    if (!photo->cutout.rgba || photo->cutout.width != p->width || photo->cutout.height != p->height)
        return "no cut-out of the same size";
    if (!photo->report || !*json_text(photo->report, "verdict", ""))
        return "no verdict";
    return NULL;
}

static const char *encode_fault(const struct photo *photo)
{
    struct bytes file = {0};
    const char *mime, *fault = NULL;
    if (photo_encode_for_provider(&file, &mime, photo, &err))
        fault = "cannot be encoded";
    else if (file.len == 0 || file.len > 4000000)
        fault = "is encoded over 4 MB";
    bytes_free(&file);
    return fault;
}

static bool is_typed(void)
{
    return (err.kind == ERR_INPUT || err.kind == ERR_LIMIT) && strncmp(err.code, "photo_", 6) == 0;
}

static void read_one(struct tally *tally, const char *path, const char *name)
{
    struct bytes file = {0};
    struct photo photo;
    double start = clock_s();
    CHECK_OK(bytes_read_file(&file, path, &err));
    memset(&err, 0, sizeof err);
    int failed = photo_read(&photo, file.data, file.len, &err);
    bytes_free(&file);
    tally->files++;
    if (failed && !is_typed())
        TEST_GIVE_UP("%.100s: untyped refusal %s: %.150s", name, err_kind_name(err.kind), err.what);
    if (failed) {
        count_refusal(tally, err.code);
    } else {
        const char *fault = fault_of(&photo);
        if (!fault)
            fault = encode_fault(&photo);
        tally->normalised++;
        tally->transparent += photo.has_alpha;
        if (getenv("PHOTO_CORPUS_VERBOSE")) {
            char *text = cJSON_PrintUnformatted(photo.report);
            printf("# %s %s\n", name, text);
            free(text);
        }
        photo_free(&photo);
        if (fault)
            TEST_GIVE_UP("%s: %s", name, fault);
    }
    if (failed && getenv("PHOTO_CORPUS_VERBOSE"))
        printf("# %s refused: %s %s\n", name, err.code, err.what);
    double seconds = clock_s() - start;
    tally->slowest_s = seconds > tally->slowest_s ? seconds : tally->slowest_s;
    if (seconds > SLOWEST_S)
        TEST_GIVE_UP("%s: took %.1f s", name, seconds);
}

static void read_folder(const char *folder, int least)
{
    struct tally tally = {0};
    char path[1024];
    const char *root = corpus();
    if (!root)
        SKIP("no photo corpus");
    snprintf(path, sizeof path, "%s/%s", root, folder);
    DIR *dir = opendir(path);
    CHECK(dir);
    struct dirent *entry;
    while (!*test_failure && (entry = readdir(dir)))
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s/%s", root, folder, entry->d_name);
            read_one(&tally, path, entry->d_name);
        }
    closedir(dir);
    printf("# %s: %d files, %d normalised (%d with transparency)", folder, tally.files,
           tally.normalised, tally.transparent);
    for (int i = 0; i < 8 && tally.counts[i]; i++)
        printf(", %d %s", tally.counts[i], tally.codes[i]);
    printf(", slowest %.2f s\n", tally.slowest_s);
    if (!*test_failure && tally.normalised < least)
        TEST_GIVE_UP("%s: only %d of %d were normalised", folder, tally.normalised, tally.files);
}

static void test_corpus__real_photos_are_all_taken(void)
{
    read_folder("real", 45);
}

static void test_corpus__orientation_samples_are_all_taken(void)
{
    read_folder("exif", 27);
}

/* Mean difference of two pictures of one size, 0..255; -1 when the sizes differ. */
static double difference(const struct picture *a, const struct picture *b)
{
    double sum = 0;
    size_t n = (size_t)a->width * a->height * 4;
    if (a->width != b->width || a->height != b->height)
        return -1;
    for (size_t i = 0; i < n; i++)
        sum += abs(a->rgba[i] - b->rgba[i]);
    return sum / (double)n;
}

/* One scene saved in all eight ways must come out the same way up (but for its number and noise).
 * An orientation that is forgotten, or applied twice, differs by 40 and more. */
static void test_corpus__one_scene_in_eight_orientations_is_one_picture(void)
{
    struct photo first = {0};
    const char *root = corpus();
    if (!root)
        SKIP("no photo corpus");
    for (int i = 1; i <= 8; i++) {
        char path[700];
        struct bytes file = {0};
        struct photo photo;
        snprintf(path, sizeof path, "%s/exif/recurser_exif-orientation-examples__Landscape_%d.jpg",
                 root, i);
        CHECK_OK(bytes_read_file(&file, path, &err));
        CHECK_OK(photo_read(&photo, file.data, file.len, &err));
        bytes_free(&file);
        if (i == 1) {
            first = photo;
            continue;
        }
        double apart = difference(&first.pixels, &photo.pixels);
        CHECK(photo.exif_orientation == i);
        photo_free(&photo);
        CHECK(apart >= 0);
        CHECK_NEAR(apart, 0, 8);
    }
    photo_free(&first);
}

static void test_corpus__formats_are_taken_or_refused_by_code(void)
{
    read_folder("format", 150);
}

static void test_corpus__hostile_files_do_no_harm(void)
{
    read_folder("hostile", 40);
}

TESTS(TEST(test_corpus__real_photos_are_all_taken),
      TEST(test_corpus__orientation_samples_are_all_taken),
      TEST(test_corpus__one_scene_in_eight_orientations_is_one_picture),
      TEST(test_corpus__formats_are_taken_or_refused_by_code),
      TEST(test_corpus__hostile_files_do_no_harm))
