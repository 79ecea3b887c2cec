// SPDX-License-Identifier: Apache-2.0
// Files of proposals beside truth.
#include "detect/proposal_file.h"
#include "detect/sets.h"
#include "formats/fail_each.h"

namespace
{

using detect::Set;

// The boxes are as in the file: "[0,0,10,10]".
std::string line(const std::string &image, char sum, const std::string &boxes, const std::string &width = "100")
{
    return R"({"image":")" + image + R"(","sha256":")" + std::string(64, sum) + R"(","width":)" + width +
           R"(,"height":80,"boxes":[)" + boxes + "]}\n";
}

class ProposalFiles : public testing::Test
{
  protected:
    ProposalFiles() : set(3, 1) {}
    std::string file(const std::string &text) const
    {
        support::write_file(folder.file("p"), text);
        return folder.file("p");
    }
    void expect_refused(const std::string &text, const std::string &message)
    {
        trib_proposal_file p = {};
        EXPECT_FAILS(trib_proposals_open(file(text).c_str(), &set.truths, &p), TRIB_BAD_DATA, message);
    }
    Set set;
    support::TemporaryFolder folder;
};

TEST_F(ProposalFiles, AreThoseOfTheTruth)
{
    trib_proposal_file p = {};
    const std::string path =
        file(line("x/image1.jpg", 'a', "[1,2,11,22],[0,0,100,80]") + line("other", 'b', "[1,1,2,2]") +
             line("image0.jpg", 'a', "") + line("y/image1.jpg", 'a', "[5,5,6,6]"));
    ASSERT_OK(trib_proposals_open(path.c_str(), &set.truths, &p));
    EXPECT_EQ(p.images, 2u);
    EXPECT_EQ(p.passed_over, 1u);
    ASSERT_EQ(p.proposals.count, 2u);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(p.proposals.items[i].image, 1);
    EXPECT_GT(p.proposals.items[0].score, p.proposals.items[1].score);
    EXPECT_EQ(p.proposals.items[0].box.x, 1);
    EXPECT_EQ(p.proposals.items[0].box.height, 20);
    trib_detections_release(&p.proposals);
}

TEST_F(ProposalFiles, ThatLieAreRefused)
{
    expect_refused("", "none of its 0 lines is of an image of the truth");
    expect_refused(line("b", 'a', ""), "none of its 1 lines is of an image of the truth");
    expect_refused(line("image0", 'a', "", "99"), "of 99 x 80 pixels, but the truth is of 100 x 80");
    expect_refused(line("x/image0", 'a', "") + line("image0", 'b', ""), "two lines with different sums");
    expect_refused("{}\n", "line 1");
    ASSERT_OK(trib_truths_add_image(&set.truths, "x/image0.jpg", 9, 0, 0));
    expect_refused(line("y/image0", 'a', ""), "'y/image0' could be several images");
    trib_proposal_file p = {};
    const std::string path = file(line("x/image0.jpg", 'a', "", "7")); /* the truth does not know its size */
    ASSERT_OK(trib_proposals_open(path.c_str(), &set.truths, &p));
    EXPECT_EQ(p.images, 1u);
    EXPECT_EQ(p.proposals.count, 0u);
}

class ProposalFileFault : public ProposalFiles, public testing::WithParamInterface<bool>
{
};
INSTANTIATE_TEST_SUITE_P(, ProposalFileFault, testing::Bool(),
                         [](const auto &info) { return info.param ? "FromThenOn" : "Once"; });

TEST_P(ProposalFileFault, Each)
{
    const std::string path = file(line("image0", 'a', "[0,0,9,9]") + line("image1", 'b', "[0,0,9,9]"));
    const int faults = files::fail_each(
        [&](int) {
            trib_proposal_file p = {};
            const trib_status s = trib_proposals_open(path.c_str(), &set.truths, &p);
            trib_detections_release(&p.proposals);
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 15);
}

} // namespace
