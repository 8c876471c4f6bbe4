/*
 * link: link layers; see packet.h. Numbers: www.tcpdump.org/linktypes.html, IEEE 802 numbers.
 *
 * Contained in: analyze, tests. Must never: look at a byte it has not taken.
 */
#include "analyze/decode/packet.h"

static const struct {
    uint16_t linktype;
    uint8_t layer;
} firsts[] = {
    {1, LAYER_ETHERNET}, {113, LAYER_SLL},      {276, LAYER_SLL2}, {101, LAYER_RAW},
    {12, LAYER_RAW},     {14, LAYER_RAW},       {228, LAYER_RAW},  {229, LAYER_RAW},
    {0, LAYER_LOOPBACK}, {108, LAYER_LOOPBACK}, {9, LAYER_PPP},    {50, LAYER_PPP},
    {51, LAYER_PPPOE},   {104, LAYER_CHDLC},
};

enum layer link_first(uint16_t linktype)
{
    for (size_t i = 0; i < sizeof(firsts) / sizeof(*firsts); i++)
        if (firsts[i].linktype == linktype)
            return firsts[i].layer;
    return LAYER_BROKEN;
}

enum layer link_of_ethertype(uint16_t ethertype)
{
    switch (ethertype) {
    case 0x0800:
        return LAYER_IPV4;
    case 0x86dd:
        return LAYER_IPV6;
    case 0x8100: /* 802.1Q */
    case 0x88a8: /* 802.1ad */
    case 0x9100: /* before 802.1ad */
    case 0x9200:
        return LAYER_VLAN;
    case 0x8847:
    case 0x8848:
        return LAYER_MPLS;
    case 0x8864:
        return LAYER_PPPOE;
    case 0x880b:
        return LAYER_PPP;
    case 0x6558: /* transparent Ethernet bridging */
        return LAYER_ETHERNET;
    default:
        return ethertype <= 1500 ? LAYER_LLC : LAYER_NOT_IP;
    }
}

enum layer link_ethernet(struct packet *p)
{
    const uint8_t *h = packet_take(p, 14);
    if (!h)
        return LAYER_BROKEN;
    p->flow.vlans = 0; /* an inner frame has its own tags */
    memset(p->flow.vlan, 0, sizeof(p->flow.vlan));
    return link_of_ethertype(packet_be16(h + 12));
}

enum layer link_sll(struct packet *p)
{
    const uint8_t *h = packet_take(p, 16);
    return h ? link_of_ethertype(packet_be16(h + 14)) : LAYER_BROKEN;
}

enum layer link_sll2(struct packet *p)
{
    const uint8_t *h = packet_take(p, 20);
    return h ? link_of_ethertype(packet_be16(h)) : LAYER_BROKEN;
}

enum layer link_loopback(struct packet *p)
{
    const uint8_t *h = packet_take(p, 4);
    if (!h)
        return LAYER_BROKEN;
    uint32_t family = packet_be32(h);
    if (family > UINT16_MAX)
        family = __builtin_bswap32(family);
    switch (family) {
    case 2:
        return LAYER_IPV4;
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        return LAYER_IPV6;
    default:
        return LAYER_NOT_IP;
    }
}

enum layer link_raw(struct packet *p)
{
    if (cursor_left(&p->c) == 0)
        return LAYER_BROKEN;
    uint8_t version = p->c.base[p->c.at] >> 4;
    return version == 4 ? LAYER_IPV4 : version == 6 ? LAYER_IPV6 : LAYER_NOT_IP;
}

/* RFC 1661 2, RFC 1662 3.1: address and control may be left out, and the protocol be one byte. */
enum layer link_ppp(struct packet *p)
{
    const uint8_t *h = packet_take(p, 1);
    if (h && h[0] == 0xff) {
        h = packet_take(p, 1); /* control: 03 */
        h = h ? packet_take(p, 1) : NULL;
    }
    if (!h)
        return LAYER_BROKEN;
    uint16_t protocol = h[0];
    if ((protocol & 1) == 0) {
        const uint8_t *low = packet_take(p, 1);
        if (!low)
            return LAYER_BROKEN;
        protocol = (uint16_t)(protocol << 8 | low[0]);
    }
    switch (protocol) {
    case 0x0021:
        return LAYER_IPV4;
    case 0x0057:
        return LAYER_IPV6;
    case 0x0281:
    case 0x0283:
        return LAYER_MPLS;
    default:
        return LAYER_NOT_IP;
    }
}

enum layer link_chdlc(struct packet *p)
{
    const uint8_t *h = packet_take(p, 4);
    return h ? link_of_ethertype(packet_be16(h + 2)) : LAYER_BROKEN;
}

enum layer link_llc(struct packet *p)
{
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    const uint8_t *h = packet_take(p, 8);
    if (!h || memcmp(h, snap, sizeof(snap)) != 0)
        return LAYER_NOT_IP; /* spanning tree and the like, often short */
    uint16_t ethertype = packet_be16(h + 6);
    return ethertype > 1500 ? link_of_ethertype(ethertype) : LAYER_NOT_IP;
}

enum layer link_vlan(struct packet *p)
{
    const uint8_t *h = packet_take(p, 4);
    if (!h)
        return LAYER_BROKEN;
    if (p->flow.vlans < FLOW_VLANS_MAX)
        p->flow.vlan[p->flow.vlans++] = packet_be16(h) & 0x0fff;
    return link_of_ethertype(packet_be16(h + 2));
}

/* RFC 2516 4 */
enum layer link_pppoe(struct packet *p)
{
    const uint8_t *h = packet_take(p, 6);
    if (!h || h[0] != 0x11)
        return LAYER_BROKEN;
    if (h[1] != 0) /* discovery */
        return LAYER_NOT_IP;
    packet_limit(p, packet_be16(h + 4));
    return LAYER_PPP;
}

/* RFC 3032 2.1; what follows the stack is guessed from its first nibble (RFC 4928, RFC 4385). */
enum layer link_mpls(struct packet *p)
{
    const uint8_t *h;
    do {
        h = packet_take(p, 4);
        if (!h)
            return LAYER_BROKEN;
    } while ((h[2] & 1) == 0);
    if (cursor_left(&p->c) == 0)
        return LAYER_BROKEN;
    switch (p->c.base[p->c.at] >> 4) {
    case 4:
        return LAYER_IPV4;
    case 6:
        return LAYER_IPV6;
    case 0: /* a pseudowire's control word */
        packet_take(p, 4);
        return LAYER_ETHERNET;
    default:
        return LAYER_ETHERNET;
    }
}
