"""A small RTSP server for tests: one H.264 file, RTP over the RTSP connection (TCP interleaved).

Covers RFC 2326 (OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN) and RFC 6184 packetization
(single NAL units and FU-A). UDP transport is answered with 461, so clients fall back to TCP.
Every PLAY starts at the first frame with a random RTP timestamp base, and is paced in real time.

    python server.py clip.mp4 --port 0 [--path /cam] [--loop] [--auth user:password] [--speed 4]

prints the URL on standard output once it listens. Signals do the rest: KILL (gone), STOP (silent).
"""

from __future__ import annotations

import argparse
import base64
import random
import re
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import av
from av.bitstream import BitStreamFilterContext

CLOCK = 90_000
MTU = 1400


class AccessUnit(NamedTuple):
    dts: float  # seconds: when to send it
    pts: float  # seconds: its RTP timestamp
    nals: list[bytes]


def access_units(path: str, loop: bool = False) -> Iterator[AccessUnit]:
    """The H.264 access units of a file in decoding order; with ``loop``, again and again with time going on."""
    offset = 0.0
    while True:
        end = offset
        with av.open(path) as container:
            stream = container.streams.video[0]
            if stream.codec_context.name != "h264":
                raise ValueError(f"{path}: {stream.codec_context.name}, not h264")
            frame_seconds = float(1 / stream.average_rate) if stream.average_rate else 0.04
            annexb = BitStreamFilterContext("h264_mp4toannexb", stream)
            for packet in container.demux(stream):
                for out in annexb.filter(packet if packet.size else None):
                    # Matroska has no decoding times for every packet; the presentation time will do there.
                    stamps = out.pts if out.dts is None else out.dts, out.pts
                    dts, pts = (offset + float((stamp or 0) * (out.time_base or 0)) for stamp in stamps)
                    nals = [nal for nal in re.split(rb"\x00{2,}\x01", bytes(out)) if nal]
                    yield AccessUnit(dts, pts, nals)
                    end = max(end, pts + frame_seconds)
        if not loop:
            return
        offset = end


def payloads(nal: bytes) -> Iterator[bytes]:
    """RTP payloads of one NAL unit: as it is, or in fragments (FU-A) when larger than the MTU."""
    if len(nal) <= MTU:
        yield nal
        return
    indicator, kind, body = (nal[0] & 0xE0) | 28, nal[0] & 0x1F, nal[1:]
    for start in range(0, len(body), MTU - 2):
        first, last = start == 0, start + MTU - 2 >= len(body)
        yield bytes((indicator, first << 7 | last << 6 | kind)) + body[start : start + MTU - 2]


def sdp(path: str) -> str:
    nals = next(access_units(path)).nals
    sps = next(nal for nal in nals if nal[0] & 0x1F == 7)
    pps = next(nal for nal in nals if nal[0] & 0x1F == 8)
    sets = ",".join(base64.b64encode(nal).decode() for nal in (sps, pps))
    return "\r\n".join(
        (
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=test",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "a=control:*",
            "m=video 0 RTP/AVP 96",
            f"a=rtpmap:96 H264/{CLOCK}",
            "a=control:track0",
            f"a=fmtp:96 packetization-mode=1;profile-level-id={sps[1:4].hex()};sprop-parameter-sets={sets}",
            "",
        )
    )


class Connection(socketserver.StreamRequestHandler):
    server: RtspServer

    def setup(self) -> None:
        super().setup()
        self.lock, self.stopped = threading.Lock(), threading.Event()  # the lock: replies and media share the socket
        self.channel = -1  # until SETUP
        self.sequence, self.timestamp, self.ssrc = (random.getrandbits(bits) for bits in (16, 32, 32))
        self.session = f"{random.getrandbits(32):08x}"

    def handle(self) -> None:
        try:
            while first := self.rfile.read(1):
                if first == b"$":  # RTCP receiver reports: ignored
                    _, size = struct.unpack("!BH", self.rfile.read(3))
                    self.rfile.read(size)
                elif not self.request_reply((first + self.rfile.readline()).decode()):
                    return
        except (OSError, struct.error):
            pass
        finally:
            self.stopped.set()

    def request_reply(self, line: str) -> bool:
        method, url, _ = line.split()
        headers: dict[str, str] = {}
        while row := self.rfile.readline().decode().strip():
            name, _, value = row.partition(":")
            headers[name.lower()] = value.strip()
        self.rfile.read(int(headers.get("content-length", 0)))
        path = "/" + re.sub(r"^rtsp://[^/]*/?", "", url)
        status, extra, body = "200 OK", [f"CSeq: {headers.get('cseq', '0')}"], ""
        auth = self.server.auth
        if method == "OPTIONS":
            extra.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif auth and headers.get("authorization") != "Basic " + base64.b64encode(auth.encode()).decode():
            status = "401 Unauthorized"
            extra.append('WWW-Authenticate: Basic realm="test"')
        elif path.rstrip("/").removesuffix("/track0") != self.server.path:
            status = "404 Not Found"
        elif method == "DESCRIBE":
            body = self.server.sdp
            extra += ["Content-Type: application/sdp", f"Content-Base: {url.rstrip('/')}/"]
        elif method == "SETUP":
            if match := re.search(r"RTP/AVP/TCP.*interleaved=(\d+)", headers.get("transport", "")):
                self.channel = int(match[1])
                extra.append(f"Transport: RTP/AVP/TCP;unicast;interleaved={self.channel}-{self.channel + 1}")
                extra.append(f"Session: {self.session};timeout=60")
            else:
                status = "461 Unsupported Transport"
        elif method == "PLAY" and self.channel < 0:
            status = "455 Method Not Valid in This State"
        elif method == "PLAY":
            extra += [
                f"Session: {self.session}",
                "Range: npt=0.000-",
                f"RTP-Info: url={url.rstrip('/')}/track0;seq={self.sequence};rtptime={self.timestamp}",
            ]
        elif method not in ("GET_PARAMETER", "TEARDOWN"):
            status = "501 Not Implemented"
        extra.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([f"RTSP/1.0 {status}", *extra, "", body]).encode())
        if method == "PLAY" and status == "200 OK":
            threading.Thread(target=self.stream, daemon=True).start()
        return method != "TEARDOWN"

    def send(self, data: bytes) -> None:
        with self.lock:
            self.connection.sendall(data)

    def stream(self) -> None:
        started = time.monotonic()
        try:
            for unit in access_units(self.server.file, self.server.loop):
                if self.stopped.wait(max(0.0, started + unit.dts / self.server.speed - time.monotonic())):
                    return
                stamp = (self.timestamp + round(unit.pts * CLOCK)) & 0xFFFFFFFF
                parts = [part for nal in unit.nals for part in payloads(nal)]
                for index, part in enumerate(parts):
                    marker = (index == len(parts) - 1) << 7
                    rtp = struct.pack("!BBHII", 0x80, marker | 96, self.sequence, stamp, self.ssrc) + part
                    self.send(struct.pack("!cBH", b"$", self.channel, len(rtp)) + rtp)
                    self.sequence = (self.sequence + 1) & 0xFFFF
            # The end of the file: an RTCP sender report (counts left at zero) and BYE, which FFmpeg takes as EOF.
            rtcp = struct.pack("!BBHI20xBBHI", 0x80, 200, 6, self.ssrc, 0x81, 203, 1, self.ssrc)
            self.send(struct.pack("!cBH", b"$", self.channel + 1, len(rtcp)) + rtcp)
        except OSError:
            pass  # the client went away


class RtspServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self,
        file: str,
        port: int = 0,
        path: str = "/cam",
        loop: bool = False,
        auth: str | None = None,
        speed: float = 1.0,
    ) -> None:
        self.file, self.path, self.loop, self.auth, self.speed = file, path, loop, auth, speed
        self.sdp = sdp(file)
        super().__init__(("127.0.0.1", port), Connection)
        self.url = f"rtsp://127.0.0.1:{self.server_address[1]}{path}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--path", default="/cam")
    parser.add_argument("--loop", action="store_true", help="start again at the end of the file")
    parser.add_argument("--auth", help="user:password (Basic)")
    parser.add_argument("--speed", type=float, default=1.0)
    with RtspServer(**vars(parser.parse_args())) as server:
        print(server.url, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
