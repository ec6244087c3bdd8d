/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The streaming reader of G-code; see gcode_scan.h. Files are 10 to 200 MB: no regex, no strtod. */
#include "print/slice/gcode_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES 262144
#define FILAMENT_AREA_MM2 2.40528 /* of 1.75 mm */
#define BED_SLACK_MM 0.001

/* One command with its words. Text of comments and of message commands is not looked at. */
struct command {
    char letter;
    long number;
    uint32_t given; /* bit i: the word of letter 'A' + i */
    double words[26];
};

/* Reads a plain decimal; NULL when there is none. G-code knows no exponents. */
static const char *read_number(double *out, const char *at)
{
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    int64_t digits = 0;
    int count = 0, decimals = 0;
    bool minus = *at == '-', point = false;
    at += *at == '-' || *at == '+';
    for (; (*at >= '0' && *at <= '9') || (*at == '.' && !point); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (count < 17 && decimals < 9) {
            digits = digits * 10 + (*at - '0');
            decimals += point;
        } else if (!point) {
            return NULL;
        }
        count++;
    }
    if (count == 0)
        return NULL;
    double value = (double)digits / tens[decimals];
    *out = minus ? -value : value;
    return at;
}

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\r')
        at++;
    return at;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* M117 and its like carry text for people. */
static bool takes_text(const struct command *c)
{
    return c->letter == 'M' && (c->number == 117 || c->number == 118 || c->number == 23 ||
                                c->number == 28 || c->number == 30 || c->number == 32);
}

/* The line has no comment and no blanks in front; false when it cannot be understood. */
static bool read_command(struct command *c, const char *at)
{
    double number;
    c->given = 0;
    c->letter = (char)(*at & ~0x20);
    if (!is_letter(*at) || !(at = read_number(&number, at + 1)))
        return false;
    c->number = lrint(number);
    if (takes_text(c))
        return true;
    for (at = skip_blanks(at); *at; at = skip_blanks(at)) {
        if (!is_letter(*at))
            return false;
        int word = (*at & ~0x20) - 'A';
        c->words[word] = 0;
        c->given |= 1u << word;
        at++;
        if (*at == 0 || *at == ' ' || *at == '\t' || *at == '\r')
            continue; /* M84 X Y E */
        at = read_number(&c->words[word], at);
        if (!at)
            return false;
    }
    return true;
}

static bool has(const struct command *c, char word)
{
    return c->given >> (word - 'A') & 1;
}

static double word(const struct command *c, char name, double otherwise)
{
    return has(c, name) ? c->words[name - 'A'] : otherwise;
}

static void set_nozzle(struct gcode_scan *s, double target)
{
    s->nozzle_c = target;
    s->hottest_c = fmax(s->hottest_c, target);
}

static void set_bed(struct gcode_scan *s, double target)
{
    s->bed_c = target;
    s->hottest_bed_c = fmax(s->hottest_bed_c, target);
}

static void note(uint64_t *first, uint64_t line)
{
    if (*first == 0)
        *first = line;
}

static void take_bounds(struct gcode_scan *s, const double to[3], const double bed_mm[3])
{
    for (int i = 0; i < 3; i++) {
        double low = fmin(s->at[i], to[i]), high = fmax(s->at[i], to[i]);
        s->low[i] = fmin(s->low[i], low);
        s->high[i] = fmax(s->high[i], high);
        if (low < -BED_SLACK_MM || high > bed_mm[i] + BED_SLACK_MM)
            note(&s->left_bed_line, s->lines);
    }
}

static void take_extrusion(struct gcode_scan *s, const double to[3], double length, double push,
                           const double bed_mm[3])
{
    if (s->nozzle_c < GCODE_LOWEST_HOT_C)
        note(&s->cold_line, s->lines);
    if (s->bed_c <= 0)
        note(&s->cold_bed_line, s->lines);
    if (length <= 1e-9)
        return; /* giving back what was retracted */
    if (s->layers == 0) {
        s->start_filament_mm += push;
        return;
    }
    if (s->extruding_moves++ == 0)
        s->first_z = to[2];
    s->z_rises += to[2] > s->high[2] + 1e-6;
    s->filament_mm += push;
    s->max_flow_mm3_s = fmax(s->max_flow_mm3_s, push * FILAMENT_AREA_MM2 / length * s->speed_mm_s);
    take_bounds(s, to, bed_mm);
}

static void move(struct gcode_scan *s, const struct command *c, const double bed_mm[3])
{
    double to[3], square = 0, push = 0;
    for (int i = 0; i < 3; i++) {
        double value = word(c, (char)('X' + i), s->relative ? 0 : s->at[i]);
        to[i] = s->relative ? s->at[i] + value : value;
        square += (to[i] - s->at[i]) * (to[i] - s->at[i]);
    }
    s->speed_mm_s = word(c, 'F', s->speed_mm_s * 60) / 60;
    if (has(c, 'E')) {
        push = s->relative || s->e_relative ? word(c, 'E', 0) : word(c, 'E', 0) - s->e;
        s->e += push;
    }
    if (push > 0)
        take_extrusion(s, to, sqrt(square), push, bed_mm);
    if (square > 0 && s->layers > 0)
        s->max_speed_mm_s = fmax(s->max_speed_mm_s, s->speed_mm_s);
    memcpy(s->at, to, sizeof to);
}

static void take_g(struct gcode_scan *s, const struct command *c, const double bed_mm[3])
{
    if (c->number >= 0 && c->number <= 3)
        move(s, c, bed_mm);
    else if (c->number == 92)
        s->e = word(c, 'E', s->e);
    else if (c->number == 90 || c->number == 91)
        s->relative = c->number == 91;
    else if (c->number == 28)
        for (int i = 0; i < 3; i++)
            s->at[i] = 0;
}

static void take_m(struct gcode_scan *s, const struct command *c)
{
    double target = word(c, 'S', word(c, 'R', -1));
    if (c->number == 82 || c->number == 83)
        s->e_relative = c->number == 83;
    if (target >= 0 && (c->number == 104 || c->number == 109))
        set_nozzle(s, target);
    if (target >= 0 && (c->number == 140 || c->number == 190))
        set_bed(s, target);
}

/* Klipper macros: START_PRINT EXTRUDER_TEMP=220 BED_TEMP=50. True when it is one. */
static bool take_macro(struct gcode_scan *s, const char *line)
{
    size_t n = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    if (n < 3 || !is_letter(line[1]) || (line[n] && !strchr(" \t\r", line[n])))
        return false;
    if (strncmp(line, "END_PRINT", n) == 0 || strncmp(line, "PRINT_END", n) == 0) {
        s->nozzle_c = s->bed_c = 0;
        return true;
    }
    const char *nozzle = strstr(line, "EXTRUDER_TEMP="), *bed = strstr(line, "BED_TEMP=");
    double target;
    if (nozzle && read_number(&target, nozzle + 14))
        set_nozzle(s, target);
    if (bed && read_number(&target, bed + 9))
        set_bed(s, target);
    return true;
}

static bool value_of(double *out, const char *line, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(line, name, n) != 0)
        return false;
    *out = strtod(line + n, NULL);
    return true;
}

/* The engine leaves empty layers out: at a thin tip that is common, in the middle it is air. */
static void take_layer(struct gcode_scan *s, long number)
{
    if (s->layers > 0 && number == s->last_layer + 2)
        note(&s->thin_line, s->lines);
    else if (s->layers > 0 && number != s->last_layer + 1)
        note(&s->gap_line, s->lines);
    s->last_layer = number;
    s->layers++;
}

/* 1d 2h 3m 4s, any of them missing. */
static double read_duration(const char *at)
{
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    double sum = 0, value;
    while ((at = read_number(&value, skip_blanks(at))))
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (*at == units[i].letter) {
                sum += value * units[i].seconds;
                at++;
                break;
            }
    return sum;
}

/* PrusaSlicer says at the end what CuraEngine says at the beginning. */
static bool take_tail(struct gcode_scan *s, const char *line)
{
    static const char time[] = "; estimated printing time (normal mode) = ";
    double value;
    if (strncmp(line, "; ", 2) != 0)
        return false;
    if (value_of(&value, line, "; filament used [mm] = ")) {
        s->has_filament = true;
        s->header_filament_mm = value;
    } else if (strncmp(line, time, sizeof time - 1) == 0) {
        s->has_time = true;
        s->header_time_s = read_duration(line + sizeof time - 1);
    } else if (value_of(&value, line, "; layer_height = ")) {
        s->header_layer_mm = value;
    }
    return true;
}

static void take_comment(struct gcode_scan *s, const char *line)
{
    double value;
    if (take_tail(s, line))
        return;
    if (value_of(&value, line, ";LAYER:"))
        take_layer(s, lrint(value));
    else if (strncmp(line, ";LAYER_CHANGE", 13) == 0)
        take_layer(s, s->last_layer + 1), s->marks_layers = true;
    else if (!s->has_time && value_of(&value, line, ";TIME:")) {
        s->has_time = true;
        s->header_time_s = value;
    } else if (!s->has_filament && value_of(&value, line, ";Filament used:")) {
        s->has_filament = true;
        s->header_filament_mm = 1000 * value;
    } else if (s->header_layers < 0 && value_of(&value, line, ";LAYER_COUNT:"))
        s->header_layers = lrint(value);
    else if (s->header_layer_mm <= 0 && value_of(&value, line, ";Layer height:"))
        s->header_layer_mm = value;
}

static void take_line(struct gcode_scan *s, char *line, const double bed_mm[3])
{
    struct command c;
    const char *start = skip_blanks(line);
    s->lines++;
    if (*start == ';') {
        take_comment(s, start);
        return;
    }
    char *comment = strchr(line, ';');
    if (comment)
        *comment = 0;
    if (*start == 0)
        return;
    s->commands++;
    if (strpbrk(start, "{[") && strncmp(start, "M117", 4) != 0 && strncmp(start, "M118", 4) != 0)
        note(&s->placeholder_line, s->lines);
    else if (take_macro(s, start))
        return;
    else if (!read_command(&c, start) || !strchr("GMT", c.letter)) {
        if (s->unreadable_line == 0)
            snprintf(s->unreadable, sizeof s->unreadable, "%.40s", start);
        note(&s->unreadable_line, s->lines);
    } else if (c.letter == 'G')
        take_g(s, &c, bed_mm);
    else if (c.letter == 'M')
        take_m(s, &c);
}

/* Hands on each whole line of the buffer; returns how many bytes were used. */
static size_t take_lines(struct gcode_scan *s, char *text, size_t n, const double bed_mm[3])
{
    size_t used = 0;
    char *end;
    while ((end = memchr(text + used, '\n', n - used))) {
        *end = 0;
        if (memchr(text + used, 0, (size_t)(end - text) - used)) {
            note(&s->unreadable_line, s->lines + 1); /* a NUL inside */
            s->lines++;
        } else {
            take_line(s, text + used, bed_mm);
        }
        used = (size_t)(end - text) + 1;
    }
    return used;
}

static int scan_all(struct gcode_scan *s, int fd, char *buffer, const double bed_mm[3],
                    struct err *err)
{
    size_t kept = 0;
    for (;;) {
        ssize_t got = read(fd, buffer + kept, BUFFER_BYTES - 1 - kept);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FAIL_ERRNO(err, "cannot read the G-code");
        if (got == 0)
            break;
        kept += (size_t)got;
        size_t used = take_lines(s, buffer, kept, bed_mm);
        memmove(buffer, buffer + used, kept - used);
        kept -= used;
        if (kept == BUFFER_BYTES - 1) { /* no line is that long */
            note(&s->unreadable_line, s->lines + 1);
            kept = 0;
        }
    }
    buffer[kept] = 0;
    if (kept > 0)
        take_line(s, buffer, bed_mm);
    return 0;
}

int gcode_scan_file(struct gcode_scan *scan, const char *path, const double bed_mm[3],
                    struct err *err)
{
    *scan = (struct gcode_scan){.header_layers = -1};
    for (int i = 0; i < 3; i++) {
        scan->low[i] = INFINITY;
        scan->high[i] = -INFINITY;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return FAIL_ERRNO(err, "cannot open %s", path);
    char *buffer = malloc(BUFFER_BYTES);
    int failed = buffer ? scan_all(scan, fd, buffer, bed_mm, err)
                        : FAIL(err, ERR_LIMIT, "no memory to read G-code");
    free(buffer);
    close(fd);
    return failed;
}
