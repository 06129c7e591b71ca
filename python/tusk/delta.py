"""What changed between two versions of a Lance table, in the names of pylance."""

from tusk.later import later

_NO_LINEAGE = "list_transactions tells what was done, and two versions can be joined by their key"


class DatasetDelta:
    """The versions after one, up to and with another."""

    def __init__(self, delta):
        self._dataset, self._begin, self._end = delta

    @classmethod
    def between(cls, dataset, compared_against, begin, end):
        """ValueError unless the versions are named in one of the two ways; the first counts."""
        if compared_against is not None:
            return cls((dataset, *sorted((compared_against, dataset.version))))
        if begin is None or end is None:
            raise ValueError("a delta needs compared_against, or begin_version and end_version")
        return cls((dataset, begin, end))

    def list_transactions(self):
        """The transactions that made the versions, ascending."""
        return [
            self._dataset.read_transaction(version)
            for version in range(self._begin + 1, self._end + 1)
        ]

    @later(_NO_LINEAGE)
    def get_inserted_rows(self):
        pass

    @later(_NO_LINEAGE)
    def get_updated_rows(self):
        pass

    @later(_NO_LINEAGE)
    def get_deleted_row_ids(self):
        pass
