/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A printer without a printer: speaks OctoPrint 1.9's REST protocol, "prints" uploaded G-code in
 * the time its header states (sped up by --speed), counts every start per file, and misbehaves when
 * it is told to. The demo prints on it, and the tests of the scheduler believe its counts. Time is
 * worked out when a request comes; there is one thread, so a slow answer blocks the rest, as it
 * does on the small computers these servers run on.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <math.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"

#define FILES_MAX 4096
#define UPLOAD_MAX ((size_t)512 << 20)
#define ROOM_C 22.0

enum phase { IDLE, HEATING, PRINTING, PAUSED };

struct sim_file {
    char name[128];
    struct bytes content; /* empty when a folder keeps it */
    size_t size;
    double time_s, nozzle_c, bed_c;
    int starts, success, failure;
    int last; /* -1 never ended, else prints.last.success */
    double last_at, uploaded_at;
    bool there;
};

struct heater {
    double actual, target, per_s;
};

struct sim {
    const char *key, *folder, *state_path;
    double speed;
    int slow_ms, late_ms;
    size_t memory_left;
    struct sim_file *files;
    size_t file_count;
    int selected; /* index or -1 */
    enum phase phase;
    bool connected, pause_wanted, reached_end;
    char error[120];
    double printed_s, seen_at;
    struct heater nozzle, bed;
    /* faults: sticky ones stay until "none", the others happen once */
    bool unplugged, silent, slow, refuse_upload;
    bool refuse_start, lose_start_answer, swallow_start, late_start, fail_print, filament_out;
    double late_at;
    int late_file;
    int uploads, refused_starts, starts;
};

struct request {
    struct sim *sim;
    struct MHD_Connection *connection;
    const char *method, *path;
    struct MHD_PostProcessor *form;
    struct bytes body, file;
    char file_name[128], folder[128];
    bool select, print, too_large;
};

static const char *const fault_names = "none, offline, silent, slow, refuse_upload, refuse_start, "
                                       "lose_start_answer, swallow_start, late_start, fail_print, "
                                       "filament_out";

/* --- files ------------------------------------------------------------------------------------ */

static int file_find(const struct sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->file_count; i++)
        if (strcmp(sim->files[i].name, name) == 0)
            return (int)i;
    return -1;
}

static int file_slot(struct sim *sim, const char *name)
{
    int i = file_find(sim, name);
    if (i >= 0 || sim->file_count == FILES_MAX)
        return i;
    struct sim_file *file = &sim->files[sim->file_count];
    *file = (struct sim_file){.last = -1, .time_s = 60, .nozzle_c = 200, .bed_c = 60};
    snprintf(file->name, sizeof file->name, "%s", name);
    return (int)sim->file_count++;
}

/* The number behind the first occurrence of a word in the first 64 KiB, or otherwise. */
static double header_number(const char *head, const char *word, double otherwise)
{
    const char *found = strstr(head, word);
    return found ? strtod(found + strlen(word), NULL) : otherwise;
}

static void file_read_header(struct sim_file *file, const struct bytes *content)
{
    char head[65536];
    size_t n = content->len < sizeof head - 1 ? content->len : sizeof head - 1;
    memcpy(head, content->data, n);
    head[n] = 0;
    file->time_s = header_number(head, ";TIME:", 60);
    file->nozzle_c = header_number(head, "M109 S", header_number(head, "EXTRUDER_TEMP=", 200));
    file->bed_c = header_number(head, "M190 S", header_number(head, "BED_TEMP=", 60));
    if (!(file->time_s > 0))
        file->time_s = 60;
}

static bool name_is_gcode(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".gcode") == 0 || strcasecmp(dot, ".gco") == 0 ||
                   strcasecmp(dot, ".g") == 0);
}

static bool name_is_safe(const char *name)
{
    return *name && *name != '.' && !strstr(name, "..") && !strpbrk(name, "\\\"\r\n") &&
           *name != '/';
}

/* --- the state that outlives a restart ---------------------------------------------------------
 */

static cJSON *file_record(const struct sim_file *file)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "name", file->name);
    cJSON_AddNumberToObject(j, "size", (double)file->size);
    cJSON_AddNumberToObject(j, "time_s", file->time_s);
    cJSON_AddNumberToObject(j, "nozzle_c", file->nozzle_c);
    cJSON_AddNumberToObject(j, "bed_c", file->bed_c);
    cJSON_AddNumberToObject(j, "starts", file->starts);
    cJSON_AddNumberToObject(j, "success", file->success);
    cJSON_AddNumberToObject(j, "failure", file->failure);
    cJSON_AddNumberToObject(j, "last", file->last);
    cJSON_AddNumberToObject(j, "last_at", file->last_at);
    cJSON_AddBoolToObject(j, "there", file->there);
    return j;
}

static void state_save(const struct sim *sim)
{
    if (!sim->state_path)
        return;
    struct bytes text = {0};
    struct err err = {0};
    cJSON *state = cJSON_CreateObject();
    cJSON *files = cJSON_AddArrayToObject(state, "files");
    for (size_t i = 0; i < sim->file_count; i++)
        cJSON_AddItemToArray(files, file_record(&sim->files[i]));
    cJSON_AddNumberToObject(state, "uploads", sim->uploads);
    cJSON_AddNumberToObject(state, "starts", sim->starts);
    if (json_print(&text, state, true, &err) ||
        file_write(sim->state_path, text.data, text.len, &err))
        fprintf(stderr, "printer_sim: state not saved: %s\n", err.what);
    cJSON_Delete(state);
    bytes_free(&text);
}

/* A print that ran when the server went away is forgotten, as OctoPrint forgets it: no record. */
static void state_load(struct sim *sim)
{
    cJSON *state = NULL;
    if (!sim->state_path || json_read_file(&state, sim->state_path, NULL))
        return;
    const cJSON *j;
    cJSON_ArrayForEach (j, json_get(state, "files")) {
        int i = file_slot(sim, json_text(j, "name", "?"));
        if (i < 0)
            break;
        struct sim_file *file = &sim->files[i];
        file->size = (size_t)json_number(j, "size", 0);
        file->time_s = json_number(j, "time_s", 60);
        file->nozzle_c = json_number(j, "nozzle_c", 200);
        file->bed_c = json_number(j, "bed_c", 60);
        file->starts = (int)json_number(j, "starts", 0);
        file->success = (int)json_number(j, "success", 0);
        file->failure = (int)json_number(j, "failure", 0);
        file->last = (int)json_number(j, "last", -1);
        file->last_at = json_number(j, "last_at", 0);
        file->there = json_bool(j, "there", false);
    }
    sim->uploads = (int)json_number(state, "uploads", 0);
    sim->starts = (int)json_number(state, "starts", 0);
    cJSON_Delete(state);
}

/* --- the machine -------------------------------------------------------------------------------
 */

static void print_end(struct sim *sim, bool success)
{
    struct sim_file *file = &sim->files[sim->selected];
    *(success ? &file->success : &file->failure) += 1;
    file->last = success;
    file->last_at = (double)time(NULL);
    sim->phase = IDLE;
    sim->pause_wanted = false;
    sim->reached_end = success;
    sim->nozzle.target = sim->bed.target = 0;
    state_save(sim);
}

/* The serial line breaks: a running print fails, and the server says why. */
static void line_lost(struct sim *sim, const char *why)
{
    if (sim->phase != IDLE)
        print_end(sim, false);
    sim->connected = false;
    snprintf(sim->error, sizeof sim->error, "%s", why);
}

static void print_start(struct sim *sim, int index)
{
    struct sim_file *file = &sim->files[index];
    sim->selected = index;
    sim->phase = HEATING;
    sim->printed_s = 0;
    sim->reached_end = false;
    sim->nozzle.target = file->nozzle_c;
    sim->bed.target = file->bed_c;
    file->starts++;
    sim->starts++;
    state_save(sim);
}

static double heat(struct heater *h, double seconds)
{
    double want = h->target > ROOM_C ? h->target : ROOM_C;
    double gap = want - h->actual, step = h->per_s * seconds;
    if (gap <= step && gap >= -step) {
        h->actual = want;
        return gap > 0 ? gap / h->per_s : 0;
    }
    h->actual += gap > 0 ? step : -step;
    return seconds;
}

/* Lets virtual seconds pass: both heaters first, then the print's own time. */
static void run_for(struct sim *sim, double seconds)
{
    double a = heat(&sim->nozzle, seconds), b = heat(&sim->bed, seconds);
    double heated = sim->phase == HEATING ? (a > b ? a : b) : 0;
    if (sim->phase == HEATING && heated >= seconds)
        return;
    if (sim->phase == HEATING) {
        sim->phase = PRINTING;
        seconds -= heated;
    }
    if (sim->phase != PRINTING)
        return;
    if (sim->pause_wanted) {
        sim->phase = PAUSED;
        sim->pause_wanted = false;
        return;
    }
    const struct sim_file *file = &sim->files[sim->selected];
    sim->printed_s += seconds;
    if (sim->filament_out && sim->printed_s > file->time_s * 0.2) {
        sim->filament_out = false;
        sim->printed_s = file->time_s * 0.2;
        sim->phase = PAUSED;
    } else if (sim->fail_print && sim->printed_s > file->time_s * 0.3) {
        sim->fail_print = false;
        line_lost(sim, "Thermal runaway, printer halted. kill() called!");
    } else if (sim->printed_s >= file->time_s) {
        sim->printed_s = file->time_s;
        print_end(sim, true);
    }
}

static void advance(struct sim *sim)
{
    double now = clock_s();
    if (sim->late_at > 0 && now >= sim->late_at) {
        int file = sim->late_file;
        run_for(sim, (sim->late_at - sim->seen_at) * sim->speed);
        sim->seen_at = sim->late_at;
        sim->late_at = 0;
        if (sim->phase == IDLE && sim->connected && sim->files[file].there)
            print_start(sim, file);
        else
            sim->refused_starts++;
    }
    run_for(sim, (now - sim->seen_at) * sim->speed);
    sim->seen_at = now;
}

static const char *state_text(const struct sim *sim)
{
    if (!sim->connected)
        return *sim->error ? "Offline after error" : "Offline";
    if (sim->phase == PAUSED)
        return "Paused";
    if (sim->phase != IDLE)
        return sim->pause_wanted ? "Pausing" : "Printing";
    return "Operational";
}

/* --- answers -----------------------------------------------------------------------------------
 */

static enum MHD_Result answer_bytes(struct request *r, int status, const char *mime,
                                    const void *data, size_t n)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", mime);
    enum MHD_Result queued = MHD_queue_response(r->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result answer(struct request *r, int status, cJSON *body)
{
    char *text = body ? cJSON_PrintUnformatted(body) : NULL;
    enum MHD_Result queued =
        answer_bytes(r, status, "application/json", text ? text : "", text ? strlen(text) : 0);
    free(text);
    cJSON_Delete(body);
    return queued;
}

static enum MHD_Result refuse(struct request *r, int status, const char *why)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "error", why);
    return answer(r, status, body);
}

static cJSON *file_json(const struct sim_file *file)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "name", file->name);
    cJSON_AddStringToObject(j, "display", file->name);
    cJSON_AddStringToObject(j, "path", file->name);
    cJSON_AddStringToObject(j, "origin", "local");
    cJSON_AddStringToObject(j, "type", "machinecode");
    cJSON_AddNumberToObject(j, "size", (double)file->size);
    cJSON_AddNumberToObject(j, "date", floor(file->uploaded_at));
    if (file->success + file->failure > 0) {
        cJSON *prints = cJSON_AddObjectToObject(j, "prints");
        cJSON_AddNumberToObject(prints, "success", file->success);
        cJSON_AddNumberToObject(prints, "failure", file->failure);
        cJSON *last = cJSON_AddObjectToObject(prints, "last");
        cJSON_AddNumberToObject(last, "date", file->last_at);
        cJSON_AddBoolToObject(last, "success", file->last == 1);
    }
    return j;
}

static enum MHD_Result get_version(struct request *r)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "api", "0.1");
    cJSON_AddStringToObject(j, "server", "1.9.3");
    cJSON_AddStringToObject(j, "text", "OctoPrint 1.9.3 (simulated)");
    return answer(r, 200, j);
}

static void heater_json(cJSON *to, const char *name, const struct heater *h)
{
    cJSON *j = cJSON_AddObjectToObject(to, name);
    cJSON_AddNumberToObject(j, "actual", round(h->actual * 10) / 10);
    cJSON_AddNumberToObject(j, "target", h->target);
    cJSON_AddNumberToObject(j, "offset", 0);
}

static enum MHD_Result get_printer(struct request *r)
{
    const struct sim *sim = r->sim;
    if (!sim->connected)
        return refuse(r, 409, "Printer is not operational");
    bool busy = sim->phase != IDLE, paused = sim->phase == PAUSED;
    const struct {
        const char *name;
        bool set;
    } flags[] = {{"operational", true}, {"printing", busy && !paused && !sim->pause_wanted},
                 {"paused", paused},    {"pausing", busy && sim->pause_wanted},
                 {"resuming", false},   {"cancelling", false},
                 {"finishing", false},  {"ready", !busy},
                 {"error", false},      {"closedOrError", false},
                 {"sdReady", false}};
    cJSON *j = cJSON_CreateObject();
    cJSON *temperature = cJSON_AddObjectToObject(j, "temperature");
    heater_json(temperature, "tool0", &sim->nozzle);
    heater_json(temperature, "bed", &sim->bed);
    cJSON *state = cJSON_AddObjectToObject(j, "state");
    cJSON_AddStringToObject(state, "text", state_text(sim));
    cJSON *into = cJSON_AddObjectToObject(state, "flags");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        cJSON_AddBoolToObject(into, flags[i].name, flags[i].set);
    return answer(r, 200, j);
}

static enum MHD_Result get_job(struct request *r)
{
    const struct sim *sim = r->sim;
    cJSON *j = cJSON_CreateObject();
    cJSON *job = cJSON_AddObjectToObject(j, "job");
    cJSON *file = cJSON_AddObjectToObject(job, "file");
    const struct sim_file *chosen = sim->selected < 0 ? NULL : &sim->files[sim->selected];
    cJSON *name = chosen ? cJSON_CreateString(chosen->name) : cJSON_CreateNull();
    cJSON_AddItemToObject(file, "path", cJSON_Duplicate(name, true));
    cJSON_AddItemToObject(file, "name", name);
    cJSON_AddStringToObject(file, "origin", "local");
    cJSON *progress = cJSON_AddObjectToObject(j, "progress");
    bool runs = chosen && (sim->phase != IDLE || sim->reached_end);
    if (runs) {
        cJSON_AddNumberToObject(progress, "completion", 100 * sim->printed_s / chosen->time_s);
        cJSON_AddNumberToObject(progress, "printTime", floor(sim->printed_s));
        cJSON_AddNumberToObject(progress, "printTimeLeft", ceil(chosen->time_s - sim->printed_s));
    } else {
        cJSON_AddNullToObject(progress, "completion");
        cJSON_AddNullToObject(progress, "printTime");
        cJSON_AddNullToObject(progress, "printTimeLeft");
    }
    cJSON_AddStringToObject(j, "state", state_text(sim));
    if (*sim->error)
        cJSON_AddStringToObject(j, "error", sim->error);
    return answer(r, 200, j);
}

static enum MHD_Result get_files(struct request *r)
{
    cJSON *j = cJSON_CreateObject();
    cJSON *files = cJSON_AddArrayToObject(j, "files");
    for (size_t i = 0; i < r->sim->file_count; i++)
        if (r->sim->files[i].there)
            cJSON_AddItemToArray(files, file_json(&r->sim->files[i]));
    return answer(r, 200, j);
}

static struct sim_file *file_named(struct request *r, const char *prefix)
{
    int i = file_find(r->sim, r->path + strlen(prefix));
    return i >= 0 && r->sim->files[i].there ? &r->sim->files[i] : NULL;
}

static enum MHD_Result get_file(struct request *r)
{
    const struct sim_file *file = file_named(r, "/api/files/local/");
    return file ? answer(r, 200, file_json(file)) : refuse(r, 404, "File not found");
}

static enum MHD_Result get_download(struct request *r)
{
    const struct sim_file *file = file_named(r, "/downloads/files/local/");
    if (!file)
        return refuse(r, 404, "File not found");
    if (!r->sim->folder)
        return answer_bytes(r, 200, "text/plain", file->content.data, file->content.len);
    char path[1200];
    struct bytes content = {.limit = UPLOAD_MAX};
    snprintf(path, sizeof path, "%s/%s", r->sim->folder, file->name);
    if (bytes_read_file(&content, path, NULL))
        return refuse(r, 500, "Could not read the file");
    enum MHD_Result queued = answer_bytes(r, 200, "text/plain", content.data, content.len);
    bytes_free(&content);
    return queued;
}

static bool file_in_use(const struct sim *sim, const struct sim_file *file)
{
    return sim->phase != IDLE && sim->selected == (int)(file - sim->files);
}

static enum MHD_Result delete_file(struct request *r)
{
    struct sim *sim = r->sim;
    struct sim_file *file = file_named(r, "/api/files/local/");
    if (!file)
        return refuse(r, 404, "File not found");
    if (file_in_use(sim, file))
        return refuse(r, 409, "Trying to delete a file that is currently in use");
    file->there = false;
    sim->memory_left += file->content.len;
    bytes_free(&file->content);
    if (sim->selected == (int)(file - sim->files))
        sim->selected = -1;
    state_save(sim);
    return answer(r, 204, NULL);
}

/* --- starts ------------------------------------------------------------------------------------
 */

/* MHD_NO closes the connection without a word: the answer is lost. */
static enum MHD_Result start(struct request *r, int file)
{
    struct sim *sim = r->sim;
    if (sim->phase != IDLE || !sim->connected || sim->refuse_start) {
        sim->refuse_start = false;
        sim->refused_starts++;
        return refuse(r, 409, "Printer is already printing or not operational");
    }
    if (sim->swallow_start || sim->late_start) {
        sim->late_at = sim->late_start ? clock_s() + sim->late_ms / 1000.0 : 0;
        sim->late_file = file;
        sim->swallow_start = sim->late_start = false;
        return MHD_NO;
    }
    print_start(sim, file);
    bool lost = sim->lose_start_answer;
    sim->lose_start_answer = false;
    return lost ? MHD_NO : answer(r, 204, NULL);
}

static enum MHD_Result post_file(struct request *r)
{
    struct sim *sim = r->sim;
    cJSON *j = NULL;
    struct sim_file *file = file_named(r, "/api/files/local/");
    if (!file)
        return refuse(r, 404, "File not found");
    if (json_parse(&j, r->body.data ? (char *)r->body.data : "", r->body.len, NULL))
        return refuse(r, 400, "Malformed JSON body in request");
    bool select = strcmp(json_text(j, "command", ""), "select") == 0;
    bool print = json_bool(j, "print", false);
    cJSON_Delete(j);
    if (!select)
        return refuse(r, 400, "Unknown command");
    if (sim->phase != IDLE) {
        sim->refused_starts += print;
        return refuse(r, 409, "Printer is already printing, cannot select a new file");
    }
    if (print)
        return start(r, (int)(file - sim->files));
    sim->selected = (int)(file - sim->files);
    sim->reached_end = false;
    return answer(r, 204, NULL);
}

static enum MHD_Result job_pause(struct request *r, const char *action)
{
    struct sim *sim = r->sim;
    if (sim->phase == IDLE)
        return refuse(r, 409, "Printer is neither printing nor paused, 'pause' command failed");
    bool toggle = strcmp(action, "toggle") == 0, stopped = sim->phase == PAUSED;
    if (stopped && (toggle || strcmp(action, "resume") == 0))
        sim->phase = HEATING;
    else if (!stopped && (toggle || strcmp(action, "pause") == 0) && sim->phase == PRINTING)
        sim->phase = PAUSED;
    else if (!stopped && (toggle || strcmp(action, "pause") == 0))
        sim->pause_wanted = true; /* waits for the end of M190 and M109 */
    return answer(r, 204, NULL);
}

static enum MHD_Result post_job(struct request *r)
{
    struct sim *sim = r->sim;
    cJSON *j = NULL;
    char command[16], action[16];
    if (json_parse(&j, r->body.data ? (char *)r->body.data : "", r->body.len, NULL))
        return refuse(r, 400, "Malformed JSON body in request");
    snprintf(command, sizeof command, "%s", json_text(j, "command", ""));
    snprintf(action, sizeof action, "%s", json_text(j, "action", "toggle"));
    cJSON_Delete(j);
    if (!sim->connected)
        return refuse(r, 409, "Printer is not operational");
    if (strcmp(command, "pause") == 0)
        return job_pause(r, action);
    if (strcmp(command, "start") == 0)
        return sim->selected < 0 ? refuse(r, 409, "No file is selected") : start(r, sim->selected);
    if (strcmp(command, "cancel") != 0)
        return refuse(r, 400, "Unknown command");
    if (sim->phase == IDLE)
        return refuse(r, 409, "Printer is neither printing nor paused, 'cancel' command failed");
    print_end(sim, false);
    return answer(r, 204, NULL);
}

static enum MHD_Result post_connection(struct request *r)
{
    if (!r->sim->unplugged) {
        r->sim->connected = true;
        r->sim->error[0] = 0;
    }
    return answer(r, 204, NULL);
}

/* --- uploads -----------------------------------------------------------------------------------
 */

static enum MHD_Result form_part(void *user, enum MHD_ValueKind kind, const char *key,
                                 const char *file_name, const char *mime, const char *encoding,
                                 const char *data, uint64_t offset, size_t n)
{
    struct request *r = user;
    (void)kind, (void)mime, (void)encoding;
    if (strcmp(key, "file") == 0) {
        if (file_name && offset == 0)
            snprintf(r->file_name, sizeof r->file_name, "%s", file_name);
        r->too_large |= n > 0 && bytes_append(&r->file, data, n, NULL);
    } else if (offset == 0 && n > 0) {
        bool yes = n >= 4 && strncasecmp(data, "true", 4) == 0;
        if (strcmp(key, "select") == 0)
            r->select = yes;
        else if (strcmp(key, "print") == 0)
            r->print = yes;
        else if (strcmp(key, "path") == 0)
            snprintf(r->folder, sizeof r->folder, "%.*s", (int)(n < 60 ? n : 60), data);
    }
    return MHD_YES;
}

static bool file_keep(struct sim *sim, struct sim_file *file, struct bytes *content)
{
    sim->memory_left += file->content.len;
    bytes_free(&file->content);
    if (!sim->folder && content->len > sim->memory_left)
        return false;
    file_read_header(file, content);
    file->size = content->len;
    file->uploaded_at = (double)time(NULL);
    file->there = true;
    if (!sim->folder) {
        sim->memory_left -= content->len;
        bytes_take(&file->content, content);
        return true;
    }
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", sim->folder, file->name);
    return file_write(path, content->data, content->len, NULL) == 0;
}

static enum MHD_Result post_upload(struct request *r)
{
    struct sim *sim = r->sim;
    char name[256];
    size_t end = strlen(r->folder);
    snprintf(name, sizeof name, "%s%s%s", r->folder,
             end > 0 && r->folder[end - 1] != '/' ? "/" : "", r->file_name);
    if (!*r->file_name)
        return refuse(r, 400, "No file to upload and no folder to create");
    if (!name_is_gcode(name))
        return refuse(r, 415, "Could not upload file, invalid type");
    if (!name_is_safe(name) || strlen(name) >= sizeof sim->files->name)
        return refuse(r, 400, "Can't upload file with this name");
    int i = r->too_large || sim->refuse_upload ? -1 : file_slot(sim, name);
    if (i >= 0 && file_in_use(sim, &sim->files[i]))
        return refuse(r, 409, "Cannot overwrite the file that is currently being printed");
    if (i < 0 || !file_keep(sim, &sim->files[i], &r->file))
        return refuse(r, 500, "Could not upload file: no space left on device");
    sim->uploads++;
    state_save(sim);
    bool free_now = sim->connected && sim->phase == IDLE;
    if (free_now && (r->select || r->print)) {
        sim->selected = i;
        sim->reached_end = false;
    }
    if (free_now && r->print)
        print_start(sim, i);
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToObject(cJSON_AddObjectToObject(j, "files"), "local", file_json(&sim->files[i]));
    cJSON_AddBoolToObject(j, "done", true);
    cJSON_AddBoolToObject(j, "effectiveSelect", free_now && (r->select || r->print));
    cJSON_AddBoolToObject(j, "effectivePrint", free_now && r->print);
    return answer(r, 201, j);
}

/* --- the simulator's own doors ------------------------------------------------------------------
 */

static enum MHD_Result get_stats(struct request *r)
{
    const struct sim *sim = r->sim;
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "state", state_text(sim));
    cJSON_AddNumberToObject(j, "uploads", sim->uploads);
    cJSON_AddNumberToObject(j, "starts_total", sim->starts);
    cJSON_AddNumberToObject(j, "refused_starts", sim->refused_starts);
    cJSON *starts = cJSON_AddObjectToObject(j, "starts");
    for (size_t i = 0; i < sim->file_count; i++)
        if (sim->files[i].starts > 0)
            cJSON_AddNumberToObject(starts, sim->files[i].name, sim->files[i].starts);
    cJSON *files = cJSON_AddObjectToObject(j, "files");
    for (size_t i = 0; i < sim->file_count; i++)
        cJSON_AddItemToObject(files, sim->files[i].name, file_record(&sim->files[i]));
    return answer(r, 200, j);
}

static bool fault_set(struct sim *sim, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"silent", &sim->silent},
                 {"slow", &sim->slow},
                 {"refuse_upload", &sim->refuse_upload},
                 {"refuse_start", &sim->refuse_start},
                 {"lose_start_answer", &sim->lose_start_answer},
                 {"swallow_start", &sim->swallow_start},
                 {"late_start", &sim->late_start},
                 {"fail_print", &sim->fail_print},
                 {"filament_out", &sim->filament_out}};
    bool none = strcmp(name, "none") == 0, known = none;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        bool meant = strcmp(name, flags[i].name) == 0;
        *flags[i].flag = (*flags[i].flag || meant) && !none;
        known |= meant;
    }
    if (strcmp(name, "offline") == 0) {
        sim->unplugged = known = true;
        line_lost(sim, "SerialTimeoutException: ");
    }
    if (none)
        sim->unplugged = false;
    return known;
}

static enum MHD_Result post_fault(struct request *r)
{
    cJSON *j = NULL;
    bool known = !json_parse(&j, r->body.data ? (char *)r->body.data : "", r->body.len, NULL) &&
                 fault_set(r->sim, json_text(j, "fault", ""));
    cJSON_Delete(j);
    return known ? answer(r, 204, NULL) : refuse(r, 400, fault_names);
}

static const struct route {
    const char *method, *path; /* a path that ends in '/' stands for all below it */
    enum MHD_Result (*answer)(struct request *);
} routes[] = {
    {"GET", "/api/version", get_version},
    {"GET", "/api/printer", get_printer},
    {"GET", "/api/job", get_job},
    {"POST", "/api/job", post_job},
    {"POST", "/api/connection", post_connection},
    {"GET", "/api/files", get_files},
    {"POST", "/api/files/local", post_upload},
    {"GET", "/api/files/local/", get_file},
    {"POST", "/api/files/local/", post_file},
    {"DELETE", "/api/files/local/", delete_file},
    {"GET", "/downloads/files/local/", get_download},
    {"GET", "/sim/stats", get_stats},
    {"POST", "/sim/fault", post_fault},
};

static bool path_fits(const struct route *route, const char *path)
{
    size_t n = strlen(route->path);
    return route->path[n - 1] == '/' ? strncmp(path, route->path, n) == 0 && path[n]
                                     : strcmp(path, route->path) == 0;
}

static enum MHD_Result dispatch(struct request *r)
{
    struct sim *sim = r->sim;
    bool ours = strncmp(r->path, "/sim/", 5) == 0;
    advance(sim);
    if (!ours && sim->silent)
        return MHD_NO;
    if (!ours && sim->slow)
        usleep((useconds_t)sim->slow_ms * 1000);
    const char *key = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "X-Api-Key");
    if (!ours && *sim->key && (!key || strcmp(key, sim->key) != 0))
        return refuse(r, 403, "You don't have the permission to access the requested resource.");
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].method, r->method) == 0 && path_fits(&routes[i], r->path))
            return routes[i].answer(r);
    return refuse(r, 404, "Not found");
}

/* --- the server ---------------------------------------------------------------------------------
 */

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **state)
{
    struct request *r = *state;
    (void)version;
    if (!r) {
        *state = r = calloc(1, sizeof *r);
        if (!r)
            return MHD_NO;
        r->sim = user;
        r->connection = connection;
        r->body.limit = 1 << 20;
        r->file.limit = UPLOAD_MAX;
        const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
        if (type && strncasecmp(type, "multipart/form-data", 19) == 0)
            r->form = MHD_create_post_processor(connection, 65536, form_part, r);
        return MHD_YES;
    }
    if (*n > 0) {
        if (r->form)
            MHD_post_process(r->form, data, *n);
        else
            r->too_large |= bytes_append(&r->body, data, *n, NULL);
        *n = 0;
        return MHD_YES;
    }
    r->method = method;
    r->path = path;
    return dispatch(r);
}

static void on_end(void *user, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
    struct request *r = *state;
    (void)user, (void)connection, (void)why;
    if (!r)
        return;
    if (r->form)
        MHD_destroy_post_processor(r->form);
    bytes_free(&r->body);
    bytes_free(&r->file);
    free(r);
    *state = NULL;
}

static int usage(const char *program, int code)
{
    fprintf(
        code ? stderr : stdout,
        "%s [--port N] [--key KEY] [--speed N] [--state FILE] [--folder DIR] [--fault NAME]\n"
        "    [--slow-ms N] [--late-ms N] [--memory-mb N]\n"
        "OctoPrint's protocol on 127.0.0.1; says \"listening PORT\" on stdout when it is up.\n"
        "--speed  virtual seconds a second (1)    --state  file records that outlive a restart\n"
        "faults   %s\n"
        "also     GET /sim/stats, POST /sim/fault {\"fault\": NAME}\n",
        program, fault_names);
    return code;
}

static int read_options(struct sim *sim, unsigned short *port, int argc, char **argv)
{
    static const struct option options[] = {{"port", 1, 0, 'p'},
                                            {"key", 1, 0, 'k'},
                                            {"speed", 1, 0, 's'},
                                            {"state", 1, 0, 'f'},
                                            {"folder", 1, 0, 'd'},
                                            {"fault", 1, 0, 'x'},
                                            {"slow-ms", 1, 0, 'l'},
                                            {"late-ms", 1, 0, 't'},
                                            {"memory-mb", 1, 0, 'm'},
                                            {"help", 0, 0, 'h'},
                                            {0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'p')
            *port = (unsigned short)atoi(optarg);
        else if (c == 'k')
            sim->key = optarg;
        else if (c == 's')
            sim->speed = atof(optarg);
        else if (c == 'f')
            sim->state_path = optarg;
        else if (c == 'd')
            sim->folder = optarg;
        else if (c == 'l')
            sim->slow_ms = atoi(optarg);
        else if (c == 't')
            sim->late_ms = atoi(optarg);
        else if (c == 'm')
            sim->memory_left = (size_t)atoi(optarg) << 20;
        else if (c == 'h')
            exit(usage(argv[0], 0));
        else if (c != 'x' || !fault_set(sim, optarg))
            return usage(argv[0], 2);
    }
    return sim->speed > 0 ? 0 : usage(argv[0], 2);
}

int main(int argc, char **argv)
{
    unsigned short port = 0;
    struct sim sim = {.key = "",
                      .speed = 1,
                      .slow_ms = 1500,
                      .late_ms = 1500,
                      .memory_left = (size_t)256 << 20,
                      .selected = -1,
                      .connected = true,
                      .nozzle = {.actual = ROOM_C, .per_s = 3},
                      .bed = {.actual = ROOM_C, .per_s = 1}};
    sim.files = calloc(FILES_MAX, sizeof *sim.files);
    int bad = sim.files ? read_options(&sim, &port, argc, argv) : 1;
    if (bad)
        return bad;
    state_load(&sim);
    sim.seen_at = clock_s();
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, 0, NULL, NULL, on_request, &sim,
        MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "printer_sim: cannot listen on port %u\n", port);
        return 1;
    }
    printf("listening %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    int caught;
    sigwait(&ends, &caught);
    MHD_stop_daemon(daemon);
    state_save(&sim);
    for (size_t i = 0; i < sim.file_count; i++)
        bytes_free(&sim.files[i].content);
    free(sim.files);
    return 0;
}
