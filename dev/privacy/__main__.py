"""Writes every document about privacy: `python -m dev.privacy`."""

from dev.privacy.documents import DOCUMENTS, FOLDER

for name, made in DOCUMENTS.items():
    (FOLDER / name).parent.mkdir(exist_ok=True)
    (FOLDER / name).write_text(made(), encoding="utf-8")
    print(f"docs/{name}")
