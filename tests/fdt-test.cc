// The device tree of `virt` against what firmware and kernels look up in it: node names, compatible lists, addresses
// and interrupts as the devicetree specification and Linux's bindings (Documentation/devicetree/bindings) define them.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness.h"

namespace {

using Cells = std::vector<uint32_t>;
using Strings = std::vector<std::string>;

struct Board {
    unsigned xlen;
    std::string smp, memory;
};

class Tree {
public:
    Tree(const Board &b) : tree_(nullptr, ft_free)
    {
        const char *args[] = { "-smp", b.smp.c_str(), "-m", b.memory.c_str(), nullptr };
        char error[512] = "";
        tree_.reset(ft_new(b.xlen, args, error));
        EXPECT_NE(tree_, nullptr) << error;
    }

    explicit operator bool() const { return tree_ != nullptr; }
    const ft *get() const { return tree_.get(); }
    bool Has(const std::string &path) const { return ft_has(tree_.get(), path.c_str()); }

    std::string Raw(const std::string &path, const char *name, bool *found = nullptr) const
    {
        int len = 0;
        const uint8_t *data = ft_property(tree_.get(), path.c_str(), name, &len);
        if (found)
            *found = data != nullptr;
        else
            EXPECT_NE(data, nullptr) << path << " has no " << name;
        return data ? std::string(reinterpret_cast<const char *>(data), len) : "";
    }

    bool HasProperty(const std::string &path, const char *name) const
    {
        bool found;
        Raw(path, name, &found);
        return found;
    }

    Cells Get(const std::string &path, const char *name) const
    {
        const std::string raw = Raw(path, name);
        Cells out;
        EXPECT_EQ(raw.size() % 4, 0u) << path << " " << name;
        for (size_t i = 0; i + 4 <= raw.size(); i += 4)
            out.push_back((raw[i] & 0xffu) << 24 | (raw[i + 1] & 0xffu) << 16 | (raw[i + 2] & 0xffu) << 8 |
                          (raw[i + 3] & 0xffu));
        return out;
    }

    uint32_t Cell(const std::string &path, const char *name) const
    {
        const Cells cells = Get(path, name);
        EXPECT_EQ(cells.size(), 1u) << path << " " << name;
        return cells.empty() ? ~0u : cells[0];
    }

    Strings Texts(const std::string &path, const char *name) const
    {
        Strings out;
        std::string rest = Raw(path, name);
        EXPECT_TRUE(!rest.empty() && rest.back() == 0) << path << " " << name;
        for (size_t end; (end = rest.find('\0')) != std::string::npos; rest.erase(0, end + 1))
            out.push_back(rest.substr(0, end));
        return out;
    }

    std::string PathOf(uint32_t phandle) const
    {
        char path[256];
        return ft_path_of(tree_.get(), phandle, path, sizeof path) ? path : "no node";
    }

private:
    std::unique_ptr<ft, void (*)(ft *)> tree_;
};

// base, size in the two cells each that the root and /soc declare.
Cells Reg(std::vector<uint64_t> pairs)
{
    Cells out;
    for (uint64_t v : pairs) {
        out.push_back(static_cast<uint32_t>(v >> 32));
        out.push_back(static_cast<uint32_t>(v));
    }
    return out;
}

struct Row {
    const char *path;
    Strings compatible;
    std::vector<uint64_t> reg;
    uint32_t irq; // of the PLIC; 0: none
};

const Row kRows[] = {
    { "/soc/test@100000", { "sifive,test1", "sifive,test0", "syscon" }, { 0x100000, 0x1000 }, 0 },
    { "/soc/rtc@101000", { "google,goldfish-rtc" }, { 0x101000, 0x1000 }, 11 },
    { "/soc/clint@2000000", { "sifive,clint0", "riscv,clint0" }, { 0x2000000, 0x10000 }, 0 },
    { "/soc/interrupt-controller@2f00000", { "riscv,aclint-sswi" }, { 0x2f00000, 0x4000 }, 0 },
    { "/soc/plic@c000000", { "sifive,plic-1.0.0", "riscv,plic0" }, { 0xc000000, 0x600000 }, 0 },
    { "/soc/serial@10000000", { "ns16550a" }, { 0x10000000, 0x100 }, 10 },
    { "/soc/virtio_mmio@10001000", { "virtio,mmio" }, { 0x10001000, 0x1000 }, 1 },
    { "/soc/virtio_mmio@10002000", { "virtio,mmio" }, { 0x10002000, 0x1000 }, 2 },
    { "/soc/virtio_mmio@10003000", { "virtio,mmio" }, { 0x10003000, 0x1000 }, 3 },
    { "/soc/virtio_mmio@10004000", { "virtio,mmio" }, { 0x10004000, 0x1000 }, 4 },
    { "/soc/virtio_mmio@10005000", { "virtio,mmio" }, { 0x10005000, 0x1000 }, 5 },
    { "/soc/virtio_mmio@10006000", { "virtio,mmio" }, { 0x10006000, 0x1000 }, 6 },
    { "/soc/virtio_mmio@10007000", { "virtio,mmio" }, { 0x10007000, 0x1000 }, 7 },
    { "/soc/virtio_mmio@10008000", { "virtio,mmio" }, { 0x10008000, 0x1000 }, 8 },
    { "/fw-cfg@10100000", { "qemu,fw-cfg-mmio" }, { 0x10100000, 0x18 }, 0 },
    { "/flash@20000000", { "cfi-flash" }, { 0x20000000, 0x2000000, 0x22000000, 0x2000000 }, 0 },
};

class VirtTree : public testing::TestWithParam<Board> {
protected:
    VirtTree() : tree(GetParam()), harts(static_cast<unsigned>(std::stoul(GetParam().smp))) {}

    void SetUp() override { ASSERT_TRUE(tree); }

    std::string Cpu(unsigned hart) const { return "/cpus/cpu@" + std::to_string(hart); }
    uint32_t Intc(unsigned hart) const { return tree.Cell(Cpu(hart) + "/interrupt-controller", "phandle"); }

    // What interrupts-extended must be when each hart takes these interrupts.
    Cells ForEachHart(const Cells &irqs) const
    {
        Cells out;
        for (unsigned hart = 0; hart < harts; hart++) {
            for (uint32_t irq : irqs)
                out.insert(out.end(), { Intc(hart), irq });
        }
        return out;
    }

    Tree tree;
    unsigned harts;
};

TEST_P(VirtTree, DevicesAreWhereDriversLook)
{
    const uint32_t plic = tree.Cell("/soc/plic@c000000", "phandle");

    for (const Row &row : kRows) {
        SCOPED_TRACE(row.path);
        ASSERT_TRUE(tree.Has(row.path));
        EXPECT_EQ(tree.Texts(row.path, "compatible"), row.compatible);
        EXPECT_EQ(tree.Get(row.path, "reg"), Reg(row.reg));
        EXPECT_EQ(tree.HasProperty(row.path, "interrupts"), row.irq != 0);
        if (row.irq) {
            EXPECT_EQ(tree.Cell(row.path, "interrupts"), row.irq);
            EXPECT_EQ(tree.Cell(row.path, "interrupt-parent"), plic);
        }
    }
    EXPECT_EQ(tree.Cell("/soc/serial@10000000", "clock-frequency"), 3686400u);
    EXPECT_EQ(tree.Cell("/flash@20000000", "bank-width"), 4u);
    EXPECT_TRUE(tree.HasProperty("/fw-cfg@10100000", "dma-coherent"));
}

TEST_P(VirtTree, RootAndBus)
{
    EXPECT_EQ(tree.Texts("/", "compatible"), Strings{ "riscv-virtio" });
    for (const char *path : { "/", "/soc" }) {
        EXPECT_EQ(tree.Cell(path, "#address-cells"), 2u) << path;
        EXPECT_EQ(tree.Cell(path, "#size-cells"), 2u) << path;
    }
    EXPECT_EQ(tree.Texts("/soc", "compatible"), Strings{ "simple-bus" });
    EXPECT_EQ(tree.Raw("/soc", "ranges"), "");
}

TEST_P(VirtTree, MemoryAndChosen)
{
    const uint64_t size = std::stoull(GetParam().memory) << 20;

    EXPECT_EQ(tree.Texts("/memory@80000000", "device_type"), Strings{ "memory" });
    EXPECT_EQ(tree.Get("/memory@80000000", "reg"), Reg({ 0x80000000, size }));
    const Strings console = tree.Texts("/chosen", "stdout-path");
    ASSERT_EQ(console.size(), 1u);
    EXPECT_EQ(console[0], "/soc/serial@10000000");
    EXPECT_GE(tree.Raw("/chosen", "rng-seed").size(), 32u);
    EXPECT_FALSE(tree.HasProperty("/chosen", "linux,initrd-start"));
}

TEST_P(VirtTree, Harts)
{
    const std::string xlen = std::to_string(GetParam().xlen);

    EXPECT_EQ(tree.Cell("/cpus", "#address-cells"), 1u);
    EXPECT_EQ(tree.Cell("/cpus", "#size-cells"), 0u);
    EXPECT_EQ(tree.Cell("/cpus", "timebase-frequency"), 10000000u);
    for (unsigned hart = 0; hart < harts; hart++) {
        const std::string cpu = Cpu(hart), intc = cpu + "/interrupt-controller";
        SCOPED_TRACE(cpu);
        ASSERT_TRUE(tree.Has(intc));
        EXPECT_EQ(tree.Texts(cpu, "device_type"), Strings{ "cpu" });
        EXPECT_EQ(tree.Cell(cpu, "reg"), hart);
        EXPECT_EQ(tree.Texts(cpu, "status"), Strings{ "okay" });
        EXPECT_EQ(tree.Texts(cpu, "compatible").back(), "riscv");
        EXPECT_EQ(tree.Texts(cpu, "riscv,isa")[0].substr(0, 9), "rv" + xlen + "imafd");
        EXPECT_EQ(tree.Texts(cpu, "riscv,isa-base"), Strings{ "rv" + xlen + "i" });
        EXPECT_EQ(tree.Texts(cpu, "mmu-type")[0].substr(0, 8), "riscv,sv");
        EXPECT_EQ(tree.Texts(intc, "compatible"), Strings{ "riscv,cpu-intc" });
        EXPECT_EQ(tree.Cell(intc, "#interrupt-cells"), 1u);
        EXPECT_TRUE(tree.HasProperty(intc, "interrupt-controller"));
        const std::string core = "/cpus/cpu-map/cluster0/core" + std::to_string(hart);
        EXPECT_EQ(tree.PathOf(tree.Cell(core, "cpu")), cpu);
    }
    EXPECT_FALSE(tree.Has(Cpu(harts)));
}

// RV32 has Sv32 only; the extensions list and the old string agree.
TEST_P(VirtTree, Extensions)
{
    const std::string mmu = tree.Texts(Cpu(0), "mmu-type")[0], isa = tree.Texts(Cpu(0), "riscv,isa")[0];
    const Strings list = tree.Texts(Cpu(0), "riscv,isa-extensions");
    const std::set<std::string> extensions(list.begin(), list.end());

    EXPECT_EQ(mmu == "riscv,sv32", GetParam().xlen == 32) << mmu;
    EXPECT_EQ(extensions.size(), list.size()) << "an extension is named twice";
    for (const char *wanted : { "i", "m", "a", "f", "d", "c", "zicsr", "zifencei" })
        EXPECT_EQ(extensions.count(wanted), 1u) << wanted;
    for (const std::string &e : list) {
        if (e.size() > 1)
            EXPECT_NE((isa + "_").find("_" + e + "_"), std::string::npos) << e << " is not in " << isa;
        else
            EXPECT_NE(isa.substr(4, isa.find('_') - 4).find(e), std::string::npos) << e << " is not in " << isa;
    }
}

TEST_P(VirtTree, InterruptsReachEveryHart)
{
    const std::string plic = "/soc/plic@c000000", sswi = "/soc/interrupt-controller@2f00000";

    EXPECT_EQ(tree.Get("/soc/clint@2000000", "interrupts-extended"), ForEachHart({ 3, 7 }));
    EXPECT_EQ(tree.Get(plic, "interrupts-extended"), ForEachHart({ 11, 9 }));
    EXPECT_EQ(tree.Get(sswi, "interrupts-extended"), ForEachHart({ 1 }));
    EXPECT_EQ(tree.Cell(plic, "#address-cells"), 0u);
    EXPECT_EQ(tree.Cell(plic, "#interrupt-cells"), 1u);
    EXPECT_EQ(tree.Cell(plic, "riscv,ndev"), 95u);
    EXPECT_TRUE(tree.HasProperty(plic, "interrupt-controller"));
    EXPECT_EQ(tree.Cell(sswi, "#interrupt-cells"), 0u);
    EXPECT_TRUE(tree.HasProperty(sswi, "interrupt-controller"));
}

TEST_P(VirtTree, PowerOffAndReboot)
{
    const std::map<std::string, uint32_t> values = { { "poweroff", 0x5555 }, { "reboot", 0x7777 } };

    for (const auto &[name, value] : values) {
        const std::string path = "/" + name;
        SCOPED_TRACE(path);
        ASSERT_TRUE(tree.Has(path));
        EXPECT_EQ(tree.Texts(path, "compatible"), Strings{ "syscon-" + name });
        EXPECT_EQ(tree.PathOf(tree.Cell(path, "regmap")), "/soc/test@100000");
        EXPECT_EQ(tree.Cell(path, "offset"), 0u);
        EXPECT_EQ(tree.Cell(path, "value"), value);
    }
}

TEST_P(VirtTree, PhandlesAreUnique)
{
    std::map<uint32_t, std::string> seen;
    char path[256];
    unsigned nodes = 0;

    for (; ft_node(tree.get(), nodes, path, sizeof path); nodes++) {
        if (!tree.HasProperty(path, "phandle"))
            continue;
        const auto [other, fresh] = seen.emplace(tree.Cell(path, "phandle"), path);
        EXPECT_TRUE(fresh) << path << " and " << other->second;
    }
    EXPECT_GT(nodes, 20u);
    EXPECT_GE(seen.size(), 2 * harts + 2);
}

std::string Shell(const std::string &command, int *status)
{
    std::string out;
    char buffer[4096];
    FILE *f = popen(command.c_str(), "r");

    while (f && fgets(buffer, sizeof buffer, f))
        out += buffer;
    *status = f ? pclose(f) : -1;
    return out;
}

// dtc checks what bindings have in common: unit addresses, cell counts, interrupt parents.
TEST_P(VirtTree, DtcFindsNothing)
{
    int status;
    char directory[256];
    size_t size;

    Shell("command -v dtc", &status);
    if (status)
        GTEST_SKIP() << "dtc is not installed";
    ASSERT_TRUE(harness_scratch(directory, sizeof directory));
    const std::string file = std::string(directory) + "/virt.dtb";
    FILE *f = fopen(file.c_str(), "wb");
    ASSERT_NE(f, nullptr);
    const uint8_t *blob = ft_blob(tree.get(), &size);
    EXPECT_EQ(fwrite(blob, 1, size, f), size);
    fclose(f);
    const std::string said = Shell("dtc -I dtb -O dts -o /dev/null '" + file + "' 2>&1", &status);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(said, "");
    remove(file.c_str());
    remove(directory);
}

INSTANTIATE_TEST_SUITE_P(Boards, VirtTree,
                         testing::Values(Board{ 64, "1", "128" }, Board{ 64, "2", "512" }, Board{ 64, "8", "4096" },
                                         Board{ 32, "1", "128" }, Board{ 32, "4", "1024" }),
                         [](const testing::TestParamInfo<Board> &info) {
                             const Board &b = info.param;
                             return "Rv" + std::to_string(b.xlen) + "Smp" + b.smp + "Mem" + b.memory;
                         });

} // namespace
