"""Terraform, for the providers of Route 53, Cloudflare, Google Cloud DNS and Azure DNS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pinwarden.caa.formats.form import Form, RecordSet, only_tags, text_of
from pinwarden.caa.formats.hcl import attributes, hcl_label, hcl_string, string_list
from pinwarden.caa.formats.route53 import route53_value
from pinwarden.caa.presentation import to_presentation
from pinwarden.errors import ConfigError

# What the provider's schema of `azurerm_dns_caa_record` takes.
_AZURE_TAGS = ("issue", "issuewild", "iodef", "contactemail")
# Cloudflare's, for every plan; 1 is there too, and means "automatic".
_CLOUDFLARE_TTL = range(60, 86_400 + 1)


def _resource(kind: str, label: str, lines: Sequence[str]) -> str:
    return "\n".join((f'resource "{kind}" "{label}" {{', *lines, "}", ""))


def _blocks(resources: Callable[[RecordSet], list[str]]) -> Callable[[Sequence[RecordSet]], str]:
    def render(sets: Sequence[RecordSet]) -> str:
        return "\n".join(block for each in sets for block in resources(each))

    return render


def _route53(each: RecordSet) -> list[str]:
    head = [
        ("zone_id", "var.zone_id"),
        ("name", hcl_string(each.name)),
        ("type", '"CAA"'),
        ("ttl", str(each.ttl)),
    ]
    values = [route53_value(record) for record in each.records]
    lines = [*attributes(head, 2), *string_list("records", values, 2)]
    return [_resource("aws_route53_record", hcl_label(each.name), lines)]


def _google(each: RecordSet) -> list[str]:
    head = [
        ("managed_zone", "var.managed_zone"),
        ("name", hcl_string(f"{each.name}.")),
        ("type", '"CAA"'),
        ("ttl", str(each.ttl)),
    ]
    values = [to_presentation(record) for record in each.records]
    lines = [*attributes(head, 2), *string_list("rrdatas", values, 2)]
    return [_resource("google_dns_record_set", hcl_label(each.name), lines)]


def _fields(each: RecordSet, form: str) -> list[list[tuple[str, str]]]:
    texts = [text_of(record, form) for record in each.records]
    return [
        [("flags", str(record.flags)), ("tag", hcl_string(tag)), ("value", hcl_string(value))]
        for record, (tag, value) in zip(each.records, texts, strict=True)
    ]


def _cloudflare(each: RecordSet) -> list[str]:
    if each.ttl not in _CLOUDFLARE_TTL:
        raise ConfigError(
            f"form terraform-cloudflare: TTL {each.ttl} is not among "
            f"{_CLOUDFLARE_TTL[0]} to {_CLOUDFLARE_TTL[-1]} seconds"
        )
    blocks = []
    for number, fields in enumerate(_fields(each, "terraform-cloudflare"), 1):
        head = [
            ("zone_id", "var.zone_id"),
            ("name", hcl_string(each.name)),
            ("type", '"CAA"'),
            ("ttl", str(each.ttl)),
        ]
        lines = [*attributes(head, 2), "  data = {", *attributes(fields, 4), "  }"]
        label = hcl_label(each.name, str(number))
        blocks.append(_resource("cloudflare_dns_record", label, lines))
    return blocks


def _azure(each: RecordSet) -> list[str]:
    head = [
        ("name", hcl_string(each.label or "@")),
        ("zone_name", hcl_string(each.zone)),
        ("resource_group_name", "var.resource_group_name"),
        ("ttl", str(each.ttl)),
    ]
    for record in each.records:
        only_tags(record, "terraform-azure", _AZURE_TAGS)
    lines = attributes(head, 2)
    for fields in _fields(each, "terraform-azure"):
        lines += ["", "  record {", *attributes(fields, 4), "  }"]
    return [_resource("azurerm_dns_caa_record", hcl_label(each.name), lines)]


ROUTE53 = Form(
    name="terraform-route53",
    description="Terraform, hashicorp/aws: aws_route53_record; asks for var.zone_id",
    safe=True,
    render=_blocks(_route53),
    traps=("one resource holds all CAA records of a name: keep no second one",),
)
CLOUDFLARE = Form(
    name="terraform-cloudflare",
    description="Terraform, cloudflare/cloudflare 5: cloudflare_dns_record; asks for var.zone_id",
    safe=False,
    render=_blocks(_cloudflare),
    traps=(
        "with Universal SSL, Cloudflare adds CAA records of its own CAs beside these",
        "provider 5.2 shows a change of CAA data at every plan: use a later one",
    ),
)
GOOGLE = Form(
    name="terraform-google",
    description="Terraform, hashicorp/google: google_dns_record_set; asks for var.managed_zone",
    safe=True,
    render=_blocks(_google),
    traps=("one resource holds all CAA records of a name: keep no second one",),
)
AZURE = Form(
    name="terraform-azure",
    description="Terraform, hashicorp/azurerm: azurerm_dns_caa_record; var.resource_group_name",
    safe=False,
    render=_blocks(_azure),
    traps=("one resource holds all CAA records of a name: keep no second one",),
)
