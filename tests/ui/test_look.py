"""The look: readable in both themes, made in one place, and every picture that is named is there."""

import re
from itertools import product
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.icons import TRAY_SIZES, application_icon, icon_pixmap, tray_icon
from ui.look import Look
from ui.present.picture import Shape
from ui.tokens import RESOURCES, Colours, load_tokens

TOKENS = load_tokens()
SHAPES: tuple[Shape, ...] = ("compliant", "attention", "violation", "unknown", "exempt")
TEXTS = ("ink", "muted", "accent", *SHAPES)
PANELS = ("#f6f6f6", "#1e1e1e")


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio (WCAG 2.2, 1.4.3)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_right() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("theme", "text", "ground"), [*product(("light", "dark"), TEXTS, ("surface", "raised"))]
)
def test_every_text_can_be_read(theme: str, text: str, ground: str) -> None:
    colours: Colours = getattr(TOKENS, theme)
    assert contrast(getattr(colours, text), getattr(colours, ground)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_primary_button_can_be_read(theme: str) -> None:
    colours: Colours = getattr(TOKENS, theme)
    assert contrast(colours.on_accent, colours.accent) >= 4.5


@pytest.mark.parametrize(("name", "panel"), [*product((*SHAPES, "badge"), PANELS)])
def test_a_tray_icon_stands_out_on_light_and_dark_panels(name: str, panel: str) -> None:
    """WCAG 2.2, 1.4.11: graphics 3:1."""
    assert contrast(getattr(TOKENS.tray, name), panel) >= 3


def pixels(image: QImage) -> list[int]:
    """Return each pixel as opacity times darkness."""
    colours = [image.pixelColor(x, y) for y in range(image.height()) for x in range(image.width())]
    return [colour.alpha() * (255 - colour.lightness()) // 255 for colour in colours]


def test_shapes_differ_without_their_colours_even_at_16_pixels(qapp: QApplication) -> None:
    grey = msgspec.structs.replace(TOKENS.tray, **dict.fromkeys(SHAPES, "#404040"))
    drawn = {
        shape: pixels(tray_icon(shape, grey, has_badge=False).pixmap(QSize(16, 16)).toImage())
        for shape in SHAPES
    }
    for one, other in product(SHAPES, SHAPES):
        if one < other:
            differing = sum(abs(a - b) > 100 for a, b in zip(drawn[one], drawn[other], strict=True))
            assert differing >= 20, (one, other, differing)


@pytest.mark.parametrize("size", TRAY_SIZES)
def test_the_badge_changes_the_icon_at_every_size(qapp: QApplication, size: int) -> None:
    plain = tray_icon("compliant", TOKENS.tray, has_badge=False).pixmap(QSize(size, size)).toImage()
    badged = tray_icon("compliant", TOKENS.tray, has_badge=True).pixmap(QSize(size, size)).toImage()
    assert plain != badged
    assert (
        badged.pixelColor(size - max(3, round(size * 0.19)), max(2, round(size * 0.19))).name()
        == TOKENS.tray.badge
    )


def test_the_mark_is_there(qapp: QApplication) -> None:
    assert sum(pixels(application_icon(TOKENS.tray).pixmap(QSize(16, 16)).toImage())) > 0


@pytest.mark.parametrize("file", sorted(RESOURCES.glob("icons/*.svg")), ids=lambda file: file.stem)
def test_every_icon_can_be_drawn_in_any_colour(qapp: QApplication, file: Path) -> None:
    image = icon_pixmap(file.stem, "#ff0000", 32, 2.0).toImage()
    assert (image.width(), image.devicePixelRatio()) == (64, 2.0)
    drawn = {
        image.pixelColor(x, y).name()
        for x in range(64)
        for y in range(64)
        if image.pixelColor(x, y).alpha() == 255
    }
    assert drawn == {"#ff0000"}


@pytest.mark.parametrize("file", sorted(RESOURCES.rglob("*.svg")), ids=lambda file: file.stem)
def test_every_icon_names_its_licence(file: Path) -> None:
    assert "ISC" in file.read_text(encoding="utf-8")


def test_colours_are_named_in_one_file_only() -> None:
    named = re.compile(r"#[0-9a-fA-F]{6}\b|QColor\([0-9]|Qt\.GlobalColor\.(?!transparent|black)")
    sources = list(RESOURCES.parent.rglob("*.py"))
    assert [file.name for file in sources if named.search(file.read_text(encoding="utf-8"))] == []


def test_a_theme_dresses_the_whole_application(qapp: QApplication, qtbot: QtBot) -> None:
    dark = Look(qapp, TOKENS, "dark")
    assert qapp.palette().window().color().name() == TOKENS.dark.surface
    assert TOKENS.dark.raised in qapp.styleSheet()
    assert dark.theme == "dark"
    assert Look(qapp, TOKENS, "light").colours == TOKENS.light
    assert qapp.palette().window().color().name() == TOKENS.light.surface


@pytest.mark.parametrize(("scheme", "theme"), [("Dark", "dark"), ("Light", "light"), ("Unknown", "light")])
def test_the_systems_theme_is_followed(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, scheme: str, theme: str
) -> None:
    look = Look(qapp, TOKENS, "system")
    monkeypatch.setattr("ui.look.QApplication.styleHints", lambda _: _Hints(Qt.ColorScheme[scheme]))
    assert look.theme == theme


class _Hints:
    """What the system says."""

    def __init__(self, scheme: Qt.ColorScheme) -> None:
        self._scheme = scheme

    def colorScheme(self) -> Qt.ColorScheme:  # noqa: N802  # Qt's name
        return self._scheme
