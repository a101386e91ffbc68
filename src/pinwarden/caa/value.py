"""The value of issue, issuewild, issuemail and issuevmc (RFC 8659 section 4.2).

    issue-value = *WSP [issuer-domain-name *WSP] [";" *WSP [parameters *WSP]]
    issuer-domain-name = label *("." label)
    label = (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT))
    parameters = (parameter *WSP ";" *WSP parameters) / parameter
    parameter = tag *WSP "=" *WSP value
    tag = (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT))
    value = *(%x21-3A / %x3C-7E)

No production but the separators holds a semicolon, so a value is read by cutting
it at its semicolons, in linear time whatever it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pinwarden.errors import MalformedError, quoted

_BLANKS = b" \t"
_VCHAR = re.compile(rb"[\x21-\x3a\x3c-\x7e]*")
_COMMA_IN_LIST = re.compile(rb",[ \t]")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One `tag=value` of an issue value, as written."""

    tag: str
    value: str


@dataclass(frozen=True, slots=True)
class IssueValue:
    """What an issue value says: whom it names, as written, and under which conditions.

    `issuer` is None for the empty issuer, which authorises nobody.
    """

    issuer: str | None
    parameters: tuple[Parameter, ...] = ()

    def named(self, tag: str) -> tuple[str, ...]:
        """The values of every parameter with this tag, compared without regard to case."""
        wanted = tag.lower()
        return tuple(each.value for each in self.parameters if each.tag.lower() == wanted)


def parse_issue_value(value: bytes) -> IssueValue:
    """A value by the grammar above, exactly; whoever evaluates it takes a misfit as empty issuer.

    Raises `MalformedError`, which says what is wrong and where, with a hint for the
    mistakes that are usual.
    """
    first, *rest = value.split(b";")
    issuer = _issuer(first.strip(_BLANKS), value)
    if not rest or (len(rest) == 1 and not rest[0].strip(_BLANKS)):
        return IssueValue(issuer)
    parameters = []
    for number, piece in enumerate(rest, 1):
        parameters.append(_parameter(piece.strip(_BLANKS), number, len(rest), value))
    return IssueValue(issuer, tuple(parameters))


def _issuer(text: bytes, value: bytes) -> str | None:
    if not text:
        return None
    if all(_is_label(label) for label in text.split(b".")):
        return text.decode("ascii")
    wrong, advice = _issuer_problem(text)
    raise _malformed(value, f"issuer {quoted(text)} {wrong}", advice)


def _is_label(label: bytes) -> bool:
    """Whether this is a label of an issuer, or the tag of a parameter: the same production."""
    return (
        label.replace(b"-", b"").isalnum()
        and not label.startswith(b"-")
        and not label.endswith(b"-")
    )


def _issuer_problem(text: bytes) -> tuple[str, str | None]:
    """What is wrong with an issuer, and what to do, the most telling first."""
    for octets, problem, hint in (
        (b'"', "has quotes in it", "leave out the inner quotes: the name server adds its own"),
        (b"'", "has quotes in it", "leave out the quotes"),
        (b"\\", "has a backslash in it", "leave out the escape: the value is taken literally"),
        (b",", "has a comma in it", "publish one record for each CA"),
        (b"@", "is an address", "name the CA by its domain; reports go to an iodef record"),
        (b"*", "has a wildcard in it", "name the CA by its own domain, without a wildcard"),
    ):
        if octets in text:
            return problem, hint
    blank = re.search(rb"[ \t]", text) is not None
    # The colon of an account URI is not what is wrong.
    if b":" in text and not (blank and b"=" in text):
        return "has a colon in it", "name the CA by its domain alone"
    if blank or b"=" in text:
        one = "publish one record for each CA"
        cut = "put a semicolon between the CA and its parameters"
        return "has a blank or an equals sign in it", cut if b"=" in text else one
    return _label_problem(text)


def _label_problem(text: bytes) -> tuple[str, str | None]:
    if not text.isascii():
        return "is not ASCII", "write an internationalised domain as A-labels (xn--...)"
    if b"_" in text:
        return "has an underscore in it", "the domain of a CA has letters, digits and hyphens only"
    if text.endswith(b"."):
        return "ends with a dot", "leave out the final dot"
    if text.startswith(b".") or b".." in text:
        return "has an empty label", None
    odd = next((octet for octet in text if not _may_stand(octet)), None)
    if odd is not None:
        return f"has octet {odd:#04x} in it", None
    return "has a label that begins or ends with a hyphen", None


def _may_stand(octet: int) -> bool:
    return octet in b"-." or bytes((octet,)).isalnum()


def _parameter(text: bytes, number: int, count: int, value: bytes) -> Parameter:
    """One parameter, trimmed; `number` counts from 1, of `count` pieces."""
    where = f"parameter {number}"
    if not text:
        if number == count and count > 1:
            problem = "ends with a semicolon after its parameters"
            raise _malformed(value, problem, "leave out the semicolon at the end")
        raise _malformed(value, f"{where} is empty", "leave out one of the two semicolons")
    tag, equals, rest = text.partition(b"=")
    tag, content = tag.rstrip(_BLANKS), rest.lstrip(_BLANKS)
    hint: str | None
    if not equals:
        hint = "write a parameter as tag=value; another CA needs a record of its own"
        raise _malformed(value, f"{where} {quoted(text)} has no equals sign", hint)
    if not _is_label(tag):
        hint = "no underscores" if b"_" in tag else None
        problem = "is not made of letters, digits and inner hyphens"
        raise _malformed(value, f"tag {quoted(tag)} of {where} {problem}", hint)
    if not _VCHAR.fullmatch(content):
        problem, hint = _content_problem(content)
        raise _malformed(value, f"value {quoted(content)} of {where} {problem}", hint)
    return Parameter(tag.decode("ascii"), content.decode("ascii"))


def _content_problem(content: bytes) -> tuple[str, str | None]:
    if not content.isascii():
        return "is not ASCII", "write other characters of a URI as %XX"
    if _COMMA_IN_LIST.search(content):
        return "has a blank after a comma", "write the list without blanks"
    if b"=" in content and re.search(rb"[ \t]", content):
        return "has a blank in it", "put a semicolon between parameters"
    if re.search(rb"[ \t]", content):
        return "has a blank in it", None
    return "has a control character in it", None


def _malformed(value: bytes, problem: str, hint: str | None) -> MalformedError:
    return MalformedError(f"issue value {quoted(value)}: {problem}", hint=hint)


def to_value(value: IssueValue, blanks: bool = False) -> bytes:
    """The octets of an issue value, without a semicolon at the end of parameters.

    Without `blanks` there is none in it, since some DNS providers cut values at the
    first; with them there is one after each semicolon. The empty issuer is `;`.
    Raises `MalformedError` for what the grammar cannot say.
    """
    separator = "; " if blanks else ";"
    parts = [value.issuer or "", *(f"{each.tag}={each.value}" for each in value.parameters)]
    text = separator.join(parts) if len(parts) > 1 or value.issuer else ";"
    octets = text.encode("utf-8", "backslashreplace")
    if parse_issue_value(octets) != value:
        raise _malformed(octets, "does not read back as what it was made from", None)
    return octets
