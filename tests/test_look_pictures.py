"""A list's logo: known by what is in the file, measured without drawing it."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from subscriptions.look.pictures import OCTETS_AT_MOST, NoPicture, read_picture
from subscriptions.settings import ListSettings, Settings
from subscriptions.settings.check import problems_of

SVG = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" {}><path d="M0 0h1"/></svg>'


def drawn(kind: str, size: tuple[int, int] = (301, 97), **how: object) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#14634b").save(out, kind, **how)
    return out.getvalue()


FILES = {
    "logo.png": drawn("PNG"),
    "logo.PNG": drawn("PNG"),
    "logo.jpg": drawn("JPEG"),
    "progressive.jpeg": drawn("JPEG", progressive=True, exif=Image.Exif()),
    "lossy.webp": drawn("WEBP"),
    "lossless.webp": drawn("WEBP", lossless=True),
    "extended.webp": drawn("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
    "box.svg": SVG.format('viewBox="0 0 301 97"').encode(),
    "sides.svg": SVG.format('width="301px" height="97"').encode(),
}


def stored(folder: Path, name: str, octets: bytes) -> Path:
    path = folder / name
    path.write_bytes(octets)
    return path


def told(folder: Path, logo: str, colour: str = "") -> list[str]:
    return problems_of(Settings(lists=(replace(ListSettings(), logo=logo, colour=colour),), root=folder))


@pytest.mark.parametrize("name", FILES)
def test_a_picture_of_each_type_is_measured(tmp_path: Path, name: str) -> None:
    picture = read_picture(stored(tmp_path, name, FILES[name]))
    assert (picture.width, picture.height) == (301, 97)
    assert told(tmp_path, name) == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("octets", [b"", b"<html>", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_not_what_its_name_says_is_refused_in_a_sentence(
    tmp_path: Path, name: str, octets: bytes
) -> None:
    path = stored(tmp_path, name, octets)
    with pytest.raises(NoPicture):
        read_picture(path)
    assert told(tmp_path, name) == [
        f'logo in [[lists]] "newsletter" names {path}, which is not a picture of the type in its file name.'
    ]


@pytest.mark.parametrize("size", range(4, 40, 3))
@pytest.mark.parametrize("name", FILES)
def test_a_picture_that_was_cut_off_stops_nothing_but_itself(tmp_path: Path, name: str, size: int) -> None:
    path = stored(tmp_path, name, FILES[name][:size])
    try:
        assert read_picture(path).width > 0
    except NoPicture:
        assert told(tmp_path, name)


@pytest.mark.parametrize("svg", ['viewBox="0 0 0 10"', 'viewBox="0 0 1e999 9"', "", 'width="100%" height="100%"'])
def test_a_drawing_without_a_size_is_refused(tmp_path: Path, svg: str) -> None:
    stored(tmp_path, "logo.svg", SVG.format(svg).encode())
    assert told(tmp_path, "logo.svg")


def test_a_missing_file_an_unknown_type_and_a_wrong_colour_each_get_a_sentence(tmp_path: Path) -> None:
    assert "which cannot be read" in told(tmp_path, "none.png")[0]
    assert "must be a file that ends in" in told(tmp_path, "logo.gif")[0]
    assert 'must be a colour such as "#14634b"' in told(tmp_path, "", "green")[0]


def test_a_picture_that_would_slow_every_page_is_refused(tmp_path: Path) -> None:
    stored(tmp_path, "logo.png", FILES["logo.png"] + b"\0" * OCTETS_AT_MOST)
    assert "larger than 200 kB" in told(tmp_path, "logo.png")[0]


@pytest.mark.parametrize(("size", "shown"), [((400, 100), (192, 48)), ((100, 100), (48, 48)), ((2000, 100), (240, 12))])
def test_a_picture_is_drawn_in_its_own_shape(tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]) -> None:
    picture = read_picture(stored(tmp_path, "logo.png", drawn("PNG", size)))
    assert picture.size_at(48, 240) == shown


def test_another_picture_has_another_version(tmp_path: Path) -> None:
    one, same, other = (read_picture(stored(tmp_path, f"{n}.png", drawn("PNG", (n, 9)))) for n in (8, 8, 9))
    assert one.version == same.version != other.version
