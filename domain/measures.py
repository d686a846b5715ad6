"""The closed, ordered list of measures. A balance is one integer for each; `docs/reference/digest.md` says what each counts."""

from typing import Final

UNSUR: Final = (
    "persyaratan",
    "prosedur",
    "waktu",
    "biaya",
    "produk",
    "kompetensi",
    "perilaku",
    "pengaduan",
    "sarana",
)
CAPS: Final = (100, 110, 120, None)


def cap_name(cap: int | None) -> str:
    """The spelling of a cap in the name of a measure."""
    return "none" if cap is None else str(cap)


MEASURES: Final = (
    "permits",
    "permits_with_standard",
    "permits_on_time",
    "permits_rejected",
    "permits_elapsed_us",
    "capaian_n",
    *(f"capaian_sum_{cap_name(cap)}" for cap in CAPS),
    *(f"capaian_sq_{cap_name(cap)}" for cap in CAPS),
    "tasks",
    "tasks_with_due",
    "tasks_on_time",
    "tasks_self_reported",
    "respondents",
    *(f"unsur_n_{unsur}" for unsur in UNSUR),
    *(f"unsur_sum_{unsur}" for unsur in UNSUR),
    "respondent_mean_sum",
    "respondent_mean_sq",
    "overall_n",
    "overall_sum",
    "overall_sq",
    "received",
)


class _Index(dict[str, int]):
    def __missing__(self, name: str) -> int:
        message = f"{name} is no measure of domain/measures.py"
        raise KeyError(message)


INDEX: Final = _Index((name, index) for index, name in enumerate(MEASURES))
"""The place of each measure in a balance."""
WIDTH: Final = len(MEASURES)

COUNTS: Final = frozenset(
    name for name in MEASURES if "_sum" not in name and "_sq" not in name and not name.endswith("_us")
)
BASIS_POINTS: Final = frozenset(
    [*(f"capaian_sum_{cap_name(cap)}" for cap in CAPS), "respondent_mean_sum", "overall_sum"],
)
