"""`make bench`: every measurement, one after the other."""

from __future__ import annotations

import argparse

from benchmarks import audit, caa, follow, pinning, transparency


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=("follow", "caa", "pinning", "transparency", "audit"))
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--handshakes", type=int, default=1_000)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    def wanted(name: str) -> bool:
        return options.only in (None, name)

    if wanted("follow"):
        for line in follow.report(follow.measure(options.entries, options.rounds)):
            print(line)
    if wanted("caa"):
        for line in caa.report(caa.measure(options.names, options.rounds)):
            print(line)
    if wanted("pinning"):
        for line in pinning.report(pinning.measure(options.handshakes)):
            print(line)
    if wanted("transparency"):
        for line in transparency.report(transparency.measure(options.rounds)):
            print(line)
    if wanted("audit"):
        for line in audit.report(audit.measure(options.hosts, options.rounds)):
            print(line)


if __name__ == "__main__":
    main()
