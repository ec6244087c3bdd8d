/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glTF buffer views and accessors. Every offset, stride and count is held against what is there,
 * in 64-bit arithmetic on values below 2^53, before a byte is touched or reserved. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/meshopt.h"
#include "print/read/gltf.h"

#define UNPACKED_MAX ((size_t)2 << 30) /* all views of a file together */
#define STRIDE_MAX 4096

const cJSON *gltf_extension(const cJSON *object, const char *name)
{
    return json_get(json_get(object, "extensions"), name);
}

int gltf_numbers(const struct gltf *gltf, const cJSON *object, const char *name, double *values,
                 int count)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, name), *one;
    int i = 0;
    if (!array)
        return 0;
    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) != count)
        return DAMAGED(gltf->err, "%s has not %d numbers", name, count);
    cJSON_ArrayForEach (one, array) {
        if (!cJSON_IsNumber(one) || !isfinite(one->valuedouble))
            return DAMAGED(gltf->err, "%s holds no number", name);
        values[i++] = one->valuedouble;
    }
    return 0;
}

/* The bytes that a view or a compressed view names. */
static int find_bytes(const struct gltf *gltf, const cJSON *json, size_t number,
                      struct gltf_view *view)
{
    size_t buffer, start = 0;
    if (gltf_size(gltf, json, "buffer", &buffer) != 0 ||
        gltf_size(gltf, json, "byteOffset", &start) < 0 ||
        gltf_size(gltf, json, "byteLength", &view->bytes) != 0 || buffer >= gltf->buffer_count)
        return DAMAGED(gltf->err, "bufferView %zu cannot be used", number);
    const struct gltf_buffer *from = &gltf->buffers[buffer];
    if (from->external)
        return UNSUPPORTED(gltf->err, "the mesh data does not lie in this file; send a plain GLB");
    if (start > from->bytes || view->bytes > from->bytes - start)
        return TRUNCATED(gltf->err, "bufferView %zu reaches beyond its buffer", number);
    view->data = from->data + start;
    return 0;
}

/* How a packed view unpacks; the names are the extension's. */
struct packing {
    size_t count, stride;
    char mode;   /* A attributes, T triangles, I indices */
    char filter; /* N none, O octahedral, Q quaternion, E exponential */
};

static int packing_read(const struct gltf *gltf, const cJSON *json, struct packing *packing)
{
    const char *mode = json_text(json, "mode", ""), *filter = json_text(json, "filter", "NONE");
    if (gltf_size(gltf, json, "count", &packing->count) != 0 ||
        gltf_size(gltf, json, "byteStride", &packing->stride) != 0)
        return DAMAGED(gltf->err, "a meshopt view has no count and stride");
    packing->mode = *mode;
    packing->filter = *filter;
    size_t stride = packing->stride;
    bool attributes =
        strcmp(mode, "ATTRIBUTES") == 0 && stride >= 4 && stride <= 256 && stride % 4 == 0;
    bool indices =
        (strcmp(mode, "TRIANGLES") == 0 && packing->count % 3 == 0) || strcmp(mode, "INDICES") == 0;
    if (!attributes && !(indices && (stride == 2 || stride == 4)))
        return DAMAGED(gltf->err, "a meshopt view of mode %.20s and stride %zu", mode, stride);
    bool plain = strcmp(filter, "NONE") == 0;
    bool fits = (strcmp(filter, "OCTAHEDRAL") == 0 && (stride == 4 || stride == 8)) ||
                (strcmp(filter, "QUATERNION") == 0 && stride == 8) ||
                strcmp(filter, "EXPONENTIAL") == 0;
    if (!plain && !(attributes && fits))
        return UNSUPPORTED(gltf->err, "the meshopt filter %.20s", filter);
    return 0;
}

/* The codecs spend at least 2 bits on 16 bytes of an attribute, a byte on a triangle or an index:
 * what promises more is no honest file, and nothing is reserved for it. */
static int packing_check(const struct gltf *gltf, const struct packing *p, size_t packed)
{
    size_t most = p->mode == 'A'   ? 64 * packed
                  : p->mode == 'T' ? 3 * p->stride * packed
                                   : p->stride * packed;
    if (p->count > 9 * MESH_MAX_TRIANGLES ||
        p->count * p->stride > UNPACKED_MAX - gltf->unpacked_bytes)
        return FAIL_CODE(gltf->err, ERR_LIMIT, "mesh_too_large", "a meshopt view of %zu elements",
                         p->count);
    if (p->count * p->stride > most)
        return DAMAGED(gltf->err, "a meshopt view of %zu bytes promises %zu elements", packed,
                       p->count);
    return 0;
}

static int packing_unpack(const struct packing *p, uint8_t *to, const struct gltf_view *from)
{
    int code = p->mode == 'A'
                   ? meshopt_decodeVertexBuffer(to, p->count, p->stride, from->data, from->bytes)
               : p->mode == 'T'
                   ? meshopt_decodeIndexBuffer(to, p->count, p->stride, from->data, from->bytes)
                   : meshopt_decodeIndexSequence(to, p->count, p->stride, from->data, from->bytes);
    if (code)
        return code;
    if (p->filter == 'O')
        meshopt_decodeFilterOct(to, p->count, p->stride);
    if (p->filter == 'Q')
        meshopt_decodeFilterQuat(to, p->count, p->stride);
    if (p->filter == 'E')
        meshopt_decodeFilterExp(to, p->count, p->stride);
    return 0;
}

static int unpack_view(struct gltf *gltf, const cJSON *json, size_t number)
{
    struct gltf_view from = {0};
    struct packing p;
    if (find_bytes(gltf, json, number, &from) || packing_read(gltf, json, &p) ||
        packing_check(gltf, &p, from.bytes))
        return -1;
    uint8_t *made = malloc(p.count * p.stride + 16);
    if (!made)
        return FAIL(gltf->err, ERR_LIMIT, "no memory to unpack %zu elements", p.count);
    if (packing_unpack(&p, made, &from)) {
        free(made);
        /* The low half of the first byte is the codec's version. */
        return from.bytes && p.mode == 'A' && from.data[0] == 0xa1
                   ? UNSUPPORTED(gltf->err, "bufferView %zu is packed by a newer meshopt", number)
                   : DAMAGED(gltf->err, "bufferView %zu does not unpack", number);
    }
    gltf->unpacked[number] = made;
    gltf->unpacked_bytes += p.count * p.stride;
    return 0;
}

int gltf_view(struct gltf *gltf, size_t number, struct gltf_view *view)
{
    const cJSON *json;
    size_t count;
    if (gltf_item(gltf, &gltf->views, number, "bufferView", &json))
        return -1;
    const cJSON *packed = gltf_extension(json, "EXT_meshopt_compression");
    packed = packed ? packed : gltf_extension(json, "KHR_meshopt_compression");
    *view = (struct gltf_view){0};
    if (gltf_size(gltf, packed ? packed : json, "byteStride", &view->stride) < 0)
        return -1;
    if (!packed)
        return find_bytes(gltf, json, number, view);
    if (!gltf->unpacked[number] && unpack_view(gltf, packed, number))
        return -1;
    if (gltf_size(gltf, packed, "count", &count))
        return -1;
    view->data = gltf->unpacked[number];
    view->bytes = count * view->stride;
    return 0;
}

static struct gltf_component component_of(size_t code)
{
    switch (code) {
    case 5120:
        return (struct gltf_component){1, 'i', 127};
    case 5121:
        return (struct gltf_component){1, 'u', 255};
    case 5122:
        return (struct gltf_component){2, 'i', 32767};
    case 5123:
        return (struct gltf_component){2, 'u', 65535};
    case 5125:
        return (struct gltf_component){4, 'u', 4294967295.0f};
    case 5126:
        return (struct gltf_component){4, 'f', 1};
    default:
        return (struct gltf_component){0};
    }
}

static int view_elements(struct gltf *gltf, size_t view_number, size_t offset,
                         struct gltf_elements *e)
{
    struct gltf_view view;
    const size_t each = (size_t)e->columns * e->component.bytes;
    if (gltf_view(gltf, view_number, &view))
        return -1;
    e->stride = view.stride ? view.stride : each;
    if (!e->stride || e->stride < each || e->stride > STRIDE_MAX)
        return DAMAGED(gltf->err, "bufferView %zu has a stride of %zu", view_number, view.stride);
    if (e->count && (offset > view.bytes || each > view.bytes - offset ||
                     (e->count - 1) > (view.bytes - offset - each) / e->stride))
        return TRUNCATED(gltf->err, "an accessor reaches beyond bufferView %zu", view_number);
    e->data = view.data + offset;
    return 0;
}

static unsigned columns_of(const char *type)
{
    static const char *const types[] = {"SCALAR", "VEC2", "VEC3", "VEC4"};
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(type, types[i]) == 0)
            return i + 1;
    return 0;
}

int gltf_accessor(struct gltf *gltf, size_t number, struct gltf_elements *e)
{
    const cJSON *accessor;
    size_t code = 0, view = 0, offset = 0;
    *e = (struct gltf_elements){0};
    if (gltf_item(gltf, &gltf->accessors, number, "accessor", &accessor))
        return -1;
    e->columns = columns_of(json_text(accessor, "type", ""));
    if (e->columns == 0 || gltf_size(gltf, accessor, "componentType", &code) != 0 ||
        gltf_size(gltf, accessor, "count", &e->count) != 0 ||
        gltf_size(gltf, accessor, "byteOffset", &offset) < 0)
        return DAMAGED(gltf->err, "accessor %zu has no usable type and count", number);
    e->component = component_of(code);
    e->normalized = json_bool(accessor, "normalized", false);
    e->sparse = cJSON_GetObjectItemCaseSensitive(accessor, "sparse");
    if (!e->component.kind)
        return DAMAGED(gltf->err, "an accessor has component type %zu", code);
    if (e->count > 3 * MESH_MAX_TRIANGLES)
        return FAIL_CODE(gltf->err, ERR_LIMIT, "mesh_too_large", "an accessor of %zu elements",
                         e->count);
    int found = gltf_size(gltf, accessor, "bufferView", &view);
    if (found < 0)
        return -1;
    if (found == 0)
        return view_elements(gltf, view, offset, e);
    /* Nothing but zeros, or another extension's business: the file's size bounds no count. */
    if (e->count > 64 * gltf->file_bytes)
        return DAMAGED(gltf->err, "an accessor of %zu elements has no data", e->count);
    return 0;
}

static float element_value(const struct gltf_elements *e, size_t i, unsigned column)
{
    const uint8_t *p = e->data + i * e->stride + (size_t)column * e->component.bytes;
    uint32_t bits = 0;
    for (unsigned k = 0; k < e->component.bytes; k++)
        bits |= (uint32_t)p[k] << (8 * k);
    if (e->component.kind == 'f') {
        float f;
        memcpy(&f, &bits, sizeof f);
        return f;
    }
    double value = bits;
    if (e->component.kind == 'i')
        value = e->component.bytes == 1 ? (int8_t)bits : (int16_t)bits;
    if (!e->normalized)
        return (float)value;
    value /= (double)e->component.most;
    return (float)(value < -1 ? -1 : value);
}

static int sparse_part(struct gltf *gltf, const cJSON *part, struct gltf_elements *e)
{
    size_t view = 0, offset = 0;
    if (gltf_size(gltf, part, "bufferView", &view) != 0 ||
        gltf_size(gltf, part, "byteOffset", &offset) < 0)
        return DAMAGED(gltf->err, "a sparse accessor lacks its data");
    return view_elements(gltf, view, offset, e);
}

static int apply_sparse(struct gltf *gltf, const struct gltf_elements *base, float *to)
{
    struct gltf_elements where = {.columns = 1}, what = *base;
    size_t code = 0;
    const cJSON *indices = cJSON_GetObjectItemCaseSensitive(base->sparse, "indices");
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(base->sparse, "values");
    if (gltf_size(gltf, base->sparse, "count", &where.count) != 0 || where.count > base->count ||
        gltf_size(gltf, indices, "componentType", &code) != 0)
        return DAMAGED(gltf->err, "a sparse accessor has no usable count");
    where.component = component_of(code);
    what.count = where.count;
    if (where.component.kind != 'u')
        return DAMAGED(gltf->err, "a sparse accessor's indices have type %zu", code);
    if (sparse_part(gltf, indices, &where) || sparse_part(gltf, values, &what))
        return -1;
    for (size_t i = 0; i < where.count; i++) {
        uint32_t at = 0;
        memcpy(&at, where.data + i * where.stride, where.component.bytes);
        if (at >= base->count)
            return DAMAGED(gltf->err, "a sparse accessor changes element %u of %zu", at,
                           base->count);
        for (unsigned k = 0; k < base->columns; k++)
            to[(size_t)base->columns * at + k] = element_value(&what, i, k);
    }
    return 0;
}

int gltf_floats(struct gltf *gltf, const struct gltf_elements *e, float *to)
{
    const size_t each = (size_t)e->columns * sizeof *to;
    if (e->count == 0)
        return 0;
    if (!e->data)
        memset(to, 0, e->count * each);
    else if (e->component.kind == 'f' && e->stride == each)
        memcpy(to, e->data, e->count * each);
    else if (e->component.kind == 'f')
        for (size_t i = 0; i < e->count; i++)
            memcpy(to + i * e->columns, e->data + i * e->stride, each);
    else
        for (size_t i = 0; i < e->count; i++)
            for (unsigned k = 0; k < e->columns; k++)
                to[i * e->columns + k] = element_value(e, i, k);
    return e->sparse ? apply_sparse(gltf, e, to) : 0;
}

int gltf_indices(struct gltf *gltf, const struct gltf_elements *e, uint32_t *to)
{
    if (e->component.kind != 'u' || e->normalized || !e->data || e->columns != 1)
        return DAMAGED(gltf->err, "indices are not whole numbers in a buffer");
    if (e->count == 0)
        return 0;
    if (e->component.bytes == 4 && e->stride == 4)
        memcpy(to, e->data, 4 * e->count);
    else if (e->component.bytes == 4)
        for (size_t i = 0; i < e->count; i++)
            memcpy(to + i, e->data + i * e->stride, 4);
    else if (e->component.bytes == 2)
        for (size_t i = 0; i < e->count; i++) {
            uint16_t small;
            memcpy(&small, e->data + i * e->stride, 2);
            to[i] = small;
        }
    else
        for (size_t i = 0; i < e->count; i++)
            to[i] = e->data[i * e->stride];
    return 0;
}
