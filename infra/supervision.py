"""What supervisord reads: which parts there are, how each is started, and in which environment."""

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

from tedigan.errors import StoreError

GROUPS = ("prefect", "mlflow")  # whose servers have children that end with them


def write_configuration(
    path: Path, root: Path, parts: Mapping[str, tuple[list[str], Mapping[str, str]]]
) -> None:
    """Write a supervisord.conf; its socket, logs and pid lie beside it.

    root: where the parts run. parts: name -> command and environment.
    """
    config = configparser.RawConfigParser()
    socket = path.with_name("supervisor.sock")
    config["unix_http_server"] = {"file": str(socket), "chmod": "0700"}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisorctl"] = {"serverurl": f"unix://{socket}"}
    config["supervisord"] = {
        "logfile": str(path.with_name("supervisord.log")),
        "pidfile": str(path.with_name("supervisord.pid")),
        "directory": str(root),
    }
    for name, (command, environment) in parts.items():
        config[f"program:{name}"] = {
            "command": " ".join(command).replace("%", "%%"),
            "environment": _quoted(environment),
            "directory": str(root),
            "autorestart": "true",
            "startretries": "1000000",  # a part waits for those that it needs
            "startsecs": "5",
            "stopwaitsecs": "30",
            "stopasgroup": "true" if name in GROUPS else "false",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(path.with_name(f"{name}.log")),
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": "2",
        }
    with path.open("w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)  # it names the keys of the bucket
        config.write(file)


def check_path(folder: Path) -> None:
    """Refuse at once what supervisord or a socket cannot have in a path."""
    if set(str(folder)) & set(" \"'\\%,;+&?#") or len(str(folder)) > 80:
        raise StoreError(
            f"{folder} has a space, a quote or one of % , ; + & ? # in it, or more than 80 letters; expected a "
            "plain path, as a socket lies there. Clone the checkout elsewhere."
        )


def _quoted(environment: Mapping[str, str]) -> str:
    """As supervisord reads it."""
    return ",".join(f'{k}="{v}"'.replace("%", "%%") for k, v in environment.items())
