"""pyproject.toml, environment.yml and the locks mean the same."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging import requirements, utils, version


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())


def pinned(root, lock):
    """Package -> versions the lock allows, each with the marker under which it does."""
    text = (root / lock).read_text().replace("\\\n", " ")
    found = {}
    for line in re.findall(r"^[\w.-]+(?:\[[^]]*\])?==.*?(?= --hash|$)", text, re.M):
        need = requirements.Requirement(line.strip())
        (pin,) = need.specifier
        name = utils.canonicalize_name(need.name)
        found.setdefault(name, []).append(version.Version(pin.version))
    return found


def test_conda_asks_for_what_pyproject_asks_for(root, project):
    conda = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in conda if isinstance(entry, dict)]
    assert pip == [*project["project"]["dependencies"], "-e ."]


def test_conda_and_makefile_use_a_python_that_pyproject_allows(root, project):
    conda = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    allowed = requirements.Requirement(f"python{project['project']['requires-python']}")
    assert conda[0].removeprefix("python=") in allowed.specifier
    named = re.findall(r"python(3\.\d+)", (root / ".ci" / "python").read_text())
    assert {"3.11", "3.12"} <= set(named)
    assert all(v in allowed.specifier for v in named)


@pytest.mark.parametrize(
    ("lock", "extra"), [("requirements.lock", None), ("requirements-gpu.lock", "gpu")]
)
def test_a_lock_satisfies_every_dependency(root, project, lock, extra):
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    if extra:
        wanted += project["project"]["optional-dependencies"][extra]
    pins = pinned(root, lock)
    for need in map(requirements.Requirement, wanted):
        versions = pins[utils.canonicalize_name(need.name)]
        assert versions
        assert all(v in need.specifier for v in versions), need


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-gpu.lock"])
def test_a_lock_is_hashed_throughout_and_names_no_host(root, lock):
    text = (root / lock).read_text()
    assert "://" not in text
    entries = re.split(r"^(?=\w)", text, flags=re.M)[1:]
    assert len(entries) > 100
    assert all("--hash=sha256:" in entry for entry in entries)


def test_a_gpu_gets_the_whole_tensorflow_only(root):
    text = (root / "requirements-gpu.lock").read_text()
    assert re.search(r"^tensorflow-cpu==.*sys_platform == 'never'", text, re.M)


@pytest.mark.parametrize(("given", "read"), [(None, "1"), ("0", "0")])
def test_onednn_is_asked_for_unless_somebody_says_otherwise(root, given, read):
    name = "TF_ENABLE_ONEDNN_OPTS"
    others = {key: value for key, value in os.environ.items() if key != name}
    asked = f"import chromolib, os; print(os.environ['{name}'])"
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=root,
        env=others | ({name: given} if given else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == read
