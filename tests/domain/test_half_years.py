"""The satisfaction with one ASN is served for a half-year, from thirty ratings on, where the rest hides ten or none."""

from domain.fold.blocks import Block, Given, mask_of
from domain.fold.half_years import half_years, served
from domain.measures import INDEX
from domain.periods import parse_period


def block(number: int, service: str = "ktp", **numbers: int) -> tuple[str, Block]:
    """A published block of October in which so many ratings name each ASN; ``nobody`` counts those that name none."""
    ratings = [
        Given(f"{name}{at}-{number}", "" if name == "nobody" else name, (3,) * 9)
        for name, count in numbers.items()
        for at in range(count)
    ]
    return "2026-10", Block(service, False, number, ratings, [], mask_of(ratings), "t")  # noqa: FBT003 - surveys


def numbers_of(*blocks: tuple[str, Block]) -> dict[str, int]:
    return {asn: dict(amounts)[INDEX["respondents"]] for asn, amounts in served(blocks).items()}


def test_thirty_ratings_are_needed() -> None:
    assert numbers_of(block(1, a=29, nobody=10)) == {}
    assert numbers_of(block(1, a=20, nobody=10), block(2, a=10)) == {"a": 30}


def test_what_is_left_of_each_cell_is_none_or_ten() -> None:
    assert numbers_of(block(1, a=30)) == {"a": 30}
    assert numbers_of(block(1, a=30, nobody=9)) == {}
    assert numbers_of(block(1, a=30, b=9)) == {}
    assert numbers_of(block(1, a=30, nobody=4, b=6)) == {"a": 30}
    assert numbers_of(block(1, a=30), block(1, "kia", a=20, b=5)) == {}


def test_one_who_is_not_served_counts_for_the_rest_of_the_others() -> None:
    """B is left out by the second service, and then hides with nine others in the first: a is served."""
    assert numbers_of(block(1, a=40, b=30), block(1, "kia", b=10, nobody=3)) == {"a": 40}


def test_a_year_is_two_half_years_and_a_quarter_none() -> None:
    assert [half.name for half in half_years(parse_period("2026"))] == ["2026-S1", "2026-S2"]
    assert half_years(parse_period("2026-Q4")) == half_years(parse_period("2026-10")) == ()
    assert half_years(parse_period("2026-S2")) == (parse_period("2026-S2"),)
