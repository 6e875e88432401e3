"""The desk: what list managers and privacy officers do, in a browser."""

from flask import Blueprint

pages = Blueprint("desk", __name__, url_prefix="/admin")
