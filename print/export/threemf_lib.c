/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a 3MF with lib3mf; see threemf_lib.h. */
#include "print/export/threemf_lib.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

int threemf_lib_rejected(struct err *err, handle of)
{
    uint32_t code = 0;
    const char *text = NULL;
    if (of)
        lib3mf_getlasterror(of, &code, &text);
    return FAIL_CODE(err, ERR_INPUT, "threemf_rejected", "lib3mf says: %.150s (%x)",
                     text && *text ? text : "no reason given", code);
}

/* lib3mf 1.8.1 leaks 160 bytes of libzip's in each read; the leak check must not look there. */
static result read_buffer(handle reader, const uint8_t *data, size_t n)
{
#if defined(__SANITIZE_ADDRESS__)
    __lsan_disable();
#endif
    /* lib3mf takes a plain pointer but reads only. */
    result failed = lib3mf_reader_readfrombuffer(reader, (uint8_t *)(uintptr_t)data, n);
#if defined(__SANITIZE_ADDRESS__)
    __lsan_enable();
#endif
    return failed;
}

static int read_model(handle reader, const uint8_t *data, size_t n, bool strict, struct err *err)
{
    uint32_t warnings = 0, code = 0, needed = 0;
    if (lib3mf_reader_setstrictmodeactive(reader, strict) || read_buffer(reader, data, n) ||
        lib3mf_reader_getwarningcount(reader, &warnings))
        return threemf_lib_rejected(err, reader);
    if (!strict || warnings == 0)
        return 0;
    char text[160] = "";
    lib3mf_reader_getwarningutf8(reader, 0, &code, text, sizeof text, &needed);
    return FAIL_CODE(err, ERR_INPUT, "threemf_rejected", "lib3mf warns: %.150s (%x)", text, code);
}

int threemf_lib_open(struct threemf_lib *lib, const uint8_t *data, size_t n, bool strict,
                     struct err *err)
{
    static const double units_mm[] = {0.001, 1, 10, 25.4, 304.8, 1000};
    uint32_t unit = 1;
    if (n == 0)
        return FAIL_CODE(err, ERR_INPUT, "threemf_rejected", "the 3MF is empty");
    if (lib3mf_createmodel(&lib->model) ||
        lib3mf_model_queryreader(lib->model, "3mf", &lib->reader))
        return FAIL(err, ERR_LIMIT, "lib3mf has no memory for a model");
    if (read_model(lib->reader, data, n, strict, err))
        return -1;
    if (lib3mf_model_getunit(lib->model, &unit) || unit > 5)
        return threemf_lib_rejected(err, lib->model);
    lib->unit_mm = units_mm[unit];
    return 0;
}

void threemf_lib_close(struct threemf_lib *lib)
{
    if (lib->reader)
        lib3mf_release(lib->reader);
    if (lib->model)
        lib3mf_release(lib->model);
    *lib = (struct threemf_lib){0};
}
