"""The words of the pages, as data: Bahasa Indonesia first, English second."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

from domain.periods import Period

LANGUAGES: Final = ("id", "en")
_MONTHS: Final = {
    "id": [
        "Januari",
        "Februari",
        "Maret",
        "April",
        "Mei",
        "Juni",
        "Juli",
        "Agustus",
        "September",
        "Oktober",
        "November",
        "Desember",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_SPANS: Final = {"id": ("Triwulan", "Semester"), "en": ("Quarter", "Half-year")}
_ROMAN: Final = ("I", "II", "III", "IV")
_ZONES: Final = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}

WORDS: Final[dict[str, tuple[str, str]]] = {
    "board": ("Papan kinerja perangkat daerah", "Performance board of agencies"),
    "board_short": ("Papan kinerja", "Board"),
    "skip": ("Langsung ke isi", "Skip to the content"),
    "main": ("Utama", "Main"),
    "simulated": ("Data simulasi", "Simulated data"),
    "simulated_note": (
        "Seluruh data pada halaman ini disimulasikan; bukan kinerja pegawai atau perangkat daerah yang sebenarnya.",
        "Everything on this page is simulated; it is nobody's real performance.",
    ),
    "loading": ("Riwayat simulasi sedang dimuat", "Simulated history is being loaded"),
    "position": ("posisi", "position"),
    "read_at": ("dibaca", "read"),
    "period": ("Periode", "Period"),
    "show": ("Tampilkan", "Show"),
    "months": ("Bulan", "Months"),
    "longer": ("Triwulan, semester, tahun", "Quarters, half-years, years"),
    "running": ("berjalan", "running"),
    "thin": (
        "Data bulan berjalan masih tipis, jadi yang ditampilkan adalah bulan penuh terakhir. Bulan berjalan tetap dapat dipilih.",
        "The running month is still thin, so the last full month is shown. The running month can be chosen.",
    ),
    "rank": ("Peringkat", "Rank"),
    "dinas": ("Perangkat daerah", "Agency"),
    "score": ("Nilai kinerja (gabungan IKU)", "Performance score (composite IKU)"),
    "score_asn": ("Nilai kinerja individu", "Individual performance score"),
    "value": ("Nilai", "Value"),
    "kecepatan": ("Kecepatan pelayanan", "Speed of service"),
    "kepuasan": ("Kepuasan masyarakat", "Citizen satisfaction"),
    "ketepatan_waktu": ("Ketepatan waktu tugas", "Timeliness of tasks"),
    "kecepatan_short": ("Kecepatan", "Speed"),
    "kepuasan_short": ("Kepuasan", "Satisfaction"),
    "ketepatan_waktu_short": ("Tepat waktu", "On time"),
    "open_short": ("Terbuka", "Open"),
    "open_files": ("Berkas terbuka", "Open files"),
    "overdue": ("Lewat standar", "Beyond the standard"),
    "within": ("Masih dalam standar", "Within the standard"),
    "act": ("perlu tindakan", "act on these"),
    "insufficient": ("belum cukup data", "not enough data"),
    "insufficient_group": ("Belum cukup data: tanpa nilai, tanpa peringkat", "Not enough data: no value, no rank"),
    "apart": ("Diperingkat tersendiri: tanpa", "Ranked apart: without"),
    "of": ("dari", "of"),
    "nothing": ("belum ada data", "no data yet"),
    "no_subjects": ("Belum ada perangkat daerah yang tercatat.", "No agency is recorded yet."),
    "unregistered": ("belum terdaftar", "not registered"),
    "conversation": (
        "Nilai adalah bahan percakapan, bukan putusan.",
        "A score is matter for a conversation, not a verdict.",
    ),
    "by_value": (
        "Urutan menurut nilai. Rentang ketidakpastian belum dihitung: beda kecil belum tentu beda nyata.",
        "Ordered by value. Intervals are not computed yet: a small difference may be none.",
    ),
    "bar_key": (
        "▲ 100 = target; bilah ke kiri kurang, ke kanan lebih",
        "▲ 100 = target; a bar to the left is less, to the right more",
    ),
    "scheme": ("Skema", "Scheme"),
    "band": ("Pita capaian", "Band"),
    "sangat_tinggi": ("Sangat tinggi", "Very high"),
    "tinggi": ("Tinggi", "High"),
    "sedang": ("Sedang", "Medium"),
    "rendah": ("Rendah", "Low"),
    "sangat_rendah": ("Sangat rendah", "Very low"),
    "covered": ("Bobot tercakup", "Covered weight"),
    "grade": ("Mutu pelayanan", "Service grade"),
    "why": ("Mengapa nilainya demikian?", "Why is the score what it is?"),
    "receipt": ("Struk nilai", "Score receipt"),
    "indicators": ("Indikator terhadap target", "Indicators against targets"),
    "indicator": ("Indikator", "Indicator"),
    "target": ("Target", "Target"),
    "capaian": ("Capaian", "Achievement"),
    "weight": ("Bobot", "Weight"),
    "contribution": ("Sumbangan", "Contribution"),
    "sample": ("sampel", "sample"),
    "services": ("Layanan", "Services"),
    "service": ("Layanan", "Service"),
    "services_note": (
        "Izin yang diputus dalam periode ini. Capaian per berkas dibatasi 120.",
        "Permits decided in this period. Capped at 120 a case.",
    ),
    "done": ("Selesai", "Decided"),
    "mean_time": ("Rata-rata waktu", "Mean time"),
    "on_time": ("Sesuai standar waktu", "Within the standard"),
    "rejected": ("Ditolak", "Rejected"),
    "hours": ("jam", "hours"),
    "counts": ("Cacah", "Counts"),
    "permits": ("Izin selesai", "Permits decided"),
    "permits_with_standard": ("dengan standar", "with a standard"),
    "permits_on_time": ("sesuai standar waktu", "within the standard"),
    "permits_rejected": ("ditolak", "rejected"),
    "tasks": ("Tugas selesai", "Tasks completed"),
    "tasks_with_due": ("bertenggat", "with a due time"),
    "tasks_on_time": ("tepat waktu", "on time"),
    "tasks_self_reported": ("dilaporkan sendiri", "self-reported"),
    "ratings": ("Penilaian warga", "Citizen ratings"),
    "staff": ("ASN", "ASN"),
    "staff_note": ("Menurut abjad id, bukan peringkat.", "By id, not by rank."),
    "need_token": (
        "Daftar ASN hanya untuk yang berhak: perlu token dengan lingkup read.",
        "The list of ASN needs a token with scope read.",
    ),
    "next": ("Berikutnya", "Next"),
    "balance": ("Saldo", "Balance"),
    "measure": ("Ukuran", "Measure"),
    "sum": ("Jumlah", "Sum"),
    "formula": ("Rumus", "Formula"),
    "evidence": ("Bukti: kejadian di balik nilai", "Evidence: the events behind the score"),
    "evidence_note": (
        "Urut posisi jurnal. Koreksi tampil sebagai pembukuan balik; tidak ada yang dihapus.",
        "In journal order. Corrections are negative postings; nothing is erased.",
    ),
    "event": ("Kejadian", "Event"),
    "when": ("Waktu", "Time"),
    "posted": ("Dibukukan", "Posted"),
    "withheld": ("disembunyikan: sampel terlalu kecil", "withheld: the sample is too small"),
    "not_found": ("Tidak ditemukan", "Not found"),
    "not_found_text": ("Tidak ada kejadian yang pernah menyebutnya.", "No event ever named it."),
    "bad_period": ("Periode tidak dikenal", "Unknown period"),
    "denied": ("Perlu hak akses", "Access is needed"),
    "denied_text": (
        "Halaman ini memuat data perorangan atau rincian kejadian; buka dari mesin ini, atau dengan token berlingkup read.",
        "This page shows personal figures or single events: open it on this machine, or with a token of scope read.",
    ),
    "back": ("Kembali ke papan", "Back to the board"),
    "permit-received": ("Berkas diterima", "Application received"),
    "permit-processed": ("Berkas diputus", "Case decided"),
    "task-completed": ("Tugas selesai", "Task completed"),
    "satisfaction-rated": ("Warga menilai", "Citizen rating"),
    "event-retracted": ("Kejadian ditarik", "Event retracted"),
    "event-corrected": ("Kejadian dikoreksi", "Event corrected"),
    "language": ("English", "Bahasa Indonesia"),
}


def words(language: str) -> dict[str, str]:
    """All words in one language."""
    at = LANGUAGES.index(language)
    return {key: pair[at] for key, pair in WORDS.items()}


def figure(language: str) -> Callable[[Decimal | int | None], str]:
    """Writes numbers: ``1.204.331`` and ``98,43`` in Indonesian, minus as ``−``, nothing as ``–``."""

    def write(value: Decimal | int | None) -> str:
        if value is None:
            return "–"
        text = f"{value:,}".replace("-", "−")
        return text if language == "en" else text.translate(str.maketrans(",.", ".,"))

    return write


def period_name(period: Period, language: str) -> str:
    """A period in words: ``November 2026``, ``Triwulan IV 2026``, ``Semester II 2026``, ``2026``."""
    quarter, half = _SPANS[language]
    length = period.last - period.first + 1
    if length == 1:
        return f"{_MONTHS[language][period.first - 1]} {period.year}"
    if length == 12:  # noqa: PLR2004 - a year
        return str(period.year)
    span, number = (quarter, period.last // 3) if length == 3 else (half, period.last // 6)  # noqa: PLR2004 - months
    return f"{span} {_ROMAN[number - 1]} {period.year}"


def moment(at: datetime, zone: str, language: str) -> str:
    """A moment in words: ``24 November 2026, 10.41 WIB``."""
    clock = at.strftime("%H.%M" if language == "id" else "%H:%M")
    return f"{at.day} {_MONTHS[language][at.month - 1]} {at.year}, {clock} {_ZONES.get(zone, zone)}"
