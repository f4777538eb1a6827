"""Opens pages in a real browser, on a phone and on a desk, in light and in dark: page.py [--pictures DIR] FILE…

Prints a line for every fault: an error on the console, a request beside the page itself, content wider than the window, and what axe
finds (contrast below AA, pictures without a text, tables without headers …). Ends with 1 if there is one.
"""

import argparse
import pathlib
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def faults_of(browser, path, width, scheme, pictures):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    faults = []
    page.on("console", lambda message: faults.append(f"console: {message.text}") if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else faults.append(f"asks for {request.url}"))
    page.goto(path.resolve().as_uri())
    # What is folded away must hold as well.
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if overflow > 0:
        faults.append(f"is {overflow} px wider than the window")
    broken = page.evaluate("[...document.images].filter(image => !image.naturalWidth || !image.alt).length")
    if broken:
        faults.append(f"{broken} pictures without content or text")
    for violation in Axe().run(page).response["violations"]:
        nodes = "; ".join(node["html"][:120] for node in violation["nodes"][:2])
        faults.append(f"axe: {violation['id']}: {violation['help']}: {nodes}")
    if pictures:
        page.screenshot(path=pathlib.Path(pictures) / f"{path.parent.name}-{path.stem}-{width}-{scheme}.png", full_page=True)
    context.close()
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    executable = next((path for path in BROWSERS if pathlib.Path(path).exists()), None)
    if executable is None:
        sys.exit("no Chromium: install the package chromium")
    count = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for path in arguments.files:
            for width in (390, 1280):
                for scheme in ("light", "dark"):
                    for fault in faults_of(browser, path, width, scheme, arguments.pictures):
                        print(f"{path}, {width} px, {scheme}: {fault}")
                        count += 1
        browser.close()
    print(f"{len(arguments.files)} pages, {count} faults")
    sys.exit(count > 0)


main()
