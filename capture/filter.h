/*
 * filter: which frames are passed on. Two kinds: the operator's BPF expression, taken as it is, and
 * the built-in one of live capture, which refuses only what certainly carries no DNS.
 *
 * Contained in: capture, tests. Everything is compiled before confinement (libpcap reads
 * /etc/services and /etc/protocols); afterwards programs only run.
 */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Instructions of the built-in filter at most; the kernel's limit is 4096, and every jump must stay
 * within 255. */
#define FILTER_DNS_MAX ((size_t)160)

struct filter; /* opaque */

/* Compiles a tcpdump expression for every link type that is decoded. NULL when it fits none of them
 * (a mistake in the expression); ret_error says why. Caller frees. */
struct filter *filter_new(const char *expression, char *ret_error, size_t room);
void filter_free(struct filter *);

/* Whether the frame is wanted. An expression that makes no sense for a link type that is decoded
 * (`ether host` on raw IP) matches none of its frames; frames of a link type that is not decoded
 * are not judged and pass. */
bool filter_pass(const struct filter *, uint16_t linktype, const uint8_t *bytes, uint32_t caplen,
                 uint32_t len);

/* The built-in filter for a live interface of that DLT_: `ports` (0 ends the list or `count` does)
 * and 853 of UDP and TCP, with any number of VLAN tags up to two in the frame; every fragment;
 * every IPv6 packet with extension headers; ICMP errors (they quote DNS); GRE (so ERSPAN), IP in
 * IP, VXLAN, GENEVE, MPLS, PPPoE and any EtherType not known to be something else. A DLT_ that it
 * does not know is not filtered. Returns the number of instructions. */
size_t filter_dns(int dlt, const uint16_t *ports, size_t count,
                  struct bpf_insn ret_program[FILTER_DNS_MAX]);

#endif
