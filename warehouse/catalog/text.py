"""How the catalogue compares texts: labels of columns and quotations of documents.

Belongs here: normalisation that makes two writings of one text equal. Does not belong here:
guessing (distances, synonyms) or anything that changes what is stored or printed.
"""

from __future__ import annotations

import re
import unicodedata

_SPACE = re.compile(r"\s+")
# NFKC leaves these apart although documents use them for the same sign.
_SAME = str.maketrans({"—": "-", "–": "-", "－": "-", "﹣": "-", "−": "-", "‘": "'", "’": "'"})


def label_key(text: str) -> str:
    """Key under which a column label is looked up: width, case, white space, quotes unified."""
    plain = _SPACE.sub("", unicodedata.normalize("NFKC", text)).translate(_SAME)
    return plain.replace("“", "").replace("”", "").replace('"', "").casefold()


def quote_key(text: str) -> str:
    """Key by which a quotation is found in its document: white space and width unified.

    Shape of the match: ``quote_key(quote) in quote_key(document)``. Words and punctuation stay, so
    a changed character is found; line breaks, page layout and full-width forms do not matter.
    """
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).translate(_SAME)
