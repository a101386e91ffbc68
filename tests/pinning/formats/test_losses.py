"""What each form cannot say is named, and nothing that weakens or locks out passes unaccepted."""

from __future__ import annotations

from datetime import date

import pytest

from pinwarden.errors import ConfigError, PinwardenError
from pinwarden.pinning import Mode, OnExpiry, PinPolicy, PinRole, PinSet, PinSetError, UnpinnedHosts
from pinwarden.pinning.formats.export import Harm, Loss, LossKind, Writing
from pinwarden.pinning.formats.pinned_certificates import by_pin
from pinwarden.pinning.formats.table import FORMATS
from pinwarden.pinning.policy import PinnedKey
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_samples import AT, certificate, pin

ROOT = certificate("Root", ca=True)
INTERMEDIATE = certificate("Intermediate", "Root", ca=True)
SPARE = certificate("Spare", ca=True)
PLAIN = Writing(at=AT)
WITH_CERTIFICATES = Writing(at=AT, certificates=by_pin([ROOT, INTERMEDIATE, SPARE]))

CODE = {"dotnet", "go", "nodejs", "python", "rust"}
LEAF_LOOKERS = {"curl", "curl-string", "envoy"}


def leaf_policy(host: str = "api.example.com", **said: object) -> PinPolicy:
    return _policy(host, (PinRole.LEAF, pin("leaf")), (PinRole.BACKUP, pin("spare")), **said)


def ca_policy(host: str = "api.example.com", **said: object) -> PinPolicy:
    ca, spare = pin_of_certificate(ROOT), pin_of_certificate(SPARE)
    return _policy(host, (PinRole.CA, ca), (PinRole.BACKUP, spare), **said)


def _policy(host: str, *pins: object, **said: object) -> PinPolicy:
    keys = (PinnedKey(each, role) for role, each in pins)
    more = said.pop("more", ())
    usual: dict[str, object] = {"mode": Mode.ENFORCE, "keys": (*keys, *more)}
    return PinPolicy(host=host, **{**usual, **said})


def policy_for(form: str, **said: object) -> PinPolicy:
    """A policy that the form can say, of leaf or of CA pins."""
    return leaf_policy(**said) if form in LEAF_LOOKERS else ca_policy(**said)


def losses(form: str, *policies: PinPolicy, **said: object) -> tuple[Loss, ...]:
    return FORMATS[form].write(PinSet(policies, **said), WITH_CERTIFICATES).losses


def kinds(form: str, *policies: PinPolicy, **said: object) -> set[LossKind]:
    return {each.kind for each in losses(form, *policies, **said)}


ALWAYS = {
    "hpkp": {LossKind.NOT_ENFORCED, LossKind.EXPIRY_MOVES},
    "flutter": {LossKind.PROXIES},
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_plain_policy_loses_nothing_that_matters(form: str) -> None:
    """The commonest set can be exported without consent, but where the form itself is the loss."""
    made = FORMATS[form].write(PinSet([policy_for(form)]), WITH_CERTIFICATES)
    assert {each.kind for each in made.unaccepted()} == ALWAYS.get(form, set())
    assert made.unaccepted(set(LossKind)) == ()


_EXPIRES = {"expires": date(2027, 6, 30)}
# The rule, and the losses of which each form must name one unless it can say the rule.
RULES: dict[str, tuple[dict[str, object], set[LossKind], set[str]]] = {
    "closed": (
        {**_EXPIRES, "on_expiry": OnExpiry.CLOSED},
        {LossKind.NEVER_CLOSES},
        CODE | {"flutter"},
    ),
    "open": (
        {**_EXPIRES, "on_expiry": OnExpiry.OPEN},
        {LossKind.KEEPS_PINNING},
        CODE | {"flutter", "android-xml", "trustkit-android", "trustkit-plist", "hpkp"},
    ),
    "then-reports": (
        {**_EXPIRES, "on_expiry": OnExpiry.REPORT_ONLY},
        {LossKind.KEEPS_PINNING},
        CODE | {"flutter"},
    ),
    "exclude": (
        {"include_subdomains": True, "exclude": ("old.api.example.com",)},
        {
            *(LossKind.EXCLUDE, LossKind.EXCLUDE_SHALLOW, LossKind.SUBDOMAINS),
            *(LossKind.SUBDOMAINS_BY_HAND, LossKind.SUBDOMAINS_ONE_LABEL),
        },
        CODE | {"flutter", "android-xml"},
    ),
    "subdomains": (
        {"include_subdomains": True},
        {LossKind.SUBDOMAINS, LossKind.SUBDOMAINS_BY_HAND, LossKind.SUBDOMAINS_ONE_LABEL},
        set(FORMATS) - {"apple-plist", "curl", "curl-string", "envoy", "nginx"},
    ),
    "forbidden": (
        {"more": (PinnedKey(pin("bad"), PinRole.FORBIDDEN),)},
        {LossKind.FORBIDDEN},
        CODE,
    ),
    "reports": (
        {"report_uri": "https://reports.example/pkp"},
        {LossKind.REPORTS},
        {"python", "hpkp", "trustkit-android", "trustkit-plist"},
    ),
    "backup-for-ca": (
        {"more": (PinnedKey(pin("next"), PinRole.BACKUP, kind="root"),)},
        {LossKind.BACKUP_POSITION, LossKind.BACKUP_PINS},
        set(FORMATS) - LEAF_LOOKERS - {"nginx", "flutter"},
    ),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("form", FORMATS)
def test_a_rule_is_said_or_named_as_lost(form: str, rule: str) -> None:
    """For every form and every rule: what is not in the export is in its losses."""
    said, expected, able = RULES[rule]
    found = kinds(form, policy_for(form, **said))
    assert bool(found & expected) is (form not in able), found


@pytest.mark.parametrize("form", FORMATS)
def test_reporting_never_becomes_enforcing(form: str) -> None:
    """A policy that only reports is said as such, or left out and named."""
    reporting = policy_for(form, mode=Mode.REPORT_ONLY, host="new.example.org")
    found = losses(form, policy_for(form), reporting)
    left_out = [each for each in found if each.kind is LossKind.REPORT_ONLY]
    able = CODE | {"flutter", "hpkp", "trustkit-plist"}
    assert bool(left_out) is (form not in able)
    if left_out:
        made = FORMATS[form].write(PinSet([policy_for(form), reporting]), WITH_CERTIFICATES)
        assert "new.example.org" not in "".join(text for _, text in made.files)
        with pytest.raises(PinSetError):
            FORMATS[form].write(PinSet([reporting]), WITH_CERTIFICATES)


@pytest.mark.parametrize("form", FORMATS)
def test_hosts_without_a_policy(form: str) -> None:
    """Only generated code and our own contexts can refuse hosts that no policy is about."""
    found = kinds(form, policy_for(form), unpinned_hosts=UnpinnedHosts.REFUSE)
    assert (LossKind.UNPINNED in found) is (form not in CODE | {"flutter"})


@pytest.mark.parametrize("form", FORMATS)
def test_addresses(form: str) -> None:
    """An address is pinned or named as left out."""
    found = kinds(form, policy_for(form), policy_for(form, host="192.0.2.1"))
    able = CODE | {"flutter", "curl", "curl-string", "envoy", "nginx"}
    able |= {"okhttp-java", "okhttp-kotlin"}
    assert (LossKind.ADDRESSES in found) is (form not in able)


def test_a_name_that_falls_under_the_policy_above() -> None:
    """What only reports must not come to be enforced because it was left out."""
    above = ca_policy("example.com", include_subdomains=True)
    below = ca_policy(mode=Mode.REPORT_ONLY)
    assert LossKind.REPORT_ONLY_ENFORCED in kinds("android-xml", above, below)
    freed = ca_policy("example.com", include_subdomains=True, exclude=("api.example.com",))
    assert LossKind.REPORT_ONLY_ENFORCED not in kinds("android-xml", freed, below)


def test_an_excluded_name_with_a_policy_of_its_own() -> None:
    """Its domain stands once; that names below it stay under the policy above is said."""
    above = ca_policy("example.com", include_subdomains=True, exclude=("api.example.com",))
    assert LossKind.EXCLUDE_SHALLOW in kinds("android-xml", above, ca_policy())
    wide = ca_policy(include_subdomains=True)
    assert LossKind.EXCLUDE_SHALLOW not in kinds("android-xml", above, wide)


@pytest.mark.parametrize("form", ["android-xml", "trustkit-plist"])
def test_an_exclusion_frees_no_name_that_a_nearer_policy_pins(form: str) -> None:
    """In a form in which a name is free or not, it would be free of both policies."""
    inner = "deep.api.example.com"
    above = ca_policy("example.com", include_subdomains=True, exclude=(inner,))
    near = ca_policy(include_subdomains=True)
    assert PinSet([above, near]).policy_for(inner) is not None
    made = FORMATS[form].write(PinSet([above, near]), PLAIN)
    assert inner not in "".join(text for _, text in made.files)


def test_pooled_policies() -> None:
    """OkHttp accepts the pins of a wide pattern for a name with its own, so that is said."""
    above = ca_policy("example.com", include_subdomains=True)
    below = leaf_policy()
    assert LossKind.POOLED in kinds("okhttp-java", above, below)
    assert LossKind.POOLED not in kinds("okhttp-java", above, ca_policy())


def test_headers_of_a_name_and_of_one_above_it() -> None:
    """RFC 7469 section 4.2: which of them is asked goes by the order of the visits."""
    above = ca_policy("example.com", include_subdomains=True)
    below = kinds("hpkp", above, leaf_policy())
    assert {LossKind.ORDER, LossKind.POOLED} <= below
    assert LossKind.ORDER not in kinds("hpkp", above, ca_policy())
    assert LossKind.REPORT_ONLY_ENFORCED in kinds("hpkp", above, ca_policy(mode=Mode.REPORT_ONLY))
    assert LossKind.REPORT_ONLY_ENFORCED not in kinds("hpkp", ca_policy(mode=Mode.REPORT_ONLY))


@pytest.mark.parametrize("form", ["curl", "envoy", "curl-string"])
def test_forms_that_look_at_the_leaf(form: str) -> None:
    """CA pins beside leaf pins are named as lost, even where one key is pinned as both."""
    both = leaf_policy(more=(PinnedKey(pin("leaf"), PinRole.CA),))
    assert LossKind.CA_PINS in kinds(form, both)


@pytest.mark.parametrize("form", ["curl", "envoy", "nginx", "flutter"])
def test_forms_that_take_certificates(form: str) -> None:
    """Without the certificate of any pinned CA there is nothing to write; a backup's is named."""
    with pytest.raises(PinSetError, match="there is none for"):
        FORMATS[form].write(PinSet([ca_policy()]), PLAIN)
    half = Writing(at=AT, certificates=by_pin([ROOT]))
    made = FORMATS[form].write(PinSet([ca_policy()]), half)
    assert LossKind.BACKUP_PINS in {each.kind for each in made.unaccepted()}
    next_leaf = ca_policy(more=(PinnedKey(pin("next"), PinRole.BACKUP, kind="leaf"),))
    assert LossKind.BACKUP_POSITION in kinds(form, next_leaf)


def test_leaf_pins_are_nothing_to_nginx() -> None:
    """A policy of leaf pins alone cannot be written at all."""
    with pytest.raises(PinSetError, match="cannot pin the server's own key"):
        FORMATS["nginx"].write(PinSet([leaf_policy()]), WITH_CERTIFICATES)
    with pytest.raises(PinSetError, match="no leaf key is pinned"):
        FORMATS["curl-string"].write(PinSet([ca_policy()]), WITH_CERTIFICATES)


@pytest.mark.parametrize("form", ["trustkit-plist", "trustkit-android"])
def test_trustkit_wants_two_pins(form: str) -> None:
    """It stops the application otherwise."""
    keys = (PinnedKey(pin("leaf"), PinRole.LEAF),)
    lonely = PinPolicy(host="a.example", mode=Mode.ENFORCE, keys=keys, allow_no_backup=True)
    assert LossKind.TOO_FEW_PINS in kinds(form, lonely)
    assert LossKind.TOO_FEW_PINS not in kinds(form, leaf_policy())


def test_trustkit_knows_few_types_of_key() -> None:
    """A key that it cannot read refuses every chain, so that is said if the key is known."""
    edwards = certificate("ed-root", ca=True)
    known = Writing(at=AT, certificates=by_pin([edwards, ROOT]))
    odd = ca_policy(more=(PinnedKey(pin_of_certificate(edwards), PinRole.CA),))
    made = FORMATS["trustkit-plist"].write(PinSet([odd]), known)
    assert [each.kind for each in made.losses if each.harm is Harm.LOCKS_OUT] == [LossKind.KEY_TYPE]
    assert LossKind.KEY_TYPE not in kinds("trustkit-plist", ca_policy())


@pytest.mark.parametrize(
    ("form", "package"),
    [
        *(("go", each) for each in ("a.b", "a-b", "a;b", "a b", "1a", 'a"', "a" * 101, "é")),
        *(("okhttp-kotlin", each) for each in ("a..b", ".a", "a.", "a;import x", "a\nb", "a.*")),
        *(("dotnet", each) for each in ("A.B;", "A{", "A B")),
    ],
)
def test_a_namespace_is_a_name(form: str, package: str) -> None:
    """Nothing else than names comes into generated code by --package."""
    with pytest.raises(ConfigError, match="is no name"):
        FORMATS[form].write(PinSet([ca_policy()]), Writing(at=AT, package=package))


def test_a_namespace_is_kept() -> None:
    """The namespace that was asked for is the one that is written."""
    made = FORMATS["okhttp-java"].write(
        PinSet([ca_policy()]), Writing(at=AT, package="com.example.app_1")
    )
    assert "\npackage com.example.app_1;\n" in made.files[0][1]


@pytest.mark.parametrize("form", ["hpkp", "trustkit-plist", "trustkit-android"])
@pytest.mark.parametrize(
    "uri",
    ['https://r.example/"; max-age=0', "https://r.example/<x>", "javascript:x", "https://r\n.x/"],
)
def test_report_uris_cannot_break_out(form: str, uri: str) -> None:
    """What is no plain URI is refused, here or already as a policy."""
    with pytest.raises(PinwardenError):
        FORMATS[form].write(PinSet([ca_policy(report_uri=uri)]), WITH_CERTIFICATES)


def test_an_expired_policy_is_no_header() -> None:
    """A max-age of 0 would have clients forget the pins that they have."""
    past = ca_policy(expires=date(2026, 11, 23), on_expiry=OnExpiry.OPEN)
    with pytest.raises(PinSetError, match="has expired"):
        FORMATS["hpkp"].write(PinSet([past]), PLAIN)
    today = ca_policy(expires=AT.date(), on_expiry=OnExpiry.OPEN)
    ((_, text),) = FORMATS["hpkp"].write(PinSet([today]), PLAIN).files
    assert "max-age=43200;" in text or text.strip().endswith("max-age=43200")
