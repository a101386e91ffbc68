"""Caddy's own JSON, which a Caddyfile is turned into: its `headers` handlers wherever they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pinwarden.errors import MalformedError
from pinwarden.headers.serverconfig.caddy_value import caddy_value
from pinwarden.headers.serverconfig.collected import Block, Collected
from pinwarden.headers.serverconfig.configured import Action, ConfigReading
from pinwarden.headers.serverconfig.retired_names import retired_name, retired_names

_KEY = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')
_SENT = {"set": Action.SET, "add": Action.ADD}


def is_caddy_json(text: str) -> bool:
    """Whether a text begins as a JSON object; global options of a Caddyfile begin another way."""
    return bool(re.match(r'\ufeff?\s*\{\s*(?:"|\})', text))


def read_caddy_json(text: str) -> ConfigReading:
    """The headers of Caddy's JSON; MalformedError where it is no JSON or nested too deep."""
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise MalformedError("configuration: begins as JSON and is none") from error
    collected = Collected()
    lines = _Lines(text)
    for response, block, conditional in _responses(document):
        _take(response, block, conditional, collected, lines)
    return collected.reading()


class _Lines:
    """The lines on which header names stand, in the order in which they are met."""

    def __init__(self, text: str) -> None:
        self._found: dict[str, list[int]] = {}
        line, counted = 1, 0
        for key in _KEY.finditer(text):
            if len(key[1]) > 40:
                continue
            line += text.count("\n", counted, key.start())
            counted = key.start()
            self._found.setdefault(key[1], []).append(line)
        for lines in self._found.values():
            lines.reverse()

    def next_of(self, name: str) -> int:
        lines = self._found.get(name) or [1]
        return lines.pop() if len(lines) > 1 else lines[0]


_Response = tuple[dict[str, object], Block, bool]


def _responses(document: object) -> Iterator[_Response]:
    """Every `response` operation of a headers handler, and the fixed headers of an answer."""
    stack: list[tuple[object, Block, bool]] = [(document, Block(), False)]
    while stack:
        value, block, conditional = stack.pop()
        inner: list[tuple[object, Block, bool]] = []
        if isinstance(value, dict):
            conditional = conditional or bool(value.get("match"))
            yield from _own(value, block, conditional)
            inner = [
                (each, block.inside(_label(key, each)), conditional)
                for key, each in value.items()
                if isinstance(each, dict | list)
            ]
        elif isinstance(value, list):
            inner = [(each, block, conditional) for each in value if isinstance(each, dict | list)]
        stack += reversed(inner)


def _own(value: dict[str, object], block: Block, conditional: bool) -> Iterator[_Response]:
    handler = value.get("handler")
    headers = value if handler == "headers" else value.get("headers")
    if not isinstance(headers, dict):
        return
    if handler == "static_response":
        yield {"set": headers}, block, conditional
    elif handler in ("headers", "reverse_proxy"):
        response = headers.get("response")
        if isinstance(response, dict):
            yield response, block, conditional or bool(response.get("require"))


def _label(key: str, value: object) -> str:
    # A server's name says something; "routes" and "handle" do not.
    return f"server {key}" if isinstance(value, dict) and "listen" in value else ""


def _take(
    response: dict[str, object],
    block: Block,
    conditional: bool,
    collected: Collected,
    lines: _Lines,
) -> None:
    for key, operation in response.items():
        if key in _SENT and isinstance(operation, dict):
            for name, values in operation.items():
                _take_values(name, values, _SENT[key], block, conditional, collected, lines)
        elif key == "delete" and isinstance(operation, list):
            for pattern in filter(lambda each: isinstance(each, str), operation):
                line = lines.next_of(pattern) if retired_names(pattern) else 1
                for name in retired_names(pattern):
                    collected.header(
                        name, None, line, block, action=Action.REMOVE, conditional=conditional
                    )
        elif key == "replace" and isinstance(operation, dict):
            for name in filter(retired_name, operation):
                collected.header(
                    name,
                    None,
                    lines.next_of(name),
                    block,
                    conditional=conditional,
                    problem="an edit of what is there",
                )


def _take_values(
    name: str,
    values: object,
    action: Action,
    block: Block,
    conditional: bool,
    collected: Collected,
    lines: _Lines,
) -> None:
    if retired_name(name) is None or not isinstance(values, list):
        return
    line = lines.next_of(name)
    written = [each for each in values if isinstance(each, str)]
    # What is set is one field, however many values; what is added is a field for each.
    for each in [",".join(written)] if action is Action.SET else written:
        value, problem = caddy_value(each)
        collected.header(
            name, value, line, block, action=action, conditional=conditional, problem=problem
        )
