import pytest

from chromolib.runs import identity

VALUES = {"profile": "smoke", "seed": 0, "data": "", "out": ""}


@pytest.fixture
def repo(toy):
    made = toy("from chromolib import new")
    (made / "chromolib").unlink()
    for name in ("new", "deep", "deeper", "studies/toy", "studies/other", "widgets"):
        path = made / "chromolib" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (made / "chromolib" / "new.py").write_text("from chromolib import deep")
    (made / "chromolib" / "deep.py").write_text("def f():\n    import chromolib.deeper")
    return made


def test_the_same_run_has_the_same_identity(repo):
    assert identity.of(repo, "toy", VALUES) == identity.of(repo, "toy", dict(VALUES))


def test_no_path_changes_it(repo, tmp_path):
    moved = VALUES | {"data": str(tmp_path), "out": "elsewhere"}
    assert identity.of(repo, "toy", moved) == identity.of(repo, "toy", VALUES)


@pytest.mark.parametrize(
    "name",
    [
        "chromolib/new.py",
        "chromolib/deeper.py",
        "chromolib/studies/toy.py",
        "requirements.lock",
        "data/claims/toy.yml",
    ],
)
def test_what_is_imported_lock_and_data_change_it(repo, name):
    before = identity.of(repo, "toy", VALUES)
    (repo / name).write_text("x = 2\n")
    assert identity.of(repo, "toy", VALUES) != before


def test_a_script_beside_a_module_changes_it(repo):
    before = identity.of(repo, "toy", VALUES)
    (repo / "chromolib" / "new.js").write_text("let x;")
    assert identity.of(repo, "toy", VALUES) != before


def test_another_study_s_claims_do_not(repo):
    before = identity.of(repo, "toy", VALUES)
    (repo / "data/claims/chu.yml").write_text("[]\n")
    assert identity.of(repo, "toy", VALUES) == before


def test_cells_and_parameters_change_it(repo, toy):
    before = identity.of(repo, "toy", VALUES)
    assert identity.of(repo, "toy", VALUES | {"seed": 1}) != before
    toy("x = 2")
    assert identity.of(repo, "toy", VALUES) != before


@pytest.mark.parametrize(
    "name", ["chromolib/widgets.py", "chromolib/studies/other.py", "data/claims/b.yml"]
)
def test_what_the_study_does_not_import_does_not_change_it(repo, name):
    before = identity.of(repo, "toy", VALUES)
    (repo / name).write_text("x = 2\n")
    assert identity.of(repo, "toy", VALUES) == before


def test_what_an_edited_cell_imports_counts(repo):
    def of(cell):
        return identity.of(repo, "toy", VALUES, cells=[cell])

    before = of("from chromolib import widgets")
    (repo / "chromolib" / "widgets.py").write_text("x = 2\n")
    assert of("from chromolib import widgets") != before


def test_first_weights_change_it_by_what_they_hold_and_not_by_where_they_lie(
    repo, tmp_path
):
    def of(given):
        return identity.of(repo, "toy", VALUES | {"weights": str(given)})

    files = [tmp_path / part / "mine.weights.npz" for part in "ab"]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(b"one")
    assert of(files[0]) == of(files[1]) != of("none")
    files[1].write_bytes(b"two")
    assert of(files[0]) != of(files[1])
    same = [tmp_path / word / "weights" for word in "xy"]
    for folder in same:
        folder.mkdir(parents=True)
        (folder / "vgg16.npz").write_bytes(b"one")
    assert of(same[0]) == of(same[1])
    (same[1] / "vgg16.npz").write_bytes(b"two")
    assert of(same[0]) != of(same[1])
    (repo / "data" / "models").mkdir(parents=True, exist_ok=True)
    before = of("domain")
    (repo / "data" / "models" / "trunk-chromosome.weights.npz").write_bytes(b"new")
    assert of("domain") != before
