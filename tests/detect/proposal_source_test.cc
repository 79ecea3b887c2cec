// SPDX-License-Identifier: Apache-2.0
// Proposals of an image that a loader's worker asks for: searched, or from a file by the image's sum.
#include "host/detect/proposal_source.h"

#include "detect/pictures.h"
#include "tributary/internal/fault.h"

namespace
{

struct Found {
    trib_proposals proposals = {};
    ~Found() { trib_proposals_release(&proposals); }
    std::vector<trib_proposal> boxes() const { return { proposals.boxes, proposals.boxes + proposals.count }; }
};

class ProposalSource : public testing::Test
{
  protected:
    support::TemporaryFolder folder;
    Picture picture = Picture(60, 40).fill({ 0, 0, 60, 40 }, { 10, 200, 30 }).fill({ 10, 10, 40, 30 }, { 250, 3, 3 });
    trib_image image = picture.image();
    std::string encoded = "the bytes of a file";
    trib_proposal_source source = {};
    trib_proposal_store *store = nullptr;
    void SetUp() override
    {
        source.options = trib_propose_as(TRIB_STRATEGY_SINGLE);
        source.options.min_side = 5;
    }
    void TearDown() override { trib_proposal_store_close(store); }
    trib_image_task task(bool with_bytes = true)
    {
        trib_image_task t = {};
        t.name = "a.jpg";
        t.bytes = with_bytes ? reinterpret_cast<const uint8_t *>(encoded.data()) : nullptr;
        t.size = with_bytes ? encoded.size() : 0;
        t.image = &image;
        return t;
    }
    // A file with one line, for the task's sum.
    void write(const trib_image_task &t, int width, int height, std::vector<trib_proposal> boxes)
    {
        trib_proposal_line line = {};
        line.image = const_cast<char *>(t.name);
        trib_image_task_sha256(&t, line.sha256);
        line.width = width, line.height = height;
        line.proposals = { boxes.data(), boxes.size() };
        trib_text text = {};
        trib_proposal_line_write(&line, &text);
        support::write_file(folder.file("boxes.jsonl"), std::string(text.bytes, text.size));
        trib_text_free(&text);
        trib_proposal_store_close(store);
        store = nullptr;
        ASSERT_OK(trib_proposal_store_open(folder.file("boxes.jsonl").c_str(), &store));
        source.store = store;
    }
};

TEST_F(ProposalSource, SearchesWithoutAFile)
{
    Found found;
    trib_proposals wanted = {};
    trib_image_task t = task();
    ASSERT_OK(trib_proposal_source_find(&source, &t, &found.proposals));
    ASSERT_OK(trib_propose(&source.options, &image, &wanted));
    EXPECT_EQ(found.boxes(), std::vector<trib_proposal>(wanted.boxes, wanted.boxes + wanted.count));
    EXPECT_GE(wanted.count, 2u);
    trib_proposals_release(&wanted);
    EXPECT_EQ(trib_proposal_source_bytes(&source, 60, 40), trib_propose_bytes(&source.options, 60, 40));
    source.limit = 1;
    Found best;
    ASSERT_OK(trib_proposal_source_find(&source, &t, &best.proposals));
    ASSERT_EQ(best.boxes().size(), 1u);
    EXPECT_EQ(best.boxes()[0], found.boxes()[0]);
}

TEST_F(ProposalSource, TakesThoseOfAFile)
{
    const std::vector<trib_proposal> boxes = { { 1, 2, 3, 4 }, { 0, 0, 60, 40 }, { 5, 5, 9, 9 } };
    for (bool with_bytes : { true, false }) {
        trib_image_task t = task(with_bytes);
        write(t, 60, 40, boxes);
        Found found, two;
        source.limit = 0;
        ASSERT_OK(trib_proposal_source_find(&source, &t, &found.proposals));
        EXPECT_EQ(found.boxes(), boxes);
        source.limit = 2;
        ASSERT_OK(trib_proposal_source_find(&source, &t, &two.proposals));
        EXPECT_EQ(two.boxes(), std::vector<trib_proposal>(boxes.begin(), boxes.begin() + 2));
    }
    EXPECT_EQ(trib_proposal_source_bytes(&source, 60, 40), 0);
}

TEST_F(ProposalSource, SumsAreThoseOfTheFileOrOfPixels)
{
    char of_bytes[TRIB_SHA256_TEXT], of_pixels[TRIB_SHA256_TEXT], wanted[TRIB_SHA256_TEXT];
    trib_image_task t = task(), raw = task(false);
    trib_image_task_sha256(&t, of_bytes);
    trib_image_task_sha256(&raw, of_pixels);
    trib_sha256_of_bytes(encoded.data(), encoded.size(), wanted);
    EXPECT_STREQ(of_bytes, wanted);
    trib_sha256_of_bytes(image.pixels, 60 * 40 * 3, wanted);
    EXPECT_STREQ(of_pixels, wanted);
}

TEST_F(ProposalSource, SaysWhatIsWrongWithTheFile)
{
    Found found;
    trib_image_task t = task();
    write(t, 60, 40, {});
    EXPECT_OK(trib_proposal_source_find(&source, &t, &found.proposals));
    EXPECT_EQ(found.proposals.count, 0u);
    encoded += "!";
    t = task();
    EXPECT_FAILS(trib_proposal_source_find(&source, &t, &found.proposals), TRIB_NOT_FOUND,
                 "boxes.jsonl: 'a.jpg' has changed since its proposals were made");
    EXPECT_FAILS(trib_proposal_source_find(&source, &t, &found.proposals), TRIB_NOT_FOUND, "make them again");
    t.name = "b.jpg";
    EXPECT_FAILS(trib_proposal_source_find(&source, &t, &found.proposals), TRIB_NOT_FOUND,
                 "no proposals for 'b.jpg'; make them first");
    t = task();
    write(t, 40, 60, { { 0, 0, 3, 3 } });
    EXPECT_FAILS(trib_proposal_source_find(&source, &t, &found.proposals), TRIB_BAD_DATA,
                 "for 40 x 60 pixels, but the image has 60 x 40");
    EXPECT_EQ(found.proposals.count, 0u);
}

TEST_F(ProposalSource, EveryCallMayFail)
{
    trib_image_task t = task();
    write(t, 60, 40, { { 1, 2, 3, 4 } });
    for (const trib_proposal_store *from :
         { static_cast<const trib_proposal_store *>(store), static_cast<const trib_proposal_store *>(nullptr) }) {
        source.store = from;
        for (int64_t k = 1;; ++k) {
            Found found;
            trib_fault_arm(k, false);
            trib_status s = trib_proposal_source_find(&source, &t, &found.proposals);
            if (trib_fault_disarm() < k) break;
            EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << s.message;
            EXPECT_EQ(found.proposals.boxes, nullptr);
        }
    }
}

} // namespace
