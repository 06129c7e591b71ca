"""The storage options of an open table as pylance hands them around."""

import hashlib


class StorageOptionsAccessor:
    """Storage options that never change: there is no provider that could renew them."""

    def __init__(self):
        raise TypeError(
            "cannot create 'StorageOptionsAccessor' instances: see with_static_options, or"
            " LanceDataset.storage_options_accessor"
        )

    @classmethod
    def with_static_options(cls, options):
        """An accessor of these options."""
        self = cls.__new__(cls)
        self._options = dict(options)
        return self

    def __repr__(self):
        return f"<tusk.StorageOptionsAccessor {self.accessor_id()}>"

    def accessor_id(self):
        """A name that accessors of the same options share, and no others."""
        text = repr(sorted(self._options.items()))
        return "static_options_" + hashlib.sha256(text.encode()).hexdigest()[:16]

    def get_storage_options(self):
        return dict(self._options)

    def initial_storage_options(self):
        return dict(self._options)

    def has_provider(self):
        return False

    def refresh_offset_secs(self):
        """How long before they expire options are renewed: pylance's default, and unused."""
        return 60
