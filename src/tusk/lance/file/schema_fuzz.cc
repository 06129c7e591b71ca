// File descriptors of any bytes; what is read is written and read the same.

#include <arrow/type.h>

#include "tusk/lance/file/field_path.h"
#include "tusk/lance/file/logical_type.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/file/schema_proto.h"
#include "tusk/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  proto::FileDescriptor descriptor;
  if (!ParseMessage(tusk::AsText({data, size}), &descriptor)) return -1;
  const auto schema = FromProto(descriptor.schema());
  if (!schema.ok()) {
    tusk::RequireRefusal(schema.status());
    return 0;
  }
  const proto::Schema written = ToProto(*schema);
  const auto again = FromProto(written);
  tusk::Require(again.status(), "what is written is read");
  tusk::Require(ToProto(*again).SerializeAsString() == written.SerializeAsString(),
                "what is read again is the same");
  const auto arrow_schema = schema->ToArrow();
  if (!arrow_schema.ok()) tusk::RequireRefusal(arrow_schema.status());
  for (const Field& field : schema->fields) {
    // A field is found by its path: it, or one before it with its name.
    const auto path = schema->Resolve(FormatFieldPath({field.name}));
    tusk::Require(path.status(), "a field is found by its name");
    tusk::Require(path->back()->name == field.name, "a field is found by its name");
    const auto arrow_field = ToArrowField(field);
    if (!arrow_field.ok()) {
      tusk::RequireRefusal(arrow_field.status());
      continue;
    }
    tusk::Require((*arrow_field)->name() == field.name, "a field keeps its name");
    // A type that is read has a name of its own, by which it is read as the same.
    const auto logical_type = ToLogicalType(*(*arrow_field)->type());
    if (!logical_type.ok() || (*arrow_field)->type()->num_fields() > 0) continue;
    if ((*arrow_field)->type()->id() == arrow::Type::STRUCT) continue;
    const auto type = FromLogicalType(*logical_type);
    tusk::Require(type.status(), "a logical type that is written is read");
    tusk::Require((*type)->Equals((*arrow_field)->type()), "a logical type stands for one type");
  }
  return 0;
}
