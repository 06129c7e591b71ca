"""Columns of Hugging Face datasets, by what the table's schema says of them."""

import io


class HuggingFaceConverter:
    """Converts columns by the description that Hugging Face's `datasets` leaves in a schema.

    ds_info: the JSON value of the schema's metadata "huggingface".
    """

    def __init__(self, ds_info):
        self.ds_info = ds_info

    def to_pytorch(self, col, array):
        """A list of PIL images for a column of images; None for a column that is not described.

        NotImplementedError for other features.
        """
        feature = self.ds_info.get("info", {}).get("features", {}).get(col)
        if feature is None:
            return None
        kind = feature.get("_type")
        if kind != "Image":
            raise NotImplementedError(f"column {col!r}: features of type {kind} are not supported")
        return [_to_image(image) for image in array.to_pylist()]


def _to_image(image):
    """The picture of {"bytes", "path"}: the bytes if there are any, else the file."""
    if image is None:
        return None
    import PIL.Image

    if image.get("bytes") is not None:
        return PIL.Image.open(io.BytesIO(image["bytes"]))
    return PIL.Image.open(image["path"])
