import pytest

from chromolib.runs import identity

VALUES = {"profile": "smoke", "seed": 0, "data": "", "out": ""}


@pytest.fixture
def repo(toy):
    made = toy("x = 1")
    (made / "chromolib").unlink()
    (made / "chromolib").mkdir()
    return made


def test_the_same_run_has_the_same_identity(repo):
    assert identity.of(repo, "toy", VALUES) == identity.of(repo, "toy", dict(VALUES))


def test_no_path_changes_it(repo, tmp_path):
    moved = VALUES | {"data": str(tmp_path), "out": "elsewhere"}
    assert identity.of(repo, "toy", moved) == identity.of(repo, "toy", VALUES)


@pytest.mark.parametrize(
    "name", ["chromolib/new.py", "requirements.lock", "data/claims/toy.yml"]
)
def test_sources_lock_and_data_change_it(repo, name):
    before = identity.of(repo, "toy", VALUES)
    (repo / name).write_text("x = 2\n")
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
    (repo / "data" / "models").mkdir(parents=True, exist_ok=True)
    before = of("domain")
    (repo / "data" / "models" / "trunk-chromosome.weights.npz").write_bytes(b"new")
    assert of("domain") != before
