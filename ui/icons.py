"""Icons: SVG files painted in a token's colour, at the sizes and densities that are asked for."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ui.present.picture import Shape
from ui.tokens import RESOURCES, TrayColours

TRAY_SIZES = (16, 22, 24, 32, 48)
"""What panels ask for, in pixels."""
_LINED: dict[Shape, str] = {
    "compliant": "circle-check",
    "attention": "triangle-alert",
    "violation": "octagon-x",
    "unknown": "circle-dashed",
    "exempt": "shield-check",
}


def state_pixmap(shape: Shape, colour: str, pixels: int, ratio: float = 1.0) -> QPixmap:
    """Return a state's shape for a window.

    Args:
        shape: the state.
        colour: as #rrggbb.
        pixels: edge length, independent of the screen's density.
        ratio: the screen's density.
    """
    return icon_pixmap(_LINED[shape], colour, pixels, ratio)


def icon_pixmap(name: str, colour: str, pixels: int, ratio: float = 1.0) -> QPixmap:
    """Return an icon of the set by its name (see `state_pixmap`)."""
    return _render(RESOURCES / "icons" / f"{name}.svg", colour, pixels, ratio)


def tray_icon(shape: Shape, colours: TrayColours, *, has_badge: bool) -> QIcon:
    """Return a state's shape for panels; the badge is a dot in the corner, cut out of the shape."""
    icon = QIcon()
    for pixels in TRAY_SIZES:
        pixmap = _render(RESOURCES / "tray" / f"{shape}.svg", getattr(colours, shape), pixels, 1.0)
        if has_badge:
            _add_badge(pixmap, colours.badge)
        icon.addPixmap(pixmap)
    return icon


def application_icon(colours: TrayColours) -> QIcon:
    """Return the application's own mark."""
    icon = QIcon()
    for pixels in (*TRAY_SIZES, 64):
        icon.addPixmap(_render(RESOURCES / "mark.svg", colours.mark, pixels, 1.0))
    return icon


def _render(file: Path, colour: str, pixels: int, ratio: float) -> QPixmap:
    source = file.read_text(encoding="utf-8").replace("currentColor", colour)
    pixmap = QPixmap(QSize(pixels, pixels) * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(source.encode())).render(painter)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _add_badge(pixmap: QPixmap, colour: str) -> None:
    edge = pixmap.width()
    radius = max(edge * 0.19, 3.0)
    gap = max(edge * 0.07, 1.0)
    dot = QRectF(edge - 2 * radius, 0, 2 * radius, 2 * radius)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.setBrush(Qt.GlobalColor.black)
    painter.drawEllipse(dot.adjusted(-gap, -gap, gap, gap))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(dot)
    painter.end()
