"""Uses the page of a run as people do."""

import re
import shlex

from checks import DOWN, ENTER, ESCAPE, RIGHT, TAB, check, clipboard, load, looks, quiet, seen, tip

EXPLAIN = "mailslot-sim run plant-alarm.toml --explain alarm:{}@{}"


def cell(browser, message, row):
    """A place in a cell of the map, in the window: cells may be less than two pixels wide."""
    return browser.script(
        """const map = document.querySelector("g.map[data-w]");
           map.ownerSVGElement.scrollIntoView({ block: "center" });
           const place = new DOMPoint(arguments[0], (arguments[1] + 0.5) * map.dataset.h).matrixTransform(map.getScreenCTM());
           return [Math.ceil(place.x + 0.05), place.y];""",
        message, row,
    )


def audience_map(browser):
    x, y = cell(browser, 13, 5)
    browser.point(x, y)
    found = tip(browser)
    wanted = ["alarm:13@STATION06", "lost_on_link", EXPLAIN.format(13, "STATION06")]
    check("a cell of the map shows message, recipient and fate", all(it in found for it in wanted), found)
    browser.point(x, y, click=True)
    check("a click copies the command that explains it", clipboard(browser) == wanted[2], clipboard(browser))
    x, y = cell(browser, 13, 4)
    browser.point(x, y)
    check("its neighbour was delivered", "delivered" in tip(browser) and "STATION05" in tip(browser), tip(browser))
    browser.point(2, 2)
    check("nothing is shown away from it", tip(browser) == "", tip(browser))
    x, y = cell(browser, 13, 4)
    browser.point(x, y)
    browser.script('document.querySelector("rect.cursor").focus();')
    label = browser.script('return document.activeElement.getAttribute("aria-label");')
    check("the keyboard goes on where the pointer was", label.startswith("alarm:13@STATION05, delivered"), label)
    browser.keys(RIGHT, DOWN)
    label = browser.script('return document.activeElement.getAttribute("aria-label");')
    wanted = "alarm:14@STATION06, lost_on_link, Enter copies the command"
    check("arrow keys go from cell to cell, which say what they are", label == wanted, label)
    check("and show it", label.split(", ")[0] in tip(browser), tip(browser))
    browser.keys(ENTER)
    check("Enter copies", clipboard(browser) == "mailslot-sim run plant-alarm.toml --explain " + label.split(", ")[0], clipboard(browser))
    browser.keys(ESCAPE)
    check("Escape hides", tip(browser) == "", tip(browser))


def arrow(browser, number):
    """Scrolls an arrow into view; where its line ends, in the window, and what it is."""
    return browser.script(
        """const arrow = [...document.querySelectorAll("g[data-i]:not([hidden])")][arguments[0]];
           const space = document.getElementById("space"), line = arrow.querySelector("line");
           space.scrollIntoView({ block: "center" });
           space.scrollTop = line.y1.baseVal.value - 200;
           const at = new DOMPoint(line.x2.baseVal.value - 4, line.y2.baseVal.value).matrixTransform(line.getScreenCTM());
           const hosts = [...document.querySelectorAll("svg.header text.host")].map((host) => host.textContent);
           const [message, from, to] = arrow.dataset.i.split("\\t");
           return [at.x, at.y, message, hosts[from], to && hosts[to], arrow.dataset.k];""",
        number,
    )


def diagram(browser):
    x, y, message, sender, host, fate = arrow(browser, 3)
    browser.point(x, y)
    found = tip(browser)
    wanted = [f"alarm:{message}, {sender} to {host}", f"left {sender} at ", "there at ", "read at ", fate, EXPLAIN.format(message, host)]
    check("an arrow says from where to where, when and its fate", all(it in found for it in wanted), found)
    browser.point(x, y, click=True)
    check("a click copies the command that explains it", clipboard(browser) == wanted[-1], clipboard(browser))
    arrows = seen(browser, "g[data-i]")
    choose = """const select = document.getElementById(arguments[0]);
                select.value = arguments[1];
                select.dispatchEvent(new Event("change"));"""
    browser.script(choose, "by-fate", "lost_on_link")
    lost = seen(browser, "g[data-i]")
    check("a filter leaves the arrows of a fate", 0 < lost < arrows / 5, (lost, arrows))
    x, y, message, sender, host, fate = arrow(browser, 0)
    browser.point(x, y)
    check("a lost one says where", "lost at " in tip(browser) and f"on floor/{host}/down" in tip(browser), tip(browser))
    check("each ends in a cross with its fate", browser.script(
        'return [...document.querySelectorAll("g[data-i]:not([hidden])")].every((it) => it.querySelector("use[href=\'#cross\']"));'))
    browser.script(choose, "by-fate", "")
    check("and lets all come back", seen(browser, "g[data-i]") == arrows, seen(browser, "g[data-i]"))


def zoom(browser):
    facts = """const space = document.getElementById("space"), svg = space.querySelector("svg.spacetime");
               const line = svg.querySelectorAll("g[data-i] line")[20];
               return [svg.height.baseVal.value, line.y2.baseVal.value - line.y1.baseVal.value, line.x2.baseVal.value, Number(space.dataset.zoom || 1)];"""
    before = browser.script(facts)
    browser.script('document.getElementById("closer").click();')
    after = browser.script(facts)
    check("+ makes what takes time twice as tall", abs(after[1] - 2 * before[1]) < 0.1, (before, after))
    check("but no gap and nothing wider", before[0] < after[0] < 2 * before[0] and after[2] == before[2], (before, after))
    middle = """const space = document.getElementById("space");
                space.scrollTop = 1000;
                const texts = [...space.querySelectorAll("text.time")];
                const at = (it) => it.getBoundingClientRect().top - space.getBoundingClientRect().top - space.clientHeight / 2;
                const nearest = texts.reduce((best, it) => Math.abs(at(it)) < Math.abs(at(best)) ? it : best);
                space.scrollTop += at(nearest);
                const was = at(nearest);
                document.getElementById(arguments[0]).click();
                return [was, at(nearest), nearest.textContent];"""
    was, is_, label = browser.script(middle, "closer")
    check("what is in the middle stays there", abs(was) < 1 and abs(is_) < 2, (label, was, is_))
    moments = browser.script(
        """const space = document.getElementById("space"), found = [];
           for (const top of [0, 200, 1000, 1e6]) {
             space.scrollTop = top;
             space.dispatchEvent(new Event("scroll"));
             found.push(space.querySelector("text.now").textContent);
           }
           return found;""")
    seconds = [re.fullmatch(r"↓ (\d+\.\d{6}) s", text) for text in moments]
    check("the moment at the top is told", all(seconds), moments)
    seconds = [float(found[1]) for found in seconds if found]
    check("and goes on with what is seen", seconds == sorted(set(seconds)) and 0 <= seconds[-1] <= 60, moments)
    browser.script('document.getElementById("space").focus();')
    browser.keys("-")
    browser.keys("-")
    check("the key - takes it back", browser.script(facts) == before, (before, browser.script(facts)))
    browser.keys("+")
    browser.keys("0")
    browser.script(
        """document.getElementById("space").dispatchEvent(new KeyboardEvent("keydown", { key: "+", ctrlKey: true, bubbles: true }));""")
    check("Ctrl and + are the browser's own", browser.script(facts) == before, (before, browser.script(facts)))
    check("and 0 too", browser.script(facts) == before, (before, browser.script(facts)))


def pan(browser):
    browser.script('const space = document.getElementById("space"); space.scrollIntoView({ block: "center" }); space.scrollTop = 300;')
    x, y = browser.script('const box = document.getElementById("space").getBoundingClientRect(); return [box.left + 60, box.top + 300];')
    browser.drag(x, y, x, y - 150)
    found = browser.script('return document.getElementById("space").scrollTop;')
    check("dragging moves what is seen", abs(found - 450) < 3, found)


    x, y, *_ = arrow(browser, 3)
    before = "nobody copied"
    browser.script("return navigator.clipboard.writeText(arguments[0]);", before)
    browser.drag(x, y, x, y - 100)
    check("dragging from an arrow copies nothing", clipboard(browser) == before, clipboard(browser))
    selected = browser.script("return getSelection().toString();")
    check("it selects no text", selected == "", selected)


def from_near(browser):
    """Arrows may be longer than the window."""
    for _ in range(6):
        browser.script('document.getElementById("closer").click();')
    outside = """const box = document.getElementById("tip").getBoundingClientRect();
                 return [box.left, box.top, innerWidth - box.right, innerHeight - box.bottom].filter((room) => room < 0);"""
    arrow(browser, 3)
    x, y = browser.script(
        """const line = [...document.querySelectorAll("g[data-i]:not([hidden])")][3].querySelector("line");
           const [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map((name) => line[name].baseVal.value);
           const part = Math.min(1, 60 / (y2 - y1));
           const at = new DOMPoint(x1 + (x2 - x1) * part, y1 + (y2 - y1) * part).matrixTransform(line.getScreenCTM());
           return [at.x, at.y];""")
    browser.point(x, y)
    check("from as near as can be an arrow is told in the window", tip(browser) and not browser.script(outside), browser.script(outside))
    browser.script('document.getElementById("space").focus();')
    browser.keys(TAB)
    check("for the keyboard too", tip(browser) and not browser.script(outside), (tip(browser), browser.script(outside)))
    browser.keys(ESCAPE)
    browser.script('document.getElementById("whole").click();')


def keyboard(browser):
    browser.script('document.getElementById("space").focus();')
    browser.keys(TAB)
    focused = 'return document.activeElement.getAttribute("aria-label") || "";'
    first = browser.script(focused)
    check("Tab comes to an arrow, which says what it is", first.startswith("alarm:0, CTRL to STATION"), first)
    browser.keys(DOWN)
    second = browser.script(focused)
    check("an arrow key goes to the next", second.startswith("alarm:0, CTRL to ") and second != first, second)
    browser.keys(ENTER)
    check("Enter copies the command", clipboard(browser).startswith("mailslot-sim run plant-alarm.toml --explain alarm:0@"), clipboard(browser))
    browser.keys(ESCAPE)


def use(browser, page, shots):
    load(browser, page)
    check("belief and truth are the headline", seen(browser, ".card .big") == 2, seen(browser, ".card .big"))
    audience_map(browser)
    diagram(browser)
    zoom(browser)
    pan(browser)
    from_near(browser)
    keyboard(browser)
    quiet(browser)
    looks(browser, shots, "run")


def use_hostile(browser, page, shots):
    """A page whose names are as bad as names can be."""
    load(browser, page)
    check("no name became an element", seen(browser, "b.evil, img, a") == 0, seen(browser, "b.evil, img, a"))
    check("nothing ran that is not ours", browser.script("return window.evil === undefined;"))
    x, y, message, _, host, fate = arrow(browser, 0)
    browser.point(x, y)
    found = tip(browser)
    check("an arrow says what it is", host in found and fate in found, found)
    browser.point(x, y, click=True)
    words = shlex.split(clipboard(browser))
    check("a shell takes what a click copies for what it is", words[-2:] == ["--explain", f"f:{message}@{host}"], words)
    quiet(browser)
    looks(browser, shots, "hostile")
