/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OFF: counts, vertices, polygons; comments anywhere; colours after the numbers are ignored. */
#include "print/read/build.h"

/* The next line that says something, without its comment. */
static bool next_line(struct text *text, struct text *line)
{
    while (text_line(text, line)) {
        for (const char *p = line->at; p < line->end; p++)
            if (*p == '#')
                line->end = p;
        struct text probe = *line, word;
        if (text_word(&probe, &word))
            return true;
    }
    return false;
}

static int read_polygon(struct mesh_builder *out, struct text *line, size_t vertex_count,
                        struct err *err)
{
    int64_t corners, v;
    uint32_t first = 0, last = 0;
    if (!text_integer(line, &corners) || corners < 0)
        return DAMAGED(err, "a face does not say how many corners it has");
    for (int64_t i = 0; i < corners; i++) {
        if (!text_integer(line, &v))
            return TRUNCATED(err, "a face has fewer corners than it says");
        if (v < 0 || (uint64_t)v >= vertex_count)
            return DAMAGED(err, "a face names vertex %lld of %zu", (long long)v, vertex_count);
        if (i > 1 && builder_triangle(out, first, last, (uint32_t)v, err))
            return -1;
        first = i == 0 ? (uint32_t)v : first;
        last = (uint32_t)v;
    }
    return 0;
}

/* The counts stand behind the word OFF or on the next line. */
static int read_counts(struct text *text, int64_t *vertices, int64_t *faces, struct err *err)
{
    struct text line, word;
    bool there = next_line(text, &line) && text_word(&line, &word);
    if (there) {
        /* Some files leave no blank: "OFF8 6 12". */
        line.at = word.at;
        while (line.at < word.end && (*line.at < '0' || *line.at > '9'))
            line.at++;
    }
    if (there && !text_integer(&line, vertices))
        there = next_line(text, &line) && text_integer(&line, vertices);
    if (!there || !text_integer(&line, faces) || *vertices < 0 || *faces < 0)
        return TRUNCATED(err, "the file does not say how many vertices and faces it has");
    return 0;
}

int read_off(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err)
{
    (void)notes;
    struct text text = {(const char *)data, (const char *)data + n}, line;
    int64_t vertices, faces;
    if (read_counts(&text, &vertices, &faces, err))
        return -1;
    for (int64_t i = 0; i < vertices; i++) {
        double p[3];
        if (!next_line(&text, &line))
            return TRUNCATED(err, "the file ends at vertex %lld of %lld", (long long)i,
                             (long long)vertices);
        for (int k = 0; k < 3; k++)
            if (!text_number(&line, &p[k]))
                return DAMAGED(err, "vertex %lld has fewer than three numbers", (long long)i);
        if (builder_vertex(out, (float)p[0], (float)p[1], (float)p[2], err))
            return -1;
    }
    for (int64_t i = 0; i < faces; i++) {
        if (!next_line(&text, &line))
            return TRUNCATED(err, "the file ends at face %lld of %lld", (long long)i,
                             (long long)faces);
        if (read_polygon(out, &line, out->mesh.vertex_count, err))
            return -1;
    }
    return 0;
}
