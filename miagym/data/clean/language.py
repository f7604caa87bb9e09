"""Language of captions, by the library lingua if it is installed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from miagym.errors import DataError


def in_language(captions: Sequence[str], code: str) -> NDArray[np.bool_]:
    """Whether each caption (n) is most likely in this language; "" is in none.

    Args:
        captions: n texts.
        code: ISO 639-1, such as "en".

    Raises:
        DataError: if lingua is not installed or does not know the language.
    """
    try:
        import lingua
    except ImportError as error:
        raise DataError(
            'Languages are told apart by the library lingua: pip install "miagym[language]".'
        ) from error
    codes = {language.iso_code_639_1.name.lower(): language for language in lingua.Language.all()}
    if code.lower() not in codes:
        raise DataError(f"No language is called {code!r}; known: {', '.join(sorted(codes))}.")
    detector = lingua.LanguageDetectorBuilder.from_all_languages().build()
    wanted = codes[code.lower()]
    return np.array([detector.detect_language_of(text) == wanted for text in captions], dtype=bool)
