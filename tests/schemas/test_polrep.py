"""Pollution reports: each rule broken and just kept, what people type, what is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polrep_cases import BASE, CASES, Case, report
from polrep_strategies import moments, reports
from pydantic import ValidationError

from schemas.errors import Rejected
from schemas.polrep import RULES, Moment, Polrep, Polwarn, is_polrep, read_polrep, write_polrep
from schemas.polrep.moment import read_moment, write_moment
from schemas.polrep.position import Misplaced, points_of, radius_km, tonnes_of, write_point
from tests.examples import examples


def found(data: bytes) -> list[tuple[str, str]]:
    """Return rules and paths of what was found; a refusal always has findings and a remedy."""
    try:
        findings = read_polrep(data).warnings
    except Rejected as refusal:
        findings = refusal.findings if refusal.remedy else ()
        findings = findings or pytest.fail("a refusal without findings or remedy")
    return [(finding.rule, finding.path) for finding in findings]


def test_the_report_that_the_cases_change_breaks_nothing() -> None:
    read = read_polrep(report())

    assert read.warnings == ()
    assert (read.report.urgent, read.report.exercise) == (True, True)
    assert read.report.recipients == ("KZ", "TM")
    assert read.report.polwarn is not None
    assert read.report.polwarn.position == "40-21.5N 049-52.0E, 5 NM SE OF BAKU"
    assert read.report.polwarn.acknowledge == "ACKNOWLEDGE"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_report_that_breaks_one_rule_gets_one_finding(case: Case) -> None:
    assert found(report(*case.breaks)) == [(case.rule, case.path)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_report_that_just_keeps_the_rule_gets_none(case: Case) -> None:
    assert found(report(*case.keeps)) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_error_refuses_and_a_warning_is_carried_along(case: Case) -> None:
    data = report(*case.breaks)

    if RULES[case.rule] == "warning":
        assert [finding.rule for finding in read_polrep(data).warnings] == [case.rule]
        return
    with pytest.raises(Rejected) as refusal:
        read_polrep(data)
    assert refusal.value.code in {"not-polrep", "rule-broken"}


def test_every_rule_has_its_case() -> None:
    assert {case.rule for case in CASES} == set(RULES)


def test_a_finding_has_the_line_in_which_the_field_begins() -> None:
    data = report(("TANKER GROUNDING", "TANKER\n  GROUNDING"), ("181030Z", "AT NOON"))

    with pytest.raises(Rejected) as refusal:
        read_polrep(data)

    (finding,) = refusal.value.findings
    assert finding.line is not None
    assert data.decode().splitlines()[finding.line - 1] == "40. DATE AND TIME: AT NOON"


def test_the_bare_style_of_the_telex_is_read() -> None:
    read = read_polrep(
        b"address from AZ to KZ, TM and RU\r\n181100z june\r\nPOLREP CASPIAN\r\n"
        b"AZ/GUNESHLI/2 FINAL\r\n\r\n"
        b"1   181000z\r\n2   40-21N 049-52E\r\n3   tanker\r\n    grounding\r\n"
        b"81  booms and\r\n2 tugs\r\n84  off Baku\r\nBT\r\n"
    )

    assert read.warnings == ()
    assert read.report.sender == "AZ"
    assert read.report.recipients == ("KZ", "TM", "RU")
    assert str(read.report.serial) == "AZ/GUNESHLI/2 FINAL"
    assert read.report.polwarn is not None
    assert read.report.polwarn.incident == "tanker grounding"
    assert read.report.polfac is not None
    assert read.report.polfac.request == "booms and 2 tugs"


@pytest.mark.parametrize(
    "line",
    [
        "41. 40-22N 049-55E",
        "41) Position: 40-22N 049-55E",
        "41. POSITION AND/OR EXTENT OF POLLUTION ON/ABOVE/IN THE SEA: 40-22N 049-55E",
        "41: position and extent of pollution - 40-22N 049-55E",
        "41.Position and extent of pollution 40-22N 049-55E",
    ],
)
def test_the_name_that_a_form_prints_is_no_text(line: str) -> None:
    read = read_polrep(report(("41. POSITION: 40-22N 049-55E, LENGTH 2 NM", line)))

    assert read.report.polinf is not None
    assert read.report.polinf.position == "40-22N 049-55E"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xfePOLREP", "not-polrep"),
        (b"POLREP\nNothing numbered\n", "rule-broken"),
        (b"Dear colleagues,\nthere is oil on the water.\n", "not-polrep"),
        (b"POLREP" + b" " * 70_000, "too-large"),
    ],
)
def test_what_is_no_report_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read_polrep(data)

    assert refusal.value.code == code
    assert refusal.value.findings


def test_only_text_that_says_so_is_taken_for_a_report() -> None:
    assert is_polrep(report())
    assert is_polrep(b"1. 181000Z\n(polwarn)")
    assert not is_polrep(b"<alert>POLREP</alert>")
    assert not is_polrep(b'\xef\xbb\xbf {"POLREP": 1}')
    assert not is_polrep(b"1. 181000Z")
    assert not is_polrep(b"")


@given(reports())
@examples(50)
def test_what_is_written_reads_back_equal(made: Polrep) -> None:
    assert read_polrep(write_polrep(made)).report == made


@given(st.data())
@examples(60)
def test_damaged_reports_are_read_or_rejected_and_nothing_else(data: st.DataObject) -> None:
    text = bytearray(BASE, "utf-8")
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(text)))
        much = data.draw(st.integers(0, 20))
        text[at : at + much] = data.draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from(
                    [b"\n", b"\n81. ", b"1 ", b"40-99N ", b"/", b"FINAL", b"0", "°²٣".encode()]
                ),
            )
        )

    if all(RULES[rule] == "warning" for rule, _ in found(bytes(text))):
        made = read_polrep(bytes(text)).report
        assert read_polrep(write_polrep(made)).report == made


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text",
    ["!" * 60_000 + "x", "EXERCISE " * 6_000 + "x", "PART I " * 8_000, "2 x\n" * 15_000,
     "2. " + "40-21 " * 1_300, "4. " + "111 " * 1_900, "41. " + "2 NM BY " * 900, "7. x\n" * 9_000],
    ids=lambda text: text[:8].strip(),
)  # fmt: skip
def test_a_hostile_report_is_judged_in_no_time(text: str) -> None:
    head = "FROM: a\nTO: b\n181100Z JUN 2026\nAZ/X/1\n"

    assert found(f"{head}{text}".encode())
    assert found(f"{head}1. 181000Z\n{text}".encode())


@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=400).map(lambda t: t.encode("utf-8", "surrogatepass")),
    )
)
@examples(50)
def test_any_bytes_are_read_or_rejected(data: bytes) -> None:
    assert isinstance(found(b"POLREP\n1. " + data), list)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("181100z", "181100Z"),
        ("18 1100 UTC june", "181100Z JUN"),
        ("181100ZJUN26", "181100Z JUN 2026"),
        ("18 June 2026 11:00 GMT", "181100Z JUN 2026"),
        ("2026-06-18 11:00:00 Z", "181100Z JUN 2026"),
        ("18/06/2026 15:00 +04:00", "181500+0400 JUN 2026"),
        ("181100 lt", "181100LT"),
        ("291100Z FEB", "291100Z FEB"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, written: str) -> None:
    assert write_moment(read_moment(text)) == written


@pytest.mark.parametrize(
    "text",
    ["", "noon", "181160Z", "182400Z", "001100Z", "181100Z JU", "291100Z FEB 2026", "181100+0460",
     "181100+1500", "181100Z JUN 1826", "1811000Z", "18.13.2026 11:00", "٢٨١١٠٠Z"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="date and time"):
        read_moment(text)


@given(moments(), st.datetimes(datetime(1950, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis asks for naive bounds
@examples(60)
def test_the_nearest_moment_is_meant(moment: Moment, at: datetime) -> None:
    meant = moment.near(at)

    assert (meant.day, meant.hour, meant.minute) == (moment.day, moment.hour, moment.minute)
    assert meant.month == (moment.month or meant.month)
    assert meant.year == (moment.year or meant.year)
    if moment.month is None:
        assert abs(meant - at) <= timedelta(days=46)


def test_a_report_of_december_that_is_read_in_january_is_of_last_year() -> None:
    at = datetime(2027, 1, 2, tzinfo=UTC)

    assert read_moment("301100Z").near(at) == datetime(2026, 12, 30, 11, tzinfo=UTC)
    assert read_moment("301100Z DEC").near(at) == datetime(2026, 12, 30, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("40-21N 049-52E", [(40.35, 49.866667)]),
        ("4021N 04952E", [(40.35, 49.866667)]),
        ("40 21.0 N 49 52 E", [(40.35, 49.866667)]),
        ("40°21'N 049°52'E", [(40.35, 49.866667)]),
        ("40°21'00\"N, 049°52'00\"E", [(40.35, 49.866667)]),
        ("40-21-30N 049-52-30E", [(40.358333, 49.875)]),
        ("40.35N 49.87E", [(40.35, 49.87)]),
        ("40,35°N 49,87°E", [(40.35, 49.87)]),
        ("33-52S 151-12W", [(-33.866667, -151.2)]),
        ("40N", []),
        ("5 NM SE OF BAKU", []),
        ("OFF BAKU, 10 W", []),
        ("40-21N 049-52E 41-00N 050-00E", [(40.35, 49.866667), (41.0, 50.0)]),
    ],
)  # fmt: skip
def test_positions_are_read_as_people_write_them(
    text: str, points: list[tuple[float, float]]
) -> None:
    assert [(round(lat, 6), round(lon, 6)) for lat, lon in points_of(text)] == points


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_written_point_is_within_two_metres(latitude: float, longitude: float) -> None:
    ((lat, lon),) = points_of(write_point((latitude, longitude)))

    assert abs(lat - latitude) < 1e-5
    assert abs(lon - longitude) < 1e-5


@given(st.text(st.sampled_from("0123456789.,°'\"-NSEWD G"), max_size=60))
@examples(60)
def test_whatever_looks_like_a_position_is_one_or_misplaced(text: str) -> None:
    try:
        points = points_of(text)
    except Misplaced:
        return
    assert all(abs(lat) <= 90 and abs(lon) <= 180 for lat, lon in points)


@pytest.mark.parametrize(
    ("text", "km"),
    [
        ("RADIUS 2 NM", 3.704),
        ("2 NM RADIUS", 3.704),
        ("LENGTH 2 NM, WIDTH 0.5 NM", 1.852),
        ("SLICK 3 KM LONG", 1.5),
        ("2 NM X 800 M", 1.852),
        ("800 M BY 2 KM", 1.0),
        ("5 NM SE OF BAKU", None),
        ("RADIUS 0 NM", None),
    ],
)
def test_the_extent_is_told_from_a_bearing(text: str, km: float | None) -> None:
    assert radius_km(text) == (None if km is None else pytest.approx(km))


@pytest.mark.parametrize(
    ("text", "tonnes"),
    [
        ("CRUDE OIL 300 TONNES", 300),
        ("1,500 t, 20 t recovered", 1500),
        ("NOT YET FUEL OIL", None),
        ("2 TUGS", None),
    ],
)
def test_tonnes_are_found(text: str, tonnes: float | None) -> None:
    assert tonnes_of(text) == tonnes


def test_a_model_refuses_what_could_not_be_read_back() -> None:
    with pytest.raises(ValidationError):
        Polwarn(incident="two\x00parts")
    with pytest.raises(ValidationError):
        Polwarn()
    assert Polwarn(incident=" two \n lines ").incident == "two lines"
