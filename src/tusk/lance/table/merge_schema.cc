#include "tusk/lance/table/merge_schema.h"

#include <algorithm>
#include <utility>

namespace tusk::lance {
namespace {

void CollectIds(const std::vector<Field>& fields, std::set<int32_t>* ids) {
  for (const Field& field : fields) {
    ids->insert(field.id);
    CollectIds(field.children, ids);
  }
}

const Field* FindNamed(const std::vector<Field>& fields, const std::string& name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

/// Merges the fields of one place, `path` being what stands before their names.
class Merger {
 public:
  explicit Merger(int32_t next_id) : next_id_(next_id) {}

  bool preserves_nullability() const { return preserves_nullability_; }

  /// Adds to `fields` what of `more` they lack, and that in `added`, too. Whether there was any is
  /// told by `added`.
  Status Merge(const std::vector<Field>& more, const std::string& path, int32_t parent_id,
               bool is_required_below, std::vector<Field>* fields, std::vector<Field>* added) {
    for (const Field& field : more) {
      const Field* there = FindNamed(*fields, field.name);
      if (there == nullptr) {
        Field& own = added->emplace_back(field);
        AssignIds(&own, parent_id, &next_id_);
        fields->push_back(own);
        preserves_nullability_ &= field.nullable && !is_required_below;
        continue;
      }
      ARROW_RETURN_NOT_OK(CheckStruct(*there, field, path));
      auto& own = (*fields)[there - fields->data()];
      Field part = own;
      part.children.clear();
      const bool is_required = is_required_below || (path.empty() && !own.nullable);
      ARROW_RETURN_NOT_OK(Merge(field.children, path + field.name + ".", own.id, is_required,
                                &own.children, &part.children));
      if (part.children.empty()) {
        return InvalidArgument("cannot add column '", path, field.name,
                               "': the table has it already");
      }
      added->push_back(std::move(part));
    }
    return Status::OK();
  }

 private:
  static Status CheckStruct(const Field& there, const Field& field, const std::string& path) {
    if (there.logical_type != field.logical_type) {
      return InvalidArgument("cannot add column '", path, field.name, "' of type ",
                             field.logical_type, ": the table has it as ", there.logical_type);
    }
    if (there.logical_type != "struct" || there.children.empty()) {
      return InvalidArgument("cannot add column '", path, field.name,
                             "': the table has it already");
    }
    if (there.is_packed() || field.is_packed()) {
      return InvalidArgument("cannot add to column '", path, field.name,
                             "': a packed struct is stored as one");
    }
    return Status::OK();
  }

  int32_t next_id_;
  bool preserves_nullability_ = true;
};

/// Removes the field with this id from below `fields`.
void RemoveById(int32_t id, std::vector<Field>* fields) {
  std::erase_if(*fields, [&](const Field& field) { return field.id == id; });
  for (Field& field : *fields) {
    if (field.children.empty()) continue;
    RemoveById(id, &field.children);
  }
  std::erase_if(*fields, [](const Field& field) {
    return field.logical_type == "struct" && field.children.empty();
  });
}

}  // namespace

int32_t NextFieldId(const Manifest& manifest) {
  int32_t highest =
      std::max(manifest.schema.MaxFieldId(), manifest.max_allocated_field_id.value_or(-1));
  for (const Fragment& fragment : manifest.fragments) {
    for (const DataFile& file : fragment.files) {
      for (const int32_t id : file.field_ids) highest = std::max(highest, id);
    }
  }
  return highest + 1;
}

void AssignIds(Field* field, int32_t parent_id, int32_t* next_id) {
  field->id = (*next_id)++;
  field->parent_id = parent_id;
  for (Field& child : field->children) AssignIds(&child, field->id, next_id);
}

Result<MergedSchema> MergeSchemas(const Schema& table, const Schema& more, int32_t next_id) {
  MergedSchema merged{.schema = table, .added = {}};
  Merger merger(next_id);
  ARROW_RETURN_NOT_OK(
      merger.Merge(more.fields, "", -1, false, &merged.schema.fields, &merged.added.fields));
  merged.preserves_nullability = merger.preserves_nullability();
  ARROW_RETURN_NOT_OK(CheckFieldNames(merged.added.fields));
  return merged;
}

Result<Schema> WithoutFields(const Schema& schema, const std::vector<std::string>& paths) {
  Schema left = schema;
  for (const std::string& path : paths) {
    ARROW_ASSIGN_OR_RAISE(const auto fields, schema.Resolve(path));
    for (size_t i = 0; i + 1 < fields.size(); ++i) {
      if (fields[i]->logical_type != "struct" || fields[i]->is_packed()) {
        return InvalidArgument("cannot drop '", path, "': ", fields[i]->name,
                               " is no plain struct, its parts are stored as one");
      }
    }
    RemoveById(fields.back()->id, &left.fields);
  }
  if (left.fields.empty()) return InvalidArgument("cannot drop all columns of a table");
  return left;
}

Field* FindById(std::vector<Field>* fields, int32_t id) {
  for (Field& field : *fields) {
    if (field.id == id) return &field;
    if (Field* found = FindById(&field.children, id)) return found;
  }
  return nullptr;
}

std::set<int32_t> AllFieldIds(const std::vector<Field>& fields) {
  std::set<int32_t> ids;
  CollectIds(fields, &ids);
  return ids;
}

Status CheckFieldNames(const std::vector<Field>& fields) {
  std::set<std::string> names;
  for (const Field& field : fields) {
    if (field.name.find('.') != std::string::npos) {
      return InvalidArgument("a column may not be called '", field.name,
                             "': a dot stands before a nested field in Lance tables");
    }
    if (!names.insert(field.name).second) {
      return InvalidArgument("two columns would be called '", field.name, "'");
    }
    ARROW_RETURN_NOT_OK(CheckFieldNames(field.children));
  }
  return Status::OK();
}

}  // namespace tusk::lance
