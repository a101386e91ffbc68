"""What Pinwarden reports: one vocabulary for terminal, mail, web and machines.

Every kind of finding has a stable id, registered here and explained on the pages
`docs/findings*.md` (a test holds them together).
"""

from pinwarden.findings.audit import *
from pinwarden.findings.caa import *
from pinwarden.findings.finding import *
from pinwarden.findings.headers import *
from pinwarden.findings.monitoring import *
from pinwarden.findings.pins import *
from pinwarden.findings.transparency import *
