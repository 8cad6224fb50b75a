"""The canvas keeps a picture and its label map side by side: `paint` draws one, `mark` the other."""

from collections.abc import Sequence

from tedigan.drawn.colours import Colour, Number, css
from tedigan.drawn.curves import ellipse_path
from tedigan.vocabulary.labels import LABEL_PALETTE

SIZE = 512

Stop = tuple[Number, Colour, Number]  # offset 0..1, colour, opacity 0..1


class Canvas:
    """Two growing SVG documents that share their geometry."""

    def __init__(self) -> None:
        """Start with an empty picture and an all-background label map."""
        self._definitions: dict[str, str] = {}
        self._picture: list[str] = []
        self._label: list[str] = []

    def _define(self, body: str) -> str:
        """Name a definition; equal bodies share one name."""
        if body not in self._definitions:
            self._definitions[body] = f"d{len(self._definitions)}"
        return f"url(#{self._definitions[body]})"

    def linear(
        self, start: tuple[Number, Number], end: tuple[Number, Number], stops: Sequence[Stop]
    ) -> str:
        """A linear gradient between two points of the frame, as a fill."""
        line = f'x1="{start[0]:.0f}" y1="{start[1]:.0f}" x2="{end[0]:.0f}" y2="{end[1]:.0f}"'
        head = f'<linearGradient id="%s" gradientUnits="userSpaceOnUse" {line}>'
        return self._define(head + _stops(stops) + "</linearGradient>")

    def radial(self, centre: tuple[Number, Number], radius: Number, stops: Sequence[Stop]) -> str:
        """A radial gradient around a point of the frame, as a fill."""
        circle = f'cx="{centre[0]:.0f}" cy="{centre[1]:.0f}" r="{radius:.0f}"'
        head = f'<radialGradient id="%s" gradientUnits="userSpaceOnUse" {circle}>'
        return self._define(head + _stops(stops) + "</radialGradient>")

    def clip(self, path: str) -> str:
        """A clipping region, for `paint(clip=...)`."""
        return self._define(f'<clipPath id="%s"><path d="{path}"/></clipPath>')

    def paint(
        self,
        path: str,
        fill: Colour | str | None = None,
        *,
        opacity: Number = 1.0,
        stroke: Colour | None = None,
        width: Number = 0.0,
        clip: str | None = None,
    ) -> None:
        """Draw on the picture only."""
        shown = "none" if fill is None else fill if isinstance(fill, str) else css(fill)
        extra = f' stroke="{css(stroke)}" stroke-width="{width:.1f}"' if stroke else ""
        if opacity < 1:  # on fill and stroke each: a group opacity would cost a whole layer
            extra += f' fill-opacity="{opacity:.2f}" stroke-opacity="{opacity:.2f}"'
        extra += f' clip-path="{clip}"' if clip else ""
        self._picture.append(f'<path d="{path}" fill="{shown}"{extra}/>')

    def glow(
        self,
        centre: tuple[Number, Number],
        radii: tuple[Number, Number],
        colour: Colour,
        opacity: Number,
        *,
        clip: str | None = None,
    ) -> None:
        """Draw a soft ellipse that fades to nothing at its edge."""
        stops = _stops([(0.0, colour, opacity), (0.5, colour, 0.55 * opacity), (1.0, colour, 0.0)])
        fill = self._define(f'<radialGradient id="%s">{stops}</radialGradient>')
        self.paint(ellipse_path(*centre, *radii), fill, clip=clip)

    def mark(self, path: str, label: str, *, width: Number = 0.0, has_fill: bool = True) -> None:
        """Draw on the label map only: the inside of `path`, its stroke of `width`, or both."""
        colour = css(LABEL_PALETTE[label])
        fill = colour if has_fill else "none"
        extra = f' stroke="{colour}" stroke-width="{width:.1f}"' if width else ""
        self._label.append(f'<path d="{path}" fill="{fill}"{extra}/>')

    def rotate(self, degrees: Number, centre: tuple[Number, Number]) -> None:
        """Turn all that follows, until `end_rotation`."""
        group = f'<g transform="rotate({degrees:.2f} {centre[0]:.0f} {centre[1]:.0f})">'
        self._picture.append(group)
        self._label.append(group)

    def end_rotation(self) -> None:
        """End the latest `rotate`."""
        self._picture.append("</g>")
        self._label.append("</g>")

    def picture_svg(self) -> str:
        """The picture as an SVG document."""
        definitions = "".join(body % name for body, name in self._definitions.items())
        style = 'stroke-linecap="round" stroke-linejoin="round"'
        return _document(f"<defs>{definitions}</defs><g {style}>{''.join(self._picture)}</g>")

    def label_svg(self) -> str:
        """The label map as an SVG document of flat colours."""
        ground = f'<rect width="{SIZE}" height="{SIZE}" fill="#000000"/>'
        style = 'stroke-linecap="round" stroke-linejoin="round" shape-rendering="crispEdges"'
        return _document(f"{ground}<g {style}>{''.join(self._label)}</g>")


def _stops(stops: Sequence[Stop]) -> str:
    return "".join(
        f'<stop offset="{offset:.2f}" stop-color="{css(colour)}" stop-opacity="{opacity:.2f}"/>'
        for offset, colour, opacity in stops
    )


def _document(body: str) -> str:
    frame = f'viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>{body}</svg>'
