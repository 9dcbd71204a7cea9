"""Uses the page of a study as people do."""

from checks import ENTER, ESCAPE, RIGHT, TAB, check, clipboard, load, looks, quiet, seen, tip

COMMAND = "mailslot-sim run grid.toml --seed 42 --point {} --replication 0"


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


def choose(browser, axis, label):
    browser.script(
        """const select = [...document.querySelectorAll("label")].find((it) => it.innerText.startsWith(arguments[0])).querySelector("select");
           select.value = [...select.options].find((it) => it.text === arguments[1]).value;
           select.dispatchEvent(new Event("change"));""",
        axis, label,
    )


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
    # Curves: three of delays, and two of loss periods, which a perfect link has not.
    check("a filter leaves rows, bars, the line and the curves of its value", found == [3, 3, 1, 5], found)
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


def use(browser, page, shots):
    load(browser, page)
    pointer(browser)
    keyboard(browser)
    filters(browser)
    table(browser)
    quiet(browser)
    looks(browser, shots, "study")
    check("paper has all rows", seen(browser, "tbody tr") == 5, seen(browser, "tbody tr"))
