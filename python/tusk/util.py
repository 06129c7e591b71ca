"""Small things that pylance has in lance.util."""

import datetime


def sanitize_ts(ts):
    """A datetime of a datetime, one of pandas, or text.

    ValueError for text that is no time, TypeError for another type.
    """
    if isinstance(ts, str):
        try:
            return datetime.datetime.fromisoformat(ts)
        except ValueError:
            return _of_pandas(ts)
    if hasattr(ts, "to_pydatetime"):
        return ts.to_pydatetime()
    if not isinstance(ts, datetime.datetime):
        raise TypeError(f"a time is a datetime or text, not {type(ts).__name__}")
    return ts


def _of_pandas(text):
    """pandas reads many more ways to write a time, if it is there."""
    try:
        import pandas
    except ImportError:
        raise ValueError(f"{text!r} is no time in the ISO form; pandas would read others") from None
    return pandas.to_datetime(text).to_pydatetime()


def td_to_micros(td):
    """The microseconds of a timedelta."""
    return round(td / datetime.timedelta(microseconds=1))
