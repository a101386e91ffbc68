"""Where a log may be read: the URLs of log lists, honest and hostile."""

from __future__ import annotations

import pytest

from pinwarden.ct.loglist import (
    Program,
    logs_to_follow,
    parse_log_list,
    why_not_followed,
)
from support.log_lists import (
    AT,
    entry,
    list_json,
    read_list,
    read_log,
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://127.0.0.1:8080/log", "http://127.0.0.1:8080/log/"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("http://127.255.0.9/a/b//", "http://127.255.0.9/a/b/"),
        ("http://[::1]:8080", "http://[::1]:8080/"),
        ("http://localhost:1/", "http://localhost:1/"),
        ("HTTP://LOCALHOST/", "http://LOCALHOST/"),
        ("https://ct.example.net", "https://ct.example.net/"),
        ("https://ct.example.net:8443/2027/", "https://ct.example.net:8443/2027/"),
    ],
)
def test_where_a_users_log_may_be_read(given: str, kept: str) -> None:
    """Over TLS anywhere, without TLS on this machine; the prefix always ends in one slash."""
    log = read_log(entry("A", url=given))
    assert log.url == kept
    assert logs_to_follow(read_list(entry("A", url=given, state=None)), AT)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost.evil.com/",
        "http://evil.localhost/",
        "http://localhost./",
        "http://127.0.0.1@evil.com/",
        "http://evil.com\\@127.0.0.1/",
        "http://evil.com#@127.0.0.1/",
        "http://evil.com?@127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1%25eth0]/",
        "http://10.0.0.1/",
        "http://128.0.0.1/",
        "http:127.0.0.1/",
        "http:///127.0.0.1/",
        "http://\t127.0.0.1/",
        "http://127.0.0.1\n.evil.com/",
        "http://127\u30020\u30020\u30021/",
        "https://",
        "https:///path",
        "https://user@ct.example.net/",
        "https://ct.example.net/?a=b",
        "https://ct.example.net/#a",
        "https://ct.example.net:0/",
        "https://ct.example.net:65536/",
        "https://ct.example.net:/",
        "https://ct example.net/",
        "https://ct.example.net/\x1b[2J",
        "https://" + "a" * 3000 + "/",
        "ftp://ct.example.net/",
        "file:///etc/passwd",
        "ct.example.net/",
        "//ct.example.net/",
        "\nhttps://ct.example.net/",
        "https://ct.example.net/\n",
    ],
)
def test_where_no_log_may_be_read(url: str) -> None:
    """Anything else costs the log, with one printable line that names it."""
    read = read_list(entry("Good"), entry("Bad", url=url))
    assert [log.description for log in read.logs] == ["Good"]
    [problem] = read.problems
    assert problem.startswith("log 'Bad': ")
    assert problem.isprintable()
    assert len(problem) < 400


def test_only_the_users_list_may_name_loopback_logs() -> None:
    """A program's list cannot make us ask servers on this machine."""
    data = list_json(entry("A", url="http://127.0.0.1/"))
    [log] = parse_log_list(data, "test", Program.CHROME).logs
    assert log.url == ""
    assert why_not_followed(log, AT) == "no URL is given"
