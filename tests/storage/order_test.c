/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storage: writing and cancelling orders, reviews, idempotency keys. */
#include "tests/storage/fixture.h"

static void test_order__is_written_with_all_that_belongs_to_it(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32];
    CHECK_OK(order_of(order, item, 3, "shop-1"));
    CHECK_TEXT(ask("select external_id || ' ' || stage || ' ' || photo_class || ' ' || "
                   "(contact->>'name') from orders where id = $1",
                   order),
               "shop-1 in_preparation pet Ada");
    CHECK_TEXT(ask("select state || ' ' || wanted || ' ' || template || ' ' || name || ' ' || "
                   "notes || ' ' || options::text from items where id = $1",
                   item),
               "photo_check 3 figurine Rex left ear {\"style\": \"figure\", \"height_mm\": 60}");
    CHECK_TEXT(ask("select string_agg(kind || '=' || name, ' ' order by id) from artifacts where "
                   "item_id = $1",
                   item),
               "photo=01_photo.png provider_photo=01_photo_for_provider.jpg cutout=02_cutout.png");
    CHECK_TEXT(ask("select kind || ' ' || key from jobs where subject = $1 and key = subject and "
                   "kind = 'photo_check'",
                   item),
               ask("select 'photo_check ' || $1::text", item));
    CHECK_TEXT(
        ask("select string_agg(event || ' by ' || actor, ', ' order by id) from events where "
            "order_id = $1",
            order),
        "order.created by user:test, photos.complete by user:test, order.in_preparation by "
        "user:test");
}

static void test_order__same_external_id_twice_is_refused_and_leaves_nothing(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], second[32];
    CHECK_OK(order_of(order, item, 1, "shop-2"));
    CHECK_FAILS(order_of(second, item, 1, "shop-2"), ERR_CONFLICT);
    CHECK_TEXT(err.code, "external_id_taken");
    CHECK_TEXT(ask("select count(*) from events where order_id = $1", second), "0");
}

static void *create_same(void *user)
{
    struct crowd *me = user;
    char order[32];
    struct photo_row photo = {.item_slot = "front",
                              .format = "png",
                              .normal_hash = "a",
                              .cutout_hash = "b",
                              .provider_hash = "c",
                              .provider_mime = "image/png",
                              .report = "{}"};
    me->result =
        order_create(order, me->db, "{\"external_id\":\"race\",\"items\":[{\"template\":\"t\"}]}",
                     &photo, 1, "customer", &me->err);
    return NULL;
}

static void test_order__of_eight_at_once_with_one_external_id_one_wins(void)
{
    NEEDS_CLUSTER();
    struct crowd members[8];
    int won = 0;
    CHECK_OK(crowd_run(members, 8, create_same, NULL));
    for (int i = 0; i < 8; i++) {
        won += members[i].result == 0;
        CHECK(members[i].result == 0 || strcmp(members[i].err.code, "external_id_taken") == 0);
    }
    CHECK(won == 1);
    CHECK_TEXT(ask("select count(*) from orders where external_id = 'race'", NULL), "1");
}

static void test_order__whose_item_has_no_photo_leaves_nothing(void)
{
    NEEDS_CLUSTER();
    char order[32];
    CHECK_FAILS(
        order_create(order, db, "{\"items\":[{\"template\":\"t\"}]}", NULL, 0, "customer", &err),
        ERR_INPUT);
    CHECK_TEXT(ask("select count(*) from orders where id = $1", order), "0");
}

static void test_order__photos_after_the_first_are_numbered(void)
{
    NEEDS_CLUSTER();
    char order[32];
    struct photo_row photos[3] = {0};
    for (int i = 0; i < 3; i++) {
        photos[i].item = i == 1;
        photos[i].report = "{}";
        strcpy(photos[i].item_slot, i == 2 ? "left" : "front");
        strcpy(photos[i].provider_mime, "image/png");
        fresh_hash(photos[i].normal_hash);
    }
    CHECK_OK(order_create(order, db,
                          "{\"items\":[{\"template\":\"t\"},{\"template\":\"u\",\"quantity\":2}]}",
                          photos, 3, "customer", &err));
    CHECK_TEXT(ask("select string_agg(i.position || ':' || a.name, ' ' order by i.position, a.id) "
                   "from artifacts a join items i on i.id = a.item_id where i.order_id = $1 and "
                   "a.kind = 'photo'",
                   order),
               "1:01_photo.png 1:01_photo__002__left.png 2:01_photo.png");
}

static void test_cancel__takes_back_runs_tasks_and_jobs(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32];
    int count = 0;
    CHECK_OK(item_queued(order, item, slice, 2));
    CHECK_OK(runs_plan(&count, db, item, slice, "worker:test", &err));
    CHECK(count == 2);
    CHECK_OK(db_text_run(NULL, db,
                         "insert into tasks (id, item_id, round, provider, state, seed) values "
                         "('gen_' || $1, $1, 1, 'p', 'created', 1)",
                         1, (const char *const[]){item}, &err));
    CHECK_OK(order_cancel(db, order, "user:ann", "changed her mind", &err));
    CHECK_TEXT(ask("select stage from orders where id = $1", order), "cancelled");
    CHECK_TEXT(ask("select state from items where id = $1", item), "cancelled");
    CHECK_TEXT(ask("select string_agg(distinct state, ',') from runs where item_id = $1", item),
               "cancelled");
    CHECK_TEXT(ask("select state from tasks where item_id = $1", item), "cancelled");
    CHECK_TEXT(ask("select count(*) from jobs where subject = $1", item), "0");
    CHECK_TEXT(
        ask("select reason from events where item_id = $1 and event = 'item.cancelled'", item),
        "changed her mind");
    CHECK_OK(order_cancel(db, order, "user:ann", "again", &err));
    CHECK_FAILS(order_cancel(db, "ord_none", "user:ann", "", &err), ERR_ABSENT);
}

static void test_cancel__is_refused_whole_once_a_part_is_on_a_printer(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32], run[40];
    CHECK_OK(item_queued(order, item, slice, 1));
    CHECK_OK(runs_plan(NULL, db, item, slice, "worker:test", &err));
    snprintf(run, sizeof run, "%s", ask("select id from runs where item_id = $1", item));
    CHECK_OK(move("run", run, "run.assigned"));
    CHECK_FAILS(order_cancel(db, order, "user:ann", "", &err), ERR_CONFLICT);
    CHECK_TEXT(err.code, "part_printing");
    CHECK_TEXT(ask("select state from items where id = $1", item), "queued");
}

static void test_review__a_pass_binds_to_the_bytes_that_were_seen(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], hash[SHA256_HEX], other[SHA256_HEX], slice[32];
    CHECK_OK(item_in_review(order, item, hash, 1));
    fresh_hash(other);
    CHECK_FAILS(pass(item, other), ERR_CONFLICT);
    CHECK_TEXT(err.code, "model_changed");
    CHECK_FAILS(slice_add(slice, item, hash), ERR_CONFLICT); /* nothing was passed yet */
    CHECK_TEXT(err.code, "not_approved");
    CHECK_OK(pass(item, hash));
    CHECK_TEXT(ask("select state || ' ' || approved_hash from items where id = $1", item),
               ask("select 'approved ' || threemf_hash from models where item_id = $1", item));
    CHECK_TEXT(ask("select kind from jobs where subject = $1 and kind = 'slice'", item), "slice");
    CHECK_TEXT(ask("select decision || ' ' || actor from reviews where item_id = $1", item),
               "pass user:test");
    CHECK_FAILS(slice_add(slice, item, other), ERR_CONFLICT);
    CHECK_OK(slice_add(slice, item, hash));
    CHECK_FAILS(pass(item, hash), ERR_CONFLICT); /* decided already */
    CHECK_TEXT(err.code, "not_in_review");
}

static void test_review__a_revision_takes_the_pass_back_and_changes_options(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], hash[SHA256_HEX], slice[32];
    CHECK_OK(item_in_review(order, item, hash, 1));
    CHECK_OK(pass(item, hash));
    CHECK_OK(move("item", item, "slice.started"));
    CHECK_OK(slice_add(slice, item, hash));
    CHECK_OK(move("item", item, "slice.failed"));
    struct review_decision d = {.item_id = item,
                                .decision = "revise",
                                .actor = "user:ann",
                                .options = "{\"height_mm\":45,\"base\":\"round\"}"};
    CHECK_FAILS(review_decide(db, &d, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "reason_missing");
    d.reason = "too tall";
    CHECK_OK(review_decide(db, &d, &err));
    CHECK_TEXT(ask("select state || ' ' || (approved_hash is null) || ' ' || "
                   "(options->>'height_mm') || ' ' || (options->>'base') || ' ' || "
                   "(options->>'style') from items where id = $1",
                   item),
               "preparing true 45 round figure");
    CHECK_TEXT(ask("select count(*) from jobs where subject = $1 and kind = 'prepare'", item), "1");
    /* what was sliced before can no more be printed */
    CHECK_FAILS(runs_plan(NULL, db, item, slice, "worker:test", &err), ERR_CONFLICT);
    CHECK_TEXT(err.code, "not_approved");
}

static void test_review__regenerating_begins_a_new_round_and_rejecting_ends_it(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], hash[SHA256_HEX];
    CHECK_OK(item_in_review(order, item, hash, 1));
    struct review_decision d = {.item_id = item,
                                .decision = "revise",
                                .regenerate = 1,
                                .actor = "user:ann",
                                .reason = "no likeness"};
    CHECK_OK(review_decide(db, &d, &err));
    CHECK_TEXT(ask("select state || ' ' || round from items where id = $1", item), "generating 2");
    CHECK_TEXT(ask("select count(*) from jobs where subject = $1 and kind = 'generate'", item),
               "1");
    CHECK_OK(item_in_review(order, item, hash, 1));
    d = (struct review_decision){
        .item_id = item, .decision = "reject", .actor = "user:ann", .reason = "not allowed"};
    CHECK_OK(review_decide(db, &d, &err));
    CHECK_TEXT(ask("select i.state || ' ' || o.stage from items i join orders o on o.id = "
                   "i.order_id where i.id = $1",
                   item),
               "failed failed");
    d.decision = "maybe";
    CHECK_FAILS(review_decide(db, &d, &err), ERR_INPUT);
    d.decision = "reject";
    d.item_id = "itm_none";
    CHECK_FAILS(review_decide(db, &d, &err), ERR_ABSENT);
}

static void test_review__of_an_older_version_is_refused(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], hash[SHA256_HEX];
    CHECK_OK(item_in_review(order, item, hash, 1));
    int version = atoi(ask("select version from items where id = $1", item));
    struct review_decision d = {.item_id = item,
                                .decision = "pass",
                                .threemf_hash = hash,
                                .actor = "user:ann",
                                .expected_version = version - 1};
    CHECK_FAILS(review_decide(db, &d, &err), ERR_CONFLICT);
    CHECK_TEXT(err.code, "version_changed");
    d.expected_version = version;
    CHECK_OK(review_decide(db, &d, &err));
}

static void *decide(void *user)
{
    struct crowd *me = user;
    const struct review_decision *both = me->user;
    me->result = review_decide(me->db, &both[me->number % 2], &me->err);
    return NULL;
}

static void test_review__of_many_decisions_at_once_one_counts(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], hash[SHA256_HEX];
    struct crowd members[6];
    int won = 0;
    CHECK_OK(item_in_review(order, item, hash, 1));
    struct review_decision both[2] = {
        {.item_id = item, .decision = "pass", .threemf_hash = hash, .actor = "user:a"},
        {.item_id = item, .decision = "reject", .reason = "r", .actor = "user:b"}};
    CHECK_OK(crowd_run(members, 6, decide, both));
    for (int i = 0; i < 6; i++) {
        won += members[i].result == 0;
        CHECK(members[i].result == 0 || members[i].err.kind == ERR_CONFLICT);
    }
    CHECK(won == 1);
    CHECK_TEXT(ask("select count(*) from reviews where item_id = $1", item), "1");
}

static void test_idempotency__the_second_request_gets_the_first_answer(void)
{
    NEEDS_CLUSTER();
    int status;
    char *response;
    CHECK(idempotency_take(&status, &response, db, "POST /v1/orders", "k1", "f1", &err) == 1);
    CHECK_FAILS(idempotency_take(&status, &response, db, "POST /v1/orders", "k1", "f1", &err),
                ERR_CONFLICT);
    CHECK_TEXT(err.code, "idempotency_in_progress");
    CHECK_OK(idempotency_keep(db, "POST /v1/orders", "k1", 201, "{\"id\":\"x\"}", &err));
    CHECK(idempotency_take(&status, &response, db, "POST /v1/orders", "k1", "f1", &err) == 0);
    CHECK(status == 201);
    CHECK_TEXT(response, "{\"id\":\"x\"}");
    free(response);
    CHECK_FAILS(idempotency_take(&status, &response, db, "POST /v1/orders", "k1", "f2", &err),
                ERR_INPUT);
    CHECK_TEXT(err.code, "idempotency_key_reused");
    CHECK(idempotency_take(&status, &response, db, "POST /v1/other", "k1", "f2", &err) == 1);
    CHECK_OK(idempotency_release(db, "POST /v1/other", "k1", &err));
    CHECK(idempotency_take(&status, &response, db, "POST /v1/other", "k1", "f3", &err) == 1);
    CHECK_OK(idempotency_release(db, "POST /v1/orders", "k1", &err)); /* an answer stays */
    CHECK(idempotency_take(&status, &response, db, "POST /v1/orders", "k1", "f1", &err) == 0);
    free(response);
}

/* The process that took the key died; another takes over, and if the first was only slow after all,
 * just one of the two transactions goes through. */
static void test_idempotency__a_dead_process_does_not_keep_the_key(void)
{
    NEEDS_CLUSTER();
    int status;
    char *response, order[32], item[32];
    CHECK(idempotency_take(&status, &response, db, "r", "dead", "f", &err) == 1);
    CHECK_OK(db_script(
        db, "update idempotency set created_at = now() - interval '11 minutes' where key = 'dead'",
        &err));
    CHECK_FAILS(idempotency_take(&status, &response, db, "r", "dead", "other", &err), ERR_INPUT);
    CHECK(idempotency_take(&status, &response, db, "r", "dead", "f", &err) == 1);
    CHECK_OK(db_begin(db, &err));
    CHECK_OK(order_of(order, item, 1, "slow-one"));
    CHECK_OK(idempotency_keep(db, "r", "dead", 201, "{}", &err));
    CHECK_OK(db_commit(db, &err));
    CHECK_OK(db_begin(db, &err));
    CHECK_OK(order_of(order, item, 1, "slow-two"));
    CHECK_FAILS(idempotency_keep(db, "r", "dead", 201, "{}", &err), ERR_CONFLICT);
    db_rollback(db);
    CHECK_TEXT(
        ask("select string_agg(external_id, ',') from orders where external_id like 'slow-%'",
            NULL),
        "slow-one");
}

static void test_part_code__every_wrong_digit_and_every_swap_shows(void)
{
    char code[PART_CODE_ROOM], read[PART_CODE_ROOM];
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (int n = 0; n < 50; n++) {
        part_code_make(code);
        CHECK(part_code_read(read, code) == 0);
        CHECK_TEXT(read, code);
        for (int i = 0; i < 6; i++)
            for (int d = 0; d < 32; d++) {
                char wrong[PART_CODE_ROOM];
                strcpy(wrong, code);
                wrong[i] = digits[d];
                CHECK((part_code_read(read, wrong) == 0) == (digits[d] == code[i]));
            }
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < i; j++) {
                char wrong[PART_CODE_ROOM];
                strcpy(wrong, code);
                wrong[i] = code[j];
                wrong[j] = code[i];
                CHECK((part_code_read(read, wrong) == 0) == (code[i] == code[j]));
            }
    }
    CHECK(part_code_read(read, "") == 1 && part_code_read(read, "0000000") == 1);
    CHECK(part_code_read(read, "oOiIlL") == part_code_read(read, "001111"));
}

TESTS(TEST(test_order__is_written_with_all_that_belongs_to_it),
      TEST(test_order__same_external_id_twice_is_refused_and_leaves_nothing),
      TEST(test_order__of_eight_at_once_with_one_external_id_one_wins),
      TEST(test_order__whose_item_has_no_photo_leaves_nothing),
      TEST(test_order__photos_after_the_first_are_numbered),
      TEST(test_cancel__takes_back_runs_tasks_and_jobs),
      TEST(test_cancel__is_refused_whole_once_a_part_is_on_a_printer),
      TEST(test_review__a_pass_binds_to_the_bytes_that_were_seen),
      TEST(test_review__a_revision_takes_the_pass_back_and_changes_options),
      TEST(test_review__regenerating_begins_a_new_round_and_rejecting_ends_it),
      TEST(test_review__of_an_older_version_is_refused),
      TEST(test_review__of_many_decisions_at_once_one_counts),
      TEST(test_idempotency__the_second_request_gets_the_first_answer),
      TEST(test_idempotency__a_dead_process_does_not_keep_the_key),
      TEST(test_part_code__every_wrong_digit_and_every_swap_shows))
