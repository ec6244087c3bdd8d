/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bulk of a 3MF, its vertices and triangles as text, made and packed by many threads. */
#ifndef PRINT_EXPORT_THREEMF_BODY_H
#define PRINT_EXPORT_THREEMF_BODY_H

#include "print/export/export.h"
#include "print/export/packer.h"

/* One object's share of the model part. */
struct threemf_body {
    const struct bytes *head; /* all that stands before its first vertex */
    const struct mesh *mesh;
    const uint8_t *colours; /* of each triangle, or NULL */
    unsigned common;        /* the object's own colour: its triangles say nothing */
    unsigned palette;       /* resource id that the colours are entries of */
};

/** Packs head, vertices, what stands between and triangles into the open part. */
int threemf_put_body(struct packer *zip, const struct threemf_body *body,
                     struct err *err) MUST_CHECK;

/** The entry that most triangles have; the lowest of equals. */
unsigned threemf_commonest(const struct export_palette *palette, size_t triangle_count);

#endif
