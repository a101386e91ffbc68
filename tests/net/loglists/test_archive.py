"""Chrome's zip file of list and signature, whole and damaged."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.log import Program
from pinwarden.errors import MalformedError, PinwardenError
from pinwarden.findings import (
    LOG_LIST_REFUSED,
)
from pinwarden.net.http import HTTPClient
from pinwarden.net.loglists.archive import unpack_list
from pinwarden.net.loglists.fetch import fetch_log_list
from pinwarden.net.loglists.sources import ListSource
from support.list_server import AT, ListServer, dated, kinds, names
from support.log_lists import sign_list, signer_pem


def pack(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return packed.getvalue()


async def test_the_zip_with_list_and_signature(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """Chrome's zip holds both in one file; the signature is as necessary there."""
    source = ListSource(f"{server.url}/list.zip", Program.CHROME, signer_pem())
    body = dated("2026-09-01", "A")
    server.bodies["/list.zip"] = pack(list_json=body, list_sig=sign_list(body))
    used = await fetch_log_list(http, source, tmp_path, at=AT)
    assert (names(used), used.signed) == (["A"], True)
    assert server.paths() == ["/list.zip"]
    for refused in (pack(list_json=dated("2026-09-02", "Evil")), b"PK\x03\x04", b""):
        server.bodies["/list.zip"] = refused
        used = await fetch_log_list(http, source, tmp_path, at=AT)
        assert (names(used), kinds(used)) == (["A"], [LOG_LIST_REFUSED.id])


def test_a_zip_bomb_is_refused() -> None:
    """No member is inflated beyond the limit, and not any number of them."""
    with pytest.raises(MalformedError, match="larger than 1000 bytes"):
        unpack_list(pack(list_json=bytes(10_000_000)), 1000)
    with pytest.raises(MalformedError, match="more than 16 members"):
        unpack_list(pack(**{f"m{n}_json": b"" for n in range(17)}), 1000)
    with pytest.raises(MalformedError, match="2 JSON files"):
        unpack_list(pack(a_json=b"", b_json=b""), 1000)


@given(st.data())
def test_a_damaged_zip_is_malformed(data: st.DataObject) -> None:
    """Only our own error comes out of any change to a zip file."""
    archive = bytearray(pack(list_json=b'{"operators": []}' * 9, list_sig=b"s" * 20))
    for _ in range(data.draw(st.integers(1, 4))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    try:
        unpack_list(bytes(archive[: data.draw(st.integers(0, len(archive)))]), 1000)
    except PinwardenError:
        return


@given(st.binary(max_size=400))
def test_any_bytes_are_a_zip_or_malformed(data: bytes) -> None:
    """Only our own error comes out of any bytes."""
    try:
        unpack_list(data, 1000)
    except PinwardenError:
        return
