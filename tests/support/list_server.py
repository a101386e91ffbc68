"""A server of log lists on loopback that says what it is told to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web

from pinwarden.ct.log import Program
from pinwarden.net.loglists.sources import ListInUse, ListSource
from support.log_lists import entry, list_json, sign_list, signer_pem

AT = datetime(2026, 10, 1, 12, tzinfo=UTC)


def dated(day: str, *names: str, **top: str) -> bytes:
    """A list of that day, with one log for each name."""
    logs = [entry(name) for name in names or ("A",)]
    return list_json(*logs, log_list_timestamp=f"{day}T00:00:00Z", **top)


@dataclass
class ListServer:
    """Serves what it is given; a list of bodies is served one after another."""

    url: str = ""
    bodies: dict[str, bytes | list[bytes]] = field(default_factory=dict)
    validators: bool = True
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        body = self.bodies.get(request.path)
        if isinstance(body, list):
            body = body.pop(0) if len(body) > 1 else body[0]
        if body is None:
            return web.Response(status=404)
        tag = f'"{hash(body)}"'
        if self.validators and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        headers = {"ETag": tag, "Last-Modified": format_datetime(AT)} if self.validators else {}
        return web.Response(body=body, headers=headers)

    def serve(self, body: bytes, signature: bytes | None = None) -> None:
        """Serve a list, with its signature unless another is given."""
        self.bodies["/list.json"] = body
        self.bodies["/list.sig"] = sign_list(body) if signature is None else signature

    def source(self, program: Program = Program.CHROME, *, signed: bool = True) -> ListSource:
        """The list here, as if `program` published it."""
        return ListSource(f"{self.url}/list.json", program, signer_pem() if signed else None)

    def paths(self) -> list[str]:
        """What was asked for since the last call."""
        paths = [request.path for request in self.asked]
        self.asked.clear()
        return paths


def kinds(used: ListInUse) -> list[str]:
    return [finding.id for finding in used.findings]


def names(used: ListInUse) -> list[str]:
    return [log.description for log in used.log_list.logs]
