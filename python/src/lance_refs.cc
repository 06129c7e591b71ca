// Binds include/tusk/lance/refs.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"
#include "tables.h"

#include "tusk/lance/refs.h"

namespace tusk::python {
namespace {

using Metadata = std::map<std::string, std::string>;

/// Runs one of the functions that answer a Status.
template <typename Operation>
void Do(Operation operation) {
  Call().Run([&](const OperationContext& context) -> Result<bool> {
    ARROW_RETURN_NOT_OK(operation(context));
    return true;
  });
}

io::StorePath Place(std::string_view uri) { return OrRaise(io::ResolveUri(uri)); }

lance::VersionRef ToRef(std::optional<std::string> branch, std::optional<uint64_t> version) {
  return {.branch = std::move(branch), .version = version};
}

}  // namespace

void BindLanceRefs(nb::module_& module) {
  using lance::Branch;
  using lance::Tag;
  nb::class_<Tag>(module, "LanceTag")
      .def_ro("branch", &Tag::branch)
      .def_ro("version", &Tag::version)
      .def_ro("created_at", &Tag::created_at)
      .def_ro("updated_at", &Tag::updated_at)
      .def_ro("manifest_size", &Tag::manifest_size)
      .def_ro("metadata", &Tag::metadata);
  nb::class_<Branch>(module, "LanceBranch")
      .def_ro("parent_branch", &Branch::parent_branch)
      .def_ro("parent_version", &Branch::parent_version)
      .def_ro("identifier", &Branch::identifier)
      .def_ro("created_at", &Branch::created_at_s)
      .def_ro("manifest_size", &Branch::manifest_size)
      .def_ro("metadata", &Branch::metadata);
  module.def("lance_root",
             [](const LanceTable& table) { return lance::RootOf(*table.dataset).path; });
  module.def(
      "lance_branch_uri",
      [](std::string_view uri, std::optional<std::string> branch) {
        return OrRaise(lance::BranchLocation(Place(uri), branch)).path;
      },
      nb::arg("uri"), nb::arg("branch").none());
  module.def("list_lance_tags", [](std::string_view uri) {
    const auto place = Place(uri);
    return Call().Run(
        [&](const OperationContext& context) { return lance::ListTags(place, context); });
  });
  module.def("get_lance_tag", [](std::string_view uri, std::string_view name) {
    const auto place = Place(uri);
    return Call().Run(
        [&](const OperationContext& context) { return lance::GetTag(place, name, context); });
  });
  module.def(
      "create_lance_tag",
      [](std::string_view uri, std::string_view name, std::optional<std::string> branch,
         std::optional<uint64_t> version) {
        Do([&](const OperationContext& context) {
          return lance::CreateTag(Place(uri), name, ToRef(branch, version), context);
        });
      },
      nb::arg("uri"), nb::arg("name"), nb::arg("branch").none(), nb::arg("version").none());
  module.def(
      "update_lance_tag",
      [](std::string_view uri, std::string_view name, std::optional<std::string> branch,
         std::optional<uint64_t> version) {
        Do([&](const OperationContext& context) {
          return lance::UpdateTag(Place(uri), name, ToRef(branch, version), context);
        });
      },
      nb::arg("uri"), nb::arg("name"), nb::arg("branch").none(), nb::arg("version").none());
  module.def("replace_lance_tag_metadata",
             [](std::string_view uri, std::string_view name, const Metadata& metadata) {
               Do([&](const OperationContext& context) {
                 return lance::ReplaceTagMetadata(Place(uri), name, metadata, context);
               });
             });
  module.def("delete_lance_tag", [](std::string_view uri, std::string_view name) {
    Do([&](const OperationContext& context) {
      return lance::DeleteTag(Place(uri), name, context);
    });
  });
  module.def("list_lance_branches", [](std::string_view uri) {
    const auto place = Place(uri);
    return Call().Run(
        [&](const OperationContext& context) { return lance::ListBranches(place, context); });
  });
  module.def("create_lance_branch", [](const LanceTable& source, std::string_view name) {
    LanceTable table;
    table.dataset = Call(table.io).Run([&](const OperationContext& context) {
      return lance::CreateBranch(*source.dataset, name, context);
    });
    return table;
  });
  module.def("delete_lance_branch", [](std::string_view uri, std::string_view name, bool force) {
    Do([&](const OperationContext& context) {
      return lance::DeleteBranch(Place(uri), name, force, context);
    });
  });
  module.def("replace_lance_branch_metadata",
             [](std::string_view uri, std::string_view name, const Metadata& metadata) {
               Do([&](const OperationContext& context) {
                 return lance::ReplaceBranchMetadata(Place(uri), name, metadata, context);
               });
             });
  module.def(
      "clone_lance",
      [](const LanceTable& source, std::string_view uri, bool shallow,
         std::optional<std::string> ref_name) {
        const auto place = Place(uri);
        LanceTable table;
        table.dataset = Call(table.io).Run([&](const OperationContext& context) {
          return lance::CloneDataset(*source.dataset, place,
                                     {.shallow = shallow, .ref_name = ref_name}, context);
        });
        return table;
      },
      nb::arg("source"), nb::arg("uri"), nb::arg("shallow"), nb::arg("ref_name").none());
}

}  // namespace tusk::python
