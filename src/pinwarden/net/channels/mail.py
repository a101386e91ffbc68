"""Alerts by SMTP: plain text, one message for all recipients, never downgraded.

STARTTLS is required where it is configured, whatever the server offers: one who
can remove the offer from the wire could otherwise read and stop every alert.
The Message-ID is made from the alerts' key, so that a message sent again after
a lost answer is known as the same one.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

import aiosmtplib

from pinwarden.config_channels import MailConfig
from pinwarden.errors import OutsideError, quoted
from pinwarden.net.channels.contract import PartlyDeliveredError
from pinwarden.net.channels.secrets import read_secret
from pinwarden.net.channels.trust import tls_context
from pinwarden.render import Message

_MOST_SERVED = 100
_FAREWELL = 2.0


class MailChannel:
    """Sends each message to all recipients in one SMTP transaction."""

    def __init__(self, config: MailConfig) -> None:
        self.name = config.name
        self.group = config.group
        self.timeout = config.timeout
        self._config = config
        self._target = f"mail server {quoted(config.host)}"
        self._password = read_secret(
            config.name, "password", config.password_file, config.password_env
        )
        self._tls = None if config.security == "none" else tls_context(config.name, config.ca_file)
        # Recipients who have a message that others were only refused for now.
        self._served: dict[str, set[str]] = {}

    async def deliver(self, message: Message) -> None:
        """Send one message to everybody who does not have it yet."""
        served = set(self._served.get(message.key, ()))
        recipients = [address for address in self._config.to if address not in served]
        refused = await self._send(_mail(self._config, message), recipients)
        served |= set(recipients) - refused.keys()
        self._served.pop(message.key, None)
        if not refused:
            return
        listed = ", ".join(f"{quoted(address)} ({code})" for address, code in refused.items())
        reason = f"{self._target}: refused the recipients {listed}"
        # RFC 5321 section 4.2.1: 5yz is final, 4yz is not. A message that nobody has is
        # tried again all the same, for the reason may be on our side.
        if served and all(code >= 500 for code in refused.values()):
            raise PartlyDeliveredError(reason, target=self._target, permanent=True)
        self._remember(message.key, served)
        raise OutsideError(reason, target=self._target)

    async def _send(self, mail: EmailMessage, recipients: Collection[str]) -> Mapping[str, int]:
        """Hand the mail over; the recipients that were refused, with the SMTP code."""
        config = self._config
        client = aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            # The default is a DNS lookup that may take half a minute.
            local_hostname=socket.gethostname(),
            timeout=config.timeout,
            use_tls=config.security == "tls",
            start_tls=config.security == "starttls",
            tls_context=self._tls,
            username=config.username,
            password=self._password,
        )
        try:
            await client.connect()
            refused, _ = await client.sendmail(
                config.sender, list(recipients), mail.as_bytes(policy=SMTP_POLICY)
            )
            # The mail is taken: a farewell that fails must not have it sent again.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_FAREWELL)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return {each.recipient: each.code for each in error.recipients}
        except aiosmtplib.SMTPResponseException as error:
            raise self._answered(error) from error
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", None) or error.reason or "TLS failed"
            raise self._failed(f"TLS failed: {reason}") from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._failed(str(error) or type(error).__name__) from error
        finally:
            client.close()
        return {address: response.code for address, response in refused.items()}

    def _answered(self, error: aiosmtplib.SMTPResponseException) -> OutsideError:
        said = f"{error.code} {error.message}"
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            # The next password may be right; the alert must still be there then.
            return self._failed(f"login refused: {said}", hint="check the username and password")
        about_message = isinstance(error, aiosmtplib.SMTPDataError)
        return self._failed(said, permanent=about_message and error.code >= 500)

    def _failed(
        self, reason: str, *, permanent: bool = False, hint: str | None = None
    ) -> OutsideError:
        return OutsideError(
            f"{self._target}: {quoted(reason)}", target=self._target, permanent=permanent, hint=hint
        )

    def _remember(self, key: str, served: set[str]) -> None:
        self._served[key] = served
        while len(self._served) > _MOST_SERVED:
            del self._served[next(iter(self._served))]


def _mail(config: MailConfig, message: Message) -> EmailMessage:
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = Address("Pinwarden", addr_spec=config.sender)
    mail["To"] = ", ".join(config.to)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    identity = hashlib.sha256(message.key.encode("utf-8", "backslashreplace")).hexdigest()
    mail["Message-ID"] = f"<{identity[:40]}@{config.sender.rpartition('@')[2]}>"
    # RFC 3834 section 5: no vacation notice answers this.
    mail["Auto-Submitted"] = "auto-generated"
    # Plain text only: nothing a certificate holds can become markup.
    mail.set_content(message.text, cte="quoted-printable")
    return mail
