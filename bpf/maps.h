// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* The maps. All are pinned by user space under a path with the layout's version.
 *
 * Hashes are not preallocated: an empty table costs its buckets only, and an update swaps the
 * whole value at once. The flow tables are plain hashes with explicit expiry: an LRU would drop
 * live translations without a word.
 */
#ifndef CN2_MAPS_H
#define CN2_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi.h"

#define TABLE(name, kind, size)                        \
	struct {                                       \
		__uint(type, kind);                    \
		__uint(max_entries, size);             \
		__uint(map_flags, BPF_F_NO_PREALLOC);  \
		__type(key, struct name##_key);        \
		__type(value, struct name##_val);      \
	} name SEC(".maps")

TABLE(vif, BPF_MAP_TYPE_HASH, 65536);
TABLE(aap, BPF_MAP_TYPE_LPM_TRIE, 65536);
TABLE(host, BPF_MAP_TYPE_HASH, 262144);
TABLE(fib4, BPF_MAP_TYPE_LPM_TRIE, 1048576);
TABLE(fib6, BPF_MAP_TYPE_LPM_TRIE, 1048576);
TABLE(nh, BPF_MAP_TYPE_HASH, 131072);
TABLE(ecmp, BPF_MAP_TYPE_HASH, 16384);
TABLE(vni, BPF_MAP_TYPE_HASH, 16384);
TABLE(fdb, BPF_MAP_TYPE_HASH, 131072);
TABLE(flood, BPF_MAP_TYPE_HASH, 16384);
TABLE(pol, BPF_MAP_TYPE_HASH, 131072);
TABLE(ct4, BPF_MAP_TYPE_HASH, 262144);
TABLE(ct6, BPF_MAP_TYPE_HASH, 262144);
TABLE(svc, BPF_MAP_TYPE_HASH, 65536);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cfg_val);
} cfg SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VERDICT_COUNT);
	__type(key, __u32);
	__type(value, struct counter);
} cnt SEC(".maps");

/* Drops only: what passes is counted by the device itself. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct if_cnt_key);
	__type(value, struct counter);
} if_cnt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} ev SEC(".maps");

/* How many events of a verdict this CPU has sent in the window that is running. */
struct ev_window {
	__u64 window;
	__u64 sent;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VERDICT_COUNT);
	__type(key, __u32);
	__type(value, struct ev_window);
} ev_rate SEC(".maps");

#endif
