"""Prints a scenario whose texts are as bad as they can be: markup, quotes, marks of direction, and 10,000 characters."""

EVIL = "<b class='evil'>\u202ex</b><script>window.evil = 1</script>&quot;]]>"
text = EVIL + "--><img src=x onerror='window.evil = 1'>"
SLOT = "<b class=\"evil\">&x"

print(f'''schema = 1
name = "hostile"
description = "{text}{"long " * 2000}"
duration = "10 s"
[link.l]
loss = "20 %"
[segment.s]
link = {{ down = "l" }}
[[host]]
name = "A'&B"
domain = "D&amp;"
segment = "s"
[[host]]
name = "C'&{{1..3}}"
domain = "D&amp;"
segment = "s"
[[mailslot]]
on = "C'&{{1..3}}"
name = '{SLOT}'
[[traffic]]
name = "f"
from = "A'&B"
to = '\\\\D&amp;\\mailslot\\{SLOT}'
every = "100 ms"
copies = 2
spacing = "10 ms"
[[event]]
at = "2 s"
crash = "C'&1"
[[event]]
at = "1 s"
for = "3 s"
set = {{ "link.l.loss" = "50 %" }}
[[event]]
at = "4 s"
close = {{ on = "C'&2", mailslot = '{SLOT}' }}
[[event]]
every = {{ exponential = "500 ms" }}
for = "300 ms"
pause = "C'&3"
[[phase]]
name = "a-phase-with-a-name-that-is-long"
from = "0 s"
to = "5 s"
[[phase]]
name = "late"
from = "9 s"
to = "10 s"''')
