// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* ICMP that the datapath sends itself: echo replies of gateways, and time exceeded. */
#ifndef CN2_ICMP_H
#define CN2_ICMP_H

#include "count.h"
#include "packet.h"

/* Spelled out: <linux/icmp.h> needs the C library's headers. */
enum {
	ICMP_ECHOREPLY = 0,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMPV6_TIME_EXCEED = 3,
	ICMPV6_ECHO_REQUEST = 128,
	ICMPV6_ECHO_REPLY = 129,
};

struct icmp_error {
	__u8 type;
	__u8 code;
	__be16 check;
	__be32 unused;
};

#define TYPE_CODE(type) bpf_htons((type) << 8)

/* Change an echo request at `off` into its reply; other types give -1. */
static __always_inline int echo_reply(struct __sk_buff *skb, __u32 off, __u8 request, __u8 reply)
{
	__u8 type;

	if (bpf_skb_load_bytes(skb, off, &type, 1) || type != request)
		return -1;
	if (bpf_l4_csum_replace(skb, off + 2, TYPE_CODE(request), TYPE_CODE(reply), 2))
		return -1;
	return bpf_skb_store_bytes(skb, off, &reply, 1, 0);
}

/* A ping to a gateway goes back with a TTL of 64. Fragments are turned round one by one. */
SLOW int receive4(struct __sk_buff *skb)
{
	struct iphdr ip;
	__be32 swapped[2];
	__be16 before, after;
	__u8 ttl = HOP_LIMIT;

	if (bpf_skb_load_bytes(skb, L3_OFF, &ip, sizeof(ip)) || ip.protocol != IPPROTO_ICMP)
		return drop(skb, VERDICT_DROP_RECEIVE);
	if (!(ip.frag_off & bpf_htons(0x1fff)) &&
	    echo_reply(skb, L3_OFF + ip.ihl * 4, ICMP_ECHO, ICMP_ECHOREPLY))
		return drop(skb, VERDICT_DROP_RECEIVE);
	before = bpf_htons(ip.ttl << 8 | IPPROTO_ICMP);
	after = bpf_htons(HOP_LIMIT << 8 | IPPROTO_ICMP);
	swapped[0] = ip.daddr;
	swapped[1] = ip.saddr;
	if (bpf_l3_csum_replace(skb, L3_OFF + 10, before, after, 2) ||
	    bpf_skb_store_bytes(skb, L3_OFF + 8, &ttl, 1, 0) ||
	    bpf_skb_store_bytes(skb, L3_OFF + 12, swapped, sizeof(swapped), 0) || answer_mac(skb))
		return drop(skb, VERDICT_DROP_HELPER);
	count(skb, VERDICT_ANSWER_ECHO);
	return bpf_redirect(skb->ifindex, 0);
}

/* The same for IPv6; `off` is where ICMPv6 begins, or 0 in a fragment that is not the first. */
SLOW int receive6(struct __sk_buff *skb, __u32 proto, __u32 off)
{
	union addr ip[2], swapped[2];
	__u8 hops = HOP_LIMIT;

	if (proto != IPPROTO_ICMPV6)
		return drop(skb, VERDICT_DROP_RECEIVE);
	if (off && echo_reply(skb, off, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY))
		return drop(skb, VERDICT_DROP_RECEIVE);
	if (bpf_skb_load_bytes(skb, L3_OFF + 8, ip, sizeof(ip)))
		return drop(skb, VERDICT_DROP_HELPER);
	swapped[0] = ip[1];
	swapped[1] = ip[0];
	if (bpf_skb_store_bytes(skb, L3_OFF + 7, &hops, 1, 0) ||
	    bpf_skb_store_bytes(skb, L3_OFF + 8, swapped, sizeof(swapped), 0) || answer_mac(skb))
		return drop(skb, VERDICT_DROP_HELPER);
	count(skb, VERDICT_ANSWER_ECHO);
	return bpf_redirect(skb->ifindex, 0);
}

/* The packet's IP header and the eight bytes after it, as RFC 792 wants. */
#define QUOTE4 (sizeof(struct iphdr) + 8)
#define QUOTE6 (sizeof(struct ipv6hdr) + 8)

struct exceeded4 {
	struct iphdr ip;
	struct icmp_error icmp;
	__u8 quote[QUOTE4];
};

/* No error is sent about an error, a later fragment, or for a gateway that is not known. */
static __always_inline int exceeded4_is_due(const struct exceeded4 *e)
{
	const struct iphdr *ip = (const struct iphdr *)e->quote;
	__u8 type = e->quote[sizeof(*ip)];

	if (!e->ip.saddr || ip->ihl != 5 || ip->frag_off & bpf_htons(0x1fff))
		return 0;
	return ip->protocol != IPPROTO_ICMP || type == ICMP_ECHO || type == ICMP_ECHOREPLY;
}

SLOW int time_exceeded4(struct __sk_buff *skb, __be32 gateway)
{
	struct exceeded4 error = {
		.ip = {.version = 4,
		       .ihl = 5,
		       .tot_len = bpf_htons(sizeof(error)),
		       .ttl = HOP_LIMIT,
		       .protocol = IPPROTO_ICMP,
		       .saddr = gateway},
		.icmp = {.type = ICMP_TIME_EXCEEDED},
	};
	struct iphdr *quoted = (struct iphdr *)error.quote;

	if (bpf_skb_load_bytes(skb, L3_OFF, error.quote, QUOTE4) || !exceeded4_is_due(&error))
		return drop(skb, VERDICT_DROP_TTL);
	error.ip.daddr = quoted->saddr;
	error.ip.check = fold(bpf_csum_diff(NULL, 0, (__be32 *)&error.ip, sizeof(error.ip), 0));
	error.icmp.check =
		fold(bpf_csum_diff(NULL, 0, (__be32 *)&error.icmp, 8 + QUOTE4, 0));
	if (bpf_skb_change_tail(skb, L3_OFF + sizeof(error), 0) ||
	    bpf_skb_store_bytes(skb, L3_OFF, &error, sizeof(error), 0) || answer_mac(skb))
		return drop(skb, VERDICT_DROP_HELPER);
	count(skb, VERDICT_ANSWER_TTL);
	return bpf_redirect(skb->ifindex, 0);
}

struct exceeded6 {
	__be32 version;
	__be16 payload;
	__u8 next;
	__u8 hops;
	union addr src;
	union addr dst;
	__u8 type;
	__u8 code;
	__be16 check;
	__be32 unused;
	__u8 quote[QUOTE6];
};

SLOW int time_exceeded6(struct __sk_buff *skb, struct vif_val *port, __u32 proto, __u32 off)
{
	struct exceeded6 error = {
		.version = bpf_htonl(0x60000000),
		.payload = bpf_htons(8 + QUOTE6),
		.next = IPPROTO_ICMPV6,
		.hops = HOP_LIMIT,
		.type = ICMPV6_TIME_EXCEED,
	};
	__u32 sum = bpf_htonl(8 + QUOTE6);
	__u8 type = 0;

	if (!port || is_unspecified(&port->gw6) || !off)
		return drop(skb, VERDICT_DROP_TTL);
	error.src = port->gw6;
	if (proto == IPPROTO_ICMPV6 && (bpf_skb_load_bytes(skb, off, &type, 1) || type < 128))
		return drop(skb, VERDICT_DROP_TTL);
	if (bpf_skb_load_bytes(skb, L3_OFF, error.quote, QUOTE6))
		return drop(skb, VERDICT_DROP_TTL);
	copy_ip6(&error.dst, error.quote + 8);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&error.src, 32, sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&error.type, 8 + QUOTE6, sum);
	error.check = fold((sum & 0xffff) + (sum >> 16) + bpf_htons(IPPROTO_ICMPV6));
	if (bpf_skb_change_tail(skb, L3_OFF + sizeof(error), 0) ||
	    bpf_skb_store_bytes(skb, L3_OFF, &error, sizeof(error), 0) || answer_mac(skb))
		return drop(skb, VERDICT_DROP_HELPER);
	count(skb, VERDICT_ANSWER_TTL);
	return bpf_redirect(skb->ifindex, 0);
}

#endif
