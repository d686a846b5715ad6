"""The Kafka binding of CloudEvents, against its authors' SDK: we read the SDK's records, and it reads ours."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest
from cloudevents.core.bindings import kafka as sdk
from cloudevents.core.v1.event import CloudEvent

from api.http.problems import problem
from domain.intake.recorded import Resolved, line_of, recorded
from domain.intake.wire import read_submission
from domain.refusal import Refusal
from streams.kafka.cloudevents import Headers, binary_record, event_of
from tests.kafka.serving import Scaled
from tests.kafka.topics import Topics
from tests.serving import event, until

DATA: Final = {"dinas": "disdukcapil", "asn": "a-1", "task": "t-1", "completed_at": "2026-11-24T10:00:00+07:00"}
MODES: Final = {"structured": sdk.to_structured_event, "binary": sdk.to_binary_event}
BINARY: Final = {
    "content-type": b"application/json",
    "ce_specversion": b"1.0",
    "ce_type": b"neraca.task-completed.v1",
    "ce_source": b"/loket",
    "ce_id": b"1",
    "ce_time": b"2026-11-24T11:00:00+07:00",
}


def counted(event_id: str, **extensions: object) -> CloudEvent:
    """An event as a program makes it that knows the SDK and not us."""
    attributes: dict[str, Any] = {
        "type": "neraca.task-completed.v1",
        "source": "/loket/sdk",
        "id": event_id,
        "specversion": "1.0",
        "time": datetime(2026, 11, 24, 4, tzinfo=UTC),
        "datacontenttype": "application/json",
        "partitionkey": DATA["dinas"],
        **extensions,
    }
    return CloudEvent(attributes, {**DATA, "task": event_id})


def read(key: bytes | None, value: bytes, headers: Headers) -> Any:  # noqa: ANN401 - the SDK's event
    """A record of ours, as the SDK reads it."""
    return sdk.from_kafka_event(sdk.KafkaMessage({name: text or b"" for name, text in headers}, key, value))


@pytest.mark.parametrize("mode", MODES)
def test_an_event_of_the_sdk_says_the_same_in_either_mode(mode: str) -> None:
    """It is the event that its JSON is, whichever way it travels."""
    message = MODES[mode](counted("1", counter="loket-7"))
    submission = event_of(message.value, list(message.headers.items()), {"partitionkey", "counter"})
    same = read_submission(
        event("task-completed", "1", {**DATA, "task": "1"}, source="/loket/sdk", time="2026-11-24T04:00:00Z")
    )
    assert (submission.source, submission.id, submission.content_hash) == ("/loket/sdk", "1", same.content_hash)
    assert submission.attributes == {
        "datacontenttype": "application/json",
        "partitionkey": "disdukcapil",
        "counter": "loket-7",
    }


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8"])
def test_the_sdk_reads_what_is_relayed(media: str) -> None:
    """Each attribute in its one spelling; the media type in the header that is its own, and in no other."""
    submission = event("task-completed", "1", DATA, urgent=True, batch=7, datacontenttype=media)
    read_event = read_submission(submission, {"urgent", "batch"})
    line = line_of(recorded(read_event, Resolved(month="2026-11"), 1_800_000_000_000_000, "loket-1"))
    key, value, headers = binary_record(12, line)
    cloud_event = read(key, value, headers)
    assert dict(headers)["content-type"] == media.encode()
    assert (cloud_event.get_source(), cloud_event.get_id(), cloud_event.get_type()) == (
        "/loket",
        "1",
        "neraca.task-completed.v1",
    )
    assert cloud_event.get_time() == datetime.fromisoformat("2026-11-24T11:00:00+07:00")
    assert cloud_event.get_data() == {**DATA, "resolved": {"month": "2026-11"}}
    names = ("datacontenttype", "urgent", "batch", "position", "recordedby", "partitionkey")
    assert [cloud_event.get_attributes().get(name) for name in names] == [
        media,
        "true",
        "7",
        "12",
        "loket-1",
        "disdukcapil",
    ]
    assert "ce_datacontenttype" not in dict(headers)


@pytest.mark.parametrize(
    ("changes", "value", "slug", "detail"),
    [
        ({"ce_source": b"\xff"}, b"{}", "malformed-headers", "ce_source: must be UTF-8"),
        ({"ce_id": None}, b"{}", "malformed-headers", "ce_id: must have a value"),
        ({"content-type": None}, b"{}", "malformed-headers", "content-type: must have a value"),
        ({"content-type": b"application/xml"}, b"{}", "invalid-event", "/datacontenttype: must be application/json"),
        ({"content-type": b"application/cloudevents+avro"}, b"\x00", "unsupported-media-type", "cloudevents\\+avro"),
        ({"content-type": b"application/cloudevents-batch+json"}, b"[]", "unsupported-media-type", "an event a record"),
        ({"content-type": b"application/cloudevents+json"}, b"[]", "invalid-event", "must be a JSON object"),
        ({"ce_type": b"neraca.task-completed.v9"}, b"{}", "unknown-type", "only v1"),
        ({}, b"", "malformed-json", "Expecting value"),
        ({}, None, "malformed-json", "Expecting value"),
        ({}, b"{}", "invalid-event", "/data/dinas: is required"),
    ],
)
def test_a_record_that_is_no_event_is_refused_in_words(
    changes: dict[str, bytes | None], value: bytes | None, slug: str, detail: str
) -> None:
    """Every record that anyone may produce gets an answer: one without would be read again for ever."""
    headers: Headers = list({**BINARY, **changes}.items())
    with pytest.raises(Refusal, match=detail) as error:
        event_of(value, headers)
    assert error.value.slug == slug
    assert problem(error.value)["type"].endswith(slug)


@pytest.mark.parametrize("name", ["ce_id", "CE_ID", "ce_subject", "content-type", "Content-Type"])
def test_a_header_that_stands_twice_is_refused(name: str) -> None:
    """Whichever of the two were taken, the sender may have meant the other; Kafka keeps both."""
    with pytest.raises(Refusal, match=f"{name.lower()}: stands more than once") as error:
        event_of(msgspec.json.encode(DATA), [*BINARY.items(), ("ce_subject", b"a"), (name, b"b")])
    assert error.value.slug == "malformed-headers"


def test_a_value_is_taken_as_it_is_and_a_media_type_whatever_its_case() -> None:
    """The Kafka binding knows neither quotes nor percents: a value is the attribute's text in UTF-8."""
    changes = {"ce_id": b'"t%20" \xe2\x82\xac', "content-type": b"Application/JSON; Charset=UTF-8"}
    headers: Headers = list({**BINARY, **changes}.items())
    assert event_of(msgspec.json.encode(DATA), headers).id == '"t%20" \u20ac'


def test_events_come_by_the_sdk_and_go_by_it(cluster: Scaled, topics: Topics) -> None:
    """Records it writes in both modes are accepted; of ``neraca.events`` it reads each entry of the journal.

    Both topics are the operator's, of one partition: we ask no more of them than that they are there.
    """
    topics.make("neraca.intake")
    topics.make("neraca.events")
    cluster.environment["NERACA_EXTENSIONS"] = "partitionkey"
    cluster.begin("intake", "--kafka")
    cluster.start("relay", options=["--events"])
    for mode, write in MODES.items():
        message = write(counted(mode))
        key = message.key.encode() if isinstance(message.key, str) else message.key
        topics.produce("neraca.intake", [(key, message.value, list(message.headers.items()))])
    rule = event("dinas-registered", "r", {"dinas": "disdukcapil", "name": "Dinas"})
    mistake = event("event-retracted", "m", {"event": {"source": "/loket/sdk", "id": "binary"}, "reason": "mistake"})
    cluster.await_up("intake")
    until(lambda: cluster.head() == 3, "both are recorded")
    assert cluster.post([rule, mistake])["accepted"] == 2
    until(lambda: len(topics.read("neraca.events")) >= 5, "each entry is relayed")

    pairs = [(read(record.key, record.value, record.headers), record.key) for record in topics.read("neraca.events")]
    lines = [msgspec.json.decode(line) for line in cluster.command("export", "--journal", "-").stdout.splitlines()]
    assert [
        (
            cloud_event.get_type(),
            cloud_event.get_source(),
            cloud_event.get_id(),
            cloud_event.get_data(),
            int(cloud_event.get_attributes()["position"]),
        )
        for cloud_event, _ in pairs
    ] == [(line["type"], line["source"], line["id"], line["data"], line["position"]) for line in lines]
    assert [key for _, key in pairs[1:]] == [b"disdukcapil"] * 4
    assert topics.read("neraca.refused") == []
