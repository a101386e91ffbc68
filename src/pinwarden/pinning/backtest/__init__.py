"""A pin set tried on the certificates of the past: on which days it would have locked clients out.

`backtest_pins` in `days.py` is the whole; `above.py` knows which keys stand above an issuing
key, `trial.py` judges one certificate by what is known of it, and `turns.py` says which
certificate was presumably served when.
"""

from __future__ import annotations

from pinwarden.pinning.backtest.above import KeysAbove
from pinwarden.pinning.backtest.days import Outcome, PinBacktest, Stretch, backtest_pins
from pinwarden.pinning.backtest.trial import Ground, Trial
from pinwarden.pinning.backtest.turns import covers

__all__ = [
    "Ground",
    "KeysAbove",
    "Outcome",
    "PinBacktest",
    "Stretch",
    "Trial",
    "backtest_pins",
    "covers",
]
