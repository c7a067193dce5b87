"""A stranger's folder or zip: nothing is read outside it, and both read the same."""

import io
import os
import pathlib
import stat
import sys
import zipfile

import pytest

from chromolib.data import store


def zipped(path, entries, **kinds):
    """A zip of name -> bytes; ZipInfo may stand for a name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **kinds) as bundle:
        for name, blob in entries.items():
            bundle.writestr(name, blob)
    return path


def reasons(found):
    return {problem.file: problem.reason for problem in found.problems}


def test_a_folder_and_its_zip_hold_the_same(tmp_path):
    files = {"a/1.png": b"one", "a/b/2.png": b"two", "c.csv": b"three"}
    for name, blob in files.items():
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blob)
    inside = {f"set/{name}": blob for name, blob in files.items()}
    archive = zipped(tmp_path / "packed.zip", inside)
    folder, packed = store.open_at(tmp_path / "set"), store.open_at(archive)
    assert folder.names == packed.names == tuple(sorted(files))
    assert all(folder.read(n) == packed.read(n) == files[n] for n in files)
    assert folder.problems == packed.problems == ()


def test_the_zip_is_found_by_the_folders_name(tmp_path):
    zipped(tmp_path / "set.zip", {"a.png": b"x"})
    assert store.find(tmp_path, "set").name == "set.zip"
    (tmp_path / "set").mkdir()
    assert store.find(tmp_path, "set").name == "set"
    assert store.find(tmp_path, "other") is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../out.png", "leads out"),
        ("a/../../out.png", "leads out"),
        ("/etc/passwd", "leads out"),
        ("C:/Windows/x.png", "leads out"),
        ("..\\out.png", "leads out"),
        ("a\\b.png", "not a plain relative path"),
        ("a//b.png", "not a plain relative path"),
        ("a/\x1b[31mred.png", "control characters"),
        ("inner.zip", "archive inside"),
        ("inner.tar.gz", "archive inside"),
    ],
)
def test_names_that_climb_or_hide_are_left_out(tmp_path, name, reason):
    archive = zipped(tmp_path / "set.zip", {name: b"x", "good.png": b"y"})
    found = store.open_at(archive)
    assert found.names == ("good.png",)
    (only,) = found.problems
    assert reason in only.reason
    assert only.level == "error"
    assert only.file.isprintable()


def test_links_in_a_zip_and_encrypted_entries_are_left_out(tmp_path):
    link, locked = zipfile.ZipInfo("link.png"), zipfile.ZipInfo("locked.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = zipped(
        tmp_path / "set.zip", {link: b"/etc/passwd", locked: b"x", "good.png": b"y"}
    )
    raw = archive.read_bytes()
    at = raw.rindex(b"PK\x01\x02", 0, raw.rindex(b"locked.png"))
    flagged = raw[: at + 8] + bytes([raw[at + 8] | 1]) + raw[at + 9 :]
    archive.write_bytes(flagged)
    found = store.open_at(archive)
    assert found.names == ("good.png",)
    assert reasons(found) == {
        "link.png": "a link inside an archive",
        "locked.png": "an encrypted entry",
    }


def test_an_entry_that_unpacks_to_a_thousand_times_its_size_is_left_out(tmp_path):
    archive = zipped(tmp_path / "set.zip", {"bomb.bmp": bytes(50 << 20)})
    found = store.open_at(archive)
    assert found.names == ()
    assert "unpacks to more than" in found.problems[0].reason


def test_two_entries_of_one_name_are_an_error(tmp_path):
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("a.png", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            bundle.writestr("a.png", b"2")
    assert reasons(store.open_at(archive)) == {"a.png": "two entries of one name"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_out_of_a_folder_are_left_out_and_links_within_are_read(tmp_path):
    outside = tmp_path / "secret.png"
    outside.write_bytes(b"secret")
    root = tmp_path / "set"
    (root / "deep").mkdir(parents=True)
    (root / "good.png").write_bytes(b"good")
    (root / "within.png").symlink_to("good.png")
    (root / "out.png").symlink_to(outside)
    (root / "absent.png").symlink_to("nothing")
    (root / "loop.png").symlink_to("loop.png")
    (root / "up").symlink_to(tmp_path)
    (root / "deep" / "round").symlink_to(root)
    found = store.open_at(root)
    assert found.names == ("good.png", "within.png")
    assert found.read("within.png") == b"good"
    assert reasons(found) == {
        "out.png": "a link that leads out of the source",
        "up": "a link that leads out of the source",
        "absent.png": "a link to nothing",
        "loop.png": "a link to nothing",
        "deep/round": "a linked folder",
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are a thing of Unix")
def test_a_pipe_is_left_out_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert reasons(store.open_at(tmp_path)) == {"pipe.png": "not a regular file"}


@pytest.mark.skipif(sys.platform != "linux", reason="only here are names any bytes")
def test_a_name_that_is_not_utf8_is_left_out_and_shown_readably(tmp_path):
    pathlib.Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9.png")).write_bytes(b"x")
    (only,) = store.open_at(tmp_path).problems
    assert only.reason == "name is not valid UTF-8"
    assert only.file == "\\udce9.png"


def test_a_damaged_zip_and_a_missing_folder_say_so(tmp_path):
    (tmp_path / "set.zip").write_bytes(b"PK\x03\x04 no zip at all")
    with pytest.raises(store.StoreError, match=r"set\.zip cannot be opened"):
        store.open_at(tmp_path / "set.zip")
    with pytest.raises(store.StoreError, match="no folder or zip 'none'") as caught:
        store.open_at(tmp_path / "none")
    assert str(tmp_path) not in str(caught.value)


def test_a_damaged_entry_is_named_when_it_is_read(tmp_path):
    archive = zipped(tmp_path / "set.zip", {"a.bmp": bytes(range(256)) * 40})
    raw = bytearray(archive.read_bytes())
    raw[40:60] = bytes(20)
    archive.write_bytes(raw)
    with pytest.raises(store.StoreError, match=r"a\.bmp"):
        store.open_at(archive).read("a.bmp")


def test_a_size_that_lies_low_unpacks_no_more_than_it_said(tmp_path):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("a.bmp", bytes(30 << 20))
    lied = raw.getvalue().replace((30 << 20).to_bytes(4, "little"), bytes([9, 0, 0, 0]))
    (tmp_path / "set.zip").write_bytes(lied)
    found = store.open_at(tmp_path / "set.zip")
    with pytest.raises(store.StoreError):
        found.read("a.bmp")


def test_what_operating_systems_leave_behind_is_no_part_of_a_source(tmp_path):
    archive = zipped(
        tmp_path / "set.zip",
        {"set/a.png": b"1", "__MACOSX/set/._a.png": b"2", "set/.DS_Store": b"3"},
    )
    found = store.open_at(archive)
    assert found.names == ("a.png",)
    assert not found.problems
