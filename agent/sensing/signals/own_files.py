"""What is told of an instance alike on every system, above all what a person's own files say: the profile a Firefox runs, and domains."""

import posixpath
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from agent.profiles.instances import absolute, instance_of, opened_for_work
from agent.profiles.signals import Instance, Signals
from agent.sensing.process_source import ProcessSource
from agent.sensing.signals import account_domains, chromium_profiles, firefox_profiles
from agent.sensing.signals.editions import edition_of
from agent.sensing.signals.firefox_profiles import is_firefox
from agent.sensing.signals.interface import Asked
from agent.sensing.signals.small_files import read_small
from contract.facts import Platform


class OwnFiles:
    """Reads below a person's home, once for an instance.

    Args:
        source: tells in which folder a process works.
        platform: whose places these are.
        root: where the file system begins.
        checks_owner: whether the system tells whose a file is by the number of its user.
    """

    def __init__(self, source: ProcessSource, platform: Platform, root: Path, *, checks_owner: bool) -> None:
        self._source = source
        self._platform: Platform = platform
        self._root, self._checks_owner = root, checks_owner

    def signals(self, asked: Asked, marked_for: str | None, home: str | None) -> Signals:
        """Return what is learnt alike on every system; each adds its own.

        Args:
            asked: the instance.
            marked_for: the value of the launch marker.
            home: the home folder that it was started with.
        """
        facts, off = asked.reading.facts, asked.off
        instance = self.instance(asked, home)
        domains = {} if "browser_profile" in off else self.browser_domains(asked, instance, home)
        accounts = frozenset[str]() if "accounts" in off else self.account_domains(asked, instance, home)
        return Signals(
            ownership=asked.ownership,
            messenger=asked.messenger,
            platform=self._platform,
            marked_for=None
            if "launch_marker" in off
            else marked_for or opened_for_work(instance.folder or ""),
            instance=instance,
            data_home=home,
            home=home,
            program=None if asked.of_page else facts.exe,
            browser_domains=frozenset(one for one in domains.values() if one is not None),
            browser_has_others=None in domains.values(),
            account_domains=accounts,
            edition=edition_of(facts, asked.kind),
        )

    def instance(self, asked: Asked, home: str | None) -> Instance:
        """Return which copy of its application an instance is."""
        exe = asked.reading.facts.exe
        told = instance_of(asked.reading.image.cmdline or ())
        if told.folder is not None:
            is_whole = absolute(told.folder, None, self._platform) is not None
            base = None if is_whole else self._source.folder(asked.reading.key.pid)
            told = Instance(absolute(told.folder, base, self._platform), told.name)
        if "instance" not in asked.off and home and is_firefox(exe):
            return self._firefox_profile(asked, told, home)
        # All profiles of a Chromium browser that share a folder share a process, which was started with one of them.
        return Instance(told.folder) if asked.of_page else told

    def _firefox_profile(self, asked: Asked, told: Instance, home: str) -> Instance:
        """Return folder and name of the profile that a Firefox runs, as its own list has them."""
        place = firefox_profiles.usual_folder(self._platform, home)
        content = self._read(place, (firefox_profiles.FILE_NAME,), firefox_profiles.AT_MOST_BYTES, asked.uid)
        if content is None:
            return told
        found = firefox_profiles.profile_in(content.decode(errors="replace"), told.name, told.folder)
        if found is None:
            return told
        folder, name = found
        return Instance(told.folder or absolute(folder, place, self._platform), name)

    def browser_domains(self, asked: Asked, instance: Instance, home: str | None) -> Mapping[str, str | None]:
        """Return the domain of each profile that a Chromium browser may be running, None where one is signed in nowhere."""
        browser = chromium_profiles.browser_of(asked.reading.facts.exe)
        if browser is None:
            return {}
        usual = home and chromium_profiles.usual_folder(browser, self._platform, home)
        folder = self._data_folder(asked, instance, usual)
        if not folder:
            return {}
        content = self._read(
            folder, (chromium_profiles.FILE_NAME,), chromium_profiles.AT_MOST_BYTES, asked.uid
        )
        domains = {} if content is None else chromium_profiles.domains_in(content)
        name = self._profile_of_page(asked, folder, domains) if asked.of_page else instance.name
        return {name: domains[name]} if name in domains else domains

    def account_domains(self, asked: Asked, instance: Instance, home: str | None) -> frozenset[str]:
        """Return the domains of the accounts within an application."""
        if asked.messenger != account_domains.SLACK or asked.of_page:
            return frozenset()
        usual = home and account_domains.slack_folder(self._platform, home)
        folder = self._data_folder(asked, instance, usual)
        if not folder:
            return frozenset()
        content = self._read(folder, account_domains.SLACK_FILE, account_domains.AT_MOST_BYTES, asked.uid)
        return frozenset() if content is None else account_domains.slack_domains_in(content)

    def _profile_of_page(self, asked: Asked, folder: str, profiles: Iterable[str]) -> str | None:
        """Return the profile in which the company's own extension keeps the number that it told with a page; no other's things are read."""
        if asked.web_extension is None or not asked.browser_profile:
            return None
        number = asked.browser_profile.encode()
        for name in islice(profiles, chromium_profiles.PROFILES_AT_MOST):
            if name in {"", ".", ".."} or "/" in name or "\\" in name:
                continue
            kept = self._path(folder).joinpath(name, chromium_profiles.EXTENSIONS, asked.web_extension)
            for file in chromium_profiles.files_of_store(kept):
                content = self._read_at(file, chromium_profiles.STORE_BYTES, asked.uid)
                if content is not None and number in content:
                    return name
        return None

    def _data_folder(self, asked: Asked, instance: Instance, usual: str | None) -> str | None:
        """Return where an instance keeps its data: where it was told to, or the usual place.

        What runs in a Flatpak has its own `.config` below `.var/app` (flatpak-run(1)).
        """
        if instance.folder or not usual:
            return instance.folder
        sandbox = asked.reading.facts.flatpak_id
        home, config, rest = usual.partition("/.config/")
        return f"{home}/.var/app/{sandbox}/config/{rest}" if sandbox and config else usual

    def _read(self, folder: str, names: tuple[str, ...], at_most_bytes: int, uid: int) -> bytes | None:
        return self._read_at(self._path(folder).joinpath(*names), at_most_bytes, uid)

    def _read_at(self, path: Path, at_most_bytes: int, uid: int) -> bytes | None:
        return read_small(path, at_most_bytes, uid if self._checks_owner else None)

    def _path(self, folder: str) -> Path:
        return Path(folder) if self._platform == "windows" else self._root / posixpath.relpath(folder, "/")
