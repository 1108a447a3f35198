// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// What both capture ways do with bytes of a connection: count them, follow the turns of the conversation,
// guess the protocol, decide whether this side is recorded, and send an event.
#pragma once

#include "connection.h"

#define MAX_TRIES 8  // turns after which a connection without a known protocol is left alone
#define HEAD_BYTES 4 // enough to tell HTTP/1.x

#define PROTOCOL_HTTP 1

// State of a copy from several segments. It lives in map memory and each step is a global function, so the
// verifier looks at one step once instead of following every way through the loop.
struct walk {
    __u64 at; // array of messages, for calls that have one
    __u64 vector;
    __u64 segments; // in the current vector
    __u64 segment;
    __u64 messages;
    __u64 message;
    __u64 left; // bytes of the current message: a receive need not fill its segments
    __u64 skip;
    __u32 length;
    __u32 shape;
    __u32 want;
    __u32 got;
    __u32 fault;
};

// The verifier must see room for two maximal copies behind the header.
struct scratch {
    struct sylph_data header;
    __u8 bytes[2 * (COPY_MASK + 1)];
    struct walk walk;
};

// One per CPU and program: a program does not interrupt itself, and a per-CPU array holds at most 32 KiB a
// value.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline struct scratch *scratch_of(int direction) {
    __u32 key = bpf_get_smp_processor_id() * 2 + direction;
    return bpf_map_lookup_elem(&scratch, &key);
}

// Keeps a copied size inside what the verifier can prove; the empty asm stops compilers from dropping the
// mask.
static __always_inline __u32 bounded(__u32 n) {
    asm volatile("" : "+r"(n));
    return n & COPY_MASK;
}

enum message { MESSAGE_NONE, MESSAGE_REQUEST, MESSAGE_RESPONSE };

#define WORD(a, b, c, d) ((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)

static __always_inline enum message http_message(__u32 word) {
    switch (word) {
    case WORD('G', 'E', 'T', ' '):
    case WORD('P', 'O', 'S', 'T'):
    case WORD('H', 'E', 'A', 'D'):
    case WORD('P', 'U', 'T', ' '):
    case WORD('D', 'E', 'L', 'E'):
    case WORD('O', 'P', 'T', 'I'):
    case WORD('P', 'A', 'T', 'C'):
    case WORD('C', 'O', 'N', 'N'):
    case WORD('T', 'R', 'A', 'C'):
        return MESSAGE_REQUEST;
    case WORD('H', 'T', 'T', 'P'):
        return MESSAGE_RESPONSE;
    }
    return MESSAGE_NONE;
}

static __always_inline void decide_record(struct connection *c) {
    if (c->role == SYLPH_ROLE_CLIENT && !settings.trace_clients && is_local(&c->remote, c->family))
        c->record = RECORD_NO;
    else
        c->record = RECORD_YES;
}

// What to copy of an event. `sniff`: only the head, to see whether another message begins where the cap of
// this one ends; if not, `rest` is what may still be copied.
struct wish {
    __u32 bytes;
    __u32 rest;
    bool sniff;
};

// Follows the conversation. `length` bytes of `direction` come now.
static __always_inline struct wish turn(struct connection *c, int direction, __u32 length) {
    struct wish w = {0, 0, false};
    if (c->last != direction) {
        if (c->protocol && c->last != 2 &&
            direction == (c->role == SYLPH_ROLE_CLIENT ? SYLPH_SEND : SYLPH_RECV))
            c->exchange++;
        c->last = direction;
        c->turn_bytes[direction] = 0;
        if (c->head_bytes) { // a whole message too short to be known
            c->head_bytes = 0;
            c->tries++;
        }
    }
    __u32 before = c->turn_bytes[direction], after = before + length;
    c->turn_bytes[direction] = after < before ? ~0U : after;
    if (!c->protocol) {
        // A message can only be known by its head.
        if (before >= HEAD_BYTES || c->tries >= MAX_TRIES)
            return w;
        w.bytes = settings.event_bytes;
    } else if (c->record != RECORD_YES) {
        return w;
    } else {
        __u32 room = before < settings.message_bytes ? settings.message_bytes - before : 0;
        w.bytes = settings.event_bytes;
        if (before && room < w.bytes && room < length) {
            w.bytes = HEAD_BYTES;
            w.rest = room;
            w.sniff = true;
        } else if (w.bytes > room) {
            w.bytes = room;
        }
    }
    if (w.bytes > length)
        w.bytes = length;
    return w;
}

// After a sniff. False: nothing more of this message is wanted. True: copy again what `w` says.
static __always_inline bool begins(struct connection *c, const struct scratch *s, int direction, __u32 length,
                                   __u32 captured, struct wish *w) {
    if (captured < HEAD_BYTES || http_message(*(const __u32 *)s->bytes) == MESSAGE_NONE) {
        if (!w->rest) {
            c->flags |= CONN_CAPPED_RECV << direction;
            COUNT(capped_bytes, length);
            return false;
        }
        w->sniff = false;
        w->bytes = w->rest;
        return true;
    }
    c->turn_bytes[direction] = length;
    w->sniff = false;
    w->bytes = length < settings.event_bytes ? length : settings.event_bytes;
    return true;
}

// Bytes of the current message that were held back because they were too few; the copy goes behind them.
static __always_inline __u32 held_back(const struct connection *c) {
    return c->protocol ? 0 : c->head_bytes & 3;
}

// False: these bytes are not (yet) worth an event.
static __always_inline bool know_protocol(struct connection *c, int direction, const __u8 *bytes,
                                          __u32 captured) {
    __u32 word = *(const __u32 *)bytes, held = c->head_bytes;
    if (held + captured < HEAD_BYTES) {
        if (captured < HEAD_BYTES)
            word &= (1U << 8 * (captured & 3)) - 1;
        c->head |= held ? word << 8 * (held & 3) : 0;
        if (!held)
            c->head = word;
        c->head_bytes = held + captured;
        return false;
    }
    if (held)
        word = c->head | word << 8 * (held & 3);
    enum message m = http_message(word);
    if (m == MESSAGE_NONE) {
        c->tries++;
        c->head_bytes = 0;
        return false;
    }
    if (c->role == SYLPH_ROLE_UNKNOWN || c->flags & CONN_ROLE_GUESSED) {
        int request = m == MESSAGE_REQUEST ? direction : !direction;
        c->role = request == SYLPH_RECV ? SYLPH_ROLE_SERVER : SYLPH_ROLE_CLIENT;
        c->flags &= ~CONN_ROLE_GUESSED;
    }
    c->protocol = PROTOCOL_HTTP;
    decide_record(c);
    return c->record == RECORD_YES;
}

// Sends `captured` bytes in `s` as what was read at `sequence`.
static __always_inline void emit(struct connection *c, struct scratch *s, int direction, __u32 sequence,
                                 __u32 length, __u32 captured, __u8 source, __u16 flags) {
    struct sylph_data *e = &s->header;
    fill_header(e, c, SYLPH_EV_DATA);
    e->direction = direction;
    e->source = source;
    if (captured < length)
        flags |= SYLPH_F_TRUNCATED;
    if (c->flags & CONN_MIDSTREAM)
        flags |= SYLPH_F_MIDSTREAM;
    if (c->flags & (CONN_CAPPED_RECV << direction)) {
        flags |= SYLPH_F_CAPPED;
        c->flags &= ~(CONN_CAPPED_RECV << direction);
    }
    e->flags = flags;
    // Signed: bytes that were held back lie before what is counted.
    e->position = c->position[direction] + (__s32)(sequence - c->sequence[direction]);
    e->length = length;
    e->captured = captured;
    e->tcp_seq = source == 0 ? sequence : 0;
    if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > settings.data_room ||
        bpf_ringbuf_output(&ring, s, sizeof(*e) + bounded(captured), BPF_RB_NO_WAKEUP)) {
        c->lost++;
        COUNT(ring_full, 1);
        COUNT(ring_full_bytes, length);
        return;
    }
    __u32 zero = 0;
    struct counters *n = bpf_map_lookup_elem(&counters, &zero);
    if (n) {
        n->events++;
        n->captured_bytes += captured;
    }
}

// `got` bytes of an event were copied behind the `held` ones: decides, and sends.
static __always_inline int deliver(struct connection *c, struct scratch *s, int direction, __u32 sequence,
                                   __u32 length, __u32 got, __u32 held, bool fault, __u8 source) {
    if (fault)
        COUNT(fault, 1);
    if (!c->protocol) {
        if (!know_protocol(c, direction, s->bytes + held, got))
            return 0;
        for (__u32 i = 0; i < HEAD_BYTES - 1; i++)
            if (i < held)
                s->bytes[i] = c->head >> 8 * i;
        c->head_bytes = 0;
        sequence -= held;
        length += held;
        got += held;
    }
    emit(c, s, direction, sequence, length, got, source, fault ? SYLPH_F_FAULT : 0);
    return 0;
}
