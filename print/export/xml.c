/* SPDX-License-Identifier: GPL-3.0-or-later */
/* XML escaping; see xml.h. */
#include "print/export/xml.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the well-formed UTF-8 character at s, with its code point; 0 when it is broken. */
static size_t utf8_take(uint32_t *code, const unsigned char *s)
{
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc2 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4
                             : 0;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (n == 0)
        return 0;
    uint32_t value = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s[i] & 0x3f);
    }
    *code = value;
    return value < smallest[n] || value > 0x10ffff ? 0 : n;
}

static int allowed(uint32_t code)
{
    return code >= 0x20 && !(code >= 0x7f && code < 0xa0) && !(code >= 0xd800 && code < 0xe000) &&
           (code & 0xfffe) != 0xfffe;
}

static const char *escape_of(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    default:
        return NULL;
    }
}

static int put(struct bytes *out, const char *text, size_t max_chars, int escaped, struct err *err)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t kept = 0;
    while (*s && kept < max_chars) {
        static const unsigned char space[] = " ";
        bool white = *s == '\t' || *s == '\n' || *s == '\r';
        uint32_t code = 0;
        size_t n = utf8_take(&code, white ? space : s);
        if (n > 0 && allowed(code)) {
            const char *escape = escaped ? escape_of(code) : NULL;
            if (bytes_append(out,
                             escape  ? escape
                             : white ? " "
                                     : (const char *)s,
                             escape ? strlen(escape) : n, err))
                return -1;
            kept++;
        }
        s += n > 0 ? n : 1;
    }
    return 0;
}

int xml_text(struct bytes *out, const char *text, size_t max_chars, struct err *err)
{
    return put(out, text, max_chars, 1, err);
}

int xml_plain(struct bytes *out, const char *text, size_t max_chars, struct err *err)
{
    return put(out, text, max_chars, 0, err);
}
