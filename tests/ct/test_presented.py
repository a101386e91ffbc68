"""SCTs judged: valid, invalid, unknown or not checked, and what there is to note."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.head import LogID
from pinwarden.ct.known_logs import mimic_logs
from pinwarden.ct.log import Listing, Log, LogKind, LogList, LogState, Program
from pinwarden.ct.presented import (
    Flaw,
    JudgedSCT,
    PresentedSCT,
    SCTStatus,
    collect_scts,
    judge_scts,
)
from pinwarden.ct.sct import SCTSource
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.x509.certificate import view_certificate, view_tbs
from support.ocsp_answers import encoded_list, ocsp_answer, refusal

ISSUER = CA("Judged")
LOG = LabLog("one")
OTHER = LabLog("two", kinds=(LogKind.STATIC,))
ISSUED = ISSUER.issue(["www.example.com"], logs=[LOG])
LEAF = view_certificate(ISSUED.certificate)
ABOVE = view_certificate(ISSUER.intermediate)
HANDED = OTHER.add_chain(ISSUED.certificate_chain)
STAPLED = LOG.add_chain(ISSUED.certificate_chain)
OCSP = ocsp_answer(ISSUER, ISSUED.certificate, sct_list=encoded_list([STAPLED]))
LOGS = LogList(logs=(LOG.description(), OTHER.description()))
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
(EMBEDDED,) = collect_scts(LEAF)[0]


def judge(
    presented: PresentedSCT = EMBEDDED,
    log: Log | None = None,
    at: datetime = NOW,
    leaf: bytes = ISSUED.certificate,
) -> JudgedSCT:
    logs = LOGS if log is None else LogList(logs=(log,))
    (judged,) = judge_scts(view_certificate(leaf), ABOVE, [presented], logs, at)
    return judged


def listed(*listings: Listing, interval: tuple[datetime, datetime] | None = None) -> Log:
    return replace(LOG.description(), listings=listings, interval=interval)


def by(program: Program, *states: tuple[LogState, datetime | None]) -> Listing:
    *earlier, (state, since) = states
    return Listing(
        program=program, operator="Lab", state=state, since=since, earlier=tuple(earlier)
    )


def test_scts_of_all_three_sources_are_collected_and_valid() -> None:
    """Certificate, TLS extension and OCSP response, in this order, each verified."""
    presented, problems = collect_scts(LEAF, encoded_list([HANDED]), OCSP)
    assert problems == ()
    assert [each.source for each in presented] == list(SCTSource)
    judged = judge_scts(LEAF, ABOVE, presented, LOGS, NOW)
    assert [each.status for each in judged] == [SCTStatus.VALID] * 3
    assert all(each.flaws == () and each.reason == "" for each in judged)
    named = [LOG.face().log_id, OTHER.face().log_id, LOG.face().log_id]
    assert [each.log_id for each in judged] == named


def test_certificate_without_scts_gives_none() -> None:
    """Nothing came, and nothing is wrong with how it came."""
    leaf = view_certificate(ISSUER.issue(["www.example.com"]).certificate)
    assert collect_scts(leaf) == ((), ())


@pytest.mark.parametrize(
    ("handed", "ocsp", "words"),
    [
        pytest.param(b"\x00\x00", b"", "TLS extension cannot be read", id="empty list"),
        pytest.param(b"junk", b"", "TLS extension cannot be read", id="junk"),
        pytest.param(b"", b"junk", "OCSP response: ", id="OCSP junk"),
        pytest.param(b"", refusal(), "is a refusal: unauthorised", id="OCSP refusal"),
        pytest.param(
            b"",
            ocsp_answer(ISSUER, ISSUED.certificate, sct_list=b"\x00\x09a"),
            "OCSP response cannot be read",
            id="list in OCSP",
        ),
    ],
)
def test_list_that_cannot_be_read_is_told(handed: bytes, ocsp: bytes, words: str) -> None:
    """What may have been lost is said, and costs no other SCT."""
    presented, (problem,) = collect_scts(LEAF, handed, ocsp)
    assert presented == (EMBEDDED,)
    assert words in problem


def test_damaged_list_in_a_certificate_is_told() -> None:
    """A list whose length is wrong is not taken for none."""
    assert LEAF.sct_list is not None
    damaged = ISSUED.certificate.replace(
        LEAF.sct_list, bytes([LEAF.sct_list[0], LEAF.sct_list[1] ^ 1]) + LEAF.sct_list[2:]
    )
    presented, (problem,) = collect_scts(view_certificate(damaged))
    assert presented == ()
    assert "in the certificate cannot be read" in problem


def test_embedded_sct_is_not_checked_without_the_issuer() -> None:
    """It signs the issuer's key: without that nothing is known, which is no pass."""
    presented, _ = collect_scts(LEAF, encoded_list([HANDED]))
    embedded, handed = judge_scts(LEAF, None, presented, LOGS, NOW)
    assert (embedded.status, embedded.flaws) == (SCTStatus.NOT_CHECKED, (Flaw.ISSUER_MISSING,))
    assert "issuer" in embedded.reason
    assert handed.status is SCTStatus.VALID


def test_bare_tbs_leaves_handed_scts_unchecked() -> None:
    """What a log entry holds of a certificate is not the certificate that they sign."""
    (judged,) = judge_scts(
        view_tbs(LEAF.tbs), ABOVE, [PresentedSCT(SCTSource.TLS, HANDED)], LOGS, NOW
    )
    assert judged.status is SCTStatus.NOT_CHECKED
    assert judge(PresentedSCT(SCTSource.TLS, HANDED)).status is SCTStatus.VALID


def test_wrong_issuer_makes_it_invalid() -> None:
    """With another key in the place of the issuer's the signature does not verify."""
    other = view_certificate(CA("Judged").intermediate)
    (judged,) = judge_scts(LEAF, other, [EMBEDDED], LOGS, NOW)
    assert (judged.status, judged.flaws) == (SCTStatus.INVALID, (Flaw.BAD_SIGNATURE,))


def test_sct_of_another_certificate_is_invalid() -> None:
    """A server that still hands over the SCTs of the certificate before."""
    renewed = ISSUER.issue(["www.example.com"])
    judged = judge(PresentedSCT(SCTSource.TLS, HANDED), leaf=renewed.certificate)
    assert (judged.status, judged.flaws) == (SCTStatus.INVALID, (Flaw.BAD_SIGNATURE,))
    assert judged.log == OTHER.description()


@given(st.integers(0, 8 * len(EMBEDDED.raw) - 1))
def test_one_flipped_bit_is_never_valid(at: int) -> None:
    """Whatever bit of an SCT is changed, it is something else than valid."""
    raw = bytearray(EMBEDDED.raw)
    raw[at // 8] ^= 1 << at % 8
    judged = judge(PresentedSCT(SCTSource.EMBEDDED, bytes(raw)))
    assert judged.status in (SCTStatus.INVALID, SCTStatus.UNKNOWN_LOG)
    assert judged.flaws
    assert judged.reason.isprintable()


@given(st.binary(max_size=200), st.sampled_from(SCTSource))
def test_anything_is_judged(raw: bytes, source: SCTSource) -> None:
    """Bytes from outside become a result, and never a valid one."""
    judged = judge(PresentedSCT(source, raw))
    assert judged.status is not SCTStatus.VALID
    assert judged.raw == raw
    assert judged.reason.isprintable()


@pytest.mark.parametrize(
    ("raw", "flaw"),
    [
        pytest.param(b"\x00junk", Flaw.UNREADABLE, id="junk"),
        pytest.param(b"\x01" + EMBEDDED.raw[1:], Flaw.UNKNOWN_VERSION, id="version 2"),
    ],
)
def test_what_cannot_be_read_is_invalid(raw: bytes, flaw: Flaw) -> None:
    """There is no SCT to speak of then, and it costs no other one."""
    first, second = judge_scts(
        LEAF, ABOVE, [PresentedSCT(SCTSource.EMBEDDED, raw), EMBEDDED], LOGS, NOW
    )
    assert (first.status, first.sct, first.log_id) == (SCTStatus.INVALID, None, None)
    assert first.flaws == (flaw,)
    assert second.status is SCTStatus.VALID


def test_certificate_that_cannot_be_taken_apart_is_not_valid() -> None:
    """What an SCT signs must be put together from every byte of the certificate."""
    odd = view_tbs(LEAF.tbs.replace(b"\xa3\x82", b"\xa4\x82", 1))
    (judged,) = judge_scts(odd, ABOVE, [EMBEDDED], LOGS, NOW)
    assert judged.status is SCTStatus.INVALID


def test_unknown_log_is_called_so() -> None:
    """Nobody here can verify it."""
    (judged,) = judge_scts(LEAF, ABOVE, [EMBEDDED], LogList(logs=()), NOW)
    assert (judged.status, judged.flaws) == (SCTStatus.UNKNOWN_LOG, (Flaw.UNKNOWN_LOG,))
    assert judged.log is None
    assert judged.log_id == LOG.face().log_id


@pytest.mark.parametrize("key", [b"junk", OTHER.face().spki], ids=["unreadable", "another"])
def test_list_with_another_key_for_a_log_verifies_nothing(key: bytes) -> None:
    """The id of a log is the hash of its key, whatever a list says."""
    assert judge(log=replace(LOG.description(), key=key)).status is SCTStatus.UNKNOWN_LOG


def test_mimic_log_is_called_so_whatever_a_list_says() -> None:
    """Anybody can sign with the key of a mimic log, so that no signature of it is looked at."""
    mimic = next(iter(mimic_logs()))
    raw = EMBEDDED.raw[:1] + mimic + EMBEDDED.raw[33:]
    log = replace(LOG.description(), log_id=LogID(mimic))
    judged = judge(PresentedSCT(SCTSource.EMBEDDED, raw), log=log)
    assert (judged.status, judged.flaws) == (SCTStatus.INVALID, (Flaw.MIMIC_LOG,))
    assert "anybody can sign" in judged.reason


def test_future_sct_is_invalid() -> None:
    """RFC 6962 section 5.2: a client rejects what is dated after its own time."""
    judged = judge(at=NOW - DAY)
    assert (judged.status, judged.flaws) == (SCTStatus.INVALID, (Flaw.FROM_THE_FUTURE,))
    assert judged.sct is not None
    assert judge(at=judged.sct.timestamp).status is SCTStatus.VALID
    assert judge(at=judged.sct.timestamp - timedelta(milliseconds=1)).flaws


def test_interval_is_of_the_end_of_the_certificate_and_half_open() -> None:
    """A log takes what ends from its first moment on and before its last."""
    end = LEAF.not_after
    second = timedelta(seconds=1)
    assert judge(log=listed(interval=(end, end + second))).flaws == ()
    assert judge(log=listed(interval=(end - DAY, end))).flaws == (Flaw.OUTSIDE_INTERVAL,)
    outside = judge(log=listed(interval=(end + second, end + DAY)))
    assert outside.flaws == (Flaw.OUTSIDE_INTERVAL,)
    assert outside.status is SCTStatus.VALID
    assert f"{end:%Y-%m-%d}" in outside.reason


_PAST, _LATER = NOW - 30 * DAY, NOW + 30 * DAY
_USABLE = (LogState.USABLE, _PAST)


@pytest.mark.parametrize(
    ("listings", "flaws"),
    [
        pytest.param([by(Program.CHROME, _USABLE)], (), id="usable"),
        pytest.param([by(Program.CHROME, (LogState.READONLY, NOW))], (), id="read-only"),
        pytest.param(
            [by(Program.CHROME, _USABLE, (LogState.RETIRED, _LATER))], (), id="to be retired"
        ),
        pytest.param(
            [by(Program.CHROME, _USABLE, (LogState.RETIRED, NOW))], (), id="retired since"
        ),
        pytest.param(
            [by(Program.CHROME, (LogState.RETIRED, _PAST))],
            (Flaw.AFTER_RETIREMENT,),
            id="retired before",
        ),
        pytest.param(
            [by(Program.CHROME, (LogState.RETIRED, _PAST)), by(Program.APPLE, _USABLE)],
            (),
            id="retired by one of two",
        ),
        pytest.param(
            [
                by(Program.CHROME, (LogState.RETIRED, _PAST)),
                by(Program.APPLE, (LogState.REJECTED, _PAST)),
            ],
            (Flaw.AFTER_RETIREMENT,),
            id="retired by one and rejected by the other",
        ),
        pytest.param(
            [by(Program.CHROME, _USABLE, (LogState.REJECTED, NOW))],
            (Flaw.LOG_REJECTED,),
            id="rejected since",
        ),
        pytest.param(
            [by(Program.CHROME, _USABLE, (LogState.REJECTED, _LATER))], (), id="to be rejected"
        ),
        pytest.param(
            [by(Program.CHROME, (LogState.REJECTED, None))],
            (Flaw.LOG_REJECTED,),
            id="rejected nobody knows when",
        ),
        pytest.param(
            [by(Program.CHROME, (LogState.REJECTED, NOW)), by(Program.APPLE, _USABLE)],
            (),
            id="rejected by one of two",
        ),
        pytest.param(
            [by(Program.CHROME, (LogState.PENDING, _PAST))], (Flaw.LOG_PENDING,), id="pending"
        ),
        pytest.param(
            [
                by(Program.CHROME, (LogState.REJECTED, NOW)),
                by(Program.MOZILLA, (LogState.USABLE, None)),
            ],
            (Flaw.LOG_REJECTED,),
            id="Firefox's copy is late",
        ),
        pytest.param(
            [by(Program.USER, _USABLE), by(Program.CHROME, (LogState.RETIRED, _PAST))],
            (),
            id="the user's own list decides",
        ),
        pytest.param([], (), id="no list says anything"),
    ],
)
def test_state_of_the_log_is_noted(listings: list[Listing], flaws: tuple[Flaw, ...]) -> None:
    """The signature holds all the same: whether it counts is for the policies to say."""
    judged = judge(log=listed(*listings), at=NOW + timedelta(minutes=1))
    assert judged.status is SCTStatus.VALID
    assert judged.flaws == flaws
    assert bool(judged.reason) == bool(flaws)


def test_rejected_for_age_is_no_reproach() -> None:
    """Logs whose interval is over are rejected as a matter of course."""
    interval = (LEAF.not_after, LEAF.not_after + DAY)
    log = listed(by(Program.CHROME, _USABLE, (LogState.REJECTED, _LATER)), interval=interval)
    judged = judge(log=log, at=LEAF.not_after + 30 * DAY)
    assert judged.flaws == (Flaw.LOG_REJECTED,)
    assert "interval is over" in judged.reason


def test_test_log_and_log_without_a_state_are_noted() -> None:
    """What no program vouches for is called so."""
    assert judge(log=replace(LOG.description(), log_type="test")).flaws == (Flaw.TEST_LOG,)
    nobody = judge(log=listed(by(Program.CHROME, (LogState.UNKNOWN, None))))
    assert (nobody.flaws, nobody.reason) == ((), "no program gives its log a state")


def test_same_sct_twice_is_noted() -> None:
    """The second is valid and adds nothing; the same from another source is another SCT."""
    handed = PresentedSCT(SCTSource.TLS, STAPLED)
    stapled = PresentedSCT(SCTSource.OCSP, STAPLED)
    judged = judge_scts(LEAF, ABOVE, [handed, handed, stapled], LOGS, NOW)
    assert [each.status for each in judged] == [SCTStatus.VALID] * 3
    assert [each.flaws for each in judged] == [(), (Flaw.REPEATED,), ()]
