"""curl: a configuration file for each host, and the string of `--pinnedpubkey`.

curl compares the server's own key alone, so CA pins become the only trusted authorities
(`cacert`), which takes their certificates. Of a policy with pins of both sorts it can
keep the leaf pins, since a configuration file cannot say "or".
"""

from __future__ import annotations

from pinwarden.pinning.formats.export import Export, Loss, LossKind, Writing
from pinwarden.pinning.formats.fitting import Abilities, Subdomains, fit
from pinwarden.pinning.formats.leaf_only import leaf_only
from pinwarden.pinning.formats.literals import code_string, notes
from pinwarden.pinning.formats.pinned_certificates import anchors_of, pem_file
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinPolicy, PinRole, PinSetError

_ABLE = Abilities(
    roles=True,
    exclude=True,
    addresses=True,
    subdomains=Subdomains.BY_HAND,
)


def write(pins: PinSet, writing: Writing) -> Export:
    """`HOST.curlrc` for `curl --config`, with `HOST.pem` beside it where CAs are pinned."""
    policies, losses = fit(pins, _ABLE)
    files: list[tuple[str, str]] = []
    for policy in policies:
        host = _file_name(policy.host)
        lines = [f"# curl --config {host}.curlrc https://{_in_url(policy.host)}/"]
        lines += [f"# {each}" for each in notes(policy)]
        leaves, lost = leaf_only(policy)
        if leaves:
            lines.append(f'pinnedpubkey = "{_joined(leaves)}"')
        else:
            anchors, lost = anchors_of(policy, writing)
            lines.append(f"cacert = {code_string(f'{host}.pem')}")
            files.append((f"{host}.pem", pem_file(anchors)))
        lines.append('proto-default = "https"')
        losses += [*lost, _redirects(policy)]
        files.append((f"{host}.curlrc", "\n".join(lines) + "\n"))
    return Export(files=tuple(files), losses=tuple(losses))


def write_strings(pins: PinSet, writing: Writing) -> Export:
    """The string of `--pinnedpubkey`, for scripts that call curl or libcurl.

    Of several policies a line `host<TAB>string` for each.
    """
    policies, losses = fit(pins, _ABLE)
    lines = []
    for policy in policies:
        leaves, lost = leaf_only(policy)
        if not leaves:
            raise PinSetError(
                f"policy {policy.host!r}: --pinnedpubkey looks at the server's own key, and no "
                "leaf key is pinned",
                hint="`--format curl` pins CAs by their certificates",
            )
        losses += [*lost, _redirects(policy)]
        lines.append((policy.host, _joined(leaves)))
    if len(lines) == 1:
        host, string = lines[0]
        name = f"{_file_name(host)}.pinnedpubkey"
        return Export(files=((name, f"{string}\n"),), losses=tuple(losses))
    table = "".join(f"{host}\t{string}\n" for host, string in lines)
    return Export(files=(("pinnedpubkey.tsv", table),), losses=tuple(losses))


def _joined(pins: tuple[Pin, ...]) -> str:
    # A space after a semicolon would end the list, without a word from curl.
    return ";".join(pin.curl for pin in pins)


def _redirects(policy: PinPolicy) -> Loss:
    what = "its pins" if policy.pins(PinRole.LEAF) else "its authorities"
    return Loss(
        LossKind.REDIRECTS,
        policy.host,
        f"curl holds every host of a run to {what}, or, after a redirect, none: it is for this "
        "host alone",
    )


def _file_name(host: str) -> str:
    return host.replace(":", "_")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
