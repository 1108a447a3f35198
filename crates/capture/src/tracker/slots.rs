//! The tracked connections: a bounded set, the longest idle leaves first.

use std::ops::{Index, IndexMut};

use rustc_hash::FxHashMap;

use super::connection::Connection;

/// A bounded set of connections.
#[derive(Debug)]
pub(super) struct Slots {
    by_id: FxHashMap<u64, u32>,
    slots: Vec<Option<Box<Connection>>>,
    free: Vec<u32>,
    hand: usize,
    capacity: usize,
}

impl Slots {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, u32::MAX as usize);
        Self {
            by_id: FxHashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
            capacity,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    #[inline]
    pub(super) fn find(&self, id: u64) -> Option<usize> {
        self.by_id.get(&id).map(|slot| *slot as usize)
    }

    pub(super) fn is_full(&self) -> bool {
        self.by_id.len() >= self.capacity
    }

    /// Adds a connection; the caller has made room.
    pub(super) fn insert(&mut self, connection: Connection) -> usize {
        let id = connection.info.id;
        let slot = self.free.pop().map_or(self.slots.len(), |slot| slot as usize);
        let connection = Some(Box::new(connection));
        if slot == self.slots.len() {
            self.slots.push(connection);
        } else {
            self.slots[slot] = connection;
        }
        self.by_id.insert(id, slot as u32);
        slot
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Box<Connection>> {
        let slot = self.by_id.remove(&id)?;
        self.free.push(slot);
        self.slots[slot as usize].take()
    }

    /// The connection to leave when there is no more room: one that was idle for a whole round of the hand.
    pub(super) fn victim(&mut self) -> Option<u64> {
        // Two rounds: the first may find every connection in use.
        for _ in 0..self.slots.len() * 2 {
            self.hand = (self.hand + 1) % self.slots.len();
            if let Some(connection) = &mut self.slots[self.hand]
                && !std::mem::take(&mut connection.touched)
            {
                return Some(connection.info.id);
            }
        }
        None
    }
}

impl Index<usize> for Slots {
    type Output = Connection;

    #[inline]
    fn index(&self, slot: usize) -> &Connection {
        self.slots[slot]
            .as_deref()
            .expect("the index names only slots in use")
    }
}

impl IndexMut<usize> for Slots {
    #[inline]
    fn index_mut(&mut self, slot: usize) -> &mut Connection {
        self.slots[slot]
            .as_deref_mut()
            .expect("the index names only slots in use")
    }
}
