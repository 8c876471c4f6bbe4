/*
 * ip: IPv4, IPv6 and its extension headers, UDP, TCP and ICMP headers; see packet.h. Checksums are
 * not judged: with offload, a sender's own capture shows them wrong.
 *
 * Contained in: analyze, tests. Must never: look at a byte it has not taken, or trust a length
 * without packet_limit.
 */
#include "analyze/decode/packet.h"

#include <netinet/in.h>

enum layer ip_of_proto(uint8_t family, uint8_t proto)
{
    switch (proto) {
    case IPPROTO_UDP:
        return LAYER_UDP;
    case IPPROTO_TCP:
        return LAYER_TCP;
    case IPPROTO_ICMP:
        return family == 4 ? LAYER_ICMP : LAYER_OTHER;
    case IPPROTO_ICMPV6:
        return family == 6 ? LAYER_ICMPV6 : LAYER_OTHER;
    case IPPROTO_IPIP:
        return LAYER_IPV4;
    case IPPROTO_IPV6:
        return LAYER_IPV6;
    case IPPROTO_GRE:
        return LAYER_GRE;
    case IPPROTO_AH:
        return LAYER_AH;
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
    case IPPROTO_MH:
    case 139: /* HIP */
    case 140: /* shim6 */
        return family == 6 ? LAYER_IPV6_OPTION : LAYER_OTHER;
    case IPPROTO_FRAGMENT:
        return family == 6 ? LAYER_IPV6_FRAGMENT : LAYER_OTHER;
    case 137: /* MPLS in IP, RFC 4023 */
        return LAYER_MPLS;
    default:
        return LAYER_OTHER;
    }
}

/* RFC 791 3.1 */
enum layer ip_v4(struct packet *p)
{
    const uint8_t *h = packet_take(p, 20);
    if (!h || h[0] >> 4 != 4)
        return LAYER_BROKEN;
    size_t header = (h[0] & 15u) * 4u;
    if (header != 20 && (header < 20 || !packet_take(p, header - 20)))
        return LAYER_BROKEN;
    size_t total = packet_be16(h + 2);
    if (total != 0) { /* 0: a sender that leaves segmentation to its network card */
        if (total < header)
            return LAYER_BROKEN;
        packet_limit(p, total - header);
    }
    p->flow.family = 4;
    memset(p->flow.src, 0, sizeof(p->flow.src) + sizeof(p->flow.dst));
    memcpy(p->flow.src, h + 12, 4);
    memcpy(p->flow.dst, h + 16, 4);
    uint16_t place = packet_be16(h + 6);
    if (place & 0x3fff) { /* MF or an offset */
        p->fragment.id = packet_be16(h + 4);
        p->fragment.offset = (place & 0x1fffu) * 8u;
        p->fragment.more = (place & 0x2000) != 0;
        p->fragment.proto = h[9];
        return LAYER_FRAGMENT;
    }
    return ip_of_proto(4, h[9]);
}

/* RFC 8200 3 */
enum layer ip_v6(struct packet *p)
{
    const uint8_t *h = packet_take(p, 40);
    if (!h || h[0] >> 4 != 6)
        return LAYER_BROKEN;
    size_t payload = packet_be16(h + 4);
    if (payload != 0) /* 0: a jumbogram (RFC 2675), or segmentation offload */
        packet_limit(p, payload);
    p->flow.family = 6;
    memcpy(p->flow.src, h + 8, 16);
    memcpy(p->flow.dst, h + 24, 16);
    return ip_of_proto(6, h[6]);
}

/* RFC 6564: next header, length in 8-byte units beyond the first */
enum layer ip_option(struct packet *p)
{
    const uint8_t *h = packet_take(p, 8);
    if (!h || (h[1] != 0 && !packet_take(p, h[1] * 8u)))
        return LAYER_BROKEN;
    return ip_of_proto(6, h[0]);
}

/* RFC 8200 4.5 */
enum layer ip_fragment(struct packet *p)
{
    const uint8_t *h = packet_take(p, 8);
    if (!h)
        return LAYER_BROKEN;
    uint16_t place = packet_be16(h + 2);
    if ((place & 0xfff9) == 0) /* an atomic fragment is a whole datagram (RFC 6946) */
        return ip_of_proto(6, h[0]);
    p->fragment.id = packet_be32(h + 4);
    p->fragment.offset = place & 0xfff8u;
    p->fragment.more = (place & 1) != 0;
    p->fragment.proto = h[0];
    return LAYER_FRAGMENT;
}

/* RFC 4302 2: length in 4-byte units minus two */
enum layer ip_ah(struct packet *p)
{
    const uint8_t *h = packet_take(p, 8);
    size_t size = h ? (h[1] + 2u) * 4u : 0;
    if (size < 8 || (size > 8 && !packet_take(p, size - 8)))
        return LAYER_BROKEN;
    return ip_of_proto(p->flow.family, h[0]);
}

/* RFC 768; length 0 stands for the rest (RFC 2675 4) */
enum layer ip_udp(struct packet *p)
{
    const uint8_t *h = packet_take(p, 8);
    if (!h)
        return LAYER_BROKEN;
    p->transport = h;
    p->flow.proto = IPPROTO_UDP;
    p->flow.sport = packet_be16(h);
    p->flow.dport = packet_be16(h + 2);
    size_t length = packet_be16(h + 4);
    if (length != 0) {
        if (length < 8)
            return LAYER_BROKEN;
        packet_limit(p, length - 8);
    }
    return LAYER_DATAGRAM;
}

/* RFC 9293 3.1 */
enum layer ip_tcp(struct packet *p)
{
    const uint8_t *h = packet_take(p, 20);
    if (!h)
        return LAYER_BROKEN;
    size_t header = (h[12] >> 4) * 4u;
    if (header < 20 || header - 20 > p->wire)
        return LAYER_BROKEN;
    p->transport = h;
    p->flow.proto = IPPROTO_TCP;
    p->flow.sport = packet_be16(h);
    p->flow.dport = packet_be16(h + 2);
    p->tcp.seq = packet_be32(h + 4);
    p->tcp.flags = h[13];
    /* options beyond a short capture: the segment is known, its bytes are not */
    size_t options = header - 20, present = cursor_left(&p->c);
    if (options <= present) {
        packet_take(p, options);
    } else {
        packet_take(p, present);
        p->wire -= options - present;
    }
    return LAYER_SEGMENT;
}

/* RFC 792, RFC 1122 3.2.2: the types that quote a packet */
enum layer ip_icmp(struct packet *p)
{
    const uint8_t *h = packet_take(p, 8);
    if (!h)
        return LAYER_BROKEN;
    switch (h[0]) {
    case 3:  /* unreachable */
    case 4:  /* source quench */
    case 5:  /* redirect */
    case 11: /* time exceeded */
    case 12: /* parameter problem */
        return LAYER_ICMP_ERROR;
    default:
        return LAYER_OTHER;
    }
}

/* RFC 4443 2.1: errors are the types below 128 */
enum layer ip_icmpv6(struct packet *p)
{
    const uint8_t *h = packet_take(p, 4);
    if (!h)
        return LAYER_BROKEN;
    return h[0] < 128 ? LAYER_ICMP_ERROR : LAYER_OTHER;
}
