#include "tusk/iceberg/evolve_schema.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/iceberg/data_writer.h"
#include "tusk/iceberg/schema.h"

namespace tusk::iceberg {
namespace {

using FieldPtr = std::shared_ptr<arrow::Field>;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Changes the siblings of the struct that holds a column; the last name of the path is given.
using ChangeSiblings = std::function<Status(arrow::FieldVector*, const std::string&)>;

Status NoColumn(std::string_view path) {
  return InvalidArgument("there is no column '", path, "'");
}

/// True if `path` is `name`, or leads below it; takes `name` off then.
bool Enter(std::string_view name, std::string_view* path) {
  if (!path->starts_with(name)) return false;
  if (path->size() > name.size() && (*path)[name.size()] != '.') return false;
  path->remove_prefix(std::min(path->size(), name.size() + 1));
  return true;
}

Result<TypePtr> ChangeInType(const TypePtr& type, std::string_view path, std::string_view whole,
                             const ChangeSiblings& change);

/// Applies `change` to the struct `fields` if `path` names one of them, else in what it leads to.
/// With `may_be_new` the last name need not be there.
Status ChangeInFields(arrow::FieldVector* fields, std::string_view path, std::string_view whole,
                      const ChangeSiblings& change) {
  for (FieldPtr& field : *fields) {
    std::string_view rest = path;
    if (field->name() == path) return change(fields, field->name());
    if (!Enter(field->name(), &rest)) continue;
    ARROW_ASSIGN_OR_RAISE(const TypePtr type, ChangeInType(field->type(), rest, whole, change));
    field = field->WithType(type);
    return Status::OK();
  }
  return path.find('.') == path.npos ? change(fields, std::string(path)) : NoColumn(whole);
}

/// The element of a list or the value of a map: its one field.
Result<FieldPtr> ChangeItem(const FieldPtr& item, std::string_view path, std::string_view whole,
                            const ChangeSiblings& change) {
  arrow::FieldVector fields = {item};
  if (path.empty()) return NoColumn(whole);
  ARROW_RETURN_NOT_OK(ChangeInFields(&fields, path, whole, change));
  if (fields.size() != 1) {
    return InvalidArgument("'", whole, "': a list or a map keeps its items");
  }
  if (fields[0]->name() != item->name()) {
    return InvalidArgument("'", whole, "': the items of a list or map have no other name");
  }
  return fields[0];
}

Result<TypePtr> ChangeInType(const TypePtr& type, std::string_view path, std::string_view whole,
                             const ChangeSiblings& change) {
  switch (type->id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields = type->fields();
      ARROW_RETURN_NOT_OK(ChangeInFields(&fields, path, whole, change));
      if (fields.empty()) return InvalidArgument("'", whole, "' is the last field of its struct");
      return arrow::struct_(fields);
    }
    case arrow::Type::LIST: {
      ARROW_ASSIGN_OR_RAISE(auto element, ChangeItem(type->field(0), path, whole, change));
      return arrow::list(std::move(element));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      if (path == "key" || path.starts_with("key.")) {
        return InvalidArgument("'", whole, "': the keys of a map cannot change");
      }
      ARROW_ASSIGN_OR_RAISE(auto value, ChangeItem(map.item_field(), path, whole, change));
      return std::make_shared<arrow::MapType>(map.key_field(), std::move(value));
    }
    default:
      return NoColumn(whole);
  }
}

arrow::FieldVector::iterator Find(arrow::FieldVector* fields, std::string_view name) {
  return std::ranges::find(*fields, name, [](const FieldPtr& field) { return field->name(); });
}

Result<arrow::FieldVector::iterator> FindKnown(arrow::FieldVector* fields, std::string_view name,
                                               std::string_view whole) {
  const auto it = Find(fields, name);
  if (it == fields->end()) return NoColumn(whole);
  return it;
}

/// Gives fresh ids to a field and to all below it.
FieldPtr WithFreshIds(const FieldPtr& field, int32_t* last_id);

TypePtr WithFreshIds(const TypePtr& type, int32_t* last_id) {
  if (type->id() == arrow::Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(*type);
    auto key = WithFreshIds(map.key_field(), last_id);
    return std::make_shared<arrow::MapType>(std::move(key),
                                            WithFreshIds(map.item_field(), last_id));
  }
  if (type->num_fields() == 0) return type;
  arrow::FieldVector fields;
  for (const FieldPtr& field : type->fields()) fields.push_back(WithFreshIds(field, last_id));
  return type->id() == arrow::Type::LIST ? arrow::list(fields.front()) : arrow::struct_(fields);
}

FieldPtr WithFreshIds(const FieldPtr& field, int32_t* last_id) {
  FieldPtr fresh = WithFieldId(field, ++*last_id);
  if (IsUuid(*field)) fresh = MarkUuid(fresh);
  return fresh->WithType(WithFreshIds(field->type(), last_id));
}

FieldPtr WithDoc(const FieldPtr& field, const std::string& doc) {
  return field->WithMergedMetadata(arrow::key_value_metadata({std::string(kDocKey)}, {doc}));
}

/// True if every value of `from` is one of `to` by the rules of the specification.
bool CanPromote(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to)) return true;
  if (from.id() == arrow::Type::INT32) return to.id() == arrow::Type::INT64;
  if (from.id() == arrow::Type::FLOAT) return to.id() == arrow::Type::DOUBLE;
  if (from.id() != arrow::Type::DECIMAL128 || to.id() != arrow::Type::DECIMAL128) return false;
  const auto& narrow = static_cast<const arrow::Decimal128Type&>(from);
  const auto& wide = static_cast<const arrow::Decimal128Type&>(to);
  return narrow.scale() == wide.scale() && narrow.precision() <= wide.precision();
}

void AddIds(const arrow::Field& field, std::set<int32_t>* ids) {
  ids->insert(FieldId(field).value_or(0));
  for (const FieldPtr& child : field.type()->fields()) AddIds(*child, ids);
}

class Evolution {
 public:
  Evolution(arrow::FieldVector fields, int32_t last_id, const std::set<int32_t>& needed)
      : fields_(std::move(fields)), last_id_(last_id), needed_(needed) {}

  Status Apply(const SchemaChange& change) {
    const auto apply = [&](arrow::FieldVector* siblings, const std::string& name) {
      return ApplyTo(change, siblings, name);
    };
    if (change.column.empty()) return InvalidArgument("a schema change names no column");
    return ChangeInFields(&fields_, change.column, change.column, apply);
  }

  EvolvedSchema Result() const {
    return {.schema = arrow::schema(fields_), .last_column_id = last_id_};
  }
  bool empty() const { return fields_.empty(); }

 private:
  Status ApplyTo(const SchemaChange& change, arrow::FieldVector* siblings,
                 const std::string& name) {
    if (change.kind == SchemaChange::Kind::kAdd) return Add(change, siblings, name);
    ARROW_ASSIGN_OR_RAISE(const auto field, FindKnown(siblings, name, change.column));
    switch (change.kind) {
      case SchemaChange::Kind::kDrop:
        return Drop(change, siblings, field);
      case SchemaChange::Kind::kRename:
        return Rename(change, siblings, field);
      case SchemaChange::Kind::kMove:
        return Move(change, siblings, field);
      case SchemaChange::Kind::kPromote:
        return Promote(change, field);
      case SchemaChange::Kind::kMakeOptional:
        *field = (*field)->WithNullable(true);
        return Status::OK();
      default:
        *field = WithDoc(*field, change.doc);
        return Status::OK();
    }
  }

  Status Add(const SchemaChange& change, arrow::FieldVector* siblings, const std::string& name) {
    if (Find(siblings, name) != siblings->end()) {
      return InvalidArgument("there is a column '", change.column, "' already");
    }
    if (change.type == nullptr) return InvalidArgument("column '", change.column, "': no type");
    ARROW_ASSIGN_OR_RAISE(const auto stored,
                          StoredSchema(arrow::Schema({arrow::field(name, change.type)})));
    FieldPtr field = WithFreshIds(stored->field(0), &last_id_);
    if (!change.doc.empty()) field = WithDoc(field, change.doc);
    siblings->push_back(std::move(field));
    return Status::OK();
  }

  Status Drop(const SchemaChange& change, arrow::FieldVector* siblings,
              arrow::FieldVector::iterator field) {
    std::set<int32_t> ids;
    AddIds(**field, &ids);
    if (std::ranges::any_of(ids, [&](int32_t id) { return needed_.contains(id); })) {
      return InvalidArgument("cannot drop column '", change.column,
                             "': the table is partitioned by it; remove the partition field first");
    }
    siblings->erase(field);
    return Status::OK();
  }

  static Status Rename(const SchemaChange& change, arrow::FieldVector* siblings,
                       arrow::FieldVector::iterator field) {
    const auto other = Find(siblings, change.new_name);
    if (change.new_name.empty() || (other != siblings->end() && other != field)) {
      return InvalidArgument("cannot rename column '", change.column, "' to '", change.new_name,
                             "': ", change.new_name.empty() ? "a name is needed" : "it is taken");
    }
    *field = (*field)->WithName(change.new_name);
    return Status::OK();
  }

  static Status Move(const SchemaChange& change, arrow::FieldVector* siblings,
                     arrow::FieldVector::iterator field) {
    FieldPtr moved = std::move(*field);
    siblings->erase(field);
    auto place = siblings->begin();
    if (change.place != SchemaChange::Place::kFirst) {
      place = Find(siblings, change.anchor);
      if (place == siblings->end()) {
        return InvalidArgument("cannot move column '", change.column, "': there is no column '",
                               change.anchor, "' beside it");
      }
      if (change.place == SchemaChange::Place::kAfter) ++place;
    }
    siblings->insert(place, std::move(moved));
    return Status::OK();
  }

  static Status Promote(const SchemaChange& change, arrow::FieldVector::iterator field) {
    if (change.type == nullptr) return InvalidArgument("column '", change.column, "': no type");
    ARROW_ASSIGN_OR_RAISE(const auto stored,
                          StoredSchema(arrow::Schema({arrow::field("x", change.type)})));
    const TypePtr& type = stored->field(0)->type();
    if (type->num_fields() > 0 || !CanPromote(*(*field)->type(), *type)) {
      return InvalidArgument("cannot change column '", change.column, "' from ",
                             (*field)->type()->ToString(), " to ", type->ToString(),
                             ": int becomes long, float double, a decimal one of more digits");
    }
    *field = (*field)->WithType(type);
    return Status::OK();
  }

  arrow::FieldVector fields_;
  int32_t last_id_;
  const std::set<int32_t>& needed_;
};

}  // namespace

Result<EvolvedSchema> EvolveSchema(const std::shared_ptr<arrow::Schema>& schema,
                                   int32_t last_column_id, const std::vector<SchemaChange>& changes,
                                   const std::set<int32_t>& needed) {
  Evolution evolution(schema->fields(), last_column_id, needed);
  for (const SchemaChange& change : changes) ARROW_RETURN_NOT_OK(evolution.Apply(change));
  if (evolution.empty()) return InvalidArgument("a table needs a column");
  return evolution.Result();
}

}  // namespace tusk::iceberg
