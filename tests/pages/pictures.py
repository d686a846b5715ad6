"""`make pictures`: each page of practice mode as a picture, on a phone and a wall, for `docs/reference/pages.md`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import httpx

from api.http.tickets import TICKET_US, Case, Tickets
from api.pages.router import PAGES as ROUTED
from domain.access.limits import Limits
from domain.clock import utc_text
from neraca.wiring import now_us
from streams.places.directory import DataDirectory
from tests.pages.browser import picture, screen, started, window
from tests.pages.counter import Clerk
from tests.process import Process
from tests.serving import ROOT, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

OUT: Final = ROOT / "docs" / "pages"
NAMES: Final = {
    "board": "papan",
    "why": "struk",
    "events": "kejadian",
    "files": "berkas",
    "file": "satu-berkas",
    "public": "publik",
    "counter": "loket",
    "rating": "warga",
    "practice": "latihan",
    "journal": "jurnal",
    "method": "metode",
    "entry": "entri",
    "ticket": "nilai",
    "signin": "masuk",
    "link": "tautan",
    "mine": "saya",
    "late": "terlambat",
    "task": "tugas",
}
"""Names of pictures by the template of their page; others are named as their template."""
QUERIES: Final = {
    "events": "measure=permits_rejected",
    "file": "{file}",
    "counter": "dinas=disdukcapil&loket=3",
    "rating": "{decided}",
    "ticket": "{ticket}",
}


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

`{decided}` is a case that can be rated, `{ticket}` the content of its code, `{replayed}` a replay that has ended.
"""
SCREENS: Final = {"ponsel": (390, 844, False), "dinding": (1920, 1080, False), "gelap": (1920, 1080, True)}


def ticket_query(data: Path, case: Case) -> str:
    """The query and the fragment that lead to the rating of a case, vouched for by a token of its own."""
    tokens = DataDirectory(data).token_store()
    tokens.make("gambar", ["counter"], utc_text(now_us()), Limits(frozenset({case.dinas}), frozenset({"/gambar"})))
    token = tokens.by_id("gambar")
    assert token is not None
    ticket = Tickets(tokens, now_us, (data / "secret").read_bytes().strip(), TICKET_US).issue(token, case)
    assert ticket is not None
    return f"{urlencode(case._asdict())}#{urlencode({'tiket': ticket.text})}"


def replayed(url: str) -> str:
    """The address of a replay from half the journal on, once it has ended."""
    now = httpx.get(f"{url}/v1/digest").json()
    parameters = {
        "since": now["position"] // 2,
        "until": now["position"],
        "digest": now["digest"],
        "pick": "disdukcapil",
    }
    path = f"/auditor?{urlencode(parameters)}"
    until(lambda: "http-equiv" not in httpx.get(f"{url}{path}").text, "the replay has ended", within_s=300)
    return path


def cut_off(page: Page, url: str) -> None:
    """The counter as it is when three files wait to be sent."""
    clerk = Clerk(page, url)
    clerk.open("?dinas=disdukcapil&loket=3", ready=False)
    page.click("label[for=putus]")
    clerk.press("Alt+1")
    for number in ("AKL-26-003305", "AKL-26-003306", "AKL-26-003307"):
        clerk.step(number, "F2")
    clerk.sees("#keadaan", "3 belum terkirim")


def shown(url: str, data: Path) -> dict[str, str]:
    """The values of the blanks in the addresses."""
    ranking = httpx.get(f"{url}/v1/rankings/asn?dinas=disdukcapil").json()["items"]
    first = httpx.get(f"{url}/v1/dinas/disdukcapil/files?limit=1").json()["items"][0]
    journal = f"{url}/v1/journal?type=neraca.permit-processed.v1&dinas=disdukcapil&limit=1"
    permit = httpx.get(journal).json()["items"][0]["data"]
    decided_case = Case("disdukcapil", permit["service"], permit["case"])
    return {
        "asn": ranking[0]["subject"]["id"],
        "file": urlencode({"service": first["service"], "case": first["case"]}),
        "decided": urlencode(decided_case._asdict()),
        "ticket": ticket_query(data, decided_case),
        "replayed": replayed(url),
    }


def main() -> None:
    """Make them all."""
    OUT.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Process(Path(folder) / "latihan", "--latihan") as process,
        started() as browser,
        window(browser) as page,
    ):
        until(lambda: "sedang dimuat" not in httpx.get(process.url).text, "the small city is loaded", within_s=120)
        url = process.url.rstrip("/")
        blanks = shown(url, Path(folder) / "latihan")
        for name, path in PAGES.items():
            for size, (width, height, dark) in SCREENS.items():
                if size == "gelap" and name != "papan":
                    continue
                screen(page, width, height, dark=dark)
                page.goto(url + path.format(**blanks))
                (OUT / f"{name}-{size}.webp").write_bytes(picture(page))
        screen(page, *SCREENS["ponsel"][:2])
        cut_off(page, url)
        for size in ("ponsel", "dinding"):
            screen(page, *SCREENS[size][:2])
            (OUT / f"luring-{size}.webp").write_bytes(picture(page))


if __name__ == "__main__":
    main()
