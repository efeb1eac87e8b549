// Host code under review: what the JIT makes of the snippets in tests/codegen/snippets.txt is compared with
// tests/codegen/golden.txt, which `make golden` writes anew. Counts and text, no clock.
#include "harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Snippet {
    std::string name;
    unsigned xlen = 64, insns = 0;
    std::vector<uint8_t> code;
};

// One line of the log: a guest instruction, or a host one.
struct Line {
    bool guest, away;
    uint64_t at; // guest address, or bytes from the block's start
    std::string text;
};

struct Listing {
    std::vector<Line> lines;
    unsigned hot = 0, cold = 0;
};

std::string path_of(const char *name)
{
    char path[4096];
    return harness_data(name, path, sizeof path) ? path : "";
}

std::string read(const std::string &path)
{
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<Snippet> snippets()
{
    std::istringstream in(read(path_of("codegen/snippets.txt")));
    std::vector<Snippet> all;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        Snippet s;
        if (line.empty() || line[0] == '#' || !(words >> s.name >> s.xlen))
            continue;
        for (std::string word; words >> word; s.insns++) {
            unsigned long value = std::stoul(word, nullptr, 16);
            for (size_t i = 0; i < word.size() / 2; i++)
                s.code.push_back(static_cast<uint8_t>(value >> 8 * i));
        }
        all.push_back(s);
    }
    return all;
}

// ---- the log ----

// "    +0x13   mov rax, qword ptr [g6]" or "0x800000da:  fa5354e3  bge\tt1,t0,0x80000082"
bool parse_line(const std::string &text, bool away, Line *line)
{
    char *end;
    line->away = away;
    line->guest = text.rfind("0x", 0) == 0;
    if (!line->guest && text.rfind("    +", 0) != 0)
        return false;
    line->at = std::strtoull(text.c_str() + (line->guest ? 0 : 5), &end, 0);
    size_t from = static_cast<size_t>(end - text.c_str());
    if (line->guest) // ":  WORD  "
        from = text.find_first_not_of(" ", text.find(' ', from + 3));
    line->text = text.substr(text.find_first_not_of(" ", from));
    std::replace(line->text.begin(), line->text.end(), '\t', ' ');
    return true;
}

bool inside(const Snippet &s, uint64_t pc)
{
    return pc >= RIG_CODE && pc < RIG_CODE + s.code.size();
}

// The sections of the log that begin in the snippet, without what they have of the code behind it.
std::vector<Listing> listings(const Snippet &s, const std::string &log)
{
    std::istringstream in(log);
    std::vector<Listing> all;
    bool away = false, wanted = false;
    std::vector<Line> before; // the first guest instruction
    for (std::string text; std::getline(in, text);) {
        Line line;
        if (text.rfind("OUT:", 0) == 0) {
            away = wanted = false;
            before.clear();
            all.emplace_back();
        } else if (text == "out of the way:") {
            wanted = away = !all.back().lines.empty();
        } else if (parse_line(text, away, &line)) {
            if (line.guest)
                wanted = inside(s, line.at);
            if (line.guest && wanted && all.back().lines.empty())
                all.back().lines = before;
            if (wanted)
                all.back().lines.push_back(line);
            else if (all.back().lines.empty() && !line.guest)
                before.push_back(line);
        }
    }
    all.erase(std::remove_if(all.begin(), all.end(), [](const Listing &l) { return l.lines.empty(); }), all.end());
    for (Listing &l : all) {
        for (const Line &line : l.lines)
            *(line.away ? &l.cold : &l.hot) += !line.guest;
    }
    return all;
}

// ---- the golden text ----

// The offset that a jump inside the block goes to, or -1.
long target(const std::string &text)
{
    size_t plus = text.rfind(" +");
    bool jumps = text[0] == 'j' && plus != std::string::npos && std::isdigit(text[plus + 2]);
    return jumps ? std::strtol(text.c_str() + plus + 2, nullptr, 0) : -1;
}

std::map<uint64_t, std::string> labels(const Listing &l)
{
    std::map<uint64_t, std::string> names;
    for (const Line &line : l.lines) {
        if (!line.guest && target(line.text) >= 0)
            names[static_cast<uint64_t>(target(line.text))];
    }
    unsigned n = 0;
    for (auto &name : names)
        name.second = "L" + std::to_string(++n);
    return names;
}

// Host instructions of the guest instruction at `i`, up to the next.
unsigned cost(const Listing &l, size_t i)
{
    unsigned n = 0;
    while (++i < l.lines.size() && !l.lines[i].guest && !l.lines[i].away)
        n++;
    return n;
}

void put(std::ostream &out, const Listing &l)
{
    std::map<uint64_t, std::string> names = labels(l);
    char text[200];
    bool away = false;
    for (size_t i = 0; i < l.lines.size(); i++) {
        const Line &line = l.lines[i];
        if (line.guest) {
            std::snprintf(text, sizeof text, "%4u  %s\n", cost(l, i), line.text.c_str());
            out << text;
            continue;
        }
        if (line.away && !away)
            out << "      out of the way\n";
        away = line.away;
        auto label = names.find(line.at);
        std::string what = line.text;
        if (target(what) >= 0)
            what = what.substr(0, what.rfind(" +") + 1) + names[static_cast<uint64_t>(target(what))];
        std::snprintf(text, sizeof text, "      %4s  %s\n", label == names.end() ? "" : label->second.c_str(),
                      what.c_str());
        out << text;
    }
}

// A table of figures, then each snippet's code.
std::string golden(const std::vector<Snippet> &all)
{
    std::ostringstream table, code;
    char row[100];
    table << "# Host code of tests/codegen/snippets.txt: docs/testing.md, \"Codegen\". Written by `make golden`.\n"
          << "# snippet                  guest   host  cold  host/guest\n";
    for (const Snippet &s : all) {
        bool old = s.name.find("@v2") != std::string::npos;
        char *log = codegen_log(s.xlen, s.code.data(), s.code.size(), old);
        unsigned hot = 0, cold = 0;
        code << "\n== " << s.name << (s.xlen == 32 ? " (RV32)" : "") << "\n";
        for (const Listing &l : listings(s, log ? log : "")) {
            code << (hot ? "      next block\n" : "");
            put(code, l);
            hot += l.hot;
            cold += l.cold;
        }
        std::free(log);
        EXPECT_GT(hot, 0u) << s.name << " was not translated";
        std::snprintf(row, sizeof row, "  %-24s %5u  %5u %5u %11.2f\n", s.name.c_str(), s.insns, hot, cold,
                      s.insns ? static_cast<double>(hot) / s.insns : 0);
        table << row;
    }
    return table.str() + code.str();
}

std::string diff(const std::string &path, const std::string &found)
{
    char directory[4096];
    if (!harness_scratch(directory, sizeof directory))
        return "(no scratch directory for a diff)";
    std::string file = std::string(directory) + "/found", text;
    std::ofstream(file) << found;
    FILE *p = popen(("diff -u '" + path + "' '" + file + "' | head -n 200").c_str(), "r");
    for (int c; p && (c = std::fgetc(p)) != EOF;)
        text += static_cast<char>(c);
    if (p)
        pclose(p);
    std::remove(file.c_str());
    std::remove(directory);
    return text;
}

TEST(Codegen, Golden)
{
    std::string path = path_of("codegen/golden.txt");
    std::vector<Snippet> all = snippets();
    ASSERT_GE(all.size(), 30u);
    if (!codegen_has_text())
        GTEST_SKIP() << "this build has no libcapstone";
    std::string found = golden(all);
    if (std::getenv("LYREBIRD_TEST_RENEW")) {
        std::ofstream out(path);
        out << found;
        ASSERT_TRUE(out.flush()) << path;
    }
    EXPECT_TRUE(read(path) == found) << diff(path, found) << "`make golden` takes the new code over.";
}

} // namespace
