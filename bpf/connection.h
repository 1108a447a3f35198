// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The state of one TCP connection, keyed by the address of its `struct sock`. Descriptors come and go; the
// sock is the same for duplicates, for forked children and for io_uring, and `tcp_destroy_sock` tells when
// its address is free.
#pragma once

#include "maps.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __type(key, __u64);
    __type(value, struct connection);
} connections SEC(".maps");

// How many sockets listen on a port: there are several with SO_REUSEPORT, and with one per address.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct port_key);
    __type(value, __u32);
} listening SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, struct address);
    __type(value, __u8);
} local_addresses SEC(".maps");

static __always_inline __u64 process_start(void) {
    struct task_struct *task = (void *)bpf_get_current_task();
    return BPF_CORE_READ(task, group_leader, start_boottime);
}

// Unique without an atomic: two creations on one CPU are never within 64 ns of each other.
static __always_inline __u64 new_id(void) {
    return (bpf_ktime_get_ns() >> 6) << 12 | (bpf_get_smp_processor_id() & 0xfff);
}

static __always_inline void set_v6(struct connection *c, const __u8 *local, const __u8 *remote) {
    const __u32 *l = (const __u32 *)local, *r = (const __u32 *)remote;
    __u32 *to_l = (__u32 *)c->local.bytes, *to_r = (__u32 *)c->remote.bytes;
    if (!r[0] && !r[1] && r[2] == 0xffff0000) { // ::ffff:a.b.c.d
        c->family = 1;
        to_l[0] = l[3];
        to_r[0] = r[3];
        return;
    }
    c->family = 2;
    for (int i = 0; i < 4; i++) {
        to_l[i] = l[i];
        to_r[i] = r[i];
    }
}

static __always_inline void set_addresses(struct connection *c, const struct sock *sk) {
    __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
    c->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
    c->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
    c->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
    if (family == AF_INET) {
        c->family = 1;
        *(__u32 *)c->local.bytes = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
        *(__u32 *)c->remote.bytes = BPF_CORE_READ(sk, __sk_common.skc_daddr);
        return;
    }
    struct in6_addr local, remote;
    BPF_CORE_READ_INTO(&local, sk, __sk_common.skc_v6_rcv_saddr);
    BPF_CORE_READ_INTO(&remote, sk, __sk_common.skc_v6_daddr);
    set_v6(c, (const __u8 *)&local, (const __u8 *)&remote);
}

static __always_inline bool is_local(const struct address *a, __u8 family) {
    const __u32 *w = (const __u32 *)a->bytes;
    if (family == 1 && a->bytes[0] == 127)
        return true;
    if (family == 2 && !w[0] && !w[1] && !w[2] && w[3] == 0x01000000)
        return true;
    return bpf_map_lookup_elem(&local_addresses, a) != NULL;
}

static __always_inline void own_by_current(struct connection *c, __u32 tgid) {
    if (c->tgid == tgid)
        return;
    c->tgid = tgid;
    c->start_ns = process_start();
    if (tgid == settings.own_tgid)
        c->flags |= CONN_OWN;
}

// Sequence numbers are the truth about how many bytes went by, whoever moved them: a call nobody saw,
// io_uring, splice.
static __always_inline void advance(struct connection *c, int direction, __u32 sequence) {
    __u32 base = c->sequence[direction], step = sequence - base;
    if (c->seen[direction] - base <= step)
        c->seen[direction] = sequence;
    c->position[direction] += step;
    c->sequence[direction] = sequence;
}

// copied_seq without the FIN, which a read of the end steps over.
static __always_inline __u32 received_sequence(const struct sock *sk) {
    const struct tcp_sock *tp = (const void *)sk;
    __u32 copied = BPF_CORE_READ(tp, copied_seq);
    unsigned long flags = BPF_CORE_READ(sk, __sk_common.skc_flags);
    if (flags >> bpf_core_enum_value(enum sock_flags, SOCK_DONE) & 1 && copied == BPF_CORE_READ(tp, rcv_nxt))
        copied--;
    return copied;
}

static __always_inline void start_counting(struct connection *c, const struct sock *sk) {
    const struct tcp_sock *tp = (const void *)sk;
    c->sequence[SYLPH_SEND] = c->seen[SYLPH_SEND] = BPF_CORE_READ(tp, write_seq);
    c->sequence[SYLPH_RECV] = c->seen[SYLPH_RECV] = received_sequence(sk);
}

static __always_inline struct connection *insert(__u64 key, struct connection *c) {
    if (bpf_map_update_elem(&connections, &key, c, BPF_ANY)) {
        COUNT(connections_full, 1);
        return NULL;
    }
    return bpf_map_lookup_elem(&connections, &key);
}

// A connection that was open before the agent began, or that was not seen to open. `sent` and `received` are
// the sequence numbers to count from.
static __noinline __attribute__((unused)) struct connection *adopt(const struct sock *sk, __u32 sent,
                                                                   __u32 received) {
    struct connection c = {};
    c.id = new_id();
    c.opened_ns = bpf_ktime_get_ns();
    c.flags = CONN_MIDSTREAM | CONN_ESTABLISHED;
    c.last = 2;
    c.role = SYLPH_ROLE_UNKNOWN;
    set_addresses(&c, sk);
    c.sequence[SYLPH_SEND] = c.seen[SYLPH_SEND] = sent;
    c.sequence[SYLPH_RECV] = c.seen[SYLPH_RECV] = received;
    struct port_key key = {c.netns, c.local_port};
    if (bpf_map_lookup_elem(&listening, &key)) {
        c.role = SYLPH_ROLE_SERVER;
        c.flags |= CONN_ROLE_GUESSED;
    }
    return insert((__u64)sk, &c);
}

static __always_inline void fill_header(struct sylph_data *e, const struct connection *c, __u8 kind) {
    __u64 task = bpf_get_current_pid_tgid();
    e->kind = kind;
    e->role = c->role;
    e->protocol = c->protocol;
    e->family = c->family;
    e->tid = task;
    e->tgid = c->tgid;
    e->start_ns = c->start_ns;
    e->time_ns = bpf_ktime_get_ns();
    e->conn_id = c->id;
    e->exchange = c->exchange;
    e->local_port = c->local_port;
    e->remote_port = c->remote_port;
    e->netns = c->netns;
    __builtin_memcpy(e->local_addr, c->local.bytes, 16);
    __builtin_memcpy(e->remote_addr, c->remote.bytes, 16);
}
