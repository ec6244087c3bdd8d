/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks of signed pushes, for the drivers; see signature.h. */
#include "intake/provider/signature.h"

#include <string.h>

int64_t signature_time(const char *text, size_t n)
{
    int64_t value = 0;
    if (n == 0 || n > 12)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = 10 * value + (text[i] - '0');
    }
    return value;
}

bool signature_is_fresh(int64_t signed_s, int64_t now_s)
{
    int64_t apart = signed_s > now_s ? signed_s - now_s : now_s - signed_s;
    return signed_s >= 0 && apart <= SIGNATURE_WINDOW_S;
}

static bool is_mac(const uint8_t *said, size_t said_bytes, const void *key, size_t key_bytes,
                   const struct hash_part *parts, size_t count)
{
    uint8_t mac[HMAC_SHA256_BYTES];
    if (said_bytes != sizeof mac || key_bytes == 0)
        return false;
    hmac_sha256(mac, key, key_bytes, parts, count);
    return secret_same(mac, said, sizeof mac);
}

bool signature_hmac_hex(const char *text, size_t n, const void *key, size_t key_bytes,
                        const struct hash_part *parts, size_t count)
{
    uint8_t said[HMAC_SHA256_BYTES];
    return is_mac(said, hex_read(said, sizeof said, text, n), key, key_bytes, parts, count);
}

bool signature_hmac_base64(const char *text, size_t n, const void *key, size_t key_bytes,
                           const struct hash_part *parts, size_t count)
{
    uint8_t said[HMAC_SHA256_BYTES];
    return is_mac(said, base64_read(said, sizeof said, text, n), key, key_bytes, parts, count);
}

bool signature_ed25519_hex(const char *hex, size_t n, const char *key_base64, const void *data,
                           size_t bytes)
{
    uint8_t said[ED25519_SIGNATURE_BYTES], key[ED25519_KEY_BYTES];
    return hex_read(said, sizeof said, hex, n) == sizeof said &&
           base64_read(key, sizeof key, key_base64, strlen(key_base64)) == sizeof key &&
           ed25519_verify(said, data, bytes, key);
}
