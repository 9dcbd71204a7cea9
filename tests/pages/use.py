"""Uses the page of a study as people do. Arguments: the page, a folder for screenshots, a folder for the browser."""

import json
import pathlib
import sys

from webdriver import Browser

TAB, ENTER, ESCAPE, RIGHT, DOWN = "\ue004", "\ue007", "\ue00c", "\ue014", "\ue015"
COMMAND = "mailslot-sim run grid.toml --point {} --replication 0"
failures = 0


def check(what, holds, found=""):
    global failures
    failures += not holds
    print(f"ok {what}" if holds else f"FAILED {what}: {found}")


def mark(browser, number):
    """Scrolls a mark of the first chart into view; its place in the window, and the point that it stands for."""
    return browser.script(
        """const marks = [...document.querySelectorAll("figure svg use[data-r]")].filter((it) => !it.closest("[hidden]"));
           const mark = marks[arguments[0]];
           mark.scrollIntoView({ block: "center" });
           const box = mark.getBoundingClientRect();
           const row = document.getElementById("r" + mark.dataset.r);
           return [box.left + box.width / 2, box.top + box.height / 2, row.querySelector("button").textContent];""",
        number,
    )


def tip(browser):
    return browser.script('const tip = document.getElementById("tip"); return tip.hidden ? "" : tip.innerText;')


def clipboard(browser):
    return browser.script("return navigator.clipboard.readText();")


def choose(browser, axis, label):
    browser.script(
        """const select = [...document.querySelectorAll("label")].find((it) => it.innerText.startsWith(arguments[0])).querySelector("select");
           select.value = [...select.options].find((it) => it.text === arguments[1]).value;
           select.dispatchEvent(new Event("change"));""",
        axis, label,
    )


def seen(browser, selector):
    return browser.script(
        "return [...document.querySelectorAll(arguments[0])].filter((it) => it.getClientRects().length).length;", selector
    )


def load(browser, page):
    url = page.as_uri()
    browser.log("performance")
    browser.open(url)
    messages = browser.log("browser")
    check("no message on the console", not messages, messages)
    events = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    check("nothing is asked for but the page", asked == [url], asked)


def pointer(browser):
    x, y, point = mark(browser, 1)
    browser.point(x + 3, y + 3)
    found = tip(browser)
    wanted = [point, "value: ", "95 % interval: [", "in theory: ", COMMAND.format(point)]
    check("a mark shows its figures and its command under the pointer", all(it in found for it in wanted), found)
    browser.point(x, y, click=True)
    check("a click copies the command", clipboard(browser) == COMMAND.format(point), clipboard(browser))
    check("and says so", "copied: mailslot-sim run" in tip(browser), tip(browser))
    browser.point(2, 2)
    check("nothing is shown away from marks", tip(browser) == "", tip(browser))


def keyboard(browser):
    browser.script('document.querySelector("select:last-of-type").focus(); scrollTo(0, 0);')
    focused = 'const it = document.activeElement; return it.dataset.r ? it.getAttribute("aria-label") : "";'
    for _ in range(8):
        browser.keys(TAB)
        first = browser.script(focused)
        if first:
            break
    check("Tab comes to a mark, which says its figures", "95 % interval" in (first or "") and "loss=" in first, first)
    check("they are shown too", first.split(", ")[0] in tip(browser), tip(browser))
    browser.keys(RIGHT)
    second = browser.script(focused)
    check("an arrow goes to the next one", second and second != first, second)
    browser.keys(ENTER)
    check("Enter copies the command", clipboard(browser) == COMMAND.format(second.split(", ")[0]), clipboard(browser))
    browser.keys(ESCAPE)
    check("Escape hides it", tip(browser) == "", tip(browser))
    browser.keys(TAB)
    chart = 'return [...document.querySelectorAll("figure")].indexOf(document.activeElement.closest("figure"));'
    check("another Tab goes to a mark of the next chart", browser.script(chart) == 1 and browser.script(focused), browser.script(chart))


def filters(browser):
    rows = seen(browser, "tbody tr")
    check("all points are there at first", rows == 5, rows)
    choose(browser, "burst", "4")
    found = [seen(browser, it) for it in ("tbody tr", ".shares > div", "figure:first-child g[data-v]", "g[data-r]")]
    check("a filter leaves rows, bars, the line and the delays of its value", found == [3, 3, 1, 3], found)
    choose(browser, "loss", "0.1")
    check("filters work together", seen(browser, "tbody tr") == 1, seen(browser, "tbody tr"))
    choose(browser, "loss", "all")
    choose(browser, "burst", "all")
    check("and let all come back", seen(browser, "tbody tr") == 5, seen(browser, "tbody tr"))


def table(browser):
    browser.script('document.querySelectorAll("tbody button")[2].click();')
    point = browser.script('return document.querySelectorAll("tbody button")[2].textContent;')
    browser.script("return new Promise((done) => setTimeout(done, 100));")
    check("the name of a point in the table copies its command", clipboard(browser) == COMMAND.format(point), clipboard(browser))


def looks(browser, shots):
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;"
    overlap = """
      const texts = [...document.querySelectorAll("figure svg:not(.key) text")].filter((it) => it.getClientRects().length);
      const found = [];
      for (const svg of document.querySelectorAll("figure > svg")) {
        const frame = svg.getBoundingClientRect();
        const boxes = texts.filter((it) => svg.contains(it)).map((it) => [it.textContent, it.getBoundingClientRect()]);
        boxes.forEach(([text, box], at) => {
          if (box.left < frame.left - 1 || box.right > frame.right + 1) found.push(text + " is cut");
          for (const [other, its] of boxes.slice(at + 1)) {
            if (box.left < its.right && its.left < box.right && box.top < its.bottom && its.top < box.bottom) found.push(text + " over " + other);
          }
        });
      }
      return found;"""
    for scheme in ("light", "dark"):
        browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for width in (1280, 400):
            browser.resize(width, 900)
            browser.script("scrollTo(0, 0);")
            browser.screenshot(shots / f"{scheme}-{width}.png")
            check(f"{scheme}, {width} px: nothing is wider than the window", browser.script(overflow) == 0, browser.script(overflow))
            check(f"{scheme}, {width} px: no label is cut or lies over another", browser.script(overlap) == [], browser.script(overlap))
    browser.devtools("Emulation.setEmulatedMedia", media="print")
    browser.resize(794, 1123)
    browser.screenshot(shots / "print.png")
    check("paper has no lists to choose from, and all rows", seen(browser, "form") == 0 and seen(browser, "tbody tr") == 5)


def main():
    page, shots, profile = map(pathlib.Path, sys.argv[1:])
    with Browser(profile) as browser:
        browser.resize(1280, 900)
        load(browser, page)
        for permission in ("clipboard-read", "clipboard-write"):
            browser.devtools("Browser.setPermission", permission={"name": permission}, setting="granted")
        pointer(browser)
        keyboard(browser)
        filters(browser)
        table(browser)
        messages = browser.log("browser")
        check("no message on the console after all that", not messages, messages)
        looks(browser, shots)
    sys.exit(failures > 0)


main()
