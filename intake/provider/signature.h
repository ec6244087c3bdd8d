/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks of the signatures that providers put on their pushes. The drivers know where in the
 * headers signature and time are and what is signed; how it is checked is here. */
#ifndef INTAKE_PROVIDER_SIGNATURE_H
#define INTAKE_PROVIDER_SIGNATURE_H

#include <stdbool.h>

#include "base/hash.h"

#define SIGNATURE_WINDOW_S 300 /* an older or a younger push counts as one replayed */

/** Unix seconds of n characters, all of them digits, at most 12. Result -1 where they are not. */
int64_t signature_time(const char *text, size_t n);

/** Whether signed_s is no further than SIGNATURE_WINDOW_S from now_s, on either side. */
bool signature_is_fresh(int64_t signed_s, int64_t now_s);

/**
 * Whether the n characters at `text`, in hexadecimal or base64, are the HMAC-SHA256 of the parts.
 * Compared in constant time. False also where they are no such text. An empty key matches nothing:
 * anybody could sign with it.
 */
bool signature_hmac_hex(const char *text, size_t n, const void *key, size_t key_bytes,
                        const struct hash_part *parts, size_t count);
bool signature_hmac_base64(const char *text, size_t n, const void *key, size_t key_bytes,
                           const struct hash_part *parts, size_t count);

/** Whether the n characters at `hex` are an Ed25519 signature of `data` by the public key, which is
 * in base64 (as in the member "x" of a JSON web key). */
bool signature_ed25519_hex(const char *hex, size_t n, const char *key_base64, const void *data,
                           size_t bytes);

#endif
