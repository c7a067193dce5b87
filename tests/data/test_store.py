"""A stranger's folder or zip: nothing is read outside it, and both read the same."""

import io
import os
import pathlib
import stat
import struct
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
    archive = zipped(tmp_path / "set.zip", inside)
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


def test_half_files_of_a_mac_and_utf8_without_its_flag_read_as_in_a_folder(tmp_path):
    for name in ("é/a.png", "é/._a.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    archive = zipped(tmp_path / "set.zip", {"set/é/a.png": b"x", "set/é/._a.png": b""})
    raw = bytearray(archive.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        at = -1
        while (at := raw.find(mark, at + 1)) >= 0:
            raw[at + flags] &= ~8
    archive.write_bytes(raw)
    folder, packed = store.open_at(tmp_path / "set"), store.open_at(archive)
    assert folder.names == packed.names == ("é/a.png",)
    assert packed.read("é/a.png") == b"x"


def test_a_single_folder_taken_for_the_source_is_said(tmp_path):
    archive = zipped(tmp_path / "set.zip", {"normal/1/a.png": b"x"})
    found = store.open_at(archive)
    assert found.names == ("1/a.png",)
    assert [(p.level, p.file) for p in found.problems] == [("repaired", "normal/")]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_unpack_without_bound_are_left_out(tmp_path, method):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", method) as bundle:
        bundle.writestr("a.bmp", b"x" * 9000)
    assert reasons(store.open_at(path)) == {"a.bmp": "a compression other than deflate"}


def test_entries_that_share_their_bytes_unpack_to_too_much(tmp_path):
    path = zipped(tmp_path / "set.zip", {f"{i:02}.bmp": bytes(1 << 20) for i in (1,)})
    raw = path.read_bytes()
    start = raw.index(b"PK\x01\x02")
    entry, end = raw[start : raw.index(b"PK\x05\x06")], raw[raw.index(b"PK\x05\x06") :]
    every = b"".join(entry.replace(b"01.bmp", b"%02d.bmp" % i) for i in range(50))
    count = struct.pack("<HHI", 50, 50, len(every))
    path.write_bytes(raw[:start] + every + end[:8] + count + end[16:])
    with pytest.raises(store.StoreError, match="more than 200 times its size"):
        store.open_at(path)


@pytest.mark.parametrize("name", [b"\xff\xff.png", b""])
def test_an_archive_with_impossible_names_is_no_archive(tmp_path, name):
    path = zipped(tmp_path / "set.zip", {"é.png": b"x"})
    raw = path.read_bytes()
    at = raw.index(b"PK\x01\x02")
    entry = bytearray(raw[at : at + 46])
    entry[28:30] = struct.pack("<H", len(name))
    path.write_bytes(raw[:at] + entry + name + raw[at + 46 + len("é.png".encode()) :])
    with pytest.raises(store.StoreError, match=r"set\.zip cannot be opened"):
        store.open_at(path)


def test_names_that_end_early_or_never_are_left_out(tmp_path):
    long = "a" * 60_000 + ".png"
    path = zipped(tmp_path / "set.zip", {"aXb.png": b"x", long: b"y"})
    path.write_bytes(path.read_bytes().replace(b"aXb", b"a\0b"))
    found = store.open_at(path)
    assert found.names == ()
    assert {p.reason for p in found.problems} == {
        "name has control characters",
        "name longer than 500 characters",
    }
    assert max(len(p.file) for p in found.problems) < 1000


@pytest.fixture
def bottomless(tmp_path):
    """A folder with 1,100 folders in one another; no tool of Python removes these."""
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=here)
        above, here = here, os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(above)
    os.close(os.open("b.png", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    yield tmp_path
    while (top := tmp_path / "d").exists():
        top.rename(tmp_path / "e")
        if (tmp_path / "e" / "d").exists():
            (tmp_path / "e" / "d").rename(top)
        (tmp_path / "e" / "b.png").unlink(missing_ok=True)
        (tmp_path / "e").rmdir()


@pytest.mark.skipif(sys.platform == "win32", reason="no such folders there")
def test_folders_without_end_do_no_harm(bottomless):
    (bottomless / "a.png").write_bytes(b"x")
    found = store.open_at(bottomless)
    assert found.names == ("a.png",)
    assert [p.reason for p in found.problems] == ["name longer than 500 characters"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_to_a_name_that_no_system_takes_is_left_out(tmp_path):
    (tmp_path / "link.png").symlink_to("a" * 300)
    assert reasons(store.open_at(tmp_path)) == {"link.png": "file cannot be looked at"}


def test_a_path_that_no_system_takes_is_not_there(tmp_path):
    assert store.find(tmp_path, "a" * 5000) is None
    assert not store.exists(tmp_path / ("a" * 5000))
    with pytest.raises(store.StoreError, match="cannot be opened"):
        store.open_at(tmp_path / ("a" * 300))


def test_the_folder_we_are_in_has_a_name_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert store.open_at(".").title == tmp_path.name
