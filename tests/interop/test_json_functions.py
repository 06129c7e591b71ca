"""Functions of JSON columns: the values that pylance gives."""

import lance
import pyarrow as pa
import pytest

import tusk

DOCUMENTS = [
    '{"a":1,"b":"x","c":[1,2,"z",null],"d":{"e":{"f":true}},"n":null,"x y":2.5,"A":7}',
    '[1,{"a":5},[3]]',
    "5",
    None,
    '{"a":"12","b":false,"c":[],"d":[{"e":1},{"e":2}],"big":18446744073709551615,"f":1e2,'
    '"s":"3.7","neg":-4.5,"t":"Yes","q":"a\\"b\\u00e9"}',
    "null",
    '"str"',
]
KEYS = ["a", "b", "$.a", None, "c", "1", "x"]

SHARED = [
    *(
        f"json_extract(j, '{path}')"
        for path in (
            "$", "", "$.a", "a", ".a", ":a", "$:a", "$ .a", "$.A", "$.a.b", "$.n", "$.d.e.f",
            '$."x y"', '$["x y"]', "$.c[0]", "$.c[ 2 ]", "$.c[last]", "$.c[LAST - 1]", "$.c[0,2]",
            "$.c[*]", "$.d[*].e", "$.d.e", "$.*", "$[1].a", "$[0]", "$[-1]", "$.c[9]", "$.**",
            "$.d.**", "$.q", "k",
        )
    ),
    "json_extract(j, k)",
    "json_extract(j, NULL)",
    *(
        f"json_exists(j, '{path}')"
        for path in ("$", "$.a", "$.n", "$.c[9]", "$.c[*]", "$.c[last]", "$.d[1].e")
    ),
    *(f"json_get_string(j, '{key}')" for key in ("a", "b", "n", "0", "f", "q", "neg", "none")),
    *(f"json_get_int(j, '{key}')" for key in ("a", "f", "s", "0", "neg", "x y", "n")),
    *(f"json_get_float(j, '{key}')" for key in ("a", "x y", "s", "big", "neg", "none")),
    "json_get_bool(j, 't')",
    "json_get_bool(j, 'n')",
    "json_get_bool(json_get(json_get(j, 'd'), 'e'), 'f')",
    "json_get_int(json_get(j, '1'), 'a')",
    *(
        f"json_array_contains(j, '{path}', '{value}')"
        for path, value in (
            ("$.c", "z"), ("$.c", "1"), ("$.c", "null"), ("$", "5"), ("$.d", '{"e":1}'),
            ("$.a", "1"), ("$.c[*]", "1"),
        )
    ),
    *(f"json_array_length(j, '{path}')" for path in ("$.c", "$", "$.zz", "$.c[*]", "$.d")),
]  # fmt: skip

BOTH_REFUSE = [
    "json_extract(j, '$a')",
    "json_extract(j, '$.')",
    "json_extract(j, '$..a')",
    "json_extract(j, '$[''a'']')",
    "json_extract(j, '$.c[')",
    "json_get_string(j, 'c')",
    "json_get_int(j, 'big')",
    "json_get_int(j, 'b')",
    "json_get_bool(j, 'a')",
    "json_get_float(j, 't')",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("json") / "t.lance"
    lance.write_dataset(pa.table({"j": pa.array(DOCUMENTS, pa.json_()), "k": KEYS}), path)
    return path


def _values(dataset, text):
    return dataset.to_table(columns={"x": text})["x"]


@pytest.mark.parametrize("text", SHARED)
def test_gives_the_values_that_pylance_gives(text, path):
    ours, theirs = (_values(module.dataset(path), text) for module in (tusk, lance))
    assert (ours.type, ours.to_pylist()) == (theirs.type, theirs.to_pylist())


@pytest.mark.parametrize("text", BOTH_REFUSE)
def test_refuses_what_pylance_refuses(text, path):
    with pytest.raises((ValueError, OSError)):
        _values(lance.dataset(path), text)
    with pytest.raises(ValueError):
        _values(tusk.dataset(path), text)


def test_gives_json_as_text_and_knows_ranges_and_fractions(path):
    # pylance gives JSONB here, and does not come back from a range.
    dataset = tusk.dataset(path)
    assert _values(dataset, "json_get(j, 'd')").to_pylist()[0] == '{"e":{"f":true}}'
    assert _values(dataset, "json_extract(j, '$.c[1 to last]')").to_pylist()[0] == '[2,"z",null]'
    # Its parser takes the point for the end of the number.
    assert _values(dataset, "json_extract(j, '$.c[*]?(@ > 1.5)')").to_pylist()[0] == "2"


def test_tells_the_type_of_what_it_extracts(path):
    def extracted(module):
        found = _values(module.dataset(path), "json_extract_with_type(j, k)").to_pylist()
        return [(value["value"] is None, value["type_tag"]) for value in found]

    assert extracted(tusk) == extracted(lance)
    ours = _values(tusk.dataset(path), "json_extract_with_type(j, '$.c[2]')").to_pylist()
    assert ours[0] == {"value": '"z"', "type_tag": 4}
    assert ours[2] == ours[3] == {"value": None, "type_tag": 0}


def test_refuses_conditions_with_their_place(path):
    for condition in ("@ = 1", "@", "", "@ == 1 &&", "(@ == 1"):
        with pytest.raises(ValueError, match="at character 1.*JSON path"):
            _values(tusk.dataset(path), f"json_extract(j, '$.c?({condition})')")


def test_filters_by_json(path):
    for condition in (
        "json_get_int(j, 'a') > 1",
        "json_exists(j, '$.c')",
        "json_extract(j, '$.a') = '1'",
        "json_array_contains(j, '$.c', 'z')",
    ):
        ours, theirs = (m.dataset(path).to_table(["k"], filter=condition) for m in (tusk, lance))
        assert ours.equals(theirs)
