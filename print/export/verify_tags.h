/* SPDX-License-Identifier: GPL-3.0-or-later */
/* XML of ours, where each line is one tag, read again without a line of what wrote it. */
#ifndef PRINT_EXPORT_VERIFY_TAGS_H
#define PRINT_EXPORT_VERIFY_TAGS_H

#include "base/err.h"
#include "print/read/text.h"

#define TAG_ATTRIBUTES_MAX 12

struct tag {
    struct text name;  /* "metadata"; "/metadata" where it ends one; "?xml" */
    struct text inner; /* text of <a>text</a>, else empty */
    struct {
        struct text name, value;
    } attributes[TAG_ATTRIBUTES_MAX];
    size_t count;
};

/** Reads a line that is one tag; false when it is none. */
bool tag_read(struct tag *tag, struct text line);

/** The escaped value of an attribute, or NULL. */
const struct text *tag_attribute(const struct tag *tag, const char *name);

/**
 * Whether XML text says what was meant: escapes undone, line ends and tabs as spaces, other control
 * characters and broken UTF-8 left out, at most `most` characters. meant may be NULL: nothing.
 */
bool tag_says(struct text xml, const char *meant, size_t most);

/* What a tag should hold: attributes, and with an empty name its text. A value of NULL is one that
 * must not be there; a name of NULL ends the list. */
struct tag_want {
    const char *name, *value;
    size_t most; /* characters kept of the value; 0: it is written as it is */
};

/* A part on its way. */
struct tags {
    const char *part; /* its name, for failures */
    struct text rest;
    struct err *err;
};

/** Takes the next line. Errors ERR_BUG export_differs: there is none, or it is no tag. */
int tags_next(struct tags *tags, struct tag *tag) MUST_CHECK;

/** Takes the next line, which must be this element with just these attributes in any order. */
int tags_expect(struct tags *tags, const char *element, const struct tag_want *wants) MUST_CHECK;
#define IS(attribute, as_written)                                                                  \
    {                                                                                              \
        .name = (attribute), .value = (as_written)                                                 \
    }
#define MEANS(attribute, text, most_kept)                                                          \
    {                                                                                              \
        .name = (attribute), .value = (text), .most = (most_kept)                                  \
    }
#define TAGS_EXPECT(tags, element, ...)                                                            \
    tags_expect((tags), (element), (const struct tag_want[]){__VA_ARGS__, {.name = NULL}})
/** The same of an element without attributes. */
#define TAGS_BARE(tags, element)                                                                   \
    tags_expect((tags), (element), (const struct tag_want[]){{.name = NULL}})

/** Nothing may be left. */
int tags_end(struct tags *tags) MUST_CHECK;

#endif
