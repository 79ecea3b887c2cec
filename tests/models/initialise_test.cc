// SPDX-License-Identifier: Apache-2.0
// Initial values: their moments, bounds and formulas, and what they depend on.
#include <algorithm>
#include <cmath>
#include <set>

#include "weights.h"

using namespace models;

namespace
{

struct Initial {
    Graph graph;
    std::vector<trib_tensor> parameters;
    void *storage = nullptr;

    Initial(const trib_network_spec &net, const char *rule, std::uint64_t seed = 1, const bool *wanted = nullptr)
        : graph(build(net))
    {
        parameters.resize(std::size_t(trib_graph_parameter_count(graph.get())));
        EXPECT_OK(trib_parameters_initialise(graph.get(), trib_init_rule_find(rule), seed, wanted, parameters.data(),
                                             &storage));
    }
    ~Initial() { trib_parameters_free(storage); }
    Initial(const Initial &) = delete;
    Initial &operator=(const Initial &) = delete;

    std::vector<float> values(std::size_t i) const
    {
        const float *data = static_cast<const float *>(parameters[i].data);
        return std::vector<float>(data, data + count(parameters[i].shape));
    }
    std::vector<float> values(const char *name) const
    {
        int id = trib_graph_find_parameter(graph.get(), name);
        EXPECT_GE(id, 0) << name;
        return id < 0 ? std::vector<float>() : values(std::size_t(id));
    }
};

double fan_in(const trib_shape &shape) { return double(count(shape)) / double(shape.dim[0]); }

double mean_power(const std::vector<float> &values, int power)
{
    double sum = 0;
    for (double v : values) {
        double product = 1;
        for (int i = 0; i < power; ++i) product *= v;
        sum += product;
    }
    return sum / double(values.size());
}

// Mean 0, this deviation and kurtosis, within several standard errors.
void expect_moments(const std::vector<float> &values, double sigma, double kurtosis)
{
    const double n = double(values.size()), variance = mean_power(values, 2);
    EXPECT_NEAR(mean_power(values, 1), 0, 5 * sigma / std::sqrt(n));
    EXPECT_NEAR(variance / (sigma * sigma), 1, 5 * std::sqrt((kurtosis - 1) / n));
    EXPECT_NEAR(mean_power(values, 4) / (variance * variance), kurtosis, 60 / std::sqrt(n));
}

TEST(Initialise, TheTable)
{
    std::set<std::string> names;
    for (int i = 0; trib_init_rule_at(i); ++i) {
        const trib_init_rule *rule = trib_init_rule_at(i);
        EXPECT_TRUE(names.insert(trib_init_rule_name(rule)).second);
        EXPECT_EQ(trib_init_rule_find(trib_init_rule_name(rule)), rule);
        EXPECT_GT(std::string(trib_init_rule_summary(rule)).size(), 10u);
    }
    EXPECT_EQ(names, (std::set<std::string> { "xavier", "he", "truncated-normal" }));
    EXPECT_EQ(trib_init_rule_at(-1), nullptr);
    EXPECT_EQ(trib_init_rule_find("kaiming"), nullptr);
    EXPECT_STREQ(trib_init_rule_name(trib_network_init_rule(support::bvlc)), "xavier");
    EXPECT_STREQ(trib_init_rule_name(trib_network_init_rule(support::torchvision)), "truncated-normal");
}

TEST(Initialise, MomentsOfEveryWeight)
{
    const double uniform = 1.8, gauss = 3; // their kurtosis
    for (const trib_network *variant : { support::bvlc, support::torchvision })
        for (const char *rule : { "xavier", "he", "truncated-normal" }) {
            Initial initial(network(variant, true, 0, 0.5, 9), rule);
            int large = 0;
            for (std::size_t i = 0; i < initial.parameters.size(); ++i) {
                const trib_parameter *p = trib_graph_parameter(initial.graph.get(), int(i));
                if (p->role != TRIB_WEIGHT || count(p->shape) < 2000) continue;
                SCOPED_TRACE(std::string(rule) + " " + p->name);
                const double n = fan_in(p->shape);
                if (rule == std::string("xavier")) expect_moments(initial.values(i), std::sqrt(1 / n), uniform);
                if (rule == std::string("he")) expect_moments(initial.values(i), std::sqrt(2 / n), gauss);
                if (rule == std::string("truncated-normal")) expect_moments(initial.values(i), 0.01, gauss);
                ++large;
            }
            EXPECT_GT(large, 30);
        }
}

TEST(Initialise, XavierIsCaffes)
{
    Initial initial(network(support::bvlc, true, 0, 0.25, 9), "xavier");
    const std::vector<float> weight = initial.values("conv1/7x7_s2.weight");
    const double bound = std::sqrt(3.0 / (3 * 7 * 7));
    for (std::size_t k = 0; k < weight.size(); ++k)
        ASSERT_EQ(weight[k], float((2 * trib_uniform("conv1/7x7_s2.weight", 1, k) - 1) * bound));
    EXPECT_GT(*std::max_element(weight.begin(), weight.end()), 0.99 * bound);
    for (const char *name : { "conv1/7x7_s2.bias", "inception_3a/5x5.bias", "loss1/conv.bias", "loss2/fc.bias" })
        for (float bias : initial.values(name)) ASSERT_EQ(bias, 0.2f) << name;
    for (const char *name : { "loss1/classifier.bias", "loss2/classifier.bias", "loss3/classifier.bias" })
        for (float bias : initial.values(name)) ASSERT_EQ(bias, 0) << name;
}

TEST(Initialise, HeIsKaimingNormal)
{
    Initial initial(network(support::bvlc, true, 0, 0.25, 9), "he", 5);
    const std::vector<float> weight = initial.values("inception_3a/3x3.weight");
    const trib_shape &shape =
        initial.parameters[std::size_t(trib_graph_find_parameter(initial.graph.get(), "inception_3a/3x3.weight"))]
            .shape;
    for (std::uint64_t k = 0; k < weight.size(); ++k) {
        const double u = trib_uniform("inception_3a/3x3.weight", 5, 2 * k);
        const double v = trib_uniform("inception_3a/3x3.weight", 5, 2 * k + 1);
        const double value = std::sqrt(2 / fan_in(shape)) * std::sqrt(-2 * std::log(1 - u)) * std::cos(2 * M_PI * v);
        ASSERT_NEAR(weight[k], value, 1e-6 * std::fabs(value) + 1e-12);
    }
    for (float bias : initial.values("inception_3a/3x3.bias")) ASSERT_EQ(bias, 0);
}

TEST(Initialise, TruncatedNormalIsTorchvisions)
{
    Initial initial(network(support::torchvision, true, 0, 0.5, 9), "truncated-normal");
    const std::vector<float> bias = initial.values("loss1/fc.bias");
    const double bound = 1 / std::sqrt(double(initial.values("loss1/fc.weight").size()) / double(bias.size()));
    const auto range = std::minmax_element(bias.begin(), bias.end());
    EXPECT_GT(*range.first, -bound);
    EXPECT_LT(*range.first, -0.95 * bound);
    EXPECT_LT(*range.second, bound);
    EXPECT_GT(*range.second, 0.95 * bound);
    for (float v : initial.values("inception_4e/3x3.weight")) ASSERT_LT(std::fabs(v), 0.06f);
}

TEST(Initialise, BatchNormsDoNothingAtFirst)
{
    for (const char *rule : { "xavier", "he", "truncated-normal" }) {
        Initial initial(network(support::torchvision, true, 0, 0.125, 5), rule);
        for (std::size_t i = 0; i < initial.parameters.size(); ++i) {
            const trib_role role = trib_graph_parameter(initial.graph.get(), int(i))->role;
            if (role == TRIB_WEIGHT || role == TRIB_BIAS) continue;
            const float wanted = role == TRIB_BN_WEIGHT || role == TRIB_BN_VAR ? 1 : 0;
            for (float v : initial.values(i)) ASSERT_EQ(v, wanted) << initial.parameters[i].name;
        }
    }
}

TEST(Initialise, SeedAndNameDecide)
{
    for (const char *rule : { "xavier", "he", "truncated-normal" }) {
        Initial a(network(support::torchvision, true, 0, 0.25, 5), rule, 3);
        Initial same(network(support::torchvision, true, 64, 0.25, 5), rule, 3); // another input size
        Initial other(network(support::torchvision, true, 0, 0.25, 5), rule, 4);
        std::set<std::vector<float>> all;
        for (std::size_t i = 0; i < a.parameters.size(); ++i) {
            EXPECT_EQ(a.values(i), same.values(i));
            if (trib_graph_parameter(a.graph.get(), int(i))->role != TRIB_WEIGHT) continue;
            EXPECT_NE(a.values(i), other.values(i));
            std::vector<float> scaled = a.values(i);
            const double largest = *std::max_element(scaled.begin(), scaled.end());
            for (float &v : scaled) v = float(v / largest);
            EXPECT_TRUE(all.insert(scaled).second) << "two weights alike: " << a.parameters[i].name;
        }
    }
}

// More classes: the first ones keep their values, since a value depends on its place alone.
TEST(Initialise, APlaceKeepsItsValue)
{
    Initial few(network(support::torchvision, false, 0, 0.25, 5), "he"),
        many(network(support::torchvision, false, 0, 0.25, 7), "he");
    const std::vector<float> a = few.values("loss3/classifier.weight"), b = many.values("loss3/classifier.weight");
    ASSERT_LT(a.size(), b.size());
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
}

TEST(Initialise, OnlyThoseWanted)
{
    const trib_network_spec net = network(support::torchvision, false, 0, 0.25, 5);
    Initial all(net, "he");
    const int id = trib_graph_find_parameter(all.graph.get(), "loss3/classifier.weight");
    std::unique_ptr<bool[]> wanted(new bool[all.parameters.size()]());
    wanted[id] = true;
    Initial one(net, "he", 1, wanted.get());
    for (std::size_t i = 0; i < one.parameters.size(); ++i) {
        EXPECT_EQ(one.parameters[i].data != nullptr, int(i) == id);
    }
    EXPECT_EQ(one.values(std::size_t(id)), all.values(std::size_t(id)));
    wanted[id] = false;
    Initial none(net, "he", 1, wanted.get());
    EXPECT_NE(none.storage, nullptr);
}

TEST(Initialise, NamesAreTheGraphs)
{
    Initial initial(network(support::torchvision, true, 0, 0.125, 5), "he");
    for (std::size_t i = 0; i < initial.parameters.size(); ++i) {
        const trib_parameter *p = trib_graph_parameter(initial.graph.get(), int(i));
        EXPECT_STREQ(initial.parameters[i].name, p->name);
        EXPECT_TRUE(trib_shape_equal(&initial.parameters[i].shape, &p->shape));
        EXPECT_EQ(initial.parameters[i].dtype, TRIB_F32);
    }
}

} // namespace
