/*
 * reference_ldns: how fast each UDP payload of a capture goes through ldns_wire2pkt: what merely
 * decoding every message the usual way costs; `make bench` compares with it.
 *
 * Contained in: bench. Prints "frames messages". No reassembly, no TCP, no pairing, no validation:
 * every simplification is in favour of the reference.
 */
#include <inttypes.h>
#include <ldns/ldns.h>
#include <pcap/pcap.h>
#include <stdio.h>

#define ETHERTYPE_IP4  0x0800
#define ETHERTYPE_IP6  0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define PROTO_UDP      17

struct span {
    const uint8_t *bytes;
    size_t size;
};

static struct span after(struct span s, size_t n)
{
    return n > s.size ? (struct span){NULL, 0} : (struct span){s.bytes + n, s.size - n};
}

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* The IP packet in a frame; size 0 when there is none. */
static struct span network(struct span frame, int linktype)
{
    size_t at = 0;
    switch (linktype) {
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return frame;
    case DLT_NULL:
    case DLT_LOOP:
        return after(frame, 4);
    case DLT_EN10MB:
        at = 12;
        break;
    case DLT_LINUX_SLL:
        at = 14;
        break;
    case DLT_LINUX_SLL2:
        return after(frame, 20);
    default:
        return (struct span){NULL, 0};
    }
    for (;;) {
        if (frame.size < at + 2)
            return (struct span){NULL, 0};
        unsigned type = u16(frame.bytes + at);
        if (type == ETHERTYPE_IP4 || type == ETHERTYPE_IP6)
            return after(frame, at + 2);
        if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ)
            return (struct span){NULL, 0};
        at += 4;
    }
}

/* The payload of an unfragmented UDP datagram; size 0 when it is none. */
static struct span payload(struct span ip)
{
    struct span none = {NULL, 0};
    if (ip.size < 20)
        return none;
    if (ip.bytes[0] >> 4 == 4) {
        if (ip.bytes[9] != PROTO_UDP || (u16(ip.bytes + 6) & 0x3fffu) != 0)
            return none;
        ip = after(ip, (size_t)(ip.bytes[0] & 15u) * 4);
    } else {
        if (ip.size < 40 || ip.bytes[6] != PROTO_UDP)
            return none;
        ip = after(ip, 40);
    }
    if (ip.size < 8 || (u16(ip.bytes) != 53 && u16(ip.bytes + 2) != 53))
        return none;
    return after(ip, 8);
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    if (argc != 2) {
        fprintf(stderr, "usage: reference_ldns FILE\n");
        return 2;
    }
    pcap_t *pcap = pcap_open_offline(argv[1], error);
    if (!pcap) {
        fprintf(stderr, "reference_ldns: %s\n", error);
        return 2;
    }
    int linktype = pcap_datalink(pcap);
    struct pcap_pkthdr *head;
    const u_char *bytes;
    uint64_t frames = 0, messages = 0;
    int status;
    while ((status = pcap_next_ex(pcap, &head, &bytes)) == 1) {
        frames++;
        struct span dns = payload(network((struct span){bytes, head->caplen}, linktype));
        ldns_pkt *packet = NULL;
        if (dns.size >= 12 && ldns_wire2pkt(&packet, dns.bytes, dns.size) == LDNS_STATUS_OK)
            messages++;
        ldns_pkt_free(packet);
    }
    if (status == PCAP_ERROR)
        fprintf(stderr, "reference_ldns: %s\n", pcap_geterr(pcap));
    printf("%" PRIu64 " %" PRIu64 "\n", frames, messages);
    pcap_close(pcap);
    return status == PCAP_ERROR ? 2 : 0;
}
