"""Classical models on manual features: what a network has to be better than.

`MODELS` name -> function of a seed, giving a pipeline that has not learned yet
`train(name, features, labels, seed=...)` -> the pipeline, fitted
`predict(model, features)` -> (n, 2) probability of normal and of abnormal

`features` are what `features.table` makes. Settings are fixed and not tuned, so that no
held-out picture ever chose one. Classes are not weighted: a model says what is as
frequent as it was in training. One process each, so that the seed decides everything.
"""

import warnings

import numpy as np
import pandas as pd
from scipy import special
from sklearn import (
    decomposition,
    dummy,
    ensemble,
    exceptions,
    linear_model,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)

CLASSES = ("normal", "abnormal")
AREA = "size.area"
KEPT = 0.9  # of the variance, where distances or weights drown in hundreds of columns
NEAREST = 15  # odd, so that no vote is even; enough for a share, few enough to be near
LEAF = 5  # pictures in a leaf at least: a chance is a share of some, not of one
TREES = 200  # more change the answer less than another seed does
HIDDEN, DECAY, EPOCHS = 64, 0.1, 200  # some thousand weights need holding back


class ClassicalError(ValueError):
    """Features or labels that a classical model cannot be trained or asked on."""


class Margin(svm.SVC):
    """A support vector machine whose chance is the logistic of its margin.

    It ranks as the margin does, and 0.5 is where the margin changes sign. It is not
    calibrated: that would take pictures of other groups, which training does not see.
    """

    def predict_proba(self, x):
        """(n, 2) chance of either label."""
        chance = special.expit(self.decision_function(x))
        return np.stack([1 - chance, chance], 1)


def _scaled(*steps):
    """Columns of mean 0 and spread 1 first: their units would decide otherwise."""
    return pipeline.make_pipeline(preprocessing.StandardScaler(), *steps)


def _fewer(seed):
    """The directions that most of the variance lies in."""
    return decomposition.PCA(KEPT, svd_solver="full", random_state=seed)


def _svm(seed):
    """The library's C and width of the kernel; they fit columns of spread 1."""
    return _scaled(Margin(C=1.0, gamma="scale", random_state=seed))


def _nearest(seed):
    return _scaled(_fewer(seed), neighbors.KNeighborsClassifier(NEAREST, n_jobs=1))


def _tree(seed):
    grown = tree.DecisionTreeClassifier(min_samples_leaf=LEAF, random_state=seed)
    return pipeline.make_pipeline(grown)


def _forest(seed):
    return pipeline.make_pipeline(
        ensemble.RandomForestClassifier(
            TREES, min_samples_leaf=LEAF, random_state=seed, n_jobs=1
        )
    )


def _mlp(seed):
    """No early stopping: what it would hold out has other copies of the same source."""
    net = neural_network.MLPClassifier(
        (HIDDEN,), alpha=DECAY, max_iter=EPOCHS, early_stopping=False, random_state=seed
    )
    return _scaled(_fewer(seed), net)


def _ink_area(seed):
    """A control: how large the chromosome is, and nothing else about it."""
    alone = preprocessing.FunctionTransformer(_area)
    rest = _scaled(linear_model.LogisticRegression(random_state=seed))
    return pipeline.make_pipeline(alone, *(step for _, step in rest.steps))


def _area(features):
    if AREA not in features:
        raise ClassicalError(f"no column {AREA}; keep it in the features")
    return features[[AREA]]


def _majority(seed):
    """A control: how frequent the labels were, whatever the picture."""
    always = dummy.DummyClassifier(strategy="prior", random_state=seed)
    return pipeline.make_pipeline(always)


MODELS = {
    "SVM": _svm,
    "k-NN": _nearest,
    "decision tree": _tree,
    "random forest": _forest,
    "MLP": _mlp,
    "ink area": _ink_area,
    "majority": _majority,
}


def train(name, features, labels, *, seed):
    """The named model, fitted to the rows of a table of features and their labels."""
    if name not in MODELS:
        raise ClassicalError(f"unknown model {name!r}; known: {', '.join(MODELS)}")
    features, labels = _paired(_checked(features), np.asarray(labels))
    with warnings.catch_warnings():  # the epochs of the MLP are what it may cost
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        return MODELS[name](seed).fit(features, labels)


def _paired(features, labels):
    if len(labels) != len(features):
        raise ClassicalError(
            f"{len(features)} rows of features, {len(labels)} labels; give one each"
        )
    found = np.unique(labels).tolist()
    if len(found) != 2:
        raise ClassicalError(
            f"training has the labels {found}; give images of both labels, and no other"
        )
    if len(labels) < NEAREST:
        raise ClassicalError(
            f"{len(labels)} images to train on; give at least {NEAREST}"
        )
    if (features == features.iloc[0]).all(axis=None):
        raise ClassicalError("all images are alike; give some that differ")
    return features, labels


def predict(model, features, *, classes=CLASSES):
    """(n, len(classes)) probability of each label, in the order asked for."""
    said = model.predict_proba(_checked(features))
    known = model.classes_.tolist()
    if set(known) != set(classes):
        raise ClassicalError(f"the model knows {known}, not {[*classes]}; name those")
    return said[:, [known.index(name) for name in classes]]


def _checked(features):
    if not isinstance(features, pd.DataFrame):
        raise ClassicalError("features have no names; give the table of features.table")
    lost = ~np.isfinite(features.to_numpy(np.float64)).all(0)
    if lost.any():
        names = ", ".join(features.columns[lost][:3])
        raise ClassicalError(
            f"{lost.sum()} columns hold NaN or infinity, first {names}; "
            "leave out these columns or their rows"
        )
    return features
