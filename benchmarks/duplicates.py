"""Are near duplicates one photograph? What a table of people says of the pairs that a data set set aside.

    python -m benchmarks.duplicates data/dataset ../shared/data/celebahq-128/identity.csv

Two photographs of two people can be no duplicates, unless the table is wrong: such pairs are listed, to be
looked at. Chance: the share of all pairs of photographs that show one person.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

from tedigan.dataset.card import read_quarantine
from tedigan.dataset.sources.celebamask import parse_identities

_PAIR = re.compile(r"(\S+) shows the same photograph as (\S+),")


def main() -> None:
    """Count, and list the pairs of two people."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("identities", type=Path, help="identity.csv")
    arguments = parser.parse_args()
    people = {
        id: who for id, (who, _) in parse_identities(arguments.identities.read_text()).items()
    }
    reasons = [row[2] for row in read_quarantine(arguments.dataset) if row[1] == "near duplicate"]
    pairs = [
        tuple(_id(name) for name in match.groups()) for match in map(_PAIR.match, reasons) if match
    ]
    strangers = [(a, b) for a, b in pairs if people[a] != people[b]]
    counts, total = Counter(people.values()), len(people)
    chance = sum(n * (n - 1) for n in counts.values()) / (total * (total - 1))
    print(
        f"{len(pairs)} near duplicates: {len(pairs) - len(strangers)} of one person; by chance {chance:.2%}"
    )
    for a, b in strangers:
        print(f"two people by the table: {a} and {b}")


def _id(name: str) -> int:
    return int(Path(name).stem)


if __name__ == "__main__":
    main()
