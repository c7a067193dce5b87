"""What the lab teaches and what gives it away: tables of the exam's estimates.

`ways` -> accuracy by way and k, to draw; `exam`, `judges`, `rounds` -> frames to show
`worth` -> one sentence: how many real cells teach as much as synthetic ones alone
"""

import pandas as pd

TRAITS = 5  # shown of those that tell real from synthetic
WAY = {
    "synthetic": "synthetic only",
    "ideogram": "synthetic only, bands not fitted",
    "real": "real only",
    "both": "synthetic, then real",
    "gained": "gained by synthetic",
}


def ways(rows):
    """Accuracy of each way of learning, named in the column `way`.

    Of the lab whose bands were not fitted, only what synthetic cells alone teach.
    """
    rows = rows[rows["quantity"].str.startswith("accuracy")]
    way = rows["taught"].where(rows["quantity"] == "accuracy", "gained")
    alone = way == "synthetic"
    rows = rows.assign(way=way.mask(alone & ~rows["fitted"], "ideogram"))
    return rows[rows["fitted"] | alone].reset_index(drop=True)


def exam(rows):
    """A row a number of real cells, a column a way of learning."""
    wide = rows.assign(cell=[_mark(row) for row in rows.itertuples()])
    wide = wide.pivot_table(index="k", columns="way", values="cell", aggfunc="first")
    wide = wide.fillna("")
    wide = wide[[way for way in WAY if way in wide]].rename(columns=WAY)
    return wide.rename_axis("real cells").rename_axis(columns=None).reset_index()


def _mark(row):
    seeds = ""
    if isinstance(getattr(row, "lowest", None), str):
        seeds = f"\nseeds {float(row.lowest):.3f} to {float(row.highest):.3f}"
    return _interval(row) + seeds


def worth(rows):
    """How many real cells teach as much as synthetic ones alone, in words."""
    alone = rows[rows["way"] == "synthetic"]
    real = rows[rows["way"] == "real"].set_index("k").sort_index()["value"]
    if alone.empty or real.empty:
        return ""
    mark = alone.iloc[0]
    share = f"{mark['value']:.3f} [{mark['low']:.3f}, {mark['high']:.3f}]"
    words = f"Synthetic cells alone teach it to name {share} of the chromosomes right; "
    as_good = real.index[real >= mark["value"]]
    if as_good.empty:
        return words + f"{real.index.max()} real cells alone teach less."
    fewer = real.index[real.index < as_good[0]]
    if fewer.empty:
        return words + f"as few real cells as {as_good[0]} alone teach as much."
    return words + (
        f"real cells alone catch up between {fewer.max()} and {as_good[0]} cells."
    )


def judges(rows):
    """How well each judge tells real from synthetic; of the traits, the best few."""
    area = rows[rows["quantity"] == "AUC"].set_index("model")
    rows = rows[rows["quantity"] == "told apart"]
    is_trait = rows["model"].isin(area.index)
    traits = rows[is_trait].sort_values("value", ascending=False, kind="stable")
    shown = pd.concat([rows[~is_trait], traits.head(TRAITS)])
    areas = {row.Index: _interval(row) for row in area.itertuples()}
    return pd.DataFrame(
        {
            "judged by": shown["model"],
            "told apart": [_cell(row) for row in shown.itertuples()],
            "AUC": shown["model"].map(areas).fillna(""),
        }
    )


def rounds(rows):
    """A row a round of mending, in the order they were made; a column a judge."""
    judges = list(dict.fromkeys(rows["model"]))
    rows = rows.assign(
        commit=rows["commit"].fillna("").str[:7],
        cell=[_cell(row) for row in rows.itertuples()],
    )
    keys = ["source", "round", "what", "part", "commit"]
    wide = rows.pivot_table(
        index=keys, columns="model", values="cell", aggfunc="first", sort=False
    )
    wide = wide.fillna("").reset_index().rename_axis(columns=None)
    wide = wide[["source", "round", "what", *judges, "part", "commit"]]
    return wide.rename(columns={"what": "what was mended"})


def _cell(row):
    return f"{_interval(row)}\nn {row.n:,}, {row.groups:,} groups"


def _interval(row):
    return f"{row.value:.3f}\n{row.low:.3f} to {row.high:.3f}"
