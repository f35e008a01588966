"""Pictures that a model made, and how they say so. Writing needs Pillow (``pip install 'facewire[video]'``).

The mark is what the picture trade uses, IPTC's digital source type in XMP (IPTC Photo Metadata Standard), so that other
programs understand it, and theirs are understood here. It is told, not hidden: whoever wants to lose it can.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

_TERMS: Final = "cv.iptc.org/newscodes/digitalsourcetype/"
MADE_BY_MODEL: Final = f"http://{_TERMS}trainedAlgorithmicMedia"
"""IPTC's digital source type of what a trained model made."""
CHANGED_BY_MODEL: Final = f"http://{_TERMS}compositeWithTrainedAlgorithmicMedia"
"""IPTC's digital source type of a picture of which a trained model made parts."""

# Whatever follows: in binary metadata (C2PA's) that may be a letter.
_SYNTHETIC: Final = re.compile(
    re.escape(_TERMS).encode()
    + rb"(?:trainedAlgorithmicMedia|compositeWithTrainedAlgorithmicMedia|compositeSynthetic|algorithmicMedia)"
)
_XMP: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" Iptc4xmpExt:DigitalSourceType={source} xmp:CreatorTool={tool}/>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
_LABEL: Final = "AI"


def says_synthetic(data: bytes) -> bool:
    """Whether a picture file says of itself that a model made or changed it.

    Args:
        data: a JPEG, PNG or WebP file, or its metadata. All of it is searched for the mark as IPTC spells it; what is
            compressed is not unpacked.
    """
    return _SYNTHETIC.search(data) is not None


def marked_png(
    pixels: npt.NDArray[np.uint8], tool: str, *, visible: bool = False, source: str = MADE_BY_MODEL
) -> bytes:
    """A PNG file that says that a model made it, or parts of it.

    Args:
        pixels: uint8 (H, W, 3), R, G, B.
        tool: what made it.
        visible: also write "AI" into its lower right corner.
        source: IPTC's digital source type.
    """
    from PIL import Image, PngImagePlugin  # noqa: PLC0415 - the client alone needs no Pillow

    picture = Image.fromarray(pixels)
    if visible:
        _label(picture)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", tool)
    text.add_text("Comment", f"Synthetic picture, made by a model: {source}")
    text.add_itxt("XML:com.adobe.xmp", _XMP.format(source=quoteattr(source), tool=quoteattr(tool)))
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=text)
    return out.getvalue()


def contact_sheet(pictures: list[bytes], tool: str, columns: int = 0) -> bytes:
    """Pictures of one size side by side, as a marked PNG file.

    Args:
        pictures: their files, at least one.
        tool: what made them.
        columns: 0: about as many as rows.
    """
    from PIL import Image  # noqa: PLC0415

    tiles = [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in pictures]
    columns = columns or int(np.ceil(np.sqrt(len(tiles))))
    height, width = tiles[0].shape[:2]
    gap = max(2, width // 32)
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        y, x = (
            gap + index * (size + gap) for index, size in zip(divmod(number, columns), (height, width), strict=True)
        )
        sheet[y : y + height, x : x + width] = tile
    return marked_png(sheet, tool)


def _label(picture: Image.Image) -> None:
    """White on black in the corner, an eighth of the picture high."""
    from PIL import ImageDraw, ImageFont  # noqa: PLC0415

    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(8.0, picture.height / 8))
    left, top, right, bottom = draw.textbbox((0, 0), _LABEL, font=font)
    x, y = picture.width - (right - left) - 3, picture.height - (bottom - top) - 3
    draw.rectangle((x - 1, y - 1, picture.width, picture.height), fill=(0, 0, 0))
    draw.text((x + 1 - left, y + 1 - top), _LABEL, font=font, fill=(255, 255, 255))
