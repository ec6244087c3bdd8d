/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes by their SHA-256 in a folder: ab/cd/abcd... ; temp file, fsync, rename; never overwritten.
 */
#ifndef STORAGE_BLOB_H
#define STORAGE_BLOB_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"

struct blobs {
    char folder[1024];
};

/** Opens (makes) the store; leftovers of temp files older than a day are swept. */
int blobs_open(struct blobs *blobs, const char *folder, struct err *err) MUST_CHECK;

/** Stores bytes; storing what is there already is fine and cheap. */
int blob_put(char hash[SHA256_HEX], const struct blobs *blobs, const void *data, size_t n,
             struct err *err) MUST_CHECK;

/** Stores a file by streaming (copy); *bytes may be NULL. */
int blob_put_file(char hash[SHA256_HEX], uint64_t *bytes, const struct blobs *blobs,
                  const char *path, struct err *err) MUST_CHECK;

/** Reads and verifies the hash. ERR_ABSENT; ERR_BUG code blob_damaged; limit = cap of out. */
int blob_get(struct bytes *out, const struct blobs *blobs, const char *hash,
             struct err *err) MUST_CHECK;

/** Path of a blob (hash must be 64 hex digits, else ERR_INPUT; need not exist). */
int blob_path(char path[1200], const struct blobs *blobs, const char *hash,
              struct err *err) MUST_CHECK;

/** Copies a blob to a path for a child to read. */
int blob_copy_to(const struct blobs *blobs, const char *hash, const char *path,
                 struct err *err) MUST_CHECK;

/* Streaming in: open, write as often as wanted, then finish (keeps) or drop (forgets). */
struct blob_writer;
int blob_writer_open(struct blob_writer **out, const struct blobs *blobs, uint64_t limit_bytes,
                     struct err *err) MUST_CHECK;
int blob_writer_write(struct blob_writer *writer, const void *data, size_t n,
                      struct err *err) MUST_CHECK;
/** Path of the temp file meanwhile, for a child to look at. */
const char *blob_writer_path(const struct blob_writer *writer);
uint64_t blob_writer_bytes(const struct blob_writer *writer);
/** Frees the writer either way. */
int blob_writer_finish(char hash[SHA256_HEX], struct blob_writer *writer,
                       struct err *err) MUST_CHECK;
void blob_writer_drop(struct blob_writer *writer);

#endif
