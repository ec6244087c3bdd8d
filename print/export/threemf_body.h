/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bulk of a 3MF, its vertices and triangles as text, made and packed by many threads. */
#ifndef PRINT_EXPORT_THREEMF_BODY_H
#define PRINT_EXPORT_THREEMF_BODY_H

#include "print/export/export.h"
#include "print/export/packer.h"

#define THREEMF_PALETTE 2 /* resource id of the base materials; the object is 1 */

/** Packs head, vertices, what stands between and triangles into the open part. */
int threemf_put_body(struct packer *zip, const struct bytes *head, const struct mesh *mesh,
                     const struct export_palette *palette, unsigned common,
                     struct err *err) MUST_CHECK;

/** The entry that most triangles have; the lowest of equals. */
unsigned threemf_commonest(const struct export_palette *palette, size_t triangle_count);

#endif
