"""What others report: whole rows, and ours beside them from committed files alone."""

from chromolib.book import field


def test_every_printed_number_has_its_work_its_images_and_where_it_stands(root):
    table = field.reported(root)
    assert set(table["task"]) == set(field.TASKS)
    for name in ("work", "images", "score", "printed", "where"):
        assert (table[name].str.strip() != "").all(), name
    assert table["where"].str.match(r"https://\S+$").all()
    assert table["printed"].str.fullmatch(r"\d+\.\d+ %|0\.\d+").all()
    assert not table.duplicated(["work", "images", "score"]).any()


def test_each_task_has_ours_on_unseen_groups_and_says_of_how_many(root, tmp_path):
    measured = field.ours(root)
    assert set(measured) == set(field.TASKS)
    for task, found in measured.items():
        assert found, task
        assert {one.protocol for one in found} == {"clean"}
        assert not any(one.source.startswith("synthetic") for one in found)
        assert all(one.low <= one.value <= one.high and one.n for one in found)
    field.written(root, tmp_path)
    text = (tmp_path / "field.md").read_text()
    table = field.reported(root)
    assert f"those of 1 of {len(table)} printed numbers" in text
    assert text.count("<table") == 2 * len(field.TASKS)
    assert table["printed"].iloc[0] in text
