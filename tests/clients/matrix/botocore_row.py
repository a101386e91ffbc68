"""Row: botocore, by a call of S3 to an endpoint of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import ClassVar

import botocore.session
from botocore.config import Config

from clients.matrix.harness import Ask, Target, Wiring
from clients.matrix.http_row import HTTPRow
from pinwarden.clients.botocore import hold


class Botocore(HTTPRow):
    name = "botocore"
    skips: ClassVar[Mapping[str, str]] = {
        "redirect": "sends on only to endpoints of the same service, by rules of its own",
        "userinfo": "takes no user and password in an endpoint's URL",
        "proxy-with-pins": "TLS to the proxy itself stays botocore's own",
    }

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        session = _session()
        proxies = {"https": wiring.proxy} if wiring.proxy else None
        trust = wiring.cafile if wiring.context is None else None
        clients = {}

        def client(target: Target) -> object:
            made = session.create_client(
                "s3",
                region_name="eu-west-1",
                endpoint_url=f"https://{target.host}:{target.port}",
                verify=wiring.verify and trust,
                config=Config(
                    proxies=proxies,
                    proxies_config={"proxy_ca_bundle": wiring.cafile} if proxies else None,
                    s3={"addressing_style": "path"},
                    retries={"total_max_attempts": 2, "mode": "standard"},
                ),
            )
            if wiring.context is not None:
                hold(made, wiring.context)
            return made

        def ask(target: Target) -> bytes:
            if target not in clients:
                clients[target] = client(target)
            answer = clients[target].get_object(Bucket="bucket", Key="key")
            body: bytes = answer["Body"].read()
            return body

        try:
            yield ask
        finally:
            for each in clients.values():
                each.close()


@cache
def _session() -> botocore.session.Session:
    """One for all cells: it reads the description of the service, which takes a second."""
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret")
    return session


BOTOCORE_ROWS = (Botocore(),)
