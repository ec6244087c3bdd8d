/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line of XML that is one tag, with or without text in it; see verify_tags.h. */
#include "print/export/verify_tags.h"

#include <string.h>

#define DIFFERS(tags, ...) FAIL_CODE((tags)->err, ERR_BUG, "export_differs", __VA_ARGS__)

static bool starts(struct text *text, const char *words)
{
    size_t n = strlen(words);
    if ((size_t)(text->end - text->at) < n || memcmp(text->at, words, n) != 0)
        return false;
    text->at += n;
    return true;
}

/* One character of escaped text, as its bytes; 0 at the end or where it is no escape. */
static size_t unescape(char out[4], struct text *xml)
{
    static const struct {
        const char *escape, plain;
    } known[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    if (xml->at == xml->end)
        return 0;
    if (*xml->at == '&') {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (starts(xml, known[i].escape))
                return *out = known[i].plain, 1;
        return 0;
    }
    size_t n = 1;
    *out = *xml->at++;
    while (n < 4 && xml->at < xml->end && ((unsigned char)*xml->at & 0xc0) == 0x80)
        out[n++] = *xml->at++;
    return *out == '<' || *out == '"' ? 0 : n;
}

/* Bytes of the character that should be kept of s, or 0: then one byte is left out, and so are
 * those that follow it. By the table of well-formed sequences in the Unicode standard (3-7). */
static size_t good_character(const unsigned char *s)
{
    static const struct {
        unsigned char from, to, second_from, second_to, bytes;
    } table[] = {{0x20, 0x7e, 0, 0, 1},       {0xc2, 0xc2, 0xa0, 0xbf, 2},
                 {0xc3, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                 {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
                 {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                 {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t n = table[i].bytes;
        if (*s < table[i].from || *s > table[i].to)
            continue;
        if (n > 1 && (s[1] < table[i].second_from || s[1] > table[i].second_to))
            return 0;
        for (size_t k = 2; k < n; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        /* the last two of each plane are no characters */
        bool last = n == 3 ? !memcmp(s, "\xef\xbf", 2) && s[2] >= 0xbe
                           : n == 4 && (s[1] & 0xf) == 0xf && s[2] == 0xbf && s[3] >= 0xbe;
        return last ? 0 : n;
    }
    return 0;
}

bool tag_says(struct text xml, const char *meant, size_t most)
{
    const unsigned char *s = (const unsigned char *)(meant ? meant : "");
    while (*s && most > 0) {
        char out[4];
        bool white = *s == '\t' || *s == '\n' || *s == '\r';
        size_t n = white ? 1 : good_character(s);
        if (n == 0) {
            s++;
            continue;
        }
        if (unescape(out, &xml) != n || memcmp(out, white ? " " : (const char *)s, n) != 0)
            return false;
        s += n;
        most--;
    }
    return xml.at == xml.end;
}

static bool is(const struct text *text, const char *value)
{
    size_t n = strlen(value);
    return text->at && (size_t)(text->end - text->at) == n && memcmp(text->at, value, n) == 0;
}

/* Cuts off what stands before any of these characters; false when none comes. */
static bool cut(struct text *out, struct text *from, const char *before)
{
    const char *at = from->at;
    while (at < from->end && !strchr(before, *at))
        at++;
    *out = (struct text){from->at, at};
    from->at = at;
    return at < from->end;
}

static bool read_attributes(struct tag *tag, struct text *line)
{
    while (starts(line, " ")) {
        if (tag->count == TAG_ATTRIBUTES_MAX)
            return false;
        struct text *name = &tag->attributes[tag->count].name,
                    *value = &tag->attributes[tag->count].value;
        if (!cut(name, line, "= \"<>") || !starts(line, "=\"") || !cut(value, line, "\"<>") ||
            !starts(line, "\""))
            return false;
        tag->count++;
    }
    return true;
}

bool tag_read(struct tag *tag, struct text line)
{
    *tag = (struct tag){0};
    while (starts(&line, " "))
        ;
    if (!starts(&line, "<") || !cut(&tag->name, &line, " >") || !read_attributes(tag, &line))
        return false;
    if (starts(&line, "/>") || starts(&line, "?>") || !starts(&line, ">"))
        return line.at == line.end && line.at[-1] == '>';
    tag->inner = (struct text){line.at, line.at};
    if (line.at == line.end)
        return true;
    return cut(&tag->inner, &line, "<") && starts(&line, "</") && line.end > line.at &&
           line.end[-1] == '>' && line.end - 1 - line.at == tag->name.end - tag->name.at &&
           !memcmp(line.at, tag->name.at, (size_t)(line.end - 1 - line.at));
}

const struct text *tag_attribute(const struct tag *tag, const char *name)
{
    for (size_t i = 0; i < tag->count; i++)
        if (is(&tag->attributes[i].name, name))
            return &tag->attributes[i].value;
    return NULL;
}

int tags_next(struct tags *tags, struct tag *tag)
{
    struct text line;
    if (!text_line(&tags->rest, &line))
        return DIFFERS(tags, "%s ends too early", tags->part);
    return tag_read(tag, line)
               ? 0
               : DIFFERS(tags, "%s has a line that is no tag: %.60s", tags->part, line.at);
}

static bool value_right(const struct text *found, const struct tag_want *want)
{
    if (!want->value)
        return !found;
    return found &&
           (want->most ? tag_says(*found, want->value, want->most) : is(found, want->value));
}

int tags_expect(struct tags *tags, const char *element, const struct tag_want *wants)
{
    struct tag tag;
    size_t wanted = 0;
    if (tags_next(tags, &tag))
        return -1;
    if (!is(&tag.name, element))
        return DIFFERS(tags, "%s has %.*s in place of %s", tags->part,
                       (int)(tag.name.end - tag.name.at), tag.name.at, element);
    for (; wants->name; wants++) {
        bool inner = !*wants->name;
        wanted += !inner && wants->value;
        if (!value_right(inner ? &tag.inner : tag_attribute(&tag, wants->name), wants))
            return DIFFERS(tags, "%s: %s of %s reads back differently", tags->part,
                           inner ? "the text" : wants->name, element);
    }
    if (wanted != tag.count)
        return DIFFERS(tags, "%s: %s says more than it should", tags->part, element);
    return 0;
}

int tags_end(struct tags *tags)
{
    return tags->rest.at == tags->rest.end ? 0 : DIFFERS(tags, "%s goes on too long", tags->part);
}
