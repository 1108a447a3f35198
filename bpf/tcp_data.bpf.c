// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The `tcp` way: bytes where TCP takes them from and hands them to whoever asked, so that system calls, io_uring,
// sendfile and splice look the same.
#include "capture.h"

char LICENSE[] SEC("license") = "GPL";

#define MAX_SEGMENTS 16

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym;

// Where pages are in the kernel's address space; found out at start, see kernel/pages.rs.
__u64 page_structs, page_memory;

static __always_inline __u64 page_address(const struct page *page) {
    __u64 frame = ((__u64)page - page_structs) / bpf_core_type_size(struct page);
    return page_memory + (frame << 12);
}

// Copies up to `want` bytes of the message, `skip` bytes in. Returns how many.
static __always_inline __u32 copy_message(const struct msghdr *msg, __u32 skip, __u32 want, __u8 *to, bool *fault) {
    __u8 type = msg->msg_iter.iter_type;
    __u64 offset = msg->msg_iter.iov_offset + skip;
    char *base; // as a plain number: the verifier allows no arithmetic on its own pointers
    bpf_core_read(&base, sizeof(base), &msg->msg_iter.ubuf);
    if (type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
        if (want > SYLPH_MAX_EVENT)
            want = SYLPH_MAX_EVENT;
        if (bpf_probe_read_user(to, bounded(want), base + offset)) {
            *fault = true;
            return 0;
        }
        return want;
    }
    bool pages = type == bpf_core_enum_value(enum iter_type, ITER_BVEC);
    bool user = type == bpf_core_enum_value(enum iter_type, ITER_IOVEC);
    if (!user && !pages && type != bpf_core_enum_value(enum iter_type, ITER_KVEC))
        return 0;
    if (pages && !page_memory)
        return 0;
    const struct iovec *segments = (const void *)base; // iovec, kvec and bio_vec are 16 bytes each
    __u64 count = msg->msg_iter.nr_segs;
    __u32 got = 0;
    for (__u32 i = 0; i < MAX_SEGMENTS; i++) {
        if (i >= count || got >= want)
            break;
        struct iovec segment;
        if (bpf_probe_read_kernel(&segment, sizeof(segment), segments + i)) {
            *fault = true;
            break;
        }
        if (pages) {
            __u64 packed = segment.iov_len;
            segment.iov_base = (void *)(page_address(segment.iov_base) + (packed >> 32));
            segment.iov_len = (__u32)packed;
        }
        if (offset >= segment.iov_len) {
            offset -= segment.iov_len;
            continue;
        }
        __u64 n = segment.iov_len - offset;
        if (n > want - got)
            n = want - got;
        void *from = segment.iov_base + offset;
        offset = 0;
        long failed = user ? bpf_probe_read_user(to + bounded(got), bounded(n), from)
                           : bpf_probe_read_kernel(to + bounded(got), bounded(n), from);
        if (failed) {
            *fault = true;
            break;
        }
        got += n;
    }
    return got;
}

SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(tcp_send, struct sock *sk, struct msghdr *msg, struct sk_buff *skb, int goal) {
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    if (!tp)
        return 0;
    __u64 key = (__u64)sk;
    __u32 sequence = tp->write_seq;
    struct connection *c = bpf_map_lookup_elem(&connections, &key);
    if (!c) {
        c = adopt(sk, sequence, tp->copied_seq);
        if (!c)
            return 0;
    }
    advance(c, SYLPH_SEND, sequence);
    // It fires once per turn of the kernel's loop, and again when a partial write is resumed: only news counts.
    __u32 known = c->seen[SYLPH_SEND] - sequence;
    __u64 left = msg->msg_iter.count;
    if (left <= known)
        return 0;
    left -= known;
    __u32 length = left > 0x40000000 ? 0x40000000 : left;
    sequence += known;
    c->seen[SYLPH_SEND] = sequence + length;
    own_by_current(c, bpf_get_current_pid_tgid() >> 32);
    struct wish w = turn(c, SYLPH_SEND, length);
    if (!w.bytes || c->flags & CONN_OWN)
        return 0;
    struct scratch *s = scratch_of(SYLPH_SEND);
    if (!s)
        return 0;
    __u32 held = held_back(c), got = 0;
    bool fault = false;
    for (int attempt = 0; attempt < 2; attempt++) {
        got = copy_message(msg, known, w.bytes, s->bytes + held, &fault);
        if (!w.sniff)
            break;
        if (!begins(c, s, SYLPH_SEND, length, got, &w))
            return 0;
    }
    return deliver(c, s, SYLPH_SEND, sequence, length, got, held, fault, 0);
}

SEC("tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(tcp_receive, struct sk_buff *skb, int size) {
    const void *owner = skb->sk;
    if (!owner || size <= 0)
        return 0;
    // `skb->sk` is not a pointer the verifier trusts; a read-only view of it is enough.
    struct sock *sk = bpf_rdonly_cast(owner, bpf_core_type_id_kernel(struct sock));
    if (sk->sk_protocol != IPPROTO_TCP) {
        if (sk->__sk_common.skc_family == AF_UNIX) {
            COUNT(unix_messages, 1);
            COUNT(unix_bytes, size);
        }
        return 0;
    }
    struct tcp_sock *tp = bpf_rdonly_cast(owner, bpf_core_type_id_kernel(struct tcp_sock));
    __u32 sequence = tp->copied_seq, first = 0, available = skb->len;
    bpf_probe_read_kernel(&first, sizeof(first), skb->cb); // TCP_SKB_CB(skb)->seq
    __u32 offset = sequence - first;
    if (offset >= available) // a peek beyond the first buffer
        return 0;
    available -= offset;
    __u64 key = (__u64)owner;
    struct connection *c = bpf_map_lookup_elem(&connections, &key);
    if (!c) {
        c = adopt(sk, tp->write_seq, sequence);
        if (!c)
            return 0;
    }
    advance(c, SYLPH_RECV, sequence);
    // What a peek has shown already is not news.
    __u32 length = (__u32)size < available ? (__u32)size : available, known = c->seen[SYLPH_RECV] - sequence;
    if (length <= known)
        return 0;
    length -= known;
    offset += known;
    sequence += known;
    c->seen[SYLPH_RECV] = sequence + length;
    own_by_current(c, bpf_get_current_pid_tgid() >> 32);
    struct wish w = turn(c, SYLPH_RECV, length);
    if (!w.bytes || c->flags & CONN_OWN)
        return 0;
    struct scratch *s = scratch_of(SYLPH_RECV);
    struct bpf_dynptr bytes;
    if (!s || bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &bytes))
        return 0;
    __u32 held = held_back(c), got = 0;
    bool fault = false;
    for (int attempt = 0; attempt < 2; attempt++) {
        got = w.bytes > SYLPH_MAX_EVENT ? SYLPH_MAX_EVENT : w.bytes;
        if (bpf_dynptr_read(s->bytes + held, bounded(got), &bytes, offset, 0)) {
            fault = true;
            got = 0;
        }
        if (!w.sniff)
            break;
        if (!begins(c, s, SYLPH_RECV, length, got, &w))
            return 0;
    }
    return deliver(c, s, SYLPH_RECV, sequence, length, got, held, fault, 0);
}
