"""Stand-ins for official files, a wheel that holds them, and a repository on loopback that serves them."""

from __future__ import annotations

import hashlib
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from longbench_write.assets.assets import Asset, RawFile, WheelMember
from longbench_write.assets.downloads import Wheel

LIST = b'{"prompt": "Describe a lighthouse.", "type": "News", "length": 100}\n'
TEMPLATE = b"Rate $INST$ and $RESPONSE$."
MODEL = bytes(range(256)) * 20_000
WHEEL = Wheel("lbw-sample", "1.0")
TYPICAL = {
    "lbw_sample/list.jsonl": LIST,
    "lbw_sample/judge.txt": TEMPLATE + b"\n",
    "lbw_sample/m.gguf": MODEL,
}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sample(name: str, filename: str, content: bytes, *, wheel: Wheel = WHEEL, **more: object) -> Asset:
    sources = (RawFile(f"files/{filename}"), WheelMember(wheel, f"lbw_sample/{filename}"))
    return Asset(name, filename, sha256(content), "a sample", sources, **more)


def make_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "lbw_sample-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(
            "lbw_sample-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lbw-sample\nVersion: 1.0\n"
        )
        archive.writestr(
            "lbw_sample-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("lbw_sample-1.0.dist-info/RECORD", "")
    return path


class Repository(ThreadingHTTPServer):
    """Serves bytes by path on loopback and keeps what it was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                content = outer.files.get(self.path)
                self.send_response(404 if content is None else 200)
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"
