s = 0
for i in range(1500000):
    s = (s * 31 + i) % 1000003
print(s)
