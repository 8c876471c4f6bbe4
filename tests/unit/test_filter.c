/*
 * test_filter: the built-in live filter against packets of every kind that must and must not pass,
 * and expressions per link type.
 */
#include "capture/filter.h"

#include "tests/unit/capture_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const uint16_t ports[] = {53, 5353, 0, 9999}; /* 0 ends the list */

enum l2 { ETHER, VLAN, QINQ, SLL, SLL_VLAN, SLL2, SLL2_VLAN, RAW, LOOP, L2_KINDS };

static int dlt_of(enum l2 l2)
{
    static const int dlt[] = {[ETHER] = DLT_EN10MB,
                              [VLAN] = DLT_EN10MB,
                              [QINQ] = DLT_EN10MB,
                              [SLL] = DLT_LINUX_SLL,
                              [SLL_VLAN] = DLT_LINUX_SLL,
                              [SLL2] = DLT_LINUX_SLL2,
                              [SLL2_VLAN] = DLT_LINUX_SLL2,
                              [RAW] = DLT_RAW,
                              [LOOP] = DLT_LOOP};
    return dlt[l2];
}

static void tag(struct file *f, uint16_t type)
{
    file_u16(f, 42);
    file_u16(f, type);
}

static void link_header(struct file *f, enum l2 l2, uint16_t type)
{
    f->big = true;
    switch (l2) {
    case ETHER:
    case VLAN:
    case QINQ:
        file_u32(f, 0x02000000);
        file_u64(f, 0x0000000202000000);
        file_u16(f, l2 == ETHER ? type : l2 == VLAN ? 0x8100 : 0x88a8);
        if (l2 == QINQ)
            tag(f, 0x8100);
        if (l2 != ETHER)
            tag(f, type);
        break;
    case SLL:
    case SLL_VLAN:
        file_u64(f, 0x0000000100060200);
        file_u32(f, 0);
        file_u16(f, 0);
        file_u16(f, l2 == SLL ? type : 0x8100);
        if (l2 == SLL_VLAN)
            tag(f, type);
        break;
    case SLL2:
    case SLL2_VLAN:
        file_u16(f, l2 == SLL2 ? type : 0x8100);
        file_u16(f, 0);
        file_u64(f, 0x0000000100010006);
        file_u64(f, 0);
        if (l2 == SLL2_VLAN)
            tag(f, type);
        break;
    case LOOP:
        file_u32(f, type == 0x0800 ? 2 : 24);
        break;
    default:
        break;
    }
}

struct packet {
    const char *name;
    uint16_t type;     /* EtherType */
    uint8_t proto;     /* IPv4 protocol, IPv6 next header */
    uint16_t fragment; /* IPv4 flags and offset */
    uint8_t options;   /* IPv4: 32-bit words of options */
    uint16_t from, to; /* ports; ICMP: type in the high byte of `from` */
    bool passes;
};

static const struct packet packets[] = {
    {"query over UDP", 0x0800, 17, 0, 0, 40000, 53, true},
    {"response over UDP", 0x0800, 17, 0x4000, 0, 53, 40000, true},
    {"with IP options", 0x0800, 17, 0, 10, 40000, 53, true},
    {"query over TCP", 0x0800, 6, 0, 0, 40000, 53, true},
    {"response over TCP", 0x0800, 6, 0, 3, 53, 40000, true},
    {"a configured port", 0x0800, 17, 0, 0, 5353, 40000, true},
    {"a port behind the end of the list", 0x0800, 17, 0, 0, 9999, 40000, false},
    {"DoT", 0x0800, 6, 0, 0, 40000, 853, true},
    {"HTTPS", 0x0800, 6, 0, 0, 40000, 443, false},
    {"HTTPS with options", 0x0800, 6, 0, 5, 443, 40000, false},
    {"NTP", 0x0800, 17, 0, 0, 123, 123, false},
    {"first fragment", 0x0800, 17, 0x2000, 0, 40000, 443, true},
    {"middle fragment", 0x0800, 17, 0x20b9, 0, 0, 0, true},
    {"last fragment", 0x0800, 17, 0x00b9, 0, 0, 0, true},
    {"ICMP", 0x0800, 1, 0, 0, 0x0301, 0, true},
    {"GRE, ERSPAN", 0x0800, 47, 0, 0, 0, 0, true},
    {"IP in IP", 0x0800, 4, 0, 0, 0, 0, true},
    {"IPv6 in IP", 0x0800, 41, 0, 0, 0, 0, true},
    {"VXLAN", 0x0800, 17, 0, 0, 55555, 4789, true},
    {"GENEVE", 0x0800, 17, 0, 0, 55555, 6081, true},
    {"OSPF", 0x0800, 89, 0, 0, 0, 0, false},
    {"IGMP", 0x0800, 2, 0, 0, 0, 0, false},
    {"query over UDP, IPv6", 0x86dd, 17, 0, 0, 40000, 53, true},
    {"response over TCP, IPv6", 0x86dd, 6, 0, 0, 53, 40000, true},
    {"HTTPS, IPv6", 0x86dd, 6, 0, 0, 443, 40000, false},
    {"QUIC, IPv6", 0x86dd, 17, 0, 0, 443, 40000, false},
    {"fragment, IPv6", 0x86dd, 44, 0, 0, 0, 0, true},
    {"hop-by-hop, IPv6", 0x86dd, 0, 0, 0, 0, 0, true},
    {"routing, IPv6", 0x86dd, 43, 0, 0, 0, 0, true},
    {"destination options, IPv6", 0x86dd, 60, 0, 0, 0, 0, true},
    {"GRE, IPv6", 0x86dd, 47, 0, 0, 0, 0, true},
    {"VXLAN, IPv6", 0x86dd, 17, 0, 0, 55555, 4789, true},
    {"packet too big, IPv6", 0x86dd, 58, 0, 0, 0x0200, 0, true},
    {"neighbour solicitation, IPv6", 0x86dd, 58, 0, 0, 0x8700, 0, false},
    {"no next header, IPv6", 0x86dd, 59, 0, 0, 0, 0, false},
    {"ARP", 0x0806, 0, 0, 0, 0, 0, false},
    {"LLDP", 0x88cc, 0, 0, 0, 0, 0, false},
    {"spanning tree", 0x0026, 0, 0, 0, 0, 0, false},
    {"MPLS", 0x8847, 0, 0, 0, 0, 0, true},
    {"PPPoE", 0x8864, 0, 0, 0, 0, 0, true},
    {"a third tag", 0x8100, 0, 0, 0, 0, 0, true},
};

static struct file build(const struct packet *p, enum l2 l2)
{
    struct file f = {0};
    link_header(&f, l2, p->type);
    if (p->type == 0x0800) {
        file_u16(&f, (uint16_t)(0x4500 + (p->options << 8)));
        file_u16(&f, 60);
        file_u16(&f, 1);
        file_u16(&f, p->fragment);
        file_u8(&f, 64);
        file_u8(&f, p->proto);
        file_u16(&f, 0);
        file_u64(&f, 0xc0000201c0000202);
        for (int i = 0; i < p->options; i++)
            file_u32(&f, 0x01010101);
    } else if (p->type == 0x86dd) {
        file_u32(&f, 0x60000000);
        file_u16(&f, 20);
        file_u8(&f, p->proto);
        file_u8(&f, 64);
        for (int i = 0; i < 4; i++)
            file_u64(&f, 0x20010db800000000);
    }
    file_u16(&f, p->from);
    file_u16(&f, p->to);
    for (int i = 0; i < 8; i++)
        file_u64(&f, 0);
    return f;
}

static void built_in(void **state)
{
    (void)state;
    for (enum l2 l2 = ETHER; l2 < L2_KINDS; l2++) {
        struct bpf_insn insns[FILTER_DNS_MAX];
        struct bpf_program program = {.bf_insns = insns};
        program.bf_len = (u_int)filter_dns(dlt_of(l2), ports, 4, insns);
        assert_in_range(program.bf_len, 20, FILTER_DNS_MAX);
        assert_true(bpf_validate(insns, (int)program.bf_len));
        for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
            const struct packet *p = &packets[i];
            bool bare = l2 == RAW || l2 == LOOP;
            if (bare && p->type != 0x0800 && p->type != 0x86dd)
                continue;
            if (p->type == 0x8100 && l2 != QINQ)
                continue;
            struct file f = build(p, l2);
            struct pcap_pkthdr h = {.caplen = (bpf_u_int32)f.size, .len = (bpf_u_int32)f.size};
            if ((pcap_offline_filter(&program, &h, f.bytes) != 0) != p->passes)
                fail_msg("%s on %d", p->name, (int)l2);
            file_fini(&f);
        }
    }
}

static void built_in_at_its_largest(void **state)
{
    (void)state;
    uint16_t many[16];
    for (uint16_t i = 0; i < 16; i++)
        many[i] = (uint16_t)(1000 + i);
    struct bpf_insn insns[FILTER_DNS_MAX];
    size_t n = filter_dns(DLT_EN10MB, many, 16, insns);
    assert_in_range(n, 20, FILTER_DNS_MAX);
    assert_true(bpf_validate(insns, (int)n));
    struct bpf_program program = {.bf_insns = insns, .bf_len = (u_int)n};
    for (uint16_t port = 999; port < 1018; port++) {
        struct packet p = {"", 0x0800, 17, 0, 0, 40000, port, false};
        struct file f = build(&p, QINQ);
        struct pcap_pkthdr h = {.caplen = (bpf_u_int32)f.size, .len = (bpf_u_int32)f.size};
        assert_int_equal(pcap_offline_filter(&program, &h, f.bytes) != 0,
                         port >= 1000 && port < 1016);
        file_fini(&f);
    }
    /* What it does not know it does not judge. */
    assert_int_equal(filter_dns(DLT_IEEE802_11, many, 16, insns), 1);
    assert_int_not_equal(insns[0].k, 0);
}

static void expressions(void **state)
{
    (void)state;
    char error[256] = "";
    assert_null(filter_new("port port", error, sizeof error));
    assert_true(strlen(error) > 0);
    struct filter *f = filter_new("udp port 53", error, sizeof error);
    assert_non_null(f);
    for (enum l2 l2 = ETHER; l2 < L2_KINDS; l2++) {
        static const uint16_t linktype[] = {
            [ETHER] = 1,  [VLAN] = 1,        [QINQ] = 1,  [SLL] = 113, [SLL_VLAN] = 113,
            [SLL2] = 276, [SLL2_VLAN] = 276, [RAW] = 101, [LOOP] = 108};
        struct file yes = build(&packets[0], l2), no = build(&packets[3], l2);
        bool tagged = l2 == VLAN || l2 == QINQ || l2 == SLL_VLAN || l2 == SLL2_VLAN;
        uint32_t n = (uint32_t)yes.size;
        assert_int_equal(filter_pass(f, linktype[l2], yes.bytes, n, n), !tagged);
        assert_false(filter_pass(f, linktype[l2], no.bytes, n, n));
        assert_true(filter_pass(f, 105, no.bytes, n, n)); /* not decoded: not judged */
        file_fini(&yes);
        file_fini(&no);
    }
    filter_free(f);
    /* Makes sense for Ethernet only: nothing else can match it. */
    f = filter_new("ether host 02:00:00:00:00:02", error, sizeof error);
    assert_non_null(f);
    struct file raw = build(&packets[0], RAW);
    assert_false(filter_pass(f, 101, raw.bytes, (uint32_t)raw.size, (uint32_t)raw.size));
    file_fini(&raw);
    filter_free(f);
    filter_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in),
        cmocka_unit_test(built_in_at_its_largest),
        cmocka_unit_test(expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
