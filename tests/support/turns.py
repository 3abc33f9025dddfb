"""A relay that counts turns: how often the client spoke again behind something the server said.

A client in lock-step takes a turn for each command; one that sends ahead takes fewer. That can be
seen without looking into the octets, so that it holds under TLS as well, and with any server.
"""

import asyncio
import threading

CHUNK_BYTES = 1 << 18


class Relay:
    """Listens on a port of its own and carries connections to `port`.

    Replies are held back for a pause, so that those of a flight gather and come together."""

    def __init__(self, port, cleanup, pause_seconds):
        self.pause_seconds = pause_seconds
        self.turns = 0
        self.connections = 0
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._tasks = set()
        self._thread = threading.Thread(target=self._run)
        self._is_ready = threading.Event()
        self._thread.start()
        self._is_ready.wait(10)
        cleanup(self.stop)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0, limit=CHUNK_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        self._is_ready.set()
        await self._end.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()

    async def _carry(self, from_client, to_client):
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target,
                                                               limit=CHUNK_BYTES)
        conversation = _Conversation(self)
        try:
            await asyncio.gather(conversation.forward(from_client, to_server),
                                 conversation.back(from_server, to_client))
        except asyncio.CancelledError:
            pass
        finally:
            for writer in (to_client, to_server):
                writer.close()
            self._tasks.discard(task)


class _Conversation:
    """Both directions of a connection; each ends when its source does or its target is gone."""

    def __init__(self, relay):
        self._relay = relay
        self._server_spoke = False

    async def forward(self, reader, writer):
        def speak():
            if self._server_spoke:
                self._server_spoke = False
                self._relay.turns += 1

        await _pump(reader, writer, speak)

    async def back(self, reader, writer):
        def speak():
            self._server_spoke = True

        await _pump(reader, writer, speak, self._relay.pause_seconds)


async def _pump(reader, writer, speak, pause_seconds=0):
    try:
        while octets := await reader.read(CHUNK_BYTES):
            if pause_seconds:
                await asyncio.sleep(pause_seconds)
            speak()
            writer.write(octets)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()
