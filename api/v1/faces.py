"""Answers without the persons whom their caller is not shown, and with the dinas that they are limited to."""

from typing import Any

import msgspec
from msgspec.structs import replace

from api.http.persons import Faces, dinas_shown, masked
from api.v1.answers import FilesAnswer, LateAnswer, RecentAnswer, WhyAnswer
from api.v1.reads import ENCODER
from projections.reading.reader import Snapshot


def with_faces(answer: object, faces: Faces) -> object:
    """An answer without the ASN whom the caller is not shown."""
    if faces.shows_all:
        return answer
    if isinstance(answer, WhyAnswer):
        return replace(answer, events=[masked(event, faces.shows) for event in answer.events])
    if isinstance(answer, RecentAnswer):
        return replace(answer, items=[masked(event, faces.shows) for event in answer.items])
    if isinstance(answer, FilesAnswer | LateAnswer):
        return replace(answer, items=[nameless(item, faces) for item in answer.items])
    return answer


def nameless(item: Any, faces: Faces) -> Any:  # noqa: ANN401 - a file, a late fact or a case
    """A part of an answer, without an ASN whom the caller is not shown."""
    return item if item.asn is None or faces.shows(item.asn) else replace(item, asn=None)


def scoped(answer: object, snapshot: Snapshot) -> object:
    """An answer, with the dinas by whose accounts alone it shows an ASN, if it is limited to some."""
    dinas = dinas_shown(snapshot)
    if not dinas:
        return answer
    scope = {"dinas": dinas[0] if len(dinas) == 1 else dinas}
    return msgspec.Raw(ENCODER.encode(answer)[:-1] + b',"scope":' + ENCODER.encode(scope) + b"}")
