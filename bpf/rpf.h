// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* Reverse-path check: does a source belong to the interface that it came from? */
#ifndef CN2_RPF_H
#define CN2_RPF_H

#include "maps.h"
#include "packet.h"

static __always_inline int is_allowed(__u32 ifindex, const union addr *ip)
{
	struct aap_key key = {.plen = 160, .ifindex = ifindex, .ip = *ip};

	return bpf_map_lookup_elem(&aap, &key) != NULL;
}

static __always_inline int owns_ip4(struct vif_val *port, __u32 ifindex, __be32 ip)
{
	union addr mapped;

	if (ip == port->ip4 && ip)
		return 1;
	map_ip4(&mapped, ip);
	return is_allowed(ifindex, &mapped);
}

/* The link-local address that a kernel makes of the interface's MAC (RFC 4291, appendix A). */
static __always_inline int is_own_link_local(struct vif_val *port, const union addr *ip)
{
	const __u8 *mac = port->mac;

	return ip->w[0] == bpf_htonl(0xfe800000) && !ip->w[1] && ip->b[8] == (mac[0] ^ 2) &&
	       ip->b[9] == mac[1] && ip->b[10] == mac[2] && ip->b[11] == 0xff &&
	       ip->b[12] == 0xfe && ip->b[13] == mac[3] && ip->b[14] == mac[4] &&
	       ip->b[15] == mac[5];
}

static __always_inline int owns_ip6(struct vif_val *port, __u32 ifindex, const union addr *ip)
{
	if (same_ip6(ip, &port->ip6) && !is_unspecified(ip))
		return 1;
	if (is_own_link_local(port, ip))
		return 1;
	return is_allowed(ifindex, ip);
}

#endif
