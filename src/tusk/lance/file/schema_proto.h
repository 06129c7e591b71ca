#pragma once

#include <vector>

#include <google/protobuf/repeated_ptr_field.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/file/schema.pb.h"

namespace tusk::lance {

/// Appends `fields` flattened: depth-first, each with the id of its parent, -1 at the top.
void AppendFields(const std::vector<Field>& fields,
                  google::protobuf::RepeatedPtrField<proto::Field>* out);

/// Rebuilds the tree from its flattened form; the parts of a blob's descriptor, which have neither
/// id nor parent, become its children. Corrupt if a parent does not stand before its children, an
/// id is taken twice, a name is not UTF-8 or the tree is deeper than 64.
Result<std::vector<Field>> ParseFields(
    const google::protobuf::RepeatedPtrField<proto::Field>& fields);

proto::Schema ToProto(const Schema& schema);
/// The errors of ParseFields.
Result<Schema> FromProto(const proto::Schema& schema);

}  // namespace tusk::lance
