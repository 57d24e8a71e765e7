"""What an evaluation says: rates by category and source, false alarms, and every failing case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kausa.evaluation.running import Result

__all__ = ["as_document", "case_lines", "pass_rate", "tables"]

NO_CATEGORY = "(any)"


def pass_rate(results: Sequence[Result]) -> float:
    """Percent; of no cases 0."""
    return 100 * sum(each.passes for each in results) / len(results) if results else 0.0


def tables(results: Sequence[Result]) -> Iterator[str]:
    """Rates, false alarms and times, for a terminal."""
    yield from _table("category", results, key=_category)
    yield from _table("source", results, key=lambda each: each.case.source or "(none)")
    alarms = _false_alarms(results)
    healthy = [each for each in results if each.case.expect.outcome == "healthy"]
    yield ""
    yield f"false alarms on healthy cases: {len(alarms)} of {len(healthy)}"
    times = sorted(each.cpu_milliseconds for each in results)
    yield (
        f"CPU a case: p50 {_quantile(times, 0.5):.0f} ms, p95 {_quantile(times, 0.95):.0f} ms, "
        f"max {times[-1]:.0f} ms"
    )
    yield f"passed: {_share(results)}, a bounded echo: {_share(results, _echo)}"


def as_document(results: Sequence[Result]) -> dict[str, Any]:
    """For a machine."""
    return {
        "passed": sum(each.passes for each in results),
        "cases": len(results),
        "percent": round(pass_rate(results), 1),
        "echoPassed": sum(each.echo_passes for each in results),
        "falseAlarms": [each.case.id for each in _false_alarms(results)],
        "byCategory": _rates(results, _category),
        "bySource": _rates(results, lambda each: each.case.source),
        "results": [_result_document(each) for each in results],
    }


def _result_document(result: Result) -> dict[str, Any]:
    expect = result.case.expect
    return {
        "id": result.case.id,
        "passed": result.passes,
        "wrong": list(result.wrong),
        "expected": {
            "outcome": expect.outcome,
            "category": expect.category,
            "says": [[each.pattern for each in group] for group in expect.says],
            "neverSays": [each.pattern for each in expect.never_says],
        },
        "said": {
            "outcome": "failure" if result.fails else "healthy",
            "category": result.category,
            "text": result.text,
            "confidence": result.confidence,
            "symptom": result.symptom,
        },
        "folder": str(result.case.folder),
        "source": result.case.source,
        "echoPassed": result.echo_passes,
        "cpuMilliseconds": round(result.cpu_milliseconds, 1),
        **({"error": result.error} if result.error else {}),
    }


def case_lines(result: Result) -> Iterator[str]:
    """One case: what was expected of it, and what was said."""
    sign = "ok  " if result.passes else "FAIL"
    yield f"{sign} {result.case.id}  [{result.symptom or 'no symptom'}, {result.confidence} %]"
    for each in result.wrong:
        yield f"       {each}"
    if result.text:
        yield f"       said ({result.category}): {' / '.join(result.text.splitlines())}"
    if result.error:
        yield from (f"       {line}" for line in result.error.splitlines()[-6:])
    yield ""


def _table(name: str, results: Sequence[Result], *, key: Callable[[Result], str]) -> Iterator[str]:
    groups = _groups(results, key)
    width = max([len(name), *map(len, groups)])
    yield ""
    yield f"{name:<{width}}  {'passed':>15}  {'echo':>15}"
    for each, group in sorted(groups.items()):
        yield f"{each:<{width}}  {_share(group):>15}  {_share(group, _echo):>15}"


def _groups(results: Sequence[Result], key: Callable[[Result], str]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = defaultdict(list)
    for each in results:
        groups[key(each)].append(each)
    return dict(groups)


def _rates(results: Sequence[Result], key: Callable[[Result], str]) -> dict[str, Any]:
    return {
        name: {
            "passed": sum(each.passes for each in group),
            "cases": len(group),
            "echoPassed": sum(each.echo_passes for each in group),
        }
        for name, group in sorted(_groups(results, key).items())
    }


def _category(result: Result) -> str:
    expect = result.case.expect
    return expect.category or ("healthy" if expect.outcome == "healthy" else NO_CATEGORY)


def _false_alarms(results: Sequence[Result]) -> list[Result]:
    return [each for each in results if each.case.expect.outcome == "healthy" and each.fails]


def _passes(result: Result) -> bool:
    return result.passes


def _echo(result: Result) -> bool:
    return result.echo_passes


def _share(results: Sequence[Result], which: Callable[[Result], bool] = _passes) -> str:
    passed = sum(map(which, results))
    return f"{passed}/{len(results)} {100 * passed / len(results):3.0f} %"


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
