/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The streaming multipart/form-data parser; see multipart.h. Called by the upload of orders. */
#include "service/multipart.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BOUNDARY_MAX 70 /* RFC 2046, 5.1.1 */
#define HEADER_LINES_MAX 8
#define PADDING_MAX 16 /* white space after a boundary, which gateways may add */

enum state {
    AT_FIRST, /* the very first boundary, without a line end before it */
    AFTER_BOUNDARY,
    PADDING,
    BOUNDARY_LF,
    FINAL_DASH,
    IN_HEADER,
    IN_DATA,
    AT_END,
    AT_END_LF,
    AFTER_ALL
};

struct multipart {
    struct multipart_handler handler;
    unsigned parts, max_parts;
    enum state state;
    bool failed;
    struct err failure;
    char delimiter[BOUNDARY_MAX + 5]; /* CR LF - - boundary */
    size_t delimiter_len;
    size_t matched; /* of the delimiter */
    size_t padding;
    char header[MULTIPART_HEADER_BYTES];
    size_t header_len;
};

static bool boundary_char(char c)
{
    return c && (isalnum((unsigned char)c) || strchr("'()+_,-./:=? ", c));
}

/* Finds `key=` among the parameters after the first ';' and copies its value, quoted or not.
 * 0 found, 1 not there, -1 malformed, too long, or there twice. */
static int parameter(char *out, size_t room, const char *text, const char *key)
{
    const char *at = strchr(text, ';');
    int found = 1;
    if (!at)
        return 1;
    while (*at) {
        at += strspn(at, "; \t");
        if (!*at)
            break;
        size_t name_len = strcspn(at, "=; \t");
        if (at[name_len] != '=')
            return -1;
        bool wanted = name_len == strlen(key) && strncasecmp(at, key, name_len) == 0;
        if (wanted && found == 0)
            return -1;
        at += name_len + 1;
        bool quoted = *at == '"';
        at += quoted;
        size_t n = 0;
        for (; *at && (quoted ? *at != '"' : !strchr("; \t", *at)); at++) {
            if (quoted && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
                at++;
            if (wanted && n + 1 >= room)
                return -1;
            if (wanted)
                out[n++] = *at;
        }
        if (quoted && *at++ != '"')
            return -1;
        at += strspn(at, " \t");
        if (*at && *at != ';')
            return -1;
        if (wanted) {
            out[n] = 0;
            found = 0;
        }
    }
    return found;
}

static int boundary_read(char *out, const char *content_type, struct err *err)
{
    static const char form_data[] = "multipart/form-data";
    size_t n = sizeof form_data - 1;
    if (!content_type || strncasecmp(content_type, form_data, n) != 0 ||
        !strchr("; \t", content_type[n]))
        return FAIL_CODE(err, ERR_INPUT, "not_multipart", "the body must be multipart/form-data");
    if (parameter(out, BOUNDARY_MAX + 1, content_type, "boundary") != 0 || !*out)
        return FAIL_CODE(err, ERR_INPUT, "multipart_boundary",
                         "Content-Type needs one boundary of 1 to %d characters", BOUNDARY_MAX);
    for (const char *c = out; *c; c++)
        if (!boundary_char(*c) || (*c == ' ' && !c[1]))
            return FAIL_CODE(err, ERR_INPUT, "multipart_boundary",
                             "the boundary has a character that is not allowed in one");
    return 0;
}

int multipart_open(struct multipart **out, const char *content_type,
                   const struct multipart_handler *handler, unsigned max_parts, struct err *err)
{
    char boundary[BOUNDARY_MAX + 1] = "";
    *out = NULL;
    if (boundary_read(boundary, content_type, err))
        return -1;
    struct multipart *m = calloc(1, sizeof *m);
    if (!m)
        return FAIL(err, ERR_LIMIT, "no memory");
    m->handler = *handler;
    m->max_parts = max_parts;
    m->delimiter_len = strlen(boundary) + 4;
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary, m->delimiter_len - 3);
    m->matched = 2; /* the first one stands at the very start, as if a line end were before it */
    *out = m;
    return 0;
}

static int damaged(struct err *err, const char *what)
{
    return FAIL_CODE(err, ERR_INPUT, "multipart_damaged", "%s", what);
}

static int read_disposition(struct multipart_part *part, const char *value, struct err *err)
{
    static const char form_data[] = "form-data";
    size_t n = sizeof form_data - 1;
    if (strncasecmp(value, form_data, n) != 0 || !strchr("; \t", value[n]))
        return damaged(err, "a part's Content-Disposition is not form-data");
    if (parameter(part->name, sizeof part->name, value, "name") != 0 || !*part->name)
        return damaged(err, "a part has no proper name");
    int filename = parameter(part->filename, sizeof part->filename, value, "filename");
    if (filename < 0)
        return damaged(err, "a part's file name is malformed or too long");
    part->is_file = filename == 0;
    return 0;
}

/* One header line, NUL-terminated, without its line end. */
static int read_line(struct multipart_part *part, char *line, struct err *err)
{
    size_t name_len = strcspn(line, ":");
    if (!line[name_len] || !name_len)
        return damaged(err, "a part's header has a line without a name");
    for (size_t i = 0; i < name_len; i++)
        if (!isalnum((unsigned char)line[i]) && line[i] != '-')
            return damaged(err, "a part's header name has a character that is not allowed");
    char *value = line + name_len + 1;
    value += strspn(value, " \t");
    if (name_len == 19 && strncasecmp(line, "Content-Disposition", 19) == 0) {
        if (*part->name)
            return damaged(err, "a part has two Content-Dispositions");
        return read_disposition(part, value, err);
    }
    if (name_len == 12 && strncasecmp(line, "Content-Type", 12) == 0) {
        size_t n = strcspn(value, "; \t");
        if (n < sizeof part->mime)
            memcpy(part->mime, value, n), part->mime[n] = 0;
    }
    if (name_len == 25 && strncasecmp(line, "Content-Transfer-Encoding", 25) == 0 &&
        strcasecmp(value, "binary") != 0 && strcasecmp(value, "8bit") != 0 &&
        strcasecmp(value, "7bit") != 0)
        return damaged(err, "a part has a transfer encoding, which form-data may not have");
    return 0;
}

/* The whole header of a part has been gathered: lines that each end in CR LF. */
static int begin_part(struct multipart *m, struct err *err)
{
    struct multipart_part part = {.name = ""};
    unsigned lines = 0;
    for (char *line = m->header, *end; line < m->header + m->header_len; line = end + 2) {
        end = strstr(line, "\r\n");
        *end = 0;
        if (++lines > HEADER_LINES_MAX)
            return FAIL_CODE(err, ERR_LIMIT, "multipart_header", "a part has too many headers");
        if (read_line(&part, line, err))
            return -1;
    }
    if (!*part.name)
        return damaged(err, "a part has no Content-Disposition");
    if (++m->parts > m->max_parts)
        return FAIL_CODE(err, ERR_LIMIT, "multipart_parts", "more than %u parts", m->max_parts);
    return m->handler.begin(m->handler.user, &part, err);
}

/* One more byte of a part's header; line ends are CR LF only, so that no two readers disagree. */
static int feed_header(struct multipart *m, char c, struct err *err)
{
    char last = m->header_len ? m->header[m->header_len - 1] : 0;
    if ((unsigned char)c < ' ' && c != '\t' && c != '\r' && c != '\n')
        return damaged(err, "a part's header has a control character");
    if ((c == '\n') != (last == '\r') || c == 0x7f)
        return damaged(err, "a part's header has a bare line end");
    if (m->header_len + 1 >= sizeof m->header)
        return FAIL_CODE(err, ERR_LIMIT, "multipart_header", "a part's header is over %d bytes",
                         MULTIPART_HEADER_BYTES);
    m->header[m->header_len++] = c;
    m->header[m->header_len] = 0;
    size_t n = m->header_len;
    bool blank = c == '\n' && (n == 2 || (n >= 4 && m->header[n - 3] == '\n'));
    if (!blank)
        return 0;
    m->header_len -= 2;
    m->header[m->header_len] = 0;
    m->state = IN_DATA;
    m->matched = 0;
    return begin_part(m, err);
}

static int give(struct multipart *m, const void *data, size_t n, struct err *err)
{
    return n ? m->handler.data(m->handler.user, data, n, err) : 0;
}

/*
 * Data up to the delimiter; *used gets how many bytes were taken. CR stands in the delimiter at its
 * start only, so a failed match can begin again nowhere but at the byte that broke it.
 */
static int feed_data(struct multipart *m, const uint8_t *data, size_t n, size_t *used,
                     struct err *err)
{
    if (m->matched == 0) {
        const uint8_t *cr = memchr(data, '\r', n);
        *used = cr ? (size_t)(cr - data) + 1 : n;
        m->matched = cr ? 1 : 0;
        return give(m, data, cr ? *used - 1 : n, err);
    }
    if (data[0] != (uint8_t)m->delimiter[m->matched]) {
        size_t kept = m->matched;
        m->matched = 0;
        *used = 0;
        return give(m, m->delimiter, kept, err);
    }
    *used = 1;
    if (++m->matched < m->delimiter_len)
        return 0;
    m->state = AFTER_BOUNDARY;
    return m->handler.end(m->handler.user, err);
}

static void start_header(struct multipart *m)
{
    m->state = IN_HEADER;
    m->header_len = 0;
    m->header[0] = 0;
}

/* A byte around a boundary line. */
static int feed_boundary(struct multipart *m, char c, struct err *err)
{
    switch (m->state) {
    case AT_FIRST:
        if (c != m->delimiter[m->matched])
            return damaged(err, "the body does not begin with its boundary");
        if (++m->matched == m->delimiter_len)
            m->state = AFTER_BOUNDARY;
        return 0;
    case AFTER_BOUNDARY:
        m->padding = 0;
        if (c == '-' || c == '\r') {
            m->state = c == '-' ? FINAL_DASH : BOUNDARY_LF;
            return 0;
        }
        m->state = PADDING; /* fall through */
    case PADDING:
        if (c == '\r')
            m->state = BOUNDARY_LF;
        else if ((c != ' ' && c != '\t') || ++m->padding > PADDING_MAX)
            return damaged(err, "something follows a boundary on its line");
        return 0;
    case BOUNDARY_LF:
        if (c != '\n')
            return damaged(err, "a boundary has a bare carriage return");
        start_header(m);
        return 0;
    case FINAL_DASH:
        if (c != '-')
            return damaged(err, "the final boundary is malformed");
        m->state = AT_END;
        return 0;
    case AT_END:
    case AT_END_LF:
        if (c != (m->state == AT_END ? '\r' : '\n'))
            break;
        m->state = m->state == AT_END ? AT_END_LF : AFTER_ALL;
        return 0;
    default:
        break;
    }
    return damaged(err, "something follows the final boundary");
}

static int feed(struct multipart *m, const uint8_t *data, size_t n, struct err *err)
{
    while (n) {
        size_t used = 1;
        int failed;
        if (m->state == IN_DATA)
            failed = feed_data(m, data, n, &used, err);
        else if (m->state == IN_HEADER)
            failed = feed_header(m, (char)*data, err);
        else
            failed = feed_boundary(m, (char)*data, err);
        if (failed)
            return -1;
        data += used;
        n -= used;
    }
    return 0;
}

int multipart_feed(struct multipart *m, const void *data, size_t n, struct err *err)
{
    if (!m->failed && feed(m, data, n, &m->failure))
        m->failed = true;
    if (m->failed && err)
        *err = m->failure;
    return m->failed ? -1 : 0;
}

int multipart_end(const struct multipart *m, struct err *err)
{
    if (m->failed) {
        if (err)
            *err = m->failure;
        return -1;
    }
    if (m->state < AT_END)
        return FAIL_CODE(err, ERR_INPUT, "multipart_unfinished",
                         "the body ended before its final boundary");
    return 0;
}

void multipart_close(struct multipart *m)
{
    free(m);
}
