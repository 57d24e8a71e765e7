from __future__ import annotations

from hack.demo.progress import Progress
from hack.demo.shop import BROKEN
from hack.demo.table import Table, fit, parse

HEAD = (
    "NAMESPACE   NAME            TARGET                REASON             "
    "CAUSE                      CONFIDENCE   SEEN   SIMILAR   RESOLVED   AGE"
)


def table(*, seen: int = 1, age: str = "5s", cause: str = "no such file", only: str = "") -> Table:
    names = [name for name in BROKEN if only in ("", name)]
    rows = tuple(
        {
            "NAMESPACE": "shop",
            "NAME": f"{name}-crashloop-ed032f",
            "TARGET": f"Deployment/{name}",
            "REASON": "CrashLoopBackOff",
            "CAUSE": cause,
            "CONFIDENCE": "75",
            "SEEN": str(seen),
            "SIMILAR": "0",
            "RESOLVED": "False",
            "AGE": age,
        }
        for name in names
    )
    return Table(tuple(rows[0]), rows)


def test_no_output_is_an_empty_table() -> None:
    assert parse("") == Table()
    assert not Table().differs(parse("\n"))


def test_an_empty_cell_stays_empty_and_blanks_inside_a_cell_stay() -> None:
    row = (
        "shop        cart-e-f2cc6f   Deployment/cart                          "
        "ConfigMap x does not exist 97                     0         False      5s"
    )
    [read] = parse(f"{HEAD}\n{row}\n").rows
    assert read["REASON"] == ""
    assert read["CAUSE"] == "ConfigMap x does not exist"
    assert read["SEEN"] == ""
    assert read["AGE"] == "5s"


def test_what_is_fitted_wide_enough_reads_back_the_same() -> None:
    whole = table()
    assert parse("\n".join(fit(whole, 400))) == whole


def test_the_passing_of_time_is_no_change() -> None:
    assert not table(age="5s").differs(table(age="6s"))


def test_a_repeat_a_cause_and_a_new_row_are_changes() -> None:
    assert table(seen=2).differs(table(seen=1))
    assert table(cause="").differs(table())
    assert table().differs(table(only="cart"))


def test_only_a_row_with_a_cause_is_diagnosed() -> None:
    assert table(cause="").diagnosed("shop", BROKEN) == frozenset()
    assert table(only="cart").diagnosed("shop", BROKEN) == {"cart"}
    assert table().diagnosed("another", BROKEN) == frozenset()


def test_a_count_that_is_not_there_yet_is_none() -> None:
    row = {**table(only="cart").rows[0], "SEEN": ""}
    assert Table(tuple(row), (row,)).seen("shop", "cart") == 0


def test_a_narrow_terminal_keeps_target_cause_and_count() -> None:
    for width in (200, 120, 80, 60):
        lines = fit(table(cause="c" * 90), width)
        assert max(len(line) for line in lines) <= width
        assert all(title in lines[0] for title in ("TARGET", "CAUSE", "SEEN"))


def test_a_cause_that_does_not_fit_ends_with_an_ellipsis() -> None:
    assert "…" in fit(table(cause="c" * 90), 80)[1]
    assert "…" not in fit(table(cause="short"), 200)[1]


def test_a_table_is_settled_when_what_repeats_was_seen_again() -> None:
    progress = Progress()
    assert progress.take(table(only="cart"), seconds=1)
    assert progress.missing == ["checkout", "indexer", "mailer", "trainer"]
    assert progress.take(table(), seconds=2)
    assert progress.full_after == 2
    assert not progress.settled
    assert not progress.take(table(age="9s"), seconds=3)
    assert progress.take(table(seen=2), seconds=4)
    assert progress.settled
    assert progress.full_after == 2


def test_a_failure_that_was_seen_often_before_its_cause_was_known_must_still_repeat() -> None:
    progress = Progress()
    progress.take(table(seen=7, cause=""), seconds=1)
    progress.take(table(seen=7), seconds=2)
    assert progress.unrepeated == ["cart", "checkout", "indexer"]
