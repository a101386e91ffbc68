"""Requests: nothing that its users do every day leads around the pins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.requests import PinnedAdapter, PinnedSession
from pinwarden.errors import ConfigError
from pinwarden.lab.tls import LabTLS
from support.http_origin import BODY, http_origin
from support.origin import Origin
from support.pin_world import HOST, pin_set, world
from support.proxies import TunnelProxy


@pytest.fixture
def session() -> Iterator[PinnedSession]:
    context = PinnedContext(pin_set("good"), cadata=world().bundle)
    with PinnedSession(context) as session:
        session.trust_env = False
        yield session


@contextmanager
def serving(shown: str) -> Iterator[tuple[Origin, str]]:
    with http_origin(world().chains[shown]) as server:
        yield server, f"https://{HOST}:{server.port}/"


def refused(url: str, session: requests.Session, **options: Any) -> None:
    with pytest.raises(requests.exceptions.SSLError) as caught:
        session.get(url, timeout=20, **options)
    assert find_mismatch(caught.value) is not None


@pytest.mark.parametrize("verify", [False, "", 0])
def test_unverified_is_an_error(session: PinnedSession, verify: Any) -> None:
    """`verify=False` must not go by in silence, at a request or at the session."""
    with serving("genuine") as (server, url):
        with pytest.raises(ConfigError, match="verify=False"):
            session.get(url, verify=False)
        session.verify = verify
        with pytest.raises(ConfigError, match="verify"):
            session.get(url)
        assert server.visits == []


def test_another_bundle_is_an_error(session: PinnedSession) -> None:
    """It would be added to a context that others share."""
    with serving("genuine") as (server, url):
        with pytest.raises(ConfigError, match="trust anchors are those of the context"):
            session.get(url, verify=world().cafile)
        session.verify = world().cafile
        with pytest.raises(ConfigError, match="trust anchors are those of the context"):
            session.get(url)
        assert server.visits == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_of_the_environment(name: str, monkeypatch: Any) -> None:
    """The session does not read it; the adapter alone cannot tell, and refuses."""
    monkeypatch.setenv(name, world().cafile)
    context = PinnedContext(pin_set("good"), cadata=world().bundle_of("b"))
    with serving("genuine") as (server, url), PinnedSession(context) as session:
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            session.get(url, timeout=20)
        context.load_verify_locations(cadata=world().bundle_of("a"))
        assert session.get(url, timeout=20).content == BODY
        with pytest.raises(ConfigError, match="verify=False"):
            session.get(url, verify=False)
        count = len(server.visits)
        with requests.Session() as other:
            other.mount("https://", PinnedAdapter(context))
            with pytest.raises(ConfigError, match="trust anchors") as caught:
                other.get(url)
            assert name in str(caught.value.hint)
        assert len(server.visits) == count


def test_the_trust_store_stays_as_it_is() -> None:
    """Requests adds certifi's anchors to a context that it is given; not to ours."""
    context = PinnedContext(pin_set("good"), cadata=world().bundle)
    before = set(context.get_ca_certs(binary_form=True))
    with PinnedSession(context) as session, serving("genuine") as (_, url):
        session.trust_env = False
        assert session.get(url, timeout=20).content == BODY
    assert set(context.get_ca_certs(binary_form=True)) == before
    assert len(before) == 2


def test_a_client_certificate_is_an_error(session: PinnedSession, tmp_path: Path) -> None:
    """It would go into the context, and from there to every other server."""
    with serving("genuine") as (server, url):
        with pytest.raises(ConfigError, match="would be shown to every server"):
            session.get(url, cert=str(tmp_path / "client.pem"))
        assert server.visits == []


@pytest.mark.parametrize("prefix", ["https://localhost", "https://", "HTTPS://LOCALHOST:"])
def test_no_other_adapter_for_https(session: PinnedSession, prefix: str) -> None:
    """An adapter that keeps no pins is an error when it is used, whoever mounted it."""
    session.mount(prefix, HTTPAdapter())
    with serving("genuine") as (server, url):
        with pytest.raises(ConfigError, match="another adapter"):
            session.get(url.upper() if prefix.isupper() else url)
        assert server.visits == []


def test_other_adapters_for_other_schemes(session: PinnedSession) -> None:
    """Plain HTTP is none of our business, and another pinned adapter is as good."""
    session.mount("http://", HTTPAdapter(max_retries=3))
    context = PinnedContext(pin_set("wrong"), cadata=world().bundle)
    session.mount(f"https://{HOST}", PinnedAdapter(context))
    with serving("genuine") as (server, url):
        refused(url, session)
        assert server.drained() == 0


def test_retries_stay_refused() -> None:
    """Trying again does not get through, and options reach the adapter."""
    context = PinnedContext(pin_set("good"), cadata=world().bundle)
    with serving("rogue") as (server, url):
        with PinnedSession(context, max_retries=Retry(2, backoff_factor=0)) as session:
            session.trust_env = False
            refused(url, session)
        assert server.drained() == 0
        assert len(server.visits) == 3


def test_proxies_of_the_environment(session: PinnedSession, monkeypatch: Any) -> None:
    """A proxy that only the environment names does not lead around the pins."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    session.trust_env = True
    with serving("rogue") as (server, url), TunnelProxy(("127.0.0.1", server.port)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        refused(url, session)
        assert proxy.asked
        assert server.drained() == 0


def test_a_context_for_the_proxy() -> None:
    """TLS to a proxy may be held to other pins than the origin, or to none."""
    pins = pin_set("refuse-unpinned")
    origin, own = (
        PinnedContext(each, cadata=world().bundle) for each in (pins, pin_set("good", "127.0.0.1"))
    )
    with (
        serving("genuine") as (server, url),
        TunnelProxy(("127.0.0.1", server.port), world().chains["genuine"]) as proxy,
    ):
        for proxy_context, allowed in ((own, True), (None, False)):
            with PinnedSession(origin, proxy_context=proxy_context) as session:
                session.trust_env, session.proxies = False, {"https": proxy.url}
                if allowed:
                    assert session.get(url, timeout=20).content == BODY
                else:
                    with pytest.raises(requests.exceptions.RequestException) as caught:
                        session.get(url, timeout=20)
                    assert find_mismatch(caught.value) is not None


def test_an_adapter_for_a_prefix_is_gone_around() -> None:
    """Why there is a session: a prefix is not a host. The credentials reach the rogue."""
    context = PinnedContext(pin_set("good"), cadata=world().bundle)
    with LabTLS(world().chains["rogue"]) as server, requests.Session() as session:
        session.trust_env, session.verify = False, world().cafile
        session.mount(f"https://{HOST}", PinnedAdapter(context))
        session.get(f"https://user:secret@{HOST}:{server.port}/", timeout=20)
        assert b"Authorization: Basic" in server.visits[0].said
