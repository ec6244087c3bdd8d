/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making any text safe to stand in an XML attribute or element, or in JSON. */
#ifndef PRINT_EXPORT_XML_H
#define PRINT_EXPORT_XML_H

#include "base/bytes.h"

/**
 * Appends UTF-8 text with & < > " ' escaped; drops control characters, broken UTF-8 and what
 * XML 1.0 cannot hold; keeps at most max_chars characters. Errors ERR_LIMIT.
 */
int xml_text(struct bytes *out, const char *text, size_t max_chars, struct err *err) MUST_CHECK;

/** The same text without escapes: what is left of it after reading the XML. Errors ERR_LIMIT. */
int xml_plain(struct bytes *out, const char *text, size_t max_chars, struct err *err) MUST_CHECK;

#endif
