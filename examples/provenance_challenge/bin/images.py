"""What the stand-ins share: an image is raw bytes (SIDE × SIDE × SIDE voxels), its header a few lines KEY=VALUE."""

from pathlib import Path

SIDE = 8


def read(stem: str) -> bytes:
    """The voxels of ``stem``.img; the header is read too, as the real programs do."""
    header(stem)
    return Path(f"{stem}.img").read_bytes()


def header(stem: str) -> dict[str, str]:
    """The entries of ``stem``.hdr."""
    return dict(line.split("=", 1) for line in Path(f"{stem}.hdr").read_text().splitlines())


def write(stem: str, voxels: bytes, entries: dict[str, str]) -> None:
    """Write an image and its header."""
    Path(f"{stem}.img").write_bytes(voxels)
    Path(f"{stem}.hdr").write_text("".join(f"{key}={value}\n" for key, value in entries.items()))
