/*
 * test_link: every link layer and encapsulation, whole and cut at every byte.
 */
#include "tests/unit/packets.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct frame f;
static struct received received;

static void payload(unsigned src)
{
    uint8_t bytes[64];
    build_udp(&f, 53, 4000);
    build_bytes(&f, bytes, build_message(bytes, src, 50));
}

static void ipv4(unsigned proto)
{
    build_ipv4(&f, 1, 2, proto, 1, 0x4000);
}

static void inner4(void)
{
    build_ipv4(&f, 3, 4, IPPROTO_UDP, 2, 0x4000);
    payload(7);
}

static void inner6(void)
{
    build_ipv6(&f, 3, 4, IPPROTO_UDP);
    payload(7);
}

/* --- one builder per row ---------------------------------------------------------------------- */

static void ethernet4(void)
{
    build_start(&f, 1);
    build_ethernet(&f, 0x0800);
    inner4();
}
static void ethernet6(void)
{
    build_start(&f, 1);
    build_ethernet(&f, 0x86dd);
    inner6();
}
static void padded(void)
{
    ethernet4();
    build_close(&f);
    f.open_count = 0; /* the lengths stay, the frame grows */
    build_bytes(&f, "padding and trailer", 19);
}
static void vlan(void)
{
    build_start(&f, 1);
    build_ethernet(&f, 0x8100);
    build_vlan(&f, 42, 0x0800);
    inner4();
}
static void qinq(void)
{
    build_start(&f, 1);
    build_ethernet(&f, 0x88a8);
    build_vlan(&f, 42, 0x9100);
    build_vlan(&f, 43, 0x8100);
    build_vlan(&f, 44, 0x86dd);
    inner6();
}
static void snap(void)
{
    build_start(&f, 1);
    build_ethernet(&f, 100);
    build_bytes(&f, "\xaa\xaa\3\0\0\0", 6);
    build_16(&f, 0x0800);
    inner4();
}
static void sll(void)
{
    build_start(&f, 113);
    build_bytes(&f, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0", 14);
    build_16(&f, 0x0800);
    inner4();
}
static void sll2(void)
{
    build_start(&f, 276);
    build_16(&f, 0x86dd);
    build_bytes(&f, "\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0", 18);
    inner6();
}
static void raw4(void)
{
    build_start(&f, 101);
    inner4();
}
static void raw6(void)
{
    build_start(&f, 229);
    inner6();
}
static void null_little(void)
{
    build_start(&f, 0);
    build_bytes(&f, "\2\0\0\0", 4);
    inner4();
}
static void null_big(void)
{
    build_start(&f, 0);
    build_bytes(&f, "\0\0\0\x1e", 4);
    inner6();
}
static void loop(void)
{
    build_start(&f, 108);
    build_bytes(&f, "\0\0\0\x18", 4);
    inner6();
}
static void ppp(void)
{
    build_start(&f, 9);
    build_bytes(&f, "\xff\3\0\x21", 4);
    inner4();
}
static void ppp_short(void)
{
    build_start(&f, 9);
    build_8(&f, 0x57);
    inner6();
}
static void pppoe(void)
{
    build_start(&f, 1);
    build_ethernet(&f, 0x8864);
    build_bytes(&f, "\x11\0\0\1", 4);
    build_length(&f, f.size + 2);
    build_16(&f, 0x0021);
    inner4();
}
static void mpls(void)
{
    build_start(&f, 1);
    build_ethernet(&f, 0x8847);
    build_bytes(&f, "\0\1\0\x40\0\1\1\x40", 8);
    inner6();
}
static void pseudowire(void)
{
    build_start(&f, 1);
    build_ethernet(&f, 0x8847);
    build_bytes(&f, "\0\1\1\x40\0\0\0\0", 8);
    build_ethernet(&f, 0x8100);
    build_vlan(&f, 42, 0x0800);
    inner4();
}
static void ip_options(void)
{
    build_start(&f, 101);
    size_t from = f.size;
    build_16(&f, 0x4600);
    build_length(&f, from);
    build_bytes(&f, "\0\1\0\0\x40\x11\0\0\xc0\0\2\3\xc0\0\2\4\1\1\1\0", 20);
    payload(7);
}
static void offloaded(void)
{
    ethernet4();
    f.open[0].at = f.open[1].at; /* total length stays 0 */
    f.open[0].from = f.open[1].from;
}
static void ipv6_options(void)
{
    build_start(&f, 101);
    build_ipv6(&f, 3, 4, 0);
    build_bytes(&f, "\x2b\0\1\4\0\0\0\0", 8);                      /* hop-by-hop */
    build_bytes(&f, "\x3c\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);     /* routing */
    build_bytes(&f, "\x87\0\1\4\0\0\0\0", 8);                      /* destination */
    build_bytes(&f, "\x33\0\0\0\0\0\0\0", 8);                      /* mobility */
    build_bytes(&f, "\x2c\4\0\0\0\0\0\1\0\0\0\1icvicvicvicv", 24); /* AH */
    build_bytes(&f, "\x11\0\0\0\0\0\0\1", 8);                      /* atomic fragment */
    payload(7);
}
static void ip_in_ip(void)
{
    build_start(&f, 101);
    ipv4(IPPROTO_IPIP);
    inner4();
}
static void six_in_four(void)
{
    build_start(&f, 101);
    ipv4(IPPROTO_IPV6);
    inner6();
}
static void four_in_six(void)
{
    build_start(&f, 101);
    build_ipv6(&f, 1, 2, IPPROTO_IPIP);
    inner4();
}
static void gre(void)
{
    build_start(&f, 101);
    ipv4(IPPROTO_GRE);
    build_16(&f, 0xb000); /* checksum, key, sequence */
    build_16(&f, 0x0800);
    build_bytes(&f, "ckskey1!seq!", 12);
    inner4();
}
static void pptp(void)
{
    build_start(&f, 101);
    ipv4(IPPROTO_GRE);
    build_16(&f, 0x3081);
    build_16(&f, 0x880b);
    build_bytes(&f, "keyxseq!ack!", 12);
    build_16(&f, 0x0021);
    inner4();
}
static void erspan1(void)
{
    build_start(&f, 101);
    ipv4(IPPROTO_GRE);
    build_16(&f, 0);
    build_16(&f, 0x88be);
    build_ethernet(&f, 0x0800);
    inner4();
}
static void erspan2(void)
{
    build_start(&f, 101);
    ipv4(IPPROTO_GRE);
    build_16(&f, 0x1000);
    build_16(&f, 0x88be);
    build_bytes(&f, "\0\0\0\1\x10\1\0\0\0\0\0\1", 12);
    build_ethernet(&f, 0x8100);
    build_vlan(&f, 42, 0x0800);
    inner4();
}
static void erspan3(void)
{
    build_start(&f, 101);
    ipv4(IPPROTO_GRE);
    build_16(&f, 0x1000);
    build_16(&f, 0x22eb);
    build_bytes(&f, "\0\0\0\1\x20\1\0\0\0\0\0\1\0\0\0\1platform", 24);
    build_ethernet(&f, 0x0800);
    inner4();
}
static void vxlan(void)
{
    build_start(&f, 1);
    build_ethernet(&f, 0x8100);
    build_vlan(&f, 9, 0x0800); /* the outer tag is not the flow's */
    ipv4(IPPROTO_UDP);
    build_udp(&f, 999, 4789);
    build_bytes(&f, "\x8\0\0\0\0\0\1\0", 8);
    build_ethernet(&f, 0x0800);
    inner4();
}
static void vxlan_twice(void)
{
    vxlan();
    f.size -= 50 + 8 + 20;
    f.open_count -= 2;
    ipv4(IPPROTO_UDP);
    build_udp(&f, 999, 8472);
    build_bytes(&f, "\x8\0\0\0\0\0\1\0", 8);
    build_ethernet(&f, 0x86dd);
    inner6();
}
static void geneve(void)
{
    build_start(&f, 101);
    ipv4(IPPROTO_UDP);
    build_udp(&f, 999, 6081);
    build_bytes(&f, "\1\0\x65\x58\0\0\1\0opts", 12);
    build_ethernet(&f, 0x86dd);
    inner6();
}

static const struct {
    const char *what;
    void (*build)(void);
    uint8_t family, vlans;
    uint16_t vlan, vlan2;
} rows[] = {
    {"Ethernet, IPv4", ethernet4, 4, 0, 0, 0},
    {"Ethernet, IPv6", ethernet6, 6, 0, 0, 0},
    {"padding", padded, 4, 0, 0, 0},
    {"802.1Q", vlan, 4, 1, 42, 0},
    {"three tags", qinq, 6, 2, 42, 43},
    {"LLC/SNAP", snap, 4, 0, 0, 0},
    {"cooked v1", sll, 4, 0, 0, 0},
    {"cooked v2", sll2, 6, 0, 0, 0},
    {"raw IPv4", raw4, 4, 0, 0, 0},
    {"raw IPv6", raw6, 6, 0, 0, 0},
    {"loopback, little-endian", null_little, 4, 0, 0, 0},
    {"loopback, big-endian", null_big, 6, 0, 0, 0},
    {"OpenBSD loopback", loop, 6, 0, 0, 0},
    {"PPP", ppp, 4, 0, 0, 0},
    {"PPP, compressed", ppp_short, 6, 0, 0, 0},
    {"PPPoE", pppoe, 4, 0, 0, 0},
    {"MPLS, two labels", mpls, 6, 0, 0, 0},
    {"Ethernet over MPLS", pseudowire, 4, 1, 42, 0},
    {"IPv4 options", ip_options, 4, 0, 0, 0},
    {"total length 0", offloaded, 4, 0, 0, 0},
    {"IPv6 extension headers", ipv6_options, 6, 0, 0, 0},
    {"IP in IP", ip_in_ip, 4, 0, 0, 0},
    {"IPv6 in IPv4", six_in_four, 6, 0, 0, 0},
    {"IPv4 in IPv6", four_in_six, 4, 0, 0, 0},
    {"GRE", gre, 4, 0, 0, 0},
    {"PPTP", pptp, 4, 0, 0, 0},
    {"ERSPAN I", erspan1, 4, 0, 0, 0},
    {"ERSPAN II", erspan2, 4, 1, 42, 0},
    {"ERSPAN III", erspan3, 4, 0, 0, 0},
    {"VXLAN", vxlan, 4, 0, 0, 0},
    {"VXLAN in VXLAN", vxlan_twice, 6, 0, 0, 0},
    {"GENEVE", geneve, 6, 0, 0, 0},
};

static void each_link(void **state)
{
    (void)state;
    struct settings s;
    settings_default(&s);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct dissect *d = dissect_new(&s, receive, &received);
        received.count = 0;
        rows[i].build();
        /* only the first frame that came wrapped is an example to be held */
        const struct ring_record *r = build_close(&f);
        f.record.number = 1;
        dissect_frame(d, r);
        assert_false(dissect_frame(d, r));
        received.count--;
        if (received.count != 1 || !received.each[0].intact || received.each[0].wire_size != 50)
            fail_msg("%s: no message, or another one", rows[i].what);
        const struct flow *flow = &received.each[0].flow;
        const struct flow want = {.family = rows[i].family,
                                  .proto = IPPROTO_UDP,
                                  .vlans = rows[i].vlans,
                                  .sport = 53,
                                  .dport = 4000,
                                  .vlan = {rows[i].vlan, rows[i].vlan2}};
        assert_int_equal(flow->family, want.family);
        assert_int_equal(flow->src[flow->family == 4 ? 3 : 15], 3);
        assert_int_equal(flow->dst[flow->family == 4 ? 3 : 15], 4);
        if (memcmp(flow, &want, offsetof(struct flow, src)) != 0)
            fail_msg("%s: wrong ports or tags", rows[i].what);
        dissect_free(d);
    }
}

/* Cut by the capture at every byte: what arrives is the message's beginning, and marked as cut. */
static void snapped(void **state)
{
    (void)state;
    struct settings s;
    settings_default(&s);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct dissect *d = dissect_new(&s, receive, &received);
        rows[i].build();
        build_close(&f);
        size_t whole = f.size;
        for (size_t size = 0; size < whole; size++) {
            /* in a block of its own size, so that the sanitizer sees every byte too far */
            struct ring_record *r = malloc(sizeof(*r) + size);
            assert_non_null(r);
            *r = f.record;
            memcpy(r + 1, f.bytes, size);
            r->caplen = (uint32_t)size;
            received.count = 0;
            dissect_frame(d, r);
            if (received.count == 1) {
                assert_true(received.each[0].intact);
                assert_int_equal(received.each[0].wire_size, 50);
                assert_true(received.each[0].size <= 50);
            }
            free(r);
        }
        assert_int_equal(dissect_counters(d)->snapped, whole);
        assert_true(dissect_counters(d)->messages >= 49);
        dissect_free(d);
    }
}

/* Flipped bits never lead outside. */
static void flipped(void **state)
{
    (void)state;
    struct settings s;
    settings_default(&s);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct dissect *d = dissect_new(&s, receive, &received);
        rows[i].build();
        build_close(&f);
        struct ring_record *r = malloc(sizeof(*r) + f.size);
        assert_non_null(r);
        for (size_t bit = 0; bit < f.size * 8; bit++) {
            *r = f.record;
            r->number = bit + 1;
            memcpy(r + 1, f.bytes, f.size);
            ((uint8_t *)(r + 1))[bit / 8] ^= (uint8_t)(1u << bit % 8);
            dissect_frame(d, r);
        }
        free(r);
        dissect_finish(d);
        dissect_free(d);
    }
}

/* Headers without end: counted as undecodable, not followed for ever. */
static void too_deep(void **state)
{
    (void)state;
    struct settings s;
    settings_default(&s);
    struct dissect *d = dissect_new(&s, receive, &received);
    received.count = 0;
    build_start(&f, 101);
    for (unsigned i = 0; i < 30; i++)
        ipv4(IPPROTO_IPIP);
    inner4();
    f.open_count = 0; /* total length 0 will do */
    dissect_frame(d, build_close(&f));
    assert_int_equal(dissect_counters(d)->undecodable, 1);
    build_start(&f, 101);
    for (unsigned i = 0; i < 200; i++) { /* one round each */
        ipv4(IPPROTO_UDP);
        build_udp(&f, 1, 4789);
        build_bytes(&f, "\x8\0\0\0\0\0\1\0", 8);
        build_ethernet(&f, 0x0800);
    }
    f.open_count = 0;
    dissect_frame(d, build_close(&f));
    assert_int_equal(dissect_counters(d)->undecodable, 2);
    assert_int_equal(received.count, 0);
    dissect_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_link),
        cmocka_unit_test(snapped),
        cmocka_unit_test(flipped),
        cmocka_unit_test(too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
