/*
 * packet: one frame on its way through the layers.
 *
 * Contained in: analyze, tests. Each layer is one row of LAYERS: its function takes its header off
 * the packet and names the layer that comes next; packet_peel runs them until a layer that is not a
 * header. Encapsulations (GRE, VXLAN, IP in IP …) are rows like any other, so the flow that results
 * is the innermost one. The rows live in link.c, ip.c and tunnel.c.
 */
#ifndef ANALYZE_DECODE_PACKET_H
#define ANALYZE_DECODE_PACKET_H

#include "analyze/decode/flow.h"
#include "sandbox/cursor.h"

/* More headers than any honest frame carries: ERSPAN over GRE over IPv6 with options over QinQ,
 * with a tagged frame inside, needs 14. */
#define PACKET_LAYERS_MAX 24

/* X(name, function) */
#define LAYERS(X)                                                                                  \
    X(ETHERNET, link_ethernet)                                                                     \
    X(SLL, link_sll)           /* Linux cooked v1 */                                               \
    X(SLL2, link_sll2)         /* Linux cooked v2 */                                               \
    X(LOOPBACK, link_loopback) /* BSD: an address family in either byte order */                   \
    X(RAW, link_raw)           /* IPv4 or IPv6, by the version nibble */                           \
    X(PPP, link_ppp)                                                                               \
    X(CHDLC, link_chdlc) /* Cisco HDLC */                                                          \
    X(LLC, link_llc)     /* 802.2, for SNAP */                                                     \
    X(VLAN, link_vlan)   /* 802.1Q, 802.1ad, and the older numbers for it */                       \
    X(PPPOE, link_pppoe)                                                                           \
    X(MPLS, link_mpls)                                                                             \
    X(IPV4, ip_v4)                                                                                 \
    X(IPV6, ip_v6)                                                                                 \
    X(IPV6_OPTION, ip_option)     /* hop-by-hop, routing, destination options, mobility … */     \
    X(IPV6_FRAGMENT, ip_fragment) /* the header; LAYER_FRAGMENT is what needs reassembly */        \
    X(AH, ip_ah)                                                                                   \
    X(UDP, ip_udp)                                                                                 \
    X(TCP, ip_tcp)                                                                                 \
    X(ICMP, ip_icmp)                                                                               \
    X(ICMPV6, ip_icmpv6)                                                                           \
    X(GRE, tunnel_gre)                                                                             \
    X(ERSPAN2, tunnel_erspan2)                                                                     \
    X(ERSPAN3, tunnel_erspan3)                                                                     \
    X(VXLAN, tunnel_vxlan)                                                                         \
    X(GENEVE, tunnel_geneve)

enum layer {
#define X(name, function) LAYER_##name,
    LAYERS(X)
#undef X
    /* what ends the loop */
    LAYER_DATAGRAM,   /* UDP payload; flow is complete */
    LAYER_SEGMENT,    /* TCP payload; flow and tcp are complete */
    LAYER_FRAGMENT,   /* part of an IP datagram; fragment is filled */
    LAYER_ICMP_ERROR, /* quotes somebody's packet */
    LAYER_OTHER,      /* IP that carries something else */
    LAYER_NOT_IP,     /* ARP, LLDP, … */
    LAYER_BROKEN      /* a header is cut, or contradicts itself; or too many layers */
};

struct packet {
    struct cursor c; /* bytes present, up to where the headers so far say that the payload ends */
    size_t wire;     /* bytes the rest had on the wire, >= cursor_left */
    uint32_t layers; /* taken off so far: bits by enum layer, PACKET_NESTED, PACKET_REASSEMBLED */
    const uint8_t *transport; /* the UDP or TCP header, once it is off */
    struct flow flow;
    struct {
        uint32_t id;
        uint32_t offset; /* bytes */
        uint8_t proto;   /* of the datagram; IPv6: only the first fragment's counts */
        bool more;
    } fragment;
    struct {
        uint32_t seq;
        uint8_t flags;
    } tcp;
};

#define PACKET_LAYER(name) (1u << LAYER_##name)
#define PACKET_NESTED      (1u << 31) /* IP within IP, whatever lies between */
#define PACKET_REASSEMBLED (1u << 30) /* from IP fragments */
#define PACKET_IP          (PACKET_LAYER(IPV4) | PACKET_LAYER(IPV6))
/* Carried inside what another network, or a mirror, put around it. */
#define PACKET_WRAPPED                                                                             \
    (PACKET_NESTED | PACKET_LAYER(PPPOE) | PACKET_LAYER(MPLS) | PACKET_LAYER(GRE) |                \
     PACKET_LAYER(ERSPAN2) | PACKET_LAYER(ERSPAN3) | PACKET_LAYER(VXLAN) | PACKET_LAYER(GENEVE))
_Static_assert(LAYER_DATAGRAM < 30, "a bit for every layer");

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* The layer that frames of a LINKTYPE_ value start with; LAYER_BROKEN if unknown. */
enum layer link_first(uint16_t linktype);
enum layer link_of_ethertype(uint16_t ethertype);
/* `family` 4 or 6: extension headers exist in IPv6 only. */
enum layer ip_of_proto(uint8_t family, uint8_t proto);
/* The encapsulation that a UDP datagram to this port carries; LAYER_OTHER if none. */
enum layer tunnel_of_port(uint16_t dport);

/* A packet of `size` bytes present of `wire`; flow cleared. */
void packet_init(struct packet *, const uint8_t *bytes, size_t size, size_t wire);
/* Runs the layers from `layer`; the one that ended it. */
enum layer packet_peel(struct packet *, enum layer);

#define X(name, function) enum layer function(struct packet *);
LAYERS(X)
#undef X

/* The next `n` bytes as a header, borrowed; NULL when they are not there. */
static inline const uint8_t *packet_take(struct packet *p, size_t n)
{
    const uint8_t *header = cursor_bytes(&p->c, n);
    if (header)
        p->wire -= n;
    return header;
}

/* The rest is `n` bytes long, says a header: what follows is padding, or was not captured. */
static inline void packet_limit(struct packet *p, size_t n)
{
    p->wire = n;
    if (cursor_left(&p->c) > n)
        p->c.size = p->c.at + n;
}

static inline uint16_t packet_be16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t packet_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#endif
