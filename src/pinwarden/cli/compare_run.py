"""Comparing the store with other sources, and telling what either lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pinwarden.cli.history_sources import HistoryOptions, history_from, load_history
from pinwarden.cli.output import ExitCode, answer, answer_json, say, say_error, say_notes
from pinwarden.cli.reading import read_store, store_url
from pinwarden.errors import ConfigError
from pinwarden.monitor.daemon import BASELINE_AT
from pinwarden.net.history.comparison import Compared, Standing, compare_histories
from pinwarden.render.account import counted
from pinwarden.render.history import issuance_json, issuance_line
from pinwarden.store.contract import Store

_WORDS = {
    Standing.MISSING: "missing from the store",
    Standing.OURS_ONLY: "in the store alone",
    Standing.OURS_ONLY_ENDED: "in the store alone, and ended",
    Standing.BEFORE_WATCHING: "from before watching began",
    Standing.TOO_NEW: "of the last 24 hours, not seen yet",
    Standing.BOTH: "in both",
}
# What is listed one by one; of the others a number says enough.
_LISTED = (Standing.MISSING, Standing.OURS_ONLY, Standing.TOO_NEW)


def compare_names(
    names: Sequence[str], options: dict[str, Any], *, below: bool, as_json: bool
) -> int:
    """Compare for all names, tell, and return the exit code; raises `ConfigError`."""
    at = datetime.now(UTC)
    chosen = history_from(options, at=at, below=below, flag="--with")
    if "store" in chosen.sources:
        raise ConfigError("--with store: the store is what others are compared with")
    began = _began(chosen)
    history = load_history(names, replace(chosen, sources=("store", *chosen.sources)))
    compared = compare_histories(history.told, began=began, at=at)
    if as_json:
        for each in compared:
            answer_json({"standing": str(each.standing)} | issuance_json(each.issuance, each.told))
    else:
        answer(_text(compared, began, at, whole=not history.failures))
    say_notes(history.notes)
    if began is None:
        say("note: the store does not say when watching began, so all of it should be there")
    for error in history.failures:
        say_error(error)
    if any(each.standing is Standing.MISSING for each in compared):
        say("hint: are all of these names watched, and all logs followed? `pinwarden alerts`")
        return ExitCode.FINDINGS
    return ExitCode.UNFINISHED if history.failures else ExitCode.OK


def _began(options: HistoryOptions) -> datetime | None:
    async def read(store: Store) -> str | None:
        return await store.load_meta(BASELINE_AT)

    text = read_store(store_url(options.store, options.config_file), read)
    return None if text is None else datetime.fromisoformat(text)


def _text(
    compared: Sequence[Compared], began: datetime | None, at: datetime, *, whole: bool
) -> str:
    counts = {standing: sum(each.standing is standing for each in compared) for standing in _WORDS}
    missing = counts[Standing.MISSING]
    known = sum(counts[each] for each in (Standing.BOTH, Standing.MISSING))
    since = "" if began is None else f" since {began:%Y-%m-%d %H:%M} UTC"
    if missing:
        first = (
            f"the store lacks {missing} of {counted(known, 'issuance')} that others know of{since}"
        )
    elif not whole:
        first = f"nothing is missing among what could be compared, which is not everything{since}"
    elif known:
        first = f"the store lacks nothing of what others know: {counted(known, 'issuance')}{since}"
    else:
        first = f"others know of nothing{since} that the store should have"
    lines = [first]
    lines += [
        f"  {count} {words}"
        for standing, words in _WORDS.items()
        if (count := counts[standing]) and standing is not Standing.MISSING
    ]
    for standing in _LISTED:
        if counts[standing]:
            lines += ["", f"{_WORDS[standing]}:"]
            lines += [
                f"  {issuance_line(each.issuance, each.told, at)}"
                for each in compared
                if each.standing is standing
            ]
    return "\n".join(lines)
