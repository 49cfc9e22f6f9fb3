from agent.catalogue import load
from bench.catalogue_match import MANY, grown, mixture
from contract.facts import ProcessFacts
from contract.matching import Matcher


def test_the_grown_catalogue_has_that_many_and_knows_each() -> None:
    catalogue = grown(load())
    assert len(catalogue.messengers) == MANY
    match = Matcher(catalogue).match(ProcessFacts(platform="linux", exe="/usr/bin/made-up-4000-desktop"))
    assert match is not None
    assert match.messenger == "made-up-4000"


def test_growing_changes_nothing_of_what_is_matched() -> None:
    before, after = Matcher(load()), Matcher(grown(load()))
    found = [before.match(facts) for facts in mixture()]
    assert found == [after.match(facts) for facts in mixture()]
    assert sum(match is not None for match in found) == 8
