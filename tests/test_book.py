"""The book as a reader gets it: whole, offline, usable on a phone and in the dark."""

import ast
import re
from urllib import parse

import bs4
import pytest

from chromolib import studies

STUDIES = ["studies/chromonet", "studies/hamza", "studies/chu", "studies/shruti"]
PAGES = [
    "intro",
    "runs",
    "field",
    "tutorial",
    "methods",
    "data",
    "own-data",
    "sweeps",
    "glossary",
    "references",
]
EVERY = [*PAGES, "claims", *STUDIES]
EVERY += ["studies/sources", "studies/synthetic", "studies/inspector"]


@pytest.fixture(params=EVERY)
def page(request, site):
    return site / f"{request.param}.html"


@pytest.fixture
def tree(page):
    return bs4.BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def target(page, link):
    """The file and the fragment a link of a page leads to."""
    path, _, fragment = link.partition("#")
    return (page.parent / parse.unquote(path)).resolve() if path else page, fragment


def test_no_link_to_anywhere_else_is_loaded(tree):
    """What a browser fetches by itself; a reader may still follow links elsewhere."""
    loaded = [tag["src"] for tag in tree.select("script[src], img[src]")]
    loaded += [tag["href"] for tag in tree.select("link[href]:not([rel=canonical])")]
    assert not [url for url in loaded if re.match(r"(https?:)?//", url)]


def test_links_resolve(page, tree):
    for link in [tag["href"] for tag in tree.select("a[href]")]:
        if re.match(r"[a-z]+:|//", link):
            continue
        path, fragment = target(page, link)
        assert path.exists(), link
        if fragment and path.suffix == ".html":
            text = path.read_text(encoding="utf-8")
            assert f'id="{parse.unquote(fragment)}"' in text, link


def test_every_picture_says_what_it_shows(tree):
    pictures = tree.select("main img")
    assert all(len(picture.get("alt", "")) > 20 for picture in pictures)


def test_no_error_output_in_a_page(tree):
    assert not tree.select(".traceback")
    assert "Traceback (most recent call last)" not in tree.get_text()


def test_every_claim_can_be_linked_to(root, site):
    from chromolib.evidence import claims

    text = (site / "claims.html").read_text(encoding="utf-8")
    for study in studies.STUDIES:
        for claim in claims.load(root / "data" / "claims", study):
            assert f'id="{claim.id}"' in text


def test_the_recipe_of_a_figure_runs(root, outcomes, monkeypatch):
    text = (root / "book" / "tutorial.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```python\n(.*?)```", text, re.S)
    monkeypatch.chdir(root)
    *lines, last = ast.parse(recipe).body
    names = {}
    exec(compile(ast.Module(lines, []), "recipe", "exec"), names)  # noqa: S102
    figure = eval(ast.unparse(last), names)  # noqa: S307
    assert "Source: " in figure.caption
    assert {estimate.protocol for estimate in names["chosen"]} == {"published", "clean"}


@pytest.fixture
def opened(browser):
    """Open a page and collect all that it asks for and complains of."""
    contexts = []

    def go(url, *, width=1280, scheme="light"):
        size = {"width": width, "height": 900}
        contexts.append(browser.new_context(viewport=size, color_scheme=scheme))
        tab, seen = contexts[-1].new_page(), []
        local = ("file:", "data:", "blob:")
        tab.on("request", lambda r: r.url.startswith(local) or seen.append(r.url))
        tab.on("requestfailed", lambda r: seen.append(f"failed {r.url}"))
        tab.on("pageerror", lambda error: seen.append(f"error {error}"))
        tab.on("console", lambda m: m.type == "error" and seen.append(m.text))
        tab.goto(url, wait_until="load")
        return tab, seen

    yield go
    for context in contexts:
        context.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", EVERY)
def test_a_page_asks_nobody_and_complains_of_nothing(site, opened, name):
    tab, seen = opened((site / f"{name}.html").as_uri())
    tab.wait_for_timeout(500)
    assert seen == []


@pytest.mark.browser
@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_need_not_scroll_sideways(site, opened, name, scheme):
    tab, _ = opened((site / f"{name}.html").as_uri(), width=390, scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(site, opened, scheme):
    tab, _ = opened((site / "studies/chu.html").as_uri(), scheme=scheme)
    tab.wait_for_selector(".widget-html-content dd", state="attached")
    texts = ("main p", "table.cards td", "table.cards small", "figcaption")
    for selector in (*texts, ".widget-html-content dd", ".widget-dropdown select"):
        assert contrast(tab, selector) >= 4.5, selector


def contrast(tab, selector):
    """WCAG contrast of the first such element against what lies under it."""
    script = """selector => {
        const light = colour => {
            const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(v => {
                v /= 255;
                return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const first = document.querySelector(selector);
        const ink = light(getComputedStyle(first).color);
        let under = first;
        const ground = e => getComputedStyle(e).backgroundColor;
        while (under.parentElement && /, 0\\)$|transparent/.test(ground(under)))
            under = under.parentElement;
        const paper = light(ground(under));
        return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    }"""
    return tab.evaluate(script, selector)


@pytest.mark.browser
def test_maths_is_set(site, opened):
    tab, _ = opened((site / "methods.html").as_uri())
    tab.wait_for_selector("mjx-container svg")


@pytest.mark.browser
def test_search_finds_a_claim(site, opened):
    tab, seen = opened((site / "search.html").as_uri() + "?q=batch+normalisation")
    tab.wait_for_selector("#search-results li")
    assert "Claims" in tab.inner_text("#search-results")
    assert seen == []


@pytest.mark.browser
def test_the_claim_browser_works_without_a_kernel(site, opened):
    tab, seen = opened((site / "studies/chromonet.html").as_uri())
    select = tab.wait_for_selector(".widget-dropdown select")
    shown = ".widget-html-content:visible"
    before = tab.inner_text(shown)
    select.select_option(index=3)
    chosen = select.evaluate("s => s.options[s.selectedIndex].text")
    after = tab.inner_text(shown)
    assert before != after
    assert chosen.replace("\xa0", " ").split(": ")[0] in after
    assert seen == []


@pytest.mark.browser
@pytest.mark.parametrize("name", [*STUDIES, "studies/inspector"])
def test_images_can_be_inspected_without_a_kernel(site, opened, name):
    tab, seen = opened((site / f"{name}.html").as_uri())
    view = tab.locator(".inspect").first
    view.locator(".grid .tile img[src]").first.wait_for()
    tiles = view.locator(".grid .tile")
    tiles.nth(min(2, tiles.count() - 1)).click()
    chosen = view.locator(".grid [aria-selected=true]")
    row = chosen.get_attribute("data-row")
    large = view.locator(".large .stage img").first
    large.wait_for()
    assert len(large.get_attribute("alt")) > 20
    before = view.locator(".large dd").first.inner_text()
    chosen.press("ArrowLeft")
    assert view.locator(".grid [aria-selected=true]").get_attribute("data-row") != row
    tab.wait_for_function(
        "was => document.querySelector('.inspect .large dd').innerText !== was",
        arg=before,
    )
    assert seen == []
