/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lib3mf 1.8.1 as the shared object exports it; its own header is C++ whatever one defines, so the
 * few functions that are called are declared by hand. Only threemf_lib.c, threemf_read.c,
 * threemf_objects.c and threemf_looks.c know it.
 */
#ifndef PRINT_EXPORT_THREEMF_LIB_H
#define PRINT_EXPORT_THREEMF_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef uint32_t result; /* 0 is good */
typedef void *handle;
struct transform {
    float m[3][4]; /* the last column moves */
};

extern result lib3mf_createmodel(handle *model);
extern result lib3mf_release(handle any);
extern result lib3mf_getlasterror(handle any, uint32_t *code, const char **text);
extern result lib3mf_model_queryreader(handle model, const char *kind, handle *reader);
extern result lib3mf_reader_setstrictmodeactive(handle reader, int strict);
extern result lib3mf_reader_readfrombuffer(handle reader, uint8_t *data, uint64_t n);
extern result lib3mf_reader_getwarningcount(handle reader, uint32_t *count);
extern result lib3mf_reader_getwarningutf8(handle reader, uint32_t i, uint32_t *code, char *text,
                                           uint32_t room, uint32_t *needed);
extern result lib3mf_model_getunit(handle model, uint32_t *unit);
extern result lib3mf_model_getbuilditems(handle model, handle *items);
extern result lib3mf_builditemiterator_movenext(handle items, int *more);
extern result lib3mf_builditemiterator_getcurrent(handle items, handle *item);
extern result lib3mf_builditem_getobjectresource(handle item, handle *object);
extern result lib3mf_builditem_getobjecttransform(handle item, struct transform *transform);
extern result lib3mf_builditem_getpartnumberutf8(handle item, char *text, uint32_t room,
                                                 uint32_t *needed);
extern result lib3mf_object_getpartnumberutf8(handle object, char *text, uint32_t room,
                                              uint32_t *needed);
extern result lib3mf_object_gettype(handle object, uint32_t *type);
extern result lib3mf_object_ismeshobject(handle object, int *is);
extern result lib3mf_componentsobject_getcomponentcount(handle object, uint32_t *count);
extern result lib3mf_componentsobject_getcomponent(handle object, uint32_t i, handle *component);
extern result lib3mf_component_getobjectresource(handle component, handle *object);
extern result lib3mf_component_gettransform(handle component, struct transform *transform);
extern result lib3mf_meshobject_getvertexcount(handle object, uint32_t *count);
extern result lib3mf_meshobject_gettrianglecount(handle object, uint32_t *count);
extern result lib3mf_meshobject_getvertices(handle object, float *xyz, uint32_t room,
                                            uint32_t *count);
extern result lib3mf_meshobject_gettriangleindices(handle object, uint32_t *triangles,
                                                   uint32_t room, uint32_t *count);

/* What follows reads looks. Colours are four bytes, all 0 where there is none. */
extern result lib3mf_object_getnameutf8(handle object, char *name, uint32_t room, uint32_t *needed);
extern result lib3mf_object_createdefaultpropertyhandler(handle object, handle *properties);
extern result lib3mf_defaultpropertyhandler_getpropertytype(handle properties, int *type);
extern result lib3mf_defaultpropertyhandler_getbasematerial(handle properties, uint32_t *group,
                                                            uint32_t *entry);
extern result lib3mf_defaultpropertyhandler_getcolor(handle properties, uint32_t corner,
                                                     uint8_t rgba[4]);
extern result lib3mf_meshobject_createpropertyhandler(handle object, handle *properties);
extern result lib3mf_propertyhandler_getcolorarray(handle properties, uint8_t (*rgba)[3][4]);
extern result lib3mf_propertyhandler_getbasematerialarray(handle properties, uint32_t *groups,
                                                          uint32_t *entries);
extern result lib3mf_model_getbasematerialbyid(handle model, uint32_t group, handle *material);
extern result lib3mf_basematerial_getdisplaycolor(handle material, uint32_t entry, uint8_t *red,
                                                  uint8_t *green, uint8_t *blue, uint8_t *alpha);

#define LIB3MF_BASE 1 /* kinds of properties */
#define LIB3MF_COLOUR 2
#define LIB3MF_SUPPORT 2 /* a type of objects */

/* A file that lib3mf holds. Zero-initialise; threemf_lib_close releases. */
struct threemf_lib {
    handle model, reader;
    double unit_mm;
};

/** Reads a 3MF; in strict mode any warning is a failure. Errors as threemf_read_skin. */
int threemf_lib_open(struct threemf_lib *lib, const uint8_t *data, size_t n, bool strict,
                     struct err *err) MUST_CHECK;
void threemf_lib_close(struct threemf_lib *lib);

/** Fails with lib3mf's own words about a handle (may be NULL). Returns -1. */
int threemf_lib_rejected(struct err *err, handle of);

/** Room for the colours of an object's triangles, three corners each; *any is set where it has one,
 * and what has none is left as it is. Errors ERR_LIMIT. */
int threemf_lib_colours(uint8_t (*corner_rgb)[3], bool *any, handle model, handle object,
                        size_t triangle_count, bool mirrored, struct err *err) MUST_CHECK;

#endif
