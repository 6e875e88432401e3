"""The desk: what list managers and privacy officers do, in a browser."""

from flask import Blueprint
from werkzeug.wrappers import Response

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]  # of a page
pages = Blueprint("desk", __name__, url_prefix="/admin")
