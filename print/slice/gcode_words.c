/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every command that is no plain move: its words, and what it does to the machine. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "print/slice/gcode_scan.h"

/* Text of message commands is not looked at. */
struct command {
    char letter;
    long number;
    uint32_t given;  /* bit i: the word of letter 'A' + i */
    uint32_t valued; /* and a number with it */
    double words[26];
};

const char *gcode_number(double *out, const char *at)
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
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Text for people, a version, the name of an object or of a printer follows. */
static bool takes_text(const struct command *c)
{
    return c->letter == 'M' && (c->number == 117 || c->number == 118 || c->number == 115 ||
                                c->number == 486 || c->number == 862);
}

/* A second command in the line would be read by some firmware and not by others. */
static bool read_words(struct command *c, const char *at)
{
    for (at = skip_blanks(at); *at; at = skip_blanks(at)) {
        if (!is_letter(*at))
            return false;
        int word = (*at & ~0x20) - 'A';
        if ((c->given >> word & 1) || word == 'G' - 'A' || word == 'M' - 'A' || word == 'N' - 'A')
            return false;
        c->words[word] = 0;
        c->given |= 1u << word;
        at++;
        if (*at == 0 || *at == ' ' || *at == '\t')
            continue; /* M84 X Y E */
        c->valued |= 1u << word;
        at = gcode_number(&c->words[word], at);
        if (!at)
            return false;
    }
    return true;
}

/* Where firmwares differ in what a letter alone means. */
static bool wants_numbers(const struct command *c)
{
    return c->letter == 'G' ? c->number <= 4 || c->number == 92
                            : c->letter == 'M' && (c->number == 104 || c->number == 109 ||
                                                   c->number == 140 || c->number == 190);
}

static bool read_command(struct command *c, const char *at)
{
    double number;
    c->given = c->valued = 0;
    c->letter = (char)(*at & ~0x20);
    if (!is_letter(*at) || !strchr("GMT", c->letter) || !(at = gcode_number(&number, at + 1)) ||
        !(number >= 0 && number < 10000))
        return false;
    c->number = (long)number;
    return takes_text(c) || (read_words(c, at) && (c->given == c->valued || !wants_numbers(c)));
}

static bool has(const struct command *c, char word)
{
    return c->given >> (word - 'A') & 1;
}

static double word(const struct command *c, char name, double otherwise)
{
    return c->valued >> (name - 'A') & 1 ? c->words[name - 'A'] : otherwise;
}

static void set_nozzle(struct gcode_scan *s, double target, bool waits)
{
    /* What was waited for cold, or was let go cold, has to be waited for again. */
    bool was_hot = s->nozzle_c >= GCODE_LOWEST_HOT_C;
    s->nozzle_awaited = waits || (s->nozzle_awaited && (was_hot || target < GCODE_LOWEST_HOT_C));
    s->nozzle_c = target;
    s->hottest_c = fmax(s->hottest_c, target);
    s->heat_changed = true;
    gcode_watch(s);
}

static void set_bed(struct gcode_scan *s, double target)
{
    s->bed_c = target;
    s->hottest_bed_c = fmax(s->hottest_bed_c, target);
    s->heat_changed = true;
    gcode_watch(s);
}

/* The centre of an arc by its radius R, on the side that the direction asks for. */
static bool centre_of(double centre[2], const struct gcode_scan *s, const double to[2],
                      double radius, bool clockwise)
{
    double x = to[0] - s->at[0], y = to[1] - s->at[1], chord = hypot(x, y);
    if (!(chord > 0) || chord > 2 * fabs(radius) + 0.02)
        return false;
    double away = sqrt(fmax(0, radius * radius - chord * chord / 4));
    if (clockwise == (radius > 0))
        away = -away;
    centre[0] = s->at[0] + x / 2 - away * y / chord;
    centre[1] = s->at[1] + y / 2 + away * x / chord;
    return true;
}

static void arc(struct gcode_scan *s, const struct command *c, const double to[3], double push)
{
    double centre[2] = {s->at[0] + word(c, 'I', 0), s->at[1] + word(c, 'J', 0)};
    bool known = has(c, 'R') ? centre_of(centre, s, to, word(c, 'R', 0), c->number == 2)
                             : has(c, 'I') || has(c, 'J');
    if (!known)
        gcode_note(s, FAULT_ARC, 0, NULL);
    if (known)
        gcode_arc(s, to, centre, c->number == 2, push);
    else
        gcode_move(s, to, push);
}

static void move(struct gcode_scan *s, const struct command *c)
{
    double to[3], push = 0;
    for (int i = 0; i < 3; i++)
        to[i] = word(c, (char)('X' + i), s->relative ? 0 : s->at[i]) + (s->relative ? s->at[i] : 0);
    if (has(c, 'F'))
        gcode_feed(s, word(c, 'F', s->feed));
    if (s->e_doubtful && has(c, 'E'))
        gcode_note(s, FAULT_UNREADABLE, 0, "E after M83 and G90 is relative to some firmware only");
    if (s->relative || s->e_relative) {
        push = word(c, 'E', 0);
        s->e += push;
    } else {
        push = word(c, 'E', s->e) - s->e;
        s->e = word(c, 'E', s->e);
    }
    if (c->number >= 2)
        arc(s, c, to, push);
    else
        gcode_move(s, to, push);
}

static void check_tool(struct gcode_scan *s, double number)
{
    if (number > 0 && number >= s->limits->tools)
        gcode_note(s, FAULT_TOOL, number, NULL);
}

/* Homing Z sends the nozzle down into what is printed; X and Y may go home after the last move. */
static void home(struct gcode_scan *s, const struct command *c)
{
    bool all = !has(c, 'X') && !has(c, 'Y') && !has(c, 'Z');
    if (s->extruding_moves > 0 && (all || has(c, 'Z') || c->number == 29))
        gcode_note(s, FAULT_HOMING, 0, NULL);
    else if (s->extruding_moves > 0)
        s->homed_line = s->lines;
    for (int i = 0; i < 3; i++)
        if (c->number == 28 && (all || has(c, (char)('X' + i)))) {
            s->at[i] = 0;
            s->homed |= 1u << i;
        }
    gcode_watch(s);
}

/* To Marlin 2 G90 makes E absolute too, to Marlin 1 and Klipper it does not. */
static void set_relative(struct gcode_scan *s, bool relative)
{
    s->relative = relative;
    s->e_doubtful = !relative && s->e_relative && s->limits->flavour != FLAVOUR_KLIPPER;
}

static void take_g(struct gcode_scan *s, const struct command *c)
{
    if (c->number <= 3)
        move(s, c);
    else if (c->number == 4)
        s->moves_s += fmax(0, word(c, 'S', 0) + word(c, 'P', 0) / 1000);
    else if (c->number == 28 || c->number == 29)
        home(s, c);
    else if (c->number == 90 || c->number == 91)
        set_relative(s, c->number == 91);
    else if (c->number == 92 && (has(c, 'X') || has(c, 'Y') || has(c, 'Z') || !has(c, 'E')))
        gcode_note(s, FAULT_FORBIDDEN, 92, "G92 moves the origin");
    else if (c->number == 92)
        s->e = word(c, 'E', s->e);
}

static void take_m(struct gcode_scan *s, const struct command *c)
{
    double target = word(c, 'S', word(c, 'R', -1));
    if (c->number == 104 || c->number == 109)
        check_tool(s, word(c, 'T', 0));
    switch (c->number) {
    case 82:
    case 83:
        s->e_relative = c->number == 83;
        s->e_doubtful = false;
        break;
    case 18:
    case 84: /* with S it is the time after which they go off */
        if (!has(c, 'S') && s->extruding_moves > 0)
            s->motors_line = s->lines;
        gcode_watch(s);
        break;
    case 104:
    case 109:
        if (target >= 0)
            set_nozzle(s, target, c->number == 109);
        break;
    case 140:
    case 190:
        if (target >= 0)
            set_bed(s, target);
        break;
    case 106:
        s->fan_on = s->fan_on || (s->layers > 0 && word(c, 'S', 255) > 0);
        break;
    case 201:
    case 203:
    case 204:
        for (char axis = 'A'; axis <= 'Z'; axis++)
            if (axis != 'T' && word(c, axis, 1) <= 0)
                gcode_note(s, FAULT_UNREADABLE, 0, "nothing moves with a limit of 0");
        break;
    case 220:
    case 221:
        if (has(c, 'S') && word(c, 'S', 100) != 100)
            gcode_note(s, FAULT_OVERRIDE, word(c, 'S', 100), NULL);
        break;
    default:
        break;
    }
}

/* KEY=NUMBER somewhere in a macro's line. */
static bool parameter(double *out, const char *line, const char *key)
{
    size_t n = strlen(key);
    for (const char *at = line; (at = strstr(at, key)); at += n)
        if (at > line && at[-1] == ' ' && at[n] == '=' && gcode_number(out, at + n + 1))
            return true;
    return false;
}

static void take_heat_words(struct gcode_scan *s, const char *line, const char *const keys[],
                            bool bed)
{
    double target;
    for (; *keys; keys++)
        if (parameter(&target, line, *keys)) {
            if (bed)
                set_bed(s, target);
            else
                set_nozzle(s, target, true);
            return;
        }
}

static bool starts(const char *line, size_t n, const char *name)
{
    return strlen(name) == n && strncmp(line, name, n) == 0;
}

/* A printer's own macro homes, so far as anybody can tell; Klipper's own words do not. */
static bool may_home(const char *line)
{
    static const char *const never[] = {"SET_",     "EXCLUDE_",  "TEMPERATURE_", "TURN_OFF_",
                                        "BED_MESH", "END_PRINT", "PRINT_END"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strncmp(line, never[i], strlen(never[i])) == 0)
            return false;
    return true;
}

/* Klipper: START_PRINT EXTRUDER_TEMP=220 BED_TEMP=50, or whatever the printer calls its own. */
static void take_macro(struct gcode_scan *s, const char *line, size_t n)
{
    static const char *const nozzle[] = {"EXTRUDER_TEMP", "EXTRUDER", "NOZZLE_TEMP", "HOTEND",
                                         NULL};
    static const char *const bed[] = {"BED_TEMP", "BED", NULL};
    double target;
    if (may_home(line))
        s->homed = 7;
    if (starts(line, n, "END_PRINT") || starts(line, n, "PRINT_END") ||
        starts(line, n, "TURN_OFF_HEATERS")) {
        set_nozzle(s, 0, false);
        set_bed(s, 0);
    } else if (starts(line, n, "SET_HEATER_TEMPERATURE") && parameter(&target, line, "TARGET")) {
        if (strstr(line, "HEATER=extruder"))
            set_nozzle(s, target, false);
        else if (strstr(line, "HEATER=heater_bed"))
            set_bed(s, target);
    } else if (starts(line, n, "TEMPERATURE_WAIT") && strstr(line, "SENSOR=extruder")) {
        set_nozzle(s, s->nozzle_c, true);
    } else if (starts(line, n, "BED_MESH_CALIBRATE") && s->extruding_moves > 0) {
        gcode_note(s, FAULT_HOMING, 0, NULL);
    } else {
        take_heat_words(s, line, nozzle, false);
        take_heat_words(s, line, bed, true);
    }
}

static bool is_macro(const char *line, size_t n)
{
    return n >= 3 && is_letter(line[0]) && (is_letter(line[1]) || line[1] == '_') &&
           (line[n] == 0 || line[n] == ' ' || line[n] == '\t');
}

static void refuse(struct gcode_scan *s, const char *line, size_t n, const char *why)
{
    char text[64];
    snprintf(text, sizeof text, "%.*s %s", n < 24 ? (int)n : 24, line, why);
    gcode_note(s, FAULT_FORBIDDEN, 0, text);
}

static void take_known(struct gcode_scan *s, const struct command *c)
{
    if (c->letter == 'G')
        take_g(s, c);
    else if (c->letter == 'M')
        take_m(s, c);
}

void gcode_command(struct gcode_scan *s, const char *line)
{
    struct command c;
    size_t n = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    s->commands++;
    if (strpbrk(line, "{[") && strncmp(line, "M117", 4) != 0 && strncmp(line, "M118", 4) != 0) {
        gcode_note(s, FAULT_PLACEHOLDER, 0, line);
        return;
    }
    bool macro = is_macro(line, n);
    if (!macro && !read_command(&c, line)) {
        gcode_note(s, FAULT_UNREADABLE, 0, line);
        return;
    }
    if (!macro)
        n = 1 + strspn(line + 1, "0123456789");
    const char *why = gcode_forbidden(s->limits, line, n);
    if (!macro && c.letter == 'T')
        check_tool(s, (double)c.number);
    else if (why)
        refuse(s, line, n, why);
    else if (macro)
        take_macro(s, line, n);
    else
        take_known(s, &c);
}
