//! Exact accounting of one connection.
//!
//! The kernel numbers the exchanges of a connection. While nothing is missing, the parser's word counts: its rows and
//! its losses. When something is missing, the parser may count too little (whole exchanges it never saw) or too much
//! (a request and its response, each alone), so its losses are ignored until the next turn of the conversation; there
//! the kernel's number says how many exchanges have passed, and what is no row by then is lost.

/// How far rows and losses agree with the kernel's number of exchanges.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ledger {
    /// Rows and losses so far.
    accounted: u64,
    /// `accounted` minus the kernel's number when both last agreed that nothing was in flight. Not 0 where the two
    /// mean different things: pipelined requests, 100-continue.
    offset: i64,
    /// Something is missing since the last turn.
    doubtful: bool,
}

impl Ledger {
    /// One exchange became a row.
    pub(super) fn row(&mut self) {
        self.accounted += 1;
    }

    /// The parser lost `messages`; true when they count, false when the next turn will tell.
    pub(super) fn lost(&mut self, messages: u64) -> bool {
        if self.doubtful {
            return false;
        }
        self.accounted += messages;
        true
    }

    /// Something is missing.
    pub(super) fn doubt(&mut self) {
        self.doubtful = true;
    }

    pub(super) fn doubtful(&self) -> bool {
        self.doubtful
    }

    /// `passed` exchanges are over and nothing is in flight or missing.
    pub(super) fn agree(&mut self, passed: u64) {
        self.offset = self.accounted as i64 - passed as i64;
    }

    /// `passed` exchanges are over: how many of them are neither row nor loss yet. They count as accounted now.
    pub(super) fn settle(&mut self, passed: u64) -> u64 {
        let missing = (self.offset + passed as i64 - self.accounted as i64).max(0) as u64;
        self.accounted += missing;
        self.agree(passed);
        self.doubtful = false;
        missing
    }
}
