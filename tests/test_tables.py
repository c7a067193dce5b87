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
    found = tables.estimates([estimate(), cooled], "Confidence")
    assert found.caption == "Confidence: clean, unit chromosome, labels true"
    assert list(found.frame["of"]) == ["", "cooled"]
    assert list(found.frame["source"]) == ["synthetic", "synthetic, weights domain"]
    alone = tables.estimates([estimate()], "Confidence")
    assert alone.caption == "Confidence: clean, unit chromosome, labels true, synthetic"
    assert list(alone.frame) == ["quantity", "value", "95 % interval", "n", "groups"]
    assert alone.frame["n"].item() == "1,234"


def test_nothing_to_show_is_an_empty_table():
    assert "<caption>Pointing" in tables.estimates([], "Pointing")._repr_html_()
