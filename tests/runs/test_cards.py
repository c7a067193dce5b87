"""A study's card says what it is, how long it takes, and how its last run ended."""

import subprocess
import sys

from chromolib.runs import cards, repository


def test_studies_show_their_cards(root, outcomes):
    command = [sys.executable, "-m", "chromolib", "studies"]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True).stdout
    assert shown.count("Expected time: ") == len(outcomes)
    assert shown.count("Last run: ") == len(outcomes)
    for study in repository.studies(root):
        assert cards.card(root, study) in shown


def test_a_study_that_was_never_run_says_how_to(toy):
    assert cards.card(toy("x = 1"), "toy").endswith("none; chromolib run toy")
