"""What every store of the device's key does, real or not."""

from collections.abc import Callable

import pytest

from agent.credentials.interface import CredentialStore
from contract.envelope import Address, SigningKey, seal, unseal

Open = Callable[[], CredentialStore]
"""Opens the same store anew, as the next run of the agent does."""


class CredentialStoreSuite:
    """Run for every implementation by a class that gives the fixture `open_store`."""

    def test_a_store_that_kept_nothing_has_no_key(self, open_store: Open) -> None:
        assert open_store().load() is None

    def test_a_key_comes_back_whole_in_the_next_run(self, open_store: Open) -> None:
        key = SigningKey.generate()
        open_store().keep(key)
        again = open_store().load()
        assert again is not None
        assert again.public == key.public
        address = Address(type="check-in", tenant="acme", device="d1", direction="to_server")
        assert unseal(seal(b"{}", address, again), address, key.public) == b"{}"

    def test_a_newer_key_replaces_the_older_one(self, open_store: Open) -> None:
        old, new = SigningKey.generate(), SigningKey.generate()
        store = open_store()
        store.keep(old)
        store.keep(new)
        for one in (store, open_store()):
            kept = one.load()
            assert kept is not None
            assert kept.public == new.public

    def test_a_key_that_is_forgotten_is_gone_and_forgetting_again_does_no_harm(
        self, open_store: Open
    ) -> None:
        open_store().forget()
        open_store().keep(SigningKey.generate())
        open_store().forget()
        assert open_store().load() is None
        open_store().forget()

    def test_it_says_where_the_key_is_and_never_the_key(self, open_store: Open) -> None:
        key = SigningKey.generate()
        store = open_store()
        store.keep(key)
        said = store.describe()
        assert said
        assert key.public.text not in said
        assert "\n" not in said

    @pytest.mark.parametrize("times", [3])
    def test_reading_changes_nothing(self, open_store: Open, times: int) -> None:
        key = SigningKey.generate()
        open_store().keep(key)
        for _ in range(times):
            kept = open_store().load()
            assert kept is not None
            assert kept.public == key.public
