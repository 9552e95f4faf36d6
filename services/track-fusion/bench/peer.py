"""The reference of the tracking benchmark: Stone Soup with the models of this tracker.

Usage: peer.py DETECTIONS MODELS. DETECTIONS is a scene's file; MODELS is JSON with the process noise, the gate and the
sensors' velocity noise. Tracks go to standard output as lines {"t","id","x","y","z","vx","vy","vz"}; the last line is
{"cpu_seconds"}, without reading and writing.

Global nearest neighbour over scans in order of time: Stone Soup gets late detections in order, which is more than the tracker has.
A confirmed track is written from its first detection on, and only where a detection updated it.
"""
import datetime
import json
import sys
import time
from itertools import groupby

import numpy as np
from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
from stonesoup.deleter.time import UpdateTimeStepsDeleter
from stonesoup.hypothesiser.distance import DistanceHypothesiser
from stonesoup.initiator.simple import MultiMeasurementInitiator
from stonesoup.measures import Mahalanobis
from stonesoup.models.measurement.linear import LinearGaussian
from stonesoup.models.transition.linear import (
    CombinedLinearGaussianTransitionModel,
    ConstantVelocity,
)
from stonesoup.predictor.kalman import KalmanPredictor
from stonesoup.types.detection import Detection
from stonesoup.types.state import GaussianState
from stonesoup.types.update import Update
from stonesoup.updater.kalman import KalmanUpdater

EPOCH = datetime.datetime(2026, 1, 1)
FIELDS = ("x", "vx", "y", "vy", "z", "vz")


def main():
    lines = [json.loads(line) for line in open(sys.argv[1])]
    models = json.loads(sys.argv[2])
    lines.sort(key=lambda line: (line["t"], line["sensor_id"]))
    scans = [
        (t, [detection(line, models) for line in group])
        for (t, _), group in groupby(lines, key=lambda line: (line["t"], line["sensor_id"]))
    ]
    started = time.process_time()
    tracks = track(scans, models)
    seconds = time.process_time() - started
    for each in tracks:
        for state in each:
            if isinstance(state, Update):
                values = dict(zip(FIELDS, map(float, state.state_vector[:, 0])))
                t = (state.timestamp - EPOCH).total_seconds()
                print(json.dumps({"t": t, "id": each.id, **values}))
    print(json.dumps({"cpu_seconds": seconds}))


def detection(line, models):
    speed_sigma = models["velocitySigmaMps"][line["sensor_id"]]
    noise = np.diag([line["sigma_m"] ** 2, speed_sigma**2] * 3)
    return Detection(
        np.array([[line[name]] for name in FIELDS]),
        timestamp=EPOCH + datetime.timedelta(seconds=line["t"]),
        measurement_model=LinearGaussian(6, (0, 1, 2, 3, 4, 5), noise),
    )


def track(scans, models):
    motion = CombinedLinearGaussianTransitionModel([ConstantVelocity(models["processNoise"])] * 3)
    updater = KalmanUpdater(None)
    hypothesiser = DistanceHypothesiser(
        KalmanPredictor(motion), updater, Mahalanobis(), missed_distance=models["gate"] ** 0.5
    )
    associator = GNNWith2DAssignment(hypothesiser)
    initiator = MultiMeasurementInitiator(
        GaussianState(np.zeros((6, 1)), np.diag([0, 400.0**2] * 3), timestamp=EPOCH),
        UpdateTimeStepsDeleter(models["confirmScans"]),
        associator,
        updater,
        min_points=models["confirmHits"],
    )
    deleter = UpdateTimeStepsDeleter(models["maxMisses"])
    tracks, ended = set(), set()
    for t, detections in scans:
        timestamp = EPOCH + datetime.timedelta(seconds=t)
        detections = set(detections)
        used = set()
        for each, hypothesis in associator.associate(tracks, detections, timestamp).items():
            if hypothesis:
                each.append(updater.update(hypothesis))
                used.add(hypothesis.measurement)
            else:
                each.append(hypothesis.prediction)
        over = deleter.delete_tracks(tracks)
        ended |= over
        tracks -= over
        tracks |= initiator.initiate(detections - used, timestamp)
    return ended | tracks


main()
