"""Files of weights: safetensors only, and whole, before anything large is read."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from miagym.errors import TargetError

PICKLES = (".bin", ".ckpt", ".pt", ".pth")
"""Endings of files that run code when they are opened."""

CONVERT = (
    'python -c "import torch; from safetensors.torch import save_file; '
    "w = torch.load('{old}', map_location='cpu', weights_only=True); "
    "w = w.get('state_dict', w); "
    "save_file({{k: v.clone().contiguous() for k, v in w.items() if hasattr(v, 'shape')}}, "
    "'{new}')\""
)
"""The command that converts a pickle, without running what else is in it."""


def shapes_in(path: Path, name: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a file, of which only the header is read.

    Raises:
        TargetError: if it is a pickle, cut off, or no safetensors file at all.
    """
    if path.suffix.lower() in PICKLES or _is_pickle(path):
        raise pickled(path, name)
    try:
        with safe_open(path, framework="np") as file:
            keys = file.keys()  # the file itself cannot be iterated over
            return {key: tuple(file.get_slice(key).get_shape()) for key in keys}
    except (OSError, SafetensorError) as error:
        reason = str(error).partition("\n")[0]
        raise TargetError(
            f"{name} cannot be loaded: {path.name} is no whole safetensors file ({reason}); "
            "download or save it again."
        ) from error


def pickled(path: Path, name: str) -> TargetError:
    """Error of weights that are a pickle, with the command that converts them."""
    new = path.with_name(path.stem.replace("pytorch_model", "model") + ".safetensors")
    if path.name.startswith("diffusion_pytorch_model"):
        new = path.with_suffix(".safetensors")
    if new == path:
        new = path.with_name(path.stem + "-converted.safetensors")
    return TargetError(
        f"{name} cannot be loaded: {path.name} is a pickle, which may run any code when it is "
        f"opened; convert it to safetensors first: {CONVERT.format(old=path, new=new)}"
    )


def _is_pickle(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError:
        return False
    if start[8:9] == b"{":  # a header of safetensors, whose length may begin with any bytes
        return False
    return start[:2] == b"PK" or (start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05")


def variant_in(folder: Path, name: str) -> str | None:
    """Which variant of a component's weights there is; None for the plain one, which is preferred.

    All files of that variant are checked, shards included.

    Raises:
        TargetError: if there are none, only pickles, or a broken file.
    """
    part = f"{name}: {folder.name}"
    files = sorted(folder.glob("*.safetensors"))
    variants = sorted({_variant(file) or "" for file in files if not _is_extra(file)})
    if not variants:
        pickles = [file for ending in PICKLES for file in sorted(folder.glob(f"*{ending}"))]
        if pickles:
            raise pickled(pickles[0], part)
        raise TargetError(
            f"{part} cannot be loaded: there is no file of weights in it; expected "
            "a .safetensors file, as `pipeline.save_pretrained(folder)` writes it."
        )
    chosen = variants[0]
    for file in files:
        if not _is_extra(file) and (_variant(file) or "") == chosen:
            shapes_in(file, part)
    return chosen or None


def _variant(file: Path) -> str | None:
    """Returns "fp16" for model.fp16.safetensors, and for model.fp16-00001-of-00002.safetensors."""
    _, *middle, _ = file.name.split(".")
    return middle[-1].partition("-")[0] if middle else None


def _is_extra(file: Path) -> bool:
    """Whether it is weights of other software beside those of a component."""
    return _variant(file) in ("non_ema",)
