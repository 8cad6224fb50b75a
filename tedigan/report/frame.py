"""The page around its sections: one style sheet, a header, and the leave to load nothing."""

from collections.abc import Mapping

from tedigan.report.markup import escape
from tedigan.report.style import CSS

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def frame(
    *, title: str, about: str, cards: str, navigation: Mapping[str, str], body: str, footer: str
) -> str:
    """One self-contained HTML text. cards and body are markup, the rest is plain text.

    navigation: the key of a section -> its name.
    """
    links = "".join(f'<a href="#{key}">{escape(name)}</a>' for key, name in navigation.items())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head><body><main>"
        f'<header><div class="kicker">TediGAN platform</div><h1>{escape(title)}</h1>'
        f"<p>{escape(about)}</p>{cards}<nav>{links}</nav></header>{body}"
        f"<footer>{escape(footer)}</footer></main></body></html>\n"
    )
