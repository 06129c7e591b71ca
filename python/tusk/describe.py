"""What a Lance file or table says of the way it is stored, as plain dicts."""

import os

from tusk import _tusk


def _per_value(size, values):
    return size / values if values else None


def _page(page):
    return {
        "first_row": page.first_row,
        "rows": page.num_rows,
        "values": page.num_values,
        "bytes": page.num_bytes,
        "bytes_per_value": _per_value(page.num_bytes, page.num_values),
        "buffers": [{"position": position, "size": size} for position, size in page.buffers],
        "layout": page.layout,
        "codecs": page.codecs,
        "encoding": page.encoding,
    }


def _column(column, **more):
    return {
        "field": column.field,
        "type": column.logical_type,
        **more,
        "values": column.num_values,
        "bytes": column.num_bytes,
        "bytes_per_value": _per_value(column.num_bytes, column.num_values),
        "encodings": column.encodings,
    }


def describe_file(uri, pages=False):
    """A Lance file: its parts, and each physical column with how its pages are encoded.

    pages: with a dict for each page in its column.
    """
    file = _tusk.open_lance_file(os.fspath(uri)).describe()
    columns = []
    for column in file.columns:
        columns.append(_column(column, content=column.content, pages=len(column.pages)))
        if pages:
            columns[-1]["page_list"] = [_page(page) for page in column.pages]
    return {
        "kind": "file",
        "data_version": file.version,
        "rows": file.num_rows,
        "bytes": file.num_bytes,
        "data_bytes": file.num_data_bytes,
        "column_metadata_bytes": file.num_column_metadata_bytes,
        "global_buffers": [
            {"position": position, "size": size} for position, size in file.global_buffers
        ],
        "columns": columns,
    }


def describe_table(uri):
    """A version of a Lance table, the newest: each column over all its files."""
    table = _tusk.open_lance(os.fspath(uri))
    description = _tusk.describe_lance(table)
    return {
        "kind": "table",
        "version": table.version,
        "data_version": table.data_storage_version,
        "rows": description.num_rows,
        "fragments": table.num_fragments,
        "files": description.num_files,
        "bytes": description.num_bytes,
        "columns": [
            _column(column, files=column.num_files, pages=column.num_pages)
            for column in description.columns
        ],
    }


def verify(uri):
    """Reads all of a Lance file, or of the data files of the newest version of a table.

    Files that tusk wrote are compared with their checksums, others are decoded.
    """
    if is_table(uri):
        found = _tusk.verify_lance(_tusk.open_lance(os.fspath(uri)))
        files, with_checksums = found.num_files, found.num_files_with_checksums
    else:
        found = _tusk.open_lance_file(os.fspath(uri)).verify()
        files, with_checksums = 1, int(found.has_checksums)
    return {
        "files": files,
        "files_with_checksums": with_checksums,
        "bytes": found.num_bytes,
        "damages": found.damages,
    }


def is_table(uri):
    return os.path.isdir(_tusk.resolve(os.fspath(uri)).path)
