/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Following moves. Nine lines of ten are G0 or G1 with plain decimals: those are read eight bytes
 * at a time, without looking for the line's end first, and cost some 120 cycles.
 */
#include <math.h>
#include <string.h>

#include "print/slice/gcode_scan.h"

#define SUSTAINED_MM 2      /* what the melt zone evens out: a burst that is shorter is no fault */
#define SHORT_MM 0.05       /* below it the last digit of E shows in the flow */
#define LEAST_PUSH_MM 1e-6  /* E has five decimals: less is what sums leave over */
#define JUMP_MM 0.5         /* of filament in one move, and far too much for its length */
#define STANDING_JUMP_MM 30 /* of filament without a move */
#define TRAVEL_SLACK_MM 20  /* brushes and purge places lie beside the bed */
#define PI 3.14159265358979323846
#define unlikely(x) __builtin_expect(!!(x), 0)

static uint64_t load8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* How many of the eight bytes, from the first on, are digits. */
static unsigned count_digits(uint64_t word)
{
    uint64_t other =
        ((word + 0x4646464646464646) | (word - 0x3030303030303030)) & 0x8080808080808080;
    return other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
}

/* The first n (under 8) bytes, which are digits, as a number: pairs, fours, eights at once. */
static uint64_t join_digits(uint64_t word, unsigned n)
{
    word = (word & 0x0f0f0f0f0f0f0f0f) << 8 << (56 - 8 * n);
    word = word * 10 + (word >> 8);
    return ((word & 0x000000ff000000ff) * 0x000f424000000064 +
            ((word >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
           32;
}

/* Up to seven digits before and after the point; NULL for whatever else. */
static inline const char *read_plain(double *out, const char *at)
{
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    bool minus = *at == '-';
    at += minus;
    uint64_t word = load8(at);
    unsigned whole = count_digits(word), part = 0;
    if (unlikely(whole == 8))
        return NULL;
    double value = (double)(int64_t)join_digits(word, whole);
    at += whole;
    if (*at == '.') {
        word = load8(++at);
        part = count_digits(word);
        if (unlikely(part == 8))
            return NULL;
        value += (double)(int64_t)join_digits(word, part) / tens[part];
        at += part;
    }
    *out = minus ? -value : value;
    return unlikely(whole + part == 0) ? NULL : at;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

void gcode_feed(struct gcode_scan *s, double feed)
{
    s->feed = feed;
    if (feed > 0) {
        s->speed_mm_s = feed / 60;
        s->s_per_mm = 60 / feed;
    } else {
        gcode_note(s, FAULT_UNREADABLE, feed, "Klipper refuses a speed of 0, Marlin keeps the old");
    }
}

void gcode_watch(struct gcode_scan *s)
{
    s->watch = s->layers == 0 || s->extruding_moves == 0 || s->nozzle_c < GCODE_LOWEST_HOT_C ||
               (s->limits->heated_bed && s->bed_c <= 0) || !s->nozzle_awaited || s->homed_line ||
               s->motors_line || s->heat_changed;
}

static void note_since(struct gcode_scan *s, enum gcode_fault fault, uint64_t *since)
{
    uint64_t now = s->lines;
    if (*since == 0)
        return;
    s->lines = *since; /* the line that did it, not the one that suffers */
    gcode_note(s, fault, 0, NULL);
    s->lines = now;
    *since = 0;
}

static void take_heat(struct gcode_scan *s)
{
    s->print_nozzle_c[0] = least(s->print_nozzle_c[0], s->nozzle_c);
    s->print_nozzle_c[1] = most(s->print_nozzle_c[1], s->nozzle_c);
    if (s->bed_c > 0) { /* a cold one is said by itself */
        s->print_bed_c[0] = least(s->print_bed_c[0], s->bed_c);
        s->print_bed_c[1] = most(s->print_bed_c[1], s->bed_c);
    }
    s->heat_changed = false;
}

/* An extrusion when not all is as it should be; true when it belongs to the layers. */
static bool take_watched(struct gcode_scan *s, double z, double length, double push)
{
    if (s->nozzle_c < GCODE_LOWEST_HOT_C)
        gcode_note(s, FAULT_COLD, s->nozzle_c, NULL);
    else if (!s->nozzle_awaited)
        gcode_note(s, FAULT_UNAWAITED, s->nozzle_c, NULL);
    if (s->limits->heated_bed && s->bed_c <= 0)
        gcode_note(s, FAULT_COLD_BED, s->bed_c, NULL);
    if (s->layers == 0) {
        s->start_filament_mm += length > 0 ? push : 0;
        return false;
    }
    if (length <= 0)
        return true;
    if (s->extruding_moves == 0) {
        s->first_z = z;
        if (s->homed != 7)
            gcode_note(s, FAULT_NOT_HOMED, 0, NULL);
    }
    note_since(s, FAULT_HOMING, &s->homed_line);
    note_since(s, FAULT_MOTORS, &s->motors_line);
    if (s->nozzle_c >= GCODE_LOWEST_HOT_C && s->type != TYPE_CUSTOM)
        take_heat(s);
    s->watch = s->nozzle_c < GCODE_LOWEST_HOT_C || (s->limits->heated_bed && s->bed_c <= 0) ||
               !s->nozzle_awaited;
    return true;
}

/* The first extrusion at another height than the last. */
static void take_z(struct gcode_scan *s, double z)
{
    double rise = z - s->high[2];
    if (isfinite(rise) && rise > s->worst_rise_mm + 1e-6) {
        s->worst_rise_mm = rise;
        s->worst_rise_line = s->lines;
    }
    if (isfinite(rise) && rise > most(s->limits->nozzle_mm, 2.5 * s->header_layer_mm) + 0.01)
        s->gap_z = least(s->gap_z, s->high[2]);
    s->z_rises += rise > 1e-6;
    if (rise < -0.05 && z >= -GCODE_SLACK_MM)
        gcode_note(s, FAULT_Z_FALLS, -rise, NULL);
    s->low[2] = least(s->low[2], z);
    s->high[2] = most(s->high[2], z);
    s->print_z = z;
}

/* One move of a stretch in which each melts too much; the stretch counts by its mean. */
static void take_hot(struct gcode_scan *s, double length, double push)
{
    if (s->hot_moves != s->extruding_moves)
        s->hot_mm = s->hot_mm3 = s->hot_s = 0;
    s->hot_moves = s->extruding_moves + 1;
    s->hot_mm += length;
    s->hot_mm3 += push * s->limits->filament_mm2;
    s->hot_s += length / s->speed_mm_s;
    if (s->hot_mm < SUSTAINED_MM)
        return;
    gcode_note(s, FAULT_FLOW, s->hot_mm3 / s->hot_s, NULL);
    s->hot_mm = s->hot_mm3 = s->hot_s = 0;
}

/* An extrusion that pushes more a second or a millimetre than any before it or than it may. */
static void take_rate(struct gcode_scan *s, double length, double push)
{
    const struct gcode_limits *l = s->limits;
    if (push > s->section_watch * length && push > JUMP_MM)
        gcode_note(s, FAULT_E_JUMP, push, NULL);
    if (length < SHORT_MM)
        return;
    double rate = push * s->speed_mm_s / length, flow = rate * l->filament_mm2;
    if (flow > l->flow_mm3_s)
        take_hot(s, length, push);
    if (rate > l->speed_e)
        gcode_note(s, FAULT_SPEED_E, rate, NULL);
    s->max_flow_mm3_s = most(s->max_flow_mm3_s, flow);
    s->rate_watch =
        least(most(s->rate_watch, rate), least(l->flow_mm3_s / l->filament_mm2, l->speed_e));
}

static void note_bounds(struct gcode_scan *s)
{
    const double *bed = s->limits->bed_mm;
    double over =
        most(most(-s->low[0], s->high[0] - bed[0]), most(-s->low[1], s->high[1] - bed[1]));
    gcode_note(s, FAULT_OUTSIDE, over, NULL);
    s->left_bed = true;
}

static inline void stretch(struct gcode_scan *s, double x, double y)
{
    s->low[0] = least(s->low[0], x);
    s->high[0] = most(s->high[0], x);
    s->low[1] = least(s->low[1], y);
    s->high[1] = most(s->high[1], y);
}

static inline void check_bounds(struct gcode_scan *s)
{
    const double *bed = s->limits->bed_mm;
    if (unlikely((s->low[0] < -GCODE_SLACK_MM) | (s->low[1] < -GCODE_SLACK_MM) |
                 (s->high[0] > bed[0] + GCODE_SLACK_MM) | (s->high[1] > bed[1] + GCODE_SLACK_MM)))
        if (!s->left_bed)
            note_bounds(s);
}

static inline void extrude(struct gcode_scan *s, const double from[3], const double to[3],
                           double length, double push)
{
    if (unlikely(s->watch) && !take_watched(s, to[2], length, push))
        return;
    if (unlikely((push * s->speed_mm_s > s->rate_watch * length) |
                 (push > s->section_watch * length)))
        take_rate(s, length, push);
    s->extruding_moves++;
    s->type_mm[s->type] += push;
    stretch(s, from[0], from[1]);
    stretch(s, to[0], to[1]);
    check_bounds(s);
    if (unlikely(to[2] != s->print_z))
        take_z(s, to[2]);
}

/* What seldom happens on a way: faster than ever, or far from the bed. */
static void take_way(struct gcode_scan *s, const double from[3], const double to[3], double length,
                     bool pushes)
{
    const struct gcode_limits *l = s->limits;
    for (int i = 0; i < 3; i++) {
        double over = most(-TRAVEL_SLACK_MM - to[i], to[i] - l->bed_mm[i] - TRAVEL_SLACK_MM);
        if (over > 0)
            gcode_note(s, FAULT_TRAVEL, over, NULL);
    }
    if (to[2] < -0.05)
        gcode_note(s, FAULT_TRAVEL_LOW, to[2], NULL);
    else if (!pushes && s->extruding_moves && to[2] < s->high[2] - 0.05)
        gcode_note(s, FAULT_Z_FALLS, s->high[2] - to[2], NULL);
    if (s->layers == 0)
        return;
    double flat = hypot(to[0] - from[0], to[1] - from[1]) * s->speed_mm_s / length;
    double rise = fabs(to[2] - from[2]) * s->speed_mm_s / length;
    if (flat > l->speed_xy + 0.01)
        gcode_note(s, FAULT_SPEED_XY, flat, NULL);
    if (pushes && rise > l->speed_z + 0.01)
        gcode_note(s, FAULT_SPEED_Z, rise, NULL);
    s->max_speed_mm_s = most(s->max_speed_mm_s, s->speed_mm_s);
    s->speed_watch = least(s->max_speed_mm_s, l->speed_xy + 0.01);
}

/* Retracting, giving back what was retracted, or nothing at all. */
static void take_standing(struct gcode_scan *s, double push)
{
    s->moves_s += fabs(push) * s->s_per_mm;
    s->standing_mm += push;
    s->standing_most_mm = most(s->standing_most_mm, s->standing_mm);
    if (push > LEAST_PUSH_MM && s->watch)
        take_watched(s, 0, 0, push);
    if (s->layers > 0 && fabs(push) > STANDING_JUMP_MM)
        gcode_note(s, FAULT_E_JUMP, push, NULL);
    if (push != 0 && s->layers > 0 && s->speed_mm_s > s->limits->speed_e + 0.01)
        gcode_note(s, FAULT_SPEED_E, s->speed_mm_s, NULL);
}

/* Retracting on the way. */
static void take_wipe(struct gcode_scan *s, double push)
{
    s->standing_mm += push;
    if (push < -STANDING_JUMP_MM)
        gcode_note(s, FAULT_E_JUMP, push, NULL);
}

static inline void step(struct gcode_scan *s, const double from[3], const double to[3],
                        double length, double push)
{
    const double *bed = s->limits->bed_mm;
    if (unlikely(length <= 0)) {
        take_standing(s, push);
        return;
    }
    s->moves_s += length * s->s_per_mm;
    if (push > LEAST_PUSH_MM)
        extrude(s, from, to, length, push);
    else if (unlikely(push < 0))
        take_wipe(s, push);
    if (unlikely((s->speed_mm_s > s->speed_watch) | (to[0] < -TRAVEL_SLACK_MM) |
                 (to[1] < -TRAVEL_SLACK_MM) | (to[0] > bed[0] + TRAVEL_SLACK_MM) |
                 (to[1] > bed[1] + TRAVEL_SLACK_MM) | (to[2] != from[2])))
        take_way(s, from, to, length, push > LEAST_PUSH_MM);
}

static double distance(const double a[3], const double b[3])
{
    double x = b[0] - a[0], y = b[1] - a[1], z = b[2] - a[2];
    return sqrt(x * x + y * y + z * z);
}

void gcode_move(struct gcode_scan *s, const double to[3], double push)
{
    step(s, s->at, to, distance(s->at, to), push);
    memcpy(s->at, to, sizeof s->at);
}

/* An arc leaves the box of its ends where it points along an axis. */
static void stretch_arc(struct gcode_scan *s, const double centre[2], double radius, double begin,
                        double sweep)
{
    for (int quarter = -4; quarter <= 8; quarter++) {
        double angle = quarter * PI / 2;
        if (angle > begin && angle < begin + sweep)
            stretch(s, centre[0] + radius * cos(angle), centre[1] + radius * sin(angle));
    }
    check_bounds(s);
}

void gcode_arc(struct gcode_scan *s, const double to[3], const double centre[2], bool clockwise,
               double push)
{
    const double *first = clockwise ? to : s->at, *last = clockwise ? s->at : to;
    double begin = atan2(first[1] - centre[1], first[0] - centre[0]);
    double sweep = atan2(last[1] - centre[1], last[0] - centre[0]) - begin;
    double radius = hypot(s->at[0] - centre[0], s->at[1] - centre[1]);
    double other = hypot(to[0] - centre[0], to[1] - centre[1]);
    sweep += sweep <= 1e-9 ? 2 * PI : 0; /* back where it began: a whole circle */
    bool broken = !(radius > 0) || fabs(radius - other) > 0.02 + 0.01 * radius;
    if (broken)
        gcode_note(s, FAULT_ARC, fabs(radius - other), NULL);
    double length = hypot(radius * sweep, to[2] - s->at[2]);
    uint64_t before = s->extruding_moves;
    step(s, s->at, to, length, push);
    if (s->extruding_moves > before && !broken)
        stretch_arc(s, centre, radius, begin, sweep);
    memcpy(s->at, to, sizeof s->at);
}

/* A letter as a number from 1 to 26, and its bit. */
#define SLOT(letter) ((letter)&31)
#define BIT(letter) (1u << SLOT(letter))

/*
 * One plain move's words into slots; NULL when it is not plain, whatever the slots hold then.
 * Returns the start of the next line.
 */
static inline const char *read_move(double slots[32], const char *at)
{
    const uint32_t allowed = BIT('X') | BIT('Y') | BIT('Z') | BIT('E') | BIT('F');
    const char *begin = at;
    uint32_t left = allowed;
    for (at += 3;;) {
        unsigned letter = (unsigned char)*at ^ 0x40;
        if (unlikely(letter > 31 || !(left >> letter & 1)))
            return NULL;
        left &= ~(1u << letter); /* no word twice */
        at = read_plain(&slots[letter], at + 1);
        if (unlikely(!at))
            return NULL;
        if (*at == ' ') {
            at++;
            continue;
        }
        at += *at == '\r';
        return unlikely(*at != '\n' || at - begin > GCODE_LONGEST_COMMAND) ? NULL : at + 1;
    }
}

const char *gcode_moves(struct gcode_scan *s, const char *at, const char *end)
{
    double slots[32];
    if (s->relative || s->e_doubtful)
        return at;
    slots[SLOT('X')] = s->at[0];
    slots[SLOT('Y')] = s->at[1];
    slots[SLOT('Z')] = s->at[2];
    slots[SLOT('F')] = s->feed;
    while (at < end) {
        if (memcmp(at, "G1 ", 3) != 0 && memcmp(at, "G0 ", 3) != 0)
            break;
        double e = s->e_relative ? 0 : s->e;
        slots[SLOT('E')] = e;
        const char *next = read_move(slots, at);
        if (unlikely(!next))
            break;
        const double to[3] = {slots[SLOT('X')], slots[SLOT('Y')], slots[SLOT('Z')]};
        s->lines++;
        s->commands++;
        if (slots[SLOT('F')] != s->feed)
            gcode_feed(s, slots[SLOT('F')]);
        double push = slots[SLOT('E')] - e;
        s->e = s->e_relative ? s->e + push : slots[SLOT('E')];
        step(s, s->at, to, distance(s->at, to), push);
        memcpy(s->at, to, sizeof s->at);
        at = next;
    }
    return at;
}
