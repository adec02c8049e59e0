"""Overwrite or remove the files of a folder, each in one of ten ways."""

import mmap
import os
import shutil
import subprocess
import sys


def truncated(path: str) -> None:
    with open(path, "w") as file:
        file.write("new\n")


def renamed_over(path: str) -> None:
    with open(f"{path}.new", "w") as file:
        file.write("new\n")
    os.replace(f"{path}.new", path)


def removed(path: str) -> None:
    os.remove(path)


def changed_in_place(path: str) -> None:
    with open(path, "r+b") as file:
        file.write(b"new")


def cut_by_path(path: str) -> None:
    os.truncate(path, 1)


def mapped(path: str) -> None:
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        view[:3] = b"new"


def copied_over(path: str) -> None:
    shutil.copyfile(sys.argv[0], path)


def by_the_shell(path: str) -> None:
    subprocess.run(["sh", "-c", f"echo new > {path}"], check=True)


def by_sed(path: str) -> None:
    subprocess.run(["sed", "-i", "1d", path], check=True)


def appended(path: str) -> None:
    with open(path, "a") as file:
        file.write("new\n")


WAYS = (
    truncated, renamed_over, removed, changed_in_place, cut_by_path,
    mapped, copied_over, by_the_shell, by_sed, appended,
)  # fmt: skip

for number, name in enumerate(sorted(os.listdir(sys.argv[1]))):
    WAYS[number % len(WAYS)](os.path.join(sys.argv[1], name))
