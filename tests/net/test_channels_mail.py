"""The mail channel against a real SMTP server: TLS or nothing, and no header from outside."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from pinwarden.config_channels import MailConfig, parse_channels
from pinwarden.errors import ConfigError, OutsideError
from pinwarden.net.channels import PartlyDeliveredError, open_channel
from pinwarden.render import render_message
from support.alerts import issuance, log_fork

# The test server itself, not our client, is what these are about.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
    pytest.mark.filterwarnings("ignore:ssl.SSLContext:DeprecationWarning"),
]


class _Mailbox:
    """What an SMTP server took, and what it answers."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage, bytes]] = []
        self.encrypted: list[bool] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.recipient_answers: dict[str, str] = {}
        self.data_answer = "250 taken"
        self.port = 0

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        answer = self.recipient_answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        if self.data_answer.startswith("250"):
            self.mails.append((list(envelope.rcpt_tos), mail, envelope.content))
            self.encrypted.append(session.ssl is not None)
        return self.data_answer

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"right", handled=False)


@asynccontextmanager
async def _server(
    starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[_Mailbox]:
    box = _Mailbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            box,
            hostname="mail.test",
            tls_context=starttls,
            authenticator=box.authenticate,
            **options,
        ),
        "127.0.0.1",
        0,
        ssl=tls,
    )
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()


def _config(box: _Mailbox, **keys: Any) -> MailConfig:
    table = {
        "type": "mail",
        "host": "localhost",
        "port": box.port,
        "from": "pinwarden@example.com",
        "to": ["one@example.com", "two@example.com"],
        "security": "none",
        "timeout": 10,
        **keys,
    }
    (config,) = parse_channels([table])
    assert isinstance(config, MailConfig)
    return config


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


async def test_one_plain_message_to_everybody() -> None:
    """All recipients get one text message that says what it is and asks for no answer."""
    message = render_message([issuance(issuer="O=Ça, C=FR"), log_fork()])
    async with _server() as box:
        channel = open_channel(_config(box))
        await channel.deliver(message)
        await channel.deliver(message)
    (recipients, mail, raw), (_, repeated, _) = box.mails
    assert recipients == ["one@example.com", "two@example.com"]
    assert mail["Subject"] == message.subject
    assert mail["From"] == "Pinwarden <pinwarden@example.com>"
    assert mail["To"] == "one@example.com, two@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] is not None
    assert mail["Message-ID"] == repeated["Message-ID"]
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == message.text
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) <= 998


async def test_nothing_foreign_becomes_a_header() -> None:
    """A name with line breaks in it adds neither a header nor a body line."""
    evil = "a.example\r\nBcc: victim@example.net\r\n\r\n.\r\nMAIL FROM:<x@example.net>"
    message = render_message([issuance(matched=(evil,), issuer=evil, names=(evil,))])
    async with _server() as box:
        await open_channel(_config(box)).deliver(message)
    ((recipients, mail, raw),) = box.mails
    assert len(recipients) == 2
    assert mail["Bcc"] is None
    assert not any(line.startswith((b"Bcc", b"MAIL", b".")) for line in raw.splitlines())
    assert mail["Subject"].startswith("[Pinwarden] medium: certificate for a.example\\r\\nBcc")


async def test_starttls_and_login(
    server_tls: ssl.SSLContext, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With STARTTLS the connection is encrypted before the password leaves."""
    monkeypatch.setenv("MAIL_PASSWORD", "right")
    async with _server(starttls=server_tls, require_starttls=True, auth_required=True) as box:
        config = _config(
            box,
            security="starttls",
            ca_file=ca_file,
            username="user",
            password_env="MAIL_PASSWORD",
        )
        await open_channel(config).deliver(render_message([issuance()]))
    assert box.encrypted == [True]
    assert box.logins == [(b"user", b"right")]


async def test_tls_from_the_first_byte(server_tls: ssl.SSLContext, ca_file: str) -> None:
    """With implicit TLS the server never sees a plain byte."""
    async with _server(tls=server_tls) as box:
        config = _config(box, security="tls", ca_file=ca_file)
        await open_channel(config).deliver(render_message([issuance()]))
    assert len(box.mails) == 1


async def test_missing_starttls_is_never_a_downgrade(ca_file: str) -> None:
    """A server, or whoever is between, that offers no STARTTLS gets no alert."""
    async with _server() as box:
        config = _config(box, security="starttls", ca_file=ca_file)
        with pytest.raises(OutsideError, match="STARTTLS"):
            await open_channel(config).deliver(render_message([issuance()]))
    assert box.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_stranger_with_another_certificate(
    security: str, server_tls: ssl.SSLContext, tmp_path: Path
) -> None:
    """A certificate from an authority that is not trusted ends the connection."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    offer = {"starttls": server_tls} if security == "starttls" else {"tls": server_tls}
    async with _server(**offer) as box:
        config = _config(box, security=security, ca_file=str(other))
        with pytest.raises(OutsideError, match=r"(?i)certificate") as caught:
            await open_channel(config).deliver(render_message([issuance()]))
    assert not caught.value.permanent
    assert box.mails == []


async def test_wrong_password_is_tried_again(
    server_tls: ssl.SSLContext, ca_file: str, tmp_path: Path
) -> None:
    """A refused login keeps the alert for when the password is right, and hides the wrong one."""
    password = tmp_path / "password"
    password.write_text("wr0ng\n")
    async with _server(starttls=server_tls, auth_required=True) as box:
        config = _config(
            box,
            security="starttls",
            ca_file=ca_file,
            username="user",
            password_file=str(password),
        )
        with pytest.raises(OutsideError, match="login refused: 535") as caught:
            await open_channel(config).deliver(render_message([issuance()]))
    assert not caught.value.permanent
    assert caught.value.hint is not None
    assert "wr0ng" not in str(caught.value)


async def test_refused_for_now_bothers_nobody_twice() -> None:
    """A recipient behind greylisting gets the mail later, and the others only once."""
    message = render_message([issuance()])
    async with _server() as box:
        channel = open_channel(_config(box))
        box.recipient_answers["two@example.com"] = "451 greylisted"
        with pytest.raises(OutsideError, match=r"'two@example.com' \(451\)") as caught:
            await channel.deliver(message)
        assert not isinstance(caught.value, PartlyDeliveredError)
        del box.recipient_answers["two@example.com"]
        await channel.deliver(message)
    assert [recipients for recipients, _, _ in box.mails] == [
        ["one@example.com"],
        ["two@example.com"],
    ]


async def test_refused_for_good_while_others_have_it() -> None:
    """Who never gets the mail is reported, and the others are not sent it again."""
    async with _server() as box:
        box.recipient_answers["two@example.com"] = "550 no such user"
        with pytest.raises(PartlyDeliveredError, match=r"'two@example.com' \(550\)"):
            await open_channel(_config(box)).deliver(render_message([issuance()]))
    assert len(box.mails) == 1


async def test_greylisted_then_refused_for_good() -> None:
    """One who was refused for now and then for good is left out, not tried for ever."""
    message = render_message([issuance()])
    async with _server() as box:
        channel = open_channel(_config(box))
        box.recipient_answers["two@example.com"] = "451 later"
        with pytest.raises(OutsideError):
            await channel.deliver(message)
        box.recipient_answers["two@example.com"] = "550 never"
        with pytest.raises(PartlyDeliveredError):
            await channel.deliver(message)
    assert len(box.mails) == 1


async def test_all_refused_keeps_the_alert() -> None:
    """When nobody has the mail, the alert is not given up for an address."""
    async with _server() as box:
        box.recipient_answers = {
            "one@example.com": "550 relaying denied",
            "two@example.com": "550 relaying denied",
        }
        with pytest.raises(OutsideError) as caught:
            await open_channel(_config(box)).deliver(render_message([issuance()]))
    assert not isinstance(caught.value, PartlyDeliveredError)
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("answer", "permanent"), [("554 not this message", True), ("452 disk full", False)]
)
async def test_refused_content(answer: str, permanent: bool) -> None:
    """A server that refuses the message itself for good is not asked again."""
    async with _server() as box:
        box.data_answer = answer
        with pytest.raises(OutsideError, match=answer) as caught:
            await open_channel(_config(box)).deliver(render_message([issuance()]))
    assert caught.value.permanent is permanent


async def test_silent_server_runs_into_the_limit() -> None:
    """A server that accepts and says nothing is a failure in time."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    box = _Mailbox()
    box.port = server.sockets[0].getsockname()[1]
    with pytest.raises(OutsideError, match=r"(?i)timed out"):
        await open_channel(_config(box, timeout=0.3)).deliver(render_message([issuance()]))
    server.close()
    await server.wait_closed()
    # The refused connection: nobody listens there any more.
    with pytest.raises(OutsideError, match=r"(?i)connect"):
        await open_channel(_config(box)).deliver(render_message([issuance()]))


def test_configuration_faults_are_named(tmp_path: Path) -> None:
    """A missing password, an empty one, or authorities that are none, stop the start."""
    empty = tmp_path / "empty"
    empty.write_text("\n")
    box = _Mailbox()
    box.port = 25
    secure = {"security": "starttls", "username": "user"}
    for keys, reason in [
        ({**secure, "password_file": str(tmp_path / "missing")}, "No such file or directory"),
        ({**secure, "password_file": str(empty)}, "is empty or not set"),
        ({**secure, "password_env": "NOT_SET_ANYWHERE"}, "is empty or not set"),
        ({"security": "tls", "ca_file": str(empty)}, "ca_file"),
    ]:
        with pytest.raises(ConfigError, match=reason):
            open_channel(_config(box, **keys))
