#include "tusk/lance/table/validate_operation.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "tusk/lance/table/merge_schema.h"

namespace tusk::lance {
namespace {

struct Placed {
  const Field* field = nullptr;
  int32_t parent_id = -1;
};
using FieldsById = std::map<int32_t, Placed>;

void Collect(const std::vector<Field>& fields, int32_t parent_id, FieldsById* out) {
  for (const Field& field : fields) {
    (*out)[field.id] = {.field = &field, .parent_id = parent_id};
    Collect(field.children, field.id, out);
  }
}

FieldsById Collect(const Schema& schema) {
  FieldsById fields;
  Collect(schema.fields, -1, &fields);
  fields.erase(-1);  // parts of a blob's descriptor
  return fields;
}

bool Has(const DataFile& file, int32_t id) {
  return std::ranges::find(file.field_ids, id) != file.field_ids.end();
}

/// Whether every fragment has the field, and in no file in which it was.
bool IsWrittenAnew(int32_t id, const MergeColumns& merge, const Manifest& previous) {
  std::set<std::string_view> old_paths;
  for (const Fragment& fragment : previous.fragments) {
    for (const DataFile& file : fragment.files) {
      if (Has(file, id)) old_paths.insert(file.path);
    }
  }
  return std::ranges::all_of(merge.fragments, [&](const Fragment& fragment) {
    bool has_it = false;
    for (const DataFile& file : fragment.files) {
      if (!Has(file, id)) continue;
      if (old_paths.contains(file.path)) return false;
      has_it = true;
    }
    return has_it;
  });
}

/// The id of the field called `name` below `parent_id`, or -1.
int32_t IdOfSibling(const FieldsById& fields, int32_t parent_id, std::string_view name) {
  for (const auto& [id, placed] : fields) {
    if (placed.parent_id == parent_id && placed.field->name == name) return id;
  }
  return -1;
}

}  // namespace

Status CheckMergeSchema(const MergeColumns& merge, const Manifest& previous) {
  const FieldsById before = Collect(previous.schema);
  const int32_t highest = NextFieldId(previous) - 1;
  for (const auto& [id, now] : Collect(merge.schema)) {
    const auto found = before.find(id);
    if (found == before.end()) {
      if (id > highest) continue;
      return InvalidArgument("a merge gives the new field '", now.field->name, "' id ", id,
                             ", but ids up to ", highest, " are or were those of other fields");
    }
    const Placed& old = found->second;
    const int32_t named_so = IdOfSibling(before, old.parent_id, now.field->name);
    if (now.parent_id != old.parent_id || (named_so >= 0 && named_so != id)) {
      return InvalidArgument("a merge gives field ", id, " ('", old.field->name,
                             "') the place of another, '", now.field->name,
                             "': begin with the schema of the table");
    }
    const bool differs = old.field->logical_type != now.field->logical_type ||
                         old.field->nullable != now.field->nullable;
    if (differs && !IsWrittenAnew(id, merge, previous)) {
      return InvalidArgument("a merge changes the type of field ", id, " ('", now.field->name,
                             "') without new files for it in every fragment");
    }
  }
  return Status::OK();
}

}  // namespace tusk::lance
