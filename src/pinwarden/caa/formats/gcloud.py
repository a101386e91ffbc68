"""Commands for Google Cloud DNS, for a POSIX shell; `$ZONE` is the managed zone's name."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pinwarden.caa.formats.form import Form, RecordSet
from pinwarden.caa.presentation import to_presentation
from pinwarden.errors import ConfigError

# Data is a list with commas, and `validationmethods` has commas itself: gcloud takes
# another separator between two carets before the list.
_SEPARATORS = "|~;+!#%@"


def _list(values: Sequence[str]) -> str:
    for separator in _SEPARATORS:
        if not any(separator in value for value in values):
            return f"^{separator}^{separator.join(values)}"
    raise ConfigError("form gcloud: the values use every separator that gcloud could take")


def _command(each: RecordSet) -> str:
    data = shlex.quote(_list([to_presentation(record) for record in each.records]))
    name = shlex.quote(f"{each.name}.")
    where = f'{name} --zone="$ZONE" --type=CAA'
    return (
        f"if gcloud dns record-sets describe {where} >/dev/null 2>&1; then\n"
        f"  verb=update\nelse\n  verb=create\nfi\n"
        f'gcloud dns record-sets "$verb" {where} --ttl={each.ttl} \\\n  --rrdatas={data}\n'
    )


def _render(sets: Sequence[RecordSet]) -> str:
    head = ': "${ZONE:?the name of the managed zone}"\n'
    return head + "".join(_command(each) for each in sets)


FORM = Form(
    name="gcloud",
    description="Google Cloud DNS: gcloud commands for a shell; $ZONE is the managed zone",
    safe=True,
    render=_render,
    traps=("`update` replaces all CAA records of the name",),
)
