"""The collector of cycles, kept from looking where there are none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_resting = 0
_was_enabled = False


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Without looking for cycles: loading and rendering make millions of objects and next to none.

    A look at all of them takes as long as a hundred thousand answers. Several threads may want it at a time.
    """
    global _resting, _was_enabled
    with _lock:
        if not _resting:
            _was_enabled = gc.isenabled()
        _resting += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _resting -= 1
            if _was_enabled and not _resting:
                gc.enable()
