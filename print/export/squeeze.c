/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Huffman codes and bits of deflate; see squeeze.h. zlib's inflate looks at the result each time.
 */
#include "print/export/squeeze.h"

#include <stdbool.h>
#include <string.h>

#define END_OF_BLOCK 256
#define LONGEST_CODE 15
#define LENGTH_CODES 19   /* of the code that the codes' own lengths are written in */
#define LONGEST_LENGTH 7  /* bits of one of those */
#define HEADER_BYTES 1024 /* more than all lengths, the end and the empty block need */

/* Bits go out from the lowest on; up to 56 fit in before they must. */
struct bits {
    uint8_t *at;
    uint64_t held;
    unsigned count;
};

static void bits_out(struct bits *b)
{
    memcpy(b->at, &b->held, sizeof b->held); /* little endian, as deflate is */
    b->at += b->count >> 3;
    b->held >>= b->count & ~7u;
    b->count &= 7;
}

static void bits_put(struct bits *b, uint64_t value, unsigned count)
{
    b->held |= value << b->count;
    b->count += count;
}

/* What stands for a symbol: bits already turned round, and how many. */
struct code {
    uint16_t bits;
    uint8_t count;
};

static unsigned log2_of(uint32_t value)
{
    return 31u - (unsigned)__builtin_clz(value);
}

/* The symbol of a length: eight single ones, then four for each power of two; 258 has its own. */
static unsigned length_symbol(unsigned length, unsigned *extra)
{
    unsigned less = length - 3, power = less < 8 ? 0 : log2_of(less) - 2;
    *extra = length == SQUEEZE_LONGEST ? 0 : power;
    return length == SQUEEZE_LONGEST ? 285 : 257 + 4 * power + (less >> power);
}

/* The same of a distance: four single ones, then two for each power of two. */
static unsigned distance_symbol(unsigned less_one, unsigned *extra)
{
    unsigned power = less_one < 4 ? 0 : log2_of(less_one) - 1;
    *extra = power;
    return 2 * power + (less_one >> power);
}

static void count_plain(struct squeeze *squeeze, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        squeeze->letters[(uint8_t)text[i]]++;
}

void squeeze_add(struct squeeze *squeeze, const char *text, size_t at, size_t length,
                 size_t distance)
{
    unsigned extra;
    size_t plain = at - squeeze->done;
    squeeze->steps[squeeze->count++] = (struct squeeze_step){
        .plain = (uint32_t)plain,
        .length = (uint16_t)length,
        .distance_less_one = (uint16_t)(distance - 1),
    };
    count_plain(squeeze, text + squeeze->done, plain);
    squeeze->letters[length_symbol((unsigned)length, &extra)]++;
    squeeze->distances[distance_symbol((unsigned)distance - 1, &extra)]++;
    squeeze->done = at + length;
}

size_t squeeze_bound(const struct squeeze *squeeze, size_t n)
{
    return HEADER_BYTES + 6 * squeeze->count + 2 * n;
}

/* The symbols that occur, the rarest first, lower ones before higher ones. */
static int sort_used(uint16_t *order, const uint32_t *counts, int n)
{
    int used = 0;
    for (int s = 0; s < n; s++) {
        int at = used;
        if (counts[s] == 0)
            continue;
        for (; at > 0 && counts[order[at - 1]] > counts[s]; at--)
            order[at] = order[at - 1];
        order[at] = (uint16_t)s;
        used++;
    }
    return used;
}

/* One Huffman tree: leaves in their order and joints as they are made are two sorted rows, of which
 * the two lightest are joined again and again. Returns the deepest leaf's depth. */
static unsigned build_tree(uint8_t *lengths, const uint16_t *order, const uint32_t *counts,
                           int used)
{
    uint64_t weight[2 * SQUEEZE_LETTERS];
    uint16_t parent[2 * SQUEEZE_LETTERS] = {0};
    uint8_t depth[2 * SQUEEZE_LETTERS];
    int leaf = 0, joint = used, made = used;
    for (int i = 0; i < used; i++)
        weight[i] = counts[order[i]];
    for (; made < 2 * used - 1; made++) {
        weight[made] = 0;
        for (int side = 0; side < 2; side++) {
            bool from_leaf = leaf < used && (joint == made || weight[leaf] <= weight[joint]);
            int taken = from_leaf ? leaf++ : joint++;
            weight[made] += weight[taken];
            parent[taken] = (uint16_t)made;
        }
    }
    unsigned deepest = 0;
    depth[made - 1] = 0;
    for (int i = made - 2; i >= 0; i--) {
        depth[i] = (uint8_t)(depth[parent[i]] + 1);
        if (i < used)
            lengths[order[i]] = depth[i];
        deepest = depth[i] > deepest ? depth[i] : deepest;
    }
    return deepest;
}

/* Where a code would be too long, the counts are made more alike: rare, and costs next to nothing.
 */
static void choose_lengths(uint8_t *lengths, const uint32_t *counts, int n, unsigned longest)
{
    uint16_t order[SQUEEZE_LETTERS];
    uint32_t flatter[SQUEEZE_LETTERS];
    memcpy(flatter, counts, (size_t)n * sizeof *counts);
    memset(lengths, 0, (size_t)n);
    int used = sort_used(order, flatter, n);
    if (used < 2) {
        lengths[used ? order[0] : 0] = 1;
        return;
    }
    while (build_tree(lengths, order, flatter, used) > longest)
        for (int s = 0; s < n; s++)
            flatter[s] = flatter[s] ? flatter[s] / 2 + 1 : 0;
}

/* Codes of one length count upwards in the symbols' order. */
static void number_codes(struct code *codes, const uint8_t *lengths, int n)
{
    unsigned of_length[LONGEST_CODE + 2] = {0}, next[LONGEST_CODE + 2] = {0};
    for (int s = 0; s < n; s++)
        of_length[lengths[s]]++;
    of_length[0] = 0;
    for (int l = 1; l <= LONGEST_CODE; l++)
        next[l] = (next[l - 1] + of_length[l - 1]) << 1;
    for (int s = 0; s < n; s++) {
        unsigned turned = 0, code = lengths[s] ? next[lengths[s]]++ : 0;
        for (int i = 0; i < lengths[s]; i++)
            turned |= (code >> i & 1) << (lengths[s] - 1 - i);
        codes[s] = (struct code){(uint16_t)turned, lengths[s]};
    }
}

/* The lengths of both codes in one row, runs made short: 16 the last one again, 17 and 18 zeros. */
struct runs {
    uint8_t symbol[SQUEEZE_LETTERS + SQUEEZE_DISTANCES];
    uint8_t more[SQUEEZE_LETTERS + SQUEEZE_DISTANCES];
    int count;
    uint32_t counts[LENGTH_CODES];
};

static void add_run(struct runs *runs, int symbol, int more)
{
    runs->symbol[runs->count] = (uint8_t)symbol;
    runs->more[runs->count++] = (uint8_t)more;
    runs->counts[symbol]++;
}

static void find_runs(struct runs *runs, const uint8_t *lengths, int n)
{
    for (int i = 0; i < n;) {
        int run = 1;
        while (i + run < n && lengths[i + run] == lengths[i])
            run++;
        int length = lengths[i];
        i += run;
        if (length)
            add_run(runs, length, 0), run--;
        while (run >= 3) {
            int most = length ? 6 : 138, part = run < most ? run : most;
            int symbol = length ? 16 : part > 10 ? 18 : 17;
            add_run(runs, symbol, part - (symbol == 18 ? 11 : 3));
            run -= part;
        }
        while (run-- > 0)
            add_run(runs, length, 0);
    }
}

static int trimmed(const uint8_t *lengths, int n, int least)
{
    while (n > least && lengths[n - 1] == 0)
        n--;
    return n;
}

static void put_header(struct bits *b, const uint8_t *letters, const uint8_t *distances)
{
    static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                11, 4,  12, 3, 13, 2, 14, 1, 15};
    static const uint8_t more_bits[] = {2, 3, 7};
    uint8_t row[SQUEEZE_LETTERS + SQUEEZE_DISTANCES], lengths[LENGTH_CODES], turned[LENGTH_CODES];
    struct code codes[LENGTH_CODES];
    struct runs runs = {.count = 0};
    int letter_count = trimmed(letters, SQUEEZE_LETTERS, 257);
    int distance_count = trimmed(distances, SQUEEZE_DISTANCES, 1);
    memcpy(row, letters, (size_t)letter_count);
    memcpy(row + letter_count, distances, (size_t)distance_count);
    find_runs(&runs, row, letter_count + distance_count);
    choose_lengths(lengths, runs.counts, LENGTH_CODES, LONGEST_LENGTH);
    number_codes(codes, lengths, LENGTH_CODES);
    for (int i = 0; i < LENGTH_CODES; i++)
        turned[i] = lengths[order[i]];
    int sent = trimmed(turned, LENGTH_CODES, 4);
    bits_put(b, 2u << 1, 3); /* not the last block; codes of its own */
    bits_put(b, (uint64_t)(letter_count - 257), 5);
    bits_put(b, (uint64_t)(distance_count - 1), 5);
    bits_put(b, (uint64_t)(sent - 4), 4);
    bits_out(b);
    for (int i = 0; i < sent; i++) {
        bits_put(b, turned[i], 3);
        bits_out(b);
    }
    for (int i = 0; i < runs.count; i++) {
        int s = runs.symbol[i];
        bits_put(b, codes[s].bits, codes[s].count);
        if (s >= 16)
            bits_put(b, runs.more[i], more_bits[s - 16]);
        bits_out(b);
    }
}

/* The codes of a block; those of lengths with their extra bits. */
struct codes {
    struct code letters[SQUEEZE_LETTERS], distances[SQUEEZE_DISTANCES];
    uint32_t length_bits[SQUEEZE_LONGEST + 1];
    uint8_t length_count[SQUEEZE_LONGEST + 1];
};

static void fill_lengths(struct codes *codes)
{
    for (unsigned length = 3; length <= SQUEEZE_LONGEST; length++) {
        unsigned extra, symbol = length_symbol(length, &extra);
        struct code code = codes->letters[symbol];
        uint32_t low = (length - 3) & ((1u << extra) - 1);
        codes->length_bits[length] = code.bits | low << code.count;
        codes->length_count[length] = (uint8_t)(code.count + extra);
    }
}

static void put_plain(struct bits *b, const struct codes *codes, const char *text, size_t n)
{
    struct bits own = *b; /* in registers: out->at may be anything otherwise */
    for (; n >= 3; n -= 3, text += 3) {
        for (int i = 0; i < 3; i++) {
            struct code code = codes->letters[(uint8_t)text[i]];
            bits_put(&own, code.bits, code.count);
        }
        bits_out(&own);
    }
    for (; n > 0; n--, text++) {
        struct code code = codes->letters[(uint8_t)*text];
        bits_put(&own, code.bits, code.count);
    }
    bits_out(&own);
    *b = own;
}

static void put_repeat(struct bits *b, const struct codes *codes, const struct squeeze_step *step)
{
    unsigned extra, symbol = distance_symbol(step->distance_less_one, &extra);
    struct code code = codes->distances[symbol];
    bits_put(b, codes->length_bits[step->length], codes->length_count[step->length]);
    bits_put(b, code.bits, code.count);
    bits_put(b, step->distance_less_one & ((1u << extra) - 1), extra);
    bits_out(b);
}

size_t squeeze_write(uint8_t *out, struct squeeze *squeeze, const char *text, size_t n)
{
    uint8_t letters[SQUEEZE_LETTERS], distances[SQUEEZE_DISTANCES];
    struct codes codes = {0};
    struct bits b = {.at = out};
    count_plain(squeeze, text + squeeze->done, n - squeeze->done);
    squeeze->letters[END_OF_BLOCK] = 1;
    choose_lengths(letters, squeeze->letters, SQUEEZE_LETTERS, LONGEST_CODE);
    choose_lengths(distances, squeeze->distances, SQUEEZE_DISTANCES, LONGEST_CODE);
    number_codes(codes.letters, letters, SQUEEZE_LETTERS);
    number_codes(codes.distances, distances, SQUEEZE_DISTANCES);
    fill_lengths(&codes);
    put_header(&b, letters, distances);
    const char *at = text;
    for (size_t i = 0; i < squeeze->count; i++) {
        const struct squeeze_step *step = &squeeze->steps[i];
        put_plain(&b, &codes, at, step->plain);
        put_repeat(&b, &codes, step);
        at += step->plain + step->length;
    }
    put_plain(&b, &codes, at, (size_t)(text + n - at));
    bits_put(&b, codes.letters[END_OF_BLOCK].bits, codes.letters[END_OF_BLOCK].count);
    bits_put(&b, 0, 3); /* an empty block of plain bytes: it begins at a byte */
    b.count = (b.count + 7) & ~7u;
    bits_out(&b);
    static const uint8_t nothing[] = {0, 0, 0xff, 0xff};
    memcpy(b.at, nothing, sizeof nothing);
    return (size_t)(b.at - out) + sizeof nothing;
}
