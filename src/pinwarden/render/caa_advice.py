"""What to do next about findings of CAA; `docs/findings-caa.md` says the same at length."""

from __future__ import annotations

from pinwarden import findings
from pinwarden.findings import FindingKind

_RECORDS = {
    findings.CAA_MALFORMED_VALUE: "Correct the value where the message points; until then this "
    "record names no CA. `pinwarden caa make` writes values that are read by everybody.",
    findings.CAA_QUOTED_VALUE: "Publish the value without the inner quotes: the form at your DNS "
    "host adds them itself.",
    findings.CAA_BROKEN_RECORD: "Delete the record and publish it again; if you never wrote it in "
    "this form, ask your DNS host how it got so.",
    findings.CAA_ILLEGAL_TAG: "Delete the record, or spell its tag with letters and digits only: "
    "some software drops the whole answer for it.",
    findings.CAA_UNKNOWN_TAG: "Correct the spelling, or delete the record: unless critical, it "
    "restricts nothing.",
    findings.CAA_RESERVED_TAG: "Delete the record: no CA ever gave this tag a meaning.",
    findings.CAA_CRITICAL_UNKNOWN: "Set the flags of this record to 0, unless refusing every CA "
    "that does not know the tag is what you want.",
    findings.CAA_CRITICAL_NEEDLESS: "Nothing; flags 0 mean the same and surprise nobody.",
    findings.CAA_RESERVED_FLAGS: "Publish flags 0, or 128 if the record is to be critical.",
    findings.CAA_UPPER_CASE: "Write it in lower case, which all read alike.",
    findings.CAA_UNKNOWN_CA: "Look up the CA's own name for CAA with `pinwarden caa issuers`, "
    "and correct the record if it is a slip.",
    findings.CAA_PARAMETERS_LOST: "Publish the parameters again and compare with `pinwarden caa "
    "verify`; if none were meant, remove the semicolon.",
    findings.CAA_PARAMETERS_ALONE: "Write the CA before the parameters: "
    "`letsencrypt.org;accounturi=...`.",
    findings.CAA_BLANKS: "Nothing if your DNS host keeps it; written without blanks the value "
    "means the same everywhere.",
    findings.CAA_ACCOUNT_INVALID: "Publish the account's URL exactly as the CA gives it; your "
    "ACME client shows it, usually as `uri` in its account file.",
    findings.CAA_ACCOUNT_STAGING: "Publish the account URL of the production service instead; "
    "the test service has accounts of its own.",
    findings.CAA_METHODS_INVALID: "Publish the labels joined by commas only, for example "
    "`validationmethods=dns-01,http-01`.",
    findings.CAA_METHODS_EMPTY: "Name at least one method; to forbid the CA altogether, remove "
    'its record and keep `issue ";"` if no other is left.',
    findings.CAA_METHOD_UNKNOWN: "Correct the label, for example to `dns-01`, `http-01` or "
    "`tls-alpn-01`.",
    findings.CAA_METHOD_RENAMED: "Add the ACME label beside it, so that CAs that look for either "
    "find it.",
    findings.CAA_METHOD_NO_WILDCARD: "Add `dns-01` (or another DNS method) to the issuewild "
    'record, or publish `issuewild ";"` if no wildcards are meant to be issued.',
    findings.CAA_DUPLICATE_PARAMETER: "Keep one of them; for two accounts publish two records.",
    findings.CAA_UNKNOWN_PARAMETER: "Correct the spelling to `accounturi` or "
    "`validationmethods`, or find the parameter in the CA's own documentation.",
    findings.CAA_BINDING_NOT_MANDATORY: "Ask the CA whether it honours the binding already; from "
    "2027-03-15 every public CA has to.",
    findings.CAA_BINDING_UNSIGNED: "Sign the zone with DNSSEC, so that nobody on the way can take "
    "the binding out of the answer.",
    findings.CAA_OPEN_BESIDE_BOUND: "Remove the record without the binding, or bind it as well: "
    "the CA may choose the record that suits the request.",
    findings.CAA_IODEF_INVALID: "Publish one address, as `mailto:security@example.com` or as an "
    "https URL.",
    findings.CAA_IODEF_UNSUPPORTED: "Use a `mailto:` or `https:` address; those are the kinds "
    "CAs are expected to know.",
    findings.CAA_IODEF_MISSING: "Nothing: few CAs send reports. Add `iodef "
    '"mailto:security@example.com"` if you want those that do.',
    findings.CAA_CONTACT_INVALID: "Publish exactly one mail address (contactemail) or one global "
    "telephone number such as +15550100 (contactphone).",
    findings.CAA_CONTACT_SUNSET: "Move to a validation method that stays, such as dns-01, before "
    "the date in the message.",
}

_SETS = {
    findings.CAA_NO_POLICY: "Publish a policy: `pinwarden caa make NAME --ca CA` writes the "
    "records for your DNS host.",
    findings.CAA_NOTHING_RESTRICTS: "Add `issue` with your CA, or remove the set if any CA is "
    "meant to be allowed.",
    findings.CAA_CHILD_OPENS_PARENT: "Repeat in this set what the set above it says, or remove "
    "this set: sets are never merged.",
    findings.CAA_ISSUEWILD_ONLY: "Add `issue` with the CAs that may issue for plain names, or "
    '`issue ";"`.',
    findings.CAA_NO_ISSUEWILD: 'Add `issuewild ";"` if you use no wildcard certificates, or '
    "issuewild with the CA that issues them.",
    findings.CAA_EMPTY_BESIDE_ISSUER: 'Remove the `";"` record, or the records that name a CA if '
    "nobody is meant to issue.",
    findings.CAA_LITERAL_WILDCARD: "Put issuewild at the name without the star; remove the set at "
    "the star unless it is meant for names that do not exist.",
    findings.CAA_THIRD_PARTY: "Check with `pinwarden caa check` that your CA may issue; if the "
    "policy is not what you want, replace the alias by addresses.",
    findings.CAA_ALIAS_OPEN: "Nothing now; `pinwarden caa watch` tells when the other party "
    "publishes a policy.",
    findings.CAA_SMIME_OPEN: 'Add `issuemail ";"`, or issuemail with the CA of your mail '
    "certificates.",
    findings.CAA_VMC_OPEN: 'Add `issuevmc ";"`, or issuevmc with the CA of your mark certificate.',
    findings.CAA_READ_DIFFERENTLY: "Change the record so that both readings agree; the message "
    "says which one and why.",
    findings.CAA_DUPLICATE_RECORD: "Remove one of the two.",
    findings.CAA_TOO_MANY: "Reduce the set to the CAs you use, so that the answer fits into one "
    "datagram.",
    findings.CAA_TTL_LONG: "Publish a TTL of 8 hours or less: a change is then known to CAs after "
    "that time.",
    findings.CAA_TTL_DIFFERS: "Give all records of the set the same TTL.",
    findings.CAA_AT_ALIAS: "Remove the CAA record; the policy for an alias is its target's, or, "
    "if that has none, that of the name above.",
    findings.CAA_OCCLUDED: "Publish the record in the zone that is served for this name, and "
    "remove it here.",
    findings.CAA_OWNER_DOUBLED: "End the owner name with a dot, or write it relative to the "
    "zone (`@` for the zone itself).",
    findings.CAA_LOOKUP_FAILED: "Repair the name servers for the name in the message: a CA that "
    "cannot look up CAA must not issue. Ask each with `pinwarden caa verify`. Where many names "
    "fail at once, look at the resolver first.",
    findings.CAA_BOGUS: "Repair the zone's signatures or the DS record at its parent; no CA may "
    "issue until the answer validates.",
    findings.CAA_RESOLVERS_DISAGREE: "Find out which of them is right (`pinwarden caa verify` "
    "asks the name servers themselves): CAs look from several places and want the same answer.",
    findings.CAA_SERVERS_DISAGREE: "See that all name servers load the newest zone; compare "
    "their SOA serials.",
    findings.CAA_NOT_AS_INTENDED: "Publish the record again as the message shows it; if your DNS "
    "host changes it each time, use the form without blanks or another host.",
    findings.CAA_CHANGED: "If your organisation changed it, acknowledge it{ack}, and see that "
    "every CA you use is still named. If nobody did, somebody else can change your DNS: close "
    "that way first, then look for new certificates.",
    findings.CAA_LOOSENED: "If your organisation meant it, acknowledge it{ack}. If nobody did, "
    "treat it as the first step of an attack: somebody can change your DNS. Restore the records, "
    "close that way, and look for certificates issued since.",
}

CAA_ADVICE: dict[FindingKind, str] = _RECORDS | _SETS
