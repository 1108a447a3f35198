// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Maps and settings that all object files share; the loader creates them once. Sizes given here are replaced
// at load.
#pragma once

#include "vmlinux_min.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "events.h"

// The verifier sees these as constants, so what is switched off costs nothing. Mirrored in
// kernel/settings.rs.
struct settings {
    __u32 own_tgid;      // whose traffic is not recorded
    __u32 event_bytes;   // at most SYLPH_MAX_EVENT
    __u32 message_bytes; // bytes recorded since the direction turned
    __u32 trace_clients;
    __u32 data_room; // bytes of the ring that DATA events may fill; the rest is for the ends of connections
};
const volatile struct settings settings SEC(".rodata.settings") = {0, 4096, 32768, 0, ~0U};

#define SYLPH_MAX_EVENT 30720
#define COPY_MASK 0x7fff

// Counted per CPU, summed by user space. Mirrored in kernel/counters.rs.
struct counters {
    __u64 events;           // written to the ring, all kinds
    __u64 captured_bytes;   // payload written to the ring
    __u64 ring_full;        // DATA events that found the ring full
    __u64 ring_full_bytes;  // their length as the application saw it
    __u64 lifecycle_lost;   // CLOSE, EXEC, EXIT, FORK events that found the ring full
    __u64 fault;            // payloads that could not be read
    __u64 capped_bytes;     // not recorded because the message was over its cap
    __u64 connections_full; // connections that found no room in `connections`
    __u64 unix_messages;
    __u64 unix_bytes;
};

struct address {
    __u8 bytes[16]; // IPv4 in the first four
};
struct port_key {
    __u32 netns;
    __u32 port;
};

#define RECORD_UNDECIDED 0
#define RECORD_YES 1
#define RECORD_NO 2

#define CONN_MIDSTREAM 1  // older than the agent
#define CONN_OWN 2        // the agent's own
#define CONN_SENT_FINAL 4 // nothing can be sent any more: write_seq now counts the FIN
#define CONN_ESTABLISHED 8
#define CONN_ROLE_GUESSED 16 // the listening table said so; a message may say better
#define CONN_CAPPED_RECV 32  // the next event is over the cap per message; shifted by the direction
#define CONN_CAPPED_SEND 64

// Arrays are indexed by direction. Mirrored in kernel/connections.rs.
struct connection {
    __u64 id;
    __u64 start_ns; // of the process that used it last
    __u64 opened_ns;
    __u64 position[2]; // bytes carried before sequence number `sequence`
    __u32 sequence[2];
    __u32 seen[2]; // sequence number after the last byte that a program has looked at
    __u32 turn_bytes[2];
    __u32 tgid;
    __u32 netns;
    __u32 exchange;
    __u32 lost;
    __u32 head; // first bytes of a message that came in too small pieces to know it
    __u16 local_port;
    __u16 remote_port;
    __u16 flags;
    __u8 head_bytes;
    __u8 family;
    __u8 role;
    __u8 protocol;
    __u8 record;
    __u8 tries;
    __u8 last; // direction of the last bytes; 2: none yet
    __u8 pad[3];
    struct address local;
    struct address remote;
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 << 20);
} ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct counters);
} counters SEC(".maps");

#define COUNT(field, n)                                                                                      \
    do {                                                                                                     \
        __u32 zero_ = 0;                                                                                     \
        struct counters *counters_ = bpf_map_lookup_elem(&counters, &zero_);                                 \
        if (counters_)                                                                                       \
            counters_->field += (n);                                                                         \
    } while (0)

// Ring output that counts what did not fit.
static __always_inline void output_lifecycle(void *event, __u32 size) {
    if (bpf_ringbuf_output(&ring, event, size, BPF_RB_NO_WAKEUP))
        COUNT(lifecycle_lost, 1);
    else
        COUNT(events, 1);
}
