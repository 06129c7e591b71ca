"""Floats of 16 bits with the range of 32, in the names of lance.arrow.

A bfloat16 is the upper half of a float32. In Arrow it is two bytes under the extension type
"lance.bfloat16".
"""

import numpy as np
import pyarrow as pa


def _to_bits(floats):
    """float32 -> the uint16 of the nearest bfloat16, the even one of two; NaN stays NaN."""
    bits = np.ascontiguousarray(floats, dtype=np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> 16) & np.uint32(1))) >> 16
    nan = (bits >> 16) | np.uint32(0x40)
    return np.where(np.isnan(floats), nan, rounded).astype(np.uint16)


def _to_floats(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


class BFloat16:
    """One number."""

    __slots__ = ("_bits",)

    def __init__(self, value):
        with np.errstate(over="ignore"):
            self._bits = int(_to_bits(np.array([value], dtype=np.float32))[0])

    @classmethod
    def from_bytes(cls, bytes):
        """Of two bytes, the lower one first."""
        if len(bytes) != 2:
            raise ValueError(f"a bfloat16 has 2 bytes, not {len(bytes)}")
        made = cls.__new__(cls)
        made._bits = int.from_bytes(bytes, "little")
        return made

    def as_float(self):
        return float(_to_floats(np.array([self._bits], dtype=np.uint16))[0])

    def __float__(self):
        return self.as_float()

    def __repr__(self):
        return f"BFloat16({self})"

    def __str__(self):
        number = self.as_float()
        return str(int(number)) if number.is_integer() else str(np.float32(number))

    def __hash__(self):
        return hash(self.as_float())

    def __eq__(self, other):
        return self.as_float() == other.as_float() if isinstance(other, BFloat16) else False

    def __lt__(self, other):
        return self.as_float() < other.as_float() if isinstance(other, BFloat16) else NotImplemented

    def __le__(self, other):
        return self < other or self == other

    def __reduce__(self):
        return BFloat16.from_bytes, (self._bits.to_bytes(2, "little"),)


class BFloat16Scalar(pa.ExtensionScalar):
    def as_py(self, **kwargs):
        return None if self.value is None else BFloat16.from_bytes(self.value.as_py(**kwargs))

    def __eq__(self, other):
        if isinstance(other, BFloat16Scalar):
            other = other.as_py()
        elif not isinstance(other, BFloat16):
            if type(other).__name__ != "bfloat16":  # that of ml_dtypes
                return False
            other = BFloat16.from_bytes(other.tobytes())
        return self.as_py() == other

    __hash__ = pa.ExtensionScalar.__hash__


class BFloat16Array(pa.ExtensionArray):
    """Bfloat16 numbers in Arrow."""

    def __repr__(self):
        return f"<tusk.arrow.BFloat16Array object at 0x{id(self):016x}>\n{self}"

    def __str__(self):
        shown = [f"  {value}" for value in self]
        if len(shown) > 21:
            return "[\n" + ",\n".join(shown[:10]) + ",\n...\n" + ",\n".join(shown[-10:]) + "\n]"
        return "[\n" + ",\n".join(shown) + "\n]"

    def _bits(self):
        if self.null_count > 0:
            raise ValueError("an array with nulls is not given as one of numpy")
        bits = np.frombuffer(self.storage.buffers()[1], dtype=np.uint16)
        return bits[self.offset : self.offset + len(self)]

    def to_numpy(self, zero_copy_only=False):
        """As an array of ml_dtypes.bfloat16, without a copy. ValueError if there are nulls."""
        from ml_dtypes import bfloat16

        return self._bits().view(bfloat16)

    @classmethod
    def from_numpy(cls, array):
        """Of an array of ml_dtypes.bfloat16 with one dimension."""
        if array.dtype.name != "bfloat16":
            raise ValueError(f"an array of bfloat16 is needed, not one of {array.dtype}")
        if array.ndim != 1:
            raise ValueError(f"an array of one dimension is needed, not of {array.ndim}")
        return _from_bits(array.view(np.uint16))


class BFloat16Type(pa.ExtensionType):
    def __init__(self):
        super().__init__(pa.binary(2), "lance.bfloat16")

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        return cls()

    def __arrow_ext_class__(self):
        return BFloat16Array

    def __arrow_ext_scalar_class__(self):
        return BFloat16Scalar

    def to_pandas_dtype(self):
        from tusk.bfloat16_pandas import PandasBFloat16Type

        return PandasBFloat16Type()


def register(extension):
    """Registers an extension type, unless pylance, in the same process, has been first."""
    try:
        pa.register_extension_type(extension)
    except pa.ArrowKeyError:
        pass


register(BFloat16Type())


def _from_bits(bits, mask=None):
    data = pa.py_buffer(np.ascontiguousarray(bits).tobytes())
    valid = None if mask is None else pa.array(mask).buffers()[1]
    storage = pa.Array.from_buffers(pa.binary(2), len(bits), [valid, data])
    return pa.ExtensionArray.from_storage(BFloat16Type(), storage)


def bfloat16_array(values):
    """A BFloat16Array of numbers, of which None are null."""
    values = [value.as_float() if isinstance(value, BFloat16) else value for value in values]
    mask = np.array([value is not None for value in values], dtype=bool)
    floats = np.array([0 if value is None else value for value in values], dtype=np.float32)
    return _from_bits(_to_bits(floats), None if mask.all() else mask)


def cast_from_bfloat16(array, target_type):
    """A BFloat16Array as floats of another width."""
    if not pa.types.is_floating(target_type):
        raise ValueError(f"bfloat16 is cast to floats only, not to {target_type}")
    return pa.array(_to_floats(array._bits()).astype(target_type.to_pandas_dtype()))


def cast_to_bfloat16(array):
    """Floats as a BFloat16Array. ValueError if there are nulls."""
    if not pa.types.is_floating(array.type):
        raise ValueError(f"floats only are cast to bfloat16, not {array.type}")
    if array.null_count > 0:
        raise ValueError("an array with nulls is not cast to bfloat16")
    return _from_bits(_to_bits(array.to_numpy(zero_copy_only=False).astype(np.float32)))
