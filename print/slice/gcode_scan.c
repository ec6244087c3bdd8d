/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The streaming reader of G-code; see gcode_scan.h. Files are 10 to 200 MB, some are 1 GB. */
#include "print/slice/gcode_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES 262144
#define PAD_BYTES 32 /* moves are read eight bytes at a time */

void gcode_note(struct gcode_scan *s, enum gcode_fault fault, double value, const char *text)
{
    struct gcode_note *note = &s->notes[fault];
    if (note->count++ == 0) {
        note->line = s->lines;
        note->value = value;
        snprintf(note->text, sizeof note->text, "%s", text ? text : "");
    }
    if (fabs(value) > fabs(note->value))
        note->value = value;
}

/* Bytes of the sequence that begins there, or 0 when it is none. */
static size_t utf8_length(const uint8_t *at, size_t n)
{
    size_t more = *at < 0x80                  ? 0
                  : *at >= 0xc2 && *at < 0xe0 ? 1
                  : (*at & 0xf0) == 0xe0      ? 2
                  : *at >= 0xf0 && *at < 0xf5 ? 3
                                              : 9;
    if (more >= n)
        return 0;
    for (size_t i = 1; i <= more; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return more + 1;
}

/*
 * Bytes that a printer may take otherwise than we do. Marlin ends a line at a lone carriage return:
 * what follows it in a comment would be a command.
 */
static bool check_bytes(struct gcode_scan *s, const char *line, size_t n, size_t command)
{
    bool sound = true;
    for (size_t i = 0, step = 1; i < n; i += step, step = 1) {
        uint8_t c = (uint8_t)line[i];
        if (c == '\r') {
            gcode_note(s, FAULT_LONE_CR, (double)i, NULL);
            sound = false;
        } else if ((c < 0x20 && c != '\t') || c == 0x7f || (c >= 0x80 && i < command)) {
            gcode_note(s, FAULT_BYTES, c, NULL);
            sound = false;
        } else if (c >= 0x80 && !(step = utf8_length((const uint8_t *)line + i, n - i))) {
            gcode_note(s, FAULT_NOT_UTF8, c, NULL);
            return sound;
        }
    }
    return sound;
}

/* A line of n bytes without its end; the byte behind it may be overwritten. */
static void take_line(struct gcode_scan *s, char *line, size_t n)
{
    s->lines++;
    while (n > 0 && (*line == ' ' || *line == '\t'))
        line++, n--;
    n -= n > 0 && line[n - 1] == '\r';
    line[n] = 0;
    if (n == 0)
        return;
    char *semicolon = memchr(line, ';', n);
    size_t command = semicolon ? (size_t)(semicolon - line) : n;
    if (!check_bytes(s, line, n, command))
        return;
    if (command == 0) {
        gcode_comment(s, line);
        return;
    }
    line[command] = 0;
    if (command > GCODE_LONGEST_COMMAND && s->limits->flavour != FLAVOUR_KLIPPER)
        gcode_note(s, FAULT_LONG_LINE, (double)command, line);
    gcode_command(s, line);
}

/* The text ends with a line end. */
static void take_lines(struct gcode_scan *s, char *text, size_t n)
{
    char *end = text + n;
    while (text < end) {
        text = (char *)gcode_moves(s, text, end);
        if (text == end)
            break;
        char *stop = memchr(text, '\n', (size_t)(end - text));
        take_line(s, text, (size_t)(stop - text));
        text = stop + 1;
    }
}

/* What slicers and printers also call G-code, and what is no text. */
static int refuse_packed(const char *head, size_t n, struct err *err)
{
    static const struct {
        const char *magic, *what;
    } kinds[] = {{"\x1f\x8b", "gzip"}, {"PK\x03\x04", "a zip archive"}, {"GCDE", "binary G-code"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (n >= 4 && memcmp(head, kinds[i].magic, strlen(kinds[i].magic)) == 0)
            return FAIL_CODE(err, ERR_INPUT, "gcode_packed",
                             "this is %s, not plain text: unpack it, or export plain G-code",
                             kinds[i].what);
    return 0;
}

struct reader {
    int fd;
    char *buffer;
    size_t kept;
    uint64_t read, size;
    void (*on_progress)(void *user, double share);
    void *user;
};

/* 1 at the end. */
static int fill(struct reader *r, struct err *err)
{
    ssize_t got;
    do
        got = read(r->fd, r->buffer + r->kept, BUFFER_BYTES - r->kept);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return FAIL_ERRNO(err, "cannot read the G-code");
    if (r->read == 0 && refuse_packed(r->buffer, (size_t)got, err))
        return -1;
    r->kept += (size_t)got;
    r->read += (uint64_t)got;
    if (r->on_progress && r->size > 0 && got > 0)
        r->on_progress(r->user, fmin(1, (double)r->read / (double)r->size));
    return got == 0;
}

static int scan_all(struct gcode_scan *s, struct reader *r, struct err *err)
{
    int ended;
    while ((ended = fill(r, err)) == 0) {
        const char *last = memrchr(r->buffer, '\n', r->kept);
        size_t used = last ? (size_t)(last - r->buffer) + 1 : 0;
        if (used == 0 && r->kept == BUFFER_BYTES) { /* no line is that long */
            s->lines++;
            gcode_note(s, FAULT_LONG_LINE, BUFFER_BYTES, NULL);
            s->lines--;
            used = r->kept;
        } else {
            take_lines(s, r->buffer, used);
        }
        memmove(r->buffer, r->buffer + used, r->kept - used);
        r->kept -= used;
    }
    if (ended > 0 && r->kept > 0)
        take_line(s, r->buffer, r->kept);
    return ended < 0 ? -1 : 0;
}

static void prepare(struct gcode_scan *s, const struct gcode_limits *limits)
{
    *s =
        (struct gcode_scan){.limits = limits, .header_layers = -1, .last_layer = -1, .watch = true};
    for (int i = 0; i < 3; i++) {
        s->low[i] = INFINITY;
        s->high[i] = -INFINITY;
    }
    s->print_nozzle_c[0] = s->print_bed_c[0] = INFINITY;
    s->print_z = s->gap_z = INFINITY;
    /* Four times the square of the nozzle is no line: the thickest are less than once. */
    s->section_watch = 4 * limits->nozzle_mm * limits->nozzle_mm / limits->filament_mm2;
}

int gcode_scan_file(struct gcode_scan *scan, const char *path, const struct gcode_limits *limits,
                    void (*on_progress)(void *user, double share), void *user, struct err *err)
{
    struct stat stat;
    prepare(scan, limits);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return FAIL_ERRNO(err, "cannot open %s", path);
    struct reader reader = {.fd = fd,
                            .buffer = malloc(BUFFER_BYTES + PAD_BYTES),
                            .size = fstat(fd, &stat) == 0 ? (uint64_t)stat.st_size : 0,
                            .on_progress = on_progress,
                            .user = user};
    int failed = -1;
    if (reader.buffer) {
        memset(reader.buffer, 0, BUFFER_BYTES + PAD_BYTES);
        failed = scan_all(scan, &reader, err);
    } else {
        FAIL(err, ERR_LIMIT, "no memory to read G-code");
    }
    free(reader.buffer);
    close(fd);
    return failed;
}
