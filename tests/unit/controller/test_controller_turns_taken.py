"""A turn of the model about a generation that is no more is found, and each ends its own note."""

from __future__ import annotations

from kausa.controller.turns_taken import TurnsTaken

KEY = ("shop", "x")


def test_a_turn_about_another_generation_is_out_of_date_while_it_lasts() -> None:
    turns = TurnsTaken()
    assert not turns.is_outdated(KEY, generation=1)
    with turns.about(KEY, generation=1):
        assert not turns.is_outdated(KEY, generation=1)
        assert turns.is_outdated(KEY, generation=2)
        assert not turns.is_outdated(("shop", "y"), generation=2)
    assert not turns.is_outdated(KEY, generation=2)


def test_the_end_of_one_is_not_the_end_of_another() -> None:
    turns = TurnsTaken()
    first, second = turns.about(KEY, generation=1), turns.about(KEY, generation=1)
    with second:
        with first:
            pass
        assert turns.is_outdated(KEY, generation=2)
    assert not turns.is_outdated(KEY, generation=2)
