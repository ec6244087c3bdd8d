/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a figure takes to print, before it is sliced, or before there is one: by what it will be of,
 * by its measures, or by its slice. Pure; the numbers are config/estimates.json, which
 * scripts/fit_estimates.py finds (docs/quotes.md).
 */
#ifndef SERVICE_ESTIMATE_H
#define SERVICE_ESTIMATE_H

#include "print/slice/profile.h"

/* What is known of the solid. */
struct estimate_shape {
    double height_mm, volume_mm3, area_mm2;
    double support_mm3;      /* plastic of its support, as a mesh report says */
    double contact_area_mm2; /* on the bed */
};

/* What of a profile decides time and filament. */
struct estimate_settings {
    double layer_mm, first_layer_mm, outer_mm, line_mm, walls, top_mm, bottom_mm;
    double infill; /* 0..1 */
    bool support;
    double brim_mm;
    double v_outer, v_inner, v_infill, v_skin, v_support; /* mm/s */
    double a_normal, a_outer;                             /* mm/s2 */
    double hop_s;                                         /* of one retraction with its hop */
    double max_flow, min_layer_s, min_speed;              /* mm3/s, s, mm/s */
    double density_g_cm3;
};

/* Of one piece. p90: nine of ten need no more. */
struct estimate {
    double time_s, time_p90_s, grams, grams_p90;
    double support_g;
    double layers;
    char basis[12]; /* class, photo, measures, slice */
    int figures;    /* class, photo: how many were looked at to say so */
};

struct estimates;

/** Reads estimates.json of the shop's folder (NULL: none), else the built-in one. Owner
 * estimates_close. Errors ERR_INPUT code estimates_invalid, schema_violation. */
int estimates_open(struct estimates **out, const char *config_folder, struct err *err) MUST_CHECK;
void estimates_close(struct estimates *estimates);

/** What the estimate looks at of a merged profile. */
void estimate_settings_of(struct estimate_settings *out, const struct profile *profile);

/* Standard deviations of the logarithms: how wrong an estimate may be. */
struct estimate_spread {
    double time, grams;
};

/** The settings as JSON, by their names here. */
cJSON *estimate_settings_json(const struct estimate_settings *settings);

/* A figure that is not made yet. */
struct estimate_subject {
    const char *maker;       /* model (a provider's), relief (ours), lithophane */
    const char *photo_class; /* pet, object, adult, child; another counts as any */
    double height_mm;        /* in all */
    double base_mm;          /* height of its base, 0: none */
    double aspect;           /* width over height on the photo, 0: not known */
};

/** The usual shape of such a figure. *figures = how many were looked at. Errors ERR_ABSENT code
 * maker_unknown. */
int estimate_shape(struct estimate_shape *out, struct estimate_spread *spread, int *figures,
                   const struct estimates *estimates, const struct estimate_subject *subject,
                   struct err *err) MUST_CHECK;

/**
 * Time and grams of a shape. spread: estimate_shape's, or NULL for a shape that was measured.
 * Errors   ERR_INPUT code shape_invalid: nothing to print, or not finite.
 */
int estimate_of_shape(struct estimate *out, const struct estimates *estimates,
                      const struct estimate_shape *shape, const struct estimate_settings *settings,
                      const struct estimate_spread *spread, struct err *err) MUST_CHECK;

/** Of a slice: what it says, without a spread. support_g stays what it was. */
void estimate_of_slice(struct estimate *out, double time_s, double grams, double layers);

/** Multiplies by what earlier orders took, as a factor of what was said of them. */
void estimate_correct(struct estimate *out, double time_factor, double grams_factor);

#endif
