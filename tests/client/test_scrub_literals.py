"""Secrets as programs write them down: a literal behind a name that tells."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laboratory import Lab

from provgraph.client.scrub import Scrubber
from provgraph.client.scrub_words import SCRUBBED, scrubbed_text, suspicious

SCRUBBER = Scrubber()
SECRET = "hunter2"

HIDDEN = [
    'password = "hunter2"',
    'password="hunter2"',
    "SECRET_KEY = 'hunter2'",
    'os.environ["API_KEY"] = "hunter2"',
    "os.environ['API_KEY']='hunter2'",
    'os.environ["PATH_TOKEN"] += "hunter2"',
    'db_password: str = "two hunter2 words"',
    'self.db_password: str | None = "hunter2"',
    'db_password: Optional[str] = "hunter2"',
    'token\t=\t"hunter2"',
    'token = b"hunter2"',
    'token = rb"hunter2"',
    'token = f"hunter2{more}"',
    'token = """hunter2"""',
    "token = '''a 'hunter2'\nb'''",
    'token = "a\\"hunter2"',
    '(token := "hunter2")',
    "connect(user='me', password = 'hunter2')",
    "connect(user='me', password=r'hunter2')",
    'api_key: "hunter2"',
    'x = "a"\npassword = "hunter2"\ny = "c"',
    "python -c 'import m; m.login(password = \"hunter2\")'",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_literals_behind_telling_names(text):
    assert suspicious([text])
    result = scrubbed_text(text)
    assert SECRET not in result
    assert SCRUBBED in result
    assert scrubbed_text(result) == result


def test_what_is_left_is_the_same_program():
    source = 'import os\npassword = "hunter2"  # mine\nos.environ["API_KEY"] = r\'hunter2\'\nx: str = "kept"\n'
    expected = source.replace("hunter2", SCRUBBED)
    assert scrubbed_text(source) == expected
    compile(expected, "cell", "exec")


KEPT = [
    'if token == "x" or password != "y": pass',
    'if d["token"] == "x" and d["token"]== "y": pass',
    'password = getpass("Password? ")',
    'password = os.environ["PASSWORD"]',
    "token = tokens[0]",
    'token = ""',
    'password = "${PASSWORD}"',
    'tokenizer = "bert"',
    'print("token =", token, "of", "many")',
    'print("password: " + shown + "!")',
    'max_tokens: int = 512; pad_token = "[PAD]"',
    'key = "name"',
    "token = '",
    'label = "password = "',
]


@pytest.mark.parametrize("text", KEPT)
def test_expressions_and_comparisons_stay(text):
    assert SCRUBBER.text(text) == text


NAMES = st.sampled_from(
    ["password", "SECRET_KEY", "db_password", "auth_token", "self.client_secret", "apiKey", "x.passwd"]
)
SPACES = st.text(" \t", max_size=3)
TYPES = st.sampled_from(["", ": str ", ":Secret", ": str | None ", " : dict[str, int]"])
SIGNS = st.sampled_from(["=", ":=", "+="])
AROUND = st.text("abc =:\n#()'\"\\[],", max_size=20)
INNER = st.text("abcXYZ012 -_/+.,;:!?=#()[]{}'", max_size=20).map(lambda text: f"S3CRET{text}")


@given(NAMES, SPACES, TYPES, SIGNS, SPACES, INNER, AROUND, AROUND)
def test_no_literal_behind_a_telling_name_is_left(name, before, kind, sign, after, inner, head, tail):
    line = f'{name}{before}{kind if sign == "=" else ""}{sign}{after}"{inner}"'
    assert "S3CRET" not in SCRUBBER.text(line)
    assert "S3CRET" not in SCRUBBER.look(f"a = 1\n{line}\n{tail}")
    item = f'd["{name}"]{before}={after}"{inner}"'
    assert "S3CRET" not in SCRUBBER.text(item)
    once = SCRUBBER.look(f"{head}\n{line}{tail}")
    assert SCRUBBER.look(once) == once


@given(st.lists(st.sampled_from(["x", "token", " ", "=", "==", ":", '"', "'", '"""', "\\", "\n", "[", "]", "b", "|"])))
def test_any_text_is_scrubbed_once_and_for_all(pieces):
    once = SCRUBBER.look("".join(pieces))
    assert SCRUBBER.look(once) == once


@pytest.mark.parametrize(
    "piece",
    ["a: ", "a", '"a":"', 'a="\\"', "token = '", "x: a|", "a: a[", 'token="""', 'token="\\', "' = ", '"a"] = ', " "],
)
def test_long_texts_are_done_in_the_time_that_their_length_takes(piece):
    """Where each beginning were searched to the end, this would take hours."""
    SCRUBBER.look(f"token{piece * (300_000 // len(piece))}")


def test_command_texts_reach_no_file_of_the_store_with_their_secrets(provdb, project):
    lab = Lab(provdb)
    provdb("sh", "-c", 'python3 -c \'password = "hunter2"; import os; os.environ["API_KEY"] = "hunter2"\'')
    lab.settle()
    held = [path for path in (project / ".provdb").rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert [os.fspath(path.relative_to(project)) for path in held] == []
