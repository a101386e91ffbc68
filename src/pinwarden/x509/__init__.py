"""Certificates read tolerantly: raw fields, each decoded on demand, nothing re-encoded."""
