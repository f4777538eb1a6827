"""What launch/docs asks of the documentation: docs.py symbols GRAPHS ROOT | docs.py pages SITE

`symbols` lists the public symbols of the graphs in GRAPHS that have no documentation, by their places below ROOT; `pages` the symbols and
articles of the SITE that no page's topics lead to. Ends with 1 if there are any.
"""

import json
import pathlib
import sys
import urllib.parse


def undocumented(graphs, root):
    """How many symbols there are, and a line for each that has no documentation, neither its own nor one of the requirement that it
    fulfils. What the compiler makes by itself stands in no file."""
    count, lines = 0, []
    for path in sorted(graphs.glob("*.symbols.json")):
        for symbol in json.loads(path.read_text())["symbols"]:
            if "location" not in symbol:
                continue
            count += 1
            if any(line["text"].strip() for line in symbol.get("docComment", {}).get("lines", [])):
                continue
            file = pathlib.Path(urllib.parse.unquote(urllib.parse.urlsplit(symbol["location"]["uri"]).path))
            if file.is_relative_to(root):
                file = file.relative_to(root)
            position = symbol["location"]["position"]["line"] + 1
            lines.append((str(file), position, f"{'.'.join(symbol['pathComponents'])} has no documentation"))
    return count, [f"{file}:{position}: {words}" for file, position, words in sorted(lines)]


def unreachable(site):
    """How many pages there are, and a line for each page just below a module that is in no list of topics that somebody wrote."""
    documentation = site / "data/documentation"
    pages = [json.loads(path.read_text()) for path in documentation.rglob("*.json")]
    listed = {name for page in pages for section in page.get("topicSections", []) if not section.get("generated")
              for name in section["identifiers"]}
    names = [json.loads(path.read_text())["identifier"]["url"] for path in sorted(documentation.glob("*/*.json"))]
    return len(pages), [f"{urllib.parse.unquote(name.split('/documentation/')[-1])} is in no page's Topics"
                        for name in names if name not in listed]


def main():
    if sys.argv[1] == "symbols":
        count, lines = undocumented(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve())
        print(*lines, f"launch/docs: {count} public symbols, {len(lines)} without documentation", sep="\n")
    else:
        count, lines = unreachable(pathlib.Path(sys.argv[2]))
        print(*lines, f"launch/docs: {count} pages, {len(lines)} that no topics lead to", sep="\n")
    sys.exit(1 if lines or not count else 0)


main()
