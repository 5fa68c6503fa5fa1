// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* Routes: the exact ones first, then the longest prefix. The trie is several times slower. */
#ifndef CN2_ROUTE_H
#define CN2_ROUTE_H

#include "maps.h"
#include "packet.h"

static __always_inline struct nh_val *next_hop(__u32 id)
{
	struct nh_key key = {.id = id};

	return bpf_map_lookup_elem(&nh, &key);
}

/* The next hop's id, or 0 when there is no route. */
static __always_inline __u32 route4(__u32 vrf, __be32 ip)
{
	struct host_key exact = {.vrf = vrf};
	struct fib4_key longest = {.plen = 64, .vrf = vrf, .ip = ip};
	struct host_val *found;
	struct fib4_val *prefix;

	map_ip4(&exact.ip, ip);
	found = bpf_map_lookup_elem(&host, &exact);
	if (found)
		return found->nh;
	prefix = bpf_map_lookup_elem(&fib4, &longest);
	return prefix ? prefix->nh : 0;
}

static __always_inline __u32 route6(__u32 vrf, const union addr *ip)
{
	struct host_key exact = {.vrf = vrf, .ip = *ip};
	struct fib6_key longest = {.plen = 160, .vrf = vrf, .ip = *ip};
	struct host_val *found;
	struct fib6_val *prefix;

	found = bpf_map_lookup_elem(&host, &exact);
	if (found)
		return found->nh;
	prefix = bpf_map_lookup_elem(&fib6, &longest);
	return prefix ? prefix->nh : 0;
}

/* Whether ARP and ND are answered for an address with this next hop. */
static __always_inline int is_reachable(const struct nh_val *hop)
{
	return hop && hop->type != NH_DISCARD;
}

#endif
