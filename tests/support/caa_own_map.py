"""An issuer map for a CA of the lab, as if the CCADB knew it."""

from __future__ import annotations

import json
from base64 import b64encode

from pinwarden.caa.issuers.map import FORMAT, key_prefix
from pinwarden.lab.ca import CA
from pinwarden.x509.certificate import view_certificate

DOMAIN = "lab-ca.example"


def tables_knowing(ca: CA) -> tuple[str, str]:
    """The two tables: one owner, known by its key and by its name."""
    owners = {
        "format": FORMAT,
        "owners": [{"name": "Lab CA", "domains": [DOMAIN, "other-ca.example"]}],
        "sources": [{"part": "domains", "name": "tests", "date": "2030-01-01"}],
    }
    name = view_certificate(ca.chain[0]).subject
    group = {
        "owners": [0],
        "spki": b64encode(key_prefix("spki", ca.issuer_key_hash)).decode("ascii"),
        "name": b64encode(key_prefix("name", name)).decode("ascii"),
    }
    return json.dumps(owners), json.dumps({"format": FORMAT, "groups": [group]})
