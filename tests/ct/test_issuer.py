"""The issuer of a certificate: who has the name and made the signature."""

from pinwarden.ct.issuer import issuer_among
from pinwarden.lab.ca import CA
from pinwarden.x509.certificate import view_certificate, view_tbs

GENUINE, IMPOSTOR = CA("Name"), CA("Name")
LEAF = view_certificate(GENUINE.issue(["www.example.com"]).certificate)
ABOVE, FALSE = (view_certificate(each.intermediate) for each in (GENUINE, IMPOSTOR))
ROOT = view_certificate(GENUINE.root)


def test_issuer_is_found_wherever_it_stands() -> None:
    """Chains are sent in any order, and with anything in them."""
    assert issuer_among(LEAF, [ROOT, FALSE, ABOVE]) == ABOVE
    assert issuer_among(ABOVE, [ABOVE, ROOT]) == ROOT
    assert issuer_among(ROOT, [ROOT]) == ROOT


def test_name_alone_makes_no_issuer() -> None:
    """Anybody can make a certificate of any name."""
    assert issuer_among(LEAF, [FALSE, ROOT, LEAF]) is None
    assert issuer_among(LEAF, []) is None


def test_bare_tbs_has_no_issuer() -> None:
    """There is no signature to verify."""
    assert issuer_among(view_tbs(LEAF.tbs), [ABOVE]) is None


def test_hundreds_of_one_name_are_not_tried() -> None:
    """A server must not make us verify as many signatures as it likes."""
    assert issuer_among(LEAF, [FALSE] * 40 + [ABOVE]) is None
    assert issuer_among(LEAF, [ROOT] * 40 + [ABOVE]) == ABOVE
