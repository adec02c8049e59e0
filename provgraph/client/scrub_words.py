"""Secrets on the wrapping path: a cheap look at command lines that decides whether the full scrubber is needed.

The full one (:mod:`provgraph.client.scrub`) imports :mod:`re`, which costs more than the rest of a prefixed command's
bookkeeping. Nearly all commands contain no word that could make it act, and for these nothing is imported.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Mapping, Sequence

    from provgraph.client.scrub import Scrubber

SCRUBBED = "<scrubbed>"

# fmt: off
# Without one of these, in lower case, no pattern of the full scrubber matches; a test holds the two together.
HINTS = (
    "pass", "pwd", "secret", "token", "key", "auth", "cred", "bearer", "cookie", "session", "sig=", "sig:", "sig ",
    "sig\t", "sig+", "sig'", 'sig"', "signature", "sas",
    "://", "eyj", "-----begin", "akia", "asia", "abia", "acca", "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
    "github_pat_", "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "gloas-", "glsoat-", "glft-", "glimt-", "glagent-",
    "xox", "xapp-", "hooks.slack.com", "sk-", "hf_", "r8_", "npm_", "pypi-", "aiza", "gocspx-", "k_live_", "k_test_",
    "sg.", ":aa", "dapi", "do_v1_", "dop_v1_", "doo_v1_", "nvapi-", "dckr_pat_",
    # utilities with short options for passwords
    "mysql", "mariadb", "curl", "http", "redis-cli", "ldap", "mongo", "7z", "zip", "openssl", "smbclient",
    "sqlcmd", "bcp", "ssh-keygen", "wget", "rpcclient", "xh", "svn", "isql",
    "login", "keytool",
)

# Variables whose values change what a command computes, or say where it ran. No others are recorded.
RECORDED_ENVIRONMENT = frozenset({
    "CONDA_DEFAULT_ENV", "CONDA_PREFIX", "CUBLAS_WORKSPACE_CONFIG", "CUDA_DEVICE_ORDER", "CUDA_LAUNCH_BLOCKING",
    "CUDA_VISIBLE_DEVICES", "GOMAXPROCS", "HF_DATASETS_OFFLINE", "HF_HOME", "HF_HUB_OFFLINE", "HIP_VISIBLE_DEVICES",
    "JAX_ENABLE_X64", "JAX_PLATFORMS", "JULIA_NUM_THREADS", "KERAS_BACKEND", "LANG", "LC_ALL", "LC_COLLATE",
    "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LD_LIBRARY_PATH", "LD_PRELOAD", "LOCAL_RANK", "LSB_JOBID", "MASTER_ADDR",
    "MASTER_PORT", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NVIDIA_TF32_OVERRIDE",
    "NVIDIA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PBS_ARRAY_INDEX", "PBS_JOBID",
    "POLARS_MAX_THREADS", "PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONPATH", "PYTHONUTF8", "RANK",
    "ROCR_VISIBLE_DEVICES", "R_LIBS", "R_LIBS_USER", "SEED", "SGE_TASK_ID", "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID", "SLURM_CLUSTER_NAME",
    "SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_NODEID", "SLURM_NTASKS", "SLURM_PROCID", "SOURCE_DATE_EPOCH",
    "TF_CUDNN_DETERMINISTIC", "TF_DETERMINISTIC_OPS", "TF_ENABLE_ONEDNN_OPTS", "TOKENIZERS_PARALLELISM",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "TRANSFORMERS_OFFLINE", "TZ", "VECLIB_MAXIMUM_THREADS", "VIRTUAL_ENV",
    "WORLD_SIZE", "XLA_FLAGS",
})
OWN_FOLDER = "/provgraph/client/path"
RECORDED_SUFFIXES = ("_SEED",)
# fmt: on


def suspicious(words: Sequence[str]) -> bool:
    """Whether the full scrubber could change any of ``words``; false alarms are usual. Cost: 5 µs for a usual line."""
    text = "\0".join(words).lower()
    return any(hint in text for hint in HINTS)


def scrubbed_words(words: Sequence[str], extra: Sequence[str] = ()) -> list[str]:
    """``words`` without secrets.

    Parameters:
        words: a command and its arguments.
        extra: the user's further patterns, see :class:`provgraph.client.scrub.Scrubber`; where there are any, the full
            scrubber always runs. Those that are no regular expressions are left out: they were refused when the
            configuration was read, and a command must not fail because of one.
    """
    return list(words) if not extra and not suspicious(words) else _scrubber(extra).words(words)


def scrubbed_text(text: str, extra: Sequence[str] = ()) -> str:
    """The same for a shell line or any other text."""
    return text if not extra and not suspicious((text,)) else _scrubber(extra).text(text)


def recorded_environment(environ: Mapping[str, str], extra: Sequence[str] = ()) -> dict[str, str]:
    """Those variables of ``environ`` that are recorded, sorted by name, without secrets."""
    chosen = {
        name: environ[name]
        for name in sorted(environ)
        if name in RECORDED_ENVIRONMENT or name.endswith(RECORDED_SUFFIXES)
    }
    path = chosen.get("PYTHONPATH")
    if path is not None and OWN_FOLDER in path:  # what the prefix put there is no setting of the user's
        chosen["PYTHONPATH"] = ":".join(entry for entry in path.split(":") if OWN_FOLDER not in entry)
        if not chosen["PYTHONPATH"]:
            del chosen["PYTHONPATH"]
    # Each name is one of ours and tells of no secret; what is left to look at are the values.
    return chosen if not extra and not suspicious(list(chosen.values())) else _scrubber(extra).environment(chosen)


def _scrubber(extra: Sequence[str]) -> Scrubber:
    import re

    from provgraph.client.scrub import Scrubber

    usable = []
    for pattern in extra:
        try:
            re.compile(pattern)
        except re.error:
            continue
        usable.append(pattern)
    return Scrubber(usable)
