import sqlite3

c = sqlite3.connect(":memory:")
c.execute("create table t(a integer primary key, b text, c real)")
c.executemany("insert into t values(?, ?, ?)", ((i, "row%d" % i, i * 1.5) for i in range(60000)))
c.execute("create index x on t(b)")
print(sum(r[0] for r in c.execute("select a from t where b like ? order by c desc", ("row%7",))))
