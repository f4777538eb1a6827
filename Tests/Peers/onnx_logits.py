"""Runs ONNX files beside what Lockstep computed: onnx_logits.py FILE.onnx SAMPLES LOGITS [FILE.onnx SAMPLES LOGITS …]

SAMPLES are the inputs, `input` in a .npz file, or an IDX file of grey images, whose pixels are then divided by 255. LOGITS are `logits` in
a .npz or safetensors file. Each model must pass ONNX's checker and be of the format and the operators that are promised. It is run with
batches of 1 and of 7 for some samples, and of 256 for all.

A line a model: its file, the largest difference from LOGITS as a part of their largest value (or of 1), the number of samples, that of
other predictions (the largest of the last axis) in all, and that of those among them where the two largest are further apart than the
difference may be.
"""

import json
import os
import sys

import numpy
import onnx
import onnxruntime

TOLERANCE = 1e-4


def read(path, name):
    """The array called `name` in a file, or an IDX file's images."""
    if path.endswith(".npz"):
        return numpy.load(path, allow_pickle=False)[name]
    with open(path, "rb") as file:
        content = file.read()
    if not path.endswith(".safetensors"):
        count, rows, columns = (int.from_bytes(content[start:start + 4], "big") for start in (4, 8, 12))
        pixels = numpy.frombuffer(content, numpy.uint8, offset=16).reshape(count, rows, columns, 1)
        return pixels.astype(numpy.float32) / 255
    length = int.from_bytes(content[:8], "little")
    entry = json.loads(content[8:8 + length])[name]
    start, end = (8 + length + offset for offset in entry["data_offsets"])
    assert entry["dtype"] == "F32", entry
    return numpy.frombuffer(content[start:end], numpy.float32).reshape(entry["shape"])


def graphs(graph):
    """The graph and those within its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs(attribute.g)


def check(path, samples, logits):
    """What the file says about itself."""
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    assert model.ir_version == 8, model.ir_version
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)], model.opset_import
    assert model.producer_name == "lockstep" and model.doc_string
    assert {"model", "loss", "input", "output"} <= {entry.key for entry in model.metadata_props}
    for graph in graphs(model.graph):
        assert all(node.domain == "" for node in graph.node)
        for tensor in graph.initializer:
            assert tensor.HasField("raw_data") or 0 in tensor.dims, tensor.name
    for values, name, array in ((model.graph.input, "input", samples), (model.graph.output, "logits", logits)):
        (value,) = values
        kind = value.type.tensor_type
        extents = [entry.dim_param or entry.dim_value for entry in kind.shape.dim]
        assert value.name == name and kind.elem_type == onnx.TensorProto.FLOAT, value
        assert extents == ["N", *array.shape[1:]], (extents, array.shape)


def compare(path, samples, logits):
    """The largest difference, and the numbers of other predictions in all and where they are clear."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    scale = max(1.0, float(numpy.abs(logits).max()))
    difference, other, clear = 0.0, 0, 0
    for batch, most in ((1, 5), (7, 21), (256, len(samples))):
        for start in range(0, min(most, len(samples)), batch):
            part = slice(start, start + batch)
            wanted = logits[part]
            (found,) = session.run(["logits"], {"input": samples[part]})
            assert found.shape == wanted.shape and found.dtype == numpy.float32, (found.shape, wanted.shape)
            assert numpy.isfinite(found).all()
            difference = max(difference, float(numpy.abs(found - wanted).max()))
            if batch != 256 or wanted.shape[-1] < 2:
                continue
            differs = found.argmax(-1) != wanted.argmax(-1)
            largest = numpy.sort(wanted, -1)
            far = largest[..., -1] - largest[..., -2] > 2 * TOLERANCE * scale
            other += int(differs.sum())
            clear += int((differs & far).sum())
    return difference / scale, other, clear


def main():
    arguments = sys.argv[1:]
    for path, samples, logits in zip(arguments[::3], arguments[1::3], arguments[2::3]):
        inputs, wanted = read(samples, "input"), read(logits, "logits")
        assert len(inputs) == len(wanted), (inputs.shape, wanted.shape)
        check(path, inputs, wanted)
        difference, other, clear = compare(path, inputs, wanted)
        print(os.path.basename(path), f"{difference:.2e}", len(inputs), other, clear, flush=True)


main()
