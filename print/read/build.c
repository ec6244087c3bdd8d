/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The readers' common ground: growing a mesh, walking over text without copying it. */
#include "print/read/build.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int too_large(struct err *err)
{
    return FAIL_CODE(err, ERR_LIMIT, "mesh_too_large", "the mesh has over %zu triangles",
                     MESH_MAX_TRIANGLES);
}

static int grow(void **array, size_t *room, size_t wanted, size_t each, size_t cap, struct err *err)
{
    if (wanted > cap)
        return too_large(err);
    size_t more = *room + *room / 2 + 64;
    more = more > wanted ? more : wanted;
    void *grown = realloc(*array, more * each);
    if (!grown)
        return FAIL(err, ERR_LIMIT, "no memory for the mesh");
    *array = grown;
    *room = more;
    return 0;
}

int builder_reserve(struct mesh_builder *b, size_t vertices, size_t triangles, struct err *err)
{
    if (vertices > 3 * MESH_MAX_TRIANGLES || triangles > MESH_MAX_TRIANGLES)
        return too_large(err);
    size_t v = b->mesh.vertex_count + vertices, t = b->mesh.triangle_count + triangles;
    if (v > b->vertex_room && grow((void **)&b->mesh.xyz, &b->vertex_room, v, 3 * sizeof(float),
                                   3 * MESH_MAX_TRIANGLES, err))
        return -1;
    return t > b->triangle_room ? grow((void **)&b->mesh.triangles, &b->triangle_room, t,
                                       3 * sizeof(uint32_t), MESH_MAX_TRIANGLES, err)
                                : 0;
}

int builder_vertex(struct mesh_builder *b, float x, float y, float z, struct err *err)
{
    if (b->mesh.vertex_count == b->vertex_room && builder_reserve(b, 1, 0, err))
        return -1;
    float *p = b->mesh.xyz + 3 * b->mesh.vertex_count++;
    p[0] = x, p[1] = y, p[2] = z;
    return 0;
}

int builder_triangle(struct mesh_builder *b, uint32_t one, uint32_t two, uint32_t three,
                     struct err *err)
{
    if (b->mesh.triangle_count == b->triangle_room && builder_reserve(b, 0, 1, err))
        return -1;
    uint32_t *t = b->mesh.triangles + 3 * b->mesh.triangle_count++;
    t[0] = one, t[1] = two, t[2] = three;
    return 0;
}

void builder_free(struct mesh_builder *b)
{
    mesh_free(&b->mesh);
    *b = (struct mesh_builder){0};
}

bool text_line(struct text *text, struct text *line)
{
    if (text->at >= text->end)
        return false;
    const char *end = text->at;
    while (end < text->end && *end != '\n' && *end != '\r')
        end++;
    *line = (struct text){text->at, end};
    if (end + 1 < text->end && end[0] == '\r' && end[1] == '\n')
        end++;
    text->at = end < text->end ? end + 1 : end;
    return true;
}

static bool is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_white(struct text *text)
{
    while (text->at < text->end && is_white(*text->at))
        text->at++;
}

bool text_word(struct text *text, struct text *word)
{
    skip_white(text);
    word->at = text->at;
    while (text->at < text->end && !is_white(*text->at))
        text->at++;
    word->end = text->at;
    return word->end > word->at;
}

bool text_begins(const struct text *word, const char *value)
{
    size_t n = strlen(value);
    return (size_t)(word->end - word->at) >= n && strncasecmp(word->at, value, n) == 0;
}

bool text_is(const struct text *word, const char *value)
{
    return (size_t)(word->end - word->at) == strlen(value) && text_begins(word, value);
}

bool text_integer(struct text *text, int64_t *value)
{
    skip_white(text);
    const char *p = text->at;
    bool negative = p < text->end && *p == '-';
    p += p < text->end && (*p == '-' || *p == '+');
    const char *first = p;
    int64_t sum = 0;
    for (; p < text->end && isdigit((unsigned char)*p); p++)
        sum = sum > INT64_MAX / 16 ? sum : sum * 10 + (*p - '0');
    if (p == first)
        return false;
    *value = negative ? -sum : sum;
    text->at = p;
    return true;
}

/* The slow way for the rare number: words such as nan, more than 18 digits, large exponents. */
static bool number_by_library(struct text *text, double *value)
{
    char copy[64];
    struct text word;
    if (!text_word(text, &word))
        return false;
    size_t n = (size_t)(word.end - word.at);
    n = n < sizeof copy ? n : sizeof copy - 1;
    memcpy(copy, word.at, n);
    copy[n] = 0;
    char *end;
    *value = strtod(copy, &end);
    if (end == copy)
        *value = NAN;
    text->at = end == copy ? word.end : word.at + (end - copy);
    return true;
}

/*
 * Mesh files are mostly digits, and strtod took two thirds of the reading time. Up to 18 digits and
 * a power of ten to 22 are exact in a double but for one rounding, which a float does not see.
 */
bool text_number(struct text *text, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    skip_white(text);
    const char *p = text->at;
    bool negative = p < text->end && *p == '-';
    p += p < text->end && (*p == '-' || *p == '+');
    int digits = 0, scale = 0, exponent = 0;
    uint64_t sum = 0;
    bool point = false;
    for (; p < text->end && (isdigit((unsigned char)*p) || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        sum = sum * 10 + (uint64_t)(*p - '0');
        scale -= point;
        if (++digits > 18)
            return number_by_library(text, value);
    }
    if (digits == 0)
        return number_by_library(text, value);
    if (p < text->end && (*p == 'e' || *p == 'E')) {
        struct text rest = {p + 1, text->end};
        int64_t wide;
        if (p + 1 < text->end && !is_white(p[1]) && text_integer(&rest, &wide)) {
            exponent = wide > 400 ? 400 : wide < -400 ? -400 : (int)wide;
            p = rest.at;
        }
    }
    exponent += scale;
    if (exponent < -22 || exponent > 22)
        return number_by_library(text, value);
    double v = exponent < 0 ? (double)sum / powers[-exponent] : (double)sum * powers[exponent];
    *value = negative ? -v : v;
    text->at = p;
    return true;
}

void note(struct read_notes *notes, const char *sentence)
{
    if (strstr(notes->text, sentence))
        return;
    size_t used = strlen(notes->text);
    if (used + strlen(sentence) + 3 < sizeof notes->text)
        snprintf(notes->text + used, sizeof notes->text - used, "%s%s", used ? "; " : "", sentence);
}
