"""From options to a loaded model, and to the cross-encoder beside it if there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeGuard

from kausa_embedder.backends.base import Backend, Dividing, Runs, Scorer
from kausa_embedder.checking import check_files
from kausa_embedder.cpus import available_cpus
from kausa_embedder.errors import EmbedderError, ModelBrokenError, ModelMissingError
from kausa_embedder.fetching import Progress, fetch
from kausa_embedder.models import ModelSpec, cache_folder, find_spec, given_folder
from kausa_embedder.options import EngineOptions

__all__ = ["Lanes", "Loaded", "lanes_of", "load"]

MOST_BYTES_TWICE = 256 * 1024 * 1024
"""Weights that are loaded a second time so that batches can run beside each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The same models for several batches at a time, on a CPU each.

    Two batches on a CPU each are done sooner than one after the other on two, because within a
    batch the threads wait for each other many times; a text that is alone is done sooner on all.
    """

    count: int
    """How many batches."""
    backend: Runs
    scorer: Runs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What an engine runs."""

    spec: ModelSpec
    backend: Backend
    threads: int
    scorer_spec: ModelSpec | None = None
    scorer: Scorer | None = None
    lanes: Lanes | None = None
    """None where batches run one after the other."""


def load(options: EngineOptions, *, report: Callable[[Progress], None] | None = None) -> Loaded:
    """Load what the options name. Blocks for as long as that takes, seconds at most unless it
    fetches; `report` is told how far that is, on this thread.

    Raises ModelMissingError, ModelBrokenError, ProviderMissingError, RuntimeMissingError.
    """
    threads = options.threads or available_cpus()
    folder = options.folder or (None if options.cache else given_folder())
    spec = find_spec(options.model, folder=folder)
    if options.backend is not None:
        spec = replace(spec, backend=options.backend)
    if spec.cross_encoder:
        raise ModelMissingError(f"{spec.name} scores pairs of texts; it makes no vectors")
    backend: Backend = _load_one(spec, options, folder=folder, threads=threads, report=report)
    name = spec.reranker if options.reranker is None else options.reranker
    if not name:
        lanes = lanes_of(backend, count=threads)
        return Loaded(spec=spec, backend=backend, threads=threads, lanes=lanes)
    scorer_spec = find_spec(name, folder=options.reranker_folder)
    if not scorer_spec.cross_encoder:
        raise ModelMissingError(f"{scorer_spec.name} makes vectors; it does not score pairs")
    scorer: Scorer = _load_one(
        scorer_spec,
        options,
        folder=options.reranker_folder,
        threads=threads,
        report=report,
    )
    return Loaded(
        spec=spec,
        backend=backend,
        threads=threads,
        scorer_spec=scorer_spec,
        scorer=scorer,
        lanes=lanes_of(backend, scorer, count=threads),
    )


def lanes_of(backend: Runs, scorer: Runs | None = None, *, count: int) -> Lanes | None:
    """Ways to run so many batches at a time, by loading the models once more.

    None with one CPU, on CUDA, where the weights are too large for that, and where torch runs the
    model. Raises ModelBrokenError.
    """
    if count < 2 or not _divides(backend):
        return None
    if scorer is None:
        return Lanes(count=count, backend=backend.divided())
    if not _divides(scorer):
        return None
    return Lanes(count=count, backend=backend.divided(), scorer=scorer.divided())


def _divides(model: Runs) -> TypeGuard[Dividing]:
    return (
        model.provider == "cpu"
        and isinstance(model, Dividing)
        and model.weight_bytes <= MOST_BYTES_TWICE
    )


def _load_one(
    spec: ModelSpec,
    options: EngineOptions,
    *,
    folder: Path | None,
    threads: int,
    report: Callable[[Progress], None] | None,
) -> Any:
    place = folder or (options.cache or cache_folder()) / spec.folder
    if options.download and folder is None and spec.repository and spec.files:
        fetch(spec, place, report=report or (lambda progress: None))
    check_files(spec, place, given=folder is not None)
    try:
        return _loader(spec)(
            spec=spec,
            folder=place,
            provider=options.provider,
            fallback=options.provider_fallback,
            threads=threads,
        )
    except EmbedderError:
        raise
    except Exception as error:
        raise ModelBrokenError(f"the model in {place} cannot be loaded: {error!r}") from error


def _loader(spec: ModelSpec) -> Callable[..., Any]:
    """Imported when used: each costs a second and tens of MiB."""
    if spec.backend == "fastembed":
        from kausa_embedder.backends import fastembed_onnx

        return fastembed_onnx.load_model
    if spec.backend == "sentence-transformers":
        from kausa_embedder.backends import sentence_transformers

        if spec.cross_encoder:
            return sentence_transformers.load_cross_encoder
        return sentence_transformers.load_model
    from kausa_embedder.backends import onnx_folder

    return onnx_folder.load_cross_encoder if spec.cross_encoder else onnx_folder.load_model
