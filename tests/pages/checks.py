"""What the tests of all pages share: each check is a line, and a failed one counts."""

import json

TAB, ENTER, ESCAPE, RIGHT, DOWN = "\ue004", "\ue007", "\ue00c", "\ue014", "\ue015"
failures = 0


def check(what, holds, found=""):
    global failures
    failures += not holds
    print(f"ok {what}" if holds else f"FAILED {what}: {found}")


def tip(browser):
    return browser.script('const tip = document.getElementById("tip"); return tip.hidden ? "" : tip.innerText;')


def clipboard(browser):
    return browser.script("return navigator.clipboard.readText();")


def seen(browser, selector):
    return browser.script(
        "return [...document.querySelectorAll(arguments[0])].filter((it) => it.getClientRects().length).length;", selector
    )


def load(browser, page):
    """Opens a page, and lets it use the clipboard."""
    url = page.as_uri()
    browser.resize(1280, 900)
    browser.log("performance")
    browser.open(url)
    messages = browser.log("browser")
    check("no message on the console", not messages, messages)
    events = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    check("nothing is asked for but the page", asked == [url], asked)
    for permission in ("clipboard-read", "clipboard-write"):
        browser.devtools("Browser.setPermission", permission={"name": permission}, setting="granted")


def quiet(browser):
    messages = browser.log("browser")
    check("no message on the console after all that", not messages, messages)


def looks(browser, shots, name):
    """Light and dark, wide and narrow: screenshots, and what can be told without looking."""
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;"
    overlap = """
      const found = [];
      for (const svg of document.querySelectorAll("figure svg, svg.legend, svg.header")) {
        const frame = svg.getBoundingClientRect();
        const texts = [...svg.querySelectorAll("text")].filter((it) => it.getClientRects().length);
        const boxes = texts.map((it) => [it.textContent, it.getBoundingClientRect()]);
        boxes.forEach(([text, box], at) => {
          if (box.left < frame.left - 1 || box.right > frame.right + 1) found.push(text + " is cut");
          for (const [other, its] of boxes.slice(at + 1)) {
            if (box.left < its.right && its.left < box.right && box.top + 1 < its.bottom && its.top + 1 < box.bottom) found.push(text + " over " + other);
          }
        });
      }
      return found;"""
    for scheme in ("light", "dark"):
        browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for width in (1280, 400):
            browser.resize(width, 900)
            browser.script("scrollTo(0, 0);")
            browser.screenshot(shots / f"{name}-{scheme}-{width}.png")
            check(f"{scheme}, {width} px: nothing is wider than the window", browser.script(overflow) == 0, browser.script(overflow))
            check(f"{scheme}, {width} px: no label is cut or lies over another", browser.script(overlap) == [], browser.script(overlap))
    browser.devtools("Emulation.setEmulatedMedia", media="print")
    browser.resize(794, 1123)
    browser.screenshot(shots / f"{name}-print.png")
    check("paper has nothing to choose from", seen(browser, "form, select, .controls button") == 0, seen(browser, "form, select, .controls button"))
    browser.devtools("Emulation.setEmulatedMedia", media="screen")


def without_script(browser, page):
    """What a page is without its script: all but what only that can do."""
    browser.devtools("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page.as_uri())
    check("without a script nothing is there that does nothing", seen(browser, ".controls") == 0, seen(browser, ".controls"))
    check("and all the rest is", seen(browser, "h1") == 1 and seen(browser, "svg text") > 50, seen(browser, "svg text"))
    browser.devtools("Emulation.setScriptExecutionDisabled", value=False)
