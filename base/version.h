/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one place of the version. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define STATUETTE_VERSION "0.1.0"

#endif
