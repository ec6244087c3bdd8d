/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every route of the HTTP side, one row each. schemas/openapi.yaml is held against this table by
 * tests/service/openapi_test.c, in both directions.
 */
#include <stdlib.h>
#include <string.h>

#include "service/http.h"

static const struct route routes[] = {
    {"POST", "/v1/orders", api_order_create, ROUTE_FORM | ROUTE_KEY,
     "Place an order with its photos"},
    {"GET", "/v1/orders", api_order_list, 0, "List orders, newest first"},
    {"GET", "/v1/orders/{order}", api_order_show, 0, "Show an order"},
    {"GET", "/v1/orders/{order}/events", api_order_events, 0, "List what happened to an order"},
    {"POST", "/v1/orders/{order}/cancel", api_order_cancel, ROUTE_NO_BODY, "Cancel an order"},
    {"GET", "/v1/orders/{order}/export", api_order_export, 0, "Download all files of an order"},
    {"POST", "/v1/quotes", api_quote_create, ROUTE_JSON | ROUTE_KEY,
     "Ask what an order would cost and take"},
    {"GET", "/v1/quotes", api_quote_list, 0, "List quotes, newest first"},
    {"GET", "/v1/quotes/accuracy", api_quote_accuracy, 0,
     "Say how far estimates were from what orders took"},
    {"POST", "/v1/quotes/accuracy", api_quote_settle, ROUTE_NO_BODY,
     "Correct new estimates by what orders took"},
    {"GET", "/v1/quotes/{quote}", api_quote_show, 0, "Show a quote"},
    {"GET", "/v1/items/{item}", api_item_show, 0, "Show an item"},
    {"POST", "/v1/items/{item}/review", api_item_review, ROUTE_JSON | ROUTE_MATCH,
     "Decide a review"},
    {"POST", "/v1/items/{item}/model", api_item_model, ROUTE_FORM | ROUTE_KEY,
     "Send a model of your own for an item"},
    {"POST", "/v1/items/{item}/second-opinion", api_item_opinion, ROUTE_NO_BODY,
     "Ask another slicing engine about an item"},
    {"POST", "/v1/items/{item}/pack", api_item_pack, ROUTE_JSON, "Pack a finished item"},
    {"GET", "/v1/reviews", api_review_list, 0, "List the items that wait for a review"},
    {"GET", "/v1/queue", api_queue_list, 0, "List the print runs that are not closed"},
    {"GET", "/v1/queue/explain", api_queue_explain, 0, "Say why each waiting run waits"},
    {"POST", "/v1/runs/{run}/verdict", api_run_verdict, ROUTE_JSON, "Judge the part of a run"},
    {"GET", "/v1/printers", api_printer_list, 0, "List the printers"},
    {"POST", "/v1/printers", api_printer_add, ROUTE_JSON, "Register a printer"},
    {"POST", "/v1/printers/{printer}/clear", api_printer_clear, ROUTE_NO_BODY,
     "Confirm that the bed is clear"},
    {"POST", "/v1/printers/{printer}/pause", api_printer_pause, ROUTE_NO_BODY,
     "Pause what a printer prints"},
    {"POST", "/v1/printers/{printer}/resume", api_printer_resume, ROUTE_NO_BODY,
     "Go on with what a printer prints"},
    {"POST", "/v1/printers/{printer}/maintenance", api_printer_maintenance, ROUTE_JSON,
     "Take an idle printer out of service, or put it back"},
    {"GET", "/v1/providers", api_provider_list, 0, "List the providers of models"},
    {"GET", "/v1/ledger", api_ledger, 0, "List what providers cost"},
    {"POST", "/v1/tasks/{task}/resolve", api_task_resolve, ROUTE_JSON,
     "Say what became of a task that is lost"},
    {"POST", "/v1/webhooks/{provider}", api_webhook, ROUTE_OPEN, "Take what a provider pushes"},
    {"POST", "/v1/webhooks/{provider}/{token}", api_webhook, ROUTE_OPEN,
     "Take what a provider pushes about a task"},
    {"GET", "/v1/files/{sha256}", api_file, 0, "Download a file by its SHA-256"},
    {"GET", "/v1/events", api_events, 0, "Follow events as they happen (server-sent events)"},
    {"GET", "/v1/templates", api_template_list, 0, "List the product templates"},
    {"POST", "/v1/session", api_session, ROUTE_OPEN | ROUTE_JSON,
     "Exchange the API key for the console's cookie"},
    {"GET", "/openapi.json", api_openapi, ROUTE_OPEN, "This description"},
    {"GET", "/healthz", api_healthz, ROUTE_OPEN, "Is the process alive"},
    {"GET", "/readyz", api_readyz, ROUTE_OPEN, "Can orders be taken"},
    {"GET", "/metrics", api_metrics, 0, "Figures for Prometheus"},
    {"GET", "/version", api_version, ROUTE_OPEN, "Which version runs"},
    {"GET", "/", api_console, ROUTE_OPEN | ROUTE_HIDDEN, "The console"},
    {"GET", "/console/{file}", api_console, ROUTE_OPEN | ROUTE_HIDDEN, "Files of the console"},
};

const struct route *route_at(size_t i)
{
    return i < sizeof routes / sizeof *routes ? &routes[i] : NULL;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c | 0x20);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c && at && c > '9' ? (int)(at - digits) : -1;
}

/* Takes one part of the path out of its percent escapes; they are undone after the path has been
 * cut at its slashes, so that an external id may hold one. */
static bool unescape(char out[96], const char *from, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        char c = from[i];
        if (c == '%') {
            int high = i + 2 < n ? hex_digit(from[i + 1]) : -1;
            int low = high < 0 ? -1 : hex_digit(from[i + 2]);
            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (!c || used + 1 >= 96)
            return false;
        out[used++] = c;
    }
    out[used] = 0;
    return used > 0;
}

/* Does the path fit the pattern? A {part} stands for one or more characters without '/'. */
static bool matches(char part[HTTP_PATH_PARTS][96], const char *pattern, const char *path,
                    size_t path_len)
{
    const char *end = path + path_len;
    int parts = 0;
    while (*pattern && path < end) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        const char *slash = memchr(path, '/', (size_t)(end - path));
        size_t n = (size_t)((slash ? slash : end) - path);
        if (parts == HTTP_PATH_PARTS || !unescape(part[parts++], path, n))
            return false;
        path += n;
        pattern += strcspn(pattern, "}") + 1;
    }
    return !*pattern && path == end;
}

int route_find(struct request *request, char allow[64], const char *method, const char *uri,
               struct err *err)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    size_t used = 0, path_len = strcspn(uri, "?");
    allow[0] = 0;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!matches(request->part, routes[i].path, uri, path_len))
            continue;
        if (strcmp(routes[i].method, wanted) == 0) {
            request->route = &routes[i];
            return 0;
        }
        used += (size_t)snprintf(allow + used, 64 - used, "%s%s%s", used ? ", " : "",
                                 routes[i].method, strcmp(routes[i].method, "GET") ? "" : ", HEAD");
    }
    if (used)
        return FAIL_CODE(err, ERR_INPUT, "method_not_allowed", "this path takes %s", allow);
    return FAIL_CODE(err, ERR_ABSENT, "no_such_path", "there is nothing at this path");
}
