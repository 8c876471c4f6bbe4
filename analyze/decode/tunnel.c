/*
 * tunnel: packets inside packets, as mirror ports and data centres send them; see packet.h.
 *
 * Contained in: analyze, tests. Must never: look at a byte it has not taken.
 */
#include "analyze/decode/packet.h"

#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING  0x4000
#define GRE_KEY      0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_ACK      0x0080 /* version 1 only */

enum layer tunnel_of_port(uint16_t dport)
{
    switch (dport) {
    case 4789: /* RFC 7348 */
    case 8472: /* Linux before the number was assigned */
        return LAYER_VXLAN;
    case 6081: /* RFC 8926 */
        return LAYER_GENEVE;
    default:
        return LAYER_OTHER;
    }
}

/* RFC 2784, RFC 2890; version 1 is PPTP's (RFC 2637 4.1) */
enum layer tunnel_gre(struct packet *p)
{
    const uint8_t *h = packet_take(p, 4);
    if (!h)
        return LAYER_BROKEN;
    uint16_t flags = packet_be16(h), type = packet_be16(h + 2);
    unsigned version = flags & 7;
    if (version > 1 || (flags & GRE_ROUTING))
        return LAYER_OTHER;
    size_t more = 0;
    if (flags & GRE_CHECKSUM)
        more += 4;
    if (flags & GRE_KEY)
        more += 4;
    if (flags & GRE_SEQUENCE)
        more += 4;
    if (version == 1 && (flags & GRE_ACK))
        more += 4;
    if (more > 0 && !packet_take(p, more))
        return LAYER_BROKEN;
    if (type == 0x88be) /* type I has neither sequence number nor header */
        return flags & GRE_SEQUENCE ? LAYER_ERSPAN2 : LAYER_ETHERNET;
    if (type == 0x22eb)
        return LAYER_ERSPAN3;
    if (version == 1 && p->wire == 0)
        return LAYER_OTHER; /* a mere acknowledgement */
    enum layer inner = link_of_ethertype(type);
    return inner == LAYER_NOT_IP || inner == LAYER_LLC ? LAYER_OTHER : inner;
}

/* draft-foschiano-erspan-03 4.2 */
enum layer tunnel_erspan2(struct packet *p)
{
    return packet_take(p, 8) ? LAYER_ETHERNET : LAYER_BROKEN;
}

/* draft-foschiano-erspan-03 4.3 */
enum layer tunnel_erspan3(struct packet *p)
{
    const uint8_t *h = packet_take(p, 12);
    if (!h || ((h[11] & 1) && !packet_take(p, 8)))
        return LAYER_BROKEN;
    unsigned frame_type = h[10] >> 2 & 31u;
    return frame_type == 2 ? LAYER_RAW : frame_type == 0 ? LAYER_ETHERNET : LAYER_OTHER;
}

enum layer tunnel_vxlan(struct packet *p)
{
    const uint8_t *h = packet_take(p, 8);
    return h && (h[0] & 0x08) ? LAYER_ETHERNET : LAYER_OTHER;
}

enum layer tunnel_geneve(struct packet *p)
{
    const uint8_t *h = packet_take(p, 8);
    if (!h || h[0] >> 6 != 0)
        return LAYER_OTHER;
    size_t options = (h[0] & 0x3fu) * 4u;
    if (options > 0 && !packet_take(p, options))
        return LAYER_BROKEN;
    enum layer inner = link_of_ethertype(packet_be16(h + 2));
    return inner == LAYER_LLC || inner == LAYER_NOT_IP ? LAYER_OTHER : inner;
}
