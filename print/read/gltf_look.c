/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glTF materials: base colour factors and textures, the only part of a look that a printer could
 * show. A texture that cannot be had is a note, never a refusal of the mesh. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/colour/picture.h"
#include "print/read/gltf.h"

#define PICTURES_MAX 256
#define PIXELS_MAX ((uint64_t)68000000)      /* one texture: 8192 x 8192 */
#define PIXELS_ALL_MAX ((uint64_t)136000000) /* all of a file, 4 bytes each */
#define MATERIALS_MAX 65535

int gltf_look_open(struct gltf_look *look, struct gltf *gltf, struct skin *skin)
{
    *look = (struct gltf_look){.gltf = gltf, .skin = skin};
    if (!skin)
        return 0;
    if (gltf_list_open(gltf, &gltf->materials, "materials") ||
        gltf_list_open(gltf, &gltf->textures, "textures") ||
        gltf_list_open(gltf, &gltf->images, "images") ||
        gltf_list_open(gltf, &gltf->samplers, "samplers"))
        return -1;
    look->material_of = malloc((gltf->materials.count + 1) * sizeof *look->material_of);
    look->picture_of = malloc((gltf->images.count + 1) * sizeof *look->picture_of);
    if (!look->material_of || !look->picture_of)
        return FAIL(gltf->err, ERR_LIMIT, "no memory for %zu materials", gltf->materials.count);
    for (size_t i = 0; i <= gltf->materials.count; i++)
        look->material_of[i] = -1;
    for (size_t i = 0; i <= gltf->images.count; i++)
        look->picture_of[i] = -1;
    return 0;
}

void gltf_look_close(struct gltf_look *look)
{
    free(look->material_of);
    free(look->picture_of);
}

static int no_texture(struct gltf *gltf, const char *why)
{
    note(gltf->notes, why);
    return 1;
}

/* The bytes of an image; 1 where they are not in this file. *owned is to be freed. */
static int image_bytes(struct gltf *gltf, const cJSON *image, struct gltf_view *view,
                       uint8_t **owned)
{
    size_t number;
    const char *uri = json_text(image, "uri", NULL);
    int found = gltf_size(gltf, image, "bufferView", &number);
    if (found == 0)
        return gltf_view(gltf, number, view);
    if (!uri || strncmp(uri, "data:", 5) != 0)
        return no_texture(gltf, "a texture lies in another file and was ignored");
    struct gltf_buffer buffer = {0};
    int failed = gltf_decode_uri(gltf, &buffer, uri);
    *owned = buffer.owned;
    *view = (struct gltf_view){.data = buffer.data, .bytes = buffer.bytes};
    return failed;
}

static int decode_image(struct gltf_look *look, const cJSON *image, struct picture *picture)
{
    struct gltf *gltf = look->gltf;
    struct gltf_view view = {0};
    struct err inner = {0}, *kept = gltf->err;
    uint8_t *owned = NULL;
    uint64_t left = PIXELS_ALL_MAX - look->pixels;
    gltf->err = &inner; /* whatever is wrong with a texture is no failure */
    int failed = image_bytes(gltf, image, &view, &owned);
    if (!failed) {
        failed = texture_decode(picture, view.data, view.bytes,
                                left < PIXELS_MAX ? left : PIXELS_MAX, &inner);
        if (failed == 1)
            note(gltf->notes, "a texture of a kind that is not read was ignored");
    }
    free(owned);
    gltf->err = kept;
    if (failed < 0)
        note(gltf->notes, inner.kind == ERR_LIMIT ? "a texture is too large and was ignored"
                                                  : "a damaged texture was ignored");
    return failed ? 1 : 0;
}

/* The skin's picture for an image, decoded at first use; -2 when there is none to be had. */
static int picture_number(struct gltf_look *look, size_t image)
{
    struct gltf *gltf = look->gltf;
    struct skin *skin = look->skin;
    struct picture picture = {0};
    if (image >= gltf->images.count)
        return -2;
    if (look->picture_of[image] != -1)
        return look->picture_of[image];
    look->picture_of[image] = -2;
    if (skin->picture_count == PICTURES_MAX ||
        decode_image(look, gltf->images.items[image], &picture))
        return -2;
    struct picture *more =
        realloc(skin->pictures, (skin->picture_count + 1) * sizeof *skin->pictures);
    if (!more) {
        picture_free(&picture);
        return -2;
    }
    skin->pictures = more;
    skin->pictures[skin->picture_count] = picture;
    look->pixels += (uint64_t)picture.width * picture.height;
    look->picture_of[image] = (int)skin->picture_count++;
    return look->picture_of[image];
}

/* A texture names its image, or a better one through an extension. */
static int texture_picture(struct gltf_look *look, const cJSON *texture)
{
    static const char *const better[] = {"EXT_texture_webp", "EXT_texture_avif",
                                         "KHR_texture_basisu", "MSFT_texture_dds"};
    struct gltf *gltf = look->gltf;
    size_t image = SIZE_MAX;
    int picture = -2;
    const cJSON *webp = gltf_extension(texture, better[0]);
    if (webp && gltf_size(gltf, webp, "source", &image) == 0)
        picture = picture_number(look, image);
    if (picture < 0 && gltf_size(gltf, texture, "source", &image) == 0)
        picture = picture_number(look, image);
    for (size_t i = 1; picture < 0 && i < sizeof better / sizeof *better; i++)
        if (gltf_extension(texture, better[i]))
            note(gltf->notes, "a texture of a kind that is not read was ignored");
    return picture;
}

static enum skin_wrap wrap_of(const cJSON *sampler, const char *name)
{
    double code = json_number(sampler, name, 10497);
    return code == 33071 ? SKIN_CLAMP : code == 33648 ? SKIN_MIRROR : SKIN_REPEAT;
}

/* KHR_texture_transform: scaled, then turned, then moved. */
static int read_place(struct gltf *gltf, const cJSON *info, struct skin_material *m, size_t *uv_set)
{
    const cJSON *moved = gltf_extension(info, "KHR_texture_transform");
    double offset[2] = {0, 0}, scale[2] = {1, 1}, turn = json_number(moved, "rotation", 0);
    if (gltf_size(gltf, info, "texCoord", uv_set) < 0 ||
        gltf_size(gltf, moved, "texCoord", uv_set) < 0 ||
        gltf_numbers(gltf, moved, "offset", offset, 2) ||
        gltf_numbers(gltf, moved, "scale", scale, 2))
        return -1;
    double c = cos(turn), s = sin(turn);
    const double place[6] = {scale[0] * c,  scale[1] * s, offset[0],
                             -scale[0] * s, scale[1] * c, offset[1]};
    for (int i = 0; i < 6; i++)
        m->place[i] = (float)place[i];
    return 0;
}

static int read_texture(struct gltf_look *look, const cJSON *info, struct skin_material *m,
                        size_t *uv_set)
{
    struct gltf *gltf = look->gltf;
    size_t number = SIZE_MAX, sampler = SIZE_MAX;
    if (!cJSON_IsObject(info) || gltf_size(gltf, info, "index", &number) != 0 ||
        number >= gltf->textures.count)
        return 0;
    const cJSON *texture = gltf->textures.items[number];
    if (gltf_size(gltf, texture, "sampler", &sampler) == 0 && sampler < gltf->samplers.count) {
        m->wrap[0] = wrap_of(gltf->samplers.items[sampler], "wrapS");
        m->wrap[1] = wrap_of(gltf->samplers.items[sampler], "wrapT");
    }
    if (read_place(gltf, info, m, uv_set))
        return -1;
    int picture = texture_picture(look, texture);
    m->picture = picture < 0 ? -1 : picture;
    return 0;
}

static int read_material(struct gltf_look *look, const cJSON *material, struct skin_material *m,
                         size_t *uv_set)
{
    const cJSON *metal = json_get(material, "pbrMetallicRoughness");
    const cJSON *gloss = gltf_extension(material, "KHR_materials_pbrSpecularGlossiness");
    const cJSON *from = metal || !gloss ? metal : gloss;
    double factor[4] = {1, 1, 1, 1};
    if (gltf_numbers(look->gltf, from, from == gloss ? "diffuseFactor" : "baseColorFactor", factor,
                     4))
        return -1;
    for (int k = 0; k < 3; k++)
        m->factor[k] = (float)(factor[k] < 0 ? 0 : factor[k] > 1 ? 1 : factor[k]);
    return read_texture(look, json_get(from, from == gloss ? "diffuseTexture" : "baseColorTexture"),
                        m, uv_set);
}

int gltf_look_material(struct gltf_look *look, const cJSON *primitive, unsigned *material,
                       size_t *uv_set)
{
    struct gltf *gltf = look->gltf;
    struct skin *skin = look->skin;
    struct skin_material m = {{1, 1, 1}, -1, {SKIN_REPEAT, SKIN_REPEAT}, {1, 0, 0, 0, 1, 0}};
    const cJSON *json = NULL;
    size_t number = 0;
    *uv_set = 0;
    int found = gltf_size(gltf, primitive, "material", &number);
    if (found < 0)
        return -1;
    if (found == 0 && number < gltf->materials.count)
        json = gltf->materials.items[number++];
    else
        number = 0;
    if (json && read_material(look, json, &m, uv_set))
        return -1;
    if (look->material_of[number] < 0) {
        if (skin->material_count == MATERIALS_MAX)
            return FAIL_CODE(gltf->err, ERR_LIMIT, "mesh_too_large", "over %d materials",
                             MATERIALS_MAX);
        struct skin_material *more =
            realloc(skin->materials, (skin->material_count + 1) * sizeof *more);
        if (!more)
            return FAIL(gltf->err, ERR_LIMIT, "no memory for materials");
        skin->materials = more;
        skin->materials[skin->material_count] = m;
        look->material_of[number] = (int)skin->material_count++;
    }
    *material = (unsigned)look->material_of[number];
    return 0;
}
