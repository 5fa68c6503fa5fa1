// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* Neighbour discovery is answered here and goes no further (RFC 4861). */
#ifndef CN2_ND_H
#define CN2_ND_H

#include "count.h"
#include "packet.h"
#include "route.h"
#include "rpf.h"

enum {
	ND_ROUTER_SOLICIT = 133,
	ND_ROUTER_ADVERT = 134,
	ND_SOLICIT = 135,
	ND_ADVERT = 136,
	ND_REDIRECT = 137,
};

#define ND_ROUTER bpf_htonl(0x80000000)
#define ND_SOLICITED bpf_htonl(0x40000000)
#define ND_OVERRIDE bpf_htonl(0x20000000)

/* A solicitation from its IP header on; an answer has the option with the MAC as well. */
struct nd {
	__be32 version;
	__be16 payload;
	__u8 next;
	__u8 hops;
	union addr src;
	union addr dst;
	__u8 type;
	__u8 code;
	__be16 check;
	__be32 flags;
	union addr target;
	__u8 option;
	__u8 option_size;
	__u8 mac[ETH_ALEN];
};

#define ND_SOLICIT_SIZE 64
#define ND_ADVERT_PAYLOAD 32

static __always_inline __u16 nd_check(struct nd *nd)
{
	__u32 sum = bpf_htonl(ND_ADVERT_PAYLOAD);

	sum = bpf_csum_diff(NULL, 0, nd->src.w, 32, sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&nd->type, ND_ADVERT_PAYLOAD, sum);
	return fold((sum & 0xffff) + (sum >> 16) + bpf_htons(IPPROTO_ICMPV6));
}

/* Turn the solicitation into its answer, in place. */
static __always_inline void nd_turn(struct nd *nd, int is_router)
{
	const __u8 proxy[] = PROXY_MAC;

	nd->version = bpf_htonl(0x60000000);
	nd->payload = bpf_htons(ND_ADVERT_PAYLOAD);
	nd->dst = nd->src;
	nd->flags = ND_OVERRIDE | (is_router ? ND_ROUTER : 0);
	if (is_unspecified(&nd->src)) { /* a probe for duplicates: all nodes hear the answer */
		nd->dst.w[0] = bpf_htonl(0xff020000);
		nd->dst.w[3] = bpf_htonl(1);
	} else {
		nd->flags |= ND_SOLICITED;
	}
	nd->src = nd->target;
	nd->type = ND_ADVERT;
	nd->option = 2;
	nd->option_size = 1;
	copy_mac(nd->mac, proxy);
	nd->check = 0;
	nd->check = nd_check(nd);
}

static __always_inline int nd_answer(struct __sk_buff *skb, int is_router)
{
	const __u8 all_nodes_mac[] = {0x33, 0x33, 0, 0, 0, 1};
	const __u8 proxy[] = PROXY_MAC;
	struct ethhdr *eth;
	struct nd *nd;

	if (bpf_skb_change_tail(skb, L3_OFF + sizeof(*nd), 0))
		return drop(skb, VERDICT_DROP_HELPER);
	eth = head(skb, L3_OFF + sizeof(*nd));
	if (!eth)
		return drop(skb, VERDICT_DROP_HELPER);
	nd = (void *)(eth + 1);
	copy_mac(eth->h_dest, is_unspecified(&nd->src) ? all_nodes_mac : eth->h_source);
	copy_mac(eth->h_source, proxy);
	nd_turn(nd, is_router);
	count(skb, VERDICT_ANSWER_ND);
	return bpf_redirect(skb->ifindex, 0);
}

SLOW int nd_solicit_in(struct __sk_buff *skb, struct vif_val *port)
{
	struct ethhdr *eth = head(skb, L3_OFF + ND_SOLICIT_SIZE);
	struct nd *nd = (void *)(eth + 1);
	__u32 ifindex = skb->ifindex;
	struct nh_val *hop;

	if (!port || !eth || nd->hops != 255 || nd->code || is_mapped_ip4(&nd->target))
		return drop(skb, VERDICT_DROP_MALFORMED);
	if (same_ip6(&nd->target, &port->ip6) || is_own_link_local(port, &nd->target))
		return drop(skb, VERDICT_DROP_ND_OWN);
	/* The answer only goes back, so any link-local address may ask. */
	if (port->flags & VIF_RPF && !is_unspecified(&nd->src) && !is_link_local(&nd->src) &&
	    !owns_ip6(port, ifindex, &nd->src))
		return drop(skb, VERDICT_DROP_RPF);
	hop = next_hop(route6(port->vrf, &nd->target));
	if (!is_reachable(hop))
		return drop(skb, VERDICT_DROP_ND_UNKNOWN);
	if (hop->type == NH_LOCAL && hop->ifindex == ifindex)
		return drop(skb, VERDICT_DROP_ND_OWN);
	return nd_answer(skb, hop->type == NH_RECEIVE);
}

#endif
