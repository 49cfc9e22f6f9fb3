"""Tells every subscriber of each change: once for all that changes together, and only what is new to them."""

import asyncio
from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

import msgspec

from agent.localapi.server import Caller, Client, notification
from contract.local import Reminder, Snapshot


class Broadcaster:
    """Owns what each subscriber was told last.

    Args:
        clients: the connections there are now.
        snapshot_for: what a person is shown.
        unshown_for: the reminders that a user should have been shown.
    """

    def __init__(
        self,
        clients: Callable[[], Iterable[Client]],
        snapshot_for: Callable[[Caller], Snapshot],
        unshown_for: Callable[[int], Iterable[Reminder]],
    ) -> None:
        self._clients, self._snapshot_for, self._unshown_for = clients, snapshot_for, unshown_for
        self._last: WeakKeyDictionary[Client, Snapshot] = WeakKeyDictionary()
        self._is_due = False

    def changed(self) -> None:
        """Tell subscribers soon."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._tell)

    def greet(self, client: Client) -> None:
        """Give a new subscriber the reminders that it missed."""
        if client.caller.uid is not None:
            for reminder in self._unshown_for(client.caller.uid):
                client.send(notification("reminder", reminder))

    def remind(self, uid: int, reminder: Reminder) -> None:
        """Give a reminder to the user's own subscribers."""
        for client in tuple(self._clients()):
            if client.subscribed and client.caller.uid == uid:
                client.send(notification("reminder", reminder))

    def _tell(self) -> None:
        self._is_due = False
        for client in tuple(self._clients()):
            if client.subscribed:
                self._tell_one(client)

    def _tell_one(self, client: Client) -> None:
        snapshot = self._snapshot_for(client.caller)
        last = self._last.get(client)
        if last is None or msgspec.structs.replace(last, at=snapshot.at) != snapshot:
            self._last[client] = snapshot
            client.send(notification("snapshot", snapshot))
