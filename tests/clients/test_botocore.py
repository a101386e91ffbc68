"""botocore: a client that is held stays held, whatever it was configured to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session
import pytest
from botocore.config import Config

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.botocore import hold
from pinwarden.errors import ConfigError
from support.http_origin import BODY, http_origin
from support.pin_world import HOST, pin_set, world
from support.proxies import TunnelProxy


def client(port: int, scheme: str = "https", **options: Any) -> Any:
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret")
    config = Config(s3={"addressing_style": "path"}, **options.pop("config", {}))
    return session.create_client(
        "s3",
        region_name="eu-west-1",
        endpoint_url=f"{scheme}://{HOST}:{port}",
        config=config,
        **options,
    )


def pinned(pins: str = "good") -> PinnedContext:
    return PinnedContext(pin_set(pins), cadata=world().bundle)


def get(made: Any) -> bytes:
    body: bytes = made.get_object(Bucket="bucket", Key="key")["Body"].read()
    return body


def refused(made: Any) -> None:
    with pytest.raises(botocore.exceptions.SSLError) as caught:
        get(made)
    assert find_mismatch(caught.value) is not None


def test_verify_false_changes_nothing() -> None:
    """The held client verifies, although it was told not to."""
    with http_origin(world().chains["genuine"]) as server:
        made = client(server.port, verify=False)
        hold(made, pinned())
        assert get(made) == BODY
        made.close()
    for shown in ("rogue", "self-signed", "forged"):
        with http_origin(world().chains[shown]) as server:
            made = client(server.port, verify=False)
            hold(made, pinned())
            with pytest.raises(botocore.exceptions.SSLError):
                get(made)
            made.close()
            assert server.drained() == 0


def test_holding_again_replaces() -> None:
    """The newest context alone counts, for writing too."""
    with http_origin(world().chains["genuine"]) as server:
        made = client(server.port)
        hold(made, pinned("wrong"))
        refused(made)
        assert server.said == 0
        hold(made, pinned())
        assert get(made) == BODY
        hold(made, pinned("wrong"))
        before = server.said
        with pytest.raises(botocore.exceptions.SSLError):
            made.put_object(Bucket="bucket", Key="key", Body=b"secret" * 1000)
        made.close()
        assert server.drained() == before


def test_the_context_stays_as_it_is() -> None:
    """Neither the anchors of botocore are added to it nor those that are meant for a proxy."""
    context = PinnedContext(pin_set("good"), cadata=world().bundle_of("a"))
    with (
        http_origin(world().chains["genuine"]) as server,
        TunnelProxy(("127.0.0.1", server.port), world().chains["rogue"]) as proxy,
    ):
        proxied = {
            "proxies": {"https": proxy.url},
            "proxies_config": {"proxy_ca_bundle": world().cafile},
        }
        made = client(server.port, config=proxied)
        hold(made, context)
        assert get(made) == BODY
        made.close()
        assert proxy.asked
    assert context.get_ca_certs(binary_form=True) == [world().authorities.a.root]


def test_a_client_certificate_is_an_error(tmp_path: Path) -> None:
    """It would go into the context, and from there to every other server."""
    made = client(1, config={"client_cert": str(tmp_path / "client.pem")})
    with pytest.raises(ConfigError, match="would be shown to every server"):
        hold(made, pinned())
    made.close()


def test_a_proxy_in_the_place_of_the_client_is_an_error() -> None:
    """A proxy that requests are forwarded to sees them, and its chain is not the service's."""
    forwarding = {"proxy_use_forwarding_for_https": True}
    made = client(1, config={"proxies_config": forwarding})
    with pytest.raises(ConfigError, match="the proxy speaks TLS"):
        hold(made, pinned())
    made.close()


def test_plain_http_is_left_alone() -> None:
    """An endpoint without TLS is spoken to as before: there is nothing to pin."""
    made = client(1, scheme="http", config={"retries": {"total_max_attempts": 1}})
    hold(made, pinned())
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        get(made)
    made.close()
