"""AppKit's own terms, by PyObjC: an object that is told of applications. Importing this loads AppKit, some megabytes.

It observes twice. The notifications are not posted for applications without a place in the Dock, as messengers in the menu bar often
are; the list of running applications is not without them, and Apple advises to observe it for that reason.
"""

import sys
from collections.abc import Callable
from typing import Any

import objc
from AppKit import (
    NSWorkspace,
    NSWorkspaceApplicationKey,
    NSWorkspaceDidLaunchApplicationNotification,
    NSWorkspaceDidTerminateApplicationNotification,
)
from CoreFoundation import CFRunLoopRunInMode, kCFRunLoopDefaultMode, kCFRunLoopRunHandledSource
from Foundation import (
    NSKeyValueChangeNewKey,
    NSKeyValueChangeOldKey,
    NSKeyValueObservingOptionNew,
    NSKeyValueObservingOptionOld,
    NSObject,
)

from agent.sensing.macos_events import Change, changes_between
from agent.sensing.process_events import Event

assert sys.platform == "darwin"  # tells the type checker whose calls these are

_LIST = "runningApplications"
_BOTH = NSKeyValueObservingOptionNew | NSKeyValueObservingOptionOld


class DecorumObserver(NSObject):  # type: ignore[misc]  # PyObjC has no types
    """Is told; its methods have the names and arguments that Objective-C calls them by."""

    def applicationStarted_(self, notification: Any) -> None:  # noqa: N802
        """Hear of NSWorkspaceDidLaunchApplicationNotification."""
        self.hand_on(changes_between((), _named_by(notification)))

    def applicationEnded_(self, notification: Any) -> None:  # noqa: N802
        """Hear of NSWorkspaceDidTerminateApplicationNotification."""
        self.hand_on(changes_between(_named_by(notification), ()))

    def observeValueForKeyPath_ofObject_change_context_(  # noqa: N802
        self, path: Any, workspace: Any, change: Any, context: Any
    ) -> None:
        """Hear that the list of running applications has changed."""
        del path, workspace, context
        before = change.objectForKey_(NSKeyValueChangeOldKey) or ()
        after = change.objectForKey_(NSKeyValueChangeNewKey) or ()
        self.hand_on(changes_between(before, after))


def begin(record: Callable[[int, Event], None], lose: Callable[[], None]) -> Any:
    """Return an observer that is told from now on."""

    def hand_on(changes: list[Change]) -> None:
        for pid, event in changes:
            if pid is None:
                lose()
            else:
                record(pid, event)

    observer = DecorumObserver.alloc().init()
    observer.hand_on = hand_on
    workspace = NSWorkspace.sharedWorkspace()
    center = workspace.notificationCenter()
    for selector, name in (
        ("applicationStarted:", NSWorkspaceDidLaunchApplicationNotification),
        ("applicationEnded:", NSWorkspaceDidTerminateApplicationNotification),
    ):
        center.addObserver_selector_name_object_(observer, selector, name, None)
    workspace.addObserver_forKeyPath_options_context_(observer, _LIST, _BOTH, None)
    return observer


def count() -> int:
    """Return how many applications run, as far as this session knows."""
    return len(NSWorkspace.sharedWorkspace().runningApplications())


def run(passes_at_most: int) -> None:
    """Run the first thread's run loop as long as something waits, and no longer than this."""
    with objc.autorelease_pool():
        for _ in range(passes_at_most):
            if CFRunLoopRunInMode(kCFRunLoopDefaultMode, 0, True) != kCFRunLoopRunHandledSource:
                return


def end(observer: Any) -> None:
    """Tell this observer nothing more."""
    workspace = NSWorkspace.sharedWorkspace()
    workspace.notificationCenter().removeObserver_(observer)
    workspace.removeObserver_forKeyPath_(observer, _LIST)


def _named_by(notification: Any) -> tuple[Any, ...]:
    """Return the application that a notification is about, or None in its place where it names none."""
    about = notification.userInfo()
    return (None if about is None else about.objectForKey_(NSWorkspaceApplicationKey),)
