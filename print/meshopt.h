/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door to meshoptimizer: decoding, encoding and simplifying, for every wing of print/. */
#ifndef PRINT_MESHOPT_H
#define PRINT_MESHOPT_H

#include <meshoptimizer.h>

#endif
