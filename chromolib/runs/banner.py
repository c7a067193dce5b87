"""What was actually run, said at the top of a page, whatever its prose expects."""

import html

SMALL = (
    "Every number of this run is of a small run, made to show how the study works. "
    "Where full results are kept with the book, they stand beside them and say so."
)


class Banner:
    """A note with profile, source, seed and protocol; words alone, no colour."""

    def __init__(self, name, values):
        words = [f"profile {values['profile']}"]
        words += [
            f"{key} {values[key]}"
            for key in ("source", "external", "protocol", "weights")
            if values.get(key)
        ]
        self.run = f"This page shows a run of {name}: {', '.join(words)}"
        self.run += f", seed {values['seed']}."
        self.warning = "" if values["profile"] == "full" else SMALL

    def __repr__(self):
        return f"{self.run} {self.warning}".strip()

    def _repr_html_(self):
        warning = f"<p>{html.escape(self.warning)}</p>" if self.warning else ""
        return (
            '<div role="note" aria-label="What was run" '
            'style="border: 1px solid currentColor; padding: 0 1em">'
            f"<p><strong>{html.escape(self.run)}</strong></p>{warning}</div>"
        )
