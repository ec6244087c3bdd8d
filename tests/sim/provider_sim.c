/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Simulated providers of models: speaks the protocol of each over real HTTP on one port, keeps
 * their bills, counts what is asked of it and misbehaves by a scenario.
 *
 *   provider_sim [--port N] [--provider NAME] [--scenario FILE] [--fault JSON].. [--model FILE]
 *                [--push URL] [--slow MS]
 *
 * Each provider is below its name: http://127.0.0.1:PORT/tripo; the one named by --provider is at
 * the root as well. Port 0 takes a free one; "port N" is printed once it listens. GET /sim/state
 * tells all, POST /sim/fault adds a line of a scenario. Ends with its parent.
 */
#include "tests/sim/provider_sim.h"

#include <getopt.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MAX_BODY ((size_t)96 << 20)

static const struct protocol *const protocols[] = {
    &protocol_tripo,       &protocol_meshy,  &protocol_replicate, &protocol_fal,
    &protocol_3daistudio,  &protocol_rodin,  &protocol_stability, &protocol_hunyuan3d2,
    &protocol_hunyuan3d21, &protocol_trellis};
#define PROTOCOLS ((int)(sizeof protocols / sizeof *protocols))

/* --- answers ------------------------------------------------------------------------------------
 */

void say(struct exchange *x, int status, const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    bytes_free(&x->out);
    x->status = status;
    x->mime = "application/json";
    if (n < 0 || bytes_append(&x->out, text, (size_t)n, NULL))
        exit(1);
    free(text);
}

void refuse(struct exchange *x, enum refusal refusal)
{
    const struct refusal_form *form = &x->p->protocol->refusals[refusal];
    say(x, form->status ? form->status : 500, "%s", form->body ? form->body : "{}");
}

bool is(const struct exchange *x, const char *method, const char *path)
{
    return strcmp(x->method, method) == 0 && strcmp(x->path, path) == 0;
}

const char *after(const struct exchange *x, const char *method, const char *start)
{
    size_t n = strlen(start);
    return strcmp(x->method, method) == 0 && strncmp(x->path, start, n) == 0 ? x->path + n : NULL;
}

const char *query_of(const struct exchange *x, const char *name)
{
    const char *value = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name);
    return value ? value : "";
}

void header_add(struct exchange *x, const char *name, const char *fmt, ...)
{
    char value[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    if (!x->headers)
        x->headers = cJSON_CreateObject();
    cJSON_AddStringToObject(x->headers, name, value);
}

/* Sends what there is, then breaks off before the stated length. */
static ssize_t read_short(void *user, uint64_t at, char *to, size_t room)
{
    const struct bytes *out = user;
    if (at >= out->len)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = out->len - at < room ? out->len - at : room;
    memcpy(to, out->data + at, n);
    return (ssize_t)n;
}

static void free_short(void *user)
{
    bytes_free(user);
    free(user);
}

static struct MHD_Response *make_response(struct exchange *x)
{
    if (x->claimed <= x->out.len)
        return MHD_create_response_from_buffer(x->out.len, x->out.data ? (void *)x->out.data : "",
                                               MHD_RESPMEM_MUST_COPY);
    struct bytes *out = calloc(1, sizeof *out);
    if (!out)
        exit(1);
    bytes_take(out, &x->out);
    return MHD_create_response_from_callback(x->claimed, 65536, read_short, out, free_short);
}

static void add_date(struct MHD_Response *response, int skew_s)
{
    char text[64];
    time_t now = time(NULL) + skew_s;
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    MHD_add_response_header(response, "Date", text);
}

static enum MHD_Result reply(struct exchange *x)
{
    char text[32];
    const cJSON *header;
    struct MHD_Response *response = make_response(x);
    if (x->mime)
        MHD_add_response_header(response, "Content-Type", x->mime);
    if (*x->location)
        MHD_add_response_header(response, "Location", x->location);
    if (x->retry_after_s >= 0) {
        snprintf(text, sizeof text, "%.0f", ceil(x->retry_after_s));
        MHD_add_response_header(response, "Retry-After", text);
    }
    cJSON_ArrayForEach (header, x->headers)
        MHD_add_response_header(response, header->string, header->valuestring);
    add_date(response, x->p ? x->p->skew_s : 0);
    enum MHD_Result result = MHD_queue_response(x->connection, (unsigned)x->status, response);
    MHD_destroy_response(response);
    return result;
}

/* --- who is asked -------------------------------------------------------------------------------
 */

static void find_provider(struct exchange *x, const char *url)
{
    const char *host = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Host");
    for (int i = 0; i < x->sim->provider_count; i++) {
        struct provider *p = &x->sim->providers[i];
        size_t n = strlen(p->name);
        if (url[0] != '/' || strncmp(url + 1, p->name, n) != 0 || url[n + 1] != '/')
            continue;
        x->p = p;
        x->path = url + n + 1;
        snprintf(x->base, sizeof x->base, "http://%s/%s", host ? host : "127.0.0.1", p->name);
        return;
    }
    x->p = x->sim->root;
    x->path = url;
    snprintf(x->base, sizeof x->base, "http://%s", host ? host : "127.0.0.1");
}

static bool has_key(struct exchange *x)
{
    const char *key = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Authorization");
    return !x->p->protocol->needs_key || (key && (!*x->p->key || strstr(key, x->p->key)));
}

/* Files have addresses that are their own key; so have places to put them. */
static bool is_open(const struct exchange *x)
{
    return strncmp(x->path, "/result/", 8) == 0 || strncmp(x->path, "/put/", 5) == 0 ||
           strncmp(x->path, "/.well-known/", 13) == 0;
}

static void put_file(struct exchange *x, const char *token)
{
    char plain[64], hash[SHA256_HEX];
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(token, "/?"), token);
    sha256_hex(hash, x->body.data ? x->body.data : (void *)"", x->body.len);
    upload_add(x->p, plain, hash);
    say(x, 200, "%s", "");
}

static void ask_provider(struct exchange *x)
{
    const char *rest;
    x->p->requests++;
    if (!is_open(x) && !has_key(x))
        refuse(x, REFUSE_KEY);
    else if ((rest = after(x, "GET", "/result/")))
        serve_result(x, rest);
    else if ((rest = after(x, "PUT", "/put/")))
        put_file(x, rest);
    else
        x->p->protocol->handle(x);
    const struct fault *slow = fault_of_request(x->sim, x->p, "slow", "any");
    if (slow)
        x->wait_ms += slow->ms;
}

static void take_fault(struct exchange *x)
{
    struct err err = {0};
    if (fault_add(x->sim, x->json, &err))
        say(x, 400, "{\"error\":\"%s\"}", err.what);
    else
        say(x, 200, "{}");
}

static void handle(struct exchange *x, const char *url)
{
    find_provider(x, url);
    x->status = 404;
    say(x, 404, "{\"detail\":\"Not Found\"}");
    if (strcmp(url, "/sim/state") == 0)
        say_state(x);
    else if (strcmp(url, "/sim/counts") == 0)
        say_counts(x);
    else if (strcmp(url, "/sim/fault") == 0 && strcmp(x->method, "POST") == 0)
        take_fault(x);
    else if (x->p)
        ask_provider(x);
}

/* --- bodies -------------------------------------------------------------------------------------
 */

static enum MHD_Result take_field(void *user, enum MHD_ValueKind kind, const char *name,
                                  const char *filename, const char *type, const char *encoding,
                                  const char *data, uint64_t at, size_t n)
{
    struct exchange *x = user;
    char text[300];
    (void)kind;
    (void)type;
    (void)encoding;
    if (filename)
        return bytes_append(&x->file, data, n, NULL) ? MHD_NO : MHD_YES;
    snprintf(text, sizeof text, "%.*s", (int)(n < 290 ? n : 290), data);
    if (at == 0)
        cJSON_AddStringToObject(x->form, name, text);
    return MHD_YES;
}

static void read_body(struct exchange *x)
{
    const char *type = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Content-Type");
    if (x->body.len == 0)
        return;
    if (!type || strncmp(type, "multipart/", 10) != 0) {
        if (json_parse(&x->json, x->body.data, x->body.len, NULL))
            x->json = NULL;
        return;
    }
    struct MHD_PostProcessor *parts =
        MHD_create_post_processor(x->connection, 65536, take_field, x);
    x->form = cJSON_CreateObject();
    x->file.limit = MAX_BODY;
    if (parts) {
        MHD_post_process(parts, (const char *)x->body.data, x->body.len);
        MHD_destroy_post_processor(parts);
    }
    if (x->file.len > 8)
        sha256_hex(x->image, x->file.data, x->file.len);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **memory)
{
    struct exchange *x = *memory;
    (void)version;
    if (!x) {
        *memory = x = calloc(1, sizeof *x);
        x->body.limit = MAX_BODY;
        return MHD_YES;
    }
    if (*n) {
        int failed = bytes_append(&x->body, data, *n, NULL);
        *n = 0;
        return failed ? MHD_NO : MHD_YES;
    }
    x->sim = user;
    x->connection = connection;
    x->method = method;
    x->retry_after_s = -1;
    read_body(x);
    pthread_mutex_lock(&x->sim->lock);
    handle(x, url);
    pthread_mutex_unlock(&x->sim->lock);
    if (x->wait_ms > 0)
        usleep((useconds_t)x->wait_ms * 1000);
    return x->cut ? MHD_NO : reply(x);
}

static void on_end(void *user, struct MHD_Connection *connection, void **memory,
                   enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *memory;
    (void)user;
    (void)connection;
    (void)code;
    if (x) {
        bytes_free(&x->body);
        bytes_free(&x->file);
        bytes_free(&x->out);
        cJSON_Delete(x->json);
        cJSON_Delete(x->form);
        cJSON_Delete(x->headers);
    }
    free(x);
    *memory = NULL;
}

/* --- start --------------------------------------------------------------------------------------
 */

static void usage(void)
{
    fputs("usage: provider_sim [--port N] [--provider NAME] [--scenario FILE] [--fault JSON]..\n"
          "                    [--model FILE] [--push URL] [--slow MS]\n",
          stderr);
    exit(2);
}

static void fail(const struct err *err)
{
    fprintf(stderr, "provider_sim: %s\n", err->what);
    exit(1);
}

static void make_providers(struct sim *sim)
{
    sim->providers = calloc(PROTOCOLS, sizeof *sim->providers);
    if (!sim->providers)
        exit(1);
    for (int i = 0; i < PROTOCOLS; i++) {
        struct provider *p = &sim->providers[sim->provider_count++];
        p->protocol = protocols[i];
        p->price = -1;
        p->balance = 100000;
        snprintf(p->name, sizeof p->name, "%s", protocols[i]->id);
        snprintf(p->secret, sizeof p->secret, "%s",
                 "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    }
}

static void read_scenario(struct sim *sim, const char *path)
{
    struct err err = {0};
    cJSON *scenario = NULL;
    if (json_read_file(&scenario, path, &err) || scenario_read(sim, scenario, &err))
        fail(&err);
    cJSON_Delete(scenario);
}

static void read_fault(struct sim *sim, const char *text)
{
    struct err err = {0};
    cJSON *line = NULL;
    if (json_parse(&line, text, strlen(text), &err) || fault_add(sim, line, &err))
        fail(&err);
    cJSON_Delete(line);
}

static void set_root(struct sim *sim, const char *name)
{
    for (int i = 0; i < sim->provider_count; i++)
        if (strcmp(sim->providers[i].name, name) == 0)
            sim->root = &sim->providers[i];
    if (!sim->root)
        usage();
}

static void read_options(struct sim *sim, int *port, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},     {"model", required_argument, NULL, 'm'},
        {"provider", required_argument, NULL, 'r'}, {"scenario", required_argument, NULL, 's'},
        {"fault", required_argument, NULL, 'f'},    {"push", required_argument, NULL, 'u'},
        {"slow", required_argument, NULL, 'w'},     {0}};
    struct err err = {0};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'p')
            *port = atoi(optarg);
        else if (c == 'm' && bytes_read_file(&sim->model, optarg, &err))
            fail(&err);
        else if (c == 'r')
            set_root(sim, optarg);
        else if (c == 's')
            read_scenario(sim, optarg);
        else if (c == 'f')
            read_fault(sim, optarg);
        else if (c == 'u')
            snprintf(sim->push_to, sizeof sim->push_to, "%s", optarg);
        else if (c == 'w')
            sim->run_s[0] = sim->run_s[1] = atoi(optarg) / 1000.0;
        else if (c != 'm')
            usage();
    }
    if (optind != argc)
        usage();
}

static struct MHD_Daemon *listen_at(struct sim *sim, int port)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                                MHD_USE_POLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK,
                            (uint16_t)port, NULL, NULL, on_request, sim, MHD_OPTION_SOCK_ADDR,
                            &here, MHD_OPTION_CONNECTION_LIMIT, 3000u, MHD_OPTION_NOTIFY_COMPLETED,
                            on_end, NULL, MHD_OPTION_END);
}

int main(int argc, char **argv)
{
    static struct sim sim = {.lock = PTHREAD_MUTEX_INITIALIZER};
    int port = 0, signal_number;
    sigset_t signals;
    pthread_t pusher;
    make_providers(&sim);
    read_options(&sim, &port, argc, argv);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before the threads, which inherit it */
    struct MHD_Daemon *daemon = listen_at(&sim, port);
    if (!daemon || pthread_create(&pusher, NULL, push_main, &sim)) {
        fprintf(stderr, "provider_sim: cannot listen on port %d\n", port);
        return 1;
    }
    sim.port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    printf("port %d\n", sim.port);
    fflush(stdout);
    sigwait(&signals, &signal_number);
    fflush(NULL);
    _exit(0); /* whoever still waits inside a slow answer is not waited for */
}
