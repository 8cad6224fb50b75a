"""A page as a browser's parser sees it: its elements with their attributes, and its texts."""

from html.parser import HTMLParser


class Outline(HTMLParser):
    """elements: (tag, attributes) in order. texts: each text between two tags, white space collapsed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    @classmethod
    def of(cls, page: str) -> "Outline":
        outline = cls()
        outline.feed(page)
        outline.close()
        return outline

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def policy(self) -> str:
        """The Content-Security-Policy."""
        metas = [found for tag, found in self.elements if tag == "meta" and "http-equiv" in found]
        assert [meta["http-equiv"] for meta in metas] == ["Content-Security-Policy"]
        return metas[0]["content"] or ""

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [found[name] for one, found in self.elements if one == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if words := " ".join(data.split()):
            self.texts.append(words)
