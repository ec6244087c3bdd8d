/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A real slice made as long as wanted: each layer is printed again and again, every time with all
 * coordinates moved by another bit, so that no line comes back soon; time and filament are said for
 * all of it. The result is as right as the slice was.   long_gcode IN.gcode OUT.gcode BYTES
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char *data;
    size_t n;
};

static struct text read_all(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f || fseek(f, 0, SEEK_END))
        exit(1);
    struct text text = {.n = (size_t)ftell(f)};
    text.data = malloc(text.n + 2);
    rewind(f);
    if (!text.data || fread(text.data, 1, text.n, f) != text.n)
        exit(1);
    fclose(f);
    text.data[text.n] = 0;
    return text;
}

static int begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static int is_layer(const char *line)
{
    return begins(line, ";LAYER:") || begins(line, ";LAYER_CHANGE");
}

/* A layer's own end in CuraEngine's words; the printer's end code in PrusaSlicer's. */
static int is_end(const char *line)
{
    return begins(line, ";TIME_ELAPSED:") || begins(line, ";TYPE:Custom");
}

static char *next_line(char *at)
{
    char *end = strchr(at, '\n');
    return end ? end + 1 : at + strlen(at);
}

/* Lines of a head or a tail: numbers that are for one time become those for all. */
static void put_words(FILE *out, char *at, const char *end, double times)
{
    static const char *const words[] = {";TIME:", ";Filament used: ", "; filament used [mm] = "};
    static const char time[] = "; estimated printing time (normal mode) = ";
    for (char *next; at < end; at = next) {
        size_t i = 0;
        next = next_line(at);
        while (i < 3 && !begins(at, words[i]))
            i++;
        if (i < 3)
            fprintf(out, "%s%.5f%s\n", words[i], times * strtod(at + strlen(words[i]), NULL),
                    i == 1 ? "m" : "");
        else if (begins(at, time)) {
            double h = 0, m = 0, s = 0;
            char *p = at + sizeof time - 1;
            for (char *unit; p < next && *p != '\n'; p = unit + 1 + (unit[1] == ' ')) {
                double value = strtod(p, &unit);
                *(*unit == 'h' ? &h : *unit == 'm' ? &m : &s) = value;
            }
            fprintf(out, "%s%.0fs\n", time, times * (3600 * h + 60 * m + s));
        } else {
            fwrite(at, 1, (size_t)(next - at), out);
        }
    }
}

/* One line with X and Y moved; the rest as it is. */
static void put_moved(FILE *out, const char *at, const char *end, const double move[2])
{
    int is_move = begins(at, "G1 ") || begins(at, "G0 ");
    while (is_move && at < end) {
        const char *word = at;
        while (word < end && *word != 'X' && *word != 'Y')
            word++;
        fwrite(at, 1, (size_t)(word - at), out);
        if (word == end)
            return;
        char *after;
        double value = strtod(word + 1, &after) + move[*word == 'Y'];
        fprintf(out, "%c%.3f", *word, value);
        at = after;
    }
    fwrite(at, 1, (size_t)(end - at), out);
}

/* Where the machine stands: X Y Z E. */
struct place {
    double at[4];
};

static void follow(struct place *place, const char *line, const char *end)
{
    static const char letters[] = "XYZE";
    if (!begins(line, "G1 ") && !begins(line, "G0 ") && !begins(line, "G92 "))
        return;
    for (int i = 0; i < 4; i++) {
        const char *word = memchr(line, letters[i], (size_t)(end - line));
        place->at[i] = word ? strtod(word + 1, NULL) : place->at[i];
    }
}

static void put_layer(FILE *out, char *at, const char *end, const struct place *from, long times)
{
    char *body = next_line(at);
    fwrite(at, 1, (size_t)(body - at), out);
    for (long k = 0; k < times; k++) {
        double move[2] = {5 * sin(0.7 * (double)k + from->at[2]),
                          5 * cos(0.9 * (double)k + from->at[2])};
        fprintf(out, "G92 E%.5f\nG0 X%.3f Y%.3f", from->at[3], from->at[0] + move[0],
                from->at[1] + move[1]);
        /* CuraEngine lifts before a layer's mark and sinks behind it; PrusaSlicer rises behind it,
         * and would go down through what is printed. */
        if (k == 0 || begins(at, ";LAYER:"))
            fprintf(out, " Z%.3f", from->at[2]);
        fputc('\n', out);
        for (char *line = body, *next; line < end; line = next) {
            next = next_line(line);
            put_moved(out, line, next, move);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    struct text text = read_all(argv[1]);
    FILE *out = fopen(argv[2], "w");
    long times = (long)ceil(strtod(argv[3], NULL) / (double)text.n);
    char *part = text.data;
    int in_layer = 0;
    struct place place = {{0}}, begun = {{0}};
    if (!out)
        return 1;
    for (char *at = text.data, *next;; at = next) {
        next = next_line(at);
        if (!*at || is_layer(at) || (in_layer && is_end(at))) {
            if (in_layer)
                put_layer(out, part, at, &begun, times);
            else
                put_words(out, part, at, (double)times);
            part = at;
            begun = place;
            in_layer = is_layer(at);
        }
        if (!*at)
            break;
        follow(&place, at, next);
    }
    free(text.data);
    return fclose(out) != 0;
}
