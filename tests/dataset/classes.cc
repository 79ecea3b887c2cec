// SPDX-License-Identifier: Apache-2.0
// Class folders by name, by index, and with characters that no file system takes.
#include <cstring>
#include <filesystem>

#include "data/input.h"
#include "dataset/make.h"

namespace fs = std::filesystem;
using make::Source;
using support::TemporaryFolder;
using support::write_file;
using Names = std::vector<std::string>;

namespace
{

trib_source_options of(const std::vector<const char *> &names)
{
    trib_source_options options = {};
    options.need_labels = true;
    options.class_names = names.data();
    options.class_count = int(names.size());
    return options;
}

trib_source_options of(int count)
{
    trib_source_options options = {};
    options.need_labels = true;
    options.class_count = count;
    return options;
}

class Classes : public testing::Test
{
  protected:
    // A folder of each of these names, with an image in it; without, when the name ends in '/'.
    void make_folders(const Names &names)
    {
        fs::remove_all(t.file("set"));
        for (const std::string &name : names) {
            fs::create_directories(t.file("set/" + name));
            if (name.back() != '/') write_file(t.file("set/" + name + "/x.jpg"), "x");
        }
    }
    // "folder=label ..." in the order of the folders.
    std::string labels(const trib_source_options &options)
    {
        Source source({ t.file("set") }, options);
        if (trib_failed(&source.status)) return source.status.message;
        notes = source.notes();
        std::string text;
        for (const auto &item : source.all())
            text += fs::path(item.name).parent_path().filename().string() + "=" + std::to_string(item.label) + " ";
        return text;
    }
    std::string all_notes() const
    {
        std::string text;
        for (const std::string &note : notes) text += note + "\n";
        return text;
    }
    void expect_note(const std::string &wanted) const
    {
        EXPECT_NE(all_notes().find(wanted), std::string::npos) << wanted << " expected in:\n" << all_notes();
    }
    TemporaryFolder t;
    Names notes;
};

} // namespace

TEST_F(Classes, SpelledWithPercentSigns)
{
    std::vector<const char *> model = { "T-shirt/top", ".hidden", "100%", "a:b", "__MACOSX", "\xC3\xA4" };
    make_folders({ "T-shirt%2Ftop", "%2Ehidden", "100%25", "a%3ab", "%5F_MACOSX", "%c3%A4" });
    EXPECT_EQ(labels(of(model)), "%2Ehidden=1 %5F_MACOSX=4 %c3%A4=5 100%25=2 T-shirt%2Ftop=0 a%3ab=3 ");
    EXPECT_EQ(all_notes(), "");
    make_folders({ "100%", "a:b" });
    EXPECT_EQ(labels(of(model)), "100%=2 a:b=3 ");
    make_folders({ "100%zz" });
    EXPECT_NE(labels(of(model)).find("'100%zz' is not a class of the model"), std::string::npos);
}

TEST_F(Classes, EveryByteCanBeSpelled)
{
    std::string label, spelled;
    for (int c = 1; c < 256; ++c) {
        char text[4];
        snprintf(text, sizeof text, "%%%02X", c);
        label += char(c);
        spelled += text;
    }
    EXPECT_TRUE(trib_decode_class_name(&spelled[0]));
    EXPECT_STREQ(spelled.c_str(), label.c_str());
    for (std::string same : { "", "%", "%4", "%4g", "%00", "100%", "a b" }) {
        std::string copy = same;
        EXPECT_FALSE(trib_decode_class_name(&copy[0]));
        EXPECT_EQ(copy, same);
    }
}

TEST_F(Classes, ByIndex)
{
    std::vector<const char *> model = { "T-shirt/top", "Trouser", "Pullover" };
    make_folders({ "0", "1", "002" });
    EXPECT_EQ(labels(of(model)), "0=0 002=2 1=1 ");
    expect_note("3 of 3 class folders are matched by index: '0' is T-shirt/top");
    make_folders({ "0", "Trouser", "Pullover" });
    EXPECT_EQ(labels(of(model)), "0=0 Pullover=2 Trouser=1 ");
    expect_note("1 of 3 class folders are matched by index: '0' is T-shirt/top");
    make_folders({ "3" });
    EXPECT_NE(labels(of(model)).find("'3' is not a class of the model"), std::string::npos);
    make_folders({ "-1" });
    EXPECT_NE(labels(of(model)).find("'-1' is not a class"), std::string::npos);
    make_folders({ "1x" });
    EXPECT_NE(labels(of(model)).find("'1x' is not a class"), std::string::npos);
}

TEST_F(Classes, TwoFoldersOfOneClassAreAMisunderstanding)
{
    std::vector<const char *> model = { "zero", "one" };
    for (const Names &pair : { Names { "0", "zero" }, Names { "1", "01" }, Names { "one", "%6Fne" } }) {
        make_folders(pair);
        EXPECT_NE(labels(of(model)).find("both match class"), std::string::npos) << labels(of(model));
    }
}

TEST_F(Classes, ThatAreNumbersGoBeforeIndices)
{
    std::vector<const char *> model = { "1", "2", "3" }, digits = { "0", "1", "2" };
    make_folders({ "1", "2" });
    EXPECT_EQ(labels(of(model)), "1=0 2=1 ");
    expect_note("class folders are matched by name although their names are numbers: '1' is the class of that name, "
                "with index 0");
    make_folders({ "0", "1" }); // by name and by index in turn: both are the class "1"
    EXPECT_NE(labels(of(model)).find("'0' and '1' both match class 0"), std::string::npos) << labels(of(model));
    make_folders({ "0", "1", "2" });
    EXPECT_EQ(labels(of(digits)), "0=0 1=1 2=2 ");
    EXPECT_EQ(all_notes(), "");
}

TEST_F(Classes, AnAmbiguousNameCanBeReplacedByAnIndex)
{
    std::vector<const char *> model = { "crane", "dog", "crane", "a%2Fb", "a/b" };
    make_folders({ "crane" });
    EXPECT_NE(labels(of(model)).find("rename the folder to a class index"), std::string::npos);
    make_folders({ "a%2Fb" });
    EXPECT_NE(labels(of(model)).find("more than one class named"), std::string::npos);
    make_folders({ "2", "dog", "3" });
    EXPECT_EQ(labels(of(model)), "2=2 3=3 dog=1 ");
}

TEST_F(Classes, WithoutImagesAreNoted)
{
    std::vector<const char *> model = { "a", "b", "c", "d" };
    make_folders({ "a", "b/", "misc/" });
    write_file(t.file("set/b/x.gif"), "x");
    EXPECT_EQ(labels(of(model)), "a=0 ");
    expect_note(t.file("set") + ": 2 of 3 class folders have no image that can be read: b, misc");
    expect_note("there are no images of 3 of the model's 4 classes: b, c, d");
}

TEST_F(Classes, OfAMessageAreTheFirstFew)
{
    const std::string a(40, 'a');
    make_folders({ "cat", "dog", a, "b", "c", "d", "e", "f", "g", "h" });
    EXPECT_NE(labels(of({ "cat", "dog", "eel", "fox" }))
                  .find("its 4 classes are: cat, dog, eel, fox; class folders found: " + a.substr(0, 30) +
                        ", b, c, cat, d, dog, e, f, g, h"),
              std::string::npos);
    Names many;
    for (int i = 0; i < 20; ++i) many.push_back("class number " + std::to_string(i + 10));
    make_folders({ "cat" });
    std::vector<const char *> known;
    for (const std::string &name : many) known.push_back(name.c_str());
    const std::string message = labels(of(known));
    EXPECT_NE(message.find("'cat' is not a class of the model"), std::string::npos) << message;
    EXPECT_NE(message.find("its 20 classes are: class number 10, class number 11, class number 12, class number 13, "
                           "...; class folders found: cat"),
              std::string::npos)
        << message;
}

TEST_F(Classes, OfAModelWithoutNames)
{
    make_folders({ "cat", "dog", ".ipynb_checkpoints" });
    EXPECT_EQ(labels(of(2)), "cat=0 dog=1 ");
    expect_note("the model has no class names: the 2 class folders are numbered from 0");
    EXPECT_EQ(labels(of(3)), "cat=0 dog=1 ");
    expect_note("the model has no names for its 3 classes, and there are 2 class folders");
    EXPECT_EQ(labels(of(1)), "cat=0 dog=-1 ");
    expect_note("the model has no names for its 1 classes, and there are 2 class folders");
    EXPECT_EQ(labels(of(0)), "cat=0 dog=1 ");
    EXPECT_EQ(all_notes(), "");
}

TEST_F(Classes, OfAModelWithoutNamesByIndex)
{
    make_folders({ "10", "2", "0" }); // as text, "10" would come before "2"
    EXPECT_EQ(labels(of(11)), "0=0 10=10 2=2 ");
    expect_note("3 of 3 class folders are matched by index: '0' is class 0");
    expect_note("there are no images of 8 of the model's 11 classes");
    Source by_index({ t.file("set") }, of(11));
    int count = -1;
    EXPECT_EQ(trib_source_class_names(by_index.source, &count), nullptr);
    EXPECT_EQ(count, 0);
    EXPECT_EQ(labels(of(10)), "0=0 10=1 2=2 "); // not all are indices: in the order of the names
    make_folders({ "T-shirt%2Ftop", "Bag" });
    Source source({ t.file("set") }, of(2));
    const char *const *names = trib_source_class_names(source.source, &count);
    EXPECT_EQ(Names(names, names + count), Names({ "Bag", "T-shirt/top" }));
}
