// SPDX-License-Identifier: Apache-2.0
// A network among other tensors in a file of torch.save: what it does not need is left out and said.
#include <functional>

#include "formats/files.h"
#include "formats/torch_files.h"
#include "models/weights.h"

namespace
{

using Names = std::vector<std::pair<std::string, std::string>>; // of tensors, and their opcodes

// Its elements are one and the same.
std::string tensor_of(const trib_shape &shape)
{
    torch::Tensor t;
    t.sizes = torch::numbers({ shape.dim, shape.dim + shape.rank });
    t.strides = torch::numbers(std::vector<std::int64_t>(std::size_t(shape.rank), 0));
    return t;
}

std::string small(const std::string &type = "FloatStorage", const std::string &key = "0")
{
    torch::Tensor t;
    t.type = type;
    t.key = torch::text(key);
    t.sizes = torch::numbers({ 1 });
    if (key == "0") t.count = torch::number(4);
    return t;
}

// torchvision's GoogLeNet as a state_dict with these changes.
std::string state(const std::string &prefix, const std::function<bool(const std::string &)> &keep = nullptr,
                  const Names &more = {})
{
    const trib_network_spec net = models::network(support::torchvision, true, 0, 0.05, 7);
    const models::Graph graph = models::build(net);
    std::string dict = "}";
    for (int i = 0; i < trib_graph_parameter_count(graph.get()); ++i) {
        const std::string name = models::file_name(graph.get(), net.network, i);
        if (keep && !keep(name)) continue;
        dict += torch::text(prefix + name) + tensor_of(trib_graph_parameter(graph.get(), i)->shape) + "s";
    }
    for (const auto &[name, opcodes] : more) dict += torch::text(name) + opcodes + "s";
    return dict;
}

std::string file_of(const std::string &object)
{
    return torch::Zip {}({ { "a/data.pkl", torch::pickle(object) },
                           { "a/data/0", std::string(16, '\0') },
                           { "a/data/1", std::string(16, '\0') } });
}

class TorchNetwork : public testing::Test
{
  protected:
    support::TemporaryFolder folder;
    files::Model model;

    trib_status load(const std::string &object, bool aux = true)
    {
        trib_model_options options = {};
        options.aux = aux;
        support::write_file(folder.file("net.pth"), file_of(object));
        return files::load(folder.file("net.pth"), model, &options);
    }
    void expect_note(const std::string &object, const char *note, bool aux = true)
    {
        ASSERT_OK(load(object));
        EXPECT_STREQ(trib_model_note(model.get()), note);
        EXPECT_EQ(trib_model_network(model.get())->aux, aux);
    }
    void expect_failure(const std::string &object, const char *why)
    {
        const trib_status s = load(object);
        ASSERT_TRUE(trib_failed(&s));
        EXPECT_NE(std::string(s.message).find(why), std::string::npos) << s.message;
    }
};

std::string checkpoint(const std::string &state) { return torch::dict({ torch::text("state_dict"), state }); }

TEST_F(TorchNetwork, TensorsOfOthersAreLeftOut)
{
    const std::string complex = small("ComplexFloatStorage", "1");
    expect_note(state("", nullptr, { { "criterion.weight", small() } }),
                "left out, as the network does not have it: criterion.weight");
    expect_note(state("", nullptr, { { "x.y", complex }, { "metric.total", small() } }),
                "left out, as the network does not have it: x.y and 1 more");
    expect_note(checkpoint(state("model.", nullptr, { { "loss_fn.weight", small() } })),
                "the weights are those under state_dict; left off before the network's names: model; "
                "left out, as the network does not have it: loss_fn.weight");
}

TEST_F(TorchNetwork, ItsOwnTensorsAreRefusedByName)
{
    const std::string complex = small("ComplexFloatStorage", "1");
    const auto all_but = [](const char *name) { return [name](const std::string &other) { return other != name; }; };
    expect_failure(state("", all_but("fc.weight"), { { "x.y", complex }, { "fc.weight", complex } }),
                   "tensor 'fc.weight': is in a storage of type torch.ComplexFloatStorage");
    expect_failure(state("", nullptr, { { "fc.scale", complex } }), "tensor 'fc.scale': is in a storage of type");
    expect_failure(state("", nullptr, { { "conv1.conv.bias", small() } }),
                   "tensor conv1.conv.bias is not part of googlenet-torchvision");
    expect_failure(state("", all_but("fc.weight"), { { "x.y", complex } }), "tensor fc.weight is missing");
}

TEST_F(TorchNetwork, AnotherNetworkIsRefused)
{
    const auto convolutions = [](const std::string &name) { return name.find("inception") != 0 && name[0] != 'f'; };
    expect_failure(state("", convolutions, { { "head.weight", small() } }), "tensor fc.weight is missing");
    expect_failure(state("encoder.", convolutions, { { "head.weight", small() } }), "not a known network");
    expect_failure(state("student.", nullptr, {}) + state("teacher.", nullptr, {}).substr(1),
                   "it holds two networks, one with 'student' before its names and one with 'teacher'");
}

TEST_F(TorchNetwork, HalfOfTheAuxiliaryClassifiersIsNone)
{
    expect_note(state("", [](const std::string &name) { return name.find("aux2.") != 0; }),
                "the auxiliary classifiers are left out, as they are without aux2.conv.conv.weight", false);
    expect_note(state("", [](const std::string &name) { return name.find("aux") != 0; }), nullptr, false);
}

} // namespace
