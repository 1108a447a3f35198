// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The `tcp` way: bytes where TCP takes them from and hands them to whoever asked, so that system calls,
// io_uring, sendfile and splice look the same.
#include "capture.h"

char LICENSE[] SEC("license") = "GPL";

#define MAX_SEGMENTS 16

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym;

// Where the kernel keeps its page descriptors and sees physical memory; random at each boot, and not every
// kernel names these symbols. User space sends one page whose frame number and content it knows: see
// kernel/pages.rs.
struct pages {
    __u64 structs; // address of the descriptor of frame 0
    __u64 memory;  // address of frame 0; 0: not known
    __u64 frame;   // of the page to come
    __u64 content; // its first 8 bytes
    __u32 tgid;    // who sends it; 0: nobody
    __u32 pad;
};
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct pages);
} pages SEC(".maps");

#define REGION (1ULL << 30) // both places are aligned to it
#define MAX_REGIONS 1024    // of physical memory looked through: 1 TiB

static __always_inline __u64 page_address(const struct pages *p, __u64 page) {
    return p->memory + ((page - p->structs) / bpf_core_type_size(struct page) << 12);
}

// `object` is any address inside the direct map of physical memory.
__noinline int find_pages(__u64 page, __u64 object) {
    __u32 zero = 0;
    struct pages *p = bpf_map_lookup_elem(&pages, &zero);
    if (!p)
        return 0;
    p->structs = page - p->frame * bpf_core_type_size(struct page);
    __u64 base = object & ~(REGION - 1);
    for (__u32 i = 0; i < MAX_REGIONS; i++) {
        __u64 content = 0;
        if (!bpf_probe_read_kernel(&content, sizeof(content), (void *)(base + (p->frame << 12))) &&
            content == p->content) {
            p->memory = base;
            break;
        }
        base -= REGION;
    }
    p->tgid = 0;
    return 0;
}

enum { SHAPE_USER, SHAPE_KERNEL, SHAPE_PAGES };

// Copies one segment. True: done.
__noinline int copy_step(__u32 held) {
    struct scratch *s = scratch_of(SYLPH_SEND);
    if (!s)
        return 1;
    struct walk *w = &s->walk;
    if (w->got >= w->want || w->segment >= w->segments)
        return 1;
    struct iovec v; // kvec and bio_vec have its size
    if (bpf_probe_read_kernel(&v, sizeof(v), (void *)(w->vector + w->segment * sizeof(v)))) {
        w->fault = 1;
        return 1;
    }
    w->segment++;
    __u64 from = (__u64)v.iov_base, n = v.iov_len;
    if (w->shape == SHAPE_PAGES) {
        __u32 zero = 0;
        struct pages *p = bpf_map_lookup_elem(&pages, &zero);
        if (!p || !p->memory)
            return 1;
        from = page_address(p, from) + (n >> 32);
        n = (__u32)n;
    }
    if (w->skip >= n) {
        w->skip -= n;
        return 0;
    }
    from += w->skip;
    n -= w->skip;
    w->skip = 0;
    if (n > w->want - w->got)
        n = w->want - w->got;
    void *to = s->bytes + (held & 3) + bounded(w->got);
    if (w->shape == SHAPE_USER ? bpf_probe_read_user(to, bounded(n), (void *)from)
                               : bpf_probe_read_kernel(to, bounded(n), (void *)from)) {
        w->fault = 1;
        return 1;
    }
    w->got += n;
    return 0;
}

// Copies up to `want` bytes of the message, `skip` bytes in, behind `held` bytes. Returns how many.
static __always_inline __u32 copy_message(const struct msghdr *msg, __u32 skip, __u32 want, struct scratch *s,
                                          __u32 held, bool *fault) {
    __u8 type = msg->msg_iter.iter_type;
    __u64 base = (__u64)msg->msg_iter.ubuf; // or the vector, whatever it is
    __u64 offset = msg->msg_iter.iov_offset + skip;
    if (want > SYLPH_MAX_EVENT)
        want = SYLPH_MAX_EVENT;
    if (type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
        *fault = bpf_probe_read_user(s->bytes + held, bounded(want), (void *)(base + offset));
        return *fault ? 0 : want;
    }
    struct walk *w = &s->walk;
    if (type == bpf_core_enum_value(enum iter_type, ITER_IOVEC))
        w->shape = SHAPE_USER;
    else if (type == bpf_core_enum_value(enum iter_type, ITER_KVEC))
        w->shape = SHAPE_KERNEL;
    else if (type == bpf_core_enum_value(enum iter_type, ITER_BVEC))
        w->shape = SHAPE_PAGES;
    else
        return 0;
    w->vector = base;
    w->segments = msg->msg_iter.nr_segs;
    w->segment = 0;
    w->skip = offset;
    w->want = want;
    w->got = 0;
    w->fault = 0;
    for (__u32 i = 0; i < MAX_SEGMENTS; i++)
        if (copy_step(held))
            break;
    *fault = w->fault;
    return w->got & COPY_MASK;
}

SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(tcp_send, struct sock *sk, struct msghdr *msg, struct sk_buff *skb, int goal) {
    struct tcp_sock *tp = bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct tcp_sock));
    __u64 key = (__u64)sk;
    __u32 sequence = tp->write_seq;
    struct connection *c = bpf_map_lookup_elem(&connections, &key);
    if (!c || !(c->flags & CONN_ESTABLISHED)) {
        c = adopt(sk, sequence, tp->copied_seq);
        if (!c)
            return 0;
    }
    advance(c, SYLPH_SEND, sequence);
    // It fires once per turn of the kernel's loop, and again when a partial write is resumed: only news
    // counts.
    __u32 known = c->seen[SYLPH_SEND] - sequence;
    __u64 left = msg->msg_iter.count;
    if (left <= known)
        return 0;
    left -= known;
    __u32 length = left > 0x40000000 ? 0x40000000 : left;
    sequence += known;
    c->seen[SYLPH_SEND] = sequence + length;
    __u32 tgid = bpf_get_current_pid_tgid() >> 32;
    own_by_current(c, tgid);
    if (msg->msg_iter.iter_type == bpf_core_enum_value(enum iter_type, ITER_BVEC)) {
        __u32 zero = 0;
        struct pages *p = bpf_map_lookup_elem(&pages, &zero);
        struct bio_vec *vector;
        if (p && p->tgid == tgid) {
            bpf_core_read(&vector, sizeof(vector), &msg->msg_iter.bvec);
            find_pages((__u64)BPF_CORE_READ(vector, bv_page),
                       bpf_get_current_task()); // both as plain numbers
            return 0;
        }
    }
    struct wish w = turn(c, SYLPH_SEND, length);
    if (!w.bytes || c->flags & CONN_OWN)
        return 0;
    struct scratch *s = scratch_of(SYLPH_SEND);
    if (!s)
        return 0;
    __u32 held = held_back(c), got = 0;
    bool fault = false;
    for (int attempt = 0; attempt < 2; attempt++) {
        got = copy_message(msg, known, w.bytes, s, held, &fault);
        if (!w.sniff)
            break;
        if (!begins(c, s, SYLPH_SEND, length, got, &w)) {
            got = 0; // its length still counts
            break;
        }
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
    struct tcp_skb_cb *control = bpf_rdonly_cast(skb->cb, bpf_core_type_id_kernel(struct tcp_skb_cb));
    __u32 sequence = tp->copied_seq, available = skb->len;
    __u32 offset = sequence - control->seq;
    if (offset >= available) // a peek beyond the first buffer
        return 0;
    available -= offset;
    __u64 key = (__u64)owner;
    struct connection *c = bpf_map_lookup_elem(&connections, &key);
    if (!c || !(c->flags & CONN_ESTABLISHED)) {
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
        if (!begins(c, s, SYLPH_RECV, length, got, &w)) {
            got = 0; // its length still counts
            break;
        }
    }
    return deliver(c, s, SYLPH_RECV, sequence, length, got, held, fault, 0);
}
