/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inflating on one thread, reading on another; see verify_pipe.h. */
#include "print/export/verify_pipe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "print/export/packer.h" /* zlib's doorman; nothing else of it is used */

#define BLOCK ((size_t)1 << 20)
#define CARRY VERIFY_LINE_MAX /* a line cut off at a block's end moves in front of the next one */
#define BLOCKS 4

struct pipe_reader {
    int (*take)(void *user, struct text line, struct err *err);
    void *user;
};

/* The text on its way: a ring of blocks, filled by one thread and emptied by the other. */
struct pipe {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    char *block[BLOCKS];
    size_t bytes[BLOCKS];
    size_t filled, emptied; /* blocks so far */
    bool ended, stopped;

    const struct verify_entry *entry;
    int failed; /* of the inflating side */
    struct err err;
};

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
        return VERIFY_DIFFERS(&pipe->err, "the model does not inflate to its end");
    if (plain != pipe->entry->plain_bytes || crc != pipe->entry->crc)
        return VERIFY_DIFFERS(&pipe->err, "the model's size or checksum is wrong");
    return 0;
}

static void *inflate_thread(void *user)
{
    struct pipe *pipe = user;
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)pipe->entry->packed,
                       .avail_in = (uInt)pipe->entry->packed_bytes};
    if (inflateInit2(&stream, -MAX_WBITS) == Z_OK) {
        pipe->failed = inflate_all(pipe, &stream);
        inflateEnd(&stream);
    } else {
        pipe->failed = FAIL(&pipe->err, ERR_LIMIT, "no memory for zlib");
    }
    block_give(pipe, 0, true);
    return NULL;
}

/* Reads the whole lines of a block; what is left is to be carried over. */
static int check_block(const struct pipe_reader *c, struct text *text, struct err *err)
{
    for (;;) {
        const char *end = memchr(text->at, '\n', (size_t)(text->end - text->at));
        if (!end)
            return 0;
        if (c->take(c->user, (struct text){text->at, end}, err))
            return -1;
        text->at = end + 1;
    }
}

static int check_all(struct pipe *pipe, const struct pipe_reader *c, struct err *err)
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
            return VERIFY_DIFFERS(err, "a line of the 3MF is over %d characters long", CARRY);
        memcpy(carry, rest.at, carried);
        pthread_mutex_lock(&pipe->lock);
        pipe->emptied++;
        pthread_cond_broadcast(&pipe->moved);
        pthread_mutex_unlock(&pipe->lock);
    }
}

static int run_pipe(struct pipe *pipe, const struct pipe_reader *reader, struct err *err)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, inflate_thread, pipe))
        return FAIL(err, ERR_LIMIT, "no thread to read the 3MF back");
    int failed = check_all(pipe, reader, err);
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
    return failed;
}

int verify_pipe(const struct verify_entry *entry,
                int (*take)(void *user, struct text line, struct err *err), void *user,
                struct err *err)
{
    struct pipe pipe = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .entry = entry};
    const struct pipe_reader reader = {take, user};
    char *ring = malloc(BLOCKS * (BLOCK + CARRY));
    if (!ring)
        return FAIL(err, ERR_LIMIT, "no memory to read the 3MF back");
    for (size_t i = 0; i < BLOCKS; i++)
        pipe.block[i] = ring + i * (BLOCK + CARRY);
    int failed = run_pipe(&pipe, &reader, err);
    free(ring);
    return failed;
}
