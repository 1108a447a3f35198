// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The few kernel types that the programs read. Only the named fields matter: libbpf finds their real offsets
// in the running kernel's BTF (CO-RE), so one object file fits every kernel that has these fields.
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef __u64 u64;
typedef __u32 u32;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

// Kernel ABI, the same everywhere.
enum {
    BPF_ANY = 0,
    BPF_NOEXIST = 1,
    BPF_RB_AVAIL_DATA = 0,
    BPF_RB_NO_WAKEUP = 1,
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PERCPU_ARRAY = 6,
    BPF_MAP_TYPE_LRU_HASH = 9,
    BPF_MAP_TYPE_RINGBUF = 27,
};
enum { AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, IPPROTO_TCP = 6 };
enum {
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT = 2,
    TCP_SYN_RECV = 3,
    TCP_FIN_WAIT1 = 4,
    TCP_CLOSE = 7,
    TCP_LAST_ACK = 9,
    TCP_LISTEN = 10,
};

// Only a type for kfunc signatures, never read.
struct __sk_buff {
    __u32 len;
};
struct bpf_dynptr {
    __u64 opaque[2];
} __attribute__((aligned(8)));

// User-space ABI: read from the application's memory as it is.
struct iovec {
    void *iov_base;
    unsigned long iov_len;
};
struct user_msghdr {
    void *msg_name;
    int msg_namelen;
    struct iovec *msg_iov;
    unsigned long msg_iovlen;
    void *msg_control;
    unsigned long msg_controllen;
    unsigned int msg_flags;
};
struct mmsghdr {
    struct user_msghdr msg_hdr;
    unsigned int msg_len;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

// x86-64; at sys_exit they still hold the arguments of the call.
struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags,
        sp, ss;
};

typedef struct {
    int counter;
} atomic_t;

struct ns_common {
    unsigned int inum;
};
struct net {
    struct ns_common ns;
};
typedef struct {
    struct net *net;
} possible_net_t;
struct in6_addr {
    union {
        __u8 u6_addr8[16];
    } in6_u;
};
struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
    unsigned long skc_flags;
};
struct sock {
    struct sock_common __sk_common;
    __u16 sk_protocol;
};
enum sock_flags { SOCK_DONE = 1 };
struct inet_sock {
    __be16 inet_sport;
};
struct tcp_sock {
    __u32 copied_seq;
    __u32 write_seq;
    __u32 rcv_nxt;
};
struct tcp_skb_cb {
    __u32 seq;
};
struct sk_buff {
    struct sock *sk;
    char cb[48];
    unsigned int len;
};

struct page {
    atomic_t _refcount;
};
struct kvec {
    void *iov_base;
    unsigned long iov_len;
};
struct bio_vec {
    struct page *bv_page;
    unsigned int bv_len;
    unsigned int bv_offset;
};
enum iter_type { ITER_UBUF, ITER_IOVEC, ITER_BVEC, ITER_KVEC };
struct iov_iter {
    __u8 iter_type;
    unsigned long iov_offset;
    union {
        const struct iovec *__iov;
        const struct kvec *kvec;
        const struct bio_vec *bvec;
        void *ubuf;
    };
    unsigned long count;
    unsigned long nr_segs;
};
struct msghdr {
    struct iov_iter msg_iter;
};

struct inode {
    unsigned short i_mode;
};
struct file {
    struct inode *f_inode;
    void *private_data;
};
struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};
struct files_struct {
    struct fdtable *fdt;
};
struct socket {
    struct sock *sk;
};

struct signal_struct {
    atomic_t live;
    int group_exit_code;
    unsigned int flags;
};
struct nsproxy {
    struct net *net_ns;
};
struct task_struct {
    int pid;
    int tgid;
    int exit_code;
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    __u64 start_boottime;
    char comm[16];
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    struct files_struct *files;
};
struct linux_binprm {
    const char *filename;
};

#pragma clang attribute pop
