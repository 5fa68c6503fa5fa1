// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* The end of every packet: counters, and a sample of what was dropped. */
#ifndef CN2_COUNT_H
#define CN2_COUNT_H

#include <linux/pkt_cls.h>

#include "maps.h"
#include "packet.h"

static __always_inline void add(struct counter *counter, __u32 bytes)
{
	if (counter) {
		counter->packets++;
		counter->bytes += bytes;
	}
}

static __always_inline void count(struct __sk_buff *skb, enum verdict verdict)
{
	__u32 index = verdict;

	add(bpf_map_lookup_elem(&cnt, &index), skb->len);
}

/* Whether this CPU may send one more event of this verdict within the window (about a second). */
static __always_inline int may_sample(__u32 verdict)
{
	__u32 zero = 0;
	struct cfg_val *settings = bpf_map_lookup_elem(&cfg, &zero);
	struct ev_window *rate = bpf_map_lookup_elem(&ev_rate, &verdict);
	__u64 window = bpf_ktime_get_ns() >> 30;

	if (!settings || !rate)
		return 0;
	if (rate->window != window) {
		rate->window = window;
		rate->sent = 0;
	}
	return rate->sent++ < settings->event_rate;
}

static __always_inline void sample(struct __sk_buff *skb, __u32 verdict)
{
	struct event *event;
	__u32 length = skb->len;

	event = bpf_ringbuf_reserve(&ev, sizeof(*event), 0);
	if (!event)
		return;
	event->time = bpf_ktime_get_ns();
	event->ifindex = skb->ifindex;
	event->verdict = verdict;
	event->length = length;
	__builtin_memset(event->head, 0, EVENT_HEAD);
	if (length > EVENT_HEAD)
		length = EVENT_HEAD;
	asm volatile("" : "+r"(length)); /* keep the bound where the verifier sees it */
	event->head_length = 0;
	if (length >= 1 && length <= EVENT_HEAD && !bpf_skb_load_bytes(skb, 0, event->head, length))
		event->head_length = length;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

SLOW int drop(struct __sk_buff *skb, __u32 verdict)
{
	struct if_cnt_key key = {.ifindex = skb->ifindex, .verdict = verdict};
	struct counter *counter, fresh = {};

	count(skb, verdict);
	counter = bpf_map_lookup_elem(&if_cnt, &key);
	if (!counter) {
		bpf_map_update_elem(&if_cnt, &key, &fresh, BPF_NOEXIST);
		counter = bpf_map_lookup_elem(&if_cnt, &key);
	}
	add(counter, skb->len);
	if (may_sample(verdict))
		sample(skb, verdict);
	return TC_ACT_SHOT;
}

#endif
