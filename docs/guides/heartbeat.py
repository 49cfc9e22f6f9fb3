"""Tell Decorum's server that messages are retained: the example client of a capture connector. Python 3.11, nothing else.

    python3 heartbeat.py --server https://decorum.example.com --token-file connector-token whatsapp wechat

Run it every few minutes, right after whatever retains the messages has shown that it works: a heartbeat that is sent without looking says
nothing. Name the messengers that are retained now; name none to say that nothing is. It ends with 0 if it was heard, with 1 if it was
refused or nobody answered, and says why.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PATH = "/api/connectors/heartbeat"
TIMEOUT_SECONDS = 20


def main() -> int:
    """Send one heartbeat."""
    parser = argparse.ArgumentParser(description="Tell Decorum's server that messages are retained.")
    parser.add_argument(
        "--server", required=True, help="the server's address, as in https://decorum.example.com"
    )
    parser.add_argument(
        "--token-file", required=True, type=Path, help="a file that holds the connector's token"
    )
    parser.add_argument("--written", type=Path, help="a file whose time says when something was last written")
    parser.add_argument("messengers", nargs="*", help="catalogue ids of the messengers that are retained now")
    wanted = parser.parse_args()
    said: dict[str, object] = {"messengers": wanted.messengers}
    if wanted.written is not None:
        said["written_at"] = datetime.fromtimestamp(wanted.written.stat().st_mtime, UTC).isoformat()
    try:
        heard = send(wanted.server, wanted.token_file.read_text().strip(), said)
    except urllib.error.HTTPError as error:
        print(refusal_in(error), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{wanted.server} did not answer: {error}", file=sys.stderr)
        return 1
    print(f"{heard['connector']} was heard at {heard['heard_at']}.")
    print(f"Captured: {', '.join(heard['captures']) or 'nothing'}.")
    if heard["not_in_policy"]:
        print(
            f"The policy does not name it for {', '.join(heard['not_in_policy'])}; that counts for nothing."
        )
    return 0


def send(server: str, token: str, said: dict[str, object]) -> dict[str, Any]:
    """Send it, and return what the server answers."""
    if not server.startswith(("https://", "http://")):
        raise OSError("it begins with neither https:// nor http://")
    request = urllib.request.Request(  # noqa: S310 - the line above says which
        server.rstrip("/") + PATH,
        data=json.dumps(said).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - alike
        heard: dict[str, Any] = json.load(answer)
        return heard


def refusal_in(error: urllib.error.HTTPError) -> str:
    """Return why it was refused, and what to do."""
    try:
        refusal = json.load(error)
        return f"{refusal['detail']} {refusal['remedy']} ({error.code} {refusal['reason']})"
    except (ValueError, KeyError, TypeError):
        return f"The server answered {error.code}, and no Decorum: check its address."


if __name__ == "__main__":
    sys.exit(main())
