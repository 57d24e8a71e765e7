from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kausa_embedder.errors import InferenceError, ModelBrokenError, ModelMissingError
from kausa_embedder.models import DEFAULT_MODEL, REQUIRED_FILES
from kausa_embedder.session import MAX_CHARACTERS, MAX_TEXTS, Session, load


class FakeModel:
    """A model that answers what it is told, or fails."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.texts: list[str] = []

    def embed(self, texts: list[str], **_: Any) -> Iterator[list[float]]:
        self.texts = texts
        for _text in texts:
            answer = self._answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            yield answer


def session(*answers: Any) -> Session:
    return Session(spec=DEFAULT_MODEL, model=FakeModel([1.0, 0.0], *answers))


def test_the_model_itself_says_how_many_dimensions_it_has() -> None:
    assert session().dimensions == 2


def test_no_text_is_no_vector() -> None:
    assert session().embed([]) == []


@pytest.mark.parametrize(
    "vector",
    [[float("nan"), 0.0], [float("inf"), 0.0], [0.0, 0.0], [2.0, 0.0], [1.0], [1.0, 0.0, 0.0]],
)
def test_a_vector_that_no_store_should_see_is_an_error(vector: list[float]) -> None:
    with pytest.raises(InferenceError, match="dimensions and"):
        session(vector).embed(["text"])


def test_what_the_runtime_raises_stays_inside() -> None:
    with pytest.raises(InferenceError, match="out of luck"):
        session(RuntimeError("out of luck")).embed(["text"])


def test_too_many_texts_are_refused_before_the_model_sees_them() -> None:
    with pytest.raises(InferenceError, match=str(MAX_TEXTS)):
        session().embed(["text"] * (MAX_TEXTS + 1))


def test_an_endless_text_is_cut_before_the_tokenizer_sees_it() -> None:
    model = FakeModel([1.0], [1.0])
    Session(spec=DEFAULT_MODEL, model=model).embed(["x" * 10 * MAX_CHARACTERS])
    assert [len(text) for text in model.texts] == [MAX_CHARACTERS]


def test_an_empty_folder_is_a_missing_model_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError) as missing:
        load(spec=DEFAULT_MODEL, folder=tmp_path)
    for said in (*REQUIRED_FILES, str(tmp_path), "embedded-models", "KAUSA_EMBEDDER_MODEL_PATH"):
        assert said in str(missing.value)


@pytest.mark.parametrize("config", ["", "[]", "{}", json.dumps({"model_max_length": 512})])
def test_a_folder_that_reads_more_than_the_spec_is_refused(tmp_path: Path, config: str) -> None:
    for name in REQUIRED_FILES:
        (tmp_path / name).write_text(config)
    with pytest.raises(ModelBrokenError, match="tokenizer_config"):
        load(spec=DEFAULT_MODEL, folder=tmp_path)
