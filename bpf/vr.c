// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* The vRouter of one node: what pods send, on the ingress of the host side of their veth.
 *
 * Read from the bottom up. Nothing is ever passed to the node's own stack.
 */
#include "arp.h"
#include "bridge.h"
#include "count.h"
#include "ip4.h"
#include "ip6.h"
#include "maps.h"
#include "packet.h"

/* IP by routes; in an l2_l3 network other frames by MAC; in an l3 network nothing else. */
static __always_inline int routed_in(struct __sk_buff *skb, struct vif_val *port,
				     __be16 protocol)
{
	if (!skb->vlan_present) {
		if (protocol == bpf_htons(ETH_P_IP))
			return ip4_in(skb, port);
		if (protocol == bpf_htons(ETH_P_IPV6))
			return ip6_in(skb, port);
		if (protocol == bpf_htons(ETH_P_ARP))
			return arp_in(skb, port);
	}
	if (port->flags & VIF_L2)
		return bridge_frame(skb, port);
	return drop(skb, skb->vlan_present ? VERDICT_DROP_VLAN : VERDICT_DROP_NOT_IP);
}

/* Everything by MAC. There is no reverse path here: what counts is where frames go. */
static __always_inline int bridged_in(struct __sk_buff *skb, struct vif_val *port,
				      __be16 protocol)
{
	if (protocol == bpf_htons(ETH_P_IPV6) && advertises_router(skb))
		return drop(skb, VERDICT_DROP_ND_RA);
	return bridge_frame(skb, port);
}

SEC("tc")
int pod_in(struct __sk_buff *skb)
{
	struct vif_key key = {.ifindex = skb->ifindex};
	struct vif_val *port = bpf_map_lookup_elem(&vif, &key);
	struct ethhdr *eth = head(skb, ETH_HLEN);

	if (!port)
		return drop(skb, VERDICT_DROP_NO_INTERFACE);
	if (!eth)
		return drop(skb, VERDICT_DROP_MALFORMED);
	if (port->flags & VIF_L3)
		return routed_in(skb, port, eth->h_proto);
	return bridged_in(skb, port, eth->h_proto);
}

char _license[] SEC("license") = "GPL";
