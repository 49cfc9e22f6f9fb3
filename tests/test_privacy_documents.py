"""The documents about privacy say what the program declares, in both languages."""

from typing import get_args

import pytest

from contract.observations import DISCLOSURES, Disclosure
from contract.sides import SIGNALS, SignalName
from dev.privacy.annex import IN_GERMAN, digest
from dev.privacy.documents import DOCUMENTS, FOLDER


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_is_current(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == DOCUMENTS[name](), "python -m dev.privacy"


@pytest.mark.parametrize("one", DISCLOSURES, ids=lambda one: one.type)
def test_all_that_can_leave_stands_in_each(one: Disclosure) -> None:
    assert one.what in DOCUMENTS["PRIVACY.md"]()
    assert one.what in DOCUMENTS["privacy/assessment.md"]()
    assert IN_GERMAN[one.type].what in DOCUMENTS["privacy/works-agreement.md"]()


@pytest.mark.parametrize("one", DISCLOSURES, ids=lambda one: one.type)
def test_a_german_text_was_looked_at_since_its_english_one_changed(one: Disclosure) -> None:
    assert IN_GERMAN[one.type].of == digest(one), "translate it anew, then write this digest beside it"


def test_nothing_is_said_in_german_that_cannot_leave() -> None:
    assert set(IN_GERMAN) == {one.type for one in DISCLOSURES}


def test_each_signal_is_declared_in_the_order_in_which_they_count() -> None:
    assert tuple(one.name for one in SIGNALS) == get_args(SignalName)
