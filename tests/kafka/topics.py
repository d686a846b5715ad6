"""A broker's topics and groups, as tests see them: produced to, read from the beginning, and cleared between tests."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, MemberToRemove, NewTopic
from kafka.errors import TopicAlreadyExistsError

from tests.serving import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.local_kafka import LocalKafka

Headers = list[tuple[str, bytes | None]]


class Topics:
    """The topics of a broker; ``settings`` are ``kafka-python``'s."""

    def __init__(self, bootstrap: str, settings: Mapping[str, Any] | None = None) -> None:
        self.bootstrap = bootstrap
        self._settings = {"bootstrap_servers": bootstrap, **(settings or {})}

    @classmethod
    def cleared(cls, kafka: LocalKafka) -> Self:
        """Those of the session's broker, up and empty."""
        kafka.start()
        topics = cls(kafka.bootstrap)
        topics.clear()
        return topics

    def make(self, topic: str, partitions: int = 1) -> None:
        """A topic, where it is not there yet."""
        with closing(KafkaAdminClient(**self._settings)) as admin:
            try:
                admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=1)])
            except TopicAlreadyExistsError:
                return

    def produce(
        self, topic: str, records: Iterable[tuple[bytes | None, bytes | None, Headers]], partition: int | None = None
    ) -> list[int]:
        """Key, value and headers of each; their offsets, once the broker has them."""
        with closing(KafkaProducer(**self._settings, acks="all")) as producer:
            futures = [
                producer.send(topic, key=key, value=value, headers=headers, partition=partition)
                for key, value, headers in records
            ]
            return [future.get(30).offset for future in futures]

    def produce_nulls(self, topic: str, header: str) -> None:
        """A record without key and value, then one whose header has none: clients can, though ours would not."""
        with closing(KafkaProducer(**self._settings, acks="all", value_serializer=lambda _: None)) as producer:
            producer.send(topic, b"").get(30)

        async def produce() -> None:
            async with AIOKafkaProducer(**self._settings) as producer:
                await producer.send_and_wait(topic, b"{}", headers=[(header, None)])

        asyncio.run(produce())

    def read(self, topic: str) -> list[Any]:
        """Every record of a topic, partition by partition; none where there is no such topic."""
        with closing(KafkaConsumer(**self._settings, max_partition_fetch_bytes=1 << 25)) as consumer:
            parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            if not parts:
                return []
            ends = consumer.end_offsets(parts)
            consumer.assign(parts)
            consumer.seek_to_beginning(*parts)
            messages: list[Any] = []

            def whole() -> bool:
                for records in consumer.poll(timeout_ms=100).values():
                    messages.extend(records)
                return all(consumer.position(partition) >= end for partition, end in ends.items())

            until(whole, f"all of {topic}")
            return sorted(messages, key=lambda record: (record.partition, record.offset))

    def clear(self) -> None:
        """No topic, and no group, of an earlier test."""
        with closing(KafkaAdminClient(**self._settings)) as admin:
            groups = [group["group_id"] for group in admin.list_groups()]
            for group in groups:
                members = admin.describe_groups([group])[group]["members"]
                if members:
                    admin.remove_group_members(
                        group, [MemberToRemove(member_id=member["member_id"]) for member in members]
                    )
            if groups:
                admin.delete_groups(groups)
            topics = [topic for topic in admin.list_topics() if not topic.startswith("__")]
            if topics:
                admin.delete_topics(topics)
                until(lambda: not set(topics) & set(admin.list_topics()), "the topics are gone")
