"""What `pinwarden pin sign` does."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pinwarden.cli.files import read_file
from pinwarden.cli.output import answer, answer_json, say
from pinwarden.cli.pin import passphrases
from pinwarden.cli.pin.bundle_view import (
    bundle_json,
    bundle_lines,
    changes,
    read_bundle_file,
    read_public_key,
)
from pinwarden.cli.pin.writing import PRIVATE, PUBLIC, write_file, write_new_files
from pinwarden.cli.reading import parse_moment
from pinwarden.errors import ConfigError, MalformedError, PinwardenError, quoted
from pinwarden.pinning.bundle import (
    LARGEST_FILE,
    MOST_LINKS,
    MOST_SIGNATURES,
    MOST_VERSION,
    Bundle,
    BundleFile,
    KeySet,
    SignedText,
    parse_bundle,
    to_bundle_text,
)
from pinwarden.pinning.minisign import Signature, parse_signature
from pinwarden.pinning.minisign_format import ID_OCTETS
from pinwarden.pinning.minisign_secret import (
    SALT_OCTETS,
    SEED_OCTETS,
    SecretKey,
    WrongPassphraseError,
    parse_secret_key,
)
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.strict_json import read_object

__all__ = ["Order", "sign_or_make_keys"]

_DAYS = re.compile(r"([1-9][0-9]{0,3})d")
_LONG = timedelta(days=100)
_LARGEST_KEY = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `sign` was asked for."""

    file: Path | None
    name: str | None
    number: int | None
    expires: str | None
    previous: Path | None
    keys: tuple[Path, ...]
    signatures: tuple[Path, ...]
    next_keys: tuple[str, ...]
    next_threshold: int | None
    passphrase_files: tuple[Path, ...]
    new_keys: tuple[Path, ...]
    no_passphrase: bool
    output: Path | None
    force: bool
    as_json: bool


def sign_or_make_keys(order: Order) -> None:
    """Do what was asked; raises `ConfigError` for what makes no sense or is refused."""
    if order.file is None:
        if not order.new_keys:
            raise ConfigError("pin sign: needs a pin set or a bundle", hint="or --new-key NAME")
        _make_keys(order)
        return
    if order.new_keys:
        raise ConfigError("--new-key: makes keys and signs nothing", hint="leave FILE out")
    if order.as_json and order.output is None:
        raise ConfigError("--json: the bundle has no place on stdout then", hint="-o FILE")
    previous = None if order.previous is None else read_bundle_file(order.previous)
    held = _bundle_in(order.file)
    file = _drafted(order, previous) if held is None else _given(order, held)
    bundle = parse_bundle(file.signed.text)
    if previous is not None:
        _compare(_parsed(previous.signed, "--previous"), bundle)
    signed = _with_signatures(order, file.signed, bundle)
    _write(order, replace(file, signed=signed), bundle)


def _make_keys(order: Order) -> None:
    made = []
    for path in order.new_keys:
        if path.name in ("", ".."):
            raise ConfigError("--new-key: needs a name", hint="such as anna, for anna.key")
        key = SecretKey(secrets.token_bytes(ID_OCTETS), secrets.token_bytes(SEED_OCTETS))
        secret, public = Path(f"{path}.key"), Path(f"{path}.pub")
        for each in (secret, public):
            # Before a passphrase is asked for.
            if each.exists() or each.is_symlink():
                raise ConfigError(f"file {quoted(str(each))}: is there already")
        phrase = _new_passphrase(order, str(secret))
        text = key.file_text(phrase, salt=secrets.token_bytes(SALT_OCTETS))
        write_new_files(
            (secret, text.encode(), PRIVATE), (public, key.public.file_text.encode(), PUBLIC)
        )
        made.append({"key": str(secret), "public": str(public), "key_id": key.public.shown_id})
        if order.as_json:
            continue
        say(
            f"key {key.public.shown_id}: {quoted(str(secret))} signs: keep it away from the network"
        )
        answer(key.public.text)
    if order.as_json:
        answer_json({"new_keys": made})


def _new_passphrase(order: Order, what: str) -> str | None:
    if order.no_passphrase:
        return None
    if order.passphrase_files:
        return passphrases.read_passphrase(order.passphrase_files[0])
    return passphrases.ask_new(f"key {quoted(what)}")


def _bundle_in(path: Path) -> BundleFile | None:
    """The bundle in a file; None if it looks like a pin set."""
    data = read_file(path, LARGEST_FILE)
    if not data.lstrip().startswith(b"{"):
        return None
    try:
        if "bundle" not in read_object(data.decode("utf-8"), "file"):
            return None
    except (MalformedError, UnicodeDecodeError):
        return None
    return read_bundle_file(path)


def _parsed(signed: SignedText, who: str) -> Bundle:
    try:
        return parse_bundle(signed.text)
    except MalformedError as error:
        raise ConfigError(f"{who}: {error}", hint=error.hint) from None


def _drafted(order: Order, previous: BundleFile | None) -> BundleFile:
    """A bundle of the pin set in the file, without signatures yet."""
    assert order.file is not None
    before = None if previous is None else _parsed(previous.signed, "--previous")
    name = order.name or (before.name if before else None)
    number = order.number or (before.version + 1 if before else None)
    if name is None:
        raise ConfigError("--name: which bundles these are must be said", hint="or --previous")
    if number is None:
        raise ConfigError("--version: must be said", hint="1 for the first, or --previous BUNDLE")
    if number > MOST_VERSION:
        raise ConfigError(f"--version {number}: is higher than every client can count")
    issued = datetime.now(UTC).replace(microsecond=0)
    try:
        bundle = Bundle(
            name=name,
            version=number,
            issued=issued,
            expires=_expiry(order.expires, issued),
            pins=PinSet.load(str(order.file)),
            next_keys=_next_keys(order),
        )
        text = to_bundle_text(bundle)
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from None
    file = BundleFile(SignedText(text), () if previous is None else _chain(previous, before))
    if len(file.chain) > MOST_LINKS or len(file.to_json().encode()) > LARGEST_FILE // 2:
        raise ConfigError(
            "bundle: is too large for clients, with the changes of keys before it",
            hint="build clients with the present keys, and begin again without --previous",
        )
    return file


def _chain(previous: BundleFile, before: Bundle | None) -> tuple[SignedText, ...]:
    """What a client must see that missed the bundles before: who changed the keys."""
    if before is not None and before.next_keys is not None:
        return (*previous.chain, previous.signed)
    return previous.chain


def _expiry(text: str | None, issued: datetime) -> datetime:
    if text is None:
        raise ConfigError(
            "--expires: must be said",
            hint="how long may somebody keep newer pins from a client: such as 30d",
        )
    days = _DAYS.fullmatch(text)
    try:
        moment = issued + timedelta(days=int(days[1])) if days else parse_moment(text, "--expires")
    except ConfigError as error:
        raise ConfigError(str(error), hint=f"{error.hint}, or a number of days: 30d") from None
    assert moment is not None
    moment = moment.replace(microsecond=0)
    if moment <= issued:
        raise ConfigError(f"--expires {quoted(text)}: is over")
    if moment - issued > _LONG:
        say(
            f"note: for {(moment - issued).days} days whoever can withhold newer bundles keeps "
            "clients at these pins"
        )
    return moment


def _next_keys(order: Order) -> KeySet | None:
    if not order.next_keys:
        if order.next_threshold is not None:
            raise ConfigError("--next-threshold: of which keys?", hint="--next-key PUB")
        return None
    if order.next_threshold is None:
        raise ConfigError("--next-key: how many of them must sign?", hint="--next-threshold N")
    return KeySet(tuple(map(read_public_key, order.next_keys)), order.next_threshold)


def _given(order: Order, held: BundleFile) -> BundleFile:
    """A bundle that is there already, whose text stays as it is."""
    for option, value in (
        *(("--name", order.name), ("--version", order.number), ("--expires", order.expires)),
        *(("--next-key", order.next_keys), ("--next-threshold", order.next_threshold)),
    ):
        if value:
            raise ConfigError(f"{option}: would change what others have signed")
    if not order.keys and not order.signatures:
        raise ConfigError("pin sign: the bundle is there already", hint="--key or --signature")
    bundle = _parsed(held.signed, f"file {quoted(str(order.file))}")
    if bundle.expired(datetime.now(UTC)):
        raise ConfigError(f"file {quoted(str(order.file))}: the bundle has expired")
    return held


def _compare(before: Bundle, after: Bundle) -> None:
    if before.name != after.name:
        raise ConfigError(f"--previous: is {quoted(before.name)}, not {quoted(after.name)}")
    if after.version <= before.version:
        raise ConfigError(
            f"bundle: version {after.version} does not follow on {before.version}",
            hint="clients would refuse it as a roll-back",
        )
    for line in tuple(changes(before, after)) or ("nothing but the version and the times",):
        say(f"changed: {line}")


def _with_signatures(order: Order, signed: SignedText, bundle: Bundle) -> SignedText:
    found = dict.fromkeys((each.key_id, each.octets) for each in signed.signatures)
    every = list(signed.signatures)
    for signature in (*_made(order, signed, bundle), *map(_read_signature, order.signatures)):
        if (signature.key_id, signature.octets) not in found:
            found[signature.key_id, signature.octets] = None
            every.append(signature)
    if len(every) + len(signed.unread) > MOST_SIGNATURES:
        raise ConfigError(f"bundle: has more than {MOST_SIGNATURES} signatures")
    return replace(signed, signatures=tuple(every))


def _made(order: Order, signed: SignedText, bundle: Bundle) -> Iterator[Signature]:
    files = order.passphrase_files
    if len(files) > 1 and len(files) != len(order.keys):
        raise ConfigError("--passphrase-file: one for all keys, or one for each in their order")
    if order.keys and not order.as_json:
        for line in bundle_lines(bundle):
            say(line)
    comment = f"pinwarden bundle {bundle.name} version {bundle.version}"
    for number, path in enumerate(order.keys):
        file = files[min(number, len(files) - 1)] if files else None
        yield _opened(path, file).sign(signed.octets, trusted_comment=comment)


def _opened(path: Path, passphrase_file: Path | None) -> SecretKey:
    who = f"key {quoted(str(path))}"
    try:
        sealed = parse_secret_key(read_file(path, _LARGEST_KEY).decode("utf-8"))
        if not sealed.encrypted:
            return sealed.open()
        if passphrase_file is not None:
            return sealed.open(passphrases.read_passphrase(passphrase_file))
        return sealed.open(passphrases.ask(who))
    except ConfigError:
        raise
    except UnicodeDecodeError:
        raise ConfigError(f"{who}: is not UTF-8 text") from None
    except (WrongPassphraseError, PinwardenError) as error:
        raise ConfigError(f"{who}: {error}", hint=error.hint) from None


def _read_signature(path: Path) -> Signature:
    try:
        signature = parse_signature(read_file(path, _LARGEST_KEY).decode("utf-8"))
    except (MalformedError, UnicodeDecodeError) as error:
        raise ConfigError(f"file {quoted(str(path))}: is no signature: {error}") from None
    say(f"note: the signature by {signature.shown_id} was added, and not verified")
    return signature


def _write(order: Order, file: BundleFile, bundle: Bundle) -> None:
    text = file.to_json()
    ids = [each.shown_id for each in file.signed.signatures]
    if not ids:
        say("note: a draft that nobody signed")
    if bundle.next_keys is not None:
        say("note: it changes the keys: enough of the old and of the new ones must sign it")
    if order.output is None:
        answer(text)
    else:
        write_file(order.output, text, force=_replaces(order.output, order))
    if order.as_json:
        answer_json(bundle_json(bundle) | {"output": str(order.output), "signed_by": ids})
    elif order.output is not None:
        say(f"{quoted(str(order.output))}: signed by {', '.join(ids) or 'nobody'}")


def _replaces(output: Path, order: Order) -> bool:
    """Whether what is there may go: the same bundle with fewer signatures, or by --force.

    Never a pin set for its bundle: that one may be the only copy.
    """
    if not output.exists():
        return False
    assert order.file is not None
    if output.samefile(order.file):
        if _bundle_in(order.file) is None:
            raise ConfigError(f"--output {quoted(str(output))}: is the pin set itself")
        return True
    return order.force
