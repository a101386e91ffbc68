"""Getting log lists: from the programs, from the user, or from what is kept.

For each list, in this order:

1. What the server offers is taken if it is signed where it must be, parses,
   names logs and is not older than what we have.
2. Otherwise the newer of the copy on disk and the table in this version of
   Pinwarden is used, and a finding says why.
3. A list that the user names has no such table: without a copy it is an error,
   because following other logs than asked for would be a silent hole.

`known` is what we have without asking anybody, `fetch` asks; `sources` says for what.

Whoever controls a list decides which logs we see. Chrome's list is signed, so
its server can only withhold new versions, and that shows as a stale list.
"""
