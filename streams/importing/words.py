"""The words of a written time: months and weekdays in Indonesian and English, and abbreviations of zones."""

from typing import Final

_MONTHS: Final = (
    "januari january jan",
    "februari february pebruari feb peb",
    "maret march mar mrt",
    "april apr",
    "mei may",
    "juni june jun",
    "juli july jul",
    "agustus august agu agt ags agst aug",
    "september sept sep",
    "oktober october okt oct",
    "november nopember nov nop",
    "desember december des dec",
)
MONTHS: Final = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
"""The number of each month, by its names and short forms in small letters."""

_WEEKDAYS: Final = (
    "senin selasa rabu kamis jumat jum'at sabtu minggu ahad sen sel rab kam jum sab min "
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun"
)
WEEKDAYS: Final = tuple(_WEEKDAYS.split())
"""A weekday adds nothing to a date: it is read over."""

_HOURS: Final = {
    "z utc gmt ut wet": 0.0,
    "cet west": 1,
    "cest eet": 2,
    "eest msk": 3,
    "wib": 7,
    "wita hkt": 8,
    "wit jst kst": 9,
    "aest": 10,
    "aedt": 11,
    "nzst": 12,
    "nzdt": 13,
    "edt": -4,
    "est cdt": -5,
    "cst mdt": -6,
    "mst pdt": -7,
    "pst": -8,
}
ZONE_MINUTES: Final = {word: int(hours * 60) for words, hours in _HOURS.items() for word in words.split()}
"""The offset in minutes of each abbreviation that `%z` reads; the American ones are those of RFC 5322, section 4.3."""
_OTHERS: Final = "bst ist ast adt akst akdt hst nst ndt acst acdt awst sgt pht ict sast cat eat wat"
OTHER_ZONES: Final = frozenset(_OTHERS.split())
"""Abbreviations that name a zone, but not one offset everywhere; `%z` does not read them."""
ZONE_PHRASES: Final = ("waktu indonesia barat", "waktu indonesia tengah", "waktu indonesia timur", "zulu")
