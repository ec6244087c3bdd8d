/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models that were sent in, told apart by their bytes; see model.h. */
#include "intake/model.h"

#include <string.h>

#include "intake/provider/reading.h"

#define LOOK ((size_t)65536)

static bool holds(const uint8_t *data, size_t n, const char *text)
{
    return memmem(data, n, text, strlen(text)) != NULL;
}

/* A ZIP whose packages are described, as OPC wants it; the directory at its end lists the names. */
static bool is_3mf(bool *whole, const uint8_t *data, size_t n)
{
    if (n < 22 || memcmp(data, "PK\3\4", 4) != 0)
        return false;
    size_t look = n < LOOK ? n : LOOK;
    const uint8_t *tail = data + n - look;
    *whole = holds(tail, look, "PK\5\6");
    return holds(data, look, "[Content_Types].xml") || holds(data, look, ".model") ||
           holds(tail, look, "[Content_Types].xml");
}

int model_recognise(const char **format, const uint8_t *data, size_t n, struct err *err)
{
    static const char *const names[] = {
        [MODEL_UNKNOWN] = NULL, [MODEL_GLB] = "glb", [MODEL_STL] = "stl",
        [MODEL_OBJ] = "obj",    [MODEL_PLY] = "ply",
    };
    bool whole = true;
    *format = n > 0 ? names[model_sniff(&whole, data, n)] : NULL;
    if (!*format && is_3mf(&whole, data, n))
        *format = "3mf";
    if (!*format)
        return FAIL_CODE(err, ERR_INPUT, "model_unknown",
                         "this is no model: GLB, STL, OBJ, PLY and 3MF are taken");
    return whole ? 0
                 : FAIL_CODE(err, ERR_INPUT, "model_truncated", "the end of the %s file is missing",
                             *format);
}

const char *model_mime(const char *format)
{
    static const char *const kinds[][2] = {
        {"glb", "model/gltf-binary"}, {"stl", "model/stl"}, {"obj", "model/obj"},
        {"ply", "model/ply"},         {"3mf", "model/3mf"}, {"zip", "application/zip"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i][0], format) == 0)
            return kinds[i][1];
    return "application/octet-stream";
}
