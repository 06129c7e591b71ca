// Binds include/tusk/lance/row_id_bytes.h.
#include <string>
#include <string_view>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "table_modules.h"

#include "tusk/lance/row_id_bytes.h"

namespace tusk::python {
namespace {

nb::bytes ToBytes(const std::string& text) { return nb::bytes(text.data(), text.size()); }

std::string_view ToView(const nb::bytes& bytes) {
  return {static_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void BindLanceRowIdBytes(nb::module_& module) {
  module.def("encode_row_ids",
             [](const std::vector<uint64_t>& ids) { return ToBytes(lance::EncodeRowIds(ids)); });
  module.def("encode_row_id_range", [](uint64_t first, uint64_t count) {
    return ToBytes(lance::EncodeRowIdRange(first, count));
  });
  module.def("count_row_ids",
             [](const nb::bytes& bytes) { return OrRaise(lance::CountRowIds(ToView(bytes))); });
  module.def("decode_row_ids",
             [](const nb::bytes& bytes) { return OrRaise(lance::DecodeRowIds(ToView(bytes))); });
}

}  // namespace tusk::python
