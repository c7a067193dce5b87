"""The two rules that the claims of Hamza needed."""

import pytest

from chromolib.evidence import recompute


def test_hours_of_a_small_run():
    # 10 passes over 36 images at 5 seconds each: 1,800 seconds
    assert recompute.hours(passes=10, images=36, seconds=5) == 0.5


def test_hours_do_not_care_whether_passes_or_images_double():
    assert recompute.hours(20, 36, 0.1) == pytest.approx(recompute.hours(10, 72, 0.1))


def test_reduction_of_a_row_of_the_thesis():
    # 22.4 of 10,000 without terminations, 15.8 with them
    assert recompute.reduction(before=22.4, after=15.8) == pytest.approx(6.6 / 22.4)


def test_reduction_is_nothing_when_nothing_falls_and_does_not_care_about_units():
    assert recompute.reduction(before=15.7, after=15.7) == 0
    assert recompute.reduction(157, 137) == pytest.approx(recompute.reduction(15.7, 13.7))
