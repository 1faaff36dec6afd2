"""Whether the built pages are right: python docs/check_pages.py docs/_build [--browser].

Of the files: no page is empty, every link inside the site leads somewhere, nothing is loaded from the network, no
signature or result stands there as Python prints it for itself, and every name of the package in code font exists. In
a headless Chromium, without the network and at the widths of a desk and of a phone: the text that a reader sees holds
no TeX, every picture is there, no page is wider than the window.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FEWEST_WORDS = 12
WIDTHS = (1400, 400)
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("video", "src"), ("iframe", "src")}
RELATIONS = {"stylesheet", "icon", "preload", "shortcut icon", "preconnect"}
SILENT = {"script", "style", "template"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
COMMANDS = r"[dt]?frac|partial|operatorname|math\w+|bar|int|sum|left|right|begin|sqrt"
TEX = re.compile(rf"\\(?:{COMMANDS}|[()\[\]])|\$[^$\n]{{1,200}}\$")
FULL_NAME = re.compile(r"~[a-z]\w*\.[\w.]+|<factory>|<Axes")
NAME = re.compile(r"(?:gf|geomflow)(?:\.[A-Za-z]\w*)+")
GENERATED = {"genindex.html", "py-modindex.html", "search.html"}
OLD_NAMES = {"changelog.html"}
ASSETS = {"_static", "_modules", "_downloads"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass
class Page(HTMLParser):
    """What is of interest in one page: the words of its article, its links, anchors, and what it loads."""

    path: Path
    words: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    stack: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        wanted = tag != "link" or given.get("rel", "") in RELATIONS
        self.loads += [value for name, value in given.items() if (tag, name) in LOADED and wanted]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while tag in self.stack and self.stack.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "article" in self.stack and not SILENT & set(self.stack):
            self.words += data.split()
            if "code" in self.stack:
                self.codes.append(data)


def pages_of(site: Path) -> dict[Path, Page]:
    """The pages of a site by their paths, those of highlighted sources left out."""
    own = (path for path in sorted(site.rglob("*.html")) if path.relative_to(site).parts[0] not in ASSETS)
    return {path: Page(path) for path in own}


def faults_of_files(site: Path) -> Iterator[str]:
    """What is wrong in the files."""
    pages = pages_of(site)
    if not pages:
        yield f"{site}: there are no pages"
    for path, page in pages.items():
        here = path.relative_to(site).as_posix()
        if here not in GENERATED and len(page.words) < FEWEST_WORDS:
            yield f"{here}: it is empty"
        yield from (f"{here}: loads {each} from the network" for each in page.loads if urlsplit(each).netloc)
        yield from (f"{here}: {fault}" for fault in dead_links(page, pages))
        yield from (f"{here}: shows {each}" for each in dict.fromkeys(FULL_NAME.findall(" ".join(page.words))))
        yield from (f"{here}: there is no {name}" for name in unknown_names(page.codes) if here not in OLD_NAMES)


def dead_links(page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    """Links inside the site, and files beside a page, that lead nowhere."""
    for link in dict.fromkeys(page.links + page.loads):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or link in ("#", ""):
            continue
        target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
        if not target.is_file():
            yield f"{link} leads nowhere"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{link} leads to no place of {target.name}"


def unknown_names(codes: Iterable[str]) -> Iterator[str]:
    """Names of the package in code font that do not exist; those in upper case stand for any."""
    from pkgutil import resolve_name

    found = dict.fromkeys(name for code in codes for name in NAME.findall(code))
    for name in found:
        parts = name.split(".")
        if any(part.isupper() for part in parts[1:]) or parts[1] in ("egg", "toml"):
            continue
        try:
            resolve_name(".".join(["geomflow", *parts[1:]]))
        except (ImportError, AttributeError, ValueError):
            yield name


SCRIPT = """
const pages = %s, widths = %s, found = [];
function loaded(frame, page) {
  return new Promise(done => { frame.onload = () => done(); frame.src = page; });
}
async function all() {
  for (const width of widths) {
    const frame = document.createElement("iframe");
    frame.style.width = width + "px"; frame.style.height = "900px"; frame.style.border = "0";
    document.body.append(frame);
    for (const page of pages) {
      await loaded(frame, page);
      const seen = frame.contentDocument, root = seen.documentElement;
      const article = seen.querySelector("article") || seen.body;
      for (const each of seen.images) each.loading = "eager";
      await Promise.all([...seen.images].map(each => each.complete || new Promise(done => {
        each.onload = each.onerror = done; setTimeout(done, 5000);
      })));
      for (const each of article.querySelectorAll("pre, code, script, style, dt.sig")) each.remove();
      found.push({page, width, wide: root.scrollWidth, text: article.innerText,
                  blank: [...seen.images].filter(each => !each.naturalWidth).map(each => each.src.slice(0, 100))});
    }
    frame.remove();
  }
  const told = document.createElement("pre");
  told.id = "found"; told.textContent = JSON.stringify(found);
  document.body.append(told);
}
all();
"""


def browser() -> str | None:
    """The command of a Chromium, or None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def seen_in_browser(paths: list[Path], widths: tuple[int, ...] = WIDTHS) -> list[dict[str, object]]:
    """Every page at every width as a headless Chromium shows it, without the network."""
    command = browser()
    if command is None:
        raise FileNotFoundError(f"no browser was found: install one of {', '.join(BROWSERS)}.")
    with tempfile.TemporaryDirectory() as folder:
        driver = Path(folder) / "driver.html"
        script = SCRIPT % (json.dumps([path.resolve().as_uri() for path in paths]), json.dumps(widths))
        driver.write_text(f"<!doctype html><meta charset=utf-8><body><script>{script}</script>", encoding="utf-8")
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom",
                 "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile",
                 "--virtual-time-budget=10000000", "--window-size=1500,1000"]
        done = subprocess.run([command, *flags, driver.as_uri()], capture_output=True, text=True, timeout=3600,
                              env={**os.environ, "HOME": folder})
    told = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    if told is None:
        raise RuntimeError(f"the browser did not come to an end:\n{done.stdout[-500:]}\n{done.stderr[-500:]}")
    return list(json.loads(html.unescape(told[1])))


def faults_in_browser(site: Path) -> Iterator[str]:
    """What a reader would see to be wrong."""
    for seen in seen_in_browser(list(pages_of(site))):
        page, width = unquote(str(seen["page"])).split(f"{site.name}/")[-1], seen["width"]
        if width == WIDTHS[0]:
            yield from (f"{page}: shows {found}" for found in dict.fromkeys(TEX.findall(str(seen["text"]))))
            yield from (f"{page}: the picture {each} is not there" for each in seen["blank"])  # type: ignore[attr-defined]
        if int(str(seen["wide"])) > int(str(width)):
            yield f"{page}: is {seen['wide']} pixels wide in a window of {width}"


def main() -> int:
    """Print all faults; the exit code is 1 where there are some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="the folder of the built pages")
    parser.add_argument("--browser", action="store_true", help="look at the pages in a headless Chromium, too")
    parser.add_argument("--browser-if-any", action="store_true", help="the same, where one is installed")
    given = parser.parse_args()
    faults = list(faults_of_files(given.site.resolve()))
    if given.browser_if_any and not browser():
        print("no browser is installed: the pages were not looked at")
    if given.browser or (given.browser_if_any and browser()):
        faults += faults_in_browser(given.site.resolve())
    print("\n".join(faults) if faults else "the pages are right")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
