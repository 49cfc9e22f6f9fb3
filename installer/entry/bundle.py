"""What macOS is told of the application that holds both programs (Apple, "Information Property List")."""

from contract.version import VERSION

IDENTIFIER = "org.decorum.tray"
INFORMATION = {
    "CFBundleName": "Decorum",
    "CFBundleDisplayName": "Decorum",
    "CFBundleShortVersionString": VERSION,
    "LSUIElement": True,
    "NSHighResolutionCapable": True,
}
"""LSUIElement: it lives in the menu bar, with no place in the Dock and no menus of its own."""
