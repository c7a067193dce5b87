import pytest

from chromolib import records

GOOD = {
    "study": "toy",
    "quantity": "recall",
    "value": 0.9,
    "low": 0.8,
    "high": 0.95,
    "n": 20,
    "groups": 5,
    "source": "synthetic",
    "protocol": "clean",
}


def test_an_estimate_shows_its_interval():
    assert str(records.Estimate(**GOOD)) == "0.9 [0.8, 0.95]"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"value": 0.7}, "outside its own interval"),
        ({"high": float("nan")}, "outside its own interval"),
        ({"groups": 21}, "at most n"),
        ({"groups": 0}, "at least one"),
        ({"source": ""}, "names its source"),
    ],
)
def test_an_estimate_refuses_nonsense(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        records.Estimate(**GOOD | change)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.95683, "0.957"),
        (0.999957, "0.999957"),
        (1803.0, "1,803"),
        (0.0, "0"),
        (12.7, "12.7"),
        (7.1e-8, "7.1e-08"),
        (1472.4, "1,472"),
        ("word", "word"),
        (None, ""),
        (1.0, "1"),
    ],
)
def test_digits(value, text):
    assert records.digits(value) == text
