"""Components of a pipeline, each loaded with every key of its file accounted for."""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from miagym.errors import TargetError
from miagym.targets.loading.index import Index
from miagym.targets.loading.weights import variant_in
from miagym.targets.location import first_line
from miagym.targets.pipeline.quiet import quiet_pipelines

UNLOADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, ImportError)
"""What diffusers and transformers raise on folders that are no component, or a broken one."""

CAPTIONS = ("a red house by the sea", "portrait of an old man, charcoal")
"""Two texts that no tokenizer in working order reads as the same."""

NAMED = 4
"""Keys that an error names before it counts."""


def load_component(folder: Path, library: str, kind: str, dtype: torch.dtype, name: str) -> Any:
    """A network, tokenizer or scheduler from its folder.

    Raises:
        TargetError: if it cannot be read, or keys are missing, left over or of another shape.
    """
    part = folder.name
    cls = getattr(diffusers if library == "diffusers" else transformers, kind, None)
    if cls is None:
        raise TargetError(
            f"{name} names {kind} as its {part}, which the installed {library} has not; install a "
            f"newer {library}, or choose another model."
        )
    is_network = not kind.endswith("Scheduler") and "Tokenizer" not in kind
    options: dict[str, Any] = {"local_files_only": True}
    if is_network:
        variant = variant_in(folder, name)
        options |= {"dtype": dtype, "use_safetensors": True, "output_loading_info": True}
        options |= {"variant": variant} if variant else {}
    try:
        with quiet_pipelines():
            loaded = cls.from_pretrained(str(folder), **options)
    except UNLOADABLE as error:
        if (folder / "spiece.model").is_file() and not (folder / "tokenizer.json").is_file():
            raise TargetError(
                f"{name} cannot be loaded: its {part} is a sentencepiece model, for which two "
                "packages are needed: pip install sentencepiece protobuf"
            ) from error
        raise TargetError(f"{name} cannot be loaded: its {part}: {first_line(error)}") from error
    if not is_network:
        return loaded
    network, info = loaded
    check_keys(
        f"{name}: {part}", info["missing_keys"], info["unexpected_keys"], info["mismatched_keys"]
    )
    check_finite(network, f"{name}: {part}")
    return network


def check_keys(
    part: str, missing: Sequence[str], unexpected: Sequence[str], mismatched: Sequence[Any]
) -> None:
    """Refuses weights that do not fill a network exactly: what is missing would be random.

    Raises:
        TargetError: naming the first few keys of each kind.
    """
    unexpected = [key for key in unexpected if not key.endswith("position_ids")]  # a constant
    wrong = [key if isinstance(key, str) else str(key[0]) for key in mismatched]
    found = {"missing": list(missing), "not used": unexpected, "of another shape": wrong}
    told = [f"{len(keys)} {what} ({_some(keys)})" for what, keys in found.items() if keys]
    if told:
        raise TargetError(
            f"{part} does not fit its configuration: of the weights, {' and '.join(told)}; what is "
            "missing would be random. Expected every key of an ordinary pipeline's folder: LoRA "
            "or fused names have to be merged and saved anew."
        )


def check_finite(network: torch.nn.Module, part: str) -> None:
    """Refuses weights with NaN or infinity in them.

    Raises:
        TargetError: naming the first such tensor.
    """
    for key, tensor in network.state_dict().items():
        if tensor.is_meta or not tensor.is_floating_point():
            continue
        if not torch.isfinite(tensor).all():
            raise TargetError(
                f"{part} holds NaN or infinity in its weights ({key}): the training diverged, or "
                "the file is damaged; expected finite weights."
            )


def check_tokenizer(tokenizer: Any, encoder: Any, name: str) -> None:
    """Refuses a tokenizer that does not fit its text encoder; sets its length where it names none.

    Raises:
        TargetError: if different captions have the same tokens, or a token has no embedding.
    """
    config = encoder.config
    longest = getattr(config, "max_position_embeddings", None)
    if longest is not None and tokenizer.model_max_length > longest:
        tokenizer.model_max_length = longest
    first, second = (tokenizer(text).input_ids for text in CAPTIONS)
    if first == second:
        raise TargetError(
            f"{name} has an incomplete tokenizer: it reads {CAPTIONS[0]!r} and {CAPTIONS[1]!r} as "
            "the same tokens; save the pipeline again with all files of its tokenizer."
        )
    most = max(tokenizer.get_vocab().values())
    if most >= config.vocab_size:
        raise TargetError(
            f"{name} has a tokenizer with tokens up to {most} and a text encoder that knows "
            f"{config.vocab_size}; expected a tokenizer and a text encoder that belong together."
        )


def load_components(
    folder: Path, index: Index, dtype: torch.dtype, name: str, given: dict[str, Any]
) -> dict[str, Any]:
    """All components of a folder, those `given` taken as they are.

    Raises:
        TargetError: if one cannot be loaded, or tokenizers do not fit text encoders.
    """
    parts = dict(given)
    for part, (library, kind) in index.components.items():
        if part not in parts:
            parts[part] = load_component(folder / part, library, kind, dtype, name)
    check_tokenizers(parts, name)
    return parts


def check_tokenizers(parts: Mapping[str, Any], name: str) -> None:
    """Checks each tokenizer of a pipeline's components with its text encoder.

    Raises:
        TargetError: as `check_tokenizer` does.
    """
    for part, tokenizer in parts.items():
        encoder = parts.get(part.replace("tokenizer", "text_encoder"))
        if part.startswith("tokenizer") and encoder is not None:
            check_tokenizer(tokenizer, encoder, name)


def _some(keys: Sequence[str]) -> str:
    more = len(keys) - NAMED
    return ", ".join(keys[:NAMED]) + (f", and {more} more" if more > 0 else "")
