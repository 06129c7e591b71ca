"""Bfloat16 numbers in pandas, in the names of lance.arrow."""

import numpy as np
import pyarrow as pa
from pandas.api.extensions import ExtensionArray, ExtensionDtype, register_extension_dtype

from tusk.bfloat16 import BFloat16, BFloat16Array, bfloat16_array


@register_extension_dtype
class PandasBFloat16Type(ExtensionDtype):
    kind = "f"
    na_value = None
    name = "lance.bfloat16"
    names = None
    type = BFloat16
    _is_numeric = True

    def __from_arrow__(self, array):
        return PandasBFloat16Array(array)

    @classmethod
    def construct_array_type(cls):
        return PandasBFloat16Array

    @classmethod
    def construct_from_string(cls, string):
        if string != cls.name:
            raise TypeError(f"a {cls.__name__} is called {cls.name!r}, not {string!r}")
        return cls()


class PandasBFloat16Array(ExtensionArray):
    """A column of pandas over a BFloat16Array."""

    dtype = PandasBFloat16Type()

    def __init__(self, data):
        self.data = data

    @classmethod
    def _from_sequence(cls, scalars, *, dtype=None, copy=False):
        return cls(bfloat16_array(scalars))

    @classmethod
    def from_numpy(cls, array):
        return cls(BFloat16Array.from_numpy(array))

    def __getitem__(self, item):
        if isinstance(item, (int, np.integer)):
            return self.data[int(item)].as_py()
        if isinstance(item, slice):
            return PandasBFloat16Array(self.data[item])
        item = np.asarray(item)
        if item.dtype == bool:
            return PandasBFloat16Array(self.data.filter(pa.array(item)))
        return PandasBFloat16Array(self.data.take(pa.array(item)))

    def __len__(self):
        return len(self.data)

    def isna(self):
        return self.data.is_null().to_numpy(zero_copy_only=False)

    def to_numpy(self, *args, **kwargs):
        return self.data.to_numpy()

    def __arrow_array__(self, type=None):
        return self.data
