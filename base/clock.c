/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time and sortable ids; see clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford: no i l o u */

int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

double clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void clock_rfc3339(char out[TIME_ROOM])
{
    struct timespec t;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &tm);
    size_t n = strftime(out, TIME_ROOM, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, TIME_ROOM - n, ".%03uZ", (unsigned)(t.tv_nsec / 1000000) % 1000);
}

/* Ids of one thread made within a millisecond count on in the first digits behind it; the other 60
 * bits stay random, so that none can be guessed from its neighbour. */
static uint32_t count_on(uint64_t *ms, const unsigned char random[16])
{
    static _Thread_local uint64_t last_ms;
    static _Thread_local uint32_t count;
    if (*ms <= last_ms && count < 0xfffff) {
        *ms = last_ms;
        return ++count;
    }
    last_ms = *ms;
    count = (uint32_t)(random[0] << 16 | random[1] << 8 | random[2]) & 0x7ffff;
    return count;
}

void id_new(char out[ID_ROOM], const char *prefix)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    unsigned char random[16];
    random_bytes(random, sizeof random);
    uint32_t count = count_on(&ms, random);
    int n = snprintf(out, ID_ROOM, "%.4s_", prefix);
    for (int i = 9; i >= 0; i--)
        out[n++] = digits[(ms >> (5 * i)) & 31];
    for (int i = 3; i >= 0; i--)
        out[n++] = digits[(count >> (5 * i)) & 31];
    for (int i = 4; i < 16; i++)
        out[n++] = digits[random[i] & 31];
    out[n] = 0;
}

int id_valid(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(text, prefix, n) != 0 || text[n] != '_' || strlen(text) != n + 27)
        return 0;
    return strspn(text + n + 1, digits) == 26;
}
