"""Arrow types beyond Arrow's own, in the names of lance.arrow: bfloat16, and pictures.

Pictures are columns of addresses (ImageURIArray), of files in memory (EncodedImageArray) or of
pixels (FixedShapeImageTensorArray), and become one another: read_uris, to_tensor, to_encoded.
"""

import io
import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import fs

from tusk.bfloat16 import (
    BFloat16,
    BFloat16Array,
    BFloat16Type,
    bfloat16_array,
    cast_from_bfloat16,
    cast_to_bfloat16,
    register,
)

__all__ = [
    "BFloat16",
    "BFloat16Array",
    "BFloat16Type",
    "EncodedImageArray",
    "EncodedImageScalar",
    "EncodedImageType",
    "FixedShapeImageTensorArray",
    "FixedShapeImageTensorScalar",
    "FixedShapeImageTensorType",
    "ImageArray",
    "ImageScalar",
    "ImageURIArray",
    "ImageURIScalar",
    "ImageURIType",
    "PandasBFloat16Array",
    "bfloat16_array",
    "cast",
]


def __getattr__(name):
    if name == "PandasBFloat16Array":
        from tusk.bfloat16_pandas import PandasBFloat16Array

        return PandasBFloat16Array
    raise AttributeError(f"module 'tusk.arrow' has no attribute {name!r}")


class ImageScalar(pa.ExtensionScalar):
    def as_py(self, **kwargs):
        return None if self.value is None else self.value.as_py(**kwargs)


class ImageURIScalar(ImageScalar):
    pass


class EncodedImageScalar(ImageScalar):
    pass


class FixedShapeImageTensorScalar(ImageScalar):
    pass


class _ImageType(pa.ExtensionType):
    """A type of pictures that is stored as it is and has no parameters but that."""

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        return cls(storage_type)

    def __reduce__(self):
        return type(self).__arrow_ext_deserialize__, (
            self.storage_type,
            self.__arrow_ext_serialize__(),
        )


class ImageURIType(_ImageType):
    """Addresses of pictures, as string or large_string."""

    def __init__(self, storage_type=pa.string()):
        if not (pa.types.is_string(storage_type) or pa.types.is_large_string(storage_type)):
            raise ValueError(f"addresses of pictures are strings, not {storage_type}")
        super().__init__(storage_type, "lance.arrow.image_uri")

    def __arrow_ext_class__(self):
        return ImageURIArray

    def __arrow_ext_scalar_class__(self):
        return ImageURIScalar


class EncodedImageType(_ImageType):
    """Files of pictures in any format, as binary or large_binary."""

    def __init__(self, storage_type=pa.binary()):
        if not (pa.types.is_binary(storage_type) or pa.types.is_large_binary(storage_type)):
            raise ValueError(f"files of pictures are binary, not {storage_type}")
        super().__init__(storage_type, "lance.arrow.encoded_image")

    def __arrow_ext_class__(self):
        return EncodedImageArray

    def __arrow_ext_scalar_class__(self):
        return EncodedImageScalar


class FixedShapeImageTensorType(_ImageType):
    """Pictures of one shape, such as (height, width, channels), as fixed-size lists of values."""

    def __init__(self, arrow_type, shape):
        if not len(shape):
            raise ValueError("a shape has a dimension at least")
        self.arrow_type = arrow_type
        self.shape = shape
        length = int(np.prod(shape, dtype=np.int64))
        super().__init__(pa.list_(arrow_type, length), "lance.arrow.fixed_shape_image_tensor")

    def __arrow_ext_serialize__(self):
        return json.dumps({"shape": list(self.shape)}).encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        return cls(storage_type.value_type, json.loads(serialized)["shape"])

    def __arrow_ext_class__(self):
        return FixedShapeImageTensorArray

    def __arrow_ext_scalar_class__(self):
        return FixedShapeImageTensorScalar


for _type in (
    ImageURIType(),
    EncodedImageType(),
    FixedShapeImageTensorType(pa.uint8(), (0,)),
):
    register(_type)


class ImageArray(pa.ExtensionArray):
    """Pictures in one of the three forms."""

    def __repr__(self):
        return f"<tusk.arrow.{type(self).__name__} object at 0x{id(self):016x}>\n{self._shown()}"

    def _shown(self):
        return repr(self.to_pylist())

    @classmethod
    def from_array(cls, images):
        """The form that fits: addresses of text, files of binary, pixels of a tensor array."""
        if isinstance(images, ImageArray):
            return images
        if isinstance(images, (pa.StringArray, pa.LargeStringArray)):
            return pa.ExtensionArray.from_storage(ImageURIType(images.type), images)
        if isinstance(images, (pa.BinaryArray, pa.LargeBinaryArray)):
            return pa.ExtensionArray.from_storage(EncodedImageType(images.type), images)
        if isinstance(images, pa.FixedShapeTensorArray):
            kind = FixedShapeImageTensorType(images.type.value_type, images.type.shape)
            return pa.ExtensionArray.from_storage(kind, images.storage)
        if isinstance(images, Iterable):
            return ImageURIArray.from_uris(images)
        raise TypeError(f"no pictures can be made of {type(images)}")


class ImageURIArray(ImageArray):
    """Addresses of pictures: paths, or URIs that pyarrow.fs or http reaches."""

    @classmethod
    def from_uris(cls, uris):
        """Of an array of text, or of an iterable of text and paths."""
        if isinstance(uris, (pa.StringArray, pa.LargeStringArray)):
            storage = uris
        elif isinstance(uris, Iterable):
            texts = [None if uri is None else str(uri) for uri in uris]
            storage = pa.array(texts, pa.string())
        else:
            raise TypeError(f"addresses are texts and paths, not {type(uris)}")
        return pa.ExtensionArray.from_storage(ImageURIType(storage.type), storage)

    def read_uris(self, storage_type=pa.binary()):
        """The EncodedImageArray of what is there; all of it at once. `storage_type` may be
        large_binary, for more than 2 GiB. Raises what the reading does.
        """
        files = [None if uri is None else _read(uri) for uri in self.storage.to_pylist()]
        storage = pa.array(files, storage_type)
        return pa.ExtensionArray.from_storage(EncodedImageType(storage_type), storage)


def _read(uri):
    if uri.startswith(("http://", "https://")):
        from urllib.request import urlopen

        with urlopen(uri) as response:
            return response.read()
    store, path = fs.FileSystem.from_uri(uri)
    with store.open_input_stream(path) as stream:
        return stream.read()


def _pillow():
    try:
        from PIL import Image
    except ImportError:
        raise ValueError(
            "pictures are decoded and encoded by pillow (pip install pillow) or by a function"
            " that is given"
        ) from None
    return Image


def _decode(files):
    image = _pillow()
    return np.stack([np.asarray(image.open(io.BytesIO(file))) for file in files.to_pylist()])


class EncodedImageArray(ImageArray):
    """Files of pictures. What format they have is told by their bytes alone."""

    def _shown(self):
        return repr([None if file is None else file[:30] for file in self.to_pylist()[:2]])

    def to_tensor(self, decoder=None):
        """The pixels as a FixedShapeImageTensorArray.

        decoder: makes a numpy array [n, ...], or an array of fixed-shape tensors, of an array of
            files. Pillow does it if there is none; all pictures must have one shape.
        """
        pixels = (decoder or _decode)(self.storage)
        if isinstance(pixels, np.ndarray):
            pixels = pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(pixels))
        return ImageArray.from_array(pixels)


class FixedShapeImageTensorArray(ImageArray):
    """Pixels of pictures of one shape."""

    def to_numpy(self):
        """As an array [n, *shape]."""
        kind = pa.fixed_shape_tensor(self.storage.type.value_type, list(self.type.shape))
        return pa.ExtensionArray.from_storage(kind, self.storage).to_numpy_ndarray()

    def to_encoded(self, encoder=None, storage_type=pa.binary()):
        """The pictures as files, an EncodedImageArray.

        encoder: makes an array of files of a numpy array [n, *shape]. Pillow makes PNG files if
            there is none.
        """
        files = (encoder or _encode)(self.to_numpy())
        storage = files if isinstance(files, pa.Array) else pa.array(files, storage_type)
        return pa.ExtensionArray.from_storage(
            EncodedImageType(storage_type), storage.cast(storage_type)
        )


def _encode(pictures):
    image = _pillow()
    files = []
    for pixels in pictures:
        file = io.BytesIO()
        image.fromarray(pixels).save(file, format="PNG")
        files.append(file.getvalue())
    return files


def cast(arr, target_type, *args, **kwargs):
    """As pyarrow.compute.cast, and between floats and bfloat16 (BFloat16Type, "bfloat16", "bf16"),
    also as items of fixed-size lists of one size.
    """
    if isinstance(arr.type, BFloat16Type):
        return cast_from_bfloat16(arr, target_type)
    if isinstance(target_type, BFloat16Type) or target_type in ("bfloat16", "bf16"):
        return cast_to_bfloat16(arr)
    if pa.types.is_fixed_size_list(arr.type) and not isinstance(target_type, str):
        if pa.types.is_fixed_size_list(target_type):
            if arr.type.list_size != target_type.list_size:
                raise ValueError(f"lists of another size: {arr.type} cannot become {target_type}")
            size = arr.type.list_size
            items = arr.values.slice(arr.offset * size, len(arr) * size)
            mask = arr.is_null() if arr.null_count > 0 else None
            items = cast(items, target_type.value_type)
            return pa.FixedSizeListArray.from_arrays(items, size, mask=mask)
    return pc.cast(arr, target_type, *args, **kwargs)
