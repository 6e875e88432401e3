"""Where files lie: beside the package in the project's folder; inside it where it was installed from a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
IS_INSTALLED = (_PACKAGE / "templates").is_dir()  # the wheel has them there (pyproject.toml)
SHIPPED = _PACKAGE if IS_INSTALLED else _PACKAGE.parent  # app.py, templates, translations
APP = "subscriptions.app" if IS_INSTALLED else "app"  # the module


def home() -> Path:
    """Where config.toml and relative paths are looked for: nobody keeps data among installed packages."""
    return Path.cwd() if IS_INSTALLED else SHIPPED
