"""What a server says of its error is shown without our key, however it is written."""

from __future__ import annotations

import pytest

from kausa.diagnosis.model.events import shown_words

KEY = "our-own-key-of-the-gateway"


@pytest.mark.parametrize("place", [0, 100, 1_980, 1_990, 1_999])
def test_no_part_of_our_key_is_shown_where_the_words_are_cut(place: int) -> None:
    said = f"{' ' * place}{KEY} is not known"
    assert KEY[:4] not in shown_words({"message": said}, secret=KEY)
