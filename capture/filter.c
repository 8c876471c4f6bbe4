/*
 * filter: expressions through libpcap, and the built-in filter as BPF instructions.
 *
 * Contained in: capture, tests. Must never: compile after confinement.
 *
 * Why the built-in filter is not an expression: `port 53` misses fragments after the first, and
 * `vlan` shifts everything that follows it in the expression and, in the kernel, looks at tags that
 * the card has already taken out. Here offsets are computed once, for frames with none, one or two
 * tags that are still in the bytes, which is right in both cases: a tag that was taken out leaves
 * the frame as if it never had one.
 */
#include "capture/filter.h"

#include "sandbox/ring.h"

#include <stdio.h>
#include <stdlib.h>

/* LINKTYPE_ values of files that are decoded, with libpcap's DLT_ for each. */
static const struct {
    uint16_t linktype;
    int dlt;
} decoded[] = {
    {0, DLT_NULL},        {1, DLT_EN10MB},      {9, DLT_PPP},    {12, DLT_RAW},
    {14, DLT_RAW},        {50, DLT_PPP_SERIAL}, {101, DLT_RAW},  {108, DLT_LOOP},
    {113, DLT_LINUX_SLL}, {228, DLT_IPV4},      {229, DLT_IPV6}, {276, DLT_LINUX_SLL2},
};
#define DECODED (sizeof decoded / sizeof *decoded)

struct filter {
    struct bpf_program programs[DECODED]; /* bf_insns NULL: makes no sense for that link type */
};

/* ---- expressions ------------------------------------------------------------------------------
 */

struct filter *filter_new(const char *expression, char *ret_error, size_t room)
{
    struct filter *f = calloc(1, sizeof *f);
    size_t good = 0;
    if (!f) {
        snprintf(ret_error, room, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < DECODED; i++) {
        pcap_t *p = pcap_open_dead(decoded[i].dlt, (int)RING_FRAME_MAX);
        if (p && pcap_compile(p, &f->programs[i], expression, 1, PCAP_NETMASK_UNKNOWN) == 0)
            good++;
        else if (decoded[i].dlt == DLT_EN10MB || !good) /* Ethernet's complaint is the clearest */
            snprintf(ret_error, room, "%s", p ? pcap_geterr(p) : "out of memory");
        if (p)
            pcap_close(p);
    }
    if (!good) {
        filter_free(f);
        return NULL;
    }
    return f;
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < DECODED; i++)
        pcap_freecode(&f->programs[i]);
    free(f);
}

bool filter_pass(const struct filter *f, uint16_t linktype, const uint8_t *bytes, uint32_t caplen,
                 uint32_t len)
{
    for (size_t i = 0; i < DECODED; i++) {
        const struct bpf_program *p = &f->programs[i];
        if (decoded[i].linktype == linktype)
            return p->bf_insns && bpf_filter(p->bf_insns, bytes, len, caplen) != 0;
    }
    return true;
}

/* ---- the built-in filter ----------------------------------------------------------------------
 */

#define ETHER_IP4        0x0800
#define ETHER_ARP        0x0806
#define ETHER_RARP       0x8035
#define ETHER_VLAN       0x8100
#define ETHER_IP6        0x86dd
#define ETHER_QINQ       0x88a8
#define ETHER_QINQ_OLD   0x9100
#define ETHER_PAUSE      0x8808
#define ETHER_LACP       0x8809
#define ETHER_EAPOL      0x888e
#define ETHER_LLDP       0x88cc
#define ETHER_PTP        0x88f7
#define ETHER_TYPE_LEAST 0x0600 /* below it is a length, then LLC: spanning tree, CDP */

#define PROTO_ICMP    1
#define PROTO_IPIP    4
#define PROTO_TCP     6
#define PROTO_UDP     17
#define PROTO_6IN4    41
#define PROTO_GRE     47
#define PROTO_AH      51
#define PROTO_ICMP6   58
#define PROTO_NONE6   59
#define PROTO_ETHERIP 97
#define PROTO_MPLS    137

#define PORT_DOT         853 /* DoT, DoQ: recorded, not decrypted */
#define PORT_VXLAN       4789
#define PORT_VXLAN_LINUX 8472
#define PORT_GENEVE      6081

/* Places in the program that are jumped to before they are known. */
enum label {
    NEXT,
    ACCEPT,
    REFUSE,
    ETHERTYPE,
    TAGGED,
    TWICE,
    IP4,
    IP6,
    IP4_PORTS,
    IP6_PORTS,
    PORTS,
    LABELS
};

/* Two passes over the same emitting code: the first finds the labels, the second uses them. */
struct program {
    struct bpf_insn *insns;
    size_t count;
    size_t at[LABELS];
};

static void emit(struct program *p, int code, uint32_t k, enum label yes, enum label no)
{
    size_t next = p->count + 1;
    size_t jt = yes == NEXT ? next : p->at[yes], jf = no == NEXT ? next : p->at[no];
    if (p->count < FILTER_DNS_MAX)
        p->insns[p->count] = (struct bpf_insn){
            .code = (u_short)code, .jt = (u_char)(jt - next), .jf = (u_char)(jf - next), .k = k};
    p->count = next;
}

static void here(struct program *p, enum label l)
{
    p->at[l] = p->count;
}

static void load(struct program *p, int size_and_mode, uint32_t k)
{
    emit(p, BPF_LD | size_and_mode, k, NEXT, NEXT);
}

static void when(struct program *p, uint32_t k, enum label l)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, k, l, NEXT);
}

static void go(struct program *p, enum label l)
{
    emit(p, BPF_JMP | BPF_JA, (uint32_t)(p->at[l] - p->count - 1), NEXT, NEXT);
}

static void set_x(struct program *p, uint32_t k)
{
    emit(p, BPF_LDX | BPF_W | BPF_IMM, k, NEXT, NEXT);
}

/* A = EtherType, X = bytes of VLAN tags. */
static void emit_ethertype(struct program *p)
{
    static const uint16_t no_dns[] = {ETHER_ARP,   ETHER_RARP, ETHER_PAUSE, ETHER_LACP,
                                      ETHER_EAPOL, ETHER_LLDP, ETHER_PTP};
    here(p, ETHERTYPE);
    when(p, ETHER_IP4, IP4);
    when(p, ETHER_IP6, IP6);
    for (size_t i = 0; i < sizeof no_dns / sizeof *no_dns; i++)
        when(p, no_dns[i], REFUSE);
    emit(p, BPF_JMP | BPF_JGE | BPF_K, ETHER_TYPE_LEAST, ACCEPT,
         REFUSE); /* MPLS, PPPoE, QinQinQ … */
}

static void when_tag(struct program *p, enum label l)
{
    when(p, ETHER_VLAN, l);
    when(p, ETHER_QINQ, l);
    when(p, ETHER_QINQ_OLD, l);
}

/* Link types with an EtherType at `type`; the network header follows at `base`, or 4 further on for
 * each tag, whose own EtherType is its last two bytes. */
static void emit_typed_link(struct program *p, uint32_t type, uint32_t base)
{
    set_x(p, 0);
    load(p, BPF_H | BPF_ABS, type);
    when_tag(p, TAGGED);
    go(p, ETHERTYPE);
    here(p, TAGGED);
    set_x(p, 4);
    load(p, BPF_H | BPF_ABS, base + 2);
    when_tag(p, TWICE);
    go(p, ETHERTYPE);
    here(p, TWICE);
    set_x(p, 8);
    load(p, BPF_H | BPF_ABS, base + 6);
    emit_ethertype(p);
}

/* Link types where the version of IP decides. */
static void emit_bare_link(struct program *p, uint32_t base)
{
    set_x(p, 0);
    load(p, BPF_B | BPF_ABS, base);
    emit(p, BPF_ALU | BPF_AND | BPF_K, 0xf0, NEXT, NEXT);
    when(p, 0x40, IP4);
    when(p, 0x60, IP6);
    go(p, REFUSE);
}

/* X = bytes between `base` and the IP header, all offsets are from both. */
static void emit_ip(struct program *p, uint32_t base)
{
    static const uint8_t carriers[] = {PROTO_ICMP, PROTO_IPIP,    PROTO_6IN4, PROTO_GRE,
                                       PROTO_AH,   PROTO_ETHERIP, PROTO_MPLS};
    here(p, IP4);
    load(p, BPF_H | BPF_IND, base + 6);
    emit(p, BPF_JMP | BPF_JSET | BPF_K, 0x3fff, ACCEPT, NEXT); /* a fragment, first or later */
    load(p, BPF_B | BPF_IND, base + 9);
    when(p, PROTO_UDP, IP4_PORTS);
    when(p, PROTO_TCP, IP4_PORTS);
    for (size_t i = 0; i < sizeof carriers; i++)
        when(p, carriers[i], ACCEPT);
    go(p, REFUSE);

    here(p, IP6);
    load(p, BPF_B | BPF_IND, base + 6);
    when(p, PROTO_UDP, IP6_PORTS);
    when(p, PROTO_TCP, IP6_PORTS);
    when(p, PROTO_NONE6, REFUSE);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, PROTO_ICMP6, NEXT, ACCEPT); /* else: extension, tunnel */
    load(p, BPF_B | BPF_IND, base + 40);
    emit(p, BPF_JMP | BPF_JGE | BPF_K, 128, REFUSE, ACCEPT); /* errors are below 128 */

    here(p, IP6_PORTS); /* X += 40 */
    emit(p, BPF_MISC | BPF_TXA, 0, NEXT, NEXT);
    emit(p, BPF_ALU | BPF_ADD | BPF_K, 40, NEXT, NEXT);
    emit(p, BPF_MISC | BPF_TAX, 0, NEXT, NEXT);
    go(p, PORTS);
    here(p, IP4_PORTS); /* X += length of the header */
    load(p, BPF_B | BPF_IND, base);
    emit(p, BPF_ALU | BPF_AND | BPF_K, 0x0f, NEXT, NEXT);
    emit(p, BPF_ALU | BPF_LSH | BPF_K, 2, NEXT, NEXT);
    emit(p, BPF_ALU | BPF_ADD | BPF_X, 0, NEXT, NEXT);
    emit(p, BPF_MISC | BPF_TAX, 0, NEXT, NEXT);
    here(p, PORTS);
}

static void emit_ports(struct program *p, uint32_t base, const uint16_t *ports, size_t count)
{
    static const uint16_t always[] = {PORT_DOT, PORT_VXLAN, PORT_VXLAN_LINUX, PORT_GENEVE};
    for (uint32_t end = 0; end < 4; end += 2) { /* source, destination */
        load(p, BPF_H | BPF_IND, base + end);
        for (size_t i = 0; i < count && ports[i]; i++)
            when(p, ports[i], ACCEPT);
        for (size_t i = 0; i < sizeof always / sizeof *always; i++)
            when(p, always[i], ACCEPT);
    }
    here(p, REFUSE);
    emit(p, BPF_RET | BPF_K, 0, NEXT, NEXT);
    here(p, ACCEPT);
    emit(p, BPF_RET | BPF_K, (uint32_t)RING_FRAME_MAX, NEXT, NEXT);
}

static void emit_all(struct program *p, int dlt, const uint16_t *ports, size_t count)
{
    uint32_t base;
    switch (dlt) {
    case DLT_EN10MB:
        base = 14;
        emit_typed_link(p, 12, base);
        break;
    case DLT_LINUX_SLL:
        base = 16;
        emit_typed_link(p, 14, base);
        break;
    case DLT_LINUX_SLL2:
        base = 20;
        emit_typed_link(p, 0, base);
        break;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        base = 0;
        emit_bare_link(p, base);
        break;
    case DLT_NULL:
    case DLT_LOOP:
        base = 4;
        emit_bare_link(p, base);
        break;
    default:
        emit(p, BPF_RET | BPF_K, (uint32_t)RING_FRAME_MAX, NEXT, NEXT);
        return;
    }
    emit_ip(p, base);
    emit_ports(p, base, ports, count);
}

size_t filter_dns(int dlt, const uint16_t *ports, size_t count,
                  struct bpf_insn ret_program[FILTER_DNS_MAX])
{
    struct program p = {.insns = ret_program};
    emit_all(&p, dlt, ports, count);
    p.count = 0;
    emit_all(&p, dlt, ports, count);
    return p.count;
}
