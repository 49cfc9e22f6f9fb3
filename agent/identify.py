"""Identify: what a process is, in plain words or as one JSON object per line.

Lines are judged by what they say alone, and by the catalogue in use; nothing else of this machine is looked at.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from agent.sensing.desktop_entries import DesktopIndex
from contract.errors import MalformedError
from contract.evidence import Match
from contract.facts import ProcessFacts
from contract.matching import Matcher
from contract.weighing import Weighing, weigh
from contract.wire import decode

LINE_LIMIT_BYTES = 1024 * 1024
"""The most that one line may hold; a longer one is answered with an error."""


def complete(facts: ProcessFacts, index: DesktopIndex) -> ProcessFacts:
    """Return the facts with those of the desktop entry that the process was started by, where there is one (Linux only)."""
    if facts.platform != "linux" or facts.desktop_id:
        return facts
    entry = index.for_process(facts.exe, facts.cmdline, facts.flatpak_id, facts.name)
    if entry is None:
        return facts
    return msgspec.structs.replace(
        facts,
        desktop_id=entry.desktop_id,
        categories=facts.categories or entry.categories,
        flatpak_id=facts.flatpak_id or entry.flatpak_id,
        snap=facts.snap or entry.snap,
        url_schemes=facts.url_schemes or entry.url_schemes or None,
        descriptions=facts.descriptions or entry.descriptions or None,
        section=facts.section or entry.section,
    )


def explain(facts: ProcessFacts, match: Match | None) -> str:
    """Return what a process is, for a person: the answer first, then each piece of evidence on a line of its own.

    For what no list knows that is also what spoke against it, and how sure it would have to be.
    """
    subject = _subject(facts)
    weighed = weigh(facts)
    if match is None:
        lines = [f"{subject} is not a messenger: {_why_not(weighed)}"]
        if weighed.speaking:
            lines.append(_how_sure(weighed))
    elif match.listed:
        lines = [
            f"{subject} is {match.name}, a listed messenger (id {match.messenger}).",
            f"Confidence: {match.confidence:.0%}.",
        ]
    else:
        lines = [
            f"{subject} is {match.name}, a messenger that is not listed ({match.messenger}).",
            _how_sure(weighed),
        ]
    speaking = weighed.speaking if match is None else match.evidence
    if speaking:
        lines.append("Evidence:" if match else "Evidence for it:")
        lines.extend(f"  - {evidence.sentence}" for evidence in speaking)
    if weighed.against and not (match and match.listed):
        lines.append("Evidence against it:")
        lines.extend(f"  - {evidence.sentence}" for evidence in weighed.against)
    if match and match.client:
        lines.append(f"It is used with {match.client}, an unofficial client.")
    return "\n".join(lines)


def _how_sure(weighed: Weighing) -> str:
    return f"Confidence: {weighed.confidence:.0%}; from {weighed.threshold:.0%} on it is a messenger."


def _why_not(weighed: Weighing) -> str:
    if not weighed.speaking:
        return "nothing about it is in the list of known messengers, nor does it say it is one."
    if weighed.is_enough:
        return "its facts say so, but it is a browser, an interpreter or a helper, which is nobody's own."
    return "it is not in the list of known messengers, and what it says of itself is not enough."


def identify_lines(lines: Iterable[str | bytes], matcher: Matcher) -> Iterator[dict[str, object]]:
    """Give one object for each line of process facts, in order.

    Args:
        lines: one JSON object per line, as `contract.facts.ProcessFacts` has it; unknown keys are passed over.
        matcher: the catalogue's matcher.

    Yields:
        `messenger`, `name`, `listed`, `confidence`, `evidence` and `weighed` (what the facts say for and against, without the list),
        with `client` for an unofficial client; or `error` (a sentence) and `line` (counted from 1) where a line is not of that form. A blank line is not of that form either.
    """
    for number, line in enumerate(lines, start=1):
        try:
            facts = _facts(line)
        except MalformedError as error:
            yield {"error": f"{error.detail} {error.remedy}", "line": number}
        else:
            yield as_object(facts, matcher.match(facts))


def bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Give a stream's lines; one that is too long is cut just behind the limit, so that it is refused but never held whole."""
    while line := stream.readline(LINE_LIMIT_BYTES + 2):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_LIMIT_BYTES)
        yield line


def as_object(facts: ProcessFacts, match: Match | None) -> dict[str, object]:
    """Return a match, and what was weighed, as plain data for JSON."""
    answer: dict[str, object] = {
        "messenger": match.messenger if match else None,
        "name": match.name if match else None,
        "listed": match is not None and match.listed,
        "confidence": match.confidence if match else 0.0,
        "evidence": [msgspec.structs.asdict(evidence) for evidence in match.evidence] if match else [],
        "weighed": as_weighed(facts),
    }
    return answer | ({"client": match.client} if match and match.client else {})


def as_weighed(facts: ProcessFacts) -> dict[str, object] | None:
    """Return what the facts say for and against a messenger that no list knows; None where they say nothing."""
    weighed = weigh(facts)
    if not weighed.speaking and not weighed.against:
        return None
    return {
        "confidence": weighed.confidence,
        "threshold": weighed.threshold,
        "for": [msgspec.structs.asdict(evidence) for evidence in weighed.speaking],
        "against": [msgspec.structs.asdict(evidence) for evidence in weighed.against],
    }


def _facts(line: str | bytes) -> ProcessFacts:
    # A lone surrogate stands for a byte that was not UTF-8 when the line was read; it is refused as the byte would be.
    untrusted_bytes = line if isinstance(line, bytes) else line.encode(errors="surrogatepass")
    if not untrusted_bytes.strip():
        raise MalformedError("The line is blank.", "Give one JSON object per line.")
    facts = decode(ProcessFacts, untrusted_bytes.rstrip(b"\r\n"), limit_bytes=LINE_LIMIT_BYTES)
    try:
        untrusted_bytes.decode()  # keys that are passed over are not looked into when decoding
    except UnicodeDecodeError as error:
        raise MalformedError(f"This is not UTF-8 ({error}).", "Write the line as UTF-8.") from error
    return facts


def _subject(facts: ProcessFacts) -> str:
    told = (
        facts.exe
        or (facts.cmdline[0] if facts.cmdline else None)
        or facts.name
        or facts.origin
        or facts.bundle_id
    )
    return told or "This"
