/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * intake/provider/route.h: single rules as cases, and all of them over random walks. A walk is a
 * candidate in a made-up world: a route, a consent, providers that come and go and end as chance
 * wants. After each step everything that ever was asked is held against the promises.
 */
#include "intake/provider/route.h"
#include "tests/test.h"

#define WALKS 60000
#define TRIES_MOST 64

/* --- single rules --- */

static int always(void *user, const struct provider_driver *driver)
{
    (void)user;
    (void)driver;
    return 1;
}

static int never(void *user, const struct provider_driver *driver)
{
    (void)user;
    (void)driver;
    return 0;
}

/* user: the id of the one that is not to be asked for a while. */
static int all_but(void *user, const struct provider_driver *driver)
{
    return strcmp(driver->id, user) == 0 ? -1 : 1;
}

static const char *const two[] = {"tripo", "meshy"};

#define CASE(...)                                                                                  \
    (struct route_case)                                                                            \
    {                                                                                              \
        .tries_each = 2, __VA_ARGS__                                                               \
    }
#define TRIED(...)                                                                                 \
    .tries = (const struct route_try[]){__VA_ARGS__},                                              \
    .try_count = sizeof((const struct route_try[]){__VA_ARGS__}) / sizeof(struct route_try)
#define FAILED(id, class)                                                                          \
    {                                                                                              \
        .provider = id, .state = TASK_FAILED, .error = class                                       \
    }

static const char *asked, *reason;

/* "ask", "wait", "done" or "over"; asked and reason tell the rest. */
static const char *next(struct route_case of)
{
    if (!of.route)
        of.route_count = of.route_count ? of.route_count : 2;
    of.route = of.route ? of.route : two;
    of.sources = of.sources ? of.sources : FROM_PHOTO;
    of.ready = of.ready ? of.ready : always;
    of.photo_class = of.photo_class ? of.photo_class : "object";
    static const char *const words[] = {"ask", "wait", "done", "over"};
    const struct provider_driver *driver;
    enum route_step step = route_next(&driver, &reason, &of);
    asked = driver ? driver->id : "";
    return words[step];
}

static void test_route__goes_in_the_order_of_the_template(void)
{
    CHECK_TEXT(next(CASE()), "ask");
    CHECK_TEXT(asked, "tripo");
    CHECK_TEXT(next(CASE(TRIED(FAILED("tripo", PROVIDER_SERVER)))), "ask");
    CHECK_TEXT(asked, "tripo");
    CHECK_TEXT(
        next(CASE(TRIED(FAILED("tripo", PROVIDER_SERVER), FAILED("tripo", PROVIDER_SERVER)))),
        "ask");
    CHECK_TEXT(asked, "meshy");
    CHECK_TEXT(next(CASE(TRIED(FAILED("tripo", PROVIDER_SERVER), FAILED("tripo", PROVIDER_SERVER),
                               FAILED("meshy", PROVIDER_SERVER), FAILED("meshy", PROVIDER_RATE)))),
               "over");
    CHECK_TEXT(reason, "no_candidate");
    CHECK_TEXT(asked, "");
}

static void test_route__does_not_ask_again_who_said_no_for_good(void)
{
    static const enum provider_error final[] = {PROVIDER_AUTH, PROVIDER_CREDITS, PROVIDER_BAD_INPUT,
                                                PROVIDER_PROTOCOL};
    for (size_t i = 0; i < sizeof final / sizeof *final; i++) {
        CHECK_TEXT(next(CASE(TRIED(FAILED("tripo", final[i])))), "ask");
        CHECK_TEXT(asked, "meshy");
    }
    CHECK_TEXT(next(CASE(TRIED({.provider = "tripo", .state = TASK_FAILED, .slow = true}))), "ask");
    CHECK_TEXT(asked, "meshy");
}

static void test_route__a_refused_photo_is_shown_to_nobody_else(void)
{
    CHECK_TEXT(next(CASE(TRIED({.provider = "tripo", .state = TASK_REJECTED}))), "over");
    CHECK_TEXT(reason, "photo_refused");
    CHECK_TEXT(next(CASE(TRIED(FAILED("tripo", PROVIDER_CONTENT)))), "over");
    CHECK_TEXT(reason, "photo_refused");
    CHECK_TEXT(next(CASE(TRIED(FAILED("tripo", PROVIDER_SERVER),
                               {.provider = "tripo", .state = TASK_REJECTED}))),
               "over");
}

static void test_route__what_is_lost_is_left_to_a_person(void)
{
    CHECK_TEXT(next(CASE(TRIED({.provider = "tripo", .state = TASK_FAILED, .lost = true}))),
               "over");
    CHECK_TEXT(reason, "generation_in_doubt");
    /* a state that says nothing is no failure: the task may be there, and paid */
    CHECK_TEXT(next(CASE(TRIED({.provider = "tripo", .state = TASK_UNKNOWN}))), "over");
    CHECK_TEXT(reason, "generation_in_doubt");
    /* a refusal is graver than a doubt, in whichever order they came */
    CHECK_TEXT(next(CASE(TRIED({.provider = "tripo", .state = TASK_FAILED, .lost = true},
                               {.provider = "tripo", .state = TASK_REJECTED}))),
               "over");
    CHECK_TEXT(reason, "photo_refused");
}

static void test_route__one_at_a_time_and_one_is_enough(void)
{
    CHECK_TEXT(next(CASE(TRIED({.provider = "tripo", .state = TASK_RUNNING}))), "wait");
    CHECK_TEXT(next(CASE(TRIED(FAILED("tripo", PROVIDER_SERVER),
                               {.provider = "meshy", .state = TASK_QUEUED}))),
               "wait");
    CHECK_TEXT(next(CASE(TRIED({.provider = "tripo", .state = TASK_SUCCEEDED}))), "done");
    CHECK_TEXT(next(CASE(TRIED({.provider = "tripo", .state = TASK_FAILED, .lost = true},
                               {.provider = "meshy", .state = TASK_SUCCEEDED}))),
               "done");
    CHECK_TEXT(reason, "");
}

static void test_route__an_open_circuit_lets_the_next_one_do_it(void)
{
    CHECK_TEXT(next(CASE(.ready = all_but, .user = "tripo")), "ask");
    CHECK_TEXT(asked, "meshy");
    CHECK_TEXT(next(CASE(.ready = all_but, .user = "tripo", .route_count = 1)), "wait");
    /* nobody waits for one that would not be asked again anyhow */
    CHECK_TEXT(next(CASE(.ready = all_but, .user = "tripo", .route_count = 1,
                         TRIED(FAILED("tripo", PROVIDER_AUTH)))),
               "over");
}

static void test_route__says_why_there_is_nobody_to_ask(void)
{
    static const char *const unknown[] = {"nobody"}, *const own[] = {"upload"};
    CHECK_TEXT(next(CASE(.ready = never)), "over");
    CHECK_TEXT(reason, "provider_off");
    CHECK_TEXT(next(CASE(.photo_class = "adult")), "over");
    CHECK_TEXT(reason, "provider_not_allowed");
    CHECK_TEXT(next(CASE(.route = unknown, .route_count = 1)), "over");
    CHECK_TEXT(reason, "provider_unfit");
    CHECK_TEXT(next(CASE(.route = own, .route_count = 1)), "over");
    CHECK_TEXT(reason, "provider_unfit");
    CHECK_TEXT(next(CASE(.route = own, .route_count = 1, .sources = FROM_MODEL)), "ask");
    CHECK_TEXT(next(CASE(.route = own, .route_count = 0)), "over");
}

static void test_route__a_text_goes_to_those_that_read(void)
{
    static const char *const mixed[] = {"relief", "hunyuan3d2", "meshy", "upload"};
    CHECK_TEXT(next(CASE(.route = mixed, .route_count = 4, .sources = FROM_TEXT)), "ask");
    CHECK(provider_find(asked)->takes_text);
    CHECK_TEXT(next(CASE(.route = mixed, .route_count = 1, .sources = FROM_TEXT)), "over");
    CHECK_TEXT(reason, "provider_unfit");
    CHECK_TEXT(next(CASE(.route = mixed, .route_count = 4, .sources = FROM_MODEL)), "ask");
    CHECK_TEXT(asked, "upload");
    CHECK_TEXT(next(CASE(.route = mixed, .route_count = 4, .sources = 8)), "over");
}

/* --- random walks --- */

struct world {
    uint64_t state;
    const char *route[8], *class;
    cJSON *consent;
    struct route_try tries[TRIES_MOST];
    struct route_case of;
};

/* xorshift64*: the same numbers everywhere. */
static unsigned chance(struct world *w, unsigned below)
{
    w->state ^= w->state >> 12;
    w->state ^= w->state << 25;
    w->state ^= w->state >> 27;
    return (unsigned)((w->state * 0x2545F4914F6CDD1DULL) >> 33) % below;
}

static const struct provider_driver *any_driver(struct world *w)
{
    size_t count = 0;
    while (provider_at(count))
        count++;
    return provider_at(chance(w, (unsigned)count));
}

static int by_chance(void *user, const struct provider_driver *driver)
{
    (void)driver;
    unsigned n = chance(user, 8);
    return n == 0 ? 0 : n < 3 ? -1 : 1;
}

static void make_world(struct world *w, uint64_t seed)
{
    static const char *const classes[] = {"child",  "child", "adult", "pet",
                                          "object", "alien", NULL};
    *w = (struct world){.state = seed * 0x9E3779B97F4A7C15ULL + 1};
    w->class = classes[chance(w, 7)];
    w->of = (struct route_case){.sources = chance(w, 8),
                                .route = w->route,
                                .route_count = chance(w, 9),
                                .tries = w->tries,
                                .photo_class = w->class,
                                .ready = by_chance,
                                .user = w,
                                .tries_each = (int)chance(w, 4)};
    for (size_t i = 0; i < w->of.route_count; i++)
        w->route[i] = chance(w, 12) ? any_driver(w)->id : "nobody";
    if (chance(w, 5)) {
        w->consent = cJSON_CreateObject();
        if (chance(w, 2))
            cJSON_AddBoolToObject(w->consent, "guardian", chance(w, 2));
        cJSON *list = chance(w, 2) ? cJSON_AddArrayToObject(w->consent, "may_send_to") : NULL;
        for (unsigned n = chance(w, 5); list && n > 0; n--)
            cJSON_AddItemToArray(list, cJSON_CreateString(any_driver(w)->id));
    }
    w->of.consent = w->consent;
}

/* How a task goes on: most end badly, some go on running. */
static void turn(struct world *w, struct route_try *t)
{
    static const enum task_state states[] = {
        TASK_FAILED,    TASK_FAILED,   TASK_FAILED,  TASK_FAILED, TASK_EXPIRED, TASK_CANCELLED,
        TASK_SUCCEEDED, TASK_REJECTED, TASK_RUNNING, TASK_QUEUED, TASK_UNKNOWN};
    t->state = states[chance(w, 11)];
    t->error = t->state == TASK_FAILED ? (enum provider_error)chance(w, PROVIDER_PROTOCOL + 1)
                                       : PROVIDER_OK;
    t->lost = t->state == TASK_FAILED && chance(w, 16) == 0;
    t->slow = t->state == TASK_FAILED && chance(w, 16) == 0;
}

static bool is_open(const struct route_try *t)
{
    return t->state == TASK_RUNNING || t->state == TASK_QUEUED;
}

static bool has_name(const cJSON *list, const char *id)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, list)
        if (strcmp(one->valuestring, id) == 0)
            return true;
    return false;
}

/* The promise on children in words of its own: not by asking the rule that is under test. */
static bool child_is_safe(const struct world *w, const struct provider_driver *driver)
{
    if (!w->class || strcmp(w->class, "child") != 0 || driver->local || driver->self_hosted)
        return true;
    return cJSON_IsTrue(json_get(w->consent, "guardian")) &&
           has_name(json_get(w->consent, "may_send_to"), driver->id);
}

/* What is wrong with asking this provider now, or NULL. */
static const char *wrong_to_ask(const struct world *w, const struct provider_driver *driver)
{
    int before = 0;
    bool named = false;
    for (size_t i = 0; i < w->of.route_count; i++)
        named |= strcmp(w->route[i], driver->id) == 0;
    if (!named)
        return "it is not of the route";
    if (!provider_may_receive(driver, w->class, w->consent) || !child_is_safe(w, driver))
        return "it may not have the photo";
    if (!route_makes_of(driver, w->of.sources))
        return "it makes nothing of such sources";
    for (size_t i = 0; i < w->of.try_count; i++) {
        const struct route_try *t = &w->tries[i];
        if (t->state == TASK_REJECTED || t->error == PROVIDER_CONTENT)
            return "the content was refused";
        if (t->lost || t->state == TASK_UNKNOWN)
            return "a task is lost";
        if (t->state == TASK_SUCCEEDED || is_open(t))
            return "there is one already";
        if (strcmp(t->provider, driver->id) != 0)
            continue;
        before++;
        if (t->error == PROVIDER_AUTH || t->error == PROVIDER_CREDITS ||
            t->error == PROVIDER_BAD_INPUT || t->slow)
            return "it said no for good";
    }
    return before < w->of.tries_each ? NULL : "it was asked often enough";
}

/* Follows one candidate to its end: what went wrong, or NULL. *steps: how long it took. */
static const char *walk(struct world *w, size_t *steps)
{
    for (*steps = 0; *steps < 1000; ++*steps) {
        const struct provider_driver *driver = (void *)1;
        const char *why = NULL;
        enum route_step step = route_next(&driver, &why, &w->of);
        struct route_try *last = w->of.try_count ? &w->tries[w->of.try_count - 1] : NULL;
        if (!why || (step == ROUTE_ASK) != (driver != NULL))
            return "it does not tell";
        if (step == ROUTE_OVER && !*why)
            return "it ends without a reason";
        if (step == ROUTE_DONE && (!last || last->state != TASK_SUCCEEDED))
            return "it is done with nothing";
        if (step == ROUTE_DONE || step == ROUTE_OVER)
            return last && is_open(last) ? "it ends while a task is under way" : NULL;
        if (step == ROUTE_WAIT && last && is_open(last))
            turn(w, last);
        if (step == ROUTE_WAIT)
            continue;
        const char *wrong = wrong_to_ask(w, driver);
        if (wrong)
            return wrong;
        if (w->of.try_count == TRIES_MOST)
            return "it asks for ever";
        w->tries[w->of.try_count++] =
            (struct route_try){.provider = driver->id, .state = TASK_RUNNING};
    }
    return "it never ends";
}

static void test_route__keeps_its_promises_over_random_walks(void)
{
    size_t longest = 0, asked_of_all = 0, child_refused = 0, content = 0;
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        struct world w;
        size_t steps;
        make_world(&w, seed);
        const char *wrong = walk(&w, &steps);
        cJSON_Delete(w.consent);
        if (wrong)
            TEST_GIVE_UP("walk %llu: %s", (unsigned long long)seed, wrong);
        longest = steps > longest ? steps : longest;
        asked_of_all += w.of.try_count;
        for (size_t i = 0; i < w.of.try_count; i++)
            content += w.tries[i].state == TASK_REJECTED || w.tries[i].error == PROVIDER_CONTENT;
        child_refused +=
            w.class && strcmp(w.class, "child") == 0 && w.of.route_count > 0 && w.of.try_count == 0;
    }
    /* the walks went where the promises matter */
    CHECK(asked_of_all > WALKS / 2 && longest > 20 && content > WALKS / 50 &&
          child_refused > WALKS / 50);
}

TESTS(TEST(test_route__goes_in_the_order_of_the_template),
      TEST(test_route__does_not_ask_again_who_said_no_for_good),
      TEST(test_route__a_refused_photo_is_shown_to_nobody_else),
      TEST(test_route__what_is_lost_is_left_to_a_person),
      TEST(test_route__one_at_a_time_and_one_is_enough),
      TEST(test_route__an_open_circuit_lets_the_next_one_do_it),
      TEST(test_route__says_why_there_is_nobody_to_ask),
      TEST(test_route__a_text_goes_to_those_that_read),
      TEST(test_route__keeps_its_promises_over_random_walks))
