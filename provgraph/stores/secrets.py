"""Files that look like secrets: their digest is kept, their bytes are not."""

import fnmatch
import functools
import re
from typing import Final

NAMES: Final = (
    ".env", ".env.*", "*.env", ".envrc", ".netrc", "_netrc", ".pgpass", ".my.cnf", ".pypirc", ".npmrc", ".htpasswd",
    ".git-credentials", ".dockercfg", ".vault-token", ".databrickscfg", ".boto", ".s3cfg", ".authinfo", ".authinfo.gpg",
    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "*.pem", "*.key", "*.p12", "*.pfx",
    "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.asc.key", "credentials", "credentials.json", "credentials.db",
    "client_secret*.json", "service_account*.json", "service-account*.json", "kaggle.json", "secrets.toml",
    "secrets.yml", "secrets.yaml", "secrets.json", "*.tfstate", "*.ovpn", "wandb-token", ".wandb_api_key",
)  # fmt: skip
"""Globs over a file's name, in lower case."""

PATHS: Final = (
    "*/.aws/credentials", "*/.aws/config", "*/.ssh/*", "*/.gnupg/*", "*/.docker/config.json", "*/.kube/config",
    "*/.azure/*", "*/.config/gcloud/*", "*/.config/gh/hosts.yml", "*/.huggingface/token", "*/huggingface/token",
    "*/.cargo/credentials*", "*/.streamlit/secrets.toml",
)  # fmt: skip
"""Globs over a whole path."""

_PUBLIC: Final = ("*.pub", "*.example", "*.sample", "*.template", "*.dist", "known_hosts", "authorized_keys")


def looks_secret(path: str, more: tuple[str, ...] = ()) -> bool:
    """Whether a file's name or place says that it holds secrets. ``more`` are the user's own globs. Cost: 3 µs."""
    whole = "/" + path.lower().lstrip("/")
    name = whole.rpartition("/")[2]
    if any(fnmatch.fnmatchcase(name, glob.lower()) for glob in more):
        return True
    if _any_of(_PUBLIC).match(name):
        return False
    return bool(_any_of(NAMES).match(name) or _any_of(PATHS).match(whole))


@functools.cache
def _any_of(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(glob) for glob in globs))
