"""Opens a site of launch/docs in a real browser, in light and in dark: site.py [--pictures DIR] URL TITLE [URL TITLE …]

Each page must show its title as a heading, and text below it. Prints a line for every fault: a page without, an error on the console, a
request that failed or went elsewhere. Ends with 1 if there is one.
"""

import argparse
import pathlib
import sys
import urllib.parse

from playwright.sync_api import Error, sync_playwright

BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def faults_of(browser, url, title, scheme, picture):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    faults = []
    own = urllib.parse.urlsplit(url).netloc
    page.on("console", lambda message: faults.append(f"console: {message.text}") if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("response", lambda response: faults.append(f"{response.status} of {response.url}") if response.status >= 400 else None)
    page.on("request", lambda request: None if urllib.parse.urlsplit(request.url).netloc in (own, "") else faults.append(f"asks for {request.url}"))
    try:
        page.goto(url, wait_until="networkidle")
        page.get_by_role("heading", name=title, exact=True, level=1).wait_for(timeout=10_000)
        # The list beside the page has what the whole site has.
        page.locator("nav.navigator, .navigator").first.wait_for(timeout=10_000)
        if len(page.locator("main").inner_text()) < 200:
            faults.append("has hardly any text")
    except Error as error:
        faults.append(str(error).splitlines()[0])
    if picture:
        page.screenshot(path=picture)
    context.close()
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=pathlib.Path)
    parser.add_argument("pages", nargs="+")
    arguments = parser.parse_args()
    executable = next((path for path in BROWSERS if pathlib.Path(path).exists()), None)
    if executable is None:
        sys.exit("no Chromium: install the package chromium")
    count = 0
    pages = list(zip(arguments.pages[::2], arguments.pages[1::2], strict=True))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for number, (url, title) in enumerate(pages):
            for scheme in ("light", "dark"):
                picture = arguments.pictures and arguments.pictures / f"site-{number}-{scheme}.png"
                for fault in faults_of(browser, url, title, scheme, picture):
                    print(f"{url}, {scheme}: {fault}")
                    count += 1
        browser.close()
    print(f"{len(pages)} pages, {count} faults")
    sys.exit(1 if count else 0)


main()
