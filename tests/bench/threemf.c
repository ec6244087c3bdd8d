/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One way of writing or reading a 3MF, alone in its process: user seconds of the work and the peak
 * of the whole, as JSON. The mesh is a ball with bumps, the same each time.
 *     threemf mesh|ours|lib3mf|bytes|verify|strict TRIANGLES FILE.3mf
 *     threemf xml 0 FILE.3mf FILE.xml        its model part as it is
 *     threemf deflate LEVEL FILE.xml         zlib alone, from file to nowhere
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "print/export/export.h"
#include "print/export/threemf_lib.h"
#include "print/export/verify_zip.h"
#include "tests/print/meshes.h"

extern result lib3mf_model_setunit(handle model, uint32_t unit);
extern result lib3mf_model_addmeshobject(handle model, handle *object);
extern result lib3mf_meshobject_setgeometry(handle object, const float *xyz, uint32_t vertices,
                                            const uint32_t *triangles, uint32_t count);
extern result lib3mf_model_addbuilditem(handle model, handle object, const struct transform *place,
                                        handle *item);
extern result lib3mf_model_querywriter(handle model, const char *kind, handle *writer);
extern result lib3mf_writer_writetofileutf8(handle writer, const char *path);

static struct err err;
static double begun;

static void give_up(const char *why)
{
    fprintf(stderr, "threemf: %s\n", why);
    exit(1);
}

static double user_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_utime.tv_sec + 1e-6 * (double)used.ru_utime.tv_usec;
}

static void start(void)
{
    begun = user_seconds();
}

static void say(size_t bytes)
{
    struct rusage used;
    double seconds = user_seconds() - begun;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"user\":%.4f,\"peak_mb\":%.1f,\"bytes\":%zu}\n", seconds,
           (double)used.ru_maxrss / 1024, bytes);
}

/* Bumps leave each coordinate with as many digits as a scanned figure has. */
static struct mesh bumpy(size_t triangles)
{
    struct mesh ball = {0};
    int rings = 2;
    while ((size_t)(4 * (rings + 1) * rings) <= triangles)
        rings++;
    add_ball(&ball, 0, 0, 0, 50, rings);
    for (size_t v = 0; v < ball.vertex_count; v++) {
        float *p = ball.xyz + 3 * v,
              more = 1 + 0.1f * sinf(0.31f * p[0]) * cosf(0.23f * p[1]) * sinf(0.37f * p[2]);
        for (int k = 0; k < 3; k++)
            p[k] *= more;
    }
    return ball;
}

static size_t size_of(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END))
        give_up("no such file");
    long n = ftell(f);
    fclose(f);
    return (size_t)n;
}

/* As a role writes it: straight into its file, or first into memory. */
static size_t write_ours(const struct mesh *mesh, const char *path, bool in_memory)
{
    const struct export_object object = {.mesh = mesh, .place_mm = {110, 110, 0}};
    const struct export_plate plate = {.objects = &object, .object_count = 1};
    struct bytes file = {0};
    start();
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644), failed = fd < 0;
    if (in_memory)
        failed = failed || threemf_write_plate(&file, &plate, &err) ||
                 write(fd, file.data, file.len) != (ssize_t)file.len;
    else
        failed = failed || threemf_write_file(fd, &plate, &err);
    if (failed || close(fd))
        give_up(err.what);
    return size_of(path);
}

static size_t write_lib3mf(const struct mesh *mesh, const char *path)
{
    struct transform place = {{{1, 0, 0, 110}, {0, 1, 0, 110}, {0, 0, 1, 0}}};
    handle model, object, item, writer;
    start();
    if (lib3mf_createmodel(&model) || lib3mf_model_setunit(model, 1) ||
        lib3mf_model_addmeshobject(model, &object) ||
        lib3mf_meshobject_setgeometry(object, mesh->xyz, (uint32_t)mesh->vertex_count,
                                      mesh->triangles, (uint32_t)mesh->triangle_count) ||
        lib3mf_model_addbuilditem(model, object, &place, &item) ||
        lib3mf_model_querywriter(model, "3mf", &writer) ||
        lib3mf_writer_writetofileutf8(writer, path))
        give_up("lib3mf did not write it");
    return size_of(path);
}

static size_t read_again(const struct mesh *mesh, const char *path, bool strict)
{
    const struct export_object object = {.mesh = mesh, .place_mm = {110, 110, 0}};
    const struct export_plate plate = {.objects = &object, .object_count = 1};
    struct threemf_objects read = {0};
    struct bytes file = {.limit = (size_t)1 << 30};
    if (bytes_read_file(&file, path, &err))
        give_up(err.what);
    start();
    if (strict ? threemf_read_objects(&read, file.data, file.len, &err)
               : threemf_verify_plate(file.data, file.len, &plate, &err))
        give_up(err.what);
    return file.len;
}

static size_t extract(const char *from, const char *to)
{
    struct bytes file = {.limit = (size_t)1 << 30}, xml = {.limit = (size_t)2 << 30};
    struct verify_zip zip;
    if (bytes_read_file(&file, from, &err) || verify_zip_open(&zip, file.data, file.len, &err) ||
        verify_zip_read(&xml, verify_zip_find(&zip, "3D/3dmodel.model"), &err) ||
        file_write(to, xml.data, xml.len, &err))
        give_up(err.what);
    start();
    return xml.len;
}

static size_t deflate_alone(int level, const char *path)
{
    static uint8_t plain[1 << 18], packed[1 << 18];
    z_stream z = {0};
    FILE *f = fopen(path, "rb");
    int last = 0;
    if (!f || deflateInit2(&z, level, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        give_up("no file, or no memory");
    start();
    while (!last) {
        z.next_in = plain;
        z.avail_in = (uInt)fread(plain, 1, sizeof plain, f);
        last = z.avail_in < sizeof plain;
        do {
            z.next_out = packed;
            z.avail_out = sizeof packed;
            deflate(&z, last ? Z_FINISH : Z_NO_FLUSH);
        } while (z.avail_out == 0);
    }
    return z.total_out;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        give_up("what?");
    const char *verb = argv[1], *path = argv[3];
    size_t number = strtoul(argv[2], NULL, 10), bytes = 0;
    struct mesh mesh = {0};
    if (!strcmp(verb, "xml"))
        return say(extract(path, argv[4])), 0;
    if (!strcmp(verb, "deflate"))
        return say(deflate_alone((int)number, path)), 0;
    mesh = bumpy(number);
    start();
    if (!strcmp(verb, "ours") || !strcmp(verb, "bytes"))
        bytes = write_ours(&mesh, path, *verb == 'b');
    else if (!strcmp(verb, "lib3mf"))
        bytes = write_lib3mf(&mesh, path);
    else if (!strcmp(verb, "verify") || !strcmp(verb, "strict"))
        bytes = read_again(&mesh, path, *verb == 's');
    else if (strcmp(verb, "mesh") != 0)
        give_up("what?");
    say(bytes);
    return 0;
}
