/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/provider/signature: what counts as signed, by whom, and how long. */
#include "intake/provider/signature.h"
#include "tests/test.h"

/* RFC 4231, test case 2: key "Jefe". The base64 is of the same 32 bytes. */
static const struct hash_part words = {"what do ya want for nothing?", 28};
static const char in_hex[] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
static const char in_base64[] = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";

static void test_signature__hmac_is_read_in_hex_and_base64(void)
{
    char torn[] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3842";
    CHECK(signature_hmac_hex(in_hex, 64, "Jefe", 4, &words, 1));
    CHECK(signature_hmac_base64(in_base64, 44, "Jefe", 4, &words, 1));
    CHECK(!signature_hmac_hex(torn, 64, "Jefe", 4, &words, 1));
    CHECK(!signature_hmac_hex(in_hex, 64, "Jeff", 4, &words, 1));
    CHECK(!signature_hmac_hex(in_hex, 62, "Jefe", 4, &words, 1)); /* the start of a right one */
    CHECK(!signature_hmac_hex("", 0, "Jefe", 4, &words, 1));
    CHECK(!signature_hmac_base64(in_hex, 64, "Jefe", 4, &words, 1));
}

/* HMAC-SHA256 of "" with the key "": published, so a shop without a secret would take anything. */
static void test_signature__an_empty_key_matches_nothing(void)
{
    static const char known[] = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    uint8_t mac[HMAC_SHA256_BYTES], expected[HMAC_SHA256_BYTES];
    hmac_sha256(mac, "", 0, NULL, 0);
    CHECK(hex_read(expected, sizeof expected, known, 64) == sizeof expected);
    CHECK(secret_same(mac, expected, sizeof mac));
    CHECK(!signature_hmac_hex(known, 64, "", 0, NULL, 0));
}

/* RFC 8032, section 7.1, test 2. */
static void test_signature__ed25519_takes_its_key_from_base64(void)
{
    static const char signed_hex[] =
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    static const char key[] = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw";
    CHECK(signature_ed25519_hex(signed_hex, 128, key, "\x72", 1));
    CHECK(!signature_ed25519_hex(signed_hex, 128, key, "\x73", 1));
    CHECK(!signature_ed25519_hex(signed_hex, 126, key, "\x72", 1));
    CHECK(!signature_ed25519_hex(signed_hex, 128, "PUAXw", "\x72", 1));
}

static void test_signature__counts_for_five_minutes_on_either_side(void)
{
    CHECK(signature_is_fresh(1000, 1300) && !signature_is_fresh(1000, 1301));
    CHECK(signature_is_fresh(1300, 1000) && !signature_is_fresh(1301, 1000));
    CHECK(!signature_is_fresh(-1, 100));
    CHECK(signature_time("1795166200", 10) == 1795166200);
    CHECK(signature_time("1795166200,v1", 10) == 1795166200);
    CHECK(signature_time("", 0) == -1);
    CHECK(signature_time("-5", 2) == -1);
    CHECK(signature_time(" 5", 2) == -1);
    CHECK(signature_time("9999999999999", 13) == -1);
}

TESTS(TEST(test_signature__hmac_is_read_in_hex_and_base64),
      TEST(test_signature__an_empty_key_matches_nothing),
      TEST(test_signature__ed25519_takes_its_key_from_base64),
      TEST(test_signature__counts_for_five_minutes_on_either_side))
