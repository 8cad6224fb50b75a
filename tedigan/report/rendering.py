"""A template and its values -> HTML. What is put in is escaped, and what is missing is an error."""

import base64
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

_TYPES = {b"\x89PNG": "png", b"RIFF": "webp", b"\xff\xd8": "jpeg"}


def render(template: str, **values: object) -> str:
    """The page of a template of this room, such as `report_page.html`.

    Raises jinja2.UndefinedError where the template names a value that is not there.
    """
    return _environment().get_template(template).render(values)


def number(value: float | None) -> str:
    """Three or four significant digits; a dash for nothing."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def data_uri(content: bytes) -> str:
    """A picture file's bytes as an address that loads nothing."""
    kind = next(name for start, name in _TYPES.items() if content.startswith(start))
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tedigan.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"data_uri": data_uri, "formatted": format, "number": number}
    return environment
