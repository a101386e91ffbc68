"""Whose key the SCTs of a certificate are verified with."""

from __future__ import annotations

from pathlib import Path

from cli.ct.conftest import CT
from pinwarden.lab.ca import CA
from support.ct_world import CTWorld, chain_file


def test_issuer_that_did_not_issue_is_said(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """Whoever names a wrong issuer hears that, and not that none was named."""
    file = chain_file(tmp_path, ct_world.issue().certificate)
    wrong = chain_file(tmp_path, CA("Another CA").intermediate, name="wrong.pem")
    ran = ct("scts", file, "--issuer", wrong, "--log-list", log_list, "--json")
    assert ran.code == 1
    assert {each["status"] for each in ran.line["scts"]} == {"not-checked"}
    assert any("did not issue" in note for note in ran.line["notes"]), ran.line["notes"]


def test_issuer_among_the_trust_anchors(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """A leaf that comes alone is verified if clients trust the very key that issued it."""
    file = chain_file(tmp_path, ct_world.issue().certificate)
    anchors = chain_file(tmp_path, ct_world.ca.intermediate, name="anchors.pem")
    assert ct("scts", file, "--log-list", log_list, "--cafile", anchors).code == 0


def test_impostor_of_the_issuer_is_not_used(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """A certificate of the issuer's name that did not sign would make valid SCTs look forged."""
    impostor = CA(ct_world.ca.name).intermediate
    issued = ct_world.issue()
    file = chain_file(tmp_path, issued.certificate, impostor, ct_world.ca.intermediate)
    assert ct("scts", file, "--log-list", log_list).code == 0
    file = chain_file(tmp_path, issued.certificate, impostor)
    ran = ct("scts", file, "--log-list", log_list, "--json")
    assert [each["status"] for each in ran.line["scts"]] == ["not-checked"] * 2
