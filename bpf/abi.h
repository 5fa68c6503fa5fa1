// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* What the datapath shares with user space, and nothing else.
 *
 * For every map, `struct <map>_key` and `struct <map>_val`. The rows in cn2/state have the same
 * names, offsets and sizes; a test compares them with the BTF of the object. Holes are spelled
 * out as `pad`. Addresses are as on the wire, ports and all other numbers in host order.
 * A change here changes LAYOUT_VERSION in cn2/state/settings.py.
 */
#ifndef CN2_ABI_H
#define CN2_ABI_H

#include <linux/types.h>

#include "verdict.h"

/* An address of either family; IPv4 as ::ffff:a.b.c.d where a key holds both. */
union addr {
	__u8 b[16];
	__be32 w[4];
};

enum vif_flag {
	VIF_L2 = 1,  /* frames by MAC, broadcast flooded */
	VIF_L3 = 2,  /* IP by routes, ARP and ND answered here */
	VIF_RPF = 4, /* the source must belong to the interface */
};

struct vif_key {
	__u32 ifindex;
};

struct vif_val {
	__u32 vrf;
	__u32 bd; /* 0: none */
	__u32 flags;
	__u32 tag;
	__u32 mirror;
	__be32 ip4; /* 0: none */
	__be32 gw4; /* source of ICMP errors */
	union addr ip6;
	union addr gw6;
	__u8 mac[6];
	__u8 pad[2];
};

struct aap_key {
	__u32 plen; /* 32 for the interface, then the prefix in its 16-byte form */
	__u32 ifindex;
	union addr ip;
};

struct aap_val {
	__u32 flags;
	__u8 mac[6];
	__u8 pad[2];
};

struct host_key {
	__u32 vrf;
	union addr ip;
};


struct host_val {
	__u32 nh;
	__u32 tag;
	__u32 flags;
};

struct fib4_key {
	__u32 plen; /* 32 for the VRF, then the prefix */
	__u32 vrf;
	__be32 ip;
};

struct fib4_val {
	__u32 nh;
	__u32 tag;
	__u32 flags;
};

struct fib6_key {
	__u32 plen;
	__u32 vrf;
	union addr ip;
};

struct fib6_val {
	__u32 nh;
	__u32 tag;
	__u32 flags;
};

enum nh_type {
	NH_DISCARD = 1,
	NH_LOCAL = 2,   /* a pod interface of this node */
	NH_RECEIVE = 3, /* the datapath itself: a gateway address */
	NH_TUNNEL = 4,
	NH_ECMP = 5,
};

struct nh_key {
	__u32 id;
};

struct nh_val {
	__u32 type;
	__u32 ifindex;
	__u32 vrf; /* of what is behind it; another one than the sender's costs a TTL */
	__u32 vni;
	union addr vtep;
	__u8 dmac[6];
	__u8 smac[6];
};

struct ecmp_key {
	__u32 id;
};

struct ecmp_val {
	__u32 n;
	__u32 slot[64];
};

struct vni_key {
	__u32 vni;
};

struct vni_val {
	__u32 vrf;
	__u32 bd;
	__u32 flags;
};

struct fdb_key {
	__u32 bd;
	__u8 mac[6];
	__u8 pad[2];
};

struct fdb_val {
	__u32 nh;
	__u32 flags;
};

#define FLOOD_MEMBERS 64
#define FLOOD_CHUNKS 16

struct flood_key {
	__u32 bd;
	__u32 chunk;
};

struct flood_val {
	__u32 n;
	__u32 member[FLOOD_MEMBERS]; /* next hops */
};

struct pol_key {
	__u32 src_tag;
	__u32 dst_tag;
	__u16 port;
	__u8 proto;
	__u8 pad;
};

struct pol_val {
	__u32 action;
	__u32 rule;
};

struct ct4_key {
	__u32 vrf; /* of arrival */
	__be32 src;
	__be32 dst;
	__u16 sport;
	__u16 dport;
	__u8 proto;
	__u8 pad[3];
};

struct ct4_val {
	__u32 reply_vrf;
	__u32 nh;
	__u32 flags;
	__u32 rule;
	__be32 nat_ip;
	__u16 nat_port;
	__u16 state;
	__u64 created;
	__u64 expires;
	__u64 packets;
	__u64 bytes;
};

struct ct6_key {
	__u32 vrf;
	union addr src;
	union addr dst;
	__u16 sport;
	__u16 dport;
	__u8 proto;
	__u8 pad[3];
};

struct ct6_val {
	__u32 reply_vrf;
	__u32 nh;
	__u32 flags;
	__u32 rule;
	union addr nat_ip;
	__u16 nat_port;
	__u16 state;
	__u32 pad;
	__u64 created;
	__u64 expires;
	__u64 packets;
	__u64 bytes;
};

struct svc_key {
	__u32 vrf;
	union addr ip;
	__u16 port;
	__u8 proto;
	__u8 pad;
};

struct svc_val {
	__u32 ecmp;
	__u32 flags;
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct if_cnt_key {
	__u32 ifindex;
	enum verdict verdict;
};

struct cfg_val {
	__u32 layout;
	__u32 event_rate; /* events per second, verdict and CPU */
	__u32 vxlan_ifindex;
	union addr vtep;
	__u8 router_mac[6];
	__u8 pad[2];
};

#define EVENT_HEAD 64

/* One sampled drop in the ring buffer. */
struct event {
	__u64 time; /* monotonic nanoseconds */
	__u32 ifindex;
	__u32 verdict;
	__u32 length;
	__u32 head_length;
	__u8 head[EVENT_HEAD];
};

#endif
