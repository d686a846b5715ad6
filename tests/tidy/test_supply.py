"""The parts of Neraca are named: images by a tag, with its digest where one is written, packages in the bill of materials.

Advisories that cannot be asked for are named as such.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local import advisories, images, sbom
from tests.tidy.test_house import text_of

DIGEST = "sha256:" + "0af7" * 16


def test_an_image_has_a_tag_and_a_digest_that_is_written_has_its_form_and_is_the_only_one_of_its_tag() -> None:
    """Not that a digest is written: `python -m local.images` writes it, which needs Docker and a network."""
    texts = [text_of(name) for name in images.FILES]
    pairs = [pair for text in texts for pair in images.names(text).items()]
    lines = [line for text in texts for line in text.splitlines() if re.match(r"(FROM |\s+image: )", line)]
    own = [line for line in lines if re.match(rf"\s+image: {images.OWN}\b(?!:)", line)]
    assert len(lines) == len(own) + sum(len(re.findall(images._NAMED, text)) for text in texts), lines
    for name, digest in pairs:
        assert digest is None or re.fullmatch(r"sha256:[0-9a-f]{64}", digest), name
    assert len(set(pairs)) == len(dict(pairs)), "one tag has two digests"


def test_pinning_writes_the_digest_behind_each_tag_and_nothing_else() -> None:
    for name in images.FILES:
        text = text_of(name)
        table = dict.fromkeys(images.names(text), DIGEST)
        once = images.pinned(text, table)
        assert images.names(once) == table
        assert once.replace(f"@{DIGEST}", "") == re.sub(r"@sha256:[0-9a-f]+", "", text)
        assert images.pinned(once, table) == once


def test_the_bill_of_materials_names_every_pinned_package_with_its_hashes(tmp_path: Path) -> None:
    """CycloneDX, and the same bytes each time."""
    files = [tmp_path / name for name in ("one.json", "two.json")]
    for file in files:
        subprocess.run([sys.executable, "-m", "local.sbom", str(file)], cwd=sbom.ROOT, check=True, capture_output=True)
    assert files[0].read_bytes() == files[1].read_bytes()
    bill = json.loads(files[0].read_bytes())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    pins = set(re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==(\S+)", text_of("requirements-scaled.lock"), re.MULTILINE))
    python = {
        component["purl"]: component for component in bill["components"] if component["purl"].startswith("pkg:pypi/")
    }
    assert set(python) == {f"pkg:pypi/{name.lower().replace('_', '-')}@{version}" for name, version in pins}
    hashes = [content["content"] for part in python.values() for content in part["externalReferences"][0]["hashes"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", text_of("requirements-scaled.lock")))
    assert {"pkg:npm/htmx.org@4.0.1", "pkg:npm/swagger-ui-dist@5.35.0"} <= {part["purl"] for part in bill["components"]}


@pytest.mark.parametrize(
    ("code", "output", "meaning"),
    [
        (0, "No known vulnerabilities found", advisories.NONE),
        (0, "No known vulnerabilities found\nanyio could not be audited: anyio (4.16.0)", advisories.UNKNOWN),
        (1, "Found 2 known vulnerabilities in 1 package", advisories.FOUND),
        (1, "requests.exceptions.ConnectionError: Max retries exceeded", advisories.UNKNOWN),
        (1, "Traceback (most recent call last)", advisories.UNKNOWN),
        (2, "", advisories.UNKNOWN),
    ],
)
def test_advisories_that_cannot_be_asked_for_are_no_absence_of_advisories(code: int, output: str, meaning: int) -> None:
    assert advisories.judged(code, output) == meaning
