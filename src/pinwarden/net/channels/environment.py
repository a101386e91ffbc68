"""An alert as environment variables, by the names that certspotter's hooks know."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from pinwarden.names import display

_LONGEST = 4096


def alert_environment(event: dict[str, Any]) -> dict[str, str]:
    """The variables for one alert, given as `alert_json` gives it.

    Values are printable and bounded; what is not known is not set.
    """
    found = event["finding"]
    values: dict[str, object] = {
        "EVENT": _event(event),
        "SUMMARY": event["summary"],
        "PINWARDEN_KEY": event["key"],
        "PINWARDEN_ALERT": event["alert"],
        "PINWARDEN_AGAIN": "1" if event["again"] else "0",
        "PINWARDEN_FINDING": found["id"],
        "PINWARDEN_SEVERITY": found["severity"],
        "PINWARDEN_SUBJECT": found.get("subject"),
        "PINWARDEN_MESSAGE": found.get("message"),
    }
    if event["sighting"] is not None:
        values |= _sighting(event["sighting"])
    return {
        name: display(str(value), _LONGEST)
        for name, value in values.items()
        if value is not None and value != ""
    }


def _event(event: dict[str, Any]) -> str:
    if event["sighting"] is None:
        return "error"
    return "discovered_cert" if event["sighting"]["kind"] == "certificate" else "malformed_cert"


def _sighting(sighting: dict[str, Any]) -> dict[str, object]:
    place = sighting["logs"][0]
    pin = sighting["spki_sha256"]
    return {
        "PINWARDEN_VERDICT": sighting["verdict"],
        "PINWARDEN_MATCHED": " ".join(sighting["matched"]),
        "PINWARDEN_VERIFIED": "1" if place["verified"] else "0",
        "PINWARDEN_PIN": pin and f"sha256//{pin}",
        "WATCH_ITEM": sighting["matched"][0] if sighting["matched"] else None,
        "LOG_URI": place["url"],
        "ENTRY_INDEX": place["index"],
        "LEAF_HASH": place["leaf_hash"],
        "PARSE_ERROR": "; ".join(sighting["problems"]),
        "TBS_SHA256": sighting["tbs_sha256"],
        "CERT_SHA256": sighting["certificate_sha256"],
        "PUBKEY_SHA256": pin and base64.b64decode(pin).hex(),
        "SUBJECT_DN": sighting["subject"],
        "ISSUER_DN": sighting["issuer"],
        "SERIAL": sighting["serial"],
        **_moments("NOT_BEFORE", sighting["not_before"]),
        **_moments("NOT_AFTER", sighting["not_after"]),
    }


def _moments(name: str, text: str | None) -> dict[str, object]:
    if text is None:
        return {}
    moment = datetime.fromisoformat(text)
    return {
        name: moment.replace(tzinfo=None).isoformat(" ") + " UTC",
        f"{name}_RFC3339": text,
        f"{name}_UNIXTIME": int(moment.timestamp()),
    }
