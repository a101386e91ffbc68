"""What to do next, in one or two sentences for each kind of finding.

The pages `docs/findings*.md` say the same at length; a test holds the register, these tables
and those pages together.
"""

from __future__ import annotations

from pinwarden import findings
from pinwarden.findings import FindingKind
from pinwarden.render.audit_advice import AUDIT_ADVICE
from pinwarden.render.caa_advice import CAA_ADVICE
from pinwarden.render.ct_advice import CT_ADVICE
from pinwarden.render.headers_advice import HEADERS_ADVICE
from pinwarden.render.pin_advice import PIN_ADVICE
from pinwarden.watch.sighting import Verdict

# Baseline Requirements 4.9.3 and 4.9.5: where a CA takes problem reports, and how soon it
# must answer one.
_REVOKE = (
    "have the CA revoke it (where to report: section 1.5.2 of its CPS; it must answer within 24 "
    "hours), then find out who could change your DNS or web servers"
)

_BY_VERDICT = {
    Verdict.UNKNOWN: "If your organisation asked for it, acknowledge it{ack}. If nobody did, "
    + _REVOKE
    + ".",
    Verdict.POSSIBLY_AUTHORIZED: "Confirm with whoever runs this name, then acknowledge it{ack}. "
    "If nobody asked for it, " + _REVOKE + ".",
    Verdict.UNAUTHORIZED: "Treat it as an attack until shown otherwise: " + _REVOKE + ".",
    Verdict.AUTHORIZED: "Nothing.",
}

_BY_KIND = {
    findings.ENTRY_UNREADABLE: "Treat it as a certificate for your name until shown otherwise: "
    "open what was logged with another tool (`pinwarden sightings show`), and if it concerns you, "
    "ask the issuing CA; acknowledge it{ack} once you know.",
    findings.LOG_FORK: "Keep the evidence: both signed heads are stored with this alert. Report "
    "the log to the browser programs (ct-policy@chromium.org), and do not rely on this log alone "
    "for anything it said.",
    findings.LOG_WRONG_ROOT: "Pinwarden reads this log again from its last verified position. If "
    "this comes back, the log may show different entries to different readers: keep the evidence "
    "and report the log to the browser programs (ct-policy@chromium.org).",
    findings.LOG_SHRUNK: "Usually one of the log's servers lags, and the next head is larger "
    "again. If it stays, entries were taken back: keep the evidence and report the log.",
    findings.LOG_BAD_SIGNATURE: "Check that the log list is current (`pinwarden log-list "
    "update`). If it is, somebody between you and the log, or the log itself, changed its head.",
    findings.LOG_STALLED: "New certificates in this log are not seen until it moves on. Check the "
    "log operator's status page; most certificates are in a second operator's log too.",
    findings.LOG_FUTURE: "Check this machine's clock first. If it is right, the log dates its "
    "heads ahead, and could later be silent without seeming stalled.",
    findings.LOG_GARBAGE: "Check for a proxy or captive portal between you and the log. Until it "
    "answers properly, new certificates in this log are not seen.",
    findings.LOG_UNREACHABLE: "Check the network from this machine to the log, and the operator's "
    "status page. Until it answers, new certificates in this log are not seen.",
    findings.LOG_JOINED_LATE: "Ask a search service (crt.sh, Cert Spotter) for certificates of "
    "your names since watching began; what this log took in between is not known here.",
    findings.LOG_NOT_DRAINED: "The entries never read are a gap in what is known here: ask a "
    "monitor that read them, such as crt.sh, for your names.",
    findings.LOG_LIST_STALE: "Run `pinwarden log-list update` and see why it fails; a log that "
    "was added since is not watched.",
    findings.LOG_LIST_ROLLED_BACK: "The newer list stays in use. Find out who answers for the "
    "list's address: an old list hides new logs from you.",
    findings.LOG_LIST_REFUSED: "Pinwarden goes on with the last good list, or with this one less "
    "the log named above, which is then not followed. Check the list's source and signature "
    "(`pinwarden log-list show`).",
    findings.LOG_LIST_UNREACHABLE: "Nothing for a day; then check the network and the list's "
    "address (`pinwarden log-list update`).",
    findings.LOG_LIST_NOT_KEPT: "Make the folder writable for the user that runs Pinwarden, and "
    "see that the disk is not full.",
    findings.DELIVERY_FAILED: "Read what was not delivered with `pinwarden alerts list`, repair "
    "the channel, and prove it with `pinwarden alerts test`.",
    findings.TEST_ALERT: "Nothing: whoever asked for the test now knows that this channel works.",
    **AUDIT_ADVICE,
    **CAA_ADVICE,
    **CT_ADVICE,
    **HEADERS_ADVICE,
    **PIN_ADVICE,
}


def next_step(
    kind: FindingKind, verdict: Verdict = Verdict.UNKNOWN, alert_id: int | None = None
) -> str:
    """What the reader should do about one alert or finding.

    `alert_id` puts the command that acknowledges the alert into the sentence.
    """
    if kind == findings.CERTIFICATE_SEEN:
        sentence = _BY_VERDICT[verdict]
    else:
        sentence = _BY_KIND.get(kind, "See this id in docs/findings.md.")
    ack = "" if alert_id is None else f" (`pinwarden alerts ack {alert_id}`)"
    return sentence.replace("{ack}", ack)
