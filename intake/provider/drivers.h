/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The drivers that the table in provider.c holds, one line and one file each. */
#ifndef INTAKE_PROVIDER_DRIVERS_H
#define INTAKE_PROVIDER_DRIVERS_H

#include "intake/provider/provider.h"

extern const struct provider_driver provider_hunyuan3d2;  /* hunyuan3d2.c */
extern const struct provider_driver provider_hunyuan3d21; /* hunyuan3d2.c */
extern const struct provider_driver provider_trellis;     /* trellis.c */
extern const struct provider_driver provider_3daistudio;  /* threedaistudio.c */
extern const struct provider_driver provider_meshy;       /* meshy.c */
extern const struct provider_driver provider_rodin;       /* rodin.c */
extern const struct provider_driver provider_stability;   /* stability.c */
extern const struct provider_driver provider_fal;         /* fal.c */
extern const struct provider_driver provider_replicate;   /* replicate.c */
extern const struct provider_driver provider_tripo;       /* tripo.c */

#endif
