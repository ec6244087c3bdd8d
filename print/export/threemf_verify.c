/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking again at a 3MF that was just written: one thread inflates, another reads the text and
 * holds it against the mesh. Nothing of the writer is used, so that it cannot be wrong twice.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "print/export/export.h"
#include "print/export/packer.h"
#include "print/read/text.h"

#define DIFFERS(err, ...) FAIL_CODE(err, ERR_BUG, "export_differs", __VA_ARGS__)
#define BLOCK ((size_t)1 << 20)
#define CARRY 4096 /* a line that is cut off at a block's end moves in front of the next one */
#define BLOCKS 4

/* The text on its way: a ring of blocks, filled by one thread and emptied by the other. */
struct pipe {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    char *block[BLOCKS];
    size_t bytes[BLOCKS];
    size_t filled, emptied; /* blocks so far */
    bool ended, stopped;

    const uint8_t *packed;
    size_t packed_bytes, plain_bytes;
    uint32_t crc;
    int failed; /* of the inflating side */
    struct err err;
};

static uint32_t little(const uint8_t *p, int n)
{
    uint32_t value = 0;
    while (n-- > 0)
        value = value << 8 | p[n];
    return value;
}

/* One entry of the archive's directory, held against its local head. */
struct entry {
    const uint8_t *packed;
    size_t packed_bytes, plain_bytes;
    uint32_t crc;
    bool is_model;
};

static int read_entry(struct entry *entry, size_t *at, const uint8_t *data, size_t n,
                      struct err *err)
{
    static const char model[] = "3D/3dmodel.model";
    const uint8_t *head = data + *at;
    if (*at + 46 > n || little(head, 4) != 0x02014b50)
        return DIFFERS(err, "the archive's directory is damaged");
    size_t name_bytes = little(head + 28, 2), local = little(head + 42, 4);
    *entry = (struct entry){.crc = little(head + 16, 4),
                            .packed_bytes = little(head + 20, 4),
                            .plain_bytes = little(head + 24, 4)};
    size_t body = local + 30 + name_bytes;
    if (*at + 46 + name_bytes > n || body > n || entry->packed_bytes > n - body ||
        memcmp(data + local, "PK\3\4", 4) != 0 || memcmp(data + local + 4, head + 6, 26) != 0 ||
        memcmp(data + local + 30, head + 46, name_bytes) != 0)
        return DIFFERS(err, "the two heads of a part differ");
    entry->packed = data + body;
    entry->is_model = name_bytes == sizeof model - 1 && memcmp(head + 46, model, name_bytes) == 0;
    *at += 46 + name_bytes + little(head + 30, 2) + little(head + 32, 2);
    return 0;
}

/* A part other than the model: it must inflate to what its head says. */
static int check_entry(const struct entry *entry, struct err *err)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)entry->packed,
                       .avail_in = (uInt)entry->packed_bytes};
    uint8_t plain[8192];
    size_t made = 0;
    uLong crc = 0;
    int code = Z_OK;
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return FAIL(err, ERR_LIMIT, "no memory for zlib");
    while (code == Z_OK) {
        stream.next_out = plain;
        stream.avail_out = sizeof plain;
        code = inflate(&stream, Z_NO_FLUSH);
        crc = crc32(crc, plain, (uInt)(sizeof plain - stream.avail_out));
        made += sizeof plain - stream.avail_out;
    }
    inflateEnd(&stream);
    return code == Z_STREAM_END && !stream.avail_in && made == entry->plain_bytes &&
                   crc == entry->crc
               ? 0
               : DIFFERS(err, "a part's size or checksum is wrong");
}

/* Walks the archive's directory, as any reader does. */
static int find_model(struct pipe *pipe, const uint8_t *data, size_t n, struct err *err)
{
    if (n < 22 || little(data + n - 22, 4) != 0x06054b50)
        return DIFFERS(err, "the archive has no end");
    size_t at = little(data + n - 6, 4), count = little(data + n - 12, 2);
    for (size_t i = 0; i < count; i++) {
        struct entry entry;
        if (read_entry(&entry, &at, data, n, err) || (!entry.is_model && check_entry(&entry, err)))
            return -1;
        if (!entry.is_model)
            continue;
        pipe->packed = entry.packed;
        pipe->packed_bytes = entry.packed_bytes;
        pipe->plain_bytes = entry.plain_bytes;
        pipe->crc = entry.crc;
    }
    return pipe->packed ? 0 : DIFFERS(err, "the archive's directory has no model");
}

/* The next block to fill, or NULL when the reader has given up. */
static char *block_wait(struct pipe *pipe)
{
    pthread_mutex_lock(&pipe->lock);
    while (pipe->filled - pipe->emptied == BLOCKS && !pipe->stopped)
        pthread_cond_wait(&pipe->moved, &pipe->lock);
    char *block = pipe->stopped ? NULL : pipe->block[pipe->filled % BLOCKS] + CARRY;
    pthread_mutex_unlock(&pipe->lock);
    return block;
}

static void block_give(struct pipe *pipe, size_t bytes, bool last)
{
    pthread_mutex_lock(&pipe->lock);
    if (bytes) /* the end gives none: that block may not have been read yet */
        pipe->bytes[pipe->filled++ % BLOCKS] = bytes;
    pipe->ended = last;
    pthread_cond_broadcast(&pipe->moved);
    pthread_mutex_unlock(&pipe->lock);
}

static int inflate_all(struct pipe *pipe, z_stream *stream)
{
    size_t plain = 0;
    uLong crc = 0;
    int code = Z_OK;
    while (code == Z_OK) {
        char *block = block_wait(pipe);
        if (!block)
            return 0;
        stream->next_out = (Bytef *)block;
        stream->avail_out = BLOCK;
        code = inflate(stream, Z_NO_FLUSH);
        size_t made = BLOCK - stream->avail_out;
        crc = crc32(crc, (const Bytef *)block, (uInt)made);
        plain += made;
        block_give(pipe, made, false);
    }
    if (code != Z_STREAM_END || stream->avail_in)
        return DIFFERS(&pipe->err, "the model does not inflate to its end");
    if (plain != pipe->plain_bytes || crc != pipe->crc)
        return DIFFERS(&pipe->err, "the model's size or checksum is wrong");
    return 0;
}

static void *inflate_thread(void *user)
{
    struct pipe *pipe = user;
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)pipe->packed,
                       .avail_in = (uInt)pipe->packed_bytes};
    if (inflateInit2(&stream, -MAX_WBITS) == Z_OK) {
        pipe->failed = inflate_all(pipe, &stream);
        inflateEnd(&stream);
    } else {
        pipe->failed = FAIL(&pipe->err, ERR_LIMIT, "no memory for zlib");
    }
    block_give(pipe, 0, true);
    return NULL;
}

/* Where the reading stands. */
struct check {
    const struct mesh *mesh; /* of the present object */
    const struct export_plate *plate;
    size_t object; /* its number */
    size_t vertices, triangles;
    enum { BEFORE, VERTICES, BETWEEN, TRIANGLES, AFTER, DONE } at;
};

static bool take(struct text *line, const char *words, size_t n)
{
    if ((size_t)(line->end - line->at) < n || memcmp(line->at, words, n) != 0)
        return false;
    line->at += n;
    return true;
}
#define TAKE(line, words) take((line), (words), sizeof(words) - 1)

static bool vertex_same(struct text *line, const float *wanted)
{
    float p[3];
    if (!TAKE(line, "<vertex x=\"") || !text_float(line, &p[0]) || !TAKE(line, "\" y=\"") ||
        !text_float(line, &p[1]) || !TAKE(line, "\" z=\"") || !text_float(line, &p[2]) ||
        !TAKE(line, "\"/>"))
        return false;
    return line->at == line->end && memcmp(p, wanted, sizeof p) == 0;
}

static bool triangle_same(struct text *line, const uint32_t *wanted)
{
    int64_t v[3], ignored;
    if (!TAKE(line, "<triangle v1=\"") || !text_integer(line, &v[0]) || !TAKE(line, "\" v2=\"") ||
        !text_integer(line, &v[1]) || !TAKE(line, "\" v3=\"") || !text_integer(line, &v[2]))
        return false;
    if (TAKE(line, "\" pid=\"") &&
        (!text_integer(line, &ignored) || !TAKE(line, "\" p1=\"") || !text_integer(line, &ignored)))
        return false;
    return TAKE(line, "\"/>") && line->at == line->end && v[0] == wanted[0] && v[1] == wanted[1] &&
           v[2] == wanted[2];
}

static int check_line(struct check *c, struct text line, struct err *err)
{
    struct text word = line;
    if (c->at == VERTICES && c->vertices < c->mesh->vertex_count)
        return vertex_same(&line, c->mesh->xyz + 3 * c->vertices)
                   ? (c->vertices++, 0)
                   : DIFFERS(err, "vertex %zu reads back differently", c->vertices);
    if (c->at == TRIANGLES && c->triangles < c->mesh->triangle_count)
        return triangle_same(&line, c->mesh->triangles + 3 * c->triangles)
                   ? (c->triangles++, 0)
                   : DIFFERS(err, "triangle %zu reads back differently", c->triangles);
    if (!text_word(&line, &word))
        return 0;
    static const char *const marks[] = {"<vertices>", "</vertices>", "<triangles>", "</triangles>",
                                        "</model>"};
    if (c->at == AFTER && c->object + 1 < c->plate->object_count && text_is(&word, marks[0])) {
        c->mesh = c->plate->objects[++c->object].mesh;
        c->vertices = c->triangles = 0;
        c->at = VERTICES;
    } else if (c->at < DONE && text_is(&word, marks[c->at]))
        c->at++;
    else if (c->at != BEFORE && c->at != AFTER)
        return DIFFERS(err, "%s is missing in the 3MF", marks[c->at < DONE ? c->at : DONE - 1]);
    return 0;
}

/* Reads the whole lines of a block; what is left is to be carried over. */
static int check_block(struct check *c, struct text *text, struct err *err)
{
    for (;;) {
        const char *end = memchr(text->at, '\n', (size_t)(text->end - text->at));
        if (!end)
            return 0;
        if (check_line(c, (struct text){text->at, end}, err))
            return -1;
        text->at = end + 1;
    }
}

static int check_all(struct pipe *pipe, struct check *c, struct err *err)
{
    char carry[CARRY] = {0};
    size_t carried = 0;
    for (;;) {
        pthread_mutex_lock(&pipe->lock);
        while (pipe->filled == pipe->emptied && !pipe->ended)
            pthread_cond_wait(&pipe->moved, &pipe->lock);
        bool none = pipe->filled == pipe->emptied;
        char *block = pipe->block[pipe->emptied % BLOCKS];
        size_t bytes = pipe->bytes[pipe->emptied % BLOCKS];
        pthread_mutex_unlock(&pipe->lock);
        if (none)
            return 0;
        memcpy(block + CARRY - carried, carry, carried);
        struct text rest = {block + CARRY - carried, block + CARRY + bytes};
        if (check_block(c, &rest, err))
            return -1;
        carried = (size_t)(rest.end - rest.at);
        if (carried > CARRY)
            return DIFFERS(err, "a line of the 3MF is over %d characters long", CARRY);
        memcpy(carry, rest.at, carried);
        pthread_mutex_lock(&pipe->lock);
        pipe->emptied++;
        pthread_cond_broadcast(&pipe->moved);
        pthread_mutex_unlock(&pipe->lock);
    }
}

static int check_piped(struct pipe *pipe, const struct export_plate *plate, struct err *err)
{
    struct check c = {.mesh = plate->objects[0].mesh, .plate = plate};
    pthread_t thread;
    if (pthread_create(&thread, NULL, inflate_thread, pipe))
        return FAIL(err, ERR_LIMIT, "no thread to read the 3MF back");
    int failed = check_all(pipe, &c, err);
    pthread_mutex_lock(&pipe->lock);
    pipe->stopped = true;
    pthread_cond_broadcast(&pipe->moved);
    pthread_mutex_unlock(&pipe->lock);
    pthread_join(thread, NULL);
    if (!failed && pipe->failed) {
        if (err)
            *err = pipe->err;
        return -1;
    }
    if (!failed && (c.at != DONE || c.object + 1 != plate->object_count))
        return DIFFERS(err, "the 3MF ends too early");
    return failed;
}

int threemf_verify_plate(const uint8_t *data, size_t n, const struct export_plate *plate,
                         struct err *err)
{
    struct pipe pipe = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    if (find_model(&pipe, data, n, err))
        return -1;
    char *ring = malloc(BLOCKS * (BLOCK + CARRY));
    if (!ring)
        return FAIL(err, ERR_LIMIT, "no memory to read the 3MF back");
    for (size_t i = 0; i < BLOCKS; i++)
        pipe.block[i] = ring + i * (BLOCK + CARRY);
    int failed = check_piped(&pipe, plate, err);
    free(ring);
    return failed;
}

int threemf_verify(const uint8_t *data, size_t n, const struct mesh *written, struct err *err)
{
    const struct export_object object = {.mesh = written};
    return threemf_verify_plate(data, n,
                                &(struct export_plate){.objects = &object, .object_count = 1}, err);
}
