#include "tusk/lance/table/manifest_laws.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/table/fragment_wire.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/table_proto.h"
#include "tusk/lance/table/wire_format.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

/// The fragments by protobuf; nothing if the message or one of them is refused.
std::optional<std::vector<Fragment>> ReadWithProtobuf(std::string_view message) {
  proto::Manifest in;
  if (!ParseMessage(message, &in)) return std::nullopt;
  std::vector<Fragment> fragments;
  for (const proto::DataFragment& each : in.fragments()) {
    auto fragment = FromProto(each);
    if (!fragment.ok()) return std::nullopt;
    fragments.push_back(*std::move(fragment));
  }
  std::ranges::stable_sort(fragments, {}, &Fragment::id);
  return fragments;
}

std::string Written(const Fragment& fragment) {
  std::string bytes;
  AppendBytes(proto::Manifest::kFragmentsFieldNumber, ToProto(fragment).SerializeAsString(),
              &bytes);
  return bytes;
}

}  // namespace

bool CheckManifest(std::string_view message) {
  const auto expected = ReadWithProtobuf(message);
  const auto manifest = ParseManifest(message);
  if (!manifest.ok()) {
    RequireRefusal(manifest.status());
    return false;
  }
  Require(expected.has_value(), "what protobuf refuses is refused");
  Require(expected->size() == manifest->fragments.size(), "all fragments are read");
  FragmentEncoder encoder;
  for (size_t i = 0; i < expected->size(); ++i) {
    const std::string bytes = Written((*expected)[i]);
    Require(Written(manifest->fragments[i]) == bytes, "a fragment is read as protobuf reads it");
    std::string encoded;
    encoder.Append(proto::Manifest::kFragmentsFieldNumber, manifest->fragments[i], &encoded);
    Require(encoded == bytes, "a fragment is written as protobuf writes it");
  }
  const std::string written = SerializeManifest(*manifest);
  const auto again = ParseManifest(written);
  Require(again.status(), "what is written is read");
  Require(SerializeManifest(*again) == written, "what is read again is the same");
  return true;
}

}  // namespace tusk::lance
