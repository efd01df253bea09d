"""Zone files change in many ways, and each is noticed once: by events alone, and by looking alone."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import pytest
import watchfiles

from dnsemu.config import watching
from dnsemu.config.watching import Watcher

TIMEOUT = 10.0
NEVER = 600.0
Act = Callable[[Path], object]


class _Counted(Watcher):
    """Tells how often it has looked."""

    def __init__(self, *paths: Path, also: Callable[[], Collection[Path]] = tuple, poll: float = NEVER) -> None:
        super().__init__(paths, also, poll)
        self.looks = threading.Semaphore(0)

    def _signature(self) -> watching._Signature:
        found = super()._signature()
        self.looks.release()
        return found

    def forget(self) -> None:
        while self.looks.acquire(blocking=False):
            pass

    async def looked(self, times: int) -> None:
        for _ in range(times):
            assert await asyncio.to_thread(self.looks.acquire, timeout=TIMEOUT), "nobody looked"


@pytest.fixture(params=["events", "looking"])
def poll(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds: with events never, so that nothing but an event can be what was noticed."""
    monkeypatch.setattr(watching, "_STEP", 0.01)
    if request.param == "looking":
        monkeypatch.setattr(watchfiles, "watch", _can_not_watch)
        return 0.02
    try:
        next(watchfiles.watch(tmp_path, step=1, rust_timeout=1, yield_on_timeout=True))
    except (OSError, RuntimeError) as error:
        pytest.skip(f"no events of files are to be had: {error}")
    return NEVER


def _can_not_watch(*_: object, **__: object) -> None:
    raise OSError("OS file watch limit reached.")


async def _report(watcher: _Counted, *acts: Callable[[], object]) -> str:
    """What is reported after `acts`, all but the last of which must be noticed and not reported."""
    watcher.forget()
    before = await asyncio.to_thread(watcher.digest)
    watch = asyncio.create_task(watcher.changed(before))
    await watcher.looked(2)  # after the first, what there is was read; by the second, it is watched
    for act in acts[:-1]:
        act()
        await watcher.looked(1)
    assert not watch.done()
    acts[-1]()
    async with asyncio.timeout(TIMEOUT):
        after = await watch
        assert after != before
        while after != await asyncio.to_thread(watcher.digest):  # an act of many steps, on a busy machine
            after = await watcher.changed(after)
    return after


def _run(watcher: _Counted, *acts: Callable[[], object]) -> str:
    return asyncio.run(_report(watcher, *acts))


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    _write(tmp_path / "zones", "a.yaml", "b.yml", "sub/c.yaml", "scenarios/s.yaml", ".hidden.yaml", "notes.txt")
    _write(tmp_path / "elsewhere", "d.yaml", "e.yaml")
    (tmp_path / "zones" / "link.yaml").symlink_to("../elsewhere/d.yaml")
    (tmp_path / "zones" / "folder").symlink_to(tmp_path / "elsewhere")
    return tmp_path / "zones"


def _write(folder: Path, *names: str, text: str = "") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text or f"version: 1 # {name}\n")


def _replace(file: Path, text: str = "version: 2\n") -> None:
    new = file.with_name(f"{file.name}.tmp")
    new.write_text(text)
    new.replace(file)


def _save_again(file: Path) -> None:
    with file.open("r+") as stream:  # which is never empty, as it would be with "w"
        stream.write(file.read_text())


def _append(file: Path) -> None:
    with file.open("a") as stream:
        stream.write("# more\n")


def _save_as_vim_does(file: Path) -> None:
    swap, probe, backup = (file.with_name(name) for name in (f".{file.name}.swp", "4913", f"{file.name}~"))
    swap.write_text("b0VIM")
    probe.touch()
    probe.unlink()
    file.rename(backup)
    file.write_text("version: 2\n")
    backup.unlink()
    swap.unlink()


def _keep_size_and_time(file: Path) -> None:
    before, text = file.stat(), file.read_text()
    file.write_text(text.replace("1", "2"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace_in_time(file: Path) -> None:
    new = file.with_name("new")
    shutil.copy2(file, new)
    new.replace(file)


def _relink(link: Path, target: str) -> None:
    new = link.with_name(".new")
    new.symlink_to(target)
    new.replace(link)


def _replace_folder(folder: Path) -> None:
    _write(folder.with_name("next"), "a.yaml", text="version: 2\n")
    folder.rename(folder.with_name("last"))
    folder.with_name("next").rename(folder)


def _become_a_folder(file: Path) -> None:
    file.unlink()
    _write(file, "a.yaml")


def _fill_anew(folder: Path) -> None:
    shutil.rmtree(folder)
    _write(folder, "a.yaml", text="version: 2\n")


WAYS: list[tuple[str, Act]] = [
    ("written in place", lambda zones: (zones / "a.yaml").write_text("version: 2\n")),
    ("appended to", lambda zones: _append(zones / "sub/c.yaml")),
    ("emptied", lambda zones: os.truncate(zones / "a.yaml", 0)),
    ("saved by vim", lambda zones: _save_as_vim_does(zones / "a.yaml")),
    ("replaced", lambda zones: _replace(zones / "sub/c.yaml")),
    ("of the old size and time", lambda zones: _keep_size_and_time(zones / "a.yaml")),
    ("renamed", lambda zones: (zones / "a.yaml").rename(zones / "z.yaml")),
    ("renamed to no zone file", lambda zones: (zones / "a.yaml").rename(zones / "a.yaml.bak")),
    ("moved below", lambda zones: (zones / "a.yaml").rename(zones / "sub/a.yaml")),
    ("added", lambda zones: _write(zones, "new.yaml")),
    ("added in a new folder", lambda zones: _write(zones, "new/deep/new.yaml")),
    ("removed", lambda zones: (zones / "b.yml").unlink()),
    ("a folder removed", lambda zones: shutil.rmtree(zones / "sub")),
    ("a folder renamed", lambda zones: (zones / "sub").rename(zones / "bus")),
    ("a folder hidden", lambda zones: (zones / "sub").rename(zones / ".sub")),
    ("all removed", shutil.rmtree),
    ("all moved away", lambda zones: zones.rename(zones.with_name("gone"))),
    ("all replaced", _replace_folder),
    ("all removed and made anew", _fill_anew),
    ("written behind a link", lambda zones: (zones / "../elsewhere/d.yaml").write_text("version: 2\n")),
    ("replaced behind a link", lambda zones: _replace(zones / "../elsewhere/d.yaml")),
    ("added behind a link", lambda zones: _write(zones / "../elsewhere", "new.yaml")),
    ("a link replaced", lambda zones: _relink(zones / "link.yaml", "a.yaml")),
    ("a link broken", lambda zones: (zones / "../elsewhere/d.yaml").unlink()),
    ("a link to a folder replaced", lambda zones: _relink(zones / "folder", "sub")),
    ("a file become a folder", lambda zones: _become_a_folder(zones / "a.yaml")),
]


@pytest.mark.parametrize(("act"), [act for _, act in WAYS], ids=[way for way, _ in WAYS])
def test_a_folder_in_which_something_was(zones: Path, poll: float, act: Act) -> None:
    _run(_Counted(zones, poll=poll), lambda: act(zones))


FILE_WAYS: list[tuple[str, Act]] = [
    ("written in place", lambda file: file.write_text("version: 2\n")),
    ("saved by vim", _save_as_vim_does),
    ("replaced", _replace),
    ("of the old size and time", _keep_size_and_time),
    ("renamed", lambda file: file.rename(file.with_name("z.yaml"))),
    ("removed", lambda file: file.unlink()),
    ("a link now", lambda file: _relink(file, "b.yml")),
    ("in a folder that was replaced", lambda file: _replace_folder(file.parent)),
    ("in a folder that is gone", lambda file: shutil.rmtree(file.parent)),
]


@pytest.mark.parametrize(("act"), [act for _, act in FILE_WAYS], ids=[way for way, _ in FILE_WAYS])
def test_a_file_that_is(zones: Path, poll: float, act: Act) -> None:
    _run(_Counted(zones / "a.yaml", poll=poll), lambda: act(zones / "a.yaml"))


@pytest.fixture(params=["folder", "file"])
def config_map(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A volume as Kubernetes makes it, and what of it is given."""
    volume = tmp_path / "volume"
    _write(volume / "..2026_a", "zone.yaml")
    (volume / "..data").symlink_to("..2026_a")
    (volume / "zone.yaml").symlink_to("..data/zone.yaml")
    return volume, volume if request.param == "folder" else volume / "zone.yaml"


def test_a_config_map_that_is_updated_again_and_again(config_map: tuple[Path, Path], poll: float) -> None:
    volume, path = config_map

    def update(version: int) -> None:
        _write(volume / f"..2026_{version}", "zone.yaml", text=f"version: {version}\n")
        old = (volume / "..data").resolve()
        (volume / "..data_tmp").symlink_to(f"..2026_{version}")
        (volume / "..data_tmp").replace(volume / "..data")
        shutil.rmtree(old)

    reports = {_run(_Counted(path, poll=poll), partial(update, version)) for version in (2, 3)}
    assert len(reports) == 2


def test_a_link_on_the_way_to_what_was_given(tmp_path: Path, poll: float) -> None:
    for version in (1, 2):
        _write(tmp_path / f"releases/{version}/zones", "a.yaml", text=f"version: {version}\n")
    (tmp_path / "current").symlink_to("releases/1")
    _run(_Counted(tmp_path / "current/zones", poll=poll), lambda: _relink(tmp_path / "current", "releases/2"))


@pytest.mark.parametrize("given", ["zones", "zones/a.yaml", "zones/../zones"])
def test_a_path_that_goes_and_comes_back(zones: Path, poll: float, given: str) -> None:
    watcher, away = _Counted(zones / ".." / given, poll=poll), zones.with_name("away")

    async def all_reports() -> list[str]:
        acts = [
            lambda: zones.rename(away),
            lambda: away.rename(zones),
            lambda: (zones / "a.yaml").unlink(),
            lambda: _write(zones, "a.yaml", text="version: 2\n"),
        ]
        return [await _report(watcher, act) for act in acts]

    gone, back, without, changed = asyncio.run(all_reports())
    assert len({gone, back, without, changed}) == (3 if given == "zones/a.yaml" and gone == without else 4)


def test_a_path_that_is_missing_with_its_folder_and_comes(tmp_path: Path, poll: float) -> None:
    _run(_Counted(tmp_path / "later/zones/a.yaml", poll=poll), lambda: _write(tmp_path, "later/zones/a.yaml"))


@pytest.mark.parametrize(
    "act",
    [
        lambda zones: (zones / "a.yaml").touch(),
        lambda zones: _save_again(zones / "a.yaml"),
        lambda zones: _replace(zones / "a.yaml", (zones / "a.yaml").read_text()),
        lambda zones: (zones / "a.yaml").chmod(0o600),
    ],
    ids=["touched", "saved again as it was", "replaced by the same", "of another mode"],
)
def test_what_is_noticed_and_not_reported(zones: Path, poll: float, act: Act) -> None:
    watcher = _Counted(zones, poll=poll)
    _run(watcher, lambda: act(zones), lambda: (zones / "b.yml").write_text("version: 2\n"))


def test_an_event_tells_what_no_stat_does(zones: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_stamp", lambda file: watching._NOTHING)
    _run(_Counted(zones), lambda: _keep_size_and_time(zones / "a.yaml"))


def test_a_change_before_the_watch_begins_is_reported(zones: Path, poll: float) -> None:
    watcher = _Counted(zones, poll=poll)
    before = watcher.digest()
    _write(zones, "new.yaml")
    assert asyncio.run(asyncio.wait_for(watcher.changed(before), TIMEOUT)) == watcher.digest() != before


@pytest.mark.parametrize(
    "act",
    [
        lambda file: _replace(file, "another database"),
        _replace_in_time,
        lambda file: file.touch(),
        lambda file: file.unlink(),
    ],
    ids=["replaced", "replaced by one of its size and time", "touched", "removed"],
)
def test_another_file_is_told_by_its_stat(zones: Path, tmp_path: Path, poll: float, act: Act) -> None:
    database = tmp_path / "geo" / "city.mmdb"
    _write(tmp_path, "geo/city.mmdb")
    _run(_Counted(zones, also=lambda: [database], poll=poll), lambda: act(database))


# --- the digest ---


@pytest.mark.parametrize(
    "act",
    [
        lambda zones: _write(zones, ".hidden.yaml", "notes.txt", "scenarios/s.yaml", text="other\n"),
        lambda zones: (zones / "sub/c.yaml").touch(),
        lambda zones: (zones / "new").mkdir(),
    ],
    ids=["files that do not count", "a time", "an empty folder"],
)
def test_the_digest_stays(zones: Path, act: Act) -> None:
    watcher = Watcher([zones])
    before = watcher.digest()
    act(zones)
    assert watcher.digest() == before


def test_the_digest_tells_names_from_contents_and_files_from_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("b.yaml")
    (tmp_path / "c.yaml").write_text("")
    one = Watcher([tmp_path / "a.yaml", tmp_path / "c.yaml"]).digest()
    other = Watcher([tmp_path / "c.yaml", tmp_path / "a.yaml"]).digest()
    missing = Watcher([tmp_path / "a.yaml", tmp_path / "gone.yaml"]).digest()
    assert len({one, other, missing, Watcher([tmp_path]).digest(), Watcher([]).digest()}) == 4
    assert one == Watcher([tmp_path]).digest()


def test_what_changes_while_files_are_read_is_noticed_and_what_reading_tells_is_not(zones: Path) -> None:
    known, told = zones.parent / "known.mmdb", zones.parent / "told.mmdb"
    _write(zones.parent, "known.mmdb", "told.mmdb", text="a database")
    also = [known]
    watcher = Watcher([zones], lambda: also)
    before = watcher.digest()
    also.append(told)
    assert watcher.after_reading(before) == watcher.digest() != before
    _write(zones, "new.yaml")
    assert watcher.after_reading(before) != watcher.digest()
    (zones / "new.yaml").unlink()
    assert watcher.after_reading(before) == watcher.digest()
    _replace(known, "another database")
    assert watcher.after_reading(before) != watcher.digest()
    also.remove(known)
    assert watcher.after_reading(before) == watcher.digest()


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert Watcher([tmp_path / "pipe"]).digest() == Watcher([tmp_path / "pipe"]).digest()


# --- coming to rest ---


class _Scripted(Watcher):
    def __init__(self, *digests: str) -> None:
        super().__init__([])
        self._digests = list(digests)

    def digest(self) -> str:
        return self._digests.pop(0) if len(self._digests) > 1 else self._digests[0] + "!" * len(self._digests)


@pytest.mark.parametrize(
    ("digests", "settled"),
    [
        (["old", "never"], "old"),
        (["b", "b", "never"], "b"),
        (["b", "c", "d", "d", "never"], "d"),
        (["b", "old", "never"], "old"),
        (["b", "c", "b", "c", "c", "never"], "c"),
    ],
)
def test_a_digest_is_reported_when_it_stays(digests: list[str], settled: str) -> None:
    assert _Scripted(*digests)._settled("old", watching._Stop()) == settled


def test_files_that_never_come_to_rest_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_PATIENCE", 0.1)
    digests = [str(number) for number in range(1000)]
    assert int(_Scripted(*digests)._settled("old", watching._Stop())) > 0


# --- where it can not watch; stopping ---


def test_that_files_can_not_be_watched_is_said_once(
    zones: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watchfiles, "watch", _can_not_watch)
    watcher = _Counted(zones, poll=0.02)
    for name in ("1.yaml", "2.yaml"):
        _run(watcher, partial(_write, zones, name))
    assert [(one.levelname, one.getMessage()) for one in caplog.records if one.name.startswith("dnsemu")] == [
        (
            "WARNING",
            "files can not be watched, so they are looked at each 0.02 s instead: OS file watch limit reached.",
        )
    ]


def test_a_folder_that_goes_while_the_watch_begins_is_no_trouble(
    zones: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError("No path was found.")

    monkeypatch.setattr(watchfiles, "watch", gone)
    _run(_Counted(zones, poll=0.02), lambda: _write(zones, "1.yaml"))
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_cancelling_ends_the_thread(zones: Path, poll: float) -> None:
    async def cancelled() -> None:
        watcher = _Counted(zones, poll=poll)
        watch = asyncio.create_task(watcher.changed(watcher.digest()))
        await watcher.looked(2)
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch

    asyncio.run(cancelled())
    for thread in _threads():
        thread.join(1.0)
    assert not _threads()


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "dnsemu-files"]


@pytest.mark.parametrize(
    "how", ["asyncio.run(waiting(0.2))", "loop.run_until_complete(waiting(0.2)); os._done = loop"]
)
def test_the_interpreter_ends(zones: Path, how: str) -> None:
    """Also with a loop that was left as it was."""
    code = f"""if True:
        import asyncio, os, warnings
        from pathlib import Path
        from dnsemu.config.watching import Watcher
        async def waiting(seconds):
            global task
            watcher = Watcher([Path({str(zones)!r})])
            task = asyncio.create_task(watcher.changed(watcher.digest()))
            await asyncio.wait([task], timeout=seconds)
        loop = asyncio.new_event_loop()
        {how}
        print("end")
    """
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "end\n"


def test_a_fault_of_ours_is_not_kept_back(zones: Path) -> None:
    def also() -> Collection[Path]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(asyncio.wait_for(Watcher([zones], also).changed(""), TIMEOUT))


# --- what is watched ---


def test_the_folder_of_a_file_is_watched_and_nothing_below_it(zones: Path) -> None:
    spots = watching._spots([zones / "a.yaml"], [])
    assert spots.folders == {str(zones.resolve())}


@pytest.mark.parametrize(
    ("path", "is_modified", "concerns"),
    [
        ("zones/a.yaml", True, True),
        ("zones/sub/new.yml", False, True),
        ("zones/sub", False, True),
        ("zones/new", False, True),
        ("zones/notes.txt", True, False),
        ("zones/.a.yaml.swp", False, False),
        ("zones", False, True),
        ("other.yaml", False, False),
        ("zonefiles", True, False),
        ("elsewhere/d.yaml", True, True),
        ("geo/city.mmdb", True, True),
        ("geo/country.mmdb", True, False),
    ],
)
def test_events_that_concern_nobody_lead_to_nothing(
    zones: Path, path: str, is_modified: bool, concerns: bool
) -> None:
    _write(zones.parent, "geo/city.mmdb")
    spots = watching._spots([zones], [zones / "../geo/city.mmdb"])
    assert spots.concern(str(zones.parent.resolve() / path), is_modified=is_modified) is concerns


def test_links_in_a_circle_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("b.yaml")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    (tmp_path / "up").symlink_to(".")
    assert watching._spots([tmp_path, tmp_path / "a.yaml"], []).trees == {str(tmp_path.resolve())}


def test_a_mounted_file_that_was_replaced_outside(zones: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = _Counted(zones)._signature()
    name = str(zones / "a.yaml")
    watching._tell_stale(before, before | {name: before[name]._replace(links=0)})
    watching._tell_stale(before, before | {name: watching._NOTHING})
    assert [one.getMessage() for one in caplog.records] == [
        f"{name} is the old file still: it was replaced where it is mounted from; mount its folder instead"
    ]
