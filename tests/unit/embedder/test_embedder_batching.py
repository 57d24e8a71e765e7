from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kausa_embedder.batching import bucket_widths, cut, width_of

WIDTHS = bucket_widths(256)
lengths = st.lists(st.integers(1, 300), min_size=1, max_size=60)
budgets = st.integers(1, 4096)
counts = st.integers(1, 64)


@given(lengths, budgets, counts)
def test_the_oldest_is_always_in(given_lengths: list[int], budget: int, most: int) -> None:
    assert 0 in cut(given_lengths, budget=budget, max_texts=most, widths=WIDTHS)


@given(lengths, budgets, counts)
def test_a_batch_stays_within_its_budget_unless_it_is_one_text(
    given_lengths: list[int], budget: int, most: int
) -> None:
    chosen = cut(given_lengths, budget=budget, max_texts=most, widths=WIDTHS)
    width = width_of(max(given_lengths[index] for index in chosen), WIDTHS)
    assert len(chosen) == 1 or len(chosen) * width <= budget
    assert len(chosen) <= most


@given(lengths, budgets, counts)
def test_no_text_is_chosen_twice_and_the_order_is_that_of_age(
    given_lengths: list[int], budget: int, most: int
) -> None:
    chosen = cut(given_lengths, budget=budget, max_texts=most, widths=WIDTHS)
    assert list(chosen) == sorted(set(chosen))
    assert set(chosen) <= set(range(len(given_lengths)))


@given(lengths, budgets, counts)
def test_cutting_until_nothing_waits_loses_nothing(
    given_lengths: list[int], budget: int, most: int
) -> None:
    waiting = list(enumerate(given_lengths))
    answered: list[int] = []
    while waiting:
        chosen = cut([n for _, n in waiting], budget=budget, max_texts=most, widths=WIDTHS)
        answered += [waiting[index][0] for index in chosen]
        waiting = [item for index, item in enumerate(waiting) if index not in chosen]
    assert sorted(answered) == list(range(len(given_lengths)))


def test_short_texts_are_not_padded_to_a_long_one() -> None:
    assert cut([256, 8, 8, 8, 8], budget=4096, max_texts=64, widths=WIDTHS) == (0,)


def test_texts_of_like_length_go_together() -> None:
    chosen = cut([30, 200, 31, 8, 32, 200], budget=512, max_texts=64, widths=WIDTHS)
    assert chosen == (0, 2, 4)


def test_the_less_a_run_costs_beside_its_tokens_the_less_padding_is_worth_it() -> None:
    window = [60, 44, 43, 42]
    dear = cut(window, budget=512, max_texts=64, widths=WIDTHS, overhead=64)
    cheap = cut(window, budget=512, max_texts=64, widths=WIDTHS, overhead=0)
    assert (dear, cheap) == ((0, 1, 2, 3), (0,))


@given(st.integers(8, 9000))
def test_a_bucket_holds_what_is_put_into_it_and_wastes_little(max_tokens: int) -> None:
    widths = bucket_widths(max_tokens)
    assert widths[-1] == max_tokens
    assert list(widths) == sorted(set(widths))
    for length in {1, 17, 100, max_tokens // 2, max_tokens}:
        if 0 < length <= max_tokens:
            width = width_of(length, widths)
            assert length <= width < length + max(8, length / 4 + 1)
