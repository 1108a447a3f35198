// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// When connections open and close, and who opened them. Both capture ways need it.
#include "connection.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline void opened(const struct sock *sk, bool server) {
    __u64 key = (__u64)sk;
    struct connection c = {};
    struct connection *dialled = server ? NULL : bpf_map_lookup_elem(&connections, &key);
    if (dialled) { // connect() was seen: its process is known
        c.tgid = dialled->tgid;
        c.start_ns = dialled->start_ns;
        c.flags = dialled->flags & CONN_OWN;
    }
    c.id = new_id();
    c.opened_ns = bpf_ktime_get_ns();
    c.flags |= CONN_ESTABLISHED;
    c.last = 2;
    c.role = server ? SYLPH_ROLE_SERVER : SYLPH_ROLE_CLIENT;
    set_addresses(&c, sk);
    start_counting(&c, sk);
    insert(key, &c);
}

// connect() runs in the process; the handshake ends later, in whatever context the packet arrives.
static __always_inline void dialled(const struct sock *sk) {
    struct connection c = {};
    c.last = 2;
    c.role = SYLPH_ROLE_CLIENT;
    own_by_current(&c, bpf_get_current_pid_tgid() >> 32);
    insert((__u64)sk, &c);
}

static __always_inline void listens(const struct sock *sk) {
    struct port_key key = {BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
                           BPF_CORE_READ(sk, __sk_common.skc_num)};
    __u32 one = 1, *sockets = bpf_map_lookup_elem(&listening, &key);
    if (sockets)
        __sync_fetch_and_add(sockets, 1);
    else if (key.port)
        bpf_map_update_elem(&listening, &key, &one, BPF_ANY);
}

static __always_inline void listens_no_more(const struct sock *sk) {
    // A port that the kernel chose is already given back: skc_num is 0 then, inet_sport still tells it.
    struct port_key key = {BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
                           __builtin_bswap16(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport))};
    __u32 *sockets = bpf_map_lookup_elem(&listening, &key);
    if (sockets && __sync_fetch_and_add(sockets, -1) <= 1)
        bpf_map_delete_elem(&listening, &key);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(connection_state, const struct sock *sk, int from, int to) {
    if (sk->sk_protocol != IPPROTO_TCP)
        return 0;
    if (from == TCP_LISTEN)
        listens_no_more(sk);
    if (to == TCP_SYN_SENT) {
        dialled(sk);
    } else if (to == TCP_ESTABLISHED) {
        opened(sk, from == TCP_SYN_RECV);
    } else if (to == TCP_LISTEN) {
        listens(sk);
    } else if (to == TCP_FIN_WAIT1 || to == TCP_LAST_ACK || to == TCP_CLOSE) {
        __u64 key = (__u64)sk;
        struct connection *c = bpf_map_lookup_elem(&connections, &key);
        if (!c || !(c->flags & CONN_ESTABLISHED) || c->flags & CONN_SENT_FINAL)
            return 0;
        advance(c, SYLPH_SEND, BPF_CORE_READ((const struct tcp_sock *)sk, write_seq));
        c->flags |= CONN_SENT_FINAL;
        // These two happen in close() or shutdown(), so in the process that had the connection.
        if (to != TCP_CLOSE && !c->tgid)
            own_by_current(c, bpf_get_current_pid_tgid() >> 32);
    }
    return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(connection_gone, struct sock *sk) {
    __u64 key = (__u64)sk;
    struct connection *c = bpf_map_lookup_elem(&connections, &key);
    if (!c)
        return 0;
    bool told = c->flags & CONN_ESTABLISHED && !(c->flags & CONN_OWN);
    struct sylph_close e = {};
    if (told) {
        if (!(c->flags & CONN_SENT_FINAL))
            advance(c, SYLPH_SEND, BPF_CORE_READ((const struct tcp_sock *)sk, write_seq));
        advance(c, SYLPH_RECV, received_sequence(sk));
        fill_header(&e.conn, c, SYLPH_EV_CLOSE);
        e.conn.flags = c->flags & CONN_MIDSTREAM ? SYLPH_F_MIDSTREAM : 0;
        e.bytes_sent = c->position[SYLPH_SEND];
        e.bytes_received = c->position[SYLPH_RECV];
        e.exchanges = c->exchange;
        e.lost = c->lost;
    }
    // First: whoever has read that it closed must not find it among the open ones.
    bpf_map_delete_elem(&connections, &key);
    if (told)
        output_lifecycle(&e, sizeof(e));
    return 0;
}
