"""What the kernel counts for a process: time on a processor, and memory as its share of what it maps."""

from pathlib import Path


def processor_seconds(pid: int) -> float:
    """Return how long a process's threads have run, to the nanosecond: ticks are too coarse for a tenth of a per cent."""
    seconds = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        seconds += int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    return seconds


def processor_seconds_with_children(pid: int) -> float:
    """Return how long a process and all that it started and that still run have run."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return processor_seconds(pid) + sum(processor_seconds_with_children(int(child)) for child in children)


def pss_megabytes(pid: int | str) -> float:
    """Return the proportional set size (`smaps_rollup`)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has no Pss")


def pss_by_mapping(pid: int | str) -> dict[str, float]:
    """Return the proportional set size in MB by what is mapped: a file's name, or `heap`, `anonymous`, `stack`."""
    found: dict[str, float] = {}
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            path = words[5] if len(words) > 5 else ""
            name = path.rsplit("/", 1)[-1].strip("[]") or "anonymous"
        elif words[0] == "Pss:":
            found[name] = found.get(name, 0.0) + int(words[1]) / 1024
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def private_megabytes(pid: int | str) -> float:
    """Return the unique set size: what would be free if the process ended, whoever else shares its libraries."""
    private = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Private_"):
            private += int(line.split()[1])
    return private / 1024
