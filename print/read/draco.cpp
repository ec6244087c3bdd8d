/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The doorman of libdraco; see draco.h. No exception leaves this file. */
#include <draco/compression/decode.h>
#include <draco/compression/point_cloud/point_cloud_decoder.h>
#include <draco/core/varint_decoding.h>
#include <draco/mesh/mesh.h>
#include <draco/metadata/metadata_decoder.h>

#include <cstdlib>
#include <cstring>
#include <memory>

extern "C" {
#include "print/read/draco.h"
}

#define DAMAGED(err, ...) FAIL_CODE(err, ERR_INPUT, "mesh_damaged", __VA_ARGS__)
#define UNSUPPORTED(err, ...) FAIL_CODE(err, ERR_INPUT, "mesh_unsupported", __VA_ARGS__)

/* Regular grids pack to a fiftieth of a bit a triangle; nothing honest goes beyond. */
static const size_t triangles_a_byte = 512;

static int check_counts(uint64_t faces, uint64_t points, const draco_wish *wish, size_t n,
                        struct err *err)
{
    if (faces > wish->max_triangles || points > wish->max_vertices)
        return FAIL_CODE(err, ERR_LIMIT, "mesh_too_large",
                         "a Draco stream of %llu triangles and %llu vertices, more than promised",
                         (unsigned long long)faces, (unsigned long long)points);
    if (faces / triangles_a_byte > n || points / (3 * triangles_a_byte) > n)
        return DAMAGED(err, "a Draco stream of %zu bytes promises %llu triangles", n,
                       (unsigned long long)faces);
    return 0;
}

static bool take_count(uint32_t *count, draco::DecoderBuffer *buffer, bool varint)
{
    return varint ? draco::DecodeVarint(count, buffer) : buffer->Decode(count);
}

/* The counts that stand in front of the triangles; how they are written changed with 2.0 and 2.2.
 */
static bool take_counts(uint32_t *faces, uint32_t *points, draco::DecoderBuffer *buffer,
                        const draco::DracoHeader &header)
{
    unsigned version = header.version_major * 10u + header.version_minor;
    if (header.encoder_method != draco::MESH_EDGEBREAKER_ENCODING)
        return take_count(faces, buffer, version >= 22) &&
               take_count(points, buffer, version >= 22);
    uint8_t traversal;
    uint32_t new_points;
    return buffer->Decode(&traversal) &&
           (version >= 22 || take_count(&new_points, buffer, version >= 20)) &&
           take_count(points, buffer, version >= 20) && take_count(faces, buffer, version >= 20);
}

static int check_head(const draco_wish *wish, const uint8_t *data, size_t n, struct err *err)
{
    draco::DecoderBuffer buffer;
    draco::DracoHeader header;
    buffer.Init(reinterpret_cast<const char *>(data), n);
    if (!draco::PointCloudDecoder::DecodeHeader(&buffer, &header).ok())
        return DAMAGED(err, "a Draco stream without its head");
    if (header.encoder_type != draco::TRIANGULAR_MESH)
        return UNSUPPORTED(err, "the Draco stream holds a cloud of points, no mesh");
    if (header.version_major < 1 || header.version_major > 2 || header.version_minor > 9)
        return UNSUPPORTED(err, "Draco bitstream %d.%d; 1.1 to 2.2 are read", header.version_major,
                           header.version_minor);
    buffer.set_bitstream_version(
        DRACO_BITSTREAM_VERSION(header.version_major, header.version_minor));
    if (header.flags & METADATA_FLAG_MASK) {
        draco::GeometryMetadata metadata;
        if (!draco::MetadataDecoder().DecodeGeometryMetadata(&buffer, &metadata))
            return DAMAGED(err, "a Draco stream with unreadable metadata");
    }
    uint32_t faces = 0, points = 0;
    if (!take_counts(&faces, &points, &buffer, header))
        return DAMAGED(err, "a Draco stream without its counts");
    return check_counts(faces, points, wish, n, err);
}

static int take_attribute(float **out, draco::PointAttribute *from, bool normalized, int columns,
                          size_t count, struct err *err)
{
    float *made = static_cast<float *>(malloc((count * columns + 1) * sizeof *made));
    if (!made)
        return FAIL(err, ERR_LIMIT, "no memory for %zu vertices", count);
    *out = made;
    if (from->data_type() != draco::DT_FLOAT32)
        from->set_normalized(normalized || from->normalized());
    if (from->is_mapping_identity() && from->data_type() == draco::DT_FLOAT32 &&
        from->num_components() == columns && from->byte_stride() == 4 * columns &&
        from->size() >= count) {
        memcpy(made, from->GetAddress(draco::AttributeValueIndex(0)), count * 4 * columns);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        draco::AttributeValueIndex at = from->mapped_index(draco::PointIndex(i));
        if (at.value() >= from->size() ||
            !from->ConvertValue<float>(at, static_cast<int8_t>(columns), made + columns * i))
            return DAMAGED(err, "vertex %zu of a Draco stream has no value", i);
        if (columns == 4 && from->num_components() == 3)
            made[4 * i + 3] = 1;
    }
    return 0;
}

static draco::PointAttribute *find(draco::Mesh *mesh, long number)
{
    int at = mesh->GetAttributeIdByUniqueId(static_cast<uint32_t>(number));
    return number < 0 || at < 0 ? nullptr : mesh->attribute(at);
}

static int take_triangles(draco_mesh *out, const draco::Mesh &mesh, struct err *err)
{
    out->triangles = static_cast<uint32_t *>(malloc((out->triangle_count * 3 + 1) * 4));
    if (!out->triangles)
        return FAIL(err, ERR_LIMIT, "no memory for %zu triangles", out->triangle_count);
    for (size_t t = 0; t < out->triangle_count; t++) {
        const draco::Mesh::Face &face = mesh.face(draco::FaceIndex(t));
        for (int k = 0; k < 3; k++) {
            out->triangles[3 * t + k] = face[k].value();
            if (face[k].value() >= out->vertex_count)
                return DAMAGED(err, "a triangle of a Draco stream names vertex %u of %zu",
                               face[k].value(), out->vertex_count);
        }
    }
    return 0;
}

static int take_mesh(draco_mesh *out, const draco_wish *wish, draco::Mesh *mesh, struct err *err)
{
    out->vertex_count = mesh->num_points();
    out->triangle_count = mesh->num_faces();
    if (check_counts(out->triangle_count, out->vertex_count, wish, SIZE_MAX / 2, err))
        return -1;
    int by_kind = mesh->GetNamedAttributeId(draco::GeometryAttribute::POSITION);
    draco::PointAttribute *position = wish->position >= 0 ? find(mesh, wish->position)
                                      : by_kind >= 0      ? mesh->attribute(by_kind)
                                                          : nullptr;
    draco::PointAttribute *uv = find(mesh, wish->uv), *colour = find(mesh, wish->colour);
    if (!position || position->num_components() != 3)
        return DAMAGED(err, "a Draco stream has no positions");
    if (take_attribute(&out->xyz, position, wish->position_normalized, 3, out->vertex_count, err) ||
        (uv && take_attribute(&out->uv, uv, wish->uv_normalized, 2, out->vertex_count, err)) ||
        (colour &&
         take_attribute(&out->colour, colour, wish->colour_normalized, 4, out->vertex_count, err)))
        return -1;
    return take_triangles(out, *mesh, err);
}

static int unpack(draco_mesh *out, const draco_wish *wish, const uint8_t *data, size_t n,
                  struct err *err)
{
    if (check_head(wish, data, n, err))
        return -1;
    draco::DecoderBuffer buffer;
    draco::Decoder decoder;
    buffer.Init(reinterpret_cast<const char *>(data), n);
    auto mesh = decoder.DecodeMeshFromBuffer(&buffer);
    if (!mesh.ok())
        return DAMAGED(err, "libdraco says: %.120s", mesh.status().error_msg());
    return take_mesh(out, wish, mesh.value().get(), err);
}

extern "C" int draco_unpack(draco_mesh *out, const draco_wish *wish, const uint8_t *data, size_t n,
                            struct err *err)
{
    draco_mesh made = {};
    int failed;
    try {
        failed = unpack(&made, wish, data, n, err);
    } catch (const std::bad_alloc &) {
        failed = FAIL_CODE(err, ERR_LIMIT, "mesh_too_large", "no memory to unpack a Draco stream");
    } catch (const std::exception &why) {
        failed = DAMAGED(err, "libdraco gave up: %.120s", why.what());
    }
    if (failed)
        draco_mesh_free(&made);
    else
        *out = made;
    return failed;
}

extern "C" void draco_mesh_free(draco_mesh *mesh)
{
    free(mesh->xyz);
    free(mesh->uv);
    free(mesh->colour);
    free(mesh->triangles);
    *mesh = draco_mesh{};
}
