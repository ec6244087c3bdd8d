/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 and hexadecimal; the doorman of libsodium's hashing. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SHA256_BYTES 32
#define SHA256_HEX 65 /* 64 digits and NUL */

/** Writes the lower-case hex SHA-256 of n bytes. Cost O(n), no memory. */
void sha256_hex(char hex[SHA256_HEX], const void *data, size_t n);

/** The same of a whole file, streamed in 64 KiB pieces; *size_bytes (may be NULL) gets its length.
 */
int sha256_file(char hex[SHA256_HEX], uint64_t *size_bytes, const char *path,
                struct err *err) MUST_CHECK;

/* Streaming form; opaque room for libsodium's state. */
struct sha256 {
    _Alignas(8) unsigned char state[128];
};
void sha256_start(struct sha256 *hash);
void sha256_feed(struct sha256 *hash, const void *data, size_t n);
void sha256_end(char hex[SHA256_HEX], struct sha256 *hash);

/** n random bytes from the kernel. */
void random_bytes(void *out, size_t n);

/** Standard base64 with padding into room for 4*((n+2)/3)+1 characters. */
void base64_encode(char *out, const void *data, size_t n);

#endif
