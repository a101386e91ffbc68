"""Facts about a log at a time."""

from datetime import UTC, datetime, timedelta

from pinwarden.ct.head import LogID
from pinwarden.ct.log import Listing, Log, LogKind, LogState, PreviousOperator, Program

DAY = timedelta(days=1)
AT = datetime(2026, 11, 24, tzinfo=UTC)


def test_state_at_a_time() -> None:
    """Unknown before the first state, and each holds from its own moment on."""
    listing = Listing(
        program=Program.CHROME,
        operator="One",
        state=LogState.RETIRED,
        since=AT,
        earlier=((LogState.QUALIFIED, AT - 20 * DAY), (LogState.USABLE, AT - 10 * DAY)),
    )
    ages = (21, 20, 11, 10, 1, 0, -1)
    assert [listing.state_at(AT - age * DAY) for age in ages] == [
        LogState.UNKNOWN,
        *[LogState.QUALIFIED] * 2,
        *[LogState.USABLE] * 2,
        *[LogState.RETIRED] * 2,
    ]


def test_state_without_a_date_is_as_old_as_what_is_known() -> None:
    """Apple's list says of most logs what they are, and not since when."""
    listing = Listing(program=Program.APPLE, operator="One", state=LogState.USABLE)
    assert listing.state_at(AT - 9999 * DAY) is LogState.USABLE
    assert listing.states == ((LogState.USABLE, None),)


def test_operator_at_a_time() -> None:
    """Logs change hands, and lists name who had them before in any order."""
    log = Log(
        log_id=LogID(bytes(32)),
        key=b"",
        description="a log",
        operator="Third",
        kind=LogKind.RFC6962,
        url="",
        previous_operators=(PreviousOperator("Second", AT), PreviousOperator("First", AT - DAY)),
    )
    assert [log.operator_at(AT + number * DAY) for number in (-2, -1, 0)] == [
        "First",
        "Second",
        "Third",
    ]


def test_operator_goes_by_the_name_of_the_program_that_is_asked_for() -> None:
    """Programs name operators differently, and one that listed no log names nobody."""
    listings = (
        Listing(program=Program.APPLE, operator="Example, Inc.", state=LogState.USABLE),
        Listing(program=Program.CHROME, operator="Example", state=LogState.USABLE),
    )
    log = Log(
        log_id=LogID(bytes(32)),
        key=b"",
        description="Oak",
        operator="Example Ltd",
        kind=LogKind.RFC6962,
        url="",
        listings=listings,
    )
    assert log.operator_at(AT) == "Example Ltd"
    assert log.operator_at(AT, (Program.MOZILLA, Program.CHROME)) == "Example"
    assert log.operator_at(AT, (Program.MOZILLA,)) == "Example Ltd"
