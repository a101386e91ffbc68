"""How a fuzz target runs: under atheris where it is installed, else as a plain loop.

With atheris: `python fuzz/fuzz_NAME.py found/`. Without it, over inputs that the target
makes up itself: `python fuzz/fuzz_NAME.py [seconds]`.
"""

import random
import sys
import time
from collections.abc import Callable

_SECONDS = 10.0


def noise(number: random.Random) -> bytes:
    """Octets without any sense, for a target that only atheris can lead further."""
    return number.randbytes(number.randint(0, 300))


def run(check: Callable[[bytes], None], make: Callable[[random.Random], bytes] = noise) -> None:
    """Hand inputs to `check`, which raises for what must not be; `make` makes one up."""
    try:
        import atheris
    except ModuleNotFoundError:
        _loop(check, make, float(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS)
        return
    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


def damaged(seed: bytes, number: random.Random, times: int = 4) -> bytes:
    """The seed with up to so many of its octets replaced, dropped or added to."""
    data = bytearray(seed)
    for _ in range(number.randint(1, times)):
        at = number.randrange(len(data))
        data[at : at + number.randint(0, 2)] = number.randbytes(number.randint(0, 2))
    return bytes(data)


def _loop(
    check: Callable[[bytes], None], make: Callable[[random.Random], bytes], seconds: float
) -> None:
    number = random.Random()
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        check(make(number))
        rounds += 1
    sys.stdout.write(f"{rounds} inputs read\n")
