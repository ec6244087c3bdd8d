/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256, signatures, hexadecimal and base64; the doorman of libsodium. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
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

/* A piece of what is signed: several of them stand for one text without copying them together. */
struct hash_part {
    const void *data;
    size_t bytes;
};

#define HMAC_SHA256_BYTES 32

/** HMAC-SHA256 (RFC 2104) of the parts one after another. The key may have any length. */
void hmac_sha256(uint8_t mac[HMAC_SHA256_BYTES], const void *key, size_t key_bytes,
                 const struct hash_part *parts, size_t count);

#define ED25519_SIGNATURE_BYTES 64
#define ED25519_KEY_BYTES 32

/** Whether an Ed25519 signature (RFC 8032) of n bytes was made by the owner of the public key. */
bool ed25519_verify(const uint8_t signature[ED25519_SIGNATURE_BYTES], const void *data, size_t n,
                    const uint8_t key[ED25519_KEY_BYTES]);

/** Compares in a time that does not tell where the difference is. */
bool secret_same(const void *a, const void *b, size_t n);

/** n random bytes from the kernel. */
void random_bytes(void *out, size_t n);

/** Standard base64 with padding into room for 4*((n+2)/3)+1 characters. */
void base64_encode(char *out, const void *data, size_t n);

/**
 * Decodes n characters, upper or lower case, into at most `room` bytes; nothing else may be among
 * them.
 * Result   the number of bytes, or 0 where the text is empty, no hexadecimal or too long.
 */
size_t hex_read(uint8_t *out, size_t room, const char *text, size_t n);

/** The same for base64: of the standard or the URL alphabet (not mixed), with or without padding.
 */
size_t base64_read(uint8_t *out, size_t room, const char *text, size_t n);

#endif
