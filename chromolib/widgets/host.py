"""One view, two hosts: JupyterLab, where a kernel answers, and a page without one.

`View(module, state, answer, still=, ahead=)` is the last value of a cell
"""

import itertools
import json
import pathlib

import anywidget
import traitlets

HERE = pathlib.Path(__file__).parent
TALLY = itertools.count(1)


class Widget(anywidget.AnyWidget):
    """What JupyterLab shows; what its module asks is answered here."""

    state = traitlets.Dict().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)  # anywidget knows it of classes only

    def __init__(self, answer, **settings):
        super().__init__(**settings)
        self._answer = answer
        self.on_msg(self._asked)

    def _asked(self, _, question, __):
        """Send the answer to a question, or why there is none."""
        try:
            said = {"answer": self._answer(question["kind"], question["about"])}
        except (KeyError, IndexError, OSError, ValueError) as error:
            said = {"error": str(error) or type(error).__name__}
        self.send({"id": question["id"]} | said)


class View:
    """What scripts of this folder draw from a state, and from answers they ask for.

    `answer(kind, about)` gives what json can say. A page cannot ask, so its questions,
    `ahead`, (kind, about) each, are answered when it is made; a reader whose browser
    runs no scripts sees `still`, HTML. `paged` is another View, smaller, for pages.
    """

    def __init__(self, modules, state, answer, *, still, ahead=(), paged=None):
        self.state, self.answer, self.still = state, answer, still
        self.ahead, self.paged = tuple(ahead), paged
        self.name = f"chromolib-{modules[-1]}"
        files = [HERE / name for name in ("host", *modules)]
        self.code, self.style = (
            "\n".join(
                file.with_suffix(suffix).read_text("utf-8")
                for file in files
                if file.with_suffix(suffix).exists()
            )
            for suffix in (".js", ".css")
        )

    def widget(self):
        """The view for a kernel."""
        settings = {"_esm": self.code, "_css": self.style, "state": self.state}
        # by this name anywidget keeps a style: one view's must not replace another's
        return Widget(self.answer, _anywidget_id=self.name, **settings)

    def page(self):
        """The view for a page: HTML that needs nobody."""
        if self.paged:
            return self.paged.page()
        answers = {
            f"{kind} {json.dumps(about, separators=(',', ':'))}": self.answer(
                kind, about
            )
            for kind, about in self.ahead
        }
        given = ", ".join(map(_script, (self.state, answers)))
        name = f"chromolib-view-{next(TALLY)}"
        return (
            f'<style>{self.style}</style><div id="{name}">{self.still}</div>'
            f'<script type="module">{self.code}\n'
            f'show(fromPage({given}), document.getElementById("{name}"));</script>'
        )

    def _repr_mimebundle_(self, **_):
        bundle = self.widget()._repr_mimebundle_()
        bundle = bundle[0] if isinstance(bundle, tuple) else bundle
        return bundle | {"text/html": self.page()}

    def __repr__(self):
        return f"View with {len(self.ahead)} answers given ahead"


def _script(value):
    """Json that ends no script, whatever its texts say."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028")
