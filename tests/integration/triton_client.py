"""Run by its own Python, in which tritonclient lives: reads a picture's tensor, asks the server, prints JSON.

Apart from the tests because tritonclient wants another protobuf, and registers message names the server's code has.
"""

import json
import sys

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

target, detector_file, embedder_file = sys.argv[1:]
client = triton.InferenceServerClient(target)
report = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "detector_ready": client.is_model_ready("yunet-2023mar"),
    "server": client.get_server_metadata(as_json=True)["name"],
    "detector": client.get_model_metadata("yunet-2023mar", as_json=True),
    "embedder": client.get_model_metadata("sface-2021dec", as_json=True),
}


def infer(model, name, tensor, outputs):
    given = triton.InferInput(name, list(tensor.shape), "FP32")
    given.set_data_from_numpy(tensor)
    wanted = [triton.InferRequestedOutput(output) for output in outputs]
    return client.infer(model, [given], outputs=wanted or None)


chips = np.load(embedder_file)
embeddings = infer("sface-2021dec", "data", chips, ["fc1"]).as_numpy("fc1")
report["embeddings"] = embeddings.tolist()
maps = infer("yunet-2023mar", "input", np.load(detector_file), [])
report["maps"] = {o["name"]: list(maps.as_numpy(o["name"]).shape) for o in maps.get_response(as_json=True)["outputs"]}
report["best_score"] = max(
    float(np.sqrt(maps.as_numpy(f"cls_{stride}") * maps.as_numpy(f"obj_{stride}")).max()) for stride in (8, 16, 32)
)
report["errors"] = []
for model, name, tensor, outputs in (
    ("nothing", "data", chips, []),
    ("sface-2021dec", "wrong", chips, []),
    ("sface-2021dec", "data", chips[:, :, :50], []),
    ("sface-2021dec", "data", chips, ["fc2"]),
    ("yunet-2023mar", "input", np.zeros((1, 3, 100, 100), np.float32), []),
):
    try:
        infer(model, name, tensor, outputs)
        report["errors"].append("no error")
    except InferenceServerException as error:
        report["errors"].append(f"{error.status()}: {error.message()}")
print(json.dumps(report))
