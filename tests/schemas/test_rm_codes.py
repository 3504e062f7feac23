"""What an aid message is told of codes that are not of their list."""

from __future__ import annotations

import pytest
from rm_cases import LAST, OFFER, message, outcome

from schemas.cap.structure import MAX_FINDINGS
from schemas.rm import check_aid, read_aid
from schemas.vocab import Vocabulary

CODE = ">vessel-recovery<"


def told(*changes: tuple[str, str]) -> str:
    (finding,) = outcome(message(*changes))
    assert finding.rule == "A36"
    return finding.message


def test_the_code_that_was_meant_is_offered() -> None:
    assert told((CODE, ">Vessel-recovry<")) == (
        "'Vessel-recovry' is no code of Oil spill response resources of the Caspian, 1.0; "
        "did you mean 'vessel-recovery'?"
    )


def test_where_none_is_near_none_is_offered_and_long_codes_are_cut() -> None:
    text = told((CODE, f">{'q' * 5000}<"))

    assert "did you mean" not in text
    assert len(text) < 200


def test_a_retired_code_is_told_with_what_to_use() -> None:
    assert told((">C62<", ">HAR<")).endswith("use H18")


def test_a_list_may_be_named_in_capitals_where_urns_allow_it() -> None:
    assert "did you mean" in told((CODE, ">vessel-recover<"), ("urn:caspian", "URN:CASPIAN"))


def test_a_price_in_a_unit_of_the_list_is_judged_too() -> None:
    price = "<rm:QuantityText>free of charge</rm:QuantityText>"
    unit = OFFER[OFFER.index("<rm:UnitOfMeasure>") : OFFER.index("</rm:MeasuredQuantity>")]
    amount = f"<rm:MeasuredQuantity><rm:Amount>1</rm:Amount>{unit}</rm:MeasuredQuantity>"

    assert "'USD' is no code of Units of measure" in told((price, amount.replace(">C62<", ">USD<")))


def test_no_more_is_looked_for_than_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def nearest(_: Vocabulary, code: str) -> None:
        asked.append(code)

    monkeypatch.setattr(Vocabulary, "nearest", nearest)
    item = OFFER[OFFER.index("  <m:ResourceInformation>") : OFFER.index(LAST)] + LAST
    items = [
        item.replace("ElementID>1<", f"ElementID>{i}<").replace(CODE, f">vessel-{i}<")
        for i in range(2, 3 * MAX_FINDINGS)
    ]
    reading = read_aid(message((LAST, LAST + "".join(items))))

    asked.clear()
    findings = check_aid(reading.message)

    assert len(findings) == len(asked) == MAX_FINDINGS
    assert [f.path.split("/")[1] for f in findings] == [
        f"ResourceInformation[{i}]" for i in range(2, MAX_FINDINGS + 2)
    ]
