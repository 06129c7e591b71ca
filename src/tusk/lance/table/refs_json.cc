#include <arrow/buffer.h>
#include <nlohmann/json.hpp>

#include "tusk/lance/table/refs.h"

namespace tusk::lance {

Result<TableRefs> ReadRefs(const io::StorePath& table, const OperationContext& context) {
  TableRefs refs;
  for (const char* folder : {"tree", "_refs/branches"}) {
    ARROW_ASSIGN_OR_RAISE(const auto files,
                          table.store->List(io::JoinPath(table.path, folder), context));
    refs.has_branches |= !files.empty();
  }
  ARROW_ASSIGN_OR_RAISE(const auto tags,
                        table.store->List(io::JoinPath(table.path, "_refs/tags"), context));
  for (const io::ObjectInfo& tag : tags) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, table.store->Get(tag.path, context));
    const std::string_view text(*bytes);
    const auto document =
        nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
    const auto version = document.is_object() ? document.find("version") : document.end();
    if (version == document.end() || !version->is_number_unsigned()) {
      return Corrupt("'", tag.path, "' is no tag of a Lance table: it names no version");
    }
    refs.tagged.insert(version->get<uint64_t>());
  }
  return refs;
}

}  // namespace tusk::lance
