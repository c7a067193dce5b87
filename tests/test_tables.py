import pandas as pd

from chromolib import records, tables


def estimate(**words):
    plain = {"study": "chromonet", "quantity": "NLL", "n": 1234, "groups": 9}
    plain |= {"value": 0.5, "low": 0.4, "high": 0.6, "source": "synthetic"}
    plain |= {"protocol": "clean", "model": "ChromoNet", "profile": "full", "seed": 0}
    plain |= {"conditions": {"unit": "chromosome", "labels": "true"}}
    return records.Estimate(**plain | words)


def test_what_all_rows_share_is_said_once_and_nothing_is_lost():
    cooled = estimate(
        conditions={"unit": "chromosome", "labels": "true", "cooled": ""},
        weights="domain",
    )
    table = tables.estimates([estimate(), cooled], "Confidence")
    assert table.caption == "Confidence: clean, unit chromosome, labels true"
    assert list(table.frame["conditions"]) == ["", "cooled"]
    assert list(table.frame["source"]) == ["synthetic", "synthetic, weights domain"]
    alone = tables.estimates([estimate()], "Confidence")
    assert alone.caption == "Confidence: clean, unit chromosome, labels true, synthetic"
    assert list(alone.frame) == ["quantity", "value", "95 % interval", "n", "groups"]
    assert alone.frame["n"].item() == "1,234"


def test_a_table_without_rows_is_a_sentence():
    for table in (
        tables.estimates([], "Pointing <1>"),
        tables.show(pd.DataFrame({"claim": []}), "Pointing <1>"),
    ):
        assert table._repr_html_() == "<p>Pointing &lt;1&gt;: none.</p>"
    sentence = "No map was drawn."
    empty = tables.estimates([], "Pointing", empty=sentence)
    assert empty._repr_html_() == f"<p>{sentence}</p>"
    assert repr(empty) == sentence


def test_a_cell_shows_its_first_line_large_and_its_column_on_a_phone():
    frame = pd.DataFrame({"a <b>": ["1 < 2\nsmall", 0.123456]})
    text = tables.show(frame, "Numbers")._repr_html_()
    assert 'data-label="a &lt;b&gt;">1 &lt; 2<br><small>small</small></td>' in text
    assert ">0.123</td>" in text


def test_an_address_is_a_link():
    shown = tables.show(pd.DataFrame({"where": ["https://a.org/b?c&d"]}), "Works")
    link = '<a href="https://a.org/b?c&amp;d">a.org/b?c&amp;d</a>'
    assert link in shown._repr_html_()


def test_estimates_of_several_models_say_whose_they_are():
    def one(model):
        words = {"study": "s", "source": "drawn", "protocol": "clean", "model": model}
        return records.Estimate(
            quantity="accuracy", value=0.5, low=0.4, high=0.6, n=9, groups=3, **words
        )

    alone = tables.estimates([one("net"), one("net")], "Scores")
    assert "model" not in alone.frame
    both = tables.estimates([one("net"), one("by hand")], "Scores")
    assert both.frame["model"].tolist() == ["net", "by hand"]
