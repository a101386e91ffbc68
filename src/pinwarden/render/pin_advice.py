"""What to do next about findings of pins; `docs/findings-pins.md` says the same at length."""

from __future__ import annotations

from pinwarden import findings
from pinwarden.findings import FindingKind

_SERVED = {
    findings.PIN_LOCKED_OUT: "Put a pinned key back into service now, or give clients a set that "
    "pins what is served (`pinwarden pin check` shows both). If nobody changed the server, treat "
    "it as an attack.",
    findings.PIN_FORBIDDEN_SERVED: "Take the key out of service: it was forbidden for a reason. If "
    "you did not serve it, somebody who holds it is answering for your host.",
    findings.PIN_ADDRESSES_DISAGREE: "Give the addresses named the certificate of the others, or "
    "take them out of DNS until they have it; what clients get depends on chance.",
    findings.PIN_BACKUP_SERVED: "Make a backup key that is not served (`pinwarden pin backup`), "
    "pin it, and keep it away from the server.",
    findings.PIN_WRONG_ROLE: "Move the pin to the list in which its key is looked for: leaf_pins "
    "for the server's own key, ca_pins for those above it.",
    findings.PIN_WRONG_OCTETS: "Replace it by the pin in the message: the SHA-256 of the "
    "SubjectPublicKeyInfo in DER, as `pinwarden pin show` prints it.",
    findings.PIN_NOT_SERVED: "Remove the pin if its key is gone; make it a backup if the key is "
    "held in reserve.",
    findings.PIN_ROOT_UNREACHABLE: "Pin the intermediate or the leaf as well, or take the "
    "intermediate out of the clients' trust store.",
    findings.PIN_TRUST_STORE: "Pin a key that every path has in common, such as the intermediate, "
    "or both roots; or give your clients one trust store (cafile).",
    findings.PIN_ONE_CA: "Pin a key of your own, or a CA of another organisation, as the backup.",
    findings.PIN_KEY_EXPIRES: "Plan the change now: `pinwarden pin rotate` lays it out in days.",
}

_WRITTEN = {
    findings.PIN_SET_REFUSED: "Correct what the message names: until then no client loads any "
    "policy of the file.",
    findings.PIN_NO_BACKUP: "Make a second key (`pinwarden pin backup`), keep it offline, and pin "
    "it in backup_pins.",
    findings.PIN_PLACEHOLDER: "Replace it by the pin of a key that you hold (`pinwarden pin "
    "backup` makes one), or remove it.",
    findings.PIN_CERTIFICATE_HASH: "Replace it by the pin of the key: `pinwarden pin show` prints "
    "it for the certificate.",
    findings.PIN_MALFORMED: "Write the pin as `pinwarden pin show` prints it: sha256// and 44 "
    "characters of base64.",
    findings.PIN_WEAK_HASH: "Make the SHA-256 pin of the same key with `pinwarden pin show`; it "
    "cannot be had from the old hash.",
    findings.PIN_DUPLICATE: "Remove one of the two; if a second key was meant, one pin is missing.",
    findings.PIN_LEAF_ONLY: "Pin a CA as well, or see to it that renewals keep the key and that "
    "the next key is pinned before it is used (`pinwarden pin rotate`).",
    findings.PIN_INTERMEDIATE_ONLY: "Pin the root above it too, or a key of your own.",
    findings.PIN_MANY: "Keep the keys that you use or hold in reserve, and remove the others.",
}

_POLICY = {
    findings.PIN_EXPIRED: "Give clients a set with a later last day, or remove the policy if it "
    "is over.",
    findings.PIN_EXPIRING: "Compare the pins with what is served (`pinwarden pin check`), move "
    "the last day, and give clients the new set before this one ends.",
    findings.PIN_NO_EXPIRY: "Set expires some time after your clients are sure to have a newer "
    'set, and say what happens then: on_expiry = "closed", "report-only" or "open".',
    findings.PIN_EXPIRY_FAR: "Choose a last day that a forgotten client may safely reach: about "
    "a year, moved with every release.",
    findings.PIN_EXPIRY_OPEN: 'Use on_expiry = "report-only" to hear of mismatches after the last '
    'day, or "closed" to go on refusing; keep "open" if being locked out is the greater harm.',
    findings.PIN_SHADOWED: "Nothing, if the more specific policy is meant to stand alone; else "
    "repeat the pins in it, or remove it.",
    findings.PIN_WEAKER_BELOW: "Make the more specific policy as strict as the one above it, or "
    "note in its comment why it is not.",
    findings.PIN_UNPINNED_ALLOWED: "Nothing, if clients also talk to other hosts; else say "
    'unpinned_hosts = "refuse".',
    findings.PIN_FOREIGN_HOST: "Agree with whoever runs the host on how you hear of new keys, pin "
    "its CA and not its leaf, or leave it unpinned.",
    findings.PIN_PUBLIC_SUFFIX: "Name your own domain below it.",
}

_REPORTS = {
    findings.PIN_REPORT_ONLY: "Read the reports for some weeks; when they show nothing that you "
    'cannot explain, set mode = "enforce".',
    findings.PIN_REPORT_INVALID: "Write an https address, or remove report_uri.",
    findings.PIN_REPORT_NOWHERE: "Set report_uri, or collect the clients' own logs.",
    findings.PIN_REPORT_PINNED: "Send reports to a host that is under no policy of this set.",
    findings.PIN_REPORT_REFUSED: "Give that host a policy that only reports, or ignore this if no "
    "program is pinned as a whole.",
    findings.PIN_REPORT_PLAIN: "Use an https address.",
    findings.PIN_ROTATION_LATE: "Run `pinwarden pin rotate` to see what is due; if the new key is "
    "served too early, go back to the old one until the day named.",
    findings.PIN_ROTATION_BROKEN: "Put the pins named back, or remove the [policy.rotation] table "
    "and begin again with `pinwarden pin rotate`.",
    findings.PIN_NOT_COVERED: "Keep this client away from pinned hosts, or replace it; `pinwarden "
    "pin doctor` says what there is for it.",
}

PIN_ADVICE: dict[FindingKind, str] = {**_SERVED, **_WRITTEN, **_POLICY, **_REPORTS}
