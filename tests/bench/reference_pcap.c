/*
 * reference_pcap: how fast libpcap alone reads a capture: the ceiling that `make bench` compares
 * with.
 *
 * Contained in: bench. Prints "frames bytes". Does nothing with a frame but count it.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    if (argc != 2) {
        fprintf(stderr, "usage: reference_pcap FILE\n");
        return 2;
    }
    pcap_t *pcap = pcap_open_offline(argv[1], error);
    if (!pcap) {
        fprintf(stderr, "reference_pcap: %s\n", error);
        return 2;
    }
    struct pcap_pkthdr *head;
    const u_char *bytes;
    uint64_t frames = 0, total = 0;
    int status;
    while ((status = pcap_next_ex(pcap, &head, &bytes)) == 1) {
        frames++;
        total += head->caplen;
    }
    if (status == PCAP_ERROR)
        fprintf(stderr, "reference_pcap: %s\n", pcap_geterr(pcap));
    printf("%" PRIu64 " %" PRIu64 "\n", frames, total);
    pcap_close(pcap);
    return status == PCAP_ERROR ? 2 : 0;
}
