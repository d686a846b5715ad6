"""A real browser for tests: headless Chromium through its driver's HTTP protocol (W3C WebDriver), no library between.

The width is emulated, because a headless window is never narrower than some 500 px.
"""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from tests.serving import until

if TYPE_CHECKING:
    from pathlib import Path

MISSING: Final = "needs Chromium and its driver: apt-get install chromium chromium-driver"
SWITCHES: Final = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
)  # fmt: skip


def installed() -> bool:
    """Whether both halves of the browser are on the path."""
    return all(shutil.which(name) for name in ("chromium", "chromedriver"))


KEYS: Final = {
    "Tab": "\ue004", "Enter": "\ue007", "Alt": "\ue00a", "Shift": "\ue008", "Space": " ", "Escape": "\ue00c", "Down": "\ue015",
    "Up": "\ue013", **{f"F{n}": chr(0xE030 + n) for n in range(1, 13)},
}  # fmt: skip
"""Keys by their names in the protocol."""


class Browser:
    """One window of a browser with an empty profile."""

    def __init__(self, profile: Path, *switches: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        try:
            until(self._listens, "chromedriver listens")
            options = {"binary": shutil.which("chromium"), "args": [*SWITCHES, *switches, f"--user-data-dir={profile}"]}
            opened = self._post("/session", capabilities={"alwaysMatch": {"goog:chromeOptions": options}})
        except BaseException:
            self._driver.kill()
            self._driver.wait()
            raise
        self._session = f"/session/{opened['sessionId']}"

    def _listens(self) -> bool:
        try:
            return bool(self._http.get("/status").json()["value"]["ready"])
        except httpx.TransportError:
            return False

    def _post(self, path: str, **body: object) -> Any:  # noqa: ANN401 - any JSON value
        answer = self._http.post(path, json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()["value"]

    def _devtools(self, command: str, **parameters: object) -> Any:  # noqa: ANN401 - any JSON value
        return self._post(f"{self._session}/goog/cdp/execute", cmd=command, params=parameters)

    def screen(self, width: int, height: int = 1080, *, dark: bool = False) -> None:
        """Look from now on through a screen of some width in CSS pixels, in light or in dark."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._devtools("Emulation.setEmulatedMedia", media="screen", features=[scheme])

    def zone(self, name: str) -> None:
        """Set the device to a time zone."""
        self._devtools("Emulation.setTimezoneOverride", timezoneId=name)

    def open(self, url: str) -> None:
        """Load a page and wait for it."""
        self._post(f"{self._session}/url", url=url)

    def ask(self, script: str) -> Any:  # noqa: ANN401 - any JSON value
        """What an expression gives inside the page."""
        return self._post(f"{self._session}/execute/sync", script=f"return {script}", args=[])

    def promised(self, script: str, **given: object) -> Any:  # noqa: ANN401 - any JSON value
        """What a promise made inside the page comes to; ``given`` by name in the script."""
        names, values = ", ".join(given), list(given.values())
        body = f"const done = arguments[arguments.length - 1], [{names}] = arguments; ({script}).then(done, e => done('' + e));"
        return self._post(f"{self._session}/execute/async", script=body, args=values)

    def run(self, script: str) -> None:
        """Run statements inside the page."""
        self._post(f"{self._session}/execute/sync", script=script, args=[])

    def before(self, script: str) -> str:
        """Run statements in each page from now on before any of its own; the name by which to stop."""
        name: str = self._devtools("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
        return name

    def not_before(self, name: str) -> None:
        """Stop running such statements."""
        self._devtools("Page.removeScriptToEvaluateOnNewDocument", identifier=name)

    def press(self, *keys: str) -> None:
        """Press keys as a hand does, each let go before the next; of ``Alt+3`` the first is held meanwhile."""
        actions = []
        for key in keys:
            *held, last = key.split("+") if len(key) > 1 else (key,)
            codes = [KEYS.get(name, name) for name in (*held, last)]
            actions += [{"type": "keyDown", "value": code} for code in codes]
            actions += [{"type": "keyUp", "value": code} for code in reversed(codes)]
        self._post(f"{self._session}/actions", actions=[{"type": "key", "id": "keys", "actions": actions}])

    def type(self, text: str) -> None:
        """Type a text, key by key."""
        self.press(*("Space" if letter == " " else letter for letter in text))

    def another_tab(self) -> str:
        """Open one more tab, and look at it from now on; the name of the one before."""
        before: str = self._http.get(f"{self._session}/window").json()["value"]
        self.tab(self._post(f"{self._session}/window/new", type="tab")["handle"])
        return before

    def tab(self, name: str) -> None:
        """Look at a tab."""
        self._post(f"{self._session}/window", handle=name)

    def cut_off(self, *, off: bool) -> None:
        """The page's own network, as the browser emulates it; a worker's is another."""
        self._devtools("Network.enable")
        self._devtools(
            "Network.emulateNetworkConditions", offline=off, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    def printed(self, *, landscape: bool = False) -> bytes:
        """The page as PDF, as its own print style has it."""
        self._devtools("Emulation.setEmulatedMedia", media="")
        page = {"printBackground": True, "preferCSSPageSize": True, "landscape": landscape}
        return base64.b64decode(self._devtools("Page.printToPDF", **page)["data"])

    def picture(self, *, whole: bool = False, form: str = "png") -> bytes:
        """The window, or the whole page, as PNG or another form of picture."""
        shot = self._devtools("Page.captureScreenshot", format=form, captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])

    def said(self) -> list[str]:
        """Errors and warnings of the page's console since last asked."""
        return [entry["message"] for entry in self._post(f"{self._session}/se/log", type="browser")]

    def __enter__(self) -> Self:
        """Browse until the end of a ``with``."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the window and end the driver."""
        try:
            self._http.delete(self._session)
        finally:
            self._http.close()
            self._driver.terminate()
            self._driver.wait()
