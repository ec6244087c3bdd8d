/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A 3D model that was sent in, by a customer or by the shop: what it is, before it is stored. Its
 * reader proper runs later, confined. */
#ifndef INTAKE_MODEL_H
#define INTAKE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MODEL_MAX_BYTES ((size_t)100 << 20)

/**
 * Tells GLB, STL, OBJ, PLY and 3MF apart by their content; a name or a type is never believed.
 *
 * Result   *format: "glb", "stl", "obj", "ply" or "3mf", a constant.
 * Errors   ERR_INPUT codes model_unknown (none of these) and model_truncated (its own length field,
 *          or the end of its archive, says that bytes are missing).
 * Cost     looks at the first and last 64 KiB only.
 */
int model_recognise(const char **format, const uint8_t *data, size_t n, struct err *err) MUST_CHECK;

/** The media type of such a format, or of "zip"; "application/octet-stream" for others. */
const char *model_mime(const char *format);

#endif
