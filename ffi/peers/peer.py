"""A peer in Python, on the package cyclonedds, for the five topics; it writes and prints as ffi/testing/peer.c does.

Run: peer.py <domain> <topic>...
"""

import struct
import sys
import threading
import time
from dataclasses import dataclass, fields
from typing import Annotated, get_args, get_origin, get_type_hints

from cyclonedds.core import Listener, Policy, Qos
from cyclonedds.domain import DomainParticipant
from cyclonedds.idl import IdlEnum, IdlStruct
from cyclonedds.idl.annotations import final, key
from cyclonedds.idl.types import bounded_str, float64, sequence, uint32
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration


class SensorType(IdlEnum, typename="cms.SensorType"):
    RADAR = 0
    ESM = 1
    EO = 2


class Classification(IdlEnum, typename="cms.Classification"):
    UNKNOWN = 0
    AIRCRAFT = 1
    MISSILE = 2


class ThreatLevel(IdlEnum, typename="cms.ThreatLevel"):
    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3


class OrderAction(IdlEnum, typename="cms.OrderAction"):
    MONITOR = 0
    ENGAGE = 1


class EngagementState(IdlEnum, typename="cms.EngagementState"):
    ACCEPTED = 0
    IN_FLIGHT = 1
    HIT = 2
    MISS = 3


@dataclass
@final
class Vector3(IdlStruct, typename="cms.Vector3"):
    x: float64
    y: float64
    z: float64


@dataclass
@final
class TraceContext(IdlStruct, typename="cms.TraceContext"):
    traceparent: bounded_str[55]
    tracestate: str


@dataclass
@final
class SourceTrack(IdlStruct, typename="cms.SourceTrack"):
    sensor_id: bounded_str[32]
    key("sensor_id")
    source_track_id: bounded_str[32]
    key("source_track_id")
    sensor_type: SensorType
    sequence_number: uint32
    position: Vector3
    velocity: Vector3
    classification: Classification
    position_sigma_m: float64
    observed_unix_ms: float64
    trace: TraceContext


@dataclass
@final
class TacticalTrack(IdlStruct, typename="cms.TacticalTrack"):
    track_id: bounded_str[32]
    key("track_id")
    position: Vector3
    velocity: Vector3
    classification: Classification
    contributing_sensors: sequence[str]
    updates: uint32
    updated_unix_ms: float64
    trace: TraceContext


@dataclass
@final
class ThreatAssessment(IdlStruct, typename="cms.ThreatAssessment"):
    track_id: bounded_str[32]
    key("track_id")
    level: ThreatLevel
    priority: uint32
    score: float64
    rationale: str
    assessed_unix_ms: float64
    trace: TraceContext


@dataclass
@final
class MissionOrder(IdlStruct, typename="cms.MissionOrder"):
    order_id: bounded_str[64]
    key("order_id")
    action: OrderAction
    target_track_id: bounded_str[32]
    threat_level: ThreatLevel
    reason: str
    issued_unix_ms: float64
    trace: TraceContext


@dataclass
@final
class EngagementStatus(IdlStruct, typename="cms.EngagementStatus"):
    order_id: bounded_str[64]
    key("order_id")
    target_track_id: bounded_str[32]
    status: EngagementState
    detail: str
    changed_unix_ms: float64
    trace: TraceContext


TYPES = {
    cls.__name__: cls
    for cls in (SourceTrack, TacticalTrack, ThreatAssessment, MissionOrder, EngagementStatus)
}
STATES = {16: "ALIVE", 32: "NOT_ALIVE_DISPOSED", 64: "NOT_ALIVE_NO_WRITERS"}
printing = threading.Lock()


def tokens_of(value):
    """The tokens of a value, in the order of fields."""
    if isinstance(value, IdlStruct):
        for field in fields(value):
            yield from tokens_of(getattr(value, field.name))
    elif isinstance(value, IdlEnum):
        yield str(value.value)
    elif isinstance(value, float):
        yield struct.pack(">d", value).hex()
    elif isinstance(value, str):
        yield "x" + value.encode().hex()
    elif isinstance(value, int):
        yield str(value)
    else:
        yield str(len(value))
        for element in value:
            yield from tokens_of(element)


def value_of(hint, tokens):
    """The value of a type, from its tokens."""
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if get_origin(base) is not None:
        (element,) = get_args(base)[:1]
        return [value_of(element, tokens) for _ in range(int(next(tokens)))]
    if issubclass(base, IdlStruct):
        hints = get_type_hints(base, include_extras=True)
        return base(*[value_of(hints[field.name], tokens) for field in fields(base)])
    token = next(tokens)
    if issubclass(base, IdlEnum):
        return base(int(token))
    if base is str:
        return bytes.fromhex(token[1:]).decode()
    return int(token) if base is int else struct.unpack(">d", bytes.fromhex(token))[0]


class Printer(Listener):
    """Prints every sample that arrives."""

    def on_data_available(self, reader):
        for sample in reader.take(N=100):
            if not sample.sample_info.valid_data:
                continue
            state = STATES[sample.sample_info.instance_state]
            with printing:
                print(reader.topic.name, state, 1, *tokens_of(sample), flush=True)


def main():
    participant = DomainParticipant(int(sys.argv[1]))
    qos = Qos(
        Policy.Reliability.Reliable(duration(seconds=10)),
        Policy.History.KeepAll,
        Policy.IgnoreLocal.Participant,
    )
    writers, readers = {}, []
    for name in sys.argv[2:]:
        topic = Topic(participant, name, TYPES[name])
        readers.append(DataReader(participant, topic, qos=qos, listener=Printer()))
        writers[name] = DataWriter(participant, topic, qos=qos)
    with printing:
        print("ready", flush=True)
    for line in sys.stdin:
        _, name, *rest = line.split()
        deadline = time.monotonic() + 10
        while not writers[name].get_matched_subscriptions() and time.monotonic() < deadline:
            time.sleep(0.005)
        writers[name].write(value_of(TYPES[name], iter(rest)))


main()
