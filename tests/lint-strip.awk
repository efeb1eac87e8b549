# lint-strip.awk - prints C sources without comments, each line as FILE:LINE:TEXT. With -v strings=0 the contents of
# strings and characters go too, so that a search finds only code.

FNR == 1 {
    inside = 0
}

{
    out = ""
    line = $0
    while (line != "") {
        if (inside) {
            at = index(line, "*/")
            if (!at) {
                break
            }
            line = substr(line, at + 2)
            inside = 0
            continue
        }
        if (!match(line, /\/\/|\/\*|"|'/)) {
            out = out line
            break
        }
        mark = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        if (mark == "//") {
            break
        } else if (mark == "/*") {
            inside = 1
            out = out " "
        } else {
            match(line, mark == "\"" ? "^([^\"\\\\]|\\\\.)*\"?" : "^([^'\\\\]|\\\\.)*'?")
            out = out mark (strings == 0 ? mark : substr(line, 1, RLENGTH))
            line = substr(line, RLENGTH + 1)
        }
    }
    sub(/[ \t]+$/, "", out)
    print FILENAME ":" FNR ":" out
}
