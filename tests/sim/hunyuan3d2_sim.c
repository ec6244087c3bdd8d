/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stand-in for a self-hosted Hunyuan3D-2 server: speaks that server's wire protocol (POST
 * /generate, POST /send, GET /status/UID), makes no model but serves one, and misbehaves when
 * asked to. GET /sim/counts tells a test what was asked of it.
 *
 *   hunyuan3d2_sim [--port N] [--model FILE] [--slow MS] [--fail N] [--truncate] [--html]
 *                  [--drop-after-accept]
 *
 * Port 0 takes a free one; "port N" is printed on stdout once it listens. Ends with its parent.
 */
#include <getopt.h>
#include <math.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "intake/provider/reading.h"

#define MAX_TASKS 256
#define MAX_BODY ((size_t)64 << 20)
#define HTML "<html><body>502 Bad Gateway</body></html>"
#define ITS_404                                                                                    \
    "{\"text\":\"**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE OR REFRESH THIS "          \
    "PAGE.**\","                                                                                   \
    "\"error_code\":1}"

struct task {
    char uid[40];
    int64_t ready_ms;
    bool asked; /* for --truncate: the first look comes while the file is being written */
};

struct sim {
    struct bytes model;
    unsigned slow_ms;
    int failures_left;
    bool truncate, html, drop;
    pthread_mutex_t lock;
    int generate_count, send_count, status_count, made_count;
    struct task tasks[MAX_TASKS];
    int task_count;
};

struct upload {
    struct bytes body;
};

/* --- the built-in model: a body of revolution with a foot, a waist and a head, 1 unit high --- */

#define ROWS 40
#define SEGMENTS 48
#define VERTICES (ROWS * SEGMENTS + 2)
#define TRIANGLES ((ROWS - 1) * SEGMENTS * 2 + SEGMENTS * 2)

static double radius_at(double t)
{
    if (t < 0.06)
        return 0.24;
    if (t < 0.62)
        return 0.16 + 0.05 * cos((t - 0.06) / 0.56 * 2 * M_PI);
    if (t < 0.66)
        return 0.08;
    double u = (t - 0.82) / 0.165;
    return fmax(0.02, 0.165 * sqrt(fmax(0, 1 - u * u)));
}

static void fill_positions(float *xyz)
{
    for (int row = 0; row < ROWS; row++) {
        double t = row / (ROWS - 1.0), r = radius_at(t);
        for (int s = 0; s < SEGMENTS; s++) {
            double angle = 2 * M_PI * s / SEGMENTS;
            *xyz++ = (float)(r * cos(angle));
            *xyz++ = (float)t;
            *xyz++ = (float)(-r * sin(angle));
        }
    }
    const float ends[6] = {0, 0, 0, 0, 1, 0};
    memcpy(xyz, ends, sizeof ends);
}

static void add_triangle(uint16_t **at, int a, int b, int c)
{
    *(*at)++ = (uint16_t)a;
    *(*at)++ = (uint16_t)b;
    *(*at)++ = (uint16_t)c;
}

static void fill_indices(uint16_t *at)
{
    for (int s = 0; s < SEGMENTS; s++) {
        int n = (s + 1) % SEGMENTS, top = (ROWS - 1) * SEGMENTS;
        add_triangle(&at, VERTICES - 2, n, s);
        add_triangle(&at, VERTICES - 1, top + s, top + n);
        for (int row = 0; row + 1 < ROWS; row++) {
            int below = row * SEGMENTS, above = below + SEGMENTS;
            add_triangle(&at, below + s, below + n, above + n);
            add_triangle(&at, below + s, above + n, above + s);
        }
    }
}

static void put_u32(struct bytes *out, uint32_t v, struct err *err)
{
    const uint8_t le[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    if (bytes_append(out, le, 4, err))
        exit(1);
}

static void make_model(struct bytes *glb, struct err *err)
{
    static float xyz[VERTICES * 3];
    static uint16_t indices[TRIANGLES * 3];
    char json[1024];
    const unsigned index_bytes = sizeof indices, position_bytes = sizeof xyz;
    fill_positions(xyz);
    fill_indices(indices);
    int n = snprintf(
        json, sizeof json,
        "{\"asset\":{\"version\":\"2.0\"},\"scene\":0,\"scenes\":[{\"nodes\":[0]}],"
        "\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0},"
        "\"indices\":1}]}],\"buffers\":[{\"byteLength\":%u}],\"bufferViews\":["
        "{\"buffer\":0,\"byteOffset\":0,\"byteLength\":%u},"
        "{\"buffer\":0,\"byteOffset\":%u,\"byteLength\":%u}],\"accessors\":["
        "{\"bufferView\":0,\"componentType\":5126,\"count\":%d,\"type\":\"VEC3\","
        "\"min\":[-0.24,0,-0.24],\"max\":[0.24,1,0.24]},"
        "{\"bufferView\":1,\"componentType\":5123,\"count\":%d,\"type\":\"SCALAR\"}]}",
        position_bytes + index_bytes, position_bytes, position_bytes, index_bytes, VERTICES,
        TRIANGLES * 3);
    while (n % 4)
        json[n++] = ' ';
    put_u32(glb, 0x46546c67, err);
    put_u32(glb, 2, err);
    put_u32(glb, (uint32_t)(12 + 8 + n + 8) + position_bytes + index_bytes, err);
    put_u32(glb, (uint32_t)n, err);
    put_u32(glb, 0x4e4f534a, err);
    if (bytes_append(glb, json, (size_t)n, err))
        exit(1);
    put_u32(glb, position_bytes + index_bytes, err);
    put_u32(glb, 0x004e4942, err);
    if (bytes_append(glb, xyz, sizeof xyz, err) || bytes_append(glb, indices, sizeof indices, err))
        exit(1);
}

/* --- answers --- */

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
                             const void *data, size_t n)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", type);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_json(struct MHD_Connection *connection, unsigned status,
                                  const char *json)
{
    return reply(connection, status, "application/json", json, strlen(json));
}

static bool image_is_readable(const char *text)
{
    struct bytes image = {0};
    bool ok = text && !base64_decode(&image, text, strlen(text), NULL) && image.len > 8 &&
              (memcmp(image.data, "\xff\xd8\xff", 3) == 0 || memcmp(image.data, "\x89PNG", 4) == 0);
    bytes_free(&image);
    return ok;
}

/* As there: the image must be bare base64 of a picture, no textures are enabled, GLB only. */
static bool can_make(const cJSON *asked)
{
    return image_is_readable(json_text(asked, "image", NULL)) &&
           !json_bool(asked, "texture", false) &&
           strcmp(json_text(asked, "type", "glb"), "glb") == 0;
}

static enum MHD_Result serve_model(struct sim *sim, struct MHD_Connection *connection)
{
    if (sim->html)
        return reply(connection, 200, "text/html", HTML, strlen(HTML));
    size_t n = sim->truncate ? sim->model.len / 2 : sim->model.len;
    return reply(connection, 200, "model/gltf-binary", sim->model.data, n);
}

/* One at a time, as the real one works inside its event loop. MHD_NO cuts the connection. */
static enum MHD_Result on_generate(struct sim *sim, struct MHD_Connection *connection,
                                   const cJSON *asked)
{
    pthread_mutex_lock(&sim->lock);
    sim->generate_count++;
    bool fails = sim->failures_left > 0 || !can_make(asked);
    if (sim->failures_left > 0)
        sim->failures_left--;
    usleep(sim->slow_ms * 1000);
    sim->made_count += !fails;
    pthread_mutex_unlock(&sim->lock);
    if (fails)
        return reply_json(connection, 404, ITS_404);
    return sim->drop ? MHD_NO : serve_model(sim, connection);
}

static void make_uid(char uid[40])
{
    uint8_t b[16];
    random_bytes(b, sizeof b);
    snprintf(uid, 40, "%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12],
             b[13], b[14], b[15]);
}

static enum MHD_Result on_send(struct sim *sim, struct MHD_Connection *connection,
                               const cJSON *asked)
{
    char json[80] = "{\"uid\":\"00000000-0000-4000-8000-000000000000\"}";
    pthread_mutex_lock(&sim->lock);
    sim->send_count++;
    if (sim->task_count < MAX_TASKS && can_make(asked) && sim->failures_left-- <= 0) {
        struct task *task = &sim->tasks[sim->task_count++];
        make_uid(task->uid);
        task->ready_ms = clock_ms() + sim->slow_ms;
        sim->made_count++;
        snprintf(json, sizeof json, "{\"uid\":\"%s\"}", task->uid);
    }
    pthread_mutex_unlock(&sim->lock);
    return sim->drop ? MHD_NO : reply_json(connection, 200, json);
}

static struct task *find_task(struct sim *sim, const char *uid)
{
    for (int i = 0; i < sim->task_count; i++)
        if (strcmp(sim->tasks[i].uid, uid) == 0)
            return &sim->tasks[i];
    return NULL;
}

static enum MHD_Result on_status(struct sim *sim, struct MHD_Connection *connection,
                                 const char *uid)
{
    pthread_mutex_lock(&sim->lock);
    sim->status_count++;
    struct task *task = find_task(sim, uid);
    bool ready = task && clock_ms() >= task->ready_ms;
    size_t n = ready && sim->truncate && !task->asked ? sim->model.len / 2 : sim->model.len;
    if (ready)
        task->asked = true;
    pthread_mutex_unlock(&sim->lock);
    if (!ready) /* an unknown task is processing for ever: there is no other answer */
        return reply_json(connection, 200, "{\"status\":\"processing\"}");
    char *json = malloc(4 * (n / 3 + 2) + 64);
    int head = sprintf(json, "{\"status\":\"completed\",\"model_base64\":\"");
    base64_encode(json + head, sim->model.data, n);
    memcpy(json + strlen(json), "\"}", 3);
    enum MHD_Result result = reply_json(connection, 200, json);
    free(json);
    return result;
}

static enum MHD_Result on_counts(struct sim *sim, struct MHD_Connection *connection)
{
    char json[160];
    pthread_mutex_lock(&sim->lock);
    snprintf(json, sizeof json, "{\"generate\":%d,\"send\":%d,\"status\":%d,\"made\":%d}",
             sim->generate_count, sim->send_count, sim->status_count, sim->made_count);
    pthread_mutex_unlock(&sim->lock);
    return reply_json(connection, 200, json);
}

static enum MHD_Result on_post(struct sim *sim, struct MHD_Connection *connection, const char *url,
                               const struct bytes *body)
{
    cJSON *asked;
    bool generate = strcmp(url, "/generate") == 0;
    if (!generate && strcmp(url, "/send") != 0)
        return reply_json(connection, 404, "{\"detail\":\"Not Found\"}");
    if (json_parse(&asked, body->data, body->len, NULL))
        return reply(connection, 500, "text/plain; charset=utf-8", "Internal Server Error", 21);
    enum MHD_Result result =
        generate ? on_generate(sim, connection, asked) : on_send(sim, connection, asked);
    cJSON_Delete(asked);
    return result;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **memory)
{
    struct sim *sim = user;
    struct upload *upload = *memory;
    (void)version;
    if (!upload) {
        *memory = upload = calloc(1, sizeof *upload);
        upload->body.limit = MAX_BODY;
        return MHD_YES;
    }
    if (*n) {
        int failed = bytes_append(&upload->body, data, *n, NULL);
        *n = 0;
        return failed ? MHD_NO : MHD_YES;
    }
    if (strcmp(method, "POST") == 0)
        return on_post(sim, connection, url, &upload->body);
    if (strncmp(url, "/status/", 8) == 0)
        return on_status(sim, connection, url + 8);
    if (strcmp(url, "/sim/counts") == 0)
        return on_counts(sim, connection);
    return reply_json(connection, 404, "{\"detail\":\"Not Found\"}");
}

static void on_end(void *user, struct MHD_Connection *connection, void **memory,
                   enum MHD_RequestTerminationCode code)
{
    struct upload *upload = *memory;
    (void)user;
    (void)connection;
    (void)code;
    if (upload)
        bytes_free(&upload->body);
    free(upload);
    *memory = NULL;
}

/* --- options --- */

static void usage(void)
{
    fputs("usage: hunyuan3d2_sim [--port N] [--model FILE] [--slow MS] [--fail N] [--truncate]\n"
          "                      [--html] [--drop-after-accept]\n",
          stderr);
    exit(2);
}

static void read_options(struct sim *sim, int *port, const char **model, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},        {"model", required_argument, NULL, 'm'},
        {"slow", required_argument, NULL, 's'},        {"fail", required_argument, NULL, 'f'},
        {"truncate", no_argument, NULL, 't'},          {"html", no_argument, NULL, 'h'},
        {"drop-after-accept", no_argument, NULL, 'd'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'p')
            *port = atoi(optarg);
        else if (c == 'm')
            *model = optarg;
        else if (c == 's')
            sim->slow_ms = (unsigned)atoi(optarg);
        else if (c == 'f')
            sim->failures_left = atoi(optarg);
        else if (c == 't')
            sim->truncate = true;
        else if (c == 'h')
            sim->html = true;
        else if (c == 'd')
            sim->drop = true;
        else
            usage();
    }
    if (optind != argc)
        usage();
}

int main(int argc, char **argv)
{
    static struct sim sim = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct err err = {0};
    int port = 8081, signal_number;
    const char *model = NULL;
    sigset_t signals;
    read_options(&sim, &port, &model, argc, argv);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before the threads, which inherit it */
    if (!model)
        make_model(&sim.model, &err);
    else if (bytes_read_file(&sim.model, model, &err)) {
        fprintf(stderr, "hunyuan3d2_sim: %s\n", err.what);
        return 1;
    }
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
        (uint16_t)port, NULL, NULL, on_request, &sim, MHD_OPTION_SOCK_ADDR, &here,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "hunyuan3d2_sim: cannot listen on port %d\n", port);
        return 1;
    }
    printf("port %d\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    sigwait(&signals, &signal_number);
    MHD_stop_daemon(daemon);
    bytes_free(&sim.model);
    return 0;
}
