"""OkHttp's CertificatePinner, in Kotlin and in Java.

`**.` reaches every name below and the name itself. All patterns that fit a host are
pooled: unlike here, no policy takes a name away from another.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.pinning.formats.export import Export, Writing
from pinwarden.pinning.formats.fitting import Abilities, fit
from pinwarden.pinning.formats.literals import code_string, namespace, notes
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinPolicy

_ABLE = Abilities(addresses=True, pooled=True)
_MADE = "// Made by `pinwarden pin export`: make it again instead of changing it."

_KOTLIN = """\
{made}
package {package}

import okhttp3.CertificatePinner
import okhttp3.OkHttpClient

/** The pins of this application. Add [certificatePinner] to every client that there is. */
object Pins {{
    @JvmField
    val certificatePinner: CertificatePinner =
        CertificatePinner.Builder()
{lines}
            .build()

    /** The builder, with the pins. */
    @JvmStatic
    fun pin(builder: OkHttpClient.Builder): OkHttpClient.Builder =
        builder.certificatePinner(certificatePinner)
}}
"""

_JAVA = """\
{made}
package {package};

import okhttp3.CertificatePinner;
import okhttp3.OkHttpClient;

/** The pins of this application. Add CERTIFICATE_PINNER to every client that there is. */
public final class Pins {{
    public static final CertificatePinner CERTIFICATE_PINNER =
        new CertificatePinner.Builder()
{lines}
            .build();

    private Pins() {{}}

    /** The builder, with the pins. */
    public static OkHttpClient.Builder pin(OkHttpClient.Builder builder) {{
        return builder.certificatePinner(CERTIFICATE_PINNER);
    }}
}}
"""


def write_kotlin(pins: PinSet, writing: Writing) -> Export:
    """`Pins.kt`: an object that holds the pinner."""
    return _write(pins, writing, _KOTLIN, "Pins.kt")


def write_java(pins: PinSet, writing: Writing) -> Export:
    """`Pins.java`: a class that holds the pinner."""
    return _write(pins, writing, _JAVA, "Pins.java")


def _write(pins: PinSet, writing: Writing, template: str, name: str) -> Export:
    policies, losses = fit(pins, _ABLE)
    lines = [line for policy in policies for line in _policy(policy)]
    text = template.format(
        made=_MADE,
        package=namespace(writing.package, "pins", dotted=True),
        lines="\n".join(f"            {line}" for line in lines),
    )
    return Export(files=((name, text),), losses=tuple(losses))


def _policy(policy: PinPolicy) -> Iterator[str]:
    for note in notes(policy):
        yield f"// {note}"
    # The pinner takes addresses as they are, without brackets.
    pattern = '"**.' + code_string(policy.host)[1:] if policy.include_subdomains else None
    for pin in sorted(policy.pins()):
        yield f".add({pattern or code_string(policy.host)}, {code_string(pin.okhttp)})"
