"""`python -m local.sbom FILE`: the bill of materials of the image and of what browsers load, as CycloneDX 1.6 in JSON.

It follows from the lock file and from the notes beside the bundled scripts, so two runs of one commit write the same bytes.
"""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
LOCK: Final = ROOT / "requirements-scaled.lock"
_PINNED: Final = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_BUNDLED: Final = re.compile(r"([a-z0-9._-]+) (\d[0-9A-Za-z.]*),")


def python_packages(lock: str) -> list[dict[str, Any]]:
    """The packages of a lock file, each with the hashes of its files."""
    packages = []
    for block in re.split(r"\n(?=\S)", lock):
        match = _PINNED.match(block)
        if match is None:
            continue
        name, version = match[1].lower().replace("_", "-"), match[2]
        packages.append(_component(name, version, f"pkg:pypi/{name}@{version}", _HASH.findall(block)))
    return packages


def scripts(folder: Path) -> list[dict[str, Any]]:
    """The scripts of others that are bundled, by the first line of the note beside each."""
    packages = []
    for note in sorted(folder.glob("*/README.md")):
        match = _BUNDLED.match(note.read_text(encoding="utf-8"))
        if match is not None:
            packages.append(_component(match[1], match[2], f"pkg:npm/{match[1]}@{match[2]}", []))
    return packages


def _component(name: str, version: str, purl: str, hashes: list[str]) -> dict[str, Any]:
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if hashes:
        # A package has a file for each platform: the hashes are those of its distribution, not of one component.
        component["externalReferences"] = [
            {
                "type": "distribution",
                "url": purl,
                "hashes": [{"alg": "SHA-256", "content": content} for content in sorted(hashes)],
            }
        ]
    return component


def bill() -> dict[str, Any]:
    """The bill of materials."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    components = [*python_packages(LOCK.read_text(encoding="utf-8")), *scripts(ROOT / "api" / "static")]
    root = {"type": "application", "bom-ref": "neraca", "name": "neraca", "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": [
            {"ref": "neraca", "dependsOn": [component["bom-ref"] for component in components]},
        ],
    }


def main() -> int:
    """Write the bill of materials to a file."""
    file = Path(sys.argv[1])
    file.parent.mkdir(parents=True, exist_ok=True)
    materials = bill()
    file.write_text(json.dumps(materials, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{file}: {len(materials['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
