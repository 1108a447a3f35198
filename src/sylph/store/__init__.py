"""Hot and cold tables under one budget."""

from sylph.store.files import StoreBusyError
from sylph.store.follow import Follower
from sylph.store.loss import Cause, Loss
from sylph.store.segment import Segment
from sylph.store.snapshot import Snapshot
from sylph.store.stats import TableStats
from sylph.store.store import Store

__all__ = ["Cause", "Follower", "Loss", "Segment", "Snapshot", "Store", "StoreBusyError", "TableStats"]
