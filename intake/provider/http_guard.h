/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which addresses a request may go to that were not set by the operator; for http.c. */
#ifndef INTAKE_PROVIDER_HTTP_GUARD_H
#define INTAKE_PROVIDER_HTTP_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

/**
 * Whether an address is one of the public Internet: not this machine, no private, link-local,
 * carrier, multicast, documentation or reserved network, in IPv4, IPv6, or IPv4 wrapped in IPv6
 * (mapped, NAT64, 6to4, Teredo). Anything that is not IP is not public. Pure.
 */
bool address_is_public(const struct sockaddr *address, socklen_t length);

#endif
