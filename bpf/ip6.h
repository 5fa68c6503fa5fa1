// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* IPv6 from a pod. */
#ifndef CN2_IP6_H
#define CN2_IP6_H

#include "bridge.h"
#include "count.h"
#include "icmp.h"
#include "nd.h"
#include "packet.h"
#include "route.h"
#include "rpf.h"

#define EXTENSIONS 8
#define NEXT_AUTH 51
#define NEXT_MOBILITY 135

/* The upper layer: protocol, and offset of its header, 0 in a fragment that is not the first. */
struct upper {
	__u32 off;
	__u32 proto;
};

static __always_inline int is_extension(__u8 kind)
{
	return kind == IPPROTO_HOPOPTS || kind == IPPROTO_ROUTING || kind == IPPROTO_DSTOPTS ||
	       kind == IPPROTO_FRAGMENT || kind == NEXT_AUTH || kind == NEXT_MOBILITY;
}

/* Walk the extension headers, so that discovery cannot hide behind them (RFC 7113). */
SLOW int walk_extensions(struct __sk_buff *skb, struct upper *upper)
{
	__u8 ext[4];
	int i;

	if (!upper)
		return -1;
	for (i = 0; i < EXTENSIONS; i++) {
		__u8 kind = upper->proto;

		if (!is_extension(kind))
			return 0;
		if (bpf_skb_load_bytes(skb, upper->off, ext, sizeof(ext)))
			return -1;
		upper->proto = ext[0];
		if (kind == IPPROTO_FRAGMENT && (ext[2] || ext[3] & 0xf8)) {
			upper->off = 0;
			return 0;
		}
		if (kind == IPPROTO_FRAGMENT)
			upper->off += 8;
		else if (kind == NEXT_AUTH)
			upper->off += (ext[1] + 2) * 4;
		else
			upper->off += (ext[1] + 1) * 8;
	}
	return -1;
}

static __always_inline int find_upper(struct __sk_buff *skb, struct upper *upper, __u8 first)
{
	upper->off = L3_OFF + sizeof(struct ipv6hdr);
	upper->proto = first;
	return is_extension(first) ? walk_extensions(skb, upper) : 0;
}

/* Discovery never goes from pod to pod. Returns the action, or -1 for all other packets. */
static __always_inline int discovery(struct __sk_buff *skb, struct vif_val *port,
				     const struct upper *upper)
{
	__u8 type;

	if (upper->proto != IPPROTO_ICMPV6 || !upper->off)
		return -1;
	if (bpf_skb_load_bytes(skb, upper->off, &type, 1))
		return drop(skb, VERDICT_DROP_MALFORMED);
	if (type < ND_ROUTER_SOLICIT || type > ND_REDIRECT)
		return -1;
	if (type == ND_ROUTER_ADVERT)
		return drop(skb, VERDICT_DROP_ND_RA);
	if (type == ND_SOLICIT && port->flags & VIF_L3 && upper->off == L3_OFF + 40)
		return nd_solicit_in(skb, port);
	if (port->flags & VIF_L3)
		return drop(skb, VERDICT_DROP_ND_OTHER);
	return -1;
}

static __always_inline int deliver6(struct __sk_buff *skb, struct vif_val *port,
				    const struct nh_val *hop, const struct upper *upper)
{
	struct ethhdr *eth = head(skb, L3_OFF + sizeof(struct ipv6hdr));
	struct ipv6hdr *ip = (void *)(eth + 1);

	if (!eth)
		return drop(skb, VERDICT_DROP_MALFORMED);
	if (hop->vrf != port->vrf) {
		if (ip->hop_limit <= 1)
			return time_exceeded6(skb, port, upper->proto, upper->off);
		ip->hop_limit--;
	}
	copy_mac(eth->h_dest, hop->dmac);
	copy_mac(eth->h_source, hop->smac);
	count(skb, VERDICT_FORWARD_ROUTED);
	return to_peer(skb, hop->ifindex);
}

static __always_inline int route_packet6(struct __sk_buff *skb, struct vif_val *port,
					 const union addr *to, const struct upper *upper)
{
	__u32 id = route6(port->vrf, to);
	struct nh_val *hop;

	if (!id)
		return drop(skb, VERDICT_DROP_NO_ROUTE);
	hop = next_hop(id);
	if (!hop)
		return drop(skb, VERDICT_DROP_NO_NEXT_HOP);
	if (hop->type == NH_LOCAL)
		return deliver6(skb, port, hop, upper);
	if (hop->type == NH_RECEIVE)
		return receive6(skb, upper->proto, upper->off);
	if (hop->type == NH_DISCARD)
		return drop(skb, VERDICT_DROP_DISCARD_ROUTE);
	return drop(skb, VERDICT_DROP_NEXT_HOP_TYPE);
}

static __always_inline int ip6_in(struct __sk_buff *skb, struct vif_val *port)
{
	struct ethhdr *eth = head(skb, L3_OFF + sizeof(struct ipv6hdr));
	struct ipv6hdr *ip = (void *)(eth + 1);
	struct upper upper = {};
	union addr from, to;
	int is_group, action;

	if (!eth || ip->version != 6)
		return drop(skb, VERDICT_DROP_MALFORMED);
	copy_ip6(&from, &ip->saddr);
	copy_ip6(&to, &ip->daddr);
	is_group = is_group_mac(eth->h_dest);
	/* An IPv4 address in an IPv6 packet would find IPv4's host routes. */
	if (is_mapped_ip4(&from) || is_mapped_ip4(&to) || find_upper(skb, &upper, ip->nexthdr))
		return drop(skb, VERDICT_DROP_MALFORMED);
	action = discovery(skb, port, &upper);
	if (action >= 0)
		return action;
	if (port->flags & VIF_RPF && !(is_group && is_unspecified(&from)) &&
	    !owns_ip6(port, skb->ifindex, &from))
		return drop(skb, VERDICT_DROP_RPF);
	if (is_group)
		return group_frame(skb, port);
	return route_packet6(skb, port, &to, &upper);
}

/* In a network that is only bridged: whether the packet is a router advertisement, or hides one. */
SLOW int advertises_router(struct __sk_buff *skb)
{
	struct ethhdr *eth = head(skb, L3_OFF + sizeof(struct ipv6hdr));
	struct ipv6hdr *ip = (void *)(eth + 1);
	struct upper upper = {};
	__u8 type;

	if (!eth)
		return 0;
	if (find_upper(skb, &upper, ip->nexthdr))
		return 1;
	return upper.proto == IPPROTO_ICMPV6 && upper.off &&
	       !bpf_skb_load_bytes(skb, upper.off, &type, 1) && type == ND_ROUTER_ADVERT;
}

#endif
