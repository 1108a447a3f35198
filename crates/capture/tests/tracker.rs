//! The tracker on conversations as the kernel would report them.

mod support;

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use proptest::prelude::*;
use support::{Owned, Talk, numbers, request, response, schemas, texts};
use sylph_capture::event::{Direction, flag, role};
use sylph_capture::loss::Cause;
use sylph_capture::tracker::{Config, TABLE, Tracker};

fn tracker(connections: usize) -> Tracker {
    Tracker::new(
        Config {
            asid: 7,
            connections,
            ..Config::default()
        },
        &schemas(),
    )
    .unwrap()
}

fn feed(tracker: &mut Tracker, events: &[Owned]) {
    for event in events {
        match event {
            Owned::Data(header, bytes) => tracker.data(header, bytes),
            Owned::Close(close) => tracker.close(close),
        }
    }
}

const CAUSES: [Cause; 8] = [
    Cause::RingFull,
    Cause::Gap,
    Cause::Budget,
    Cause::ParseError,
    Cause::Capped,
    Cause::NoResponse,
    Cause::NoRequest,
    Cause::Fault,
];

fn lost(tracker: &mut Tracker) -> Vec<(Cause, u64)> {
    CAUSES
        .iter()
        .map(|cause| (*cause, tracker.losses().total(TABLE, *cause).events))
        .filter(|(_, events)| *events > 0)
        .collect()
}

fn rows(tracker: &mut Tracker) -> Vec<RecordBatch> {
    tracker.take(true)
}

/// (path, response body) of every row.
fn pairs(batches: &[RecordBatch]) -> Vec<(String, String)> {
    batches
        .iter()
        .flat_map(|batch| {
            let paths = texts(batch, "req_path").into_iter().map(str::to_owned);
            let bodies = texts(batch, "resp_body").into_iter().map(str::to_owned);
            paths.zip(bodies).collect::<Vec<_>>()
        })
        .collect()
}

fn exchange(talk: &mut Talk, n: usize) {
    talk.recv(&request(&format!("/{n}")))
        .send(&response(&format!("body {n}")));
}

#[test]
fn a_row_says_who_spoke_with_whom() {
    let mut tracker = tracker(10);
    tracker.begin(1_000_000, 0);
    let mut talk = Talk::new(3);
    exchange(&mut talk, 0);
    feed(&mut tracker, &talk.events);
    let batches = rows(&mut tracker);
    let batch = &batches[0];
    assert_eq!(batch.num_rows(), 1);
    assert_eq!(texts(batch, "remote_addr"), ["10.0.0.3"]);
    assert_eq!(texts(batch, "local_addr"), ["127.0.0.1"]);
    assert_eq!(numbers(batch, "remote_port"), [40_003]);
    assert_eq!(numbers(batch, "local_port"), [80]);
    assert_eq!(numbers(batch, "trace_role"), [2]);
    assert_eq!(numbers(batch, "time_"), [3_000_000 + 2000 + 1_000_000]);
    assert_eq!(numbers(batch, "latency"), [1000]);
    let upid = batch.column_by_name("upid").unwrap();
    let upid = arrow_array::cast::AsArray::as_fixed_size_binary(upid.as_ref()).value(0);
    // asid 7, pid 100, started 5 s after boot
    assert_eq!(upid, [0, 0, 0, 7, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 1, 0xf4]);
}

#[test]
fn the_client_sends_requests() {
    let mut tracker = tracker(10);
    let mut talk = Talk::new(1);
    talk.header.role = role::CLIENT;
    talk.asks = Direction::Send;
    talk.send(&request("/a")).recv(&response("b"));
    feed(&mut tracker, &talk.events);
    let batches = rows(&mut tracker);
    assert_eq!(pairs(&batches), [("/a".into(), "b".into())]);
    assert_eq!(numbers(&batches[0], "trace_role"), [1]);
}

#[test]
fn the_bytes_tell_an_unknown_role() {
    for (first, expected) in [(Direction::Recv, 2), (Direction::Send, 1)] {
        let mut tracker = tracker(10);
        let mut talk = Talk::new(1);
        talk.header.role = role::UNKNOWN;
        talk.asks = first;
        let second = if first == Direction::Recv {
            Direction::Send
        } else {
            Direction::Recv
        };
        let (ask, answer) = (request("/a"), response("b"));
        talk.part(first, ask.as_bytes(), ask.len() as u32);
        talk.part(second, answer.as_bytes(), answer.len() as u32);
        feed(&mut tracker, &talk.events);
        let batches = rows(&mut tracker);
        assert_eq!(pairs(&batches), [("/a".into(), "b".into())]);
        assert_eq!(numbers(&batches[0], "trace_role"), [expected]);
    }
}

#[test]
fn a_wrong_role_is_corrected_by_the_bytes() {
    let mut tracker = tracker(10);
    let mut talk = Talk::new(1);
    talk.header.role = role::SERVER; // the listening table was wrong
    talk.asks = Direction::Send;
    talk.send(&request("/a")).recv(&response("b"));
    feed(&mut tracker, &talk.events);
    let batches = rows(&mut tracker);
    assert_eq!(pairs(&batches), [("/a".into(), "b".into())]);
    assert_eq!(numbers(&batches[0], "trace_role"), [1]);
    assert_eq!(lost(&mut tracker), []);
}

#[test]
fn events_that_overtake_each_other_are_put_in_order() {
    let mut talk = Talk::new(1);
    for n in 0..4 {
        exchange(&mut talk, n);
    }
    for swap in 0..talk.events.len() - 1 {
        let mut tracker = tracker(10);
        let mut events = talk.events.clone();
        events.swap(swap, swap + 1);
        feed(&mut tracker, &events);
        let expected: Vec<_> = (0..4).map(|n| (format!("/{n}"), format!("body {n}"))).collect();
        // The response of an exchange that swaps with the next request: the same bytes, later.
        assert_eq!(pairs(&rows(&mut tracker)), expected, "swapped {swap}");
        assert_eq!(lost(&mut tracker), [], "swapped {swap}");
    }
}

#[test]
fn bytes_skipped_by_a_cap_cost_no_row() {
    let mut tracker = tracker(10);
    let mut talk = Talk::new(1);
    talk.recv(&request("/big"));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\nstart";
    let first = head.len() as u32 + 95; // 100 bytes of the body are in the first call, 5 of them copied
    talk.part(Direction::Send, head.as_bytes(), first);
    talk.part(Direction::Send, &[], 1_000_000 - 100); // over the cap per message: its length only
    if let Some(Owned::Data(header, _)) = talk.events.last_mut() {
        header.flags |= flag::CAPPED;
    }
    talk.recv(&request("/next"));
    let answer = response("after");
    talk.part(Direction::Send, answer.as_bytes(), answer.len() as u32);
    feed(&mut tracker, &talk.events);
    let batches = rows(&mut tracker);
    assert_eq!(texts(&batches[0], "req_path"), ["/big", "/next"]);
    assert_eq!(numbers(&batches[0], "resp_body_size"), [1_000_000, 5]);
    assert_eq!(lost(&mut tracker), []);
}

#[test]
fn a_lost_response_never_pairs_with_the_wrong_request() {
    let mut tracker = tracker(10);
    let mut talk = Talk::new(1);
    for n in 0..6 {
        exchange(&mut talk, n);
    }
    talk.events.remove(5); // the response of /2
    let totals = talk.totals(1);
    talk.events.push(Owned::Close(totals));
    tracker.begin(0, 1);
    feed(&mut tracker, &talk.events);
    for (path, body) in pairs(&rows(&mut tracker)) {
        assert_eq!(body, format!("body {}", &path[1..]));
    }
    assert_eq!(
        tracker.counters().rows + lost(&mut tracker).iter().map(|(_, n)| n).sum::<u64>(),
        6
    );
    assert!(tracker.counters().rows >= 4);
    assert!(
        lost(&mut tracker)
            .iter()
            .all(|(cause, _)| *cause == Cause::RingFull)
    );
}

#[test]
fn the_cause_stays_when_the_count_comes_later() {
    let mut tracker = tracker(10);
    let mut talk = Talk::new(1);
    for n in 0..4 {
        exchange(&mut talk, n);
    }
    talk.events.drain(2..5); // request and response of /1, and the request of /2
    tracker.begin(0, 3);
    feed(&mut tracker, &talk.events[..3]);
    for _ in 0..3 {
        tracker.tick(0);
        tracker.begin(0, 3); // no more losses since
    }
    feed(&mut tracker, &talk.events[3..]);
    tracker.tick(0);
    tracker.tick(0);
    talk.recv(&request("/4")); // a turn: now the count is made
    feed(&mut tracker, &talk.events[talk.events.len() - 1..]);
    assert_eq!(lost(&mut tracker), [(Cause::RingFull, 2)]);
    assert_eq!(tracker.counters().rows, 2);
}

#[test]
fn a_connection_of_which_every_event_was_lost_is_counted_at_its_end() {
    let mut tracker = tracker(10);
    let mut talk = Talk::new(1);
    for n in 0..5 {
        exchange(&mut talk, n);
    }
    feed(&mut tracker, &[Owned::Close(talk.totals(10))]);
    assert_eq!(lost(&mut tracker), [(Cause::RingFull, 5)]);
}

#[test]
fn a_connection_that_is_not_recorded_is_no_loss() {
    let mut tracker = tracker(10);
    let mut talk = Talk::new(1);
    talk.header.role = role::CLIENT;
    for n in 0..5 {
        exchange(&mut talk, n);
    }
    feed(&mut tracker, &[Owned::Close(talk.totals(0))]);
    assert_eq!(lost(&mut tracker), []);
}

#[test]
fn a_request_without_an_answer_is_counted_once() {
    let mut tracker = tracker(10);
    let mut talk = Talk::new(1);
    exchange(&mut talk, 0);
    talk.recv(&request("/never"));
    talk.close();
    feed(&mut tracker, &talk.events);
    assert_eq!(pairs(&rows(&mut tracker)).len(), 1);
    assert_eq!(lost(&mut tracker), [(Cause::NoResponse, 1)]);
}

#[test]
fn attached_between_request_and_response() {
    let mut tracker = tracker(10);
    let mut talk = Talk::new(1);
    talk.header.flags = 0;
    talk.send(&response("to nobody"));
    for n in 0..3 {
        exchange(&mut talk, n);
    }
    for event in &mut talk.events {
        if let Owned::Data(header, _) = event {
            header.flags |= flag::MIDSTREAM;
        }
    }
    talk.close();
    feed(&mut tracker, &talk.events);
    assert_eq!(pairs(&rows(&mut tracker)).len(), 3);
    assert_eq!(lost(&mut tracker), [(Cause::NoRequest, 1)]);
}

#[test]
fn the_longest_idle_connection_leaves_and_nothing_is_counted_twice() {
    let mut tracker = tracker(4);
    let mut talks: Vec<_> = (0..8).map(Talk::new).collect();
    for round in 0..3 {
        for talk in &mut talks {
            let from = talk.events.len();
            exchange(talk, round);
            feed(&mut tracker, &talk.events[from..]);
        }
    }
    for talk in &mut talks {
        let from = talk.events.len();
        talk.close();
        feed(&mut tracker, &talk.events[from..]);
    }
    assert_eq!(tracker.counters().rows, 24);
    assert!(tracker.counters().evicted > 0);
    assert_eq!(tracker.counters().connections, 0);
    assert_eq!(lost(&mut tracker), []);
}

#[test]
fn what_an_evicted_connection_held_is_lost_to_the_budget() {
    let mut tracker = tracker(1);
    let mut waiting = Talk::new(1);
    waiting.recv(&request("/waiting"));
    feed(&mut tracker, &waiting.events);
    let mut other = Talk::new(2);
    exchange(&mut other, 0);
    feed(&mut tracker, &other.events);
    assert_eq!(tracker.counters().rows, 1);
    assert_eq!(lost(&mut tracker), [(Cause::Budget, 1)]);
}

#[test]
fn no_more_than_the_given_number_of_connections_is_followed() {
    let mut tracker = tracker(100);
    for id in 0..5000 {
        let mut talk = Talk::new(id);
        exchange(&mut talk, 0);
        feed(&mut tracker, &talk.events);
        assert!(tracker.counters().connections <= 100);
    }
    assert_eq!(tracker.counters().rows, 5000);
}

#[derive(Debug, Clone)]
struct Plan {
    exchanges: Vec<(usize, usize)>,
    parts: usize,
    unanswered: bool,
    losses: BTreeSet<usize>,
    swaps: BTreeSet<usize>,
    pass_every: usize,
}

fn plan() -> impl Strategy<Value = Plan> {
    (
        prop::collection::vec((0usize..60, 0usize..200), 1..12),
        1usize..4,
        any::<bool>(),
        prop::collection::btree_set(0usize..60, 0..6),
        prop::collection::btree_set(0usize..60, 0..4),
        1usize..20,
    )
        .prop_map(|(exchanges, parts, unanswered, losses, swaps, pass_every)| Plan {
            exchanges,
            parts,
            unanswered,
            losses,
            swaps,
            pass_every,
        })
}

fn split(talk: &mut Talk, direction: Direction, text: &str, parts: usize) {
    for part in text.as_bytes().chunks(text.len().div_ceil(parts)) {
        talk.part(direction, part, part.len() as u32);
    }
}

fn answers(one: &Owned, other: &Owned) -> bool {
    let (Owned::Data(one, _), Owned::Data(other, _)) = (one, other) else {
        return false;
    };
    one.direction != other.direction && one.exchange == other.exchange
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is lost, and wherever: every exchange is a row or a loss, and a row is a true one.
    #[test]
    fn rows_and_losses_are_all_exchanges(plans in prop::collection::vec(plan(), 1..4)) {
        let mut tracker = tracker(100);
        let mut streams = Vec::new();
        let mut exchanges = 0;
        for (id, plan) in plans.iter().enumerate() {
            let mut talk = Talk::new(id as u64);
            for (n, (path, body)) in plan.exchanges.iter().enumerate() {
                split(&mut talk, Direction::Recv, &request(&format!("/{n}/{}", "p".repeat(*path))), plan.parts);
                let last = n + 1 == plan.exchanges.len();
                if !(last && plan.unanswered) {
                    split(&mut talk, Direction::Send, &response(&format!("{n} {}", "b".repeat(*body))), plan.parts);
                }
            }
            exchanges += plan.exchanges.len() as u64;
            let mut events = Vec::new();
            let mut lost = 0;
            for (index, event) in talk.events.iter().enumerate() {
                if plan.losses.contains(&index) { lost += 1 } else { events.push(event.clone()) }
            }
            if lost == 0 {
                let last = events.len().saturating_sub(1);
                for index in plan.swaps.iter().filter(|index| **index < last) {
                    // An answer before the end of its request is a true one to the tracker: no process does that
                    // by overtaking itself.
                    if !answers(&events[*index], &events[index + 1]) {
                        events.swap(*index, index + 1);
                    }
                }
            }
            let totals = talk.totals(lost);
            events.push(Owned::Close(totals));
            streams.push(events.into_iter());
        }
        // The connections take turns; passes end in between.
        let (mut step, mut open) = (0, true);
        while open {
            open = false;
            for stream in &mut streams {
                if let Some(event) = stream.next() {
                    open = true;
                    feed(&mut tracker, &[event]);
                    step += 1;
                    if step % plans[0].pass_every == 0 {
                        tracker.tick(0);
                        tracker.begin(0, step as u64);
                    }
                }
            }
        }
        let pairs = pairs(&rows(&mut tracker));
        for (path, body) in &pairs {
            let number = path.split('/').nth(1).unwrap();
            // Bytes may be missing from a body; what there is belongs to this request.
            let seen = body.trim_end_matches("... [TRUNCATED]");
            prop_assert!(format!("{number} {}", "b".repeat(200)).starts_with(seen), "{path}: {body}");
        }
        prop_assert_eq!(pairs.len() as u64, tracker.counters().rows);
        let losses = lost(&mut tracker);
        prop_assert_eq!(tracker.counters().rows + losses.iter().map(|(_, n)| n).sum::<u64>(), exchanges, "{:?}", losses);
    }

    /// Nothing is lost when nothing was lost.
    #[test]
    fn all_exchanges_are_rows(plan in plan()) {
        let mut tracker = tracker(100);
        let mut talk = Talk::new(1);
        for (n, (path, body)) in plan.exchanges.iter().enumerate() {
            split(&mut talk, Direction::Recv, &request(&format!("/{n}/{}", "p".repeat(*path))), plan.parts);
            split(&mut talk, Direction::Send, &response(&format!("{n} {}", "b".repeat(*body))), plan.parts);
        }
        talk.close();
        feed(&mut tracker, &talk.events);
        prop_assert_eq!(tracker.counters().rows, plan.exchanges.len() as u64);
        prop_assert_eq!(lost(&mut tracker), vec![]);
    }
}
