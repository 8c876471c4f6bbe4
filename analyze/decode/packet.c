/*
 * packet: the loop over the layers; see packet.h.
 *
 * Contained in: analyze, tests. Must never: run without a bound, whatever the frame claims.
 */
#include "analyze/decode/packet.h"

typedef enum layer peel(struct packet *);

static peel *const peels[] = {
#define X(name, function) function,
    LAYERS(X)
#undef X
};

void packet_init(struct packet *p, const uint8_t *bytes, size_t size, size_t wire)
{
    p->c = cursor_over(bytes, size);
    p->wire = wire > size ? wire : size;
    p->layers = 0;
    p->transport = NULL;
    memset(&p->flow, 0, sizeof(p->flow));
}

enum layer packet_peel(struct packet *p, enum layer layer)
{
    for (unsigned depth = 0; layer < LAYER_DATAGRAM; depth++) {
        if (depth == PACKET_LAYERS_MAX)
            return LAYER_BROKEN;
        uint32_t bit = 1u << layer;
        if ((bit & PACKET_IP) && (p->layers & PACKET_IP))
            bit |= PACKET_NESTED;
        p->layers |= bit;
        layer = peels[layer](p);
    }
    return layer;
}
