"""The page of a refusal: its title and text in words, and the ways on from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from api.http.parameters import UnknownParameters
from api.http.problems import FAULT_MOST, shortened
from api.pages.links import Links
from api.pages.page import Page

if TYPE_CHECKING:
    from fastapi import Request

    from api.pages.words import Words
    from domain.access.policy import Action
    from domain.refusal import Refusal


class ProblemPage(Page, frozen=True):
    """A refusal. ``here``: the page to come back to after signing in; ``desk``, ``asn``: it was met on the way there."""

    template: ClassVar[str] = "problem.html"

    slug: str
    title: str
    text: str
    here: str
    desk: bool
    asn: bool

    @classmethod
    def of(cls, refusal: Refusal, request: Request, words: Words, action: Action) -> Self:
        """The page of a refusal that a request met; ``action`` is what the caller had to be allowed."""
        subject = request.path_params.get("dinas") or request.path_params.get("asn") or ""
        field = refusal.faults[0].pointer.removeprefix("/") if refusal.faults else refusal.slug
        value = request.path_params.get(field) or request.query_params.get(field, "")
        values = {"subject": subject, "value": value}
        if action == "audit" and field in ("unauthorized", "forbidden"):
            field += "-audit"
        if refusal.slug == "not-decided":
            field = refusal.slug
        if field == "not-found" and not subject:
            field = "nowhere"
        if refusal.slug == "not-public":  # whichever parameter asked for it
            field = refusal.slug
        if isinstance(refusal, UnknownParameters):
            field, values = "parameters", {"names": shortened(", ".join(refusal.names), FAULT_MOST)}
        text, title = f"problem.{field}-text", f"problem.{refusal.slug}"
        return cls(
            refusal.slug,
            words(title if title in words else "problem.other"),
            words(text if text in words else "problem.other-text", **values),
            Links("id", request).here("id"),
            desk=action == "audit",
            asn=refusal.slug == "not-found" and "asn" in request.path_params,
        )
