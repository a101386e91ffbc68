"""All forms by name."""

from __future__ import annotations

from difflib import get_close_matches

from pinwarden.caa.formats import (
    bind,
    dnscontrol,
    dnsmasq,
    gcloud,
    generic,
    nsupdate,
    octodns,
    powerdns,
    route53,
    table,
    terraform,
    tinydns,
)
from pinwarden.caa.formats.form import Form
from pinwarden.errors import ConfigError, quoted

FORMATS: dict[str, Form] = {
    form.name: form
    for form in (
        bind.FORM,
        generic.FORM,
        nsupdate.FORM,
        tinydns.FORM,
        dnsmasq.FORM,
        powerdns.FORM,
        octodns.FORM,
        dnscontrol.FORM,
        terraform.ROUTE53,
        terraform.CLOUDFLARE,
        terraform.GOOGLE,
        terraform.AZURE,
        route53.FORM,
        gcloud.FORM,
        table.FORM,
    )
}

# Asked for, and not possible: what to say instead.
_NOT_OFFERED = {
    "external-dns": "external-dns has no CAA records among its types; publish them another way",
    "terraform": "say which provider: terraform-route53, -cloudflare, -google or -azure",
    "zone": "it is called bind here",
    "nsd": "it is called bind here",
    "knot": "it is called bind here",
    "cloudflare": "terraform-cloudflare, or table for its web page",
    "aws": "route53, or terraform-route53",
    "google": "gcloud, or terraform-google",
    "azure": "terraform-azure",
}


def find_form(name: str) -> Form:
    """The form of that name.

    Raises `ConfigError` with the nearest one, or with why there is none.
    """
    form = FORMATS.get(name.lower())
    if form is not None:
        return form
    near = get_close_matches(name.lower(), FORMATS, 1)
    hint = _NOT_OFFERED.get(name.lower()) or (
        f"did you mean {near[0]}?" if near else "`pinwarden caa make --list-formats` lists them"
    )
    raise ConfigError(f"--format {quoted(name)}: there is no such form", hint=hint)
