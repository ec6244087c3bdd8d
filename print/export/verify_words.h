/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each small part of a plate's 3MF must say, told from the plate alone. */
#ifndef PRINT_EXPORT_VERIFY_WORDS_H
#define PRINT_EXPORT_VERIFY_WORDS_H

#include "print/export/export.h"
#include "print/export/verify_zip.h"
#include "print/read/text.h"

/* All fail with ERR_BUG export_differs, and the place. */

/** The model part but for its vertices' and triangles' lines. */
int verify_model(struct text words, const struct export_plate *plate, struct err *err) MUST_CHECK;

/** Whether these are the twelve numbers that move by place. */
bool verify_transform(const struct text *transform, const double place[3]);

/** Metadata/Slic3r_PE_model.config and Metadata/model_settings.config. */
int verify_prusa(struct text words, const struct export_plate *plate, struct err *err) MUST_CHECK;
int verify_orca(struct text words, const struct export_plate *plate, struct err *err) MUST_CHECK;

/** [Content_Types].xml: it knows the extension of every part that the archive has. */
int verify_types(struct text words, const struct verify_zip *zip, struct err *err) MUST_CHECK;

/** _rels/.rels */
int verify_relations(struct text words, const struct export_plate *plate,
                     struct err *err) MUST_CHECK;

#endif
