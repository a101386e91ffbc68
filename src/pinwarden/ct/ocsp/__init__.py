"""OCSP responses that come with a certificate: the SCTs in them, and what they say of it.

Two questions that need different proof. An SCT carries the signature of its log, and
`scts_of_ocsp` takes it from whatever response it is in. That a certificate is good or
revoked is the responder's word, and `evaluate_ocsp` takes nothing that is not signed by
the issuer, or by whom the issuer authorised.
"""

from pinwarden.ct.ocsp.response import LARGEST_OCSP
from pinwarden.ct.ocsp.scts import scts_of_ocsp
from pinwarden.ct.ocsp.status import OCSPAnswer, OCSPStatus, evaluate_ocsp

__all__ = ["LARGEST_OCSP", "OCSPAnswer", "OCSPStatus", "evaluate_ocsp", "scts_of_ocsp"]
