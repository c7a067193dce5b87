"""Keras, started once and quietly."""

import contextlib
import functools
import logging
import os
import platform


@functools.cache
def start():
    """Import Keras without the greeting its backend prints; return its name and device.

    TensorFlow writes two lines to file descriptor 2 whatever its log level, and a
    notebook would keep them; they come at the import and at the first operation. Where
    it is not the backend, Keras loads it to seed it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silent_stderr():
        import keras

        from chromolib.models import train

        keras.ops.add(keras.ops.zeros(1), 1)
        keras.utils.set_random_seed(0)
        devices = keras.distribution.list_devices()
    keras.config.set_dtype_policy(train.precision())
    # TensorFlow warns of several small networks in one kernel; its own import sets the
    # level, so this comes after it
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return {"backend": keras.backend.backend(), "device": _describe(devices)}


def seed(value, *, exact=False):
    """Seed every generator of this process, so that training gives the same bits again.

    On the CPU the seeds are enough; a GPU adds up in any order unless `exact`, which
    takes longer. JAX has no such switch beyond XLA_FLAGS.
    """
    import keras

    keras.utils.set_random_seed(value)
    if exact and keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_op_determinism()


def _describe(devices):
    from chromolib.models import train

    kinds = [device for device in devices if not device.startswith("cpu")]
    kinds = kinds or [f"{os.cpu_count()} CPU cores", platform.machine()]
    half = train.precision(large=True).name
    return ", ".join(kinds + ([half] if half != "float32" else []))


@contextlib.contextmanager
def _silent_stderr():
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)
