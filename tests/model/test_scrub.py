"""Secrets are scrubbed before anything is written, and what is no secret stays."""

import hashlib
import random
import shlex
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.client.scrub import PATTERNS, SHORT_OPTIONS, Scrubber, random_looking, telling
from provgraph.client.scrub_words import SCRUBBED, recorded_environment, scrubbed_text, scrubbed_words, suspicious
from provgraph.errors import InputError
from provgraph.model.scrub import capture_patterns

SCRUBBER = Scrubber()
DIGEST = hashlib.sha256(b"x").hexdigest()


def made(alphabet: str, length: int, seed: int = 1) -> str:
    """A made-up secret: none that anybody ever used is written here."""
    return "".join(random.Random(seed).choices(alphabet, k=length))


WORD = string.ascii_letters + string.digits
# One for each pattern of the table, with the part that must be gone.
EXAMPLES = {
    "aws": ("AKIA" + made(string.ascii_uppercase, 16),) * 2,
    "github": ("ghp_" + made(WORD, 36),) * 2,
    "gitlab": ("glpat-" + made(WORD, 20),) * 2,
    "slack": ("xoxb-" + made(string.digits, 24),) * 2,
    "slack-hook": ("https://hooks.slack.com/services/T0/B0/abcdef", "T0/B0/abcdef"),
    "sk": ("sk-proj-A1" + made(WORD, 40),) * 2,
    "huggingface": ("hf_" + made(WORD, 34),) * 2,
    "replicate": ("r8_" + made(WORD, 37),) * 2,
    "npm": ("npm_" + made(WORD, 36),) * 2,
    "pypi": ("pypi-" + made(WORD, 60),) * 2,
    "google": ("AIza" + made(WORD, 35),) * 2,
    "stripe": ("sk_live_" + made(WORD, 24),) * 2,
    "sendgrid": (f"SG.{made(WORD, 22)}.{made(WORD, 43)}",) * 2,
    "telegram": ("123456789:AA" + made(WORD, 33),) * 2,
    "databricks": ("dapi" + made("0123456789abcdef", 32),) * 2,
    "digitalocean": ("dop_v1_" + made("0123456789abcdef", 64),) * 2,
    "nvidia": ("nvapi-" + made(WORD, 64),) * 2,
    "docker": ("dckr_pat_" + made(WORD, 27),) * 2,
    "jwt": (f"eyJ{made(WORD, 20)}.eyJ{made(WORD, 30)}.{made(WORD, 40)}",) * 2,
    "pem": ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "MIIabc"),
    "bearer": ("bearer abcdefgh12", "abcdefgh12"),
    "authorization": ("Authorization: Basic dTpw", "dTpw"),
    "cookie": ("Cookie: sid=abc; x=1", "sid=abc"),
    "url-password": ("postgresql://me:hunter2@host/db", "hunter2"),
    "url-token": ("https://" + made(string.ascii_letters, 15) + "12345@github.com/a/b", "12345@"),
}


def test_each_pattern_has_an_example():
    assert set(EXAMPLES) == {pattern.name for pattern in PATTERNS}
    assert all(pattern.catches for pattern in PATTERNS)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("form", ["{}", "prefix {} suffix", "--url={}", "x=({})", "'{}'"])
def test_what_is_known_by_its_look(name, form):
    text, secret = EXAMPLES[name]
    for result in (SCRUBBER.words(["run", form.format(text)])[1], SCRUBBER.text(form.format(text))):
        assert secret not in result
        assert SCRUBBED in result
    assert suspicious(["run", form.format(text)])


HIDDEN = [
    "x --password=hunter2",
    "x --password hunter2",
    "x -password hunter2",
    "x --db-password 'hunter2'",
    "x --dbPassword=hunter2",
    "x --api-key hunter2",
    "x --token hunter2",
    "x --auth.token=hunter2",
    "x --client-secret=hunter2",
    "mysql -u me -phunter2 db",
    "sudo /usr/bin/mysqldump -phunter2 db",
    "sshpass -p hunter2 ssh host",
    "curl -u me:hunter2 https://host",
    "curl --user me:hunter2 https://host",
    "curl -H 'Authorization: Bearer hunter2xx' https://host",
    "curl -H 'X-Api-Key: hunter2' https://host",
    "curl -H 'PRIVATE-TOKEN: hunter2' https://host",
    "curl 'https://host/x?a=1&access_token=hunter2&b=2'",
    "wget --password=hunter2 ftp://host",
    "redis-cli -a hunter2",
    "docker login -u me -p hunter2",
    "zip -P hunter2 a.zip b",
    "7z x -phunter2 a.7z",
    "openssl enc -pass pass:hunter2",
    "smbclient -U me%hunter2 //host/x",
    "API_KEY=hunter2 x",
    "env DB_PASSWORD=hunter2 x",
    "export SECRET_TOKEN=hunter2 && x",
    "sh -c 'mysql -phunter2 db'",
    "bash -c 'export TOKEN=\"hunter2 b\"; y'",
    'x \'{"password": "hunter2", "a": 1}\'',
    "x 'Server=a;User=b;Password=hunter2;c'",
    "aws configure set aws_secret_access_key hunter2Hunter2hunter987x",
    "x --session-key hunter2Hunter2hunter987x",
]


@pytest.mark.parametrize("line", HIDDEN)
def test_what_telling_names_say(line):
    words = shlex.split(line)
    assert suspicious(words)
    result = SCRUBBER.words(words)
    assert len(result) == len(words)
    assert "hunter2" not in " ".join(result).lower()
    assert SCRUBBED in " ".join(result)
    assert "hunter2" not in SCRUBBER.text(line).lower()
    assert result[0] == words[0] or "=" in words[0]


KEPT = [
    "python train.py --learning-rate=0.001 --max-tokens 512 --tokenizer=bert key=value lr=3e-4",
    "python train.py --pad-token '<pad>' --eos_token_id=3 --num-tokens 7 --token-limit 9 --tokens 3",
    "python train.py --optimizer.key adam --author=me --monkey=3 --auth-file x --key k",
    f"verify --digest {DIGEST} --key={DIGEST} sha256:{DIGEST} model.pkl@3",
    "sort -k 2,2 --key=3 -t: /etc/passwd",
    "cp -p a b",
    "mkdir -p /a/b/c",
    "docker run -p 8080:80 image",
    "git clone git@github.com:a/b.git",
    "git clone ssh://git@host/x",
    "pip install sk-learn-random-forest-model",
    "cat runs/sk-Learn-2024-01-01-experiment-12345",
    "grep access_token log.txt",
    "ffmpeg -pass 1 -i x",
    "curl 'https://example.org/data.csv?page=2&size=3' -o x",
    "x --password-file=/x/y --private-key ~/.ssh/id_rsa --password-stdin",
    "export PASSWORD=$PW; x --token $TOKEN --secret=${S}",
    "x --use-auth-token data.csv --save-password",
    "mysql --password db",
    "curl -u me https://host",
    "awk -F: '{print $1}' /etc/passwd",
    "make secretary",
    "python -c 'tokens = 3; print(tokens)'",
    "a/very/long/path/with/2024/numbers/And/Capitals/0123456789",
]


@pytest.mark.parametrize("line", KEPT)
def test_ordinary_lines_stay(line):
    assert SCRUBBER.words(shlex.split(line)) == shlex.split(line)
    assert SCRUBBER.text(line) == line


@pytest.mark.parametrize("folder", ["shell-pipelines"])
def test_documented_lines_stay(shared_testdata, folder):
    pages = sorted((shared_testdata / folder).rglob("*.rst"))
    assert pages
    for page in pages:
        for line in Path(page).read_text().splitlines():
            # The tutorial's data base has a user and a password in its URL.
            if "://" not in line:
                assert SCRUBBER.text(line) == line


SECRET_WORDS = st.sampled_from(
    [text for text, _ in EXAMPLES.values()] + [word for line in HIDDEN for word in shlex.split(line)]
)
PLAIN_WORDS = st.sampled_from([word for line in KEPT for word in shlex.split(line)]) | st.text(max_size=12)


@given(st.lists(SECRET_WORDS | PLAIN_WORDS, max_size=6))
def test_the_cheap_look_misses_nothing(words):
    """Where the wrapping path imports no scrubber, the full one would have changed nothing."""
    assert scrubbed_words(words) == SCRUBBER.words(words)
    assert len(scrubbed_words(words)) == len(words)
    for word in words:
        assert scrubbed_text(word) == SCRUBBER.text(word)


@given(st.lists(SECRET_WORDS | PLAIN_WORDS, max_size=6))
def test_scrubbing_twice_is_scrubbing_once(words):
    once = SCRUBBER.words(words)
    assert SCRUBBER.words(once) == once


@pytest.mark.parametrize("utility", SHORT_OPTIONS)
def test_each_utility_of_the_table_rings_the_cheap_bell(utility):
    assert suspicious([*utility.split(), "-x"])


def test_names():
    assert [telling(name) for name in ("--password", "apiKey", "AWS_SECRET_ACCESS_KEY", "dbPass", "x.token")] == [
        "yes"
    ] * 5
    assert [telling(name) for name in ("key", "auth", "session")] == ["maybe"] * 3
    assert not any(
        telling(name) for name in ("tokenizer", "max_tokens", "token_type", "PWD", "OLDPWD", "keyboard", "", "-")
    )


def test_values_that_look_random():
    assert random_looking("9f8s7d6f5a4s3d2f1g0h")
    assert not any(
        map(random_looking, ("short1", DIGEST, "/a/path/with/2024/x", "onlyletterswithoutnumbers", "1234567890123456"))
    )


def test_environment():
    environ = {"OMP_NUM_THREADS": "4", "HF_HOME": "https://u:hunter2@host/x", "API_KEY": "hunter2"}
    assert SCRUBBER.environment(environ) == {
        "OMP_NUM_THREADS": "4",
        "HF_HOME": f"https://u:{SCRUBBED}@host/x",
        "API_KEY": SCRUBBED,
    }


def test_the_recorded_part_of_the_environment():
    environ = {
        "PYTHONHASHSEED": "0",
        "MY_SEED": "7",
        "TZ": "UTC",
        "AWS_SECRET_ACCESS_KEY": "x",
        "HOME": "/h",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONPATH": "https://u:hunter2@host",
    }
    assert recorded_environment(environ) == {
        "MY_SEED": "7",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": f"https://u:{SCRUBBED}@host",
        "TOKENIZERS_PARALLELISM": "false",
        "TZ": "UTC",
    }


def test_configured_patterns():
    scrubber = Scrubber([r"ACME-\d+", r"ticket (?P<secret>\w+)"])
    assert scrubber.text("x ACME-123 ticket abc") == f"x {SCRUBBED} ticket {SCRUBBED}"
    assert scrubbed_words(["x", "ACME-1"], [r"ACME-\d+"]) == ["x", SCRUBBED]
    with pytest.raises(InputError, match="no regular expression"):
        capture_patterns(["("])


def test_configured_names():
    scrubber = Scrubber(capture_patterns([], ["magic-word", "PIN"]))
    words = ["x", "--magic-word", "abc", "--magic_word=abc", "PIN=1234", "--spin=3"]
    assert scrubber.words(words) == [
        "x",
        "--magic-word",
        SCRUBBED,
        f"--magic_word={SCRUBBED}",
        f"PIN={SCRUBBED}",
        "--spin=3",
    ]
    assert scrubbed_words(words, capture_patterns([], ["pin"]))[4:] == [f"PIN={SCRUBBED}", "--spin=3"]


def test_a_group_without_a_name_and_a_pattern_that_is_none():
    assert scrubbed_words(["id=77x"], [r"id=(\d+)"]) == [f"id={SCRUBBED}x"]
    assert scrubbed_text("id=77", [r"id=(\d+)", "("]) == f"id={SCRUBBED}"
