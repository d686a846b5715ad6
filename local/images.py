"""`python -m local.images`: write the digest of each image that the Dockerfile and the compose file name behind its tag.

A tag may mean another image tomorrow; a digest names its content. Docker asks the registry, so this needs a network.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FILES: Final = ("Dockerfile", "docker-compose.yml", "compose/kafka.yml")
OWN: Final = "neraca"
"""The image that is built here: it has no registry."""
_NAMED: Final = re.compile(
    r"^(?P<head>FROM |\s+image: )(?P<name>[a-z0-9._/-]+:[A-Za-z0-9._-]+)(?P<digest>@sha256:[0-9a-f]*)?(?=\s|$)",
    re.MULTILINE,
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def names(text: str) -> dict[str, str | None]:
    """The images that a file names, by their tags, and the digest of each; ``None`` without one."""
    return {match["name"]: match["digest"] and match["digest"][1:] for match in _NAMED.finditer(text)}


def pinned(text: str, digests: Mapping[str, str]) -> str:
    """A file in which each image has the digest of a table."""
    return _NAMED.sub(lambda match: f"{match['head']}{match['name']}@{digests[match['name']]}", text)


def digest_of(name: str) -> str:
    """The digest of an image, of all its platforms together. Raises: ``RuntimeError`` if Docker does not tell."""
    words = ["docker", "buildx", "imagetools", "inspect", name, "--format", "{{.Manifest.Digest}}"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode or not _DIGEST.fullmatch(result.stdout.strip()):
        message = f"{name}: Docker does not tell its digest: {(result.stderr or result.stdout).strip()}"
        raise RuntimeError(message)
    return result.stdout.strip()


def main() -> int:
    """Pin every image; nothing is written unless the digest of each is known."""
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}
    try:
        digests = {name: digest_of(name) for text in texts.values() for name in names(text)}
    except (RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for name, text in texts.items():
        (ROOT / name).write_text(pinned(text, digests), encoding="utf-8")
    for name, digest in digests.items():
        print(f"{name}@{digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
