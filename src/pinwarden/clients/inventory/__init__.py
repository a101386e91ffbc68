"""Which TLS clients of an environment are held to pins, and which are not.

`search` looks for them, among what is loaded and what is installed, by the rows of
`with_context` and `beyond`, and `state` at what this process has done to TLS. What is in no
row cannot be named: a list is never a proof. The proof for a client is a rogue server
(`pinwarden.clients.selftest`).
"""
