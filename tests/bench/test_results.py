"""What a run leaves behind: a page, a picture, a file."""

import json
from xml.etree import ElementTree as ET

import pytest

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {
    "queues/Coordinate (each answer after a sync), two calls": 100.0,
    "queues/beanstalkd (nothing), two calls": 400.0,
    "queues/Redis lists (nothing), adding": 900.0,
    "ceiling/echo-64": 5.0,
}


@pytest.fixture
def report(bench, capsys):
    made = bench("report").Report({"kernel": "Linux"})
    made.begin("queues")
    made.table("A title", "system", "units/s").add("Coordinate", "100")
    made.figure("rate", 100.0)
    capsys.readouterr()
    return made


@pytest.fixture
def asked(bench):
    return bench("report").Asked(rounds=5, seconds=2.0, sustained=60.0, large=False)


def bars(picture):
    return [float(bar.attrib["width"]) for bar in ET.fromstring(picture).iter(f"{SVG}rect")]


def test_a_picture_has_a_bar_for_each_rate_of_a_queue(bench):
    assert len(bars(bench("pictures").picture(FIGURES))) == 3


def test_bars_of_one_group_are_as_long_as_their_rates(bench):
    first, second, _ = bars(bench("pictures").picture(FIGURES))
    assert first == pytest.approx(second * 4)


def test_a_picture_says_what_is_durable(bench):
    texts = [text.text for text in ET.fromstring(bench("pictures").picture(FIGURES))]
    assert "Coordinate durable, two calls" in texts


def test_a_picture_of_nothing_is_a_picture(bench):
    assert bars(bench("pictures").picture({})) == []


def test_tables_take_the_place_of_those_before(bench, report, asked, tmp_path):
    page = bench("page")
    path = tmp_path / "page.md"
    path.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n", encoding="utf-8")
    page.update(path, report, asked)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| Coordinate | 100 |" in text
    assert "old" not in text


def test_tables_put_twice_are_there_once(bench, report, asked, tmp_path):
    page = bench("page")
    path = tmp_path / "page.md"
    path.write_text(f"{page.BEGIN}{page.END}", encoding="utf-8")
    page.update(path, report, asked)
    once = path.read_text(encoding="utf-8")
    page.update(path, report, asked)
    assert path.read_text(encoding="utf-8") == once


def test_a_page_without_a_place_for_tables_stays_as_it_is(bench, report, asked, tmp_path):
    path = tmp_path / "page.md"
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(SystemExit, match="no place for tables"):
        bench("page").update(path, report, asked)
    assert path.read_text(encoding="utf-8") == "nothing"


def test_a_file_has_the_figures_and_what_they_were_measured_on(report, tmp_path):
    path = tmp_path / "results.json"
    report.write(path)
    said = json.loads(path.read_text(encoding="utf-8"))
    assert said["machine"] == {"kernel": "Linux"}
    assert said["figures"] == {"queues/rate": 100.0}


def test_what_is_left_out_is_in_the_page(report, capsys):
    report.leave_out("beanstalkd", "it is not installed")
    assert report.markdown().endswith("Left out: beanstalkd: it is not installed.")
    assert "beanstalkd" in capsys.readouterr().err


def test_a_target_is_judged_where_its_figures_are_there(bench, report, capsys):
    report.figures |= {"ceiling/memory-64": 60.0, "ceiling/echo-64": 100.0}
    bench("targets").judge(report)
    (table,) = report.parts["targets"]
    assert table.rows == [
        ["calls at 64 connections, memory, to the echo", "0.60", "at least 0.7", "no"]
    ]
    assert "at least 0.7" in capsys.readouterr().out


def test_the_largest_of_what_should_be_small_is_judged(bench, report):
    report.figures |= {"steady/one, ms p99": 4.0, "steady/two, ms p99": 5.0}
    bench("targets").judge(report)
    assert report.parts["targets"][0].rows[0][1:] == ["5.00", "at most 5", "yes"]
