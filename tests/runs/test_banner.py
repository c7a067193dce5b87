from chromolib.runs import banner

VALUES = {"profile": "quick", "source": "synthetic", "external": "", "seed": 3}


def test_a_banner_says_what_was_run_in_words():
    told = repr(banner.Banner("toy", VALUES | {"protocol": "clean"}))
    assert "toy: profile quick, source synthetic, protocol clean, seed 3." in told


def test_a_small_run_says_so_and_a_full_one_does_not():
    assert "small run" in banner.Banner("toy", VALUES)._repr_html_()
    full = banner.Banner("toy", VALUES | {"profile": "full"})
    assert "small" not in full._repr_html_() + repr(full)


def test_no_value_writes_to_the_page():
    html = banner.Banner("toy", VALUES | {"weights": "<b>&mine"})._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;mine" in html
    assert 'role="note"' in html
