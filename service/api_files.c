/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes out: one file by its hash, or all files of an order as a tar archive. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "service/api.h"
#include "service/tar.h"

/* Only what a browser cannot be made to run is shown in it; all else is downloaded. */
static bool is_picture(const char *mime)
{
    return strcmp(mime, "image/png") == 0 || strcmp(mime, "image/jpeg") == 0 ||
           strcmp(mime, "image/webp") == 0;
}

static const char *safe_mime(const char *mime)
{
    static const char *const known[] = {
        "image/png",  "image/jpeg",
        "image/webp", "application/json",
        "model/3mf",  "model/gltf-binary",
        "model/stl",  "text/x.gcode",
        "text/plain", "model/obj",
        "model/ply",  "application/vnd.ms-package.3dmanufacturing-3dmodel+xml"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(mime, known[i]) == 0)
            return known[i];
    return "application/octet-stream";
}

/* Letters, digits, '.', '-' and '_' of a name, bounded; "file" when nothing is left. */
static void safe_name(char *out, size_t room, const char *name)
{
    size_t n = 0;
    for (; *name && n + 1 < room; name++) {
        bool plain = isalnum((unsigned char)*name) || strchr("._-", *name);
        if (plain || (n && out[n - 1] != '_'))
            out[n++] = plain ? *name : '_';
    }
    out[n] = 0;
    for (char *dots; (dots = strstr(out, ".."));)
        dots[0] = '_';
    if (!n || out[0] == '.')
        snprintf(out, room, "file");
}

static int open_blob(struct reply *reply, const struct request *request, const char *sha256,
                     struct err *err)
{
    char path[1200];
    struct stat st;
    if (blob_path(path, request_blobs(request), sha256, err))
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return FAIL_ERRNO(err, "a file that is on record cannot be read");
    if (fstat(fd, &st)) {
        close(fd);
        return FAIL_ERRNO(err, "a file that is on record cannot be read");
    }
    reply->file = fd;
    reply->file_bytes = (uint64_t)st.st_size;
    return 0;
}

int api_file(struct request *request, struct reply *reply, struct err *err)
{
    const char *sha256 = request->part[0], *parameters[] = {sha256};
    const char *seen = request_header(request, "If-None-Match");
    char name[80];
    struct db_rows *rows;
    if (strlen(sha256) != 64 || strspn(sha256, "0123456789abcdef") != 64)
        return FAIL_CODE(err, ERR_ABSENT, "not_found", "there is no such file");
    if (request_one(&rows, request, "file", "api_file", 1, parameters, err))
        return -1;
    reply->mime = safe_mime(db_text(rows, 0, 0));
    safe_name(name, sizeof name, db_text(rows, 0, 1));
    db_rows_free(rows);
    reply_header(reply, "ETag", "\"%s\"", sha256);
    reply_header(reply, "Cache-Control", "private, max-age=31536000, immutable");
    reply_header(reply, "Content-Disposition", "%s; filename=\"%s\"",
                 is_picture(reply->mime) ? "inline" : "attachment", name);
    if (seen && strstr(seen, sha256)) {
        reply->status = 304;
        return 0;
    }
    return open_blob(reply, request, sha256, err);
}

/* <order number>/<position>_<item name>/<NN_stage.ext>; a second file of one name gets its hash. */
static int add_artifact(struct tar *tar, const struct request *request, const char *top,
                        const struct db_rows *rows, int row, struct err *err)
{
    char item[32], file[40], name[128], path[1200];
    const char *sha256 = db_text(rows, row, 3);
    safe_name(item, sizeof item, *db_text(rows, row, 1) ? db_text(rows, row, 1) : "item");
    safe_name(file, sizeof file, db_text(rows, row, 2));
    bool again = row > 0 && db_int(rows, row - 1, 0) == db_int(rows, row, 0) &&
                 strcmp(db_text(rows, row - 1, 2), db_text(rows, row, 2)) == 0;
    const char *dot = strrchr(file, '.');
    size_t stem = dot && again ? (size_t)(dot - file) : strlen(file);
    snprintf(name, sizeof name, "%s/%02d_%s/%.*s%s%.8s%s", top, (int)db_int(rows, row, 0), item,
             (int)stem, file, again ? "_" : "", again ? sha256 : "", again && dot ? dot : "");
    if (blob_path(path, request_blobs(request), sha256, err))
        return -1;
    return tar_add_file(tar, name, db_int(rows, row, 5), path, (uint64_t)db_int(rows, row, 4),
                        sha256, err);
}

static int fill_tar(struct tar *tar, struct request *request, const cJSON *order,
                    const struct bytes *text, struct err *err)
{
    char top[40], name[60];
    const char *id = json_text(order, "id", ""), *parameters[] = {id};
    struct db_rows *rows = NULL;
    snprintf(top, sizeof top, "order_%.0f", json_number(order, "number", 0));
    snprintf(name, sizeof name, "%s/order.json", top);
    if (tar_add_text(tar, name, time(NULL), text->data, text->len, err) ||
        db_run(&rows, request->db, "api_export", 1, parameters, err))
        return -1;
    int failed = 0;
    for (int i = 0; i < db_row_count(rows) && !failed; i++)
        failed = add_artifact(tar, request, top, rows, i, err);
    db_rows_free(rows);
    return failed;
}

int api_order_export(struct request *request, struct reply *reply, struct err *err)
{
    struct bytes text = {0};
    struct tar *tar = NULL;
    cJSON *order = NULL;
    int failed = api_order_document(&text, request, request->part[0], err) ||
                 json_parse(&order, text.data, text.len, err) || tar_open(&tar, err) ||
                 fill_tar(tar, request, order, &text, err);
    if (!failed) {
        reply->mime = "application/x-tar";
        reply_header(reply, "Content-Disposition", "attachment; filename=\"order_%.0f.tar\"",
                     json_number(order, "number", 0));
        reply->pull = tar_pull;
        reply->pull_end = tar_close;
        reply->user = tar;
        reply->pull_bytes = (int64_t)tar_bytes(tar);
        tar = NULL;
    }
    tar_close(tar);
    cJSON_Delete(order);
    bytes_free(&text);
    return failed ? -1 : 0;
}
