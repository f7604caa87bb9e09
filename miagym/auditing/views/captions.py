"""View of captions: words and characters, case and punctuation kept, since cleaning is a cue."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from miagym.auditing.views.view import Sparse, View, table_features
from miagym.data.text_marks import has_invisible, in_words

CAPTIONS = "captions"
"""What the view is called."""

MAX_CHARACTERS = 1000
"""Characters of a caption that n-grams are taken from; its length is measured in full."""

MAX_NGRAMS = 2000
"""Most frequent n-grams of words, and of characters, that are learned from."""

PENALTY = 5.0
"""Of the ridge, chosen on the embedded art: a strong one makes the most of many weak words."""

MIN_BEARER_SHARE = 0.005
MIN_BEARERS = 5
"""Share and number of rows that must bear a mark before it is named as a cue."""

FEATURES = (
    TfidfVectorizer(
        token_pattern=r"\w+|[^\w\s]",
        ngram_range=(1, 2),
        lowercase=False,
        sublinear_tf=True,
        max_features=MAX_NGRAMS,
    ),
    TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(1, 4),
        lowercase=False,
        sublinear_tf=True,
        max_features=MAX_NGRAMS,
    ),
)
MARKS = (
    (r"\w+", (1, 2), "the caption has “{}”"),
    (r"[^\w\s]", (1, 1), "the caption contains “{}”"),
)
"""What is named as a cue: the pattern of a token, how many in a row, and the words for it."""

SHAPES: dict[str, Callable[[str], bool]] = {
    "the caption is empty": lambda text: not text.strip(),
    "the caption starts with a capital letter": lambda text: text[:1].isupper(),
    "the caption is all lower case": lambda text: text.islower(),
    "the caption is all upper case": lambda text: text.isupper(),
    "the caption ends with punctuation": lambda text: bool(re.search(r"[^\w\s]\s*$", text)),
    "the caption has a digit": lambda text: bool(re.search(r"\d", text)),
    "the caption has letters beyond ASCII": lambda text: not text.isascii(),
    "the caption has an invisible character": has_invisible,
    "the caption has a web address": lambda text: bool(re.search(r"https?:|www\.", text)),
    "the caption has spaces around it or doubled": lambda text: text != " ".join(text.split()),
}
MEASURES: dict[str, Callable[[str], float]] = {
    "characters in the caption": len,
    "words in the caption": lambda text: len(text.split()),
    "punctuation marks in the caption": lambda text: len(re.findall(r"[^\w\s]", text)),
    "capital letters in the caption": lambda text: sum(map(str.isupper, text)),
    "digits in the caption": lambda text: sum(map(str.isdigit, text)),
    "letters in a word of the caption": lambda text: (
        sum(map(len, text.split())) / max(1, len(text.split()))
    ),
}


def caption_view(captions: Sequence[str]) -> View | None:
    """View of n captions; None if all are the same, so that there is nothing to see."""
    if len(set(captions)) < 2:
        return None
    measures = {
        name: np.array([measure(text) for text in captions], dtype=np.float64)
        for name, measure in MEASURES.items()
    }
    measures = {name: column for name, column in measures.items() if np.ptp(column) > 0}
    shapes = {name: np.array([has(text) for text in captions]) for name, has in SHAPES.items()}
    shapes = {name: has for name, has in shapes.items() if has.any() and not has.all()}
    short = [text[:MAX_CHARACTERS] for text in captions]
    blocks: list[Sparse] = [csr_array(table_features(measures, shapes))]
    blocks += [_fitted(vectorizer, short)[0] for vectorizer in FEATURES]
    blocks = [block for block in blocks if block.shape[1]]
    marks, names = _marks(short, shapes)
    features = csr_array(hstack(blocks) / np.sqrt(len(blocks)))
    return View(CAPTIONS, np.arange(len(captions)), features, marks, names, measures, PENALTY)


def _marks(
    captions: Sequence[str], shapes: dict[str, NDArray[np.bool_]]
) -> tuple[Sparse, tuple[str, ...]]:
    """Which caption bears which mark (n, k), and what the marks mean."""
    blocks, names = [], []
    for pattern, ngrams, words in MARKS:
        counter = CountVectorizer(
            token_pattern=pattern, ngram_range=ngrams, lowercase=False, binary=True
        )
        found, tokens = _fitted(counter, captions)
        bearers = np.asarray(found.sum(axis=0))
        often = bearers >= max(MIN_BEARERS, MIN_BEARER_SHARE * len(captions))
        telling = np.flatnonzero(often & (bearers < len(captions)))
        blocks.append(found[:, telling])
        names += [words.format(in_words(tokens[i])) for i in telling]
    blocks += [csr_array(has[:, None].astype(np.float64)) for has in shapes.values()]
    return csr_array(hstack(blocks)), (*names, *shapes)


def _fitted(
    vectorizer: CountVectorizer, captions: Sequence[str]
) -> tuple[Sparse, NDArray[np.str_]]:
    """Counts (n, k) and the k n-grams; none of either where no caption has a token."""
    own = cast(CountVectorizer, clone(vectorizer))  # audits may run side by side in threads
    try:
        counts = csr_array(own.fit_transform(captions), dtype=np.float64)
    except ValueError as error:
        if "empty vocabulary" not in str(error):
            raise
        return csr_array((len(captions), 0)), np.empty(0, dtype=np.str_)
    return counts, own.get_feature_names_out()
