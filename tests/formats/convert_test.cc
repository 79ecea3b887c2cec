// SPDX-License-Identifier: Apache-2.0
// Models from format to format and back: tensors stay equal; what a format cannot hold is refused.
#include <cmath>
#include <cstring>
#include <filesystem>

#include "formats/caffe.h"
#include "formats/caffe_write.h"
#include "formats/fail_each.h"
#include "formats/imports.h"
#include "formats/model_files.h"
#include "formats/onnx_write.h"
#include "formats/protobuf_write.h"
#include "formats/wire.h"
#include "support/form.h"

using imports::load;

namespace
{

const char torch_file[] = "torch/legacy-py27-1.0.pth", caffe_file[] = "import/bvlc-v1.caffemodel";
const trib_model_options size_96 = { 96, 96, false, nullptr, nullptr };
const trib_model_options with_aux = { 0, 0, true, nullptr, nullptr };

trib_model_save_options options(trib_model_format format)
{
    trib_model_save_options o = {};
    o.format = format;
    return o;
}

std::string saved(const trib_model *model, const std::string &path, const trib_model_save_options &o)
{
    EXPECT_OK(trib_model_save(model, path.c_str(), &o));
    return path;
}
std::string saved(const trib_model *model, const std::string &path, trib_model_format format)
{
    return saved(model, path, options(format));
}

std::size_t bytes_of(const trib_tensor &t) { return std::size_t(models::count(t.shape)) * trib_dtype_size(t.dtype); }

void expect_same(const trib_model *a, const trib_model *b)
{
    const int count = trib_graph_parameter_count(trib_model_graph(a));
    ASSERT_EQ(trib_graph_parameter_count(trib_model_graph(b)), count);
    for (int i = 0; i < count; ++i) {
        const trib_tensor &x = trib_model_parameters(a)[i], &y = trib_model_parameters(b)[i];
        ASSERT_STREQ(x.name, y.name);
        ASSERT_EQ(x.dtype, y.dtype) << x.name;
        ASSERT_TRUE(trib_shape_equal(&x.shape, &y.shape)) << x.name;
        ASSERT_EQ(std::memcmp(x.data, y.data, bytes_of(x)), 0) << x.name;
    }
}

// Each format to each other and back.
void every_way(const trib_model *source, const std::vector<trib_model_format> &formats)
{
    support::TemporaryFolder folder;
    for (trib_model_format a : formats)
        for (trib_model_format b : formats) {
            const files::Model first = load(saved(source, folder.file("a"), a), size_96);
            ASSERT_TRUE(first);
            const files::Model second = load(saved(first.get(), folder.file("b"), b), size_96);
            ASSERT_TRUE(second);
            const files::Model back = load(saved(second.get(), folder.file("c"), a), size_96);
            ASSERT_TRUE(back);
            SCOPED_TRACE("format " + std::to_string(a) + " and " + std::to_string(b));
            expect_same(source, second.get());
            expect_same(source, back.get());
        }
}

void expect_preprocess(const trib_preprocess *got, const trib_preprocess &wanted)
{
    EXPECT_EQ(got->crop_height, wanted.crop_height);
    EXPECT_EQ(got->crop_width, wanted.crop_width);
    EXPECT_EQ(got->resize_mode, wanted.resize_mode);
    EXPECT_EQ(got->resize, wanted.resize);
    EXPECT_EQ(got->interpolation, wanted.interpolation);
    EXPECT_EQ(got->resample_order, wanted.resample_order);
    EXPECT_EQ(got->bgr, wanted.bgr);
    EXPECT_EQ(got->scale, wanted.scale);
    for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(got->mean[c], wanted.mean[c]) << c;
        EXPECT_EQ(got->std[c], wanted.std[c]) << c;
    }
}

TEST(Convert, TorchvisionEveryWayAndBack)
{
    every_way(load(support::data_file(torch_file), size_96).get(),
              { TRIB_MODEL_SAFETENSORS, TRIB_MODEL_PYTORCH, TRIB_MODEL_ONNX });
}

TEST(Convert, BvlcEveryWayAndBack)
{
    every_way(load(support::data_file(caffe_file), size_96).get(),
              { TRIB_MODEL_SAFETENSORS, TRIB_MODEL_PYTORCH, TRIB_MODEL_ONNX, TRIB_MODEL_CAFFE });
}

TEST(Convert, PoolsThatRoundDownStaySo)
{
    support::TemporaryFolder folder;
    const files::Model model = load(support::data_file("import/inception-v1-zoo-9.onnx"), size_96);
    every_way(model.get(), { TRIB_MODEL_SAFETENSORS, TRIB_MODEL_ONNX, TRIB_MODEL_CAFFE });
    for (trib_model_format format : { TRIB_MODEL_SAFETENSORS, TRIB_MODEL_ONNX, TRIB_MODEL_CAFFE }) {
        const files::Model again = load(saved(model.get(), folder.file("m"), format), size_96);
        ASSERT_TRUE(again);
        EXPECT_STREQ(trib_network_name(trib_model_network(again.get())->network), "bvlc-floor");
    }
    const trib_model_save_options o = options(TRIB_MODEL_PYTORCH);
    EXPECT_FAILS(trib_model_save(model.get(), folder.file("p").c_str(), &o), TRIB_UNSUPPORTED,
                 "bvlc-floor has the tensors of bvlc; write safetensors or ONNX");
}

TEST(Convert, TheSameBytesAgainAndTheSameLogits)
{
    support::TemporaryFolder folder;
    const files::Model torch = load(support::data_file("import/torchvision-bn-17.onnx"), size_96);
    const std::string onnx = saved(torch.get(), folder.file("a.onnx"), TRIB_MODEL_ONNX);
    EXPECT_EQ(support::read_file(onnx), support::read_file(saved(torch.get(), folder.file("b.onnx"), TRIB_MODEL_ONNX)));
    EXPECT_LT(imports::error_of(load(onnx).get(), "import/torchvision-n1-96.safetensors", 21), 1e-5); // says its size
    const files::Model bvlc = load(support::data_file(caffe_file), size_96);
    const std::string caffe = saved(bvlc.get(), folder.file("a.caffemodel"), TRIB_MODEL_CAFFE);
    EXPECT_EQ(support::read_file(caffe),
              support::read_file(saved(bvlc.get(), folder.file("b.caffemodel"), TRIB_MODEL_CAFFE)));
    EXPECT_LT(imports::error_of(load(caffe, size_96).get(), "import/bvlc-n1-96.safetensors", 22), 1e-5);
}

TEST(Convert, HalvesStayHalvesInOnnx)
{
    support::TemporaryFolder folder;
    const files::Model model = load(support::data_file(torch_file), size_96);
    for (trib_dtype dtype : { TRIB_F16, TRIB_BF16 }) {
        trib_model_save_options o = options(TRIB_MODEL_ONNX);
        o.dtype = &dtype;
        const files::Model onnx = load(saved(model.get(), folder.file("m.onnx"), o), size_96);
        o.format = TRIB_MODEL_SAFETENSORS;
        const files::Model safetensors = load(saved(model.get(), folder.file("m"), o), size_96);
        ASSERT_TRUE(onnx && safetensors);
        EXPECT_EQ(trib_model_parameters(onnx.get())[0].dtype, dtype);
        expect_same(safetensors.get(), onnx.get());
    }
}

TEST(Convert, OnnxSaysAllThatSafetensorsSay)
{
    support::TemporaryFolder folder;
    support::write_file(folder.file("names"), "a\nb\nc\nd\ne\nf\n\"g\" \xC3\xA4\n");
    const std::string names = folder.file("names");
    const files::Model model = load(support::data_file(torch_file), with_aux);
    trib_preprocess given = *trib_model_preprocess(model.get());
    given.mean[0] = 0.25f;
    given.interpolation = TRIB_BICUBIC;
    trib_model_save_options o = options(TRIB_MODEL_ONNX);
    o.labels = names.c_str();
    o.preprocess = &given;
    const files::Model again = load(saved(model.get(), folder.file("m"), o), with_aux);
    ASSERT_TRUE(again);
    EXPECT_FALSE(trib_model_network(again.get())->aux); // left out
    EXPECT_STREQ(trib_model_label(again.get(), 6), "\"g\" \xC3\xA4");
    EXPECT_EQ(trib_model_preprocess_guess(again.get()), nullptr);
    EXPECT_EQ(trib_model_note(again.get()), nullptr);
    expect_preprocess(trib_model_preprocess(again.get()), given);
    const std::string provenance = trib_model_provenance(again.get());
    EXPECT_NE(provenance.find("ONNX model by 'tributary', operator set 17: converted with Tributary "),
              std::string::npos);
    EXPECT_NE(provenance.find("from legacy-py27-1.0.pth (SHA-256 "), std::string::npos) << provenance;
}

std::string pair(const std::string &key, const std::string &value)
{
    return wire::bytes(14, wire::bytes(1, key) + wire::bytes(2, value));
}

TEST(Convert, MetadataOfOnnxModelsAreChecked)
{
    support::TemporaryFolder folder;
    const files::Model model = load(support::data_file(torch_file), size_96);
    const std::string good = support::read_file(saved(model.get(), folder.file("m"), TRIB_MODEL_ONNX));
    const auto read = [&](const std::string &more) {
        files::Model out;
        support::write_file(folder.file("n"), good + more);
        return files::load(folder.file("n"), out);
    };
    EXPECT_OK(read(pair("another", "\xFF") + pair("tributary.provenance", "two\nlines")));
    EXPECT_FAILS(read(pair("tributary.labels", "[\"a\"]")), TRIB_BAD_DATA, "names 1 classes, but the network has 7");
    EXPECT_FAILS(read(pair("tributary.labels", "\xFF")), TRIB_BAD_DATA, "metadata tributary.labels is no text");
    EXPECT_FAILS(read(pair("tributary.provenance", std::string("a\0b", 3))), TRIB_BAD_DATA, "provenance is no text");
    EXPECT_FAILS(read(pair("tributary.preprocessing", "{}")), TRIB_BAD_DATA, "'resize_mode' is missing");
    EXPECT_FAILS(read(wire::bytes(14, "\x0A\x7F")), TRIB_BAD_DATA, "ONNX model");
}

TEST(Convert, CaffesTextIsItsModels)
{
    support::TemporaryFolder folder;
    const files::Model model = load(support::data_file(caffe_file), with_aux);
    ASSERT_TRUE(trib_model_network(model.get())->aux);
    trib_preprocess given = trib_preprocess_caffe();
    for (int c = 0; c < 3; ++c) given.std[c] = 4;
    given.mean[1] = 0.1f;
    const std::string text = folder.file("m.prototxt");
    trib_model_save_options o = options(TRIB_MODEL_CAFFE);
    o.prototxt = text.c_str();
    o.preprocess = &given;
    const std::string path = saved(model.get(), folder.file("m.caffemodel"), o);
    // Auxiliary classifiers are in the model, and the text is for deployment.
    const files::Model again = load(path, { 0, 0, true, text.c_str(), nullptr });
    ASSERT_TRUE(again);
    expect_same(model.get(), again.get());
    expect_preprocess(trib_model_preprocess(again.get()), given);
    EXPECT_EQ(support::read_file(text).find("loss1"), std::string::npos);
    EXPECT_NE(support::read_file(text).find("kernel_size: 3"), std::string::npos);
    // What Caffe cannot say, and what is a guess, is not written.
    given.std[0] = 3;
    saved(model.get(), path, o);
    EXPECT_NE(trib_model_preprocess_guess(load(path).get()), nullptr);
    EXPECT_EQ(support::read_file(text).find("transform_param"), std::string::npos);
    o.preprocess = nullptr;
    const files::Model guessed = load(path, size_96);
    ASSERT_NE(trib_model_preprocess_guess(guessed.get()), nullptr);
    saved(guessed.get(), path, o);
    EXPECT_EQ(support::read_file(text).find("transform_param"), std::string::npos);
}

TEST(Convert, CaffesNamesAreCaffesWhateverTheModelsAre)
{
    support::TemporaryFolder folder;
    const files::Model model = load(support::data_file(caffe_file), size_96);
    std::vector<trib_tensor> tensors;
    std::vector<std::string> names(std::size_t(trib_graph_parameter_count(trib_model_graph(model.get()))));
    for (std::size_t i = 0; i < names.size(); ++i) {
        char text[128];
        names[i] =
            trib_parameter_file_name(trib_model_graph(model.get()), trib_dialect_find("torchvision"), int(i), text);
        tensors.push_back(trib_model_parameters(model.get())[i]);
        tensors[i].name = names[i].c_str();
    }
    ASSERT_OK(trib_safetensors_write(folder.file("t").c_str(), tensors.data(), int(tensors.size()), nullptr, 0));
    const files::Model renamed = load(folder.file("t"), size_96);
    ASSERT_TRUE(renamed);
    ASSERT_STREQ(trib_dialect_name(trib_model_dialect(renamed.get())), "torchvision");
    expect_same(model.get(), load(saved(renamed.get(), folder.file("c"), TRIB_MODEL_CAFFE), size_96).get());
}

TEST(Convert, WhatCaffeDoesNotHaveIsRefused)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("m");
    support::write_file(path, "old");
    trib_model_save_options o = options(TRIB_MODEL_CAFFE);
    const files::Model torchvision = load(support::data_file(torch_file), size_96);
    EXPECT_FAILS(trib_model_save(torchvision.get(), path.c_str(), &o), TRIB_UNSUPPORTED,
                 "layer conv1/7x7_s2/bn: Caffe has no layer like this batch_norm");
    const trib_dtype half = TRIB_F16;
    o.dtype = &half;
    const files::Model bvlc = load(support::data_file(caffe_file), size_96);
    EXPECT_FAILS(trib_model_save(bvlc.get(), path.c_str(), &o), TRIB_UNSUPPORTED,
                 "is f16, but Caffe's models hold f32");
    EXPECT_EQ(support::read_file(path), "old");
}

// ---- graphs of a few layers ----

struct Graph {
    trib_graph *graph = nullptr;
    std::vector<std::string> names;
    std::vector<std::vector<float>> values;
    std::vector<trib_tensor> tensors;

    // An image of 3 x 9 x 8, `add`'s layers, and a classifier.
    template <class Add>
    explicit Graph(Add add)
    {
        trib_graph_builder *b = trib_graph_begin("small");
        const trib_linear linear = { 5, true };
        const int last = trib_add_linear(b, "fc", add(b, trib_add_input(b, "input", 3, 9, 8)), &linear);
        trib_graph_mark_output(b, "logits", last);
        trib_graph_mark_output(b, "probabilities", trib_add_softmax(b, "prob", last));
        EXPECT_OK(trib_graph_finish(b, &graph));
        for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
            const trib_parameter *p = trib_graph_parameter(graph, i);
            values.push_back(imports::formula(p->name, p->shape, 1));
            tensors.push_back({ p->name, TRIB_F32, p->shape, nullptr });
        }
        for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].data = values[i].data();
    }
    ~Graph() { trib_graph_destroy(graph); }
    Graph(const Graph &) = delete;
    Graph &operator=(const Graph &) = delete;
};

trib_conv2d conv(int r, int s, int stride_h, int stride_w, trib_pad pad)
{
    trib_conv2d c = {};
    c.k = 4;
    c.r = r;
    c.s = s;
    c.stride_h = stride_h;
    c.stride_w = stride_w;
    c.pad = pad;
    c.no_bias = true;
    return c;
}

trib_pool2d pool(int r, int s, trib_pad pad)
{
    trib_pool2d p = {};
    p.r = r;
    p.s = s;
    p.stride_h = 2;
    p.stride_w = 2;
    p.pad = pad;
    return p;
}

TEST(Convert, CaffesNumbersOfEachAxis)
{
    support::TemporaryFolder folder;
    const Graph g([](trib_graph_builder *b, int x) {
        const trib_conv2d c = conv(3, 1, 2, 1, { 1, 0, 1, 0 });
        const trib_pool2d p = pool(2, 3, { 0, 1, 0, 1 });
        const trib_lrn lrn = { 3, 0.1f, 0.5f, 2 };
        x = trib_add_lrn(b, "lrn", trib_add_conv2d(b, "conv", x, &c), &lrn);
        return trib_add_max_pool2d(b, "pool", x, &p);
    });
    const std::string path = folder.file("m"), text = folder.file("t");
    ASSERT_OK(trib_caffe_write(path.c_str(), text.c_str(), g.graph, g.tensors.data(), nullptr));
    const std::string bytes = support::read_file(path), chars = support::read_file(text);
    trib_caffe_net net = {}, of_text = {};
    ASSERT_OK(trib_caffe_read(trib_pb_of(bytes.data(), bytes.size()), &net));
    ASSERT_OK(trib_caffe_read_text(chars.data(), chars.size(), &of_text));
    EXPECT_OK(trib_caffe_check(&net, g.graph));
    EXPECT_OK(trib_caffe_check(&of_text, g.graph));
    EXPECT_EQ(net.layers[1].numbers[TRIB_CAFFE_BIAS_TERM], 0);
    EXPECT_EQ(net.layers[1].blob_count, 1);
    EXPECT_EQ(of_text.layers[1].blob_count, 0);
    trib_caffe_release(&net);
    trib_caffe_release(&of_text);
}

TEST(Convert, LayersThatAFormatDoesNotHave)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("m");
    const auto onnx = [&](const Graph &g) {
        return trib_onnx_write(path.c_str(), g.graph, g.tensors.data(), nullptr, 0);
    };
    const auto caffe = [&](const Graph &g) {
        return trib_caffe_write(path.c_str(), nullptr, g.graph, g.tensors.data(), nullptr);
    };
    const Graph adaptive([](auto *b, int x) { return trib_add_adaptive_avg_pool2d(b, "pool", x, 2, 2); });
    EXPECT_FAILS(onnx(adaptive), TRIB_UNSUPPORTED, "layer pool: adaptive_avg_pool2d cannot be written to ONNX");
    EXPECT_FAILS(caffe(adaptive), TRIB_UNSUPPORTED, "layer pool: Caffe has no layer like this");
    const Graph average([](auto *b, int x) {
        const trib_pool2d p = pool(2, 2, {});
        return trib_add_avg_pool2d(b, "pool", x, &p);
    });
    EXPECT_FAILS(onnx(average), TRIB_UNSUPPORTED, "layer pool: avg_pool2d cannot be written to ONNX");
    EXPECT_OK(caffe(average));
    Graph uneven([](auto *b, int x) {
        const trib_conv2d c = conv(3, 3, 1, 1, { 1, 1, 0, 1 });
        return trib_add_conv2d(b, "conv", x, &c);
    });
    EXPECT_FAILS(caffe(uneven), TRIB_UNSUPPORTED, "layer conv: pads differ at opposite edges");
    EXPECT_OK(onnx(uneven));
    const Graph uneven_pool([](auto *b, int x) {
        const trib_pool2d p = pool(3, 3, { 0, 1, 0, 0 });
        return trib_add_max_pool2d(b, "pool", x, &p);
    });
    EXPECT_FAILS(caffe(uneven_pool), TRIB_UNSUPPORTED, "layer pool: pads differ at opposite edges");
    uneven.tensors[0].dtype = TRIB_I32;
    EXPECT_FAILS(onnx(uneven), TRIB_UNSUPPORTED, "tensor 'conv.weight' is i32");
}

TEST(Convert, MessagesOver2GiBAreRefused)
{
    trib_pb_message m = {};
    trib_pb_put_borrowed(&m, 1, "", std::size_t(1) << 31);
    EXPECT_FAILS(trib_pb_message_check(&m), TRIB_UNSUPPORTED, "at most 2 GiB");
    trib_pb_message_free(&m);
}

// ---- failures ----

// Once for each of many operations that can fail: what is at `path` is all old, and in its folder are only `files`
// files.
template <class Call>
void fail_some(const Call &call, const std::string &path, int files)
{
    support::write_file(path, "old");
    trib_fault_arm(0, false);
    ASSERT_OK(call());
    const std::int64_t total = trib_fault_disarm();
    const std::string good = support::read_file(path);
    ASSERT_GT(total, 100);
    const int edge = support::by_form(25, 60), stride = support::by_form(97, 29);
    for (std::int64_t k = 1; k <= total; k += k < edge || k > total - edge ? 1 : stride) {
        support::write_file(path, "old");
        trib_fault_arm(k, k % 2 == 0);
        const trib_status s = call();
        trib_fault_disarm();
        if (!trib_failed(&s)) continue; // the folder could not be put on disk after all was done
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << k << ": " << s.message;
        EXPECT_EQ(support::read_file(path), "old") << k;
        auto all = std::filesystem::directory_iterator(std::filesystem::path(path).parent_path());
        EXPECT_EQ(std::distance(begin(all), end(all)), files) << k;
    }
}

TEST(Convert, AnyFailureLeavesTheOldFile)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("m"), text = folder.file("t");
    const files::Model model = load(support::data_file(caffe_file), size_96);
    const trib_dtype half = TRIB_F16;
    trib_model_save_options o = options(TRIB_MODEL_ONNX);
    o.dtype = &half;
    fail_some([&] { return trib_model_save(model.get(), path.c_str(), &o); }, path, 1);
    o = options(TRIB_MODEL_CAFFE);
    o.prototxt = text.c_str();
    ASSERT_OK(trib_model_save(model.get(), path.c_str(), &o));
    const std::string whole = support::read_file(text);
    fail_some([&] { return trib_model_save(model.get(), path.c_str(), &o); }, path, 2);
    EXPECT_EQ(support::read_file(text), whole);
}

TEST(Convert, ReadingMetadataRunsOutOfMemory)
{
    support::TemporaryFolder folder;
    const files::Model model = load(support::data_file(torch_file), size_96);
    const std::string path = saved(model.get(), folder.file("m"), TRIB_MODEL_ONNX);
    trib_fault_arm(0, false);
    files::Model again;
    ASSERT_OK(files::load(path, again));
    const std::int64_t total = trib_fault_disarm();
    for (std::int64_t k = 1; k <= total; k += k < 40 ? 1 : support::by_form(61, 17)) {
        trib_fault_arm(k, false);
        const trib_status s = files::load(path, again);
        trib_fault_disarm();
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << k << ": " << s.message;
    }
}

} // namespace
