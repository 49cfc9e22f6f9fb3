"""AppKit and what PyObjC makes of it, in memory; nothing is told before the first thread's run loop runs."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

HANDLED, TIMED_OUT = 4, 3
"""CFRunLoopRunResult."""
NEW, OLD = "new", "old"


class Application:
    """An NSRunningApplication."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def processIdentifier(self) -> int:  # noqa: N802
        """Return its pid."""
        return self.pid


class Dictionary:
    """An NSDictionary."""

    def __init__(self, items: dict[str, Any]) -> None:
        self._items = items

    def objectForKey_(self, key: str) -> Any:  # noqa: N802
        """Return what stands there, or None."""
        return self._items.get(key)


class Notification:
    """An NSNotification."""

    def __init__(self, about: Dictionary | None) -> None:
        self._about = about

    def userInfo(self) -> Dictionary | None:  # noqa: N802
        """Return what it is about."""
        return self._about


class Object:
    """An NSObject."""

    @classmethod
    def alloc(cls) -> Any:
        """Return one."""
        return cls()

    def init(self) -> Any:
        """Return it."""
        return self


class Cocoa:
    """The session, and its NSWorkspace and notification center at once."""

    def __init__(self) -> None:
        self.applications = [Application(1), Application(2)]
        self.waiting: deque[Callable[[], None]] = deque()
        self.observers: list[tuple[Any, str, str]] = []
        self.list_observers: list[tuple[Any, str, int]] = []
        self.passes, self._in_pool = 0, False

    def modules(self) -> dict[str, ModuleType]:
        """Return what PyObjC installs."""
        app_kit, core, foundation, objc = (
            ModuleType(name) for name in ("AppKit", "CoreFoundation", "Foundation", "objc")
        )
        contents: dict[ModuleType, dict[str, Any]] = {
            app_kit: {
                "NSWorkspace": self,
                "NSWorkspaceApplicationKey": "application",
                "NSWorkspaceDidLaunchApplicationNotification": "launched",
                "NSWorkspaceDidTerminateApplicationNotification": "terminated",
            },
            core: {
                "CFRunLoopRunInMode": self.run,
                "kCFRunLoopDefaultMode": "default",
                "kCFRunLoopRunHandledSource": HANDLED,
            },
            foundation: {
                "NSKeyValueChangeNewKey": NEW,
                "NSKeyValueChangeOldKey": OLD,
                "NSKeyValueObservingOptionNew": 1,
                "NSKeyValueObservingOptionOld": 2,
                "NSObject": Object,
            },
            objc: {"autorelease_pool": self.pool},
        }
        for module, items in contents.items():
            module.__dict__.update(items)
        return {module.__name__: module for module in contents}

    @contextmanager
    def pool(self) -> Iterator[None]:
        """Keep what is made meanwhile, no longer."""
        self._in_pool = True
        yield
        self._in_pool = False

    def run(self, mode: str, seconds: float, after_one: bool) -> int:  # noqa: FBT001  # as Objective-C has it
        """Hand on what one source has."""
        assert (mode, seconds, after_one, self._in_pool) == ("default", 0, True, True)
        assert threading.current_thread() is threading.main_thread()
        self.passes += 1
        if not self.waiting:
            return TIMED_OUT
        self.waiting.popleft()()
        return HANDLED

    def sharedWorkspace(self) -> "Cocoa":  # noqa: N802
        """Return it."""
        return self

    def notificationCenter(self) -> "Cocoa":  # noqa: N802
        """Return it."""
        return self

    def runningApplications(self) -> list[Application]:  # noqa: N802
        """Return those that were told of."""
        return self.applications

    def addObserver_selector_name_object_(self, observer: Any, selector: str, name: str, of: Any) -> None:  # noqa: N802
        """Tell it by calling the method of that name."""
        assert of is None
        self.observers.append((observer, selector, name))

    def addObserver_forKeyPath_options_context_(  # noqa: N802
        self, observer: Any, path: str, options: int, context: Any
    ) -> None:
        """Tell it when the list changes."""
        assert context is None
        self.list_observers.append((observer, path, options))

    def removeObserver_(self, observer: Any) -> None:  # noqa: N802
        """Tell it of no notification more."""
        self.observers = [one for one in self.observers if one[0] is not observer]

    def removeObserver_forKeyPath_(self, observer: Any, path: str) -> None:  # noqa: N802
        """Tell it of no change of the list more."""
        known = [(one, key) for one, key, _ in self.list_observers]
        known.remove((observer, path))
        self.list_observers = [one for one in self.list_observers if one[0] is not observer]

    def post(self, name: str, about: Dictionary | None) -> None:
        """Let a notification wait."""

        def hand_on() -> None:
            for observer, selector, wanted in tuple(self.observers):
                if wanted == name:
                    getattr(observer, selector.replace(":", "_"))(Notification(about))

        self.waiting.append(hand_on)

    def change(self, *, new: tuple[Application, ...] = (), old: tuple[Application, ...] = ()) -> None:
        """Let a change of the list wait; a key stands there only where there is something to it."""

        def hand_on() -> None:
            self.applications = [*(one for one in self.applications if one not in old), *new]
            change = Dictionary({NEW: new} if not old else {OLD: old} if not new else {NEW: new, OLD: old})
            for observer, path, options in tuple(self.list_observers):
                assert options == 3
                observer.observeValueForKeyPath_ofObject_change_context_(path, self, change, None)

        self.waiting.append(hand_on)
