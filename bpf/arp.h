// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* ARP is answered here and goes no further (RFC 826, RFC 5227). */
#ifndef CN2_ARP_H
#define CN2_ARP_H

#include "count.h"
#include "packet.h"
#include "route.h"
#include "rpf.h"

#define ARP_ETHERNET 1
#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp_ip4 {
	struct ethhdr eth;
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_size;
	__u8 protocol_size;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be32 sender_ip;
	__u8 target_mac[ETH_ALEN];
	__be32 target_ip;
} __attribute__((packed));

static __always_inline int arp_answer(struct __sk_buff *skb, struct arp_ip4 *arp)
{
	const __u8 proxy[] = PROXY_MAC;
	__be32 asked = arp->target_ip;

	copy_mac(arp->eth.h_dest, arp->eth.h_source);
	copy_mac(arp->eth.h_source, proxy);
	arp->operation = bpf_htons(ARP_REPLY);
	copy_mac(arp->target_mac, arp->sender_mac);
	arp->target_ip = arp->sender_ip;
	copy_mac(arp->sender_mac, proxy);
	arp->sender_ip = asked;
	count(skb, VERDICT_ANSWER_ARP);
	return bpf_redirect(skb->ifindex, 0);
}

SLOW int arp_in(struct __sk_buff *skb, struct vif_val *port)
{
	struct arp_ip4 *arp = head(skb, sizeof(*arp));
	__u32 ifindex = skb->ifindex;
	struct nh_val *hop;
	__be32 asked;

	if (!port || !arp || arp->hardware != bpf_htons(ARP_ETHERNET) ||
	    arp->protocol != bpf_htons(ETH_P_IP) || arp->hardware_size != ETH_ALEN ||
	    arp->protocol_size != 4)
		return drop(skb, VERDICT_DROP_MALFORMED);
	if (arp->operation != bpf_htons(ARP_REQUEST))
		return drop(skb, VERDICT_DROP_ARP_OTHER);
	asked = arp->target_ip;
	if (asked == port->ip4 || asked == arp->sender_ip)
		return drop(skb, VERDICT_DROP_ARP_OWN);
	/* Sender 0 is a probe for duplicates. */
	if (port->flags & VIF_RPF && arp->sender_ip && !owns_ip4(port, ifindex, arp->sender_ip))
		return drop(skb, VERDICT_DROP_RPF);
	hop = next_hop(route4(port->vrf, asked));
	if (!is_reachable(hop))
		return drop(skb, VERDICT_DROP_ARP_UNKNOWN);
	if (hop->type == NH_LOCAL && hop->ifindex == ifindex)
		return drop(skb, VERDICT_DROP_ARP_OWN);
	return arp_answer(skb, arp);
}

#endif
