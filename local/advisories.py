"""`python -m local.advisories`: known vulnerabilities of the pinned packages, by pip-audit in an environment of its own.

It says so where no source of advisories can be reached, and ends with code 3: silence would look like safety.
"""

import subprocess
import sys
import venv
from collections.abc import Collection
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
LOCKS: Final = ("requirements-scaled.lock", "requirements-test.lock")
NONE, FOUND, UNKNOWN = 0, 1, 3
SOURCES: Final = ("pypi", "osv")
_SKIPPED: Final = "could not be audited"
_UNREACHED: Final = (
    "ConnectionError",
    "Max retries",
    "Name or service not known",
    "ServiceError",
    "HTTPError",
    "timed out",
)


def environment(folder: Path) -> Path:
    """The interpreter of an environment that has pip-audit. Raises: ``CalledProcessError`` if it cannot be installed."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        words = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "pip-audit"]
        subprocess.run(words, check=True)
        (folder / "ready").touch()
    return python


def audited(python: Path, lock: Path, source: str) -> tuple[int, str]:
    """The result of auditing a lock file by one source of advisories, and its output."""
    words = [str(python), "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--require-hashes"]
    words += ["--vulnerability-service", source, "--progress-spinner", "off", "--timeout", "15"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    return judged(result.returncode, output), output


def judged(code: int, output: str) -> int:
    """The meaning of a run of pip-audit: 1 stands for a vulnerability and for any failure, and 0 for what it skipped too."""
    if code == 0:
        return UNKNOWN if _SKIPPED in output else NONE
    has_failed = any(sign in output for sign in _UNREACHED) or "Found" not in output
    return UNKNOWN if has_failed else FOUND


def main() -> int:
    """Audit every lock file by the first source that answers; 1 when a vulnerability is known, 3 when nothing can be."""
    try:
        python = environment(ROOT / "build" / "advisories")
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"pip-audit cannot be installed, so nothing is known of advisories: {error}", file=sys.stderr)
        return UNKNOWN
    codes = set[int]()
    for name in LOCKS:
        results = ((source, *audited(python, ROOT / name, source)) for source in SOURCES)
        source, code, output = next((result for result in results if result[1] != UNKNOWN), ("", UNKNOWN, ""))
        if code == UNKNOWN:
            print(f"{name}: no source of advisories can be reached, so nothing is known", file=sys.stderr)
        else:
            print(f"{name}, by {source}: {output.strip()}")
        codes.add(code)
    return of_all(codes)


def of_all(codes: Collection[int]) -> int:
    """The one result of several audits: what is known of one is not lost since nothing is known of another."""
    return next((code for code in (FOUND, UNKNOWN) if code in codes), NONE)


if __name__ == "__main__":
    sys.exit(main())
