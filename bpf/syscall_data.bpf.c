// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The `syscall` way: one program at the end of every system call. The saved registers still hold the
// arguments, so nothing has to be remembered from its beginning. For kernels without tracepoints in TCP.
#include "capture.h"

char LICENSE[] SEC("license") = "GPL";

#define MAX_STEPS 24    // segments and message headers looked at per call
#define MAX_MESSAGES 64 // messages of sendmmsg and recvmmsg whose lengths are summed
#define USER32_CS 0x23  // a 32-bit call: its numbers mean other calls
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define MSG_OOB 1
#define MSG_PEEK 2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000

// x86-64 numbers.
enum {
    NR_READ = 0,
    NR_WRITE = 1,
    NR_READV = 19,
    NR_WRITEV = 20,
    NR_SENDFILE = 40,
    NR_SENDTO = 44,
    NR_RECVFROM = 45,
    NR_SENDMSG = 46,
    NR_RECVMSG = 47,
    NR_SPLICE = 275,
    NR_RECVMMSG = 299,
    NR_SENDMMSG = 307,
    NR_PREADV2 = 327,
    NR_PWRITEV2 = 328,
};

enum shape { SHAPE_NONE, SHAPE_BUFFER, SHAPE_VECTOR, SHAPE_MESSAGE, SHAPE_MESSAGES };

struct call {
    __u64 at; // buffer, vector, message header or array of them, in user memory
    __u64 count;
    __u32 length;
    __u8 shape;
    __u8 direction;
};

// Found anew for every call: descriptors are duplicated, shared by children and used again.
static __always_inline const struct sock *socket_of(__u32 fd) {
    struct task_struct *task = (void *)bpf_get_current_task();
    struct fdtable *table = BPF_CORE_READ(task, files, fdt);
    if (fd >= BPF_CORE_READ(table, max_fds))
        return NULL;
    struct file **files = BPF_CORE_READ(table, fd), *file = NULL;
    bpf_probe_read_kernel(&file, sizeof(file), files + fd);
    if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
        return NULL;
    struct socket *socket = BPF_CORE_READ(file, private_data);
    return BPF_CORE_READ(socket, sk);
}

// Copies one segment or goes to the next message. True: done.
__noinline int copy_step(__u32 held) {
    struct scratch *s = scratch_of(0);
    if (!s)
        return 1;
    struct walk *w = &s->walk;
    if (w->got >= w->want)
        return 1;
    if (w->segment >= w->segments || !w->left) {
        if (w->message >= w->messages)
            return 1;
        struct mmsghdr header = {};
        __u32 size = w->shape == SHAPE_MESSAGES ? sizeof(header) : sizeof(header.msg_hdr);
        if (bpf_probe_read_user(&header, size, (void *)(w->at + w->message * sizeof(header)))) {
            w->fault = 1;
            return 1;
        }
        w->vector = (__u64)header.msg_hdr.msg_iov;
        w->segments = header.msg_hdr.msg_iovlen;
        w->segment = 0;
        w->left = w->shape == SHAPE_MESSAGES ? header.msg_len : w->length;
        w->message++;
        return 0;
    }
    struct iovec v;
    if (bpf_probe_read_user(&v, sizeof(v), (void *)(w->vector + w->segment * sizeof(v)))) {
        w->fault = 1;
        return 1;
    }
    w->segment++;
    __u64 n = v.iov_len < w->left ? v.iov_len : w->left;
    w->left -= n;
    if (w->skip >= n) {
        w->skip -= n;
        return 0;
    }
    n -= w->skip;
    if (n > w->want - w->got)
        n = w->want - w->got;
    if (bpf_probe_read_user(s->bytes + (held & 3) + bounded(w->got), bounded(n), v.iov_base + w->skip)) {
        w->fault = 1;
        return 1;
    }
    w->skip = 0;
    w->got += n;
    return 0;
}

// Copies up to `want` bytes of a call, `skip` bytes in, behind `held` bytes. Returns how many.
static __always_inline __u32 copy_call(const struct call *call, __u32 skip, __u32 want, struct scratch *s,
                                       __u32 held, bool *fault) {
    if (want > SYLPH_MAX_EVENT)
        want = SYLPH_MAX_EVENT;
    if (call->shape == SHAPE_NONE)
        return 0;
    if (call->shape == SHAPE_BUFFER) {
        *fault = bpf_probe_read_user(s->bytes + held, bounded(want), (void *)(call->at + skip));
        return *fault ? 0 : want;
    }
    struct walk *w = &s->walk;
    bool vector = call->shape == SHAPE_VECTOR;
    w->at = call->at;
    w->vector = call->at;
    w->segments = vector ? call->count : 0;
    w->segment = 0;
    w->messages = vector ? 0 : call->shape == SHAPE_MESSAGES ? call->count : 1;
    w->message = 0;
    w->left = w->length = call->length;
    w->skip = skip;
    w->shape = call->shape;
    w->want = want;
    w->got = 0;
    w->fault = 0;
    for (__u32 i = 0; i < MAX_STEPS; i++)
        if (copy_step(held))
            break;
    *fault = w->fault;
    return w->got & COPY_MASK;
}

static __always_inline int carried(__u32 fd, const struct call *call) {
    const struct sock *sk = socket_of(fd);
    if (!sk)
        return 0;
    __u64 key = (__u64)sk;
    int direction = call->direction;
    __u32 length = call->length;
    struct connection *c = bpf_map_lookup_elem(&connections, &key);
    bool known_connection = c && c->flags & CONN_ESTABLISHED;
    if (!known_connection) {
        __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
        if (family == AF_UNIX && direction == SYLPH_RECV) {
            COUNT(unix_messages, 1);
            COUNT(unix_bytes, length);
        }
        if ((family != AF_INET && family != AF_INET6) || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
            return 0;
    }
    // The call is over: sequence numbers now stand behind its bytes.
    __u32 end = direction == SYLPH_SEND ? BPF_CORE_READ((const struct tcp_sock *)sk, write_seq)
                                        : received_sequence(sk);
    __u32 sequence = end - length;
    if (!known_connection) {
        if (direction == SYLPH_SEND)
            c = adopt(sk, sequence, received_sequence(sk));
        else
            c = adopt(sk, BPF_CORE_READ((const struct tcp_sock *)sk, write_seq), sequence);
        if (!c)
            return 0;
    }
    if ((__s32)(sequence - c->sequence[direction]) > 0)
        advance(c, direction, sequence);
    __u32 known = c->seen[direction] - sequence;
    if ((__s32)known < 0)
        known = 0;
    if (length <= known)
        return 0;
    length -= known;
    sequence += known;
    c->seen[direction] = sequence + length;
    own_by_current(c, bpf_get_current_pid_tgid() >> 32);
    struct wish w = turn(c, direction, length);
    if (!w.bytes)
        return 0;
    struct scratch *s = scratch_of(0);
    if (!s)
        return 0;
    __u32 held = held_back(c), got = 0;
    bool fault = false;
    for (int attempt = 0; attempt < 2; attempt++) {
        got = copy_call(call, known, w.bytes, s, held, &fault);
        if (!w.sniff)
            break;
        if (!begins(c, s, direction, length, got, &w)) {
            got = 0; // its length still counts
            break;
        }
    }
    return deliver(c, s, direction, sequence, length, got, held, fault, 1);
}

static __always_inline __u32 sum_lengths(__u64 at, __u32 messages) {
    __u32 sum = 0;
    for (__u32 i = 0; i < MAX_MESSAGES && i < messages; i++) {
        __u32 length = 0;
        bpf_probe_read_user(&length, sizeof(length),
                            (char *)at + i * sizeof(struct mmsghdr) + sizeof(struct user_msghdr));
        sum += length;
    }
    return sum;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_exit, struct pt_regs *regs, long result) {
    if (result <= 0)
        return 0;
    struct call call = {.at = regs->si, .count = regs->dx, .length = result, .direction = SYLPH_RECV};
    __u32 fd = regs->di, flags = 0;
    switch (regs->orig_ax) {
    case NR_WRITE:
    case NR_SENDTO:
        call.direction = SYLPH_SEND;
        call.shape = SHAPE_BUFFER;
        break;
    case NR_RECVFROM:
        flags = regs->r10;
        call.shape = SHAPE_BUFFER;
        break;
    case NR_READ:
        call.shape = SHAPE_BUFFER;
        break;
    case NR_WRITEV:
    case NR_PWRITEV2:
        call.direction = SYLPH_SEND;
        call.shape = SHAPE_VECTOR;
        break;
    case NR_READV:
    case NR_PREADV2:
        call.shape = SHAPE_VECTOR;
        break;
    case NR_SENDMSG:
        call.direction = SYLPH_SEND;
        call.shape = SHAPE_MESSAGE;
        break;
    case NR_RECVMSG:
        flags = regs->dx;
        call.shape = SHAPE_MESSAGE;
        break;
    case NR_SENDMMSG:
        call.direction = SYLPH_SEND;
        call.shape = SHAPE_MESSAGES;
        break;
    case NR_RECVMMSG:
        flags = regs->r10;
        call.shape = SHAPE_MESSAGES;
        break;
    case NR_SENDFILE:
    case NR_SPLICE:
        call.direction = SYLPH_SEND;
        break;
    default:
        return 0;
    }
    if (regs->cs == USER32_CS || flags & (MSG_OOB | MSG_PEEK | MSG_ERRQUEUE) ||
        bpf_get_current_pid_tgid() >> 32 == settings.own_tgid)
        return 0;
    if (flags & MSG_TRUNC) // thrown away, not copied
        call.shape = SHAPE_NONE;
    if (call.shape == SHAPE_MESSAGES) {
        call.count = result;
        call.length = sum_lengths(call.at, result);
    }
    if (regs->orig_ax == NR_SPLICE) { // (fd_in, off_in, fd_out, ...): at most one of them is a socket
        fd = regs->dx;
        if (!socket_of(fd)) {
            fd = regs->di;
            call.direction = SYLPH_RECV;
        }
    }
    return carried(fd, &call);
}
