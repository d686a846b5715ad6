"""A program that stands where ``docker`` does: it asks the test what its words mean here, and does that. Standard library only."""

import json
import os
import socket
import sys
from pathlib import Path


def main() -> int:
    """Print what is answered; or become the program that is answered, on this standard input and output."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(sys.argv[1])
        asking.sendall(json.dumps({"words": sys.argv[2:], "folder": str(Path.cwd())}).encode() + b"\n")
        with asking.makefile("rb") as answered:
            answer = json.loads(answered.readline())
    if "program" in answer:
        os.execvpe(answer["program"][0], answer["program"], answer["environment"])  # noqa: S606 - no shell is meant
    sys.stdout.write(answer["out"])
    sys.stderr.write(answer["error"])
    return int(answer["code"])


if __name__ == "__main__":
    sys.exit(main())
