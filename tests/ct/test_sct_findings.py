"""Findings about SCTs: one for each kind of fault, and none for what is no fault."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pinwarden.ct.log import Log, LogKind
from pinwarden.ct.presented import Flaw, JudgedSCT, SCTStatus
from pinwarden.ct.sct import SCTSource, parse_sct
from pinwarden.ct.sct_findings import finding_of_no_scts, findings_of_scts, sct_name
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog

LAB = LabLog("one")
RAW = LAB.add_chain(CA("Findings").issue(["www.example.com"]).certificate_chain)
SCT = parse_sct(RAW)
AT = datetime(2026, 11, 24, tzinfo=UTC)
IDS = {
    Flaw.MIMIC_LOG: "PW-CT-SCT-MIMIC-LOG",
    Flaw.BAD_SIGNATURE: "PW-CT-SCT-BAD-SIGNATURE",
    Flaw.FROM_THE_FUTURE: "PW-CT-SCT-FROM-THE-FUTURE",
    Flaw.UNREADABLE: "PW-CT-SCT-UNREADABLE",
    Flaw.UNKNOWN_VERSION: "PW-CT-SCT-UNREADABLE",
    Flaw.UNKNOWN_LOG: "PW-CT-SCT-UNKNOWN-LOG",
    Flaw.OUTSIDE_INTERVAL: "PW-CT-SCT-OUTSIDE-INTERVAL",
    Flaw.AFTER_RETIREMENT: "PW-CT-SCT-AFTER-RETIREMENT",
}
NO_FAULTS = sorted(set(Flaw) - IDS.keys())


def judged(*flaws: Flaw, log: Log | None = None, read: bool = True) -> JudgedSCT:
    return JudgedSCT(
        source=SCTSource.TLS,
        raw=RAW,
        sct=SCT if read else None,
        status=SCTStatus.INVALID,
        log=log,
        flaws=flaws,
        reason="for this reason",
    )


@pytest.mark.parametrize(("flaw", "id_"), IDS.items(), ids=[str(each) for each in IDS])
def test_each_fault_has_its_finding(flaw: Flaw, id_: str) -> None:
    """Its message names the log and the reason, and the SCT is the evidence."""
    (found,) = findings_of_scts([judged(flaw, log=LAB.description())], "www.example.com")
    assert (found.id, found.subject) == (id_, "www.example.com")
    assert found.message == f"SCT of {LAB.description().description} (tls): for this reason"
    assert found.evidence == (("sct", RAW),)


@pytest.mark.parametrize("flaw", NO_FAULTS, ids=str)
def test_what_is_no_fault_of_an_sct_gives_none(flaw: Flaw) -> None:
    """That a log is pending or rejected is for the policies to count."""
    assert findings_of_scts([judged(flaw), judged()], "www.example.com") == ()


def test_only_the_gravest_flaw_of_an_sct_counts() -> None:
    """One SCT, one finding."""
    two = judged(Flaw.OUTSIDE_INTERVAL, Flaw.AFTER_RETIREMENT)
    assert [each.id for each in findings_of_scts([two], "a")] == ["PW-CT-SCT-OUTSIDE-INTERVAL"]


def test_one_finding_a_kind_the_gravest_first() -> None:
    """Two SCTs with the same fault are told together."""
    found = findings_of_scts(
        [judged(Flaw.UNKNOWN_LOG), judged(Flaw.MIMIC_LOG), judged(Flaw.UNKNOWN_LOG)], "a"
    )
    assert [each.id for each in found] == ["PW-CT-SCT-MIMIC-LOG", "PW-CT-SCT-UNKNOWN-LOG"]
    assert found[1].message.startswith("2 SCTs of log ")
    assert len(found[1].evidence) == 2
    assert len(found[1].details) == 1


def test_hundreds_are_one_short_line() -> None:
    """A list may hold two hundred SCTs of as many kinds of nonsense."""
    (found,) = findings_of_scts([judged(Flaw.UNREADABLE, read=False)] * 200, "a")
    assert "and 195 more" in found.message
    assert len(found.message) < 400
    assert len(found.evidence) == 20


def test_lost_lists_are_a_finding() -> None:
    """What may have been in a list that cannot be read is not known."""
    (found,) = findings_of_scts([judged(Flaw.UNREADABLE, read=False)], "a", ["the list is lost"])
    assert found.id == "PW-CT-SCT-UNREADABLE"
    assert (
        found.message == "SCT of no log that can be read (tls): for this reason; the list is lost"
    )
    assert [each.message for each in findings_of_scts([], "a", ["lost"])] == ["lost"]


def test_hostile_log_name_is_made_safe() -> None:
    """A log list that a user names may call a log anything."""
    log = Log(
        log_id=SCT.log_id, key=b"", description="\x1b[31m\n" * 99, kind=LogKind.RFC6962, url=""
    )
    (found,) = findings_of_scts([judged(Flaw.BAD_SIGNATURE, log=log)], "a")
    assert found.message.isprintable()
    assert len(sct_name(judged(log=log))) < 600


def test_no_scts() -> None:
    """Where nothing is looked for but SCTs, their absence is said."""
    assert finding_of_no_scts("www.example.com").id == "PW-CT-NO-SCTS"
