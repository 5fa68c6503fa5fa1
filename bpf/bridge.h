// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* Frames by MAC within a bridge domain; broadcast and multicast to all its members. */
#ifndef CN2_BRIDGE_H
#define CN2_BRIDGE_H

#include "count.h"
#include "packet.h"
#include "route.h"

struct copies {
	struct __sk_buff *skb;
	__u32 bd;
	__u32 from;
};

/* One member: a copy goes out of the host side, as if the node had sent it. Returns 1 to stop. */
static long copy_to_member(__u32 index, struct copies *copies)
{
	struct flood_key key = {.bd = copies->bd, .chunk = index / FLOOD_MEMBERS};
	struct flood_val *chunk = bpf_map_lookup_elem(&flood, &key);
	__u32 slot = index % FLOOD_MEMBERS;
	struct nh_val *hop;

	if (!chunk || slot >= chunk->n)
		return 1;
	hop = next_hop(chunk->member[slot]);
	if (hop && hop->type == NH_LOCAL && hop->ifindex != copies->from)
		bpf_clone_redirect(copies->skb, hop->ifindex, 0);
	return 0;
}

SLOW int flood_frame(struct __sk_buff *skb, __u32 bd)
{
	struct copies copies = {.skb = skb, .bd = bd, .from = skb->ifindex};
	struct flood_key first = {.bd = bd};

	if (!bpf_map_lookup_elem(&flood, &first))
		return drop(skb, VERDICT_DROP_NO_BRIDGE);
	bpf_loop(FLOOD_MEMBERS * FLOOD_CHUNKS, copy_to_member, &copies, 0);
	count(skb, VERDICT_FORWARD_FLOODED);
	return TC_ACT_STOLEN;
}

static __always_inline int to_peer(struct __sk_buff *skb, __u32 ifindex)
{
	/* The frame was not for the host side's MAC, but it is for the pod's. Kernels before 6.18
	 * may not look again.
	 */
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
	return bpf_redirect_peer(ifindex, 0);
}

SLOW int bridge_frame(struct __sk_buff *skb, struct vif_val *port)
{
	struct fdb_key key = {};
	struct ethhdr *eth = head(skb, ETH_HLEN);
	struct fdb_val *entry;
	struct nh_val *hop;

	if (!port || !eth)
		return drop(skb, VERDICT_DROP_MALFORMED);
	if (is_group_mac(eth->h_dest))
		return flood_frame(skb, port->bd);
	key.bd = port->bd;
	copy_mac(key.mac, eth->h_dest);
	entry = bpf_map_lookup_elem(&fdb, &key);
	if (!entry)
		return drop(skb, VERDICT_DROP_FDB_MISS);
	hop = next_hop(entry->nh);
	if (!hop)
		return drop(skb, VERDICT_DROP_NO_NEXT_HOP);
	if (hop->type != NH_LOCAL)
		return drop(skb, VERDICT_DROP_NEXT_HOP_TYPE);
	count(skb, VERDICT_FORWARD_BRIDGED);
	return to_peer(skb, hop->ifindex);
}

/* Broadcast and multicast of a routed network: only where it is bridged too. */
static __always_inline int group_frame(struct __sk_buff *skb, struct vif_val *port)
{
	if (!(port->flags & VIF_L2))
		return drop(skb, VERDICT_DROP_MULTICAST);
	return flood_frame(skb, port->bd);
}

#endif
