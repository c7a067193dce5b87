"""The trunks that the papers name, and where weights for them can be had offline.

`trunk(name, shape, *, weights=, root=, end=)` -> network from grey ink to maps, and
what its weights are

# Strategy: nothing is downloaded while a study runs. Words of `weights` are "none",
"imagenet" (Keras' own cache), and those of archives under the data root. Two trunks
there began on ImageNet and were then tuned for something else: "hed" (VGG16, for edges
of photographs) and "moderation" (InceptionV3, 8 bit, to sort out pictures). Their last
layers are spoiled by that later life, so `end` can cut a trunk before them. "plain" is
a MobileNet as ImageNet left it, a quarter as wide as usual.
"""

import dataclasses
import functools
import hashlib
import io
import pathlib
import re
import tempfile
import typing
import zipfile
import zlib

import keras
import numpy as np

from chromolib import files
from chromolib.data import store
from chromolib.models import weights as origins

ARCHIVE = "weights-trunks"
CAFFE = (1.0, (-103.939, -116.779, -123.68))  # what VGG's weights expect of 0 … 255
SIGNED = (1 / 127.5, -1.0)
UNREADABLE = KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error


@dataclasses.dataclass(frozen=True)
class Kind:
    """One architecture of keras.applications."""

    build: typing.Callable
    expects: tuple  # scale and offset of levels from 0 to 255
    imagenet: str  # file in Keras' cache
    word: str = ""  # of weights in the archive
    file: str = ""
    tuned: str = ""  # for what, after ImageNet
    archive: str = ARCHIVE


KERAS = ".h5", ".keras"  # weights in Keras' own formats
END = "_weights_tf_dim_ordering_tf_kernels_notop.h5"
NARROW = "mobilenet_2_5_224_tf_no_top.h5"
MOBILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
KINDS = {
    "vgg16": Kind(
        keras.applications.VGG16,
        CAFFE,
        f"vgg16{END}",
        "hed",
        "vgg16-hed.npz",
        "edges of photographs",
    ),
    "vgg19": Kind(keras.applications.VGG19, CAFFE, f"vgg19{END}"),
    "inceptionv3": Kind(
        keras.applications.InceptionV3,
        SIGNED,
        f"inception_v3{END}",
        "moderation",
        "inceptionv3-moderation-uint8.npz",
        "the moderation of pictures",
    ),
    "mobilenet": Kind(
        functools.partial(keras.applications.MobileNet, alpha=0.25),
        SIGNED,
        NARROW,
        "plain",
        NARROW,
        archive="weights-small",
    ),
    "mobilenetv2": Kind(
        keras.applications.MobileNetV2, SIGNED, f"{MOBILE}_1.0_224_no_top.h5"
    ),
    "mobilenetv2small": Kind(
        functools.partial(keras.applications.MobileNetV2, alpha=0.35),
        SIGNED,
        f"{MOBILE}_0.35_224_no_top.h5",
    ),  # a third of the filters
    "resnet50": Kind(keras.applications.ResNet50, CAFFE, f"resnet50{END}"),
    "resnet101": Kind(keras.applications.ResNet101, CAFFE, f"resnet101{END}"),
}


def trunk(name, shape, *, weights="none", root="", end="", seed=0):
    """The trunk for grey images of this shape, frozen, and the Origin of its weights.

    Images are ink in [0, 1], as elsewhere here; what the weights expect is its first
    layers. `root` is the data root; `end` names the last layer that is kept.
    `weights` may be a folder, too, with a file whose name begins with the trunk's.
    """
    kind = KINDS[name]
    keras.utils.set_random_seed(seed)
    entry = keras.Input(shape)
    scale, offset = kind.expects
    three = keras.layers.Concatenate()([entry] * 3)
    grey = keras.layers.Rescaling(255 * scale, offset)(three)
    base = kind.build(include_top=False, weights=None, input_tensor=grey)
    last = base.get_layer(end).output if end else base.output
    model = keras.Model(entry, last, name=name)
    origin = _origin(kind, name, weights, root)
    if origin.word == "imagenet" or getattr(origin.file, "suffix", "") in KERAS:
        _read(base, origin.file)
    elif origin.file is not None:
        _load(base, kind, origin)
    model.trainable = False
    return model, origin


def _origin(kind, name, word, root):
    if pathlib.Path(word).is_dir():
        return _own(name, pathlib.Path(word))
    if word in ("none", "imagenet"):
        return origins.resolve(word, "", imagenet=kind.imagenet)
    if word != kind.word or not word:
        known = ", ".join(filter(None, ("none", "imagenet", kind.word)))
        raise origins.WeightsError(f"weights={word!r}: {name} has only: {known}")
    place = store.find(pathlib.Path(root), kind.archive) if root else None
    if place is None:
        raise origins.WeightsError(
            f"weights={word!r}: no folder or zip {kind.archive!r} under the data root; "
            "put it there, or take weights='none'"
        )
    sentence = "weights of ImageNet"
    if kind.tuned:
        sentence = f"weights that began on ImageNet and were tuned for {kind.tuned}"
    digest = hashlib.sha256(_packed(kind, place)).hexdigest()
    return origins.Origin(word, place, digest, f"{sentence} ({kind.file})")


def _own(name, folder):
    """The one file of a folder that is of this trunk."""
    found = [
        file
        for file in sorted(folder.iterdir())
        if file.suffix in (".npz", *KERAS)
        and file.name.lower().replace("_", "").startswith(name)
    ]
    if len(found) != 1:
        raise origins.WeightsError(
            f"weights: {len(found)} files in {folder.name} begin with {name!r} and end "
            f"with .npz, {' or '.join(KERAS)}; keep one"
        )
    (file,) = found
    sentence = f"weights of one's own ({file.name})"
    return origins.Origin(file.name, file, files.sha256(file), sentence)


def _read(base, file):
    """Give every layer its weights from a file of Keras' own."""
    try:
        if file.suffix == ".keras":
            base.set_weights(keras.saving.load_model(file).get_weights())
        else:
            base.load_weights(file)
    except (ValueError, OSError, KeyError, TypeError) as failure:
        raise _misfit(file.name, base, failure) from None


def _misfit(file, base, failure):
    return origins.WeightsError(
        f"{file} does not fit {base.name} ({type(failure).__name__}): it is damaged or "
        "of another network; get it again"
    )


def _packed(kind, place):
    opened = store.open_at(place)
    if kind.file not in opened.names:
        raise origins.WeightsError(
            f"{place.name} holds no {kind.file}; get it again, or take weights='none'"
        )
    return opened.read(kind.file)


def _load(base, kind, origin):
    """Weights out of the archive, or of one's own .npz."""
    own = origin.file.suffix == ".npz"
    file = origin.file.name if own else f"{kind.file} in {origin.file.name}"
    try:
        packed = origin.file.read_bytes() if own else _packed(kind, origin.file)
        if kind.file.endswith(KERAS) and not own:
            _unpacked(base, packed)
        else:
            _assign(base, _arrays(packed))
    except UNREADABLE as failure:
        raise _misfit(file, base, failure) from None


def _unpacked(base, packed):
    """Give every layer its weights from a file of Keras' own, which reads no memory."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / f"weights{KERAS[0]}"
        file.write_bytes(packed)
        base.load_weights(file)


def _arrays(packed):
    """Name of a weight -> its values in single precision."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
        stored = {name: archive[name] for name in archive.files}
    found = {}
    for name, values in stored.items():
        if name.endswith(".scale_min"):
            continue
        scale, least = stored.get(f"{name}.scale_min", (1.0, 0.0))
        found[name] = (values.astype(np.float64) * scale + least).astype(np.float32)
    return found


def _assign(base, arrays):
    """Give every layer its weights: by name, or by the order in which Keras made it."""
    numbered = {}
    for layer in base.layers:
        if layer.weights:
            kind = re.sub(r"_\d+$", "", layer.name)
            numbered.setdefault(kind, []).append(layer)
    for kind, layers in numbered.items():
        layers.sort(key=lambda one: [int(n) for n in re.findall(r"_(\d+)$", one.name)])
        for i, layer in enumerate(layers, 1):
            ordered = any(name.startswith(f"{kind}_1/") for name in arrays)
            name = f"{kind}_{i}" if ordered else layer.name
            for variable in layer.weights:
                variable.assign(arrays[f"{name}/{variable.name}"])
