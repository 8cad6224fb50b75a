"""The few pieces of HTML that every section is made of; all text is escaped here."""

import base64
import html
from collections.abc import Mapping, Sequence

TYPES = {b"\x89PNG": "png", b"RIFF": "webp", b"\xff\xd8": "jpeg"}


def escape(text: object) -> str:
    """Text that cannot be taken for markup."""
    return html.escape(str(text), quote=True)


def number(value: float | None) -> str:
    """Three or four significant digits; a dash for nothing."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def image(content: bytes, alt: str) -> str:
    """A picture inside the page, as a data URI."""
    kind = next(name for start, name in TYPES.items() if content.startswith(start))
    data = base64.b64encode(content).decode()
    return f'<img src="data:image/{kind};base64,{data}" alt="{escape(alt)}">'


def figure(content: bytes, caption: str) -> str:
    """A picture with its caption below."""
    return f"<figure>{image(content, caption)}<figcaption>{escape(caption)}</figcaption></figure>"


def section(key: str, title: str, lead: str, body: str) -> str:
    """A headed part of the page that the navigation can point to."""
    return (
        f'<section id="{key}"><h2>{escape(title)}</h2><p class="lead">{escape(lead)}</p>{body}'
        "</section>"
    )


def facts(pairs: Mapping[str, object]) -> str:
    """A list of names and values."""
    items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs.items())
    return f"<dl>{items}</dl>"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are markup already; it scrolls on a narrow screen."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
