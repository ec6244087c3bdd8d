/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matches of a 3MF's lines without a search through all that went before; see repeats.h. */
#include "print/export/repeats.h"

#include <string.h>

#define NOWHERE UINT32_MAX

void repeats_begin(struct repeats *repeats, const char *text)
{
    repeats->text = text;
    memset(repeats->last, 0xff, sizeof repeats->last);
    memset(repeats->alike, 0xff, sizeof repeats->alike);
}

/* How many bytes from here on are the same at an earlier place. */
static size_t same_bytes(const char *at, const char *before, size_t most)
{
    size_t n = 0;
    while (n < most) {
        uint64_t a, b;
        memcpy(&a, at + n, sizeof a);
        memcpy(&b, before + n, sizeof b);
        if (a != b) {
            n += (size_t)__builtin_ctzll(a ^ b) / 8;
            break;
        }
        n += sizeof a;
    }
    return n < most ? n : most;
}

/* Bytes that a farther repeat must be longer to pay for its distance: one saves about 3.4 bits, and
 * each doubling of the distance costs one. */
static size_t worth(size_t near, size_t far)
{
    int bits = __builtin_clzll(near) - __builtin_clzll(far);
    return bits > 0 ? ((size_t)bits * 10 + 33) / 34 : 0;
}

void repeats_find(struct squeeze *squeeze, struct repeats *repeats,
                  const struct repeats_field *fields, size_t count, size_t n)
{
    const char *text = repeats->text;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = fields[i].at, *last = &repeats->last[fields[i].column],
                 *alike = &repeats->alike[fields[i].column][fields[i].key];
        uint32_t near = *last, far = *alike;
        *last = *alike = at;
        if (at < squeeze->done)
            continue; /* a longer repeat went over it */
        size_t most = n - at < SQUEEZE_LONGEST ? n - at : SQUEEZE_LONGEST, length = 0, distance = 0;
        if (near != NOWHERE && at - near <= SQUEEZE_FARTHEST) {
            distance = at - near;
            length = same_bytes(text + at, text + near, most);
        }
        if (far != near && far != NOWHERE && at - far <= SQUEEZE_FARTHEST) {
            size_t other = same_bytes(text + at, text + far, most);
            if (other >= 3 && (length < 3 || other > length + worth(distance, at - far))) {
                distance = at - far;
                length = other;
            }
        }
        if (length >= 3)
            squeeze_add(squeeze, text, at, length, distance);
    }
}
