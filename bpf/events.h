// Layout of what kernel programs hand to user space. Mirrored in crates/capture/src/event.rs.
#pragma once

// Kinds of event.
#define SYLPH_EV_DATA 1  // bytes of a connection; `captured` of them follow the header
#define SYLPH_EV_CLOSE 2 // a connection ended; totals in `struct sylph_close`
#define SYLPH_EV_EXEC 3  // a process began to run a program
#define SYLPH_EV_EXIT 4  // a process ended
#define SYLPH_EV_FORK 5  // a process was born; a `struct sylph_exec` without filename

#define SYLPH_RECV 0
#define SYLPH_SEND 1

#define SYLPH_ROLE_CLIENT 1
#define SYLPH_ROLE_SERVER 2
#define SYLPH_ROLE_UNKNOWN 4

// Every DATA event stands alone: what it needs to become rows is in its header, so that one lost event never
// spoils the next.
struct sylph_data {
    __u8 kind;
    __u8 direction;
    __u8 role;
    __u8 protocol; // conn_stats.protocol codes; what the kernel inferred from the first bytes
    __u8 family;   // conn_stats.addr_family codes: 1 IPv4, 2 IPv6
    __u8 source;   // 0 tcp way, 1 syscall way, 2 TLS
    __u16 flags;   // SYLPH_F_*
    __u32 tgid;
    __u32 tid;
    __u64 start_ns; // group leader's start_boottime, ns since boot
    __u64 time_ns;  // CLOCK_MONOTONIC
    __u64 conn_id;  // never reused while the agent runs
    __u64 position; // bytes this direction carried before this event
    __u32 length;   // bytes of this event as the application saw it
    __u32 captured; // how many of them follow; the rest is a hole that ends at position + length
    __u32 exchange; // how often the direction turned from response back to request: exact loss accounting
    __u32 tcp_seq;  // sequence number of the first byte; 0 in the syscall way
    __u16 local_port;
    __u16 remote_port;
    __u32 netns;         // inode of the network namespace
    __u8 local_addr[16]; // IPv4 in the first four bytes
    __u8 remote_addr[16];
};

#define SYLPH_F_TRUNCATED 1 // captured < length because of the cap per event
#define SYLPH_F_CAPPED 2    // captured is 0 because of the cap per message; the length still counts
#define SYLPH_F_FAULT 4     // the bytes could not be read
#define SYLPH_F_MIDSTREAM 8 // the connection is older than the agent

struct sylph_close {
    struct sylph_data conn; // length = captured = 0
    __u64 bytes_sent;
    __u64 bytes_received;
    __u32 exchanges;
    __u32 lost; // DATA events of this connection that found the ring full
};

struct sylph_exec {
    __u8 kind;
    __u8 pad[3];
    __u32 tgid;
    __u32 ppid;
    __u32 netns;
    __u64 start_ns;
    __u64 time_ns;
    __u64 cgroup_id;
    char comm[16];
    char filename[256]; // path given to execve, NUL-terminated, cut
};

struct sylph_exit {
    __u8 kind;
    __u8 pad[3];
    __u32 tgid;
    __u64 start_ns;
    __u64 time_ns;
    __u32 exit_code; // as in wait(2): status << 8 | signal
    char comm[16];
};
