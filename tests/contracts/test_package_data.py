"""What lies beside the code and is read by it goes into the package."""

import tomllib

from tests.contracts.closure import CHECKOUT

TEDIGAN = CHECKOUT / "tedigan"


def test_every_file_beside_the_code_is_shipped() -> None:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["tedigan"]
    shipped = {file for pattern in patterns for file in TEDIGAN.glob(pattern)}
    files = {path for path in TEDIGAN.rglob("*") if path.is_file()}
    beside = {file for file in files if file.suffix != ".py" and "__pycache__" not in file.parts}
    assert beside == shipped
    assert {"style.css", "report_page.html"} <= {file.name for file in shipped}
