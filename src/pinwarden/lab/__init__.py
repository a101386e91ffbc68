"""A small world on loopback: CAs, CT logs with faults on request, DNS and TLS servers."""
