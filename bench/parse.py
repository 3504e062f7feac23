"""How long it takes to read a 2 kB alert with all rules, beside parsing and schema alone.

    python -m bench.parse [--rounds 200]

All figures are of one run: the things that are measured take turns, so a
busy machine slows them alike. The median of all rounds is printed, in microseconds of
processor time (what others do meanwhile does not count), and the ratio to bare lxml.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from typing import TYPE_CHECKING

from lxml import etree

from schemas.cap import NAMESPACE_12, alert_facts, read_alert
from schemas.cap.structure import schema_text
from schemas.places import touched

if TYPE_CHECKING:
    from collections.abc import Callable

ALERT = f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="{NAMESPACE_12}">
  <identifier>2.49.0.1.31.0.2026.11.23.14.00.42</identifier>
  <sender>duty@fhn.gov.az</sender>
  <sent>2026-11-23T14:00:00+04:00</sent>
  <status>Actual</status>
  <msgType>Update</msgType>
  <scope>Public</scope>
  <references>duty@fhn.gov.az,2.49.0.1.31.0.2026.11.23.10.00.41,2026-11-23T10:00:00+04:00</references>
  <incidents>SS-2026-000042-AZE</incidents>
  <info>
    <language>en</language>
    <category>Met</category>
    <event>Storm surge</event>
    <responseType>Evacuate</responseType>
    <urgency>Expected</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <eventCode><valueName>OET:v1.2</valueName><value>OET-189</value></eventCode>
    <effective>2026-11-23T14:00:00+04:00</effective>
    <onset>2026-11-23T20:00:00+04:00</onset>
    <expires>2026-11-24T08:00:00+04:00</expires>
    <senderName>Ministry of Emergency Situations of Azerbaijan</senderName>
    <headline>Storm surge expected on the Absheron coast tonight</headline>
    <description>Northerly winds of 25 m/s will raise the level of the sea by up to 1.5 m along
the northern coast of the Absheron peninsula. Low-lying roads will be flooded.</description>
    <instruction>Leave beaches, piers and low ground before 19:00.</instruction>
    <web>https://fhn.gov.az/alerts/42</web>
    <contact>112</contact>
    <parameter><valueName>surge height</valueName><value>1.5 m</value></parameter>
    <area>
      <areaDesc>Absheron peninsula, northern coast</areaDesc>
      <polygon>40.42,49.62 40.63,49.62 40.66,49.90 40.62,50.14 40.50,50.41 40.38,50.42 40.44,50.15 \
40.47,49.85 40.42,49.62</polygon>
      <geocode><valueName>ISO 3166-2</valueName><value>AZ-BA</value></geocode>
    </area>
  </info>
</alert>
""".encode()

CALLS = 50
"""Calls in one round of one thing."""


def bare() -> Callable[[], object]:
    """Return what a program without rules does: parse, and ask the schema."""
    schema = etree.XMLSchema(etree.fromstring(schema_text(NAMESPACE_12)))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    return lambda: schema.validate(etree.fromstring(ALERT, parser))


def places() -> Callable[[], object]:
    """Return what asking for an alert's places does, its first time: a new alert on each call."""
    area = alert_facts(read_alert(ALERT).alert).areas[0]
    count = itertools.count()
    return lambda: touched([area.model_copy(update={"description": str(next(count))})])


def measured(things: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median microseconds of one call of each thing; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, thing in things.items():
            start = time.process_time()
            for _ in range(CALLS):
                thing()
            times[name].append((time.process_time() - start) / CALLS * 1e6)
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    assert not read_alert(ALERT).warnings
    found = measured(
        {
            "lxml parse + schema": bare(),
            "read_alert, all rules": lambda: read_alert(ALERT),
            "read_alert + alert_facts": lambda: alert_facts(read_alert(ALERT).alert),
            "its places alone": places(),
        },
        rounds,
    )
    base = found["lxml parse + schema"]
    print(f"an alert of {len(ALERT)} bytes, median of {rounds} rounds")
    for name, micros in found.items():
        print(f"{name:26} {micros:7.1f} µs {micros / base:5.1f} x bare {1e6 / micros:9,.0f} /s")


if __name__ == "__main__":
    main()
