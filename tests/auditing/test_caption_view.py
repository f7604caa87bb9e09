"""What captions show, whoever else is looking at captions."""

from __future__ import annotations

import numpy as np
import pytest

from miagym.auditing.views.captions import FEATURES, caption_view


def test_nothing_that_audits_share_is_fitted() -> None:
    # Audits run side by side in threads. A race of two is too rare to wait for.
    assert caption_view(["a cat, sitting", "two dogs", "a cat and a dog"])
    assert not any(hasattr(vectorizer, "vocabulary_") for vectorizer in FEATURES)


@pytest.mark.parametrize("captions", [["", "   "], ["_", "__"]])
def test_captions_without_a_word_have_few_features(captions: list[str]) -> None:
    view = caption_view(captions)
    assert view is not None and np.isfinite(view.features.toarray()).all()


def test_what_nobody_sees_is_named() -> None:
    captions = [f"a cat{chr(0x200B) * (i % 2)} number {i}" for i in range(40)]
    view = caption_view(captions)
    assert view is not None
    assert "the caption has an invisible character" in view.mark_names
    assert "the caption contains “[U+200B zero width space]”" in view.mark_names
