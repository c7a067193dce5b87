"""The inspector: what it shows is what the data say, in a page that asks nobody."""

import csv
import io
import json
import re

import numpy as np
import pytest
from sklearn import metrics

from chromolib import records, widgets
from chromolib.data import pixels
from chromolib.detect import scores
from chromolib.widgets import reviewing, subject

CLASSES = records.CLASSES
CELLS, OF = 5, 46  # cells of the drawn set, and their chromosomes


def bars(count, size=(24, 12)):
    """Grey pictures that tell their number: the darker the later."""
    ink = np.linspace(0.1, 0.9, count)[:, None, None] * np.ones(size)
    return [np.round(255 * (1 - one)).astype(np.uint8) for one in ink]


def cells(count=CELLS, *, mistaken=0.1, seed=0, names=None, labels=None):
    """An ImageSet of whole cells, and Predictions of it with some mistakes."""
    rng = np.random.default_rng(seed)
    truth = np.tile([*CLASSES[:22], *CLASSES[:22], "X", "Y"], count)
    truth = truth if labels is None else np.asarray(labels)
    label = truth.copy()
    wrong = rng.random(len(truth)) < mistaken
    label[wrong] = rng.choice(CLASSES, wrong.sum())
    share = rng.uniform(0.5, 1, len(truth))
    chance = np.repeat((1 - share)[:, None] / 23, 24, 1)
    chance[np.arange(len(truth)), [CLASSES.index(name) for name in label]] = share
    group = np.repeat([f"cell {i}" for i in range(-(-len(truth) // OF))], OF)
    group = group[: len(truth)]
    name = np.array(names or [f"{i:05d}" for i in range(len(truth))])
    images = records.ImageSet(
        "synthetic", name, truth, group, "cell", pixels.pack(bars(len(truth)))
    )
    said = records.Predictions(
        image=name,
        group=group,
        truth=truth,
        probability=chance,
        assigned=truth,
        source="synthetic",
        model="small net",
    )
    return images, said


def single(pictures, *, boxes=None):
    """An ImageSet of one picture, which nobody has labelled."""
    one = np.array(["field"])
    how = {"unit": "cell", "pixels": pixels.pack(pictures), "boxes": boxes}
    return records.ImageSet("synthetic", one, np.array([""]), one, **how)


def view(**how):
    images, said = cells()
    return widgets.inspect(said, images, real=False, **how)


def test_a_page_holds_whole_cells_and_mistakes_and_stays_light():
    made = view()
    columns, told = made.paged.state["columns"], made.paged.state["title"]
    sizes = np.bincount(columns["cell"])
    assert sorted(sizes)[-2:] == [OF, OF]
    wrong = np.array(columns["truth"]) != np.array(columns["label"])
    everywhere = np.array(made.state["columns"]["truth"])
    everywhere = everywhere != np.array(made.state["columns"]["label"])
    assert wrong.mean() > everywhere.mean()
    assert re.match(r"\d+ of 230 images of synthetic: the 2 cells", told)
    assert len(made.page()) < 1_500_000


def test_what_a_page_may_ask_was_asked_ahead():
    paged = view().paged
    rows = range(len(paged.state["columns"]["name"]))
    assert {("picture", row) for row in rows} < set(paged.ahead)
    for row in rows:
        detail = paged.answer("detail", row)
        assert set(paged.answer("near", row)) <= set(rows)
        assert all(("examples", name) in paged.ahead for name in detail["between"])


def test_columns_say_what_the_predictions_say():
    images, said = cells()
    state = widgets.inspect(said, images, real=False).state
    columns, classes = state["columns"], state["classes"]
    assert [classes[k] for k in columns["truth"]] == said.truth.tolist()
    assert [classes[k] for k in columns["label"]] == said.label.tolist()
    assert columns["sure"] == pytest.approx(said.probability.max(1), abs=1e-4)
    assert [state["groups"][k] for k in columns["group"]] == said.group.tolist()


def test_predictions_in_another_order_find_their_images():
    images, said = cells()
    turned = said.take(np.arange(len(said))[::-1])
    answer = widgets.inspect(turned, images, real=False).answer
    first, last = (one["url"] for one in answer("thumbs", [0, len(said) - 1]))
    made = widgets.inspect(said, images, real=False).answer(
        "thumbs", [0, len(said) - 1]
    )
    assert (last, first) == tuple(one["url"] for one in made)


def test_neighbours_are_the_most_alike():
    rng = np.random.default_rng(0)
    ink = rng.random((20, 24, 12)).repeat(3, 0)  # each three times, but for noise
    ink = np.clip(ink + rng.normal(0, 0.05, ink.shape), 0, 1)
    near = widgets.inspect(None, ink, real=False).answer("near", 31)
    assert len(near) == subject.NEAR
    assert set(near[:2]) == {30, 32}


def test_each_score_step_has_the_fates_of_its_boxes():
    truth = records.Boxes([[0, 0, 10, 10], [20, 0, 30, 10]], ["1", "2"])
    found = records.Boxes(
        [[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]],
        ["1", "3", "4"],
        [0.9, 0.5, 0.3],
    )
    images = single(bars(1, (60, 60)), boxes=(truth,))
    told = widgets.inspect(None, images, found=[found], real=False).answer("detail", 0)
    for least, codes in zip(subject.STEPS, told["told"], strict=True):
        kept = found.take(found.score >= least)
        right, wrong, missed = map(len, scores.fates(truth, kept))
        assert [codes.count(sign) for sign in "rwm"] == [right, wrong, missed]


@pytest.mark.parametrize(
    ("ask", "complaint"),
    [
        (lambda i, p: widgets.inspect(p, None, real=False), "no images to inspect"),
        (lambda i, p: widgets.inspect(None, i.take([]), real=False), "empty choice"),
        (lambda i, p: widgets.inspect(p, i.take([0, 1]), real=False), "has no image"),
        (
            lambda i, p: widgets.inspect(p, i, facts={"batch": ["a"]}, real=False),
            "1 batch of 230 images",
        ),
        (
            lambda i, p: widgets.inspect(p, i, other=p.take([0]), real=False),
            "1 other of 230",
        ),
        (lambda i, p: widgets.inspect(p, i, real=True), "no real chromosome is shown"),
    ],
)
def test_what_does_not_belong_together_is_refused(ask, complaint):
    with pytest.raises(ValueError, match=complaint):
        ask(*cells())


def test_one_image_of_one_pixel_and_a_large_one_are_shown():
    for size in ((1, 1), (4000, 4000)):
        images = single([np.full(size, 200, np.uint8)])
        made = widgets.inspect(None, images, real=False)
        picture = made.answer("picture", 0)
        assert (picture["height"], picture["width"]) == size
        assert len(picture["url"]) < 400_000
        assert made.answer("near", 0) == []


def test_thousands_of_classes_are_listed():
    labels = [f"kind {i}" for i in range(3000)]
    images = records.ImageSet(
        "synthetic",
        np.array(labels),
        np.array(labels),
        np.array(labels),
        "image",
        pixels.pack(bars(3000, (4, 4))),
    )
    made = widgets.inspect(None, images, real=False)
    assert len(made.state["classes"]) == 3000
    assert "places" not in made.state


def test_an_image_that_is_gone_is_said_and_the_others_are_shown():
    def read(name):
        if name == "b":
            raise FileNotFoundError("b.png is gone; put it back")
        return np.full((8, 8), 90, np.uint8)

    name = np.array(["a", "b", "c"])
    stored = pixels.OnDemand(read, name, np.full((3, 2), 8))
    images = records.ImageSet("synthetic", name, name, name, "image", stored)
    made = widgets.inspect(None, images, real=False)
    found = made.answer("thumbs", [0, 1, 2])
    assert [list(one) for one in found] == [["url"], ["error"], ["url"]]
    assert "b.png is gone" in found[1]["error"]
    assert "b" not in made.paged.state["columns"]["name"]


def test_texts_of_the_data_end_no_script():
    names = ["</script><img src=x onerror=alert(1)>", *map(str, range(45))]
    images, said = cells(1, names=names)
    page = widgets.inspect(said, images, real=False).page()
    assert "<img src=x" not in page
    assert page.count("</script>") == 1


# marks


def test_marks_are_kept_and_read_again(tmp_path):
    path = tmp_path / "reviews" / "marks.csv"
    images, said = cells()
    answer = widgets.inspect(said, images, marks=path, real=False).answer
    told = {"reviewer": "A", "mark": "wrong", "comment": '=1+1, "a"\nb'}
    answer("mark", [{"image": said.image[3], **told}])
    answer("mark", [{"image": said.image[4], "reviewer": "A", "mark": "agree"}])
    answer("mark", [{"image": said.image[4], "reviewer": "A", "mark": ""}])
    again = widgets.inspect(said, images, marks=path, real=False).state["marks"]
    own = {"mark": "wrong", "comment": told["comment"]}
    assert again == {"A": {said.image[3]: own}}
    assert "\n'=1+1" in path.read_text() or "\"'=1+1" in path.read_text()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("image,reviewer,mark\nelsewhere,A,agree\n", "'elsewhere' is not in this set"),
        ("image,mark\n00001,agree\n", "has no column reviewer"),
        ("image,reviewer,mark\n00001,A,perhaps\n", "'perhaps' is none of agree"),
        ("", "has no column image"),
    ],
)
def test_marks_that_do_not_fit_are_refused(tmp_path, text, complaint):
    path = tmp_path / "marks.csv"
    path.write_text(text)
    with pytest.raises(reviewing.ReviewError, match=complaint):
        view(marks=path)
    assert path.read_text() == text


def test_marks_without_a_file_are_not_silently_lost():
    with pytest.raises(reviewing.ReviewError, match=r"give marks='marks.csv'"):
        view().answer("mark", [{"image": "00001", "reviewer": "A", "mark": "agree"}])


def pairs(rng, n=60):
    words = np.array(reviewing.WORDS)
    first = rng.choice(words, n)
    second = np.where(rng.random(n) < 0.6, first, rng.choice(words, n))
    return first, second


def test_agreement_is_cohens_kappa_with_an_interval(tmp_path):
    rng = np.random.default_rng(1)
    first, second = pairs(rng)
    rows = [
        {"image": str(i), "reviewer": who, "mark": words[i]}
        for who, words in (("A", first), ("B", second))
        for i in range(len(words))
    ]
    reviewing.keep(tmp_path / "m.csv", rows, [str(i) for i in range(len(first))])
    marks = reviewing.read(tmp_path / "m.csv")
    value, low, high, n = reviewing.agreement(marks, "A", "B", rng=rng)
    assert value == pytest.approx(metrics.cohen_kappa_score(first, second))
    assert low < value < high
    assert n == len(first)
    with pytest.raises(reviewing.ReviewError, match="no mark is of reviewer 'C'"):
        reviewing.agreement(marks, "A", "C", rng=rng)


# in a browser, from a file, without a kernel

HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
    'content="width=device-width"></head><body>'
)


@pytest.fixture
def opened(browser, tmp_path):
    """Open the page of a view; gives the tab and all that went wrong or left it."""
    contexts = []

    def go(made, *, width=1280, scripts=True):
        (tmp_path / "page.html").write_text(HEAD + made.page(), encoding="utf-8")
        size = {"width": width, "height": 900}
        how = {
            "viewport": size,
            "accept_downloads": True,
            "java_script_enabled": scripts,
        }
        contexts.append(browser.new_context(**how))
        tab, seen = contexts[-1].new_page(), []
        tab.on("pageerror", lambda error: seen.append(str(error)))
        tab.on("console", lambda m: m.type == "error" and seen.append(m.text))
        local = ("file:", "data:", "blob:")
        tab.on("request", lambda r: r.url.startswith(local) or seen.append(r.url))
        tab.goto((tmp_path / "page.html").as_uri())
        return tab, seen

    yield go
    for context in contexts:
        context.close()


def shown(tab):
    """The rows that the list shows, in its order."""
    tab.wait_for_function(
        "[...document.querySelectorAll('.grid .tile img')].every(i => i.src)"
    )
    return tab.eval_on_selector_all(
        ".grid .tile", "all => all.map(a => +a.dataset.row)"
    )


@pytest.mark.browser
def test_filters_leave_what_the_data_say(opened):
    made = view(facts={"batch": [str(i % 3) for i in range(CELLS * OF)]})
    columns = made.paged.state["columns"]
    truth, label = np.array(columns["truth"]), np.array(columns["label"])
    tab, seen = opened(made)
    tab.get_by_label("Right or wrong").select_option("wrong")
    assert shown(tab) == np.flatnonzero(truth != label)[:40].tolist()
    tab.get_by_label("Order", exact=True).select_option("surest mistakes first")
    sure = np.array(columns["sure"])
    wrong = np.flatnonzero(truth != label)
    assert shown(tab) == wrong[np.argsort(-sure[wrong], kind="stable")][:40].tolist()
    tab.get_by_label("Right or wrong").select_option("")
    tab.get_by_label("Order", exact=True).select_option("as they are")
    tab.get_by_label("Class", exact=True).select_option(label="7")
    seven = np.flatnonzero(truth == CLASSES.index("7"))
    assert shown(tab) == seven.tolist()
    code = np.array(made.paged.state["facts"]["batch"]["code"])
    tab.get_by_label("batch", exact=True).select_option(label="1")
    assert shown(tab) == [row for row in seven if code[row] == 1]
    tab.get_by_label("Search").fill("no such name")
    tab.wait_for_selector("text=widen the filter")
    assert shown(tab) == []
    assert seen == []


@pytest.mark.browser
def test_the_keyboard_walks_through_the_images(opened):
    made = view()
    names = made.paged.state["columns"]["name"]
    tab, seen = opened(made)
    first = shown(tab)[0]
    tab.focus(f".grid [data-row='{first}']")
    chosen = ".large dd >> nth=0"
    for key, row in [("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)]:
        tab.keyboard.press(key)
        tab.wait_for_function(
            "name => document.querySelector('.large dd')?.textContent === name",
            arg=names[row],
        )
    assert tab.evaluate("document.activeElement.dataset.row") == "1"
    tab.keyboard.press("End")  # another page of the list
    tab.wait_for_function(
        "name => document.querySelector('.large dd')?.textContent === name",
        arg=names[-1],
    )
    assert tab.inner_text(chosen) == names[-1]
    tab.keyboard.press("w")
    tab.wait_for_selector("button:has-text('wrong')[aria-pressed=true]")
    assert seen == []


@pytest.mark.browser
def test_an_image_is_large_with_its_probabilities_and_rivals(opened):
    made = view(saliency=lambda rows: np.ones((len(rows), 24, 12)))
    tab, seen = opened(made)
    row = shown(tab)[3]
    tab.click(f".grid [data-row='{row}']")
    detail = made.paged.answer("detail", row)
    tab.wait_for_selector(f".large th:has-text('{detail['probability'][0][0]}')")
    table = tab.eval_on_selector_all(
        ".large tr",
        "rows => rows.map(r => [r.cells[0].innerText, +r.cells[1].innerText])",
    )
    assert [name for name, _ in table] == [name for name, _ in detail["probability"]]
    assert table[0][1] == pytest.approx(detail["probability"][0][1], abs=0.006)
    tab.wait_for_selector(".typical svg[role=img]")
    assert tab.locator(".typical").count() == 2
    tab.wait_for_selector(".near .tile")
    assert tab.locator(".near .tile").count() == len(made.paged.answer("near", row))
    before = tab.locator(".stage").bounding_box()["width"]
    tab.get_by_label("Larger").click()
    assert tab.locator(".stage").bounding_box()["width"] == pytest.approx(
        2 * before, 0.01
    )
    assert not tab.is_visible(".stage .map")
    tab.get_by_label("where it looks").check()
    assert tab.is_visible(".stage .map")
    assert seen == []


@pytest.mark.browser
def test_a_cell_stands_as_its_karyogram_with_its_errors(opened):
    made = view()
    columns = made.paged.state["columns"]
    tab, seen = opened(made)
    row = shown(tab)[0]
    members = [
        k for k, cell in enumerate(columns["cell"]) if cell == columns["cell"][row]
    ]
    wrong = sum(columns["truth"][k] != columns["label"][k] for k in members)
    tab.get_by_label("arranged by").select_option("label")
    said = tab.inner_text(".cell p")
    assert f"{OF} chromosomes, {wrong} in a wrong place" in said
    assert tab.locator(".cell .tile").count() == OF
    assert tab.locator(".cell .tile.error").count() == wrong
    tab.get_by_label("arranged by").select_option("truth")
    assert tab.locator(".cell .tile.error").count() == 0
    for place in tab.locator(".cell .place").all()[:3]:
        label = place.locator("b").inner_text()
        rows = [int(t.get_attribute("data-row")) for t in place.locator(".tile").all()]
        assert [CLASSES[columns["truth"][k]] for k in rows] == [label] * len(rows)
    other = tab.locator(".cell .tile").nth(5)
    other.click()
    name = columns["name"][int(other.get_attribute("data-row"))]
    tab.wait_for_function(
        "name => document.querySelector('.large dd')?.textContent === name", arg=name
    )
    assert seen == []


@pytest.mark.browser
def test_two_models_are_compared_where_they_differ(opened):
    images, said = cells()
    _, other = cells(seed=1)
    made = widgets.inspect(said, images, other=other, real=False)
    state = made.paged.state
    differ = np.array(state["columns"]["label"]) != np.array(state["other"]["label"])
    tab, seen = opened(made)
    tab.get_by_label("Two models").select_option("differ")
    assert shown(tab) == np.flatnonzero(differ)[:40].tolist()
    assert " | " in tab.inner_text(".grid .tile >> nth=0")
    assert seen == []


@pytest.mark.browser
def test_found_boxes_follow_the_score(opened):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 80, (12, 2))
    truth = records.Boxes(np.hstack([corner, corner + 15]), CLASSES[:12])
    found = records.Boxes(truth.xyxy + 1, truth.label, rng.uniform(0.1, 1, 12))
    images = single(bars(1, (96, 96)), boxes=(truth,))
    tab, seen = opened(widgets.inspect(None, images, found=[found], real=False))
    slider = tab.get_by_label("Score from")
    slider.wait_for()
    for k in (0, 9, 18):
        slider.fill(str(k))
        kept = found.take(found.score >= subject.STEPS[k])
        right, wrong, missed = map(len, scores.fates(truth, kept))
        count = {"right": right, "wrong": wrong, "missed": missed}
        for kind, number in count.items():
            assert tab.locator(f".stage rect.{kind}").count() == number
            assert tab.locator(f".boxes button.{kind}").count() == number
    tab.locator(".boxes button").first.focus()
    assert tab.locator("rect.lit").count() == 1
    assert seen == []


def test_an_outline_stands_for_its_box():
    line = np.stack([np.cos(np.arange(99) / 99 * 6), np.sin(np.arange(99) / 99 * 6)], 1)
    box = records.Boxes([[0, 0, 30, 30]], ["1"], polygon=(15 + 14 * line,))
    images = single(bars(1, (60, 60)))
    made = widgets.inspect(None, images, boxes=[box], found=[box], real=False)
    (found,) = made.answer("detail", 0)["found"]
    assert 20 < len(found["outline"]) <= 2 * subject.POINTS
    assert found["outline"][:2] == [29, 15]


@pytest.mark.browser
def test_marks_outlive_the_page_and_travel_as_csv(opened, tmp_path):
    made = view()
    tab, seen = opened(made)
    row = shown(tab)[0]
    image = made.paged.state["columns"]["name"][row]
    tab.click(f".grid [data-row='{row}']")
    comment = '=HYPERLINK("x"), <b>bold</b>'
    tab.get_by_label("Comment").fill(comment)
    tab.get_by_label("Comment").press("Enter")
    tab.click(".marks button:has-text('unsure')")
    tab.reload()
    tab.wait_for_selector("text=reviewer 1: 1 marked")
    with tab.expect_download() as file:
        tab.click("button:has-text('Save marks')")
    text = file.value.path().read_text(encoding="utf-8")
    (kept,) = csv.DictReader(io.StringIO(text))
    assert (kept["image"], kept["mark"], kept["reviewer"]) == (
        image,
        "unsure",
        "reviewer 1",
    )
    assert kept["comment"] == "'" + comment
    assert not tab.query_selector("b:has-text('bold')")
    (tmp_path / "kept.csv").write_text(text)
    (read,) = reviewing.read(tmp_path / "kept.csv").to_dict("records")
    assert read["comment"] == comment
    assert seen == []


@pytest.mark.browser
def test_a_second_reviewers_marks_give_kappa_and_strange_ones_are_refused(
    opened, tmp_path
):
    made = view()
    names = made.paged.state["columns"]["name"]
    rng = np.random.default_rng(2)
    first, second = pairs(rng, 50)
    for who, words in (("A", first), ("B", second)):
        rows = [
            {"image": name, "reviewer": who, "mark": word}
            for name, word in zip(names, words, strict=False)
        ]
        reviewing.keep(tmp_path / f"{who}.csv", rows, names)
    tab, seen = opened(made)
    tab.get_by_label("Reviewer").fill("A")
    tab.get_by_label("Reviewer").press("Enter")
    for who in "AB":
        tab.get_by_label("Take marks from").set_input_files(tmp_path / f"{who}.csv")
    told = tab.wait_for_selector("text=agreement with B on 50 images").inner_text()
    kappa = float(re.search(r"kappa (-?[\d.]+)", told)[1])
    assert kappa == pytest.approx(metrics.cohen_kappa_score(first, second), abs=0.006)
    (tmp_path / "strange.csv").write_text("image,reviewer,mark\nelsewhere,A,agree\n")
    tab.get_by_label("Take marks from").set_input_files(tmp_path / "strange.csv")
    tab.wait_for_selector("text=“elsewhere” is not in this set")
    assert seen == []


@pytest.mark.browser
def test_names_of_images_are_no_markup(opened):
    names = ["<img src=x onerror=alert(1)>", *map(str, range(45))]
    images, said = cells(1, names=names)
    tab, seen = opened(widgets.inspect(said, images, real=False))
    shown(tab)
    assert tab.inner_text(".large dd >> nth=0") == names[0]
    assert not tab.query_selector("img[src=x]")
    assert seen == []


@pytest.mark.browser
def test_a_phone_need_not_scroll_sideways(opened):
    tab, _ = opened(view(), width=390)
    shown(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_without_scripts_there_is_a_figure(opened):
    tab, _ = opened(view(), scripts=False)
    figure = tab.locator("figure img")
    assert figure.is_visible()
    assert "Pictures:" in figure.get_attribute("alt")


def test_a_state_is_json():
    made = view()
    for one in (made, made.paged):
        assert json.loads(json.dumps(one.state)) == json.loads(json.dumps(one.state))
        json.dumps([one.answer(kind, about) for kind, about in made.paged.ahead[:4]])
