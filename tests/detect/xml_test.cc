// SPDX-License-Identifier: Apache-2.0
// The pull reader: events, text, and what it refuses.
#include <string>

#include "detect/xml.h"
#include "support/support.h"

namespace
{

// "+path" for an element that opens, "-path=text" for one that closes; or the message of the failure.
std::string events(const std::string &bytes)
{
    static trib_xml xml;
    std::string all;
    trib_xml_start(&xml, bytes.data(), bytes.size(), "file.xml");
    for (int i = 0; i < 100; ++i) {
        trib_xml_event event;
        trib_status s = trib_xml_next(&xml, &event);
        if (trib_failed(&s)) {
            EXPECT_EQ(s.code, TRIB_BAD_DATA);
            return s.message;
        }
        if (event == TRIB_XML_END) return all;
        all += event == TRIB_XML_OPENS ? std::string("+") + xml.path + " "
                                       : std::string("-") + xml.path + "=" + xml.text + (xml.cut ? "..." : "") + " ";
    }
    return "no end";
}

void expect_refused(const std::string &bytes, const std::string &message)
{
    const std::string got = events(bytes);
    EXPECT_EQ(got.rfind("file.xml, line ", 0), 0u) << bytes << ": " << got;
    EXPECT_NE(got.find(message), std::string::npos) << bytes << ": " << got;
}

TEST(Xml, ElementsAndText)
{
    EXPECT_EQ(events("<a/>"), "+a -a= ");
    EXPECT_EQ(events("<a> x y\n</a>"), "+a -a=x y ");
    EXPECT_EQ(events("<a><b>1</b><b>2</b></a >"), "+a +a/b -a/b=1 +a/b -a/b=2 -a= ");
    EXPECT_EQ(events("<a>x<b/>y</a>"), "+a +a/b -a/b= -a=y ");
    EXPECT_EQ(events("<a><b/ ></a>").substr(0, 8), "file.xml");
    EXPECT_EQ(events("\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- <b> --><a x = '1' y=\"&gt;>\" ><!-- - --></a> \n"),
              "+a -a= ");
    EXPECT_EQ(events("<a>\xC3\xA4</a>"), "+a -a=\xC3\xA4 ");
    EXPECT_EQ(events("<a:b.c-d_1/>"), "+a:b.c-d_1 -a:b.c-d_1= ");
}

TEST(Xml, Entities)
{
    EXPECT_EQ(events("<a>&lt;&gt;&amp;&quot;&apos;</a>"), "+a -a=<>&\"' ");
    EXPECT_EQ(events("<a>&#65;&#x42;&#xe4;&#x20AC;&#x1F600;</a>"), "+a -a=AB\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 ");
    EXPECT_EQ(events("<a><![CDATA[<b>&amp;]]]></a>"), "+a -a=<b>&amp;] ");
}

TEST(Xml, LongTextIsCut)
{
    EXPECT_EQ(events("<a>" + std::string(1023, 'x') + "</a>"), "+a -a=" + std::string(1023, 'x') + " ");
    EXPECT_EQ(events("<a>" + std::string(1000, 'x') + std::string(100, ' ') + "<b/></a>").substr(0, 3), "+a ");
    const std::string cut = events("<a>" + std::string(5000, 'x') + "</a>");
    EXPECT_EQ(cut.substr(cut.size() - 4), "... ");
}

TEST(Xml, IsRefused)
{
    expect_refused("", "no element");
    expect_refused(" \n<!-- -->", "line 2: no element");
    expect_refused("text", "outside of all elements");
    expect_refused("<a/>text", "outside of all elements");
    expect_refused("<a/><b/>", "second element");
    expect_refused("<a>", "before all elements are closed");
    expect_refused("<a", "ends in a tag");
    expect_refused("<a b", "without a value");
    expect_refused("<a b=1/>", "without quotes");
    expect_refused("<a b='1/>", "ends in an attribute");
    expect_refused("<a b='<'/>", "a < in an attribute");
    expect_refused("<a'/>", "a tag that is not");
    expect_refused("<a b='1'c='2'/>", "a tag that is not");
    expect_refused("<a>\n\n</b>", "line 3: a closing tag of an element");
    expect_refused("</a>", "a closing tag of an element");
    expect_refused("<a></a", "without >");
    expect_refused("<a>< b/></a>", "a < without a name");
    expect_refused("<a><!-- ", "ends in a comment");
    expect_refused("<a><![CDATA[ ]]", "ends in a CDATA");
    expect_refused("<![CDATA[ ]]><a/>", "a DOCTYPE or the like");
    expect_refused("<a>\xFF</a>", "not UTF-8");
    expect_refused("<a>\xC3", "not UTF-8");
    expect_refused(std::string("<a>\0</a>", 8), "not UTF-8");
    expect_refused("<a\xFF/>", "a name that is not UTF-8");
    expect_refused("<" + std::string(64, 'a') + "/>", "more than 63 bytes");
    std::string deep;
    for (int i = 0; i < 17; ++i) deep += "<a>";
    expect_refused(deep, "deeper than 16");
    EXPECT_EQ(events("<" + std::string(63, 'a') + "/>").size(), 2 * 63 + 5u);
}

TEST(Xml, HostileEntitiesAreRefused)
{
    expect_refused("<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><a>&c;</a>", "a DOCTYPE");
    expect_refused("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "a DOCTYPE");
    expect_refused("<a>&b;</a>", "not one of XML's own five");
    expect_refused("<a>&#0;</a>", "not one of XML's own five");
    expect_refused("<a>&#xD800;</a>", "not one of XML's own five");
    expect_refused("<a>&#x110000;</a>", "not one of XML's own five");
    expect_refused("<a>&#99999999;</a>", "not one of XML's own five");
    expect_refused("<a>&#xg;</a>", "not one of XML's own five");
    expect_refused("<a>&#a;</a>", "not one of XML's own five");
    expect_refused("<a>&#;</a>", "not one of XML's own five");
    expect_refused("<a>&</a>", "an & without an entity");
    expect_refused("<a>&amp", "an & without an entity");
    expect_refused("<a>a & b, and much more text; then</a>", "an & without an entity");
}

} // namespace
