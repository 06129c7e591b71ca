"""What of blobs a scan puts into a DataFrame."""

import pyarrow as pa

from tusk import _tusk


class ScannerBlobs:
    """The part of LanceScanner that makes DataFrames."""

    def _to_frame(self, blob_mode, kwargs):
        """The DataFrame of the scan; `kwargs` are those of pyarrow.Table.to_pandas."""
        if blob_mode == "bytes":
            stream = _tusk.scan_blob_bytes(self._dataset._table, self._options)
            return pa.table(stream).to_pandas(**kwargs)
        paths = [path for field in self.projected_schema for path in _blob_paths(field)]
        if blob_mode == "descriptions" or not paths:
            return self.to_table().to_pandas(**kwargs)
        table = self._with_addresses()
        addresses = table["_rowaddr"].to_pylist()
        if not self._options.with_row_address:
            table = table.drop_columns(["_rowaddr"])
        files = {
            path: self._dataset.take_blobs(self._source(path), addresses=addresses)
            for path in paths
        }
        columns = [name for name in table.column_names if (name,) in files]
        frame = table.drop_columns(columns).to_pandas(**kwargs)
        for index, name in enumerate(table.column_names):
            if name in columns:
                frame.insert(index, name, files[name,])
        for path, of_rows in files.items():
            if len(path) > 1:
                for value, file in zip(frame[path[0]], of_rows):
                    _put(value, path[1:], file)
        return frame

    def _source(self, path):
        """The field of the table that a field of the result is."""
        name, *inner = path
        if name in self._expressions:
            source = self._expressions[name]
        elif not inner or name not in pa.schema(self._dataset._table.schema).names:
            source = name
        else:
            source = f"`{name}`"
        return ".".join([source, *(f"`{part}`" for part in inner)])

    def _with_addresses(self):
        """The table with the addresses of its rows."""
        options = self._options
        asked, options.with_row_address = options.with_row_address, True
        try:
            return self.to_table()
        finally:
            options.with_row_address = asked


def _blob_paths(field):
    """The paths, as tuples of names, of the descriptors of blobs in a field and inside its structs."""
    if not pa.types.is_struct(field.type):
        return []
    if b"lance-encoding:blob" in (field.metadata or {}):
        return [(field.name,)]
    return [(field.name, *path) for child in field.type for path in _blob_paths(child)]


def _put(value, path, file):
    """Sets what is at the path in dicts of dicts, unless there is none."""
    for name in path[:-1]:
        value = None if value is None else value[name]
    if value is not None:
        value[path[-1]] = file
