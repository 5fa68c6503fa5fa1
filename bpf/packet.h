// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* Headers in the packet, and the addresses of link layer and IP. */
#ifndef CN2_PACKET_H
#define CN2_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* A global function: the verifier looks at it once, for any arguments, however many roads lead
 * there, and its stack is its own. All that is not on the fast path is one.
 */
#define SLOW __attribute__((noinline))

#define L3_OFF ETH_HLEN
#define HOP_LIMIT 64

/* Stands for every address in a routed network. */
#define PROXY_MAC {0x00, 0x00, 0x5e, 0x00, 0x01, 0x00}

/* The first `size` bytes of the frame, or NULL when it is shorter.
 *
 * Pulls only when they are not linear: pulling more than a TCP packet's headers copies its head.
 * Pointers into the packet die at every helper that may change it.
 */
static __always_inline void *head(struct __sk_buff *skb, __u32 size)
{
	if ((void *)(long)skb->data + size > (void *)(long)skb->data_end)
		bpf_skb_pull_data(skb, size);
	if ((void *)(long)skb->data + size > (void *)(long)skb->data_end)
		return NULL;
	return (void *)(long)skb->data;
}

static __always_inline int is_group_mac(const __u8 *mac)
{
	return mac[0] & 1;
}

static __always_inline void copy_mac(__u8 *to, const __u8 *from)
{
	__builtin_memcpy(to, from, ETH_ALEN);
}

/* Turn the frame round: to the MAC it came from, from the proxy MAC. */
static __always_inline int answer_mac(struct __sk_buff *skb)
{
	struct ethhdr eth = {.h_source = PROXY_MAC};
	__u8 from[ETH_ALEN];

	if (bpf_skb_load_bytes(skb, ETH_ALEN, from, ETH_ALEN))
		return -1;
	copy_mac(eth.h_dest, from);
	return bpf_skb_store_bytes(skb, 0, &eth, 2 * ETH_ALEN, 0);
}

static __always_inline void map_ip4(union addr *to, __be32 ip)
{
	to->w[0] = 0;
	to->w[1] = 0;
	to->w[2] = bpf_htonl(0xffff);
	to->w[3] = ip;
}

static __always_inline void copy_ip6(union addr *to, const void *from)
{
	__builtin_memcpy(to, from, sizeof(*to));
}

static __always_inline int same_ip6(const union addr *a, const union addr *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2] &&
	       a->w[3] == b->w[3];
}

static __always_inline int is_unspecified(const union addr *ip)
{
	return !(ip->w[0] | ip->w[1] | ip->w[2] | ip->w[3]);
}

static __always_inline int is_link_local(const union addr *ip)
{
	return (ip->w[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

static __always_inline int is_mapped_ip4(const union addr *ip)
{
	return !ip->w[0] && !ip->w[1] && ip->w[2] == bpf_htonl(0xffff);
}

/* Fold a 32-bit sum into the Internet checksum (RFC 1071). */
static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

#endif
