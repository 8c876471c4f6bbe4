/* anchor: what the operator may give, and how mistakes are named. */
#include "analyze/declared/anchor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#define NS      INT64_C(1000000000)
#define DS_2017 "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"

static void default_is_the_iana_set(void **state)
{
    static const struct {
        unsigned tag;
        uint8_t first, last; /* bytes of the digest */
        int64_t from_s, until_s;
    } known[] = {{19036, 0x49, 0xb5, 1279152000, 1547164800},
                 {20326, 0xe0, 0x8d, 1485993600, 0},
                 {38696, 0x68, 0x16, 1721260800, 0}};
    (void)state;
    struct anchors *anchors = anchors_new();
    const struct anchor *list;
    anchors_add_default(anchors);
    assert_int_equal(anchors_list(anchors, &list), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(list[i].is_ds);
        assert_true(name_is_root(list[i].zone));
        assert_int_equal(list[i].rdata_size, 36);
        assert_int_equal(list[i].rdata[0] << 8 | list[i].rdata[1], known[i].tag);
        assert_int_equal(list[i].rdata[2], 8);
        assert_int_equal(list[i].rdata[3], 2);
        assert_int_equal(list[i].rdata[4], known[i].first);
        assert_int_equal(list[i].rdata[35], known[i].last);
        assert_int_equal(list[i].from_ns, known[i].from_s * NS);
        assert_int_equal(list[i].until_ns, known[i].until_s ? known[i].until_s * NS : INT64_MAX);
    }
    anchors_free(anchors);
}

static void lines_are_read(void **state)
{
    static const char text[] =
        "; a comment\n"
        "\n"
        ". IN DS 20326 8 2 " DS_2017 "\n"
        "Example.TEST. 3600 IN DNSKEY 257 3 13 (\n"
        "   xhRXS1q6qM696XdTJ0bdfkh59Van9L53T9YfrrMy4eh7CoNetbiD3sFA+ND4 ; split\n"
        "   UCE49UIxFoGPcafjnd/sgTLnNA== )\n"
        "example.net DS 1 13 4 00112233445566778899aabbccddeeff0011223344556677"
        "8899aabbccddeeff00112233445566778899aabbccddeeff";
    (void)state;
    struct anchors *anchors = anchors_new();
    const struct anchor *list;
    char error[256] = "", name[NAME_TEXT_MAX];
    assert_int_equal(anchors_add(anchors, "a", text, sizeof text - 1, error, sizeof error), 0);
    assert_int_equal(anchors_list(anchors, &list), 3);
    assert_true(list[0].is_ds && !list[1].is_ds && list[2].is_ds);
    assert_string_equal(name_text(list[1].zone, name), "example.test.");
    assert_int_equal(list[1].rdata_size, 4 + 64);
    assert_string_equal(name_text(list[2].zone, name), "example.net.");
    assert_int_equal(list[2].rdata_size, 4 + 48);
    anchors_free(anchors);
}

static void mistakes_name_file_and_line(void **state)
{
    static const struct {
        const char *text, *error; /* what the error must begin with */
    } cases[] = {
        {"", "f:1: expected records"},
        {"; nothing\n", "f:1: expected a DS or DNSKEY"},
        {"\n. IN A 192.0.2.1\n", "f:2: expected a DS or DNSKEY"},
        {". CH DS 20326 8 2 " DS_2017 "\n", "f:1: expected class IN"},
        {". DS 20326 8 2 " DS_2017 "\n\n. DS 20326 8 2 E06D\n", "f:3: expected a digest"},
        {". DS 20326 8 2 " DS_2017 "00\n", "f:1: expected a digest"},
        {"; the last digit is lost\n. 300 IN DS 20326 8 2 (0 ; even\n" DS_2017 ")\n",
         "f:3: expected an even number of digits"},
        {"ds. DS 20326 8 1 0" DS_2017 "\n", "f:1: expected an even number of digits"},
        {". DNSKEY 385 3 8 AwEAAaz/\n", "f:1: expected a key that is not revoked"},
        {". DNSKEY 0 3 8 AwEAAaz/\n", "f:1: expected a zone key"},
        {". DNSKEY 257 2 8 AwEAAaz/\n", "f:1: expected a zone key"},
        {". DNSKEY 257 3 8\n", "f:1: expected"},
        {"; x\nrubbish\n", "f:2: expected a record"},
        {"$INCLUDE /etc/passwd\n", "f:1: expected the whole zone in one file"},
        {"<x/>", "f:1: expected <TrustAnchor>"},
        {"<TrustAnchor>\n<Zone>.</Zone>\n</TrustAnchor>", "f:1: expected at least one <KeyDigest>"},
        {"<TrustAnchor><Zone>.</Zone>\n<KeyDigest>\n<KeyTag>1</KeyTag>",
         "f:2: expected </KeyDigest>"},
        {"<TrustAnchor><Zone>.</Zone>\n<KeyDigest validFrom=\"soon\"></KeyDigest>",
         "f:2: expected a time"},
        {"<TrustAnchor><Zone>.</Zone>\n<KeyDigest><KeyTag>65536</KeyTag></KeyDigest>",
         "f:2: expected a number"},
        {"<TrustAnchor><Zone>.</Zone><KeyDigest><KeyTag>1</KeyTag><Algorithm>8</Algorithm>"
         "<DigestType>2</DigestType><Digest>0g</Digest></KeyDigest></TrustAnchor>",
         "f:1: expected a digest in hex"},
        {"<TrustAnchor><Zone>.</Zone><KeyDigest><KeyTag>1</KeyTag><Algorithm>8</Algorithm>"
         "<DigestType>2</DigestType><Digest>00</Digest></KeyDigest></TrustAnchor>",
         "f:1: expected"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anchors *anchors = anchors_new();
        const struct anchor *list;
        char error[256] = "";
        anchors_add_default(anchors);
        print_message("%s\n", cases[i].error);
        assert_int_equal(
            anchors_add(anchors, "f", cases[i].text, strlen(cases[i].text), error, sizeof error),
            -1);
        assert_memory_equal(error, cases[i].error, strlen(cases[i].error));
        assert_int_equal(anchors_list(anchors, &list), 3); /* nothing of the file is kept */
        anchors_free(anchors);
    }
}

static void nul_bytes_are_refused(void **state)
{
    (void)state;
    struct anchors *anchors = anchors_new();
    char error[256] = "";
    assert_int_equal(anchors_add(anchors, "f", ".\n\0", 3, error, sizeof error), -1);
    assert_string_equal(error, "f:2: expected text, found a NUL byte");
    anchors_free(anchors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_is_the_iana_set),
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(mistakes_name_file_and_line),
        cmocka_unit_test(nul_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
