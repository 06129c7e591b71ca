"""Made by tools/make_stubs.py; do not edit."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from tusk.bitmap import Bitmap
from tusk.fragment_metadata import DataFile, FragmentMetadata
from tusk.lance import LanceDataset
from tusk.lance_schema import LanceSchema

class DatasetBasePath:
    path: str
    name: str | None
    is_dataset_root: bool
    id: int
    def __init__(
        self,
        path: str,
        name: str | None = None,
        is_dataset_root: bool = False,
        id: int | None = None,
    ) -> None: ...

class Index:
    uuid: str
    name: str
    fields: list[int]
    dataset_version: int
    fragment_ids: Iterable[int] | None
    index_version: int | None
    created_at: datetime.datetime | None
    base_id: int | None
    files: list[IndexFile] | None
    index_details: tuple[str, bytes] | None
    covering_fields: list[int]
    def __init__(
        self,
        uuid: str,
        name: str,
        fields: list[int],
        dataset_version: int,
        fragment_ids: Iterable[int] | None,
        index_version: int | None = None,
        created_at: datetime.datetime | None = None,
        base_id: int | None = None,
        files: list[IndexFile] | None = None,
        index_details: Any = None,
        covering_fields: list[int] = ...,
    ) -> None: ...

class IndexFile:
    path: str
    size_bytes: int
    def __init__(self, path: str, size_bytes: int) -> None: ...

class LanceOperation:
    class Append(LanceOperation.BaseOperation):
        fragments: list[FragmentMetadata]
        def __init__(self, fragments: list[FragmentMetadata]) -> None: ...
    
    class BaseOperation:
        pass
    
    class Clone(LanceOperation.BaseOperation):
        is_shallow: bool
        ref_name: str | None
        ref_version: int
        ref_path: str
        branch_name: str | None
        def __init__(
        self,
        is_shallow: bool,
        ref_name: str,
        ref_version: int,
        ref_path: str,
        branch_name: str,
    ) -> None: ...
    
    class CreateIndex(LanceOperation.BaseOperation):
        new_indices: Any
        removed_indices: Any
        def __init__(self, new_indices: Any, removed_indices: Any) -> None: ...
    
    class DataReplacement(LanceOperation.BaseOperation):
        replacements: Any
        def __init__(self, replacements: Any) -> None: ...
    
    class DataReplacementGroup:
        fragment_id: int
        new_file: DataFile
        def __init__(self, fragment_id: int, new_file: DataFile) -> None: ...
    
    class Delete(LanceOperation.BaseOperation):
        updated_fragments: list[FragmentMetadata]
        deleted_fragment_ids: list[int]
        predicate: str
        def __init__(
        self,
        updated_fragments: list[FragmentMetadata],
        deleted_fragment_ids: list[int],
        predicate: str,
    ) -> None: ...
    
    class Merge(LanceOperation.BaseOperation):
        fragments: list[FragmentMetadata]
        schema: LanceSchema | pa.Schema
        preserves_nullability: bool
        def __init__(
        self,
        fragments: list[FragmentMetadata],
        schema: LanceSchema | pa.Schema,
        preserves_nullability: bool = False,
    ) -> None: ...
    
    class Overwrite(LanceOperation.BaseOperation):
        new_schema: LanceSchema | pa.Schema
        fragments: list[FragmentMetadata]
        initial_bases: list[DatasetBasePath] | None
        def __init__(
        self,
        new_schema: LanceSchema | pa.Schema,
        fragments: list[FragmentMetadata],
        initial_bases: list[DatasetBasePath] | None = None,
    ) -> None: ...
    
    class Project(LanceOperation.BaseOperation):
        schema: LanceSchema
        preserves_nullability: bool
        def __init__(self, schema: LanceSchema, preserves_nullability: bool = False) -> None: ...
    
    class ReserveFragments(LanceOperation.BaseOperation):
        num_fragments: int
        def __init__(self, num_fragments: int) -> None: ...
    
    class Restore(LanceOperation.BaseOperation):
        version: int
        def __init__(self, version: int) -> None: ...
    
    class Rewrite(LanceOperation.BaseOperation):
        groups: Any
        rewritten_indices: Any
        def __init__(self, groups: Any, rewritten_indices: Any) -> None: ...
    
    class RewriteGroup:
        old_fragments: list[FragmentMetadata]
        new_fragments: list[FragmentMetadata]
        def __init__(
        self,
        old_fragments: list[FragmentMetadata],
        new_fragments: list[FragmentMetadata],
    ) -> None: ...
    
    class RewrittenIndex:
        old_id: str
        new_id: str
        new_details_type_url: str
        new_details_value: bytes
        new_index_version: int
        def __init__(
        self,
        old_id: str,
        new_id: str,
        new_details_type_url: str,
        new_details_value: bytes,
        new_index_version: int,
    ) -> None: ...
    
    class Update(LanceOperation.BaseOperation):
        removed_fragment_ids: list[int]
        updated_fragments: list[FragmentMetadata]
        new_fragments: list[FragmentMetadata]
        fields_modified: list[int]
        fields_for_preserving_frag_bitmap: list[int]
        update_mode: str
        updated_fragment_offsets: dict[int, bytes] | None
        def __init__(
        self,
        removed_fragment_ids: list[int] = ...,
        updated_fragments: list[FragmentMetadata] = ...,
        new_fragments: list[FragmentMetadata] = ...,
        fields_modified: list[int] = ...,
        fields_for_preserving_frag_bitmap: list[int] = ...,
        update_mode: str = '',
        updated_fragment_offsets: dict[int, bytes] | None = None,
    ) -> None: ...
    
    class UpdateBases(LanceOperation.BaseOperation):
        new_bases: list[DatasetBasePath]
        def __init__(self, new_bases: list[DatasetBasePath]) -> None: ...
    
    class UpdateConfig(LanceOperation.BaseOperation):
        config_updates: LanceOperation.UpdateMap | None
        table_metadata_updates: LanceOperation.UpdateMap | None
        schema_metadata_updates: LanceOperation.UpdateMap | None
        field_metadata_updates: dict[int, LanceOperation.UpdateMap] | None
        def __init__(
        self,
        config_updates: LanceOperation.UpdateMap | None = None,
        table_metadata_updates: LanceOperation.UpdateMap | None = None,
        schema_metadata_updates: LanceOperation.UpdateMap | None = None,
        field_metadata_updates: dict[int, LanceOperation.UpdateMap] | None = None,
    ) -> None: ...
    
    class UpdateMap:
        updates: dict[str, str | None]
        replace: bool
        def __init__(self, updates: dict[str, str | None], replace: bool = False) -> None: ...
    

class Transaction:
    read_version: int
    operation: LanceOperation.BaseOperation
    uuid: str
    transaction_properties: dict[str, str] | None
    def __init__(
        self,
        read_version: int,
        operation: LanceOperation.BaseOperation,
        uuid: str = ...,
        transaction_properties: dict[str, str] = ...,
    ) -> None: ...
