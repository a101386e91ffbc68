"""The least policy that certificates seen would have passed."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pinwarden.caa.climb import climb_with
from pinwarden.caa.evaluate import CAAVerdict, Request, evaluate_caa
from pinwarden.caa.intent import generate_records
from pinwarden.caa.issuers.map import How, IssuerMatch, Owner, load_issuers
from pinwarden.caa.lookup import Lookup, Outcome
from pinwarden.caa.presentation import to_presentation
from pinwarden.caa.profiles import RFC8659
from pinwarden.caa.proposal import Evidence, Proposal, propose_policies, topmost_names
from pinwarden.errors import MalformedError
from pinwarden.names import normalise_name
from pinwarden.x509.certificate import view_certificate
from support.leaves import real_certificates


def match_of(domain: str) -> IssuerMatch:
    owner = load_issuers().owner_of(domain)
    assert owner is not None
    return IssuerMatch((owner,), owner.all_domains, How.BY_KEY, "")


def seen(*names: str, ca: str | None = "letsencrypt.org") -> Evidence:
    match = match_of(ca) if ca is not None else None
    return Evidence(names=names, issuer=f"O={ca}", serial="1", match=match)


def records(proposal: Proposal) -> list[str]:
    assert proposal.intent is not None
    return [to_presentation(record) for record in generate_records(proposal.intent)]


def test_plain_names_and_wildcards_are_apart() -> None:
    """A CA that was only seen to issue plain names may issue no wildcard."""
    (proposal,) = propose_policies(
        ["example.com"],
        [seen("example.com", "www.example.com"), seen("*.example.com", ca="pki.goog")],
    )
    assert records(proposal) == ['0 issue "letsencrypt.org"', '0 issuewild "pki.goog"']
    assert proposal.certificates == 2


def test_without_wildcards_there_are_none() -> None:
    """Nothing seen is nothing needed."""
    (proposal,) = propose_policies(["example.com"], [seen("a.b.example.com")])
    assert records(proposal) == ['0 issue "letsencrypt.org"', '0 issuewild ";"']


def test_the_nearest_name_above_decides() -> None:
    """A set of its own ends the search, so what is below it concerns only itself."""
    above, below = propose_policies(
        ["example.com", "shop.example.com"],
        [seen("example.com"), seen("www.shop.example.com", ca="pki.goog"), seen("example.net")],
    )
    assert records(above)[0] == '0 issue "letsencrypt.org"'
    assert records(below)[0] == '0 issue "pki.goog"'
    assert above.certificates == below.certificates == 1


def test_an_unknown_issuer_is_told() -> None:
    """A policy that would refuse a certificate seen says which."""
    unknown = seen("example.com", ca=None)
    (proposal,) = propose_policies(["example.com"], [unknown])
    assert proposal.intent is None
    assert proposal.unmapped == (unknown,)


def test_a_ca_with_several_names_says_so() -> None:
    """One of its own names is taken, and the others are told."""
    (proposal,) = propose_policies(["example.com"], [seen("example.com", ca="digicert.com")])
    (choice,) = proposal.choices
    assert records(proposal)[0] == f'0 issue "{choice[0]}"'
    assert choice[0] == "digicert.com"
    assert len(choice) > 1


def either(*domains: str, how: How = How.BY_OWNER) -> Evidence:
    owners = tuple(owner for domain in domains for owner in match_of(domain).owners)
    known = frozenset(domain for owner in owners for domain in owner.all_domains)
    match = IssuerMatch(owners, known, how, "")
    return Evidence(names=("example.com",), issuer="CN=shared", serial="2", match=match)


def test_a_ca_of_several_owners_permits_them_all() -> None:
    """Where any of two may run the CA, leaving one out could refuse the next certificate."""
    (proposal,) = propose_policies(["example.com"], [either("letsencrypt.org", "pki.goog")])
    assert records(proposal)[:2] == ['0 issue "letsencrypt.org"', '0 issue "pki.goog"']
    assert proposal.doubts == (("letsencrypt.org", "pki.goog"),)


def test_domains_listed_for_the_key_are_of_one_ca() -> None:
    """The CA itself said that any of these domains permits this key, so one is enough."""
    evidence = either("letsencrypt.org", "pki.goog", how=How.BY_KEY)
    (proposal,) = propose_policies(["example.com"], [evidence])
    assert records(proposal) == ['0 issue "letsencrypt.org"', '0 issuewild ";"']
    assert proposal.doubts == ()


def test_an_owner_without_a_domain_leaves_it_unmapped() -> None:
    """If one of the CAs that it may be has no known domain, no policy is sure to permit it."""
    known = match_of("letsencrypt.org")
    match = IssuerMatch((*known.owners, Owner("Mute")), known.domains, How.BY_OWNER, "")
    evidence = Evidence(names=("example.com",), issuer="CN=shared", serial="3", match=match)
    (proposal,) = propose_policies(["example.com"], [evidence])
    assert proposal.unmapped == (evidence,)


def test_nothing_seen_proposes_nothing() -> None:
    """Silence is no evidence for forbidding everything."""
    (proposal,) = propose_policies(["example.com"], [])
    assert (proposal.intent, proposal.certificates) == (None, 0)


def test_topmost_names_cover_the_others() -> None:
    """Names below another one, and wildcards, need no set of their own."""
    evidence = [seen("www.example.com", "*.example.com"), seen("a.example.net", "b.a.example.net")]
    assert topmost_names(evidence) == ("a.example.net", "example.com")


def test_real_certificates_would_pass_what_they_propose(corpus: Path) -> None:
    """Each real certificate whose CA is known is allowed, name by name, by its own proposal."""
    judged = 0
    for der in islice(real_certificates(corpus), 400):
        view = view_certificate(der)
        match = load_issuers().issuer_of(view)
        names = tuple(name for name in view.identifiers().dns if is_ordinary(name))
        if match is None or not match.complete or not names:
            continue
        evidence = Evidence(names=names, issuer="", serial="", match=match)
        zone = {each.name: each for each in propose_policies(topmost_names([evidence]), [evidence])}

        def look_up(asked: str, zone: dict[str, Proposal] = zone) -> Lookup:
            proposal = zone.get(asked)
            if proposal is None or proposal.intent is None:
                return Lookup(name=asked, outcome=Outcome.NO_DATA)
            made = generate_records(proposal.intent)
            return Lookup(name=asked, outcome=Outcome.RECORDS, records=made)

        for name in names:
            asked = name.removeprefix("*.")
            request = Request(name=asked, issuers=tuple(match.domains), wildcard=asked != name)
            decision = evaluate_caa(climb_with(asked, look_up), request, RFC8659)
            assert decision.verdict is CAAVerdict.ALLOWED, (name, decision)
            judged += 1
    assert judged > 500


def is_ordinary(name: str) -> bool:
    try:
        return normalise_name(name.removeprefix("*.")) == name.removeprefix("*.")
    except MalformedError:
        return False
