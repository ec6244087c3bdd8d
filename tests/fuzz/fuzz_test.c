/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every reader of outside bytes against thousands of spoilt files: good ones, which our own writers
 * make here, changed by a fixed dice. A reader must take them or refuse with a kind and a code that
 * somebody can act on. FUZZ_ITERATIONS sets how many each; FUZZ_KEEP=FILE keeps the last one, for
 * the case that it was one too many. `make fuzz` runs it at length under ASan and UBSan.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "intake/order_form.h"
#include "intake/photo_raw.h"
#include "intake/provider/provider.h"
#include "print/read/bundle.h"
#include "print/read/read.h"
#include "print/slice/gcode_check.h"
#include "service/multipart.h"
#include "service/printer.h"
#include "service/role_set.h"
#include "tests/fuzz/seeds.h"
#include "tests/test.h"

#define ITERATIONS 400
#define SLOWEST_MS 20000 /* for one file, under ASan on a busy machine */
#define SAYS(kind) (1u << (kind))
#define TYPED (SAYS(ERR_INPUT) | SAYS(ERR_LIMIT))

/* Every row below: the reader's name, what makes its good file, what feeds it, the kinds of failure
 * that it may end with. A printer's answer may also say that the printer is away, or no printer. */
#define READERS(ROW)                                                                               \
    ROW(json, seed_order, feed_json, TYPED)                                                        \
    ROW(order, seed_order, feed_order, TYPED)                                                      \
    ROW(multipart, seed_multipart, feed_multipart, TYPED)                                          \
    ROW(png, seed_png, feed_png, TYPED)                                                            \
    ROW(jpeg, seed_jpeg, feed_jpeg, TYPED)                                                         \
    ROW(webp, seed_webp, feed_webp, TYPED)                                                         \
    ROW(glb, seed_glb, feed_mesh, TYPED)                                                           \
    ROW(stl, seed_stl, feed_mesh, TYPED)                                                           \
    ROW(obj, seed_obj, feed_mesh, TYPED)                                                           \
    ROW(ply, seed_ply, feed_mesh, TYPED)                                                           \
    ROW(off, seed_off, feed_mesh, TYPED)                                                           \
    ROW(threemf, seed_threemf, feed_mesh, TYPED)                                                   \
    ROW(glb_draco, seed_glb_draco, feed_mesh, TYPED)                                               \
    ROW(glb_meshopt, seed_glb_meshopt, feed_mesh, TYPED)                                           \
    ROW(glb_textured, seed_glb_textured, feed_mesh, TYPED)                                         \
    ROW(drc, seed_drc, feed_mesh, TYPED)                                                           \
    ROW(ply_coloured, seed_ply_coloured, feed_mesh, TYPED)                                         \
    ROW(zip, seed_zip, feed_zip, TYPED)                                                            \
    ROW(verify, seed_plate, feed_verify, SAYS(ERR_BUG))                                            \
    ROW(labels, seed_words, feed_labels, SAYS(ERR_INPUT))                                          \
    ROW(set, seed_set, feed_set, TYPED)                                                            \
    ROW(own_part, seed_own_part, feed_own_part, TYPED)                                             \
    ROW(gcode, seed_gcode, feed_gcode, TYPED)                                                      \
    ROW(provider, seed_provider, feed_provider, TYPED)                                             \
    ROW(printer, seed_printer, feed_printer,                                                       \
        TYPED | SAYS(ERR_LATER) | SAYS(ERR_DENIED) | SAYS(ERR_ABSENT) | SAYS(ERR_CONFLICT) |       \
            SAYS(ERR_BUG))

typedef int seed_maker(struct bytes *out, struct err *err);
typedef int feeder(const uint8_t *data, size_t n, struct err *err);

/* ---- the readers ---- */

static int feed_json(const uint8_t *data, size_t n, struct err *err)
{
    cJSON *json = NULL;
    int failed = json_parse(&json, data, n, err);
    cJSON_Delete(json);
    return failed;
}

static int feed_order(const uint8_t *data, size_t n, struct err *err)
{
    static const char *const photos[] = {"photo1"};
    cJSON *order = NULL;
    int failed = order_form_read(&order, data, n, photos, 1, NULL, err);
    cJSON_Delete(order);
    return failed;
}

static int feed_zip(const uint8_t *data, size_t n, struct err *err)
{
    struct bundle bundle;
    int failed = bundle_open(&bundle, data, n, err);
    for (size_t i = 0; i < bundle.count && !failed; i++) {
        struct bytes plain = {.limit = BUNDLE_BYTES_MOST};
        failed = bundle_unpack(&plain, &bundle, &bundle.entries[i], err);
        bytes_free(&plain);
    }
    bundle_close(&bundle);
    return failed;
}

static int hear_begin(void *user, const struct multipart_part *part, struct err *err)
{
    (void)user;
    return *part->name ? 0 : FAIL(err, ERR_BUG, "a part without a name came through");
}

static int hear_data(void *user, const uint8_t *data, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        *(unsigned *)user += data[i]; /* every byte is looked at, for ASan to see */
    (void)err;
    return 0;
}

static int hear_end(void *user, struct err *err)
{
    (void)user, (void)err;
    return 0;
}

static int feed_multipart(const uint8_t *data, size_t n, struct err *err)
{
    unsigned sum = 0;
    struct multipart_handler handler = {hear_begin, hear_data, hear_end, &sum};
    struct multipart *m;
    size_t half = n / 2;
    if (multipart_open(&m, "multipart/form-data; boundary=xYz", &handler, 4, err))
        return -1;
    int failed = multipart_feed(m, data, half, err) ||
                 multipart_feed(m, data + half, n - half, err) || multipart_end(m, err);
    multipart_close(m);
    return failed ? -1 : 0;
}

static int end_photo(int failed, struct photo_raw *raw)
{
    photo_raw_free(raw);
    return failed;
}

/* Chunks with a wrong checksum are refused at once: half of the files get theirs put right. */
static void mend_png(uint8_t *data, size_t n)
{
    for (size_t at = 8, length; n - at >= 12 && at < n; at += length + 12) {
        length = (size_t)data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3];
        if (length > n - at - 12)
            return;
        uint32_t sum = htonl((uint32_t)crc32(0, data + at + 4, (uInt)length + 4));
        memcpy(data + at + 8 + length, &sum, 4);
    }
}

static int feed_png(const uint8_t *data, size_t n, struct err *err)
{
    struct photo_raw raw = {0};
    struct bytes copy = {0};
    int failed = bytes_append(&copy, data, n, err);
    if (!failed && n % 2 == 0 && n >= 8)
        mend_png(copy.data, n);
    failed = failed || photo_png_decode(&raw, copy.data, n, err) ? -1 : 0;
    bytes_free(&copy);
    return end_photo(failed, &raw);
}

static int feed_jpeg(const uint8_t *data, size_t n, struct err *err)
{
    struct photo_raw raw = {0};
    return end_photo(photo_jpeg_decode(&raw, data, n, err), &raw);
}

static int feed_webp(const uint8_t *data, size_t n, struct err *err)
{
    struct photo_raw raw = {0};
    return end_photo(photo_webp_decode(&raw, data, n, err), &raw);
}

/* A mesh in order, and a colour that can be looked up on each triangle. */
static int check_mesh(const struct mesh *mesh, const struct skin *skin, struct err *err)
{
    static const double middle[3] = {0.5, 0.25, 0.25};
    uint8_t rgb[3];
    for (size_t i = 0; i < 3 * mesh->triangle_count; i++)
        if (mesh->triangles[i] >= mesh->vertex_count)
            return FAIL(err, ERR_BUG, "a triangle points outside the mesh");
    for (size_t t = 0; t < mesh->triangle_count; t++)
        skin_colour(rgb, skin, mesh, t, middle);
    for (size_t i = 0; i < skin->part_count; i++)
        if (skin->parts[i].first + skin->parts[i].count > mesh->triangle_count)
            return FAIL(err, ERR_BUG, "a part has more triangles than the mesh");
    return 0;
}

static int feed_mesh(const uint8_t *data, size_t n, struct err *err)
{
    struct mesh mesh = {0};
    struct skin skin = {0};
    struct read_notes notes;
    int failed = mesh_read_skin(&mesh, &skin, &notes, data, n, "a.obj", err) ||
                 check_mesh(&mesh, &skin, err);
    mesh_free(&mesh);
    skin_free(&skin);
    return failed ? -1 : 0;
}

/* The plate that seed_plate writes: nothing else passes for it. */
static int feed_verify(const uint8_t *data, size_t n, struct err *err)
{
    struct plate_made made;
    plate_for_fuzz(&made);
    int failed = threemf_verify_plate(data, n, &made.plate, err);
    plate_free(&made);
    return failed;
}

/* Any words as names, labels and a slicer's value: refused, or written so that two readers find
 * what was meant and no more. */
static int feed_labels(const uint8_t *data, size_t n, struct err *err)
{
    struct plate_made made;
    struct bytes words = {0}, file = {0};
    struct threemf_objects back = {0};
    plate_for_fuzz(&made);
    int failed = bytes_append(&words, data, n, err) || bytes_append(&words, "", 1, err);
    const char *text = (const char *)words.data;
    const struct export_setting setting = {"filament_notes", text};
    made.plate.labels.title = made.plate.labels.description = made.plate.labels.part_code = text;
    made.objects[0].name = made.objects[1].item_id = made.objects[2].part_code = text;
    made.objects[1].prusa = made.objects[2].orca = &setting;
    made.objects[1].prusa_count = made.objects[2].orca_count = n % 2;
    failed = failed || threemf_write_plate(&file, &made.plate, err);
    struct err inner = {0};
    if (!failed && (threemf_verify_plate(file.data, file.len, &made.plate, &inner) ||
                    threemf_read_objects(&back, file.data, file.len, &inner)))
        failed = FAIL(err, ERR_BUG, "written, then refused: %s", inner.what);
    threemf_objects_free(&back);
    bytes_free(&file);
    bytes_free(&words);
    plate_free(&made);
    return failed ? -1 : 0;
}

/* Settings that reach a slicer were held to the schema, whoever wrote them. */
static int feed_set(const uint8_t *data, size_t n, struct err *err)
{
    struct set set = {0};
    const struct skin plain = {0};
    struct bytes file = {.limit = n + 1};
    int failed = bytes_append(&file, data, n, err) || role_set_read(&set, &file, "a.3mf", err);
    for (size_t i = 0; i < set.count && !failed; i++) {
        failed = check_mesh(&set.at[i].mesh, &plain, err);
        if (!failed && set.at[i].settings && project_check_settings(set.at[i].settings, err))
            failed = FAIL(err, ERR_BUG, "settings came through that no object can have");
    }
    role_set_free(&set);
    bytes_free(&file);
    return failed ? -1 : 0;
}

static int feed_own_part(const uint8_t *data, size_t n, struct err *err)
{
    cJSON *own = NULL;
    int failed = project_read(&own, data, n, err);
    cJSON_Delete(own);
    return failed;
}

/* Whatever the bytes are, the file's findings and its verdict must fit together. */
static int feed_gcode(const uint8_t *data, size_t n, struct err *err)
{
    struct printer_profile printer;
    cJSON *report = NULL;
    const cJSON *finding;
    char path[40];
    bool passed = false, clean = true;
    int fd = memfd_create("gcode", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n)
        return FAIL(err, ERR_BUG, "no file for the test");
    int failed = printer_profile_load(&printer, NULL, "ender3v3se", err);
    if (!failed) {
        failed = gcode_check(&report, &passed, path,
                             &(struct gcode_check_options){.printer = &printer}, err);
        printer_profile_free(&printer);
    }
    cJSON_ArrayForEach (finding, json_get(report, "findings"))
        clean = clean && strcmp(json_text(finding, "severity", "error"), "warning") == 0;
    if (!failed && clean != passed)
        failed = FAIL(err, ERR_BUG, "the verdict is not what the findings say");
    cJSON_Delete(report);
    close(fd);
    return failed;
}

/* Every driver reads it as the answer to everything that it may ask, well and ill. */
static int feed_provider(const uint8_t *data, size_t n, struct err *err)
{
    static const int statuses[] = {200, 422};
    const struct provider_driver *driver;
    const struct provider_call call = {.task = "t", .aux = "{}"};
    int failed = 0;
    for (int row = 0; !failed && (driver = provider_at((size_t)row)); row++)
        for (int i = 0; !failed && i < 2 * OP_COUNT; i++) {
            struct http_answer answer = {
                .status = statuses[i & 1], .sent = true, .retry_after_s = -1};
            struct provider_reading reading = {0};
            if (!(driver->ops & OP_BIT(i / 2)))
                continue;
            failed = bytes_append(&answer.body, data, n, err) ||
                     driver->read(&reading, (enum provider_op)(i / 2), &call, &answer, err);
            provider_reading_free(&reading);
            http_answer_free(&answer);
        }
    return failed ? -1 : 0;
}

/* A printer's server that says the same to everybody and hangs up. */
struct parrot {
    int door;
    const uint8_t *data;
    size_t n;
};

static void *parrot_run(void *user)
{
    struct parrot *p = user;
    char heard[4096];
    for (int fd; (fd = accept(p->door, NULL, NULL)) >= 0; close(fd))
        if (recv(fd, heard, sizeof heard, 0) > 0 && send(fd, p->data, p->n, MSG_NOSIGNAL) > 0)
            shutdown(fd, SHUT_WR);
    return NULL;
}

static int feed_printer(const uint8_t *data, size_t n, struct err *err)
{
    struct parrot parrot = {socket(AF_INET, SOCK_STREAM, 0), data, n};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    pthread_t thread;
    char url[40];
    if (bind(parrot.door, (struct sockaddr *)&at, size) || listen(parrot.door, 4) ||
        getsockname(parrot.door, (struct sockaddr *)&at, &size) ||
        pthread_create(&thread, NULL, parrot_run, &parrot))
        return FAIL(err, ERR_BUG, "no server for the test");
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    struct printer_link link = {.url = url, .api_key = "secret"};
    struct printer_report report;
    struct printer_file file;
    int failed = printer_octoprint.status(&report, &link, err);
    failed = failed || printer_octoprint.file(&file, &link, "a.gcode", err) ? -1 : 0;
    shutdown(parrot.door, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(parrot.door);
    return failed;
}

/* ---- the dice ---- */

static uint32_t roll(uint64_t *dice, size_t below)
{
    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    return below ? (uint32_t)((*dice >> 33) % below) : 0;
}

/* Spoils data[0..n) in one way; the new length, at most room. */
static size_t spoil_once(uint8_t *data, size_t n, size_t room, uint64_t *dice)
{
    static const char *const words[] = {"-1", "0",    "1e999", "4294967295", "nan", "\"", "{",
                                        "[",  "null", "\r\n",  "--xYz",      "%s",  "../"};
    static const uint32_t edges[] = {0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t at = roll(dice, n), length = 1 + roll(dice, 16);
    length = at + length > n ? n - at : length;
    const char *word = words[roll(dice, sizeof words / sizeof *words)];
    uint32_t edge = edges[roll(dice, sizeof edges / sizeof *edges)];
    switch (roll(dice, 12)) {
    case 0:
        return at; /* cut off */
    case 1:        /* a piece is missing */
        memmove(data + at, data + at + length, n - at - length);
        return n - length;
    case 2: /* a piece comes twice */
        if (n + length > room)
            return n;
        memmove(data + at + length, data + at, n - at);
        return n + length;
    case 3: /* a number at its edge */
        memcpy(data + at, &edge, length < 4 ? length : 4);
        return n;
    case 4: /* a word where none was due */
        memcpy(data + at, word, strlen(word) < n - at ? strlen(word) : n - at);
        return n;
    case 5: /* a piece of somewhere else */
        memmove(data + at, data + roll(dice, n - length + 1), length);
        return n;
    default:
        if (n)
            data[at] ^= (uint8_t)(1u << roll(dice, 8));
        return n;
    }
}

static void keep(const uint8_t *data, size_t n)
{
    const char *path = getenv("FUZZ_KEEP");
    FILE *f = path ? fopen(path, "wb") : NULL;
    if (f) {
        fwrite(data, 1, n, f);
        fclose(f);
    }
}

static void fuzz(const char *name, seed_maker *make, feeder *feed, unsigned kinds)
{
    const char *asked = getenv("FUZZ_ITERATIONS");
    int iterations = asked ? atoi(asked) : ITERATIONS, taken = 0;
    double begun = clock_s();
    uint64_t dice = 1;
    struct bytes seed = {0};
    struct err err = {0};
    CHECK_OK(make(&seed, &err));
    CHECK_OK(feed(seed.data, seed.len, &err)); /* else all that follows would test the door only */
    for (int i = 0; i < iterations; i++) {
        /* A block of its own and of that size, so that ASan sees one byte too far. */
        uint8_t room[seed.len * 2], *exact;
        memcpy(room, seed.data, seed.len);
        size_t n = seed.len;
        for (uint32_t k = 1 + roll(&dice, 4) * roll(&dice, 2); k > 0; k--)
            n = spoil_once(room, n, sizeof room, &dice);
        exact = malloc(n ? n : 1);
        if (!exact)
            abort();
        memcpy(exact, room, n);
        keep(exact, n);
        memset(&err, 0, sizeof err);
        int64_t started = clock_ms();
        int failed = feed(exact, n, &err);
        int64_t took = clock_ms() - started;
        free(exact);
        bool typed =
            failed == -1 && (kinds & SAYS(err.kind)) && (*err.code || err.kind == ERR_ABSENT);
        if (failed != 0 && !typed)
            TEST_GIVE_UP("number %d: %d, %s %s: %.200s", i, failed, err_kind_name(err.kind),
                         err.code, err.what);
        taken += failed == 0;
        if (took > SLOWEST_MS)
            TEST_GIVE_UP("number %d took %d ms", i, (int)took);
    }
    printf("# %s: %d of %d taken, %.1f s\n", name, taken, iterations, clock_s() - begun);
    bytes_free(&seed);
}

#define AS_FUNCTION(name, make, feed, kinds)                                                       \
    static void test_fuzz__##name##_is_taken_or_refused_by_code(void)                              \
    {                                                                                              \
        fuzz(#name, make, feed, kinds);                                                            \
    }
#define AS_TEST(name, make, feed, kinds) TEST(test_fuzz__##name##_is_taken_or_refused_by_code),

READERS(AS_FUNCTION)
TESTS(READERS(AS_TEST))
