"""What the lab teaches and what gives it away: tables for the book's page.

`ways` -> accuracy by way and k, to draw; `exam`, `told`, `rounds` -> frames to show
`worth` -> one sentence: how many real cells teach as much as synthetic ones alone
"""

import pandas as pd

MOST = 5  # traits shown of those that tell real from synthetic


def ways(results, source):
    """Accuracy of each way of learning: way, k, value, low, high, n, groups, part."""
    parts = []
    for fitted in (True, False):
        found = results.exam(source, fitted=fitted)
        if found is None:
            continue
        rows = found[found["quantity"].str.startswith("accuracy")].copy()
        rows["way"] = rows["taught"].where(rows["quantity"] == "accuracy", "gained")
        if not fitted:
            rows = rows[rows["way"] == "synthetic"].assign(way="ideogram")
        parts.append(rows)
    return pd.concat(parts, ignore_index=True) if parts else None


WAY = {
    "synthetic": "synthetic only",
    "ideogram": "synthetic only, bands not fitted",
    "real": "real only",
    "both": "synthetic, then real",
    "gained": "gained by synthetic",
}


def exam(rows):
    """A row a number of real cells, a column a way of learning."""
    cell = [_mark(row) for row in rows.itertuples()]
    wide = rows.assign(cell=cell).pivot_table(
        index="k", columns="way", values="cell", aggfunc="first"
    )
    wide = wide.reindex(columns=[way for way in WAY if way in wide.columns])
    wide = wide.sort_index().fillna("").rename(columns=WAY)
    return wide.rename_axis("real cells").reset_index()


def _mark(row):
    seeds = ""
    if isinstance(getattr(row, "lowest", None), str):
        seeds = f"\nseeds {float(row.lowest):.3f} to {float(row.highest):.3f}"
    return _interval(row.value, row.low, row.high) + seeds


def worth(rows):
    """How many real cells teach as much as synthetic ones alone, in words."""
    alone = rows[rows["way"] == "synthetic"]
    real = rows[rows["way"] == "real"].sort_values("k")
    if not len(alone) or not len(real):
        return ""
    mark = alone.iloc[0]
    caught = real[real["value"] >= mark["value"]]
    ends = f"{mark['value']:.3f} [{mark['low']:.3f}, {mark['high']:.3f}]"
    words = f"Synthetic cells alone teach it to name {ends} of the chromosomes right; "
    if not len(caught):
        return words + f"{real['k'].max()} real cells alone teach less."
    first = caught.iloc[0]["k"]
    before = real[real["k"] < first]["k"]
    if not len(before):
        return words + f"as few real cells as {first} alone teach as much."
    return (
        words + f"real cells alone catch up between {before.max()} and {first} cells."
    )


def told(found):
    """How well each judge tells real from synthetic; of the traits, the best few."""
    rows = found[found["quantity"] == "told apart"]
    area = found[found["quantity"] == "AUC"].set_index("model")
    traits = rows[rows["model"].isin(area.index)]
    traits = traits.sort_values("value", ascending=False, kind="stable").head(MOST)
    shown = pd.concat([rows[~rows["model"].isin(area.index)], traits])
    return pd.DataFrame(
        {
            "judged by": shown["model"],
            "told apart": [_cell(*one) for one in _columns(shown)],
            "AUC": [
                _interval(*area.loc[name, ["value", "low", "high"]])
                if name in area.index
                else ""
                for name in shown["model"]
            ],
        }
    )


def _columns(rows):
    return rows[["value", "low", "high", "n", "groups"]].to_numpy()


def rounds(found):
    """A row a round of mending, in the order they were made; a column a judge."""
    rows = found.assign(
        commit=found["commit"].fillna("").str[:7],
        cell=[_cell(*row) for row in _columns(found)],
    )
    keys = ["source", "round", "what", "part", "commit"]
    wide = rows.pivot_table(
        index=keys, columns="model", values="cell", aggfunc="first", sort=False
    )
    wide = wide.fillna("").reset_index().rename_axis(None, axis=1)
    judges = list(dict.fromkeys(found["model"]))
    return wide[[*keys[:3], *judges, *keys[3:]]].rename(
        columns={"what": "what was mended"}
    )


def _cell(value, low, high, n, groups):
    return f"{_interval(value, low, high)}\nn {n:,.0f}, {groups:,.0f} groups"


def _interval(value, low, high):
    return f"{value:.3f}\n{low:.3f} to {high:.3f}"
