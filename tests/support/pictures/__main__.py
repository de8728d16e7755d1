"""Takes the pictures, and writes or compares them: `python -m tests.support.pictures CHROMIUM FOLDER [--check]`.

The small ones have a fifth of the width and the height. Two are the same when few of their dots differ by more than the
edge of a letter does: a change of a layout, a colour or a text of some lines shows; the drawing of letters does not.
"""

from __future__ import annotations

import base64
import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, Route, WebSocketRoute, expect, sync_playwright

from tests.support.pictures.scene import NOW, PASSWORD, UNREAD, VIEWER, Scene, date_messages, playing, times
from tests.support.process import ServerProcess

ROOT = Path(__file__).resolve().parents[3]
SMALL = ROOT / "tests/e2e/browser/pictures"
IMAGES = ROOT / "docs/images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none", "--disable-lcd-text"]
SCHEMES = ("light", "dark")
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
FONTS_CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}</dir>
  <cachedir>{folder}/cache</cachedir>
  <alias><family>system-ui</family><prefer><family>Inter</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
  <alias><family>ui-monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>emoji</family><prefer><family>Noto Color Emoji</family></prefer></alias>
</fontconfig>
"""
#: Of 255: the difference of a dot that counts, and the part of all dots, in per cent, that may differ so.
DIFFERENCE = 40
SHARE = 2.0
DEADLINE_MS = 60_000
#: The colour of a person's disc comes from the id, which is another one in each run.
SAME_DISCS = "[class*=hue-] { --disc: #55606a !important; }"

_SHRINK = """async (png) => {
  const picture = await createImageBitmap(await (await fetch(png)).blob());
  const size = [Math.round(picture.width / 5), Math.round(picture.height / 5)];
  const small = new OffscreenCanvas(...size);
  const pen = small.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, ...size);
  const bytes = new Uint8Array(await (await small.convertToBlob({ type: "image/png" })).arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}"""
_COMPARE = """async ([one, other, difference]) => {
  const read = async (png) => {
    const picture = await createImageBitmap(await (await fetch(png)).blob());
    const pen = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    pen.drawImage(picture, 0, 0);
    return pen.getImageData(0, 0, picture.width, picture.height);
  };
  const [a, b] = [await read(one), await read(other)];
  if (a.width !== b.width || a.height !== b.height) return 100;
  let differing = 0;
  for (let at = 0; at < a.data.length; at += 4) {
    const far = [0, 1, 2].some((part) => Math.abs(a.data[at + part] - b.data[at + part]) > difference);
    differing += far ? 1 : 0;
  }
  return differing / (a.width * a.height) * 100;
}"""

Step = Callable[[Page, Scene], None]


@dataclass(frozen=True)
class Shot:
    """A screen: how one gets there, and on what it is taken."""

    name: str
    step: Step
    devices: tuple[str, ...] = ("desktop", "phone")
    signed_in: bool = True


def _room(page: Page, scene: Scene, panel: str = "") -> None:
    _go(page, f"#/room/{scene.rooms['release-2-0']}{panel}")
    expect(page.get_by_test_id("message").filter(has_text=UNREAD[-1])).to_be_visible()
    expect(page.get_by_test_id("jump")).to_be_hidden()
    page.evaluate("() => document.activeElement?.blur()")  # it may have the focus, or get it in a moment


def _go(page: Page, address: str) -> None:
    page.evaluate("(hash) => { location.hash = hash }", address)


def _seen(page: Page, testid: str) -> None:
    expect(page.get_by_test_id(testid).first).to_be_visible()


def _members(page: Page, scene: Scene) -> None:
    _room(page, scene, "/members")
    expect(page.get_by_test_id("member").first).to_be_visible()


def _list(page: Page, scene: Scene) -> None:
    _go(page, "#/")
    page.reload()  # in this window the room was read
    _seen(page, "room-item")
    expect(page.get_by_test_id("tab-activity-count")).to_be_visible()
    page.add_style_tag(content=SAME_DISCS if page.evaluate("devicePixelRatio") == 1 else "/* */")


def _search(page: Page, scene: Scene) -> None:
    _go(page, "#/search/notes")
    expect(page.get_by_text("Notes are ready").first).to_be_visible()


def _activity(page: Page, scene: Scene) -> None:
    _go(page, "#/activity")
    expect(page.get_by_role("main").get_by_text("may I quote").first).to_be_visible()


def _settings(page: Page, scene: Scene) -> None:
    _go(page, "#/settings/appearance")
    expect(page.get_by_role("main").get_by_role("radio").first).to_be_attached()


def _switcher(page: Page, scene: Scene) -> None:
    _room(page, scene)
    page.keyboard.press("Control+k")
    page.get_by_test_id("switcher-input").fill("re")
    expect(page.get_by_test_id("switcher-item").first).to_contain_text("release-2-0")
    expect(page.get_by_text("Searching…")).to_be_hidden()


def _log_in(page: Page, scene: Scene) -> None:
    _seen(page, "login-form")


def _gallery(page: Page, scene: Scene) -> None:
    _go(page, "#/gallery")
    _seen(page, "gallery")


def _moderation(page: Page, scene: Scene) -> None:
    scene.report()
    _go(page, "#/moderation")
    expect(page.get_by_test_id("case")).to_have_count(1)
    expect(page.get_by_test_id("moderation-waiting")).to_be_visible()


SHOTS = (
    Shot("room", _room),
    Shot("members", _members, ("desktop",)),
    Shot("list", _list, ("phone",)),
    Shot("search", _search),
    Shot("activity", _activity),
    Shot("settings", _settings),
    Shot("switcher", _switcher, ("desktop",)),
    Shot("log-in", _log_in, signed_in=False),
    Shot("gallery", _gallery),
)
RUSSIAN = (
    Shot("room-ru", _room),
    Shot("list-ru", _list, ("phone",)),
    Shot("settings-ru", _settings),
    Shot("log-in-ru", _log_in, signed_in=False),
)
#: The last ones: from then on a case waits, which shows on each screen.
CASES = (Shot("moderation", _moderation),)
#: What is taken in which language, in this order.
SERIES = ((SHOTS, "en-GB"), (RUSSIAN, "ru-RU"), (CASES, "en-GB"))
#: Those for the documents, in twice as many dots: the file's name → shot, device, scheme.
DOCUMENTS = {
    "room.png": ("members", "desktop", "light"),
    "room-dark.png": ("room", "desktop", "dark"),
    "phone-list.png": ("list", "phone", "light"),
    "phone-room.png": ("room", "phone", "dark"),
}


@contextmanager
def running_browser(playwright: Playwright, chromium: str, folder: Path) -> Iterator[Browser]:
    """Chromium, with the fonts of the folder alone."""
    fonts = folder / "fonts"
    conf = fonts / "fonts.conf"
    conf.write_text(FONTS_CONF.format(folder=fonts))
    env: dict[str, str | float | bool] = {"FONTCONFIG_FILE": str(conf), "HOME": str(fonts), "PATH": "/usr/bin:/bin"}
    browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS, env=env)
    yield browser
    browser.close()


def take(
    browser: Browser,
    scene: Scene,
    look: tuple[str, str],
    *,
    scale: int = 1,
    shots: tuple[Shot, ...] = SHOTS,
    language: str = "en-GB",
) -> dict[str, bytes]:
    """The pictures of one device in one scheme, by the names of the shots."""
    device, scheme = look
    context = browser.new_context(
        **DEVICES[device],
        color_scheme="light" if scheme == "light" else "dark",
        device_scale_factor=scale,
        locale=language,
        timezone_id="UTC",
        reduced_motion="reduce",
        bypass_csp=True,  # for `SAME_DISCS`
    )
    page = context.new_page()
    page.set_default_timeout(DEADLINE_MS)
    expect.set_options(timeout=DEADLINE_MS)
    page.clock.set_fixed_time(NOW)
    known = times()

    def answer(route: Route) -> None:
        if route.request.method == "PUT" and "/attention/seen" in route.request.url:
            route.fulfill(
                json=route.request.post_data_json
            )  # as if it had been kept, so that each look finds it unseen
            return
        said = route.fetch()
        if "json" in said.headers.get("content-type", "") and said.status == 200:
            route.fulfill(
                response=said, json=date_messages(said.json(), known, "/api/moderation/" in route.request.url)
            )
        else:
            route.fulfill(response=said)

    page.route("**/api/**", answer)
    page.route_web_socket("**/ws", _stay_unread)
    page.goto(scene.http)
    if scale == 1:
        page.add_style_tag(content=SAME_DISCS)
    found: dict[str, bytes] = {}
    signed_in = False
    for shot in sorted(shots, key=lambda one: one.signed_in):
        if device not in shot.devices:
            continue
        if shot.signed_in and not signed_in:
            _seen(page, "login-form")
            _sign_in(page)
            signed_in = True
        shot.step(page, scene)
        page.mouse.move(0, 0)
        page.wait_for_load_state("networkidle")
        page.evaluate("() => document.fonts.ready")
        found[shot.name] = page.screenshot(animations="disabled", caret="hide")
        if shot.name == "switcher":
            page.keyboard.press("Escape")
    page.unroute_all(behavior="ignoreErrors")  # an answer may still be on its way
    context.close()
    return found


def _stay_unread(client: WebSocketRoute) -> None:
    """What is read in one look is unread in the next one."""
    server = client.connect_to_server()
    client.on_message(lambda said: None if '"type":"read"' in str(said) else server.send(said))


def _sign_in(page: Page) -> None:
    form = page.get_by_test_id("login-form")
    form.get_by_test_id("name").fill(VIEWER)
    form.get_by_test_id("password").fill(PASSWORD)
    form.get_by_test_id("submit").click()
    expect(page.get_by_test_id("room-list")).to_be_attached()
    page.wait_for_load_state("networkidle")


def _url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def shrink(page: Page, png: bytes) -> bytes:
    """The same in a fifth of the width and the height."""
    return base64.b64decode(page.evaluate(_SHRINK, _url(png)))


def compare(page: Page, one: bytes, other: bytes) -> float:
    """How many dots differ, in per cent; 100 when the sizes do."""
    found: float = page.evaluate(_COMPARE, [_url(one), _url(other), DIFFERENCE])
    return found


def write_document(path: Path, png: bytes) -> None:
    """Write it, smaller by pngquant where that is installed: 256 colours are enough for a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png)
    if pngquant := shutil.which("pngquant"):
        subprocess.run([pngquant, "--force", "--skip-if-larger", "--speed=1", "--ext=.png", str(path)], check=False)


def check_small(page: Page, name: str, small: bytes, folder: Path) -> bool:
    """Whether a picture is as it was; the new one is kept beside it to look at."""
    (folder / f"{name}.png").write_bytes(small)
    kept = SMALL / f"{name}.png"
    share = compare(page, small, kept.read_bytes()) if kept.exists() else 100.0
    same = share <= SHARE
    print(f"{name:24} {share:5.2f} % differ", "" if same else f"look at {folder}/{name}.png beside {kept}", flush=True)
    return same


def main(chromium: str, output: str, *options: str) -> int:
    """The exit code."""
    folder = Path(output)
    check = "--check" in options
    same = True
    with (
        tempfile.TemporaryDirectory(prefix="rookery-pictures-") as data,
        ServerProcess("pictures", Path(data), rate_limits="off", first_account_owns="on", moderation="on") as server,
        playing(server.http, server.ws) as scene,
        sync_playwright() as playwright,
        running_browser(playwright, chromium, folder) as browser,
    ):
        helper = browser.new_page()
        for (shots, language), device, scheme in itertools.product(SERIES, DEVICES, SCHEMES):
            for name, png in take(browser, scene, (device, scheme), shots=shots, language=language).items():
                small = shrink(helper, png)
                full = f"{name}-{device}-{scheme}"
                (folder / f"{full}-whole.png").write_bytes(png)
                if check:
                    same &= check_small(helper, full, small, folder)
                else:
                    SMALL.mkdir(exist_ok=True)
                    (SMALL / f"{full}.png").write_bytes(small)
        if not check:
            for file, (name, device, scheme) in DOCUMENTS.items():
                shot = tuple(one for one in SHOTS if one.name == name)
                write_document(IMAGES / file, take(browser, scene, (device, scheme), scale=2, shots=shot)[name])
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
