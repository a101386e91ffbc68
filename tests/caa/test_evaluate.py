"""The decision, rule by rule; the bulk of the cases is in test_vectors.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.climb import RelevantSet
from pinwarden.caa.evaluate import CAAVerdict, Decision, Purpose, Reason, Request, evaluate_caa
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.caa.profiles import LETSENCRYPT, RFC8659, Profile
from pinwarden.caa.record import BrokenRecord, CAARecord
from support.caa_sets import answered, failed, failed_at, found_at

NAME = "www.example.com"
CA = "ca.example.net"
ACCOUNT = "https://ca.example.net/acct/1"
REQUEST = Request(name=NAME, issuers=(CA,))
BR = replace(RFC8659, lookup_failure="br")


def _decide(*texts: str, request: Request = REQUEST, profile: Profile = RFC8659) -> Decision:
    return evaluate_caa(found_at(NAME, *texts), request, profile)


def _answer(*texts: str, request: Request = REQUEST, profile: Profile = RFC8659) -> tuple[str, str]:
    decision = _decide(*texts, request=request, profile=profile)
    return str(decision.verdict), str(decision.reason)


@pytest.mark.parametrize("name", ["192.0.2.1", "2001:db8::1", "abcdef.onion"])
def test_some_names_are_not_governed(name: str) -> None:
    decision = evaluate_caa(RelevantSet(name), replace(REQUEST, name=name), RFC8659)
    assert (decision.verdict, decision.reason) == (CAAVerdict.ALLOWED, Reason.NOT_APPLICABLE)
    assert decision.relevant_name is None


def test_the_deciding_property_need_not_be_the_first() -> None:
    texts = ('0 issue ";"', '0 issue "%%%"', '0 issue "other.example"', f'0 issue "{CA}"')
    assert _answer(*texts) == ("allowed", "issuer-authorized")


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (('0 issue ";"',), "empty-issuer"),
        (('0 issue ""',), "empty-issuer"),
        (('0 issue ";"', '0 issue "%%%"'), "malformed-value"),
        (('0 issue "%%%"', '0 issue ";"', '0 issue "other.example"'), "issuer-not-listed"),
        (('0 issue "other.example"', f'0 issue "{CA}; accounturi=1"'), "account-unsatisfiable"),
        ((f'0 issue "{CA}; validationmethods="',), "method-mismatch"),
    ],
)
def test_which_reason_is_given_when_there_are_several(texts: tuple[str, ...], reason: str) -> None:
    assert _answer(*texts) == ("denied", reason)


def test_an_unreadable_record_is_never_permission() -> None:
    assert _answer(r"\# 1 00", f'0 issue "{CA}"') == ("unknown", "lookup-failure")
    assert _answer(r"\# 1 00") == ("unknown", "lookup-failure")
    assert _answer(r"\# 1 00", '0 issue ";"') == ("denied", "empty-issuer")


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ((r"\# 1 00",), "the only record cannot be read, so it cannot be told whether"),
        ((r"\# 1 00", r"\# 0"), "none of 2 records can be read, so it cannot be told whether"),
        ((r"\# 0", '0 iodef "mailto:a@example.com"'), "1 of the 2 records cannot be read, so"),
        ((r"\# 0", f'0 issue "{CA}"'), f"issue authorises '{CA}', but 1 of the 2 records cannot"),
    ],
)
def test_an_unreadable_record_is_not_explained_as_permission(
    texts: tuple[str, ...], why: str
) -> None:
    (sentence,) = _decide(*texts).why
    assert sentence.startswith(f"{NAME}: {why}")
    assert "may issue" not in sentence


def test_a_tag_of_other_octets_is_an_unknown_property() -> None:
    assert _answer(r"\# 6 00 03 2D2D2D 78") == ("allowed", "no-restricting-property")
    assert _answer(r"\# 6 80 03 2D2D2D 78", f'0 issue "{CA}"') == ("denied", "unknown-critical")


def test_a_tag_in_letters_of_another_alphabet_is_not_known() -> None:
    kelvin = CAARecord(0x80, "issue\u212a".encode(), b"x")
    lookup = Lookup(name=NAME, outcome=Outcome.RECORDS, records=(kelvin,))
    decision = evaluate_caa(failed_at(lookup), REQUEST, RFC8659)
    assert decision.reason is Reason.UNKNOWN_CRITICAL


def test_a_bound_property_leaves_open_what_the_request_does_not_say() -> None:
    text = f'0 issue "{CA}; accounturi={ACCOUNT}; validationmethods=dns-01"'
    ask = "--account-uri", "--method"
    both = _decide(text)
    assert (both.verdict, both.reason) == (CAAVerdict.UNKNOWN, Reason.ACCOUNT_MISMATCH)
    assert all(option in both.why[0] for option in ask)
    account = _decide(text, request=replace(REQUEST, account_uri=ACCOUNT))
    assert (account.verdict, account.reason) == (CAAVerdict.UNKNOWN, Reason.METHOD_MISMATCH)
    method = _decide(text, request=replace(REQUEST, method="dns-01"))
    assert (method.verdict, method.reason) == (CAAVerdict.UNKNOWN, Reason.ACCOUNT_MISMATCH)
    whole = replace(REQUEST, account_uri=ACCOUNT, method="dns-01")
    assert _answer(text, request=whole) == ("allowed", "issuer-authorized")


def test_a_wrong_method_denies_whatever_the_account() -> None:
    text = f'0 issue "{CA}; accounturi={ACCOUNT}; validationmethods=dns-01"'
    asked = replace(REQUEST, method="http-01")
    assert _answer(text, request=asked) == ("denied", "account-mismatch")


def test_one_open_property_leaves_the_set_open() -> None:
    texts = (
        f'0 issue "{CA}; accounturi=https://ca.example.net/acct/0"',
        f'0 issue "{CA}; accounturi={ACCOUNT}; validationmethods=dns-01"',
    )
    asked = replace(REQUEST, account_uri=ACCOUNT)
    assert _answer(*texts, request=asked) == ("unknown", "account-mismatch")
    assert "--method" in _decide(*texts, request=asked).why[0]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (f"accounturi={ACCOUNT}; accounturi={ACCOUNT}", "account-unsatisfiable"),
        ("accounturi=", "account-unsatisfiable"),
        ("accounturi=1234", "account-unsatisfiable"),
        (f"AccountURI={ACCOUNT}x", "account-mismatch"),
        ("validationmethods=dns-01; validationmethods=dns-01", "method-unsatisfiable"),
        ("validationmethods=dns-01,", "method-unsatisfiable"),
        ("validationmethods=dns_01", "method-unsatisfiable"),
        ("validationmethods=DNS-01", "method-mismatch"),
        ("validationmethods=ca-tbr-7", "method-mismatch"),
    ],
)
def test_parameters_that_are_not_satisfied(parameters: str, reason: str) -> None:
    asked = replace(REQUEST, account_uri=ACCOUNT, method="dns-01")
    assert _answer(f'0 issue "{CA}; {parameters}"', request=asked) == ("denied", reason)


@pytest.mark.parametrize(
    ("listed", "used"), [("ca-tbr-7", "dns-01"), ("dns-01", "ca-tbr-7"), ("ca-tbr-19", "http-01")]
)
def test_labels_of_the_baseline_requirements_stand_for_methods(listed: str, used: str) -> None:
    profile = replace(RFC8659, br_label_aliases=True)
    asked = replace(REQUEST, method=used)
    text = f'0 issue "{CA}; validationmethods={listed}"'
    assert _answer(text, request=asked, profile=profile) == ("allowed", "issuer-authorized")


def test_a_ca_without_the_extensions_ignores_their_parameters() -> None:
    profile = replace(RFC8659, supports_rfc8657=False)
    assert _answer(f'0 issue "{CA}; accounturi=x"', profile=profile)[0] == "allowed"


def test_another_domain_of_the_ca_is_said_to_have_matched() -> None:
    asked = replace(REQUEST, issuers=(CA, "old-ca.example"))
    decision = _decide('0 issue "OLD-CA.example"', request=asked)
    assert decision.allowed
    assert "another name of this CA" in decision.why[0]


@pytest.mark.parametrize(
    ("purpose", "wildcard", "tag"),
    [
        (Purpose.TLS, False, "issue"),
        (Purpose.TLS, True, "issuewild"),
        (Purpose.SMIME, False, "issuemail"),
        (Purpose.VMC, False, "issuevmc"),
    ],
)
def test_each_purpose_has_its_property(purpose: Purpose, wildcard: bool, tag: str) -> None:
    tags = ("issue", "issuewild", "issuemail", "issuevmc")
    texts = [f'0 {each} "{CA if each == tag else "other.example"}"' for each in tags]
    asked = replace(REQUEST, purpose=purpose, wildcard=wildcard)
    assert _answer(*texts, request=asked) == ("allowed", "issuer-authorized")


def test_each_record_is_judged() -> None:
    decision = _decide(
        f'0 issue "{CA}"',
        '0 issuewild ";"',
        '0 issuemail ";"',
        '0 iodef "mailto:a@example.com"',
        '0 future "x"',
        r"\# 1 00",
    )
    judged = {
        each.record.tag if isinstance(each.record, CAARecord) else None: each
        for each in decision.judged
    }
    assert len(decision.judged) == len(judged) == 6
    assert {tag for tag, each in judged.items() if each.applies} == {b"issue", None}
    assert "wildcard names only" in judged[b"issuewild"].note
    assert "cannot be read" in judged[None].note


def test_a_failure_is_no_permission() -> None:
    decision = evaluate_caa(failed_at(failed(NAME)), REQUEST, RFC8659)
    assert (decision.verdict, decision.reason) == (CAAVerdict.UNKNOWN, Reason.LOOKUP_FAILURE)
    assert decision.relevant_name == NAME


def test_a_failure_is_permission_when_all_three_conditions_are_known() -> None:
    profile = replace(BR, failure_outside_ca=True, retried=True, zone_insecure=True)
    decision = evaluate_caa(failed_at(failed(NAME)), REQUEST, profile)
    assert decision.reason is Reason.LOOKUP_FAILURE_PERMITTED
    assert decision.allowed


def test_what_the_lookup_shows_need_not_be_said() -> None:
    shown = failed(NAME, dnssec=DNSSECState.INSECURE, attempts=2)
    profile = replace(BR, failure_outside_ca=True)
    assert evaluate_caa(failed_at(shown), REQUEST, profile).allowed
    assert not evaluate_caa(failed_at(failed(NAME)), REQUEST, profile).allowed
    assert not evaluate_caa(failed_at(shown), REQUEST, BR).allowed


@pytest.mark.parametrize("condition", ["failure_outside_ca", "retried", "zone_insecure"])
def test_every_condition_is_needed(condition: str) -> None:
    given_ = {"failure_outside_ca": True, "retried": True, "zone_insecure": True, condition: False}
    decision = evaluate_caa(failed_at(failed(NAME)), REQUEST, replace(BR, **given_))
    assert decision.reason is Reason.LOOKUP_FAILURE


def test_failed_validation_is_never_permission() -> None:
    profile = replace(BR, failure_outside_ca=True, retried=True, zone_insecure=True)
    bogus = failed_at(failed(NAME, Failure.BOGUS, dnssec=DNSSECState.BOGUS))
    assert not evaluate_caa(bogus, REQUEST, profile).allowed


def _letsencrypt(*texts: str, **asked: object) -> tuple[str, str]:
    request = replace(REQUEST, issuers=("letsencrypt.org",), **asked)
    return _answer(*texts, request=request, profile=LETSENCRYPT)


def test_lets_encrypt_deviates_where_it_is_known_to() -> None:
    assert _letsencrypt('0 issue "letsencrypt.org"')[0] == "allowed"
    assert _letsencrypt('0 issue "LetsEncrypt.org"') == ("denied", "issuer-not-listed")
    hyphen = '0 issue "letsencrypt.org; account-id=7"'
    assert _letsencrypt(hyphen) == ("denied", "malformed-value")
    flag = ('0 issue "letsencrypt.org"', '1 future "x"')
    assert _letsencrypt(*flag) == ("denied", "unknown-critical")
    contact = ('0 issue "letsencrypt.org"', '128 contactemail "a@example.com"')
    assert _letsencrypt(*contact) == ("denied", "unknown-critical")
    mail = ('0 issue "letsencrypt.org"', '128 issuemail ";"', '129 issuevmc ";"')
    assert _letsencrypt(*mail) == ("allowed", "issuer-authorized")


def test_lets_encrypt_reads_a_method_list_as_far_as_it_needs() -> None:
    text = '0 issue "letsencrypt.org; validationmethods=dns-01,"'
    assert _letsencrypt(text, method="dns-01") == ("allowed", "issuer-authorized")
    assert _letsencrypt(text, method="http-01") == ("denied", "method-unsatisfiable")


def test_lets_encrypt_validates_wildcards_by_dns_alone() -> None:
    text = '0 issuewild "letsencrypt.org; validationmethods=http-01"'
    assert _letsencrypt(text, wildcard=True) == ("denied", "method-unsatisfiable")
    both = '0 issuewild "letsencrypt.org; validationmethods=http-01,dns-01"'
    assert _letsencrypt(both, wildcard=True, method="dns-01")[0] == "allowed"
    assert _letsencrypt(both, wildcard=True, method="http-01") == ("denied", "method-mismatch")


def test_lets_encrypt_refuses_a_missing_top_level_domain() -> None:
    steps = (
        answered("www.gone"),
        Lookup(name="gone", outcome=Outcome.NO_SUCH_NAME),
    )
    found = RelevantSet("www.gone", steps=steps)
    request = replace(REQUEST, name="www.gone")
    assert evaluate_caa(found, request, RFC8659).allowed
    decision = evaluate_caa(found, request, LETSENCRYPT)
    assert (decision.verdict, decision.relevant_name) == (CAAVerdict.UNKNOWN, "gone")


RECORDS = st.one_of(
    st.builds(
        CAARecord,
        st.integers(0, 255),
        st.one_of(
            st.sampled_from([b"issue", b"IssueWild", b"issuemail", b"iodef", b"tbs"]),
            st.binary(min_size=1, max_size=20),
        ),
        st.one_of(
            st.sampled_from(
                [
                    b";",
                    CA.encode(),
                    f"{CA};accounturi={ACCOUNT}".encode(),
                    f"{CA};validationmethods=dns-01".encode(),
                    b"other.example",
                ]
            ),
            st.binary(max_size=60),
        ),
    ),
    st.builds(BrokenRecord, st.binary(max_size=3), st.just("is too short")),
)
REQUESTS = st.builds(
    Request,
    name=st.just(NAME),
    issuers=st.just((CA,)),
    wildcard=st.booleans(),
    account_uri=st.sampled_from([None, ACCOUNT]),
    method=st.sampled_from([None, "dns-01", "http-01"]),
    purpose=st.sampled_from(Purpose),
)


def _of(records: list[CAARecord | BrokenRecord]) -> RelevantSet:
    lookup = Lookup(
        name=NAME,
        outcome=Outcome.RECORDS,
        records=tuple(each for each in records if isinstance(each, CAARecord)),
        broken=tuple(each for each in records if isinstance(each, BrokenRecord)),
    )
    return RelevantSet(NAME, NAME, lookup, (lookup,))


@given(st.lists(RECORDS, min_size=1, max_size=6), REQUESTS)
def test_any_set_is_decided_in_printable_words(
    records: list[CAARecord | BrokenRecord], request_: Request
) -> None:
    for profile in (RFC8659, BR, LETSENCRYPT):
        decision = evaluate_caa(_of(records), request_, profile)
        assert all(sentence.isprintable() for sentence in decision.why)
        assert all(each.note.isprintable() for each in decision.judged)
        assert len(decision.judged) == len(records)


@given(st.lists(RECORDS, min_size=1, max_size=6), REQUESTS, st.randoms())
def test_the_order_of_records_says_nothing(
    records: list[CAARecord | BrokenRecord], request_: Request, random: object
) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (evaluate_caa(_of(each), request_, RFC8659) for each in (records, shuffled))
    assert (one.verdict, one.reason, one.why) == (other.verdict, other.reason, other.why)


@given(st.lists(RECORDS, min_size=1, max_size=6), REQUESTS)
def test_saying_more_never_turns_a_refusal_into_permission(
    records: list[CAARecord | BrokenRecord], request_: Request
) -> None:
    """What is denied without an account or a method is denied with any."""
    bare = replace(request_, account_uri=None, method=None)
    if evaluate_caa(_of(records), bare, RFC8659).verdict is CAAVerdict.DENIED:
        assert not evaluate_caa(_of(records), request_, RFC8659).allowed
    if evaluate_caa(_of(records), bare, RFC8659).allowed:
        assert evaluate_caa(_of(records), request_, RFC8659).allowed
