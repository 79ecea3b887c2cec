// SPDX-License-Identifier: Apache-2.0
// eval --boxes prints what pycocotools and mean-average-precision computed from the same sets.
#include <cmath>
#include <fstream>
#include <sstream>
#include <vector>

#include <cjson/cJSON.h>
#include <sys/wait.h>

#include "detect/coco.h"
#include "detect/random_set.h"
#include "support/form.h"

namespace
{

using detect::Numbers, detect::numbers_of;

struct Json {
    cJSON *json = nullptr;
    ~Json() { cJSON_Delete(json); }
};

// -1 for null, as in the tools; NaN if it is missing.
double number(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(value) ? -1 : cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

class EvalBoxes : public testing::Test
{
  protected:
    void write(const detect::RandomSet &set)
    {
        trib_text truth = {}, found = {};
        trib_coco_write(&set.truths, &truth);
        trib_coco_write_results(&set.truths, &set.detections, &found);
        support::write_file(folder.file("truth.json"), truth.bytes);
        support::write_file(folder.file("found.json"), found.bytes);
        trib_text_free(&truth);
        trib_text_free(&found);
    }
    void run(const std::string &rule, Json *out)
    {
        const std::string command = std::string(TRIB_PROGRAM) + " eval --boxes " + folder.file("truth.json") + " " +
                                    folder.file("found.json") + " --rule " + rule + " >" + folder.file("out") + " 2>" +
                                    folder.file("err");
        const int code = std::system(command.c_str());
        ASSERT_TRUE(WIFEXITED(code) && WEXITSTATUS(code) == 0) << support::read_file(folder.file("err"));
        out->json = cJSON_Parse(support::read_file(folder.file("out")).c_str());
        ASSERT_NE(out->json, nullptr);
    }
    support::TemporaryFolder folder;
};

void expect_near(double got, double wanted, const std::string &what)
{
    EXPECT_TRUE(std::fabs(got - wanted) <= 1e-9) << what << ": " << got << ", wanted: " << wanted;
}

TEST_F(EvalBoxes, PrintsTheNumbersOfOtherTools)
{
    static const char *const keys[] = { "AP",  "AP50", "AP75",  "APs", "APm", "APl",
                                        "AR1", "AR10", "AR100", "ARs", "ARm", "ARl" };
    std::ifstream in(support::data_file("detect/expected.txt"));
    for (int seed = 0; seed < support::by_form(12, 200); ++seed) {
        const std::string what = "set " + std::to_string(seed);
        const detect::RandomSet set(seed);
        const Numbers twelve = numbers_of(in, 2);
        std::vector<Numbers> classes;
        for (std::size_t c = 0; c < set.truths.category_count; ++c) classes.push_back(numbers_of(in, 0));
        if (!set.truths.count) continue; // there is nothing to be found: refused
        Json coco, later, earlier;
        write(set);
        run("coco", &coco);
        run("voc", &later);
        run("voc2007", &earlier);
        if (HasFatalFailure()) return;
        const cJSON *mean = cJSON_GetObjectItem(coco.json, "coco");
        ASSERT_EQ(twelve.size(), 12u);
        for (int i = 0; i < 12; ++i) expect_near(number(mean, keys[i]), twelve[std::size_t(i)], what + ", " + keys[i]);
        for (std::size_t c = 0; c < classes.size(); ++c) {
            const auto of_class = [c](const Json &json) {
                return cJSON_GetArrayItem(cJSON_GetObjectItem(json.json, "per_class"), int(c));
            };
            const std::string where = what + ", class " + std::to_string(c);
            expect_near(number(of_class(coco), "ap"), classes[c][0], where);
            expect_near(number(of_class(coco), "ap50"), classes[c][1], where);
            expect_near(number(of_class(later), "ap"), classes[c][2], where);
            expect_near(number(of_class(earlier), "ap"), classes[c][3], where);
        }
        if (HasFailure()) return;
    }
}

} // namespace
