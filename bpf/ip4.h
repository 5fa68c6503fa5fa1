// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* IPv4 from a pod. */
#ifndef CN2_IP4_H
#define CN2_IP4_H

#include "bridge.h"
#include "count.h"
#include "icmp.h"
#include "packet.h"
#include "route.h"
#include "rpf.h"

/* One hop less; the checksum follows (RFC 1624). */
static __always_inline void count_hop4(struct iphdr *ip)
{
	__u32 sum = ip->check + bpf_htons(0x0100);

	ip->check = sum + (sum >= 0xffff);
	ip->ttl--;
}

static __always_inline int deliver4(struct __sk_buff *skb, struct vif_val *port,
				    struct ethhdr *eth, const struct nh_val *hop)
{
	struct iphdr *ip = (void *)(eth + 1);

	if (hop->vrf != port->vrf) { /* into another network: that is a router's hop */
		if (ip->ttl <= 1)
			return time_exceeded4(skb, port->gw4);
		count_hop4(ip);
	}
	copy_mac(eth->h_dest, hop->dmac);
	copy_mac(eth->h_source, hop->smac);
	count(skb, VERDICT_FORWARD_ROUTED);
	return to_peer(skb, hop->ifindex);
}

static __always_inline int ip4_in(struct __sk_buff *skb, struct vif_val *port)
{
	struct ethhdr *eth = head(skb, L3_OFF + sizeof(struct iphdr));
	struct iphdr *ip = (void *)(eth + 1);
	struct nh_val *hop;
	int is_group;
	__u32 id;

	if (!eth || ip->version != 4 || ip->ihl < 5)
		return drop(skb, VERDICT_DROP_MALFORMED);
	is_group = is_group_mac(eth->h_dest);
	/* Who has no address yet may ask all (DHCP). */
	if (port->flags & VIF_RPF && !(is_group && !ip->saddr) &&
	    !owns_ip4(port, skb->ifindex, ip->saddr))
		return drop(skb, VERDICT_DROP_RPF);
	if (is_group)
		return group_frame(skb, port);
	id = route4(port->vrf, ip->daddr);
	if (!id)
		return drop(skb, VERDICT_DROP_NO_ROUTE);
	hop = next_hop(id);
	if (!hop)
		return drop(skb, VERDICT_DROP_NO_NEXT_HOP);
	if (hop->type == NH_LOCAL)
		return deliver4(skb, port, eth, hop);
	if (hop->type == NH_RECEIVE)
		return receive4(skb);
	if (hop->type == NH_DISCARD)
		return drop(skb, VERDICT_DROP_DISCARD_ROUTE);
	return drop(skb, VERDICT_DROP_NEXT_HOP_TYPE);
}

#endif
