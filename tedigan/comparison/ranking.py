"""Which method is best by which figure, a row a figure, as the page and tables show it."""

from collections.abc import Mapping, Sequence
from typing import Any

from tedigan.evaluation.metric import Metric


def ranked(found: Mapping[str, Sequence[Metric]]) -> list[dict[str, Any]]:
    """A row a metric: its name, protocol, ends, and a cell a method. The metrics of all methods are the same."""
    return [_row(metrics, [*found]) for metrics in zip(*found.values(), strict=True)]


def _row(metrics: Sequence[Metric], methods: Sequence[str]) -> dict[str, Any]:
    """One metric of all methods. Names differ between them only where counts do."""
    first = metrics[0]
    best = best_of(metrics)
    cells = [
        one.to_json() | {"method": method, "is_best": number in best}
        for number, (method, one) in enumerate(zip(methods, metrics, strict=True))
    ]
    about = {"name": first.name, "protocol": first.protocol, "better": first.better}
    return about | {"floor": first.floor, "ceiling": first.ceiling, "cells": cells}


def best_of(metrics: Sequence[Metric]) -> list[int]:
    """Who is best, and whose interval reaches the best one's value; nobody where nothing says what is better."""
    told = {n: one for n, one in enumerate(metrics) if one.value is not None}
    if not told or metrics[0].better not in ("up", "down"):
        return []
    sign = 1 if metrics[0].better == "up" else -1
    top = max(sign * one.value for one in told.values() if one.value is not None)

    def reach(one: Metric) -> float:
        assert one.value is not None, "untold ones are left out"
        return max(sign * end for end in (one.value, *(one.ci or ())))

    return [number for number, one in told.items() if reach(one) >= top]
