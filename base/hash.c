/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes, signatures and their encodings through libsodium; see hash.h. */
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct sha256), "room for the state");

void sha256_start(struct sha256 *hash)
{
    crypto_hash_sha256_init((crypto_hash_sha256_state *)hash->state);
}

void sha256_feed(struct sha256 *hash, const void *data, size_t n)
{
    crypto_hash_sha256_update((crypto_hash_sha256_state *)hash->state, data, n);
}

void sha256_end(char hex[SHA256_HEX], struct sha256 *hash)
{
    unsigned char sum[SHA256_BYTES];
    crypto_hash_sha256_final((crypto_hash_sha256_state *)hash->state, sum);
    sodium_bin2hex(hex, SHA256_HEX, sum, sizeof sum);
}

void sha256_hex(char hex[SHA256_HEX], const void *data, size_t n)
{
    struct sha256 hash;
    sha256_start(&hash);
    sha256_feed(&hash, data, n);
    sha256_end(hex, &hash);
}

int sha256_file(char hex[SHA256_HEX], uint64_t *size_bytes, const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return FAIL_ERRNO(err, "cannot open %s", path);
    struct sha256 hash;
    sha256_start(&hash);
    static const size_t piece = 65536;
    unsigned char data[65536];
    uint64_t total = 0;
    ssize_t n;
    while ((n = read(fd, data, piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int failed = FAIL_ERRNO(err, "cannot read %s", path);
            close(fd);
            return failed;
        }
        sha256_feed(&hash, data, (size_t)n);
        total += (uint64_t)n;
    }
    close(fd);
    sha256_end(hex, &hash);
    if (size_bytes)
        *size_bytes = total;
    return 0;
}

void hmac_sha256(uint8_t mac[HMAC_SHA256_BYTES], const void *key, size_t key_bytes,
                 const struct hash_part *parts, size_t count)
{
    _Static_assert(HMAC_SHA256_BYTES == crypto_auth_hmacsha256_BYTES, "libsodium's length");
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_bytes);
    for (size_t i = 0; i < count; i++)
        crypto_auth_hmacsha256_update(&state, parts[i].data, parts[i].bytes);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
}

bool ed25519_verify(const uint8_t signature[ED25519_SIGNATURE_BYTES], const void *data, size_t n,
                    const uint8_t key[ED25519_KEY_BYTES])
{
    return crypto_sign_ed25519_verify_detached(signature, data, n, key) == 0;
}

bool secret_same(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void random_bytes(void *out, size_t n)
{
    randombytes_buf(out, n);
}

void base64_encode(char *out, const void *data, size_t n)
{
    sodium_bin2base64(out, sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL), data, n,
                      sodium_base64_VARIANT_ORIGINAL);
}

size_t hex_read(uint8_t *out, size_t room, const char *text, size_t n)
{
    size_t bytes = 0;
    /* Without a place to put the end, libsodium refuses anything that follows. */
    return sodium_hex2bin(out, room, text, n, NULL, &bytes, NULL) == 0 ? bytes : 0;
}

size_t base64_read(uint8_t *out, size_t room, const char *text, size_t n)
{
    size_t bytes = 0;
    bool url = memchr(text, '-', n) || memchr(text, '_', n);
    while (n > 0 && text[n - 1] == '=')
        n--;
    int variant =
        url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    return sodium_base642bin(out, room, text, n, NULL, &bytes, NULL, variant) == 0 ? bytes : 0;
}
