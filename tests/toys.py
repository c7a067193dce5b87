"""The cells of a study that is no study: it begins, records a number, and closes."""

BEGIN = 'from chromolib import runs\n\nrun = runs.begin("toy", globals())'
# Most tests are not about Keras, and to start it takes most of a run's time.
LIGHT = f"""from chromolib.runs import backend

backend.start = lambda: {{"backend": "none", "device": "none"}}
backend.seed = lambda value, *, exact: None
{BEGIN}"""
RECORD = """from chromolib import records

run.record(records.Estimate(
    "toy", "share", 0.5, 0.4, 0.6, n=10, groups=5, source="synthetic",
    protocol="clean", seed=seed, conditions={"": "cmd"}))"""
CLOSE = "run.close()"
