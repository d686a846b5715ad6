"""`make pictures`: every page as a picture, on a phone and on a wall, of the city to practise in; `docs/pages.md` shows them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import httpx

from api.http.tickets import Case, ticket_for
from api.pages.router import PAGES as ROUTED
from domain.clock import utc_text
from neraca import now_us
from streams.places.directory import DataDirectory
from tests.pages.browser import Browser
from tests.pages.counter import Clerk
from tests.serving import ROOT, Process, until

OUT: Final = ROOT / "docs" / "pages"
NAMES: Final = {
    "board": "papan", "why": "struk", "events": "kejadian", "files": "berkas", "file": "satu-berkas", "public": "publik",
    "counter": "loket", "rating": "warga", "practice": "latihan", "journal": "jurnal", "entry": "entri", "ticket": "nilai",
    "signin": "masuk", "mine": "saya",
}  # fmt: skip
"""Names of pictures by the template of their page; others are named as their template."""
QUERIES: Final = {
    "events": "measure=permits_rejected", "file": "{file}", "counter": "dinas=disdukcapil&loket=3", "rating": "{decided}",
    "ticket": "{ticket}",
}  # fmt: skip


def of_every_page() -> dict[str, str]:
    """The address of each page of the router, by the name of its picture; one for all pages of a template."""
    addresses: dict[str, str] = {}
    for path, page in ROUTED.items():
        template = page.template.removesuffix(".html")
        address = path.replace("{dinas}", "disdukcapil").replace("{position}", "1000")
        query = f"?{QUERIES[template]}" if template in QUERIES else ""
        addresses.setdefault(NAMES.get(template, template), f"{address}{query}")
    return addresses


PAGES: Final = {**of_every_page(), "tur": "/?tur=pimpinan-1", "putar-ulang": "{replayed}"}
"""Files by the address they show; `{asn}` is the best of the agency, `{file}` its open file that is due first.

`{decided}` is a case that can be rated, `{ticket}` what a counter's code says of it, `{replayed}` a replay that has ended.
"""
SCREENS: Final = {"ponsel": (390, 844, False), "dinding": (1920, 1080, False), "gelap": (1920, 1080, True)}


def ticket(data: Path, case: Case) -> str:
    """The query that leads to the rating of a case, vouched for by a token of its own."""
    tokens = DataDirectory(data).token_store()
    tokens.make("gambar", ["fact"], utc_text(now_us()))
    held = tokens.by_id("gambar")
    assert held is not None
    return urlencode({**case._asdict(), "tiket": ticket_for(tokens, held[0], case)})


def replayed(url: str) -> str:
    """The address of a replay from half the journal on, once it has ended."""
    now = httpx.get(f"{url}/v1/digest").json()
    said = {"since": now["position"] // 2, "until": now["position"], "digest": now["digest"], "pick": "disdukcapil"}
    path = f"/auditor?{urlencode(said)}"
    until(lambda: "http-equiv" not in httpx.get(f"{url}{path}").text, "the replay has ended", within_s=300)
    return path


def cut_off(browser: Browser, url: str) -> None:
    """The counter as it is when three files wait to be sent."""
    clerk = Clerk(browser, url)
    clerk.open("?dinas=disdukcapil&loket=3", ready=False)
    browser.run("document.getElementById('putus').click()")
    browser.press("Alt+1")
    for number in ("AKL-26-003305", "AKL-26-003306", "AKL-26-003307"):
        clerk.step(number, "F2")
    clerk.sees("#keadaan", "3 belum terkirim")


def main() -> None:
    """Make them all."""
    OUT.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Process(Path(folder) / "latihan", "--latihan") as process,
        Browser(Path(folder) / "profile") as browser,
    ):
        until(lambda: "sedang dimuat" not in httpx.get(process.url).text, "the small city is loaded", within_s=120)
        ranked = httpx.get(f"{process.url}/v1/rankings/asn?dinas=disdukcapil").json()["items"]
        first = httpx.get(f"{process.url}/v1/dinas/disdukcapil/files?limit=1").json()["items"][0]
        journal = f"{process.url}/v1/journal?type=neraca.permit-processed.v1&dinas=disdukcapil&limit=1"
        said = httpx.get(journal).json()["items"][0]["data"]
        decided = Case("disdukcapil", said["service"], said["case"])
        there = {
            "asn": ranked[0]["subject"]["id"],
            "file": urlencode({"service": first["service"], "case": first["case"]}),
            "decided": urlencode(decided._asdict()),
            "ticket": ticket(Path(folder) / "latihan", decided),
            "replayed": replayed(process.url.rstrip("/")),
        }
        for name, path in PAGES.items():
            for screen, (width, height, dark) in SCREENS.items():
                if screen == "gelap" and name != "papan":
                    continue
                browser.screen(width, height, dark=dark)
                browser.open(process.url.rstrip("/") + path.format(**there))
                (OUT / f"{name}-{screen}.webp").write_bytes(browser.picture(form="webp"))
        browser.screen(*SCREENS["ponsel"][:2])
        cut_off(browser, process.url.rstrip("/"))
        for screen in ("ponsel", "dinding"):
            browser.screen(*SCREENS[screen][:2])
            (OUT / f"luring-{screen}.webp").write_bytes(browser.picture(form="webp"))


if __name__ == "__main__":
    main()
