"""The issuer map in use: the one that ships, or one made of reports that the user named."""

from __future__ import annotations

import contextlib
import json
import os
from functools import cache
from pathlib import Path

import platformdirs

from pinwarden.caa.issuers.map import IssuerMap, load_issuers, parse_issuers
from pinwarden.cli.output import say
from pinwarden.errors import MalformedError, StoreError


def saved_map_file() -> Path:
    """Where a map made of newer reports is kept: both tables in one file, so that they fit."""
    return platformdirs.user_state_path("pinwarden") / "caa-issuers.json"


@cache
def current_issuers() -> IssuerMap:
    """The map that every command uses: the saved one unless the one that ships is newer.

    A saved map that cannot be read is left aside, and stderr says so.
    """
    shipped = load_issuers()
    saved = saved_issuers()
    if saved is None or (saved.dated and shipped.dated and saved.dated < shipped.dated):
        return shipped
    return saved


def saved_issuers() -> IssuerMap | None:
    """The map made of the user's reports, if there is one that can be read."""
    try:
        tables = json.loads(saved_map_file().read_bytes())
        owners, keys = tables["owners"], tables["keys"]
        return parse_issuers(owners, lambda: keys)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        what = error if isinstance(error, MalformedError | OSError) else "it is damaged"
        say(f"the saved issuer map is not used: {what}")
        return None


def save_issuers(owners: str, keys: str) -> Path:
    """Keep a map in place of the one that ships. Raises `StoreError` if it cannot be kept."""
    import tempfile

    target = saved_map_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                json.dump({"owners": owners, "keys": keys}, file)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise StoreError(f"issuer map: cannot be kept in {target}: {error.strerror}") from error
    current_issuers.cache_clear()
    return target


def forget_issuers() -> bool:
    """Go back to the map that ships; whether there was another one."""
    try:
        saved_map_file().unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"issuer map: cannot be removed: {error.strerror}") from error
    current_issuers.cache_clear()
    return True
