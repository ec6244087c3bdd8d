/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Within the driver for 3D AI Studio: requests are built in threedaistudio.c, answers are read in
 * threedaistudio_read.c. */
#ifndef INTAKE_PROVIDER_THREEDAISTUDIO_H
#define INTAKE_PROVIDER_THREEDAISTUDIO_H

#include "intake/provider/provider.h"

/* Where else the wallet may be, by one page of their manual. A balance asked with an aux asks it.
 */
#define OTHER_WALLET "/user/wallet/"

/** As provider_driver.read. A 404 for the balance gives RETRY_ONCE with an aux to ask again with.
 */
int threedaistudio_read(struct provider_reading *out, enum provider_op op,
                        const struct provider_call *call, const struct http_answer *answer,
                        struct err *err);

#endif
