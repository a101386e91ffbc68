"""The style of the page: light, dark, narrow and on paper, with nothing fetched.

Contrast of text is 4.5:1 or more in both schemes (WCAG 2.2, 1.4.3), of marks 3:1 (1.4.11).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode

__all__ = ["STYLE", "STYLE_HASH"]

_LIGHT = """\
--page:#f6f7f9;--card:#fff;--line:#d5dae1;--text:#1a2230;--quiet:#566072;--accent:#2a5db0;\
--ok:#1d7a3e;--bad:#b3261e;--unknown:#8a5a00;--on:#fff;--past:#8fb0e0;--soft:#eef1f6;\
--bad-soft:#fdecea;--pin:#6a3fa0"""
_DARK = """\
--page:#12161d;--card:#1a202b;--line:#394354;--text:#e6eaf1;--quiet:#a3aec0;--accent:#7fabf2;\
--ok:#5fcf8a;--bad:#ff8a80;--unknown:#f0b955;--on:#12161d;--past:#3f5f92;--soft:#232b39;\
--bad-soft:#3a2022;--pin:#c3a1f0"""

STYLE = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--page);color:var(--text);
font:16px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}}
.page{{max-width:1080px;margin:0 auto;padding:24px 16px 48px}}
h1{{font-size:1.5rem;margin:0 0 4px}}
h2{{font-size:1.3rem;margin:0;overflow-wrap:anywhere}}
h3{{font-size:1rem;margin:24px 0 8px}}
h4{{overflow-wrap:anywhere}}
p{{margin:0 0 8px;overflow-wrap:anywhere}}
a{{color:var(--accent)}}
code,.mono{{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.86em;overflow-wrap:anywhere}}
.quiet{{color:var(--quiet)}}
.small-print{{color:var(--quiet);font-size:.88rem}}
.host{{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px;
margin:20px 0}}
.host>summary{{cursor:pointer}}
.host>summary h2{{display:inline;font-size:1.1rem}}
.outcome{{display:inline-block;font-size:.8rem;font-weight:600;border-radius:99px;
padding:1px 10px;border:1.5px solid currentColor;white-space:nowrap}}
.outcome.problems{{color:var(--bad)}}.outcome.unfinished{{color:var(--unknown)}}
.outcome.remarks,.outcome.clear{{color:var(--ok)}}
.title{{display:flex;flex-wrap:wrap;gap:6px 12px;align-items:center;margin-bottom:6px}}
.finding{{border:1px solid var(--line);border-left:5px solid var(--unknown);border-radius:6px;
padding:10px 14px;margin:0 0 10px;break-inside:avoid}}
.finding.serious{{border-left-color:var(--bad)}}
.finding h4{{margin:0 0 4px;font-size:1rem}}
.severity{{text-transform:uppercase;letter-spacing:.04em;font-size:.78rem;color:var(--unknown)}}
.serious .severity{{color:var(--bad)}}
.next{{background:var(--soft);border-radius:6px;padding:8px 12px;margin:8px 0 0}}
dl{{display:grid;grid-template-columns:minmax(5em,max-content) minmax(0,1fr);
gap:2px 14px;margin:6px 0;font-size:.92rem}}
dl+dl{{border-top:1px dashed var(--line);padding-top:8px}}
dt{{color:var(--quiet);overflow-wrap:anywhere;min-width:0}}
dd{{margin:0;overflow-wrap:anywhere;min-width:0}}
.lists{{display:grid;margin-bottom:22px;gap:0 28px;
grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr))}}
.checks{{list-style:none;margin:0;padding:0;font-size:.94rem}}
.checks li{{padding:5px 0 5px 24px;border-bottom:1px solid var(--line);position:relative;
overflow-wrap:anywhere;break-inside:avoid}}
.checks li:last-child{{border-bottom:0}}
.checks li::before{{position:absolute;left:2px;font-weight:700;content:"–";color:var(--quiet)}}
.checks .pass::before{{content:"✓";color:var(--ok)}}
.checks .failed::before{{content:"?";color:var(--unknown)}}
.area{{color:var(--quiet);font-size:.82rem;margin-right:6px}}
.pictures{{display:grid;grid-template-columns:minmax(0,364px) minmax(0,1fr);gap:20px 32px;
align-items:start}}
figure{{margin:0;break-inside:avoid}}
figcaption{{font-size:.88rem;color:var(--quiet);margin-bottom:8px;overflow-wrap:anywhere}}
svg{{display:block;max-width:100%;height:auto}}
figure.narrow{{display:none}}
details.facts{{border-top:1px solid var(--line);padding:8px 0}}
details.facts>summary{{cursor:pointer;font-weight:600}}
.scroll{{overflow-x:auto}}
table{{border-collapse:collapse;width:100%;min-width:620px;font-size:.92rem}}
th,td{{text-align:left;vertical-align:top;padding:5px 12px 5px 0;
border-bottom:1px solid var(--line)}}
th{{color:var(--quiet);font-weight:600}}
td{{overflow-wrap:anywhere;min-width:7em}}
td.number{{min-width:0}}nav td:first-child{{min-width:15em}}
.word-ok{{color:var(--ok)}}.word-bad{{color:var(--bad)}}.word-unknown{{color:var(--unknown)}}
text{{fill:var(--text);font-family:inherit}}
.role{{font-size:12px;fill:var(--quiet)}}.name{{font-size:16px;font-weight:600}}
.small{{font-size:12px}}.bad-text{{fill:var(--bad)}}.tick{{font-size:11px;fill:var(--quiet)}}
.pin-text{{font:10px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--quiet)}}
.box{{fill:var(--soft);stroke:var(--quiet);stroke-width:1.5}}
.box.unsent{{stroke-dasharray:6 4;fill:var(--card)}}
.box.bad{{stroke:var(--bad);fill:var(--bad-soft)}}.box.ghost{{fill:none}}
.tag rect{{fill:var(--card);stroke:var(--quiet)}}.tag-text{{font-size:11px}}
.tag.absent rect{{stroke-dasharray:4 3}}
.tag.pin rect{{fill:var(--pin);stroke:var(--pin)}}.tag.pin text{{fill:var(--on);font-weight:600}}
.step{{stroke:var(--quiet);stroke-width:1.5;fill:none}}
.step.bad{{stroke:var(--bad);stroke-dasharray:4 3}}
.disc.ok{{fill:var(--ok)}}.disc.bad{{fill:var(--bad)}}.disc.unknown{{fill:var(--unknown)}}
.sign{{stroke:var(--on);stroke-width:1.6;fill:none}}
.sign-text{{fill:var(--on);font-size:10px;font-weight:700}}
.bar{{fill:var(--accent)}}.bar.past{{fill:var(--past)}}.bar.bad{{fill:var(--bad)}}
.bar.answer.ok{{fill:var(--ok)}}
.bar.answer.bad{{fill:none;stroke:var(--bad);stroke-width:1.5}}
.bar.answer.unknown{{fill:none;stroke:var(--unknown);stroke-width:1.5;stroke-dasharray:4 3}}
.goes-on{{fill:var(--on)}}
.axis{{stroke:var(--quiet)}}.grid{{stroke:var(--line)}}
.today{{stroke:var(--unknown);stroke-width:1.5;stroke-dasharray:5 3}}
.today-text{{font-size:12px;font-weight:600;fill:var(--unknown)}}
.time-line .small{{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}}
@media (max-width:760px){{
.host{{padding:14px}}.pictures{{grid-template-columns:minmax(0,1fr)}}
figure.wide{{display:none}}figure.narrow{{display:block}}
dl{{grid-template-columns:minmax(0,1fr);gap:0}}dd{{margin-bottom:6px}}
}}
@media print{{
:root{{color-scheme:light;{_LIGHT};--page:#fff}}
body{{font-size:10.5pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}}
.page{{max-width:none;padding:0}}
.host{{border:0;padding:0;margin:0 0 24px}}
.host+.host{{break-before:page}}
details::details-content{{content-visibility:visible;height:auto}}
@page{{margin:14mm}}
.pictures{{display:block}}.pictures figure{{margin-bottom:14px}}
h2,h3,h4,summary,figcaption{{break-after:avoid}}
.scroll{{overflow:visible}}
}}
"""

# Content Security Policy Level 3, section 2.3.1: the page may have this style and no other.
STYLE_HASH = f"sha256-{b64encode(hashlib.sha256(STYLE.encode()).digest()).decode('ascii')}"
