"""Does a model draw what its captions say, or blobs of the right colour?

    python benchmarks/attacks/drawing.py --out docs/benchmarks/attacks/drawing.md

A small classifier learns what a thing is from real pictures of `icons`. It is then asked about
pictures that the model generates for captions it never saw: a thing of its training in the one
style that was kept from it. Beside it: the same question about the real pictures that were kept,
which says how good the classifier is, about generated pictures under each other's captions, which
is chance, and about the captions whose own picture is no near-copy of one trained on, as the same
thing by the same artist may be. Intervals are over groups of look-alikes. Writes a sheet of 64
drawings beside the page, dealt by chance.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy

from miagym.candidates import Candidates
from miagym.embedded import art
from miagym.embedded.icon_build import UNSEEN
from miagym.embedded.icon_unseen import has_twin
from miagym.oracle import Oracle
from miagym.results.formats import estimate
from miagym.targets.registry import load_target

STEPS, GUIDANCE, SEED = 25, 4.0, 0
EPOCHS, BATCH, RATE = 30, 64, 2e-3
SHEET = (8, 8)


@dataclass(frozen=True)
class Pictures:
    """Pictures (n, 3, 64, 64) in [0, 1], with what they show and their groups (n,)."""

    pixels: Tensor
    kinds: list[str]
    captions: tuple[str, ...]
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, role: str) -> Pictures:
        """All icons of a role."""
        table = art.table("icons")
        rows = table.filter([each == role for each in table["role"].to_pylist()])
        pixels = torch.from_numpy(art.pixels(rows).transpose(0, 3, 1, 2).copy()).float() / 255
        captions = tuple(rows["caption"].to_pylist())
        return cls(pixels, rows["kind"].to_pylist(), captions, rows["group"].to_numpy())

    def candidates(self) -> Candidates:
        images = (self.pixels * 255).byte().permute(0, 2, 3, 1).numpy()
        return Candidates(images, self.captions)


def without_twin(seen: Pictures, kept: Pictures) -> NDArray[np.bool_]:
    """Of which kept pictures (n,) none that was trained on is a near-copy."""
    pixels = np.concatenate([each.candidates().images for each in (kept, seen)])
    trained = np.arange(len(pixels)) >= len(kept.kinds)
    groups = np.concatenate([kept.groups, seen.groups])
    return ~has_twin(pixels, trained, groups)[: len(kept.kinds)]


def network(kinds: int) -> nn.Module:
    def block(c_in: int, c_out: int) -> list[nn.Module]:
        convolution = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2)]

    blocks = [*block(3, 48), *block(48, 96), *block(96, 192), *block(192, 256)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Dropout(0.5), nn.Linear(256 * 4, kinds))


def half_size(pixels: Tensor) -> Tensor:
    """As the classifier sees pictures: 32 pixels wide, so that it judges shapes, not texture."""
    return avg_pool2d(pixels, 2) - 0.5


def jittered(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Shifted by up to 2 pixels, mirrored, tinted: a thing stays what it is."""
    x = torch.roll(x, tuple(rng.integers(-2, 3, 2)), (2, 3))
    x = x.flip(-1) if rng.random() < 0.5 else x
    tint = torch.from_numpy(rng.normal(1, 0.15, (len(x), 3, 1, 1)).astype(np.float32))
    return (x - 0.5) * tint + 0.5


def fitted(pictures: Pictures, kinds: list[str]) -> nn.Module:
    """Classifier of pictures (n, 3, 32, 32) by kind."""
    torch.manual_seed(SEED)
    x, number = half_size(pictures.pixels), {kind: i for i, kind in enumerate(kinds)}
    y = torch.tensor([number[kind] for kind in pictures.kinds])
    model, rng, steps = network(len(kinds)).train(), np.random.default_rng(SEED), len(x) // BATCH
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.05)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, EPOCHS * steps)
    for _ in range(EPOCHS):
        for rows in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            answer = model(jittered(x[rows], rng))
            loss = cross_entropy(answer, y[rows], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rate.step()
    return model.eval()


@torch.inference_mode()
def hits(model: nn.Module, pixels: Tensor, kinds: list[str], asked: list[str], k: int) -> NDArray:
    """Whether the asked kind is among the first k answers (n,)."""
    first = model(half_size(pixels)).topk(k, dim=1).indices.tolist()
    return np.array(
        [kind in {kinds[i] for i in row} for kind, row in zip(asked, first, strict=True)]
    )


def share(hit: NDArray, groups: NDArray[np.int64], draws: int = 2000) -> str:
    """Share of hits with its 95 % interval, a bootstrap over groups."""
    _, group = np.unique(groups, return_inverse=True)
    sums, sizes = np.bincount(group, hit), np.bincount(group)
    chosen = np.random.default_rng(SEED).integers(len(sums), size=(draws, len(sums)))
    shares = sums[chosen].sum(1) / sizes[chosen].sum(1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return estimate(float(hit.mean()), (float(low), float(high)))


def generated(target: str, asked: Pictures) -> Tensor:
    """A picture for each caption (n, 3, 64, 64), in [0, 1]."""
    oracle = Oracle(load_target(target))
    told = {"steps": STEPS, "guidance_scale": GUIDANCE}
    return oracle.generate(asked.candidates(), **told).clamp(0, 1).cpu()


def sheet(drawn: Tensor, captions: tuple[str, ...], path: Path) -> None:
    """Writes 64 drawings, dealt by chance, each above its caption."""
    rows, columns = SHEET
    chosen = np.random.default_rng(SEED).choice(len(drawn), rows * columns, replace=False)
    page = Image.new("RGB", (columns * 128, rows * 104), "white")
    for place, i in enumerate(chosen):
        top, left = divmod(place, columns)
        picture = Image.fromarray((drawn[i] * 255).byte().permute(1, 2, 0).numpy())
        page.paste(picture, (left * 128 + 32, top * 104 + 4))
        thing, _, style = captions[i].rpartition(", ")
        write = ImageDraw.Draw(page)
        for line, text in enumerate((thing, style)):
            width = write.textlength(text)
            write.text(
                (left * 128 + max(2, 64 - width / 2), top * 104 + 70 + 13 * line), text, "black"
            )
    page.save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="icons-realistic")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    seen, kept = Pictures.of("base-member"), Pictures.of(UNSEEN)
    kinds = sorted(set(seen.kinds))
    model = fitted(seen, kinds)
    drawn = generated(given.target, kept)
    turned = kept.kinds[1:] + kept.kinds[:1]
    everyone, alone = np.ones(len(drawn), dtype=bool), without_twin(seen, kept)
    rows = []
    for name, pixels, asked, of in (
        ("generated, under its caption", drawn, kept.kinds, everyone),
        (f"the {alone.sum()} whose picture has no near-copy", drawn, kept.kinds, alone),
        ("real pictures of the same captions", kept.pixels, kept.kinds, everyone),
        ("generated, under another's caption", drawn, turned, everyone),
    ):
        found = (hits(model, pixels, kinds, asked, k) for k in (1, 5))
        cells = (share(hit[of], kept.groups[of]) for hit in found)
        rows.append(f"| {name} | {' | '.join(cells)} |")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    picture = given.out.with_suffix(".png")
    sheet(drawn, kept.captions, picture)
    lines = [
        "# Does it draw?",
        "",
        f"`python benchmarks/attacks/drawing.py --target {given.target}`: {len(kept.kinds)} "
        f"captions that `{given.target}` never saw (a thing of its training, in the one style kept "
        f"from it), {STEPS} steps, guidance {GUIDANCE:g}. A classifier of {len(kinds)} kinds of "
        f"things, fitted on {len(seen.kinds):,} real pictures; chance is {1 / len(kinds):.2%} and "
        f"{5 / len(kinds):.2%}. Brackets hold 95 % intervals over groups of look-alikes.",
        "",
        "| pictures | first answer | among five |",
        "|---|---|---|",
        *rows,
        "",
        f"![64 drawings, dealt by chance, above their captions]({picture.name})",
        "",
    ]
    given.out.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
