"""A result as one HTML page that needs nothing else: figures, curves, pictures."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from PIL import Image

_THUMBNAIL_PX: Final = 120
_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; } td, th { padding: .25rem .9rem .25rem 0; text-align: left; vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; font-weight: 600; } tr + tr { border-top: 1px solid #eee; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } .plots svg { width: 34rem; max-width: 100%; height: auto; }
figure { display: inline-block; margin: 0 1rem 1rem 0; } figcaption { font-size: .8rem; color: #555; max-width: 16rem; }
.note { color: #555; } code { background: #f4f4f4; padding: .1rem .3rem; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """Pictures side by side with a line of text."""

    pictures: Sequence[Image.Image]
    caption: str


@dataclass(slots=True)
class Report:
    """What the page holds.

    Attributes:
        figures: rows of name, value, remark.
        facts: what was measured: models, settings, data.
        plots: SVG.
        galleries: pictures under a heading.
    """

    title: str
    command: str
    figures: list[tuple[str, str, str]] = field(default_factory=list)
    facts: Mapping[str, str] = field(default_factory=dict)
    plots: list[str] = field(default_factory=list)
    galleries: Mapping[str, Sequence[Shown]] = field(default_factory=dict)

    def html(self) -> str:
        """The page."""
        figures = "".join(
            f"<tr><td>{_text(name)}</td><td class=number>{_text(value)}</td><td class=note>{_text(note)}</td></tr>"
            for name, value, note in self.figures
        )
        facts = "".join(
            f"<tr><td>{_text(name)}</td><td><code>{_text(value)}</code></td></tr>" for name, value in self.facts.items()
        )
        shown = "".join(f"<h2>{_text(heading)}</h2>{''.join(map(_figure, each))}"
                        for heading, each in self.galleries.items() if each)  # fmt: skip
        return (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{_text(self.title)}</title>"
            f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
            f"<h1>{_text(self.title)}</h1><table>{figures}</table>"
            f"<h2>Curves</h2><div class=plots>{''.join(self.plots)}</div>{shown}"
            f"<h2>What was measured</h2><table>{facts}</table>"
            f"<p>Made by <code>{_text(self.command)}</code></p></html>\n"
        )


def _figure(shown: Shown) -> str:
    pictures = "".join(f"<img alt='' src='{_data(picture)}'>" for picture in shown.pictures)
    return f"<figure>{pictures}<figcaption>{_text(shown.caption)}</figcaption></figure>"


def _data(picture: Image.Image) -> str:
    small = picture.copy()
    small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


def _text(value: str) -> str:
    return html.escape(value)
