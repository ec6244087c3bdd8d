/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a mesh must hold before a writer may trust its numbers. */
#ifndef PRINT_EXPORT_MESH_CHECK_H
#define PRINT_EXPORT_MESH_CHECK_H

#include <stdbool.h>

#include "print/mesh.h"

/**
 * Errors   ERR_INPUT codes mesh_empty (no triangle), mesh_not_finite, mesh_damaged (a vertex number
 *          out of range), mesh_degenerate (a triangle that names a vertex twice; only when
 *          distinct: 3MF forbids it, STL does not know it).
 * Cost     O(n), no memory.
 */
int mesh_check_writable(const struct mesh *mesh, bool distinct, struct err *err) MUST_CHECK;

#endif
