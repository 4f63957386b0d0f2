"""Records are appended outside of the event loop: in order, those that wait in one write, none twice."""

from __future__ import annotations

import asyncio
import threading

import pytest

from longbench_write.errors import RunFolderError
from longbench_write.files.appending import Appender


class SlowDisk:
    """Takes a write when it is let; refuses what does not fit."""

    def __init__(self, room=1000):
        self.room = room
        self.begun, self.let = threading.Event(), threading.Event()
        self.writes, self.written = [], []

    def write(self, records):
        self.begun.set()
        assert self.let.wait(60)
        self.writes.append(list(records))
        if len(self.written) + len(records) > self.room:
            raise RunFolderError("full")
        self.written += records


async def began(disk):
    """Wait, with the loop free for others, until a write has begun."""
    await asyncio.to_thread(disk.begun.wait, 60)


def added(appender, numbers, told):
    return [asyncio.ensure_future(appender.append(number, told.append)) for number in numbers]


def test_the_loop_goes_on_and_what_waits_is_one_write_in_order():
    disk = SlowDisk()
    appender, told = Appender(disk.write), []

    async def work():
        first = added(appender, [0], told)
        await began(disk)  # the loop runs while the disk writes
        rest = added(appender, range(1, 32), told)
        await asyncio.sleep(0)
        assert told == disk.written == []
        disk.let.set()
        await asyncio.gather(*first, *rest)

    asyncio.run(work())
    assert disk.writes == [[0], list(range(1, 32))]
    assert told == disk.written == list(range(32))
    appender.close()


def test_what_was_added_is_written_and_told_although_its_task_is_cancelled():
    disk = SlowDisk()
    appender, told = Appender(disk.write), []

    async def work():
        tasks = added(appender, range(8), told)
        await began(disk)
        for _ in range(3):  # as often as somebody may press Ctrl-C
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        disk.let.set()
        done, _ = await asyncio.wait(tasks)
        assert all(task.cancelled() for task in done)

    asyncio.run(work())
    assert told == disk.written == list(range(8))


def test_where_a_write_fails_what_there_is_room_for_is_kept_and_the_rest_is_not_told():
    disk = SlowDisk(room=3)
    appender, told = Appender(disk.write), []

    async def work():
        first = added(appender, [0], told)
        await began(disk)
        rest = added(appender, range(1, 6), told)
        await asyncio.sleep(0)
        disk.let.set()
        return await asyncio.gather(*first, *rest, return_exceptions=True)

    ended = asyncio.run(work())
    assert told == disk.written == [0, 1, 2]
    assert [type(each) for each in ended] == [type(None)] * 3 + [RunFolderError] * 3


def test_closing_waits_for_what_was_added():
    disk = SlowDisk()
    appender, told = Appender(disk.write), []

    async def work():
        tasks = added(appender, range(4), told)
        await began(disk)
        disk.let.set()
        appender.close()
        assert disk.written == list(range(4))
        assert told == []
        await asyncio.gather(*tasks)

    asyncio.run(work())
    assert told == list(range(4))


def test_what_the_caller_does_with_a_record_may_fail():
    appender = Appender(lambda records: None)

    def then(record):
        raise ValueError(record)

    with pytest.raises(ValueError, match="7"):
        asyncio.run(appender.append(7, then))
    appender.close()
