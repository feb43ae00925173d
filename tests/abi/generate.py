#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The public structs, read from the headers.

  generate.py check          every field is in table.h and has a type whose size never changes
  generate.py update         compiles a little program and writes table.h anew (after a deliberate change, together
                             with PR_ABI_MINOR or PR_ABI_MAJOR and the history in version.h)
  generate.py selftest       the checks can fail
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(HERE, '../../sdk/include')
HEADERS = os.path.join(INCLUDE, 'postrider')
TABLE = os.path.join(HERE, 'table.h')
FIXED = re.compile(r'^(const )?(u?int(8|16|32|64)_t|size_t|struct pr_\w+)$')


def structs(text):
    """[(struct, [(field, type)])] of a header; a type ends in * for any pointer."""
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    text = re.sub(r'^#.*?(?<!\\)$', '', text, flags=re.S | re.M)
    text = re.sub(r'__attribute__\(\(.*?\)\)\)?', '', text)
    found = []
    for name, body in re.findall(r'^struct (pr_\w+) \{(.*?)^\};', text, re.S | re.M):
        fields = []
        for line in (part.strip() for part in re.sub(r'\s+', ' ', body).split(';')):
            if not line:
                continue
            function = re.match(r'.*?\(\*(\w+)\)\(.*\)$', line)
            pointer = re.match(r'.*\*\s*(\w+)$', line)
            plain = re.match(r'(.*?)\s*(\w+)$', line)
            if function:
                fields.append((function.group(1), 'function *'))
            elif pointer:
                fields.append((pointer.group(1), 'pointer *'))
            elif plain and ':' not in line and '[' not in line and ',' not in line:
                fields.append((plain.group(2), plain.group(1)))
            else:
                fields.append((line, 'something else'))
        found.append((name, fields))
    return found


def read_all():
    found = []
    for header in sorted(os.listdir(HEADERS)):
        with open(os.path.join(HEADERS, header), encoding='ascii') as file:
            found += [(header, name, fields) for name, fields in structs(file.read())]
    return found


def complaints(found, table):
    out = []
    for header, name, fields in found:
        if f'ABI_SIZE({name}, ' not in table:
            out.append(f'{header}: struct {name} is not in tests/abi/table.h')
        for field, kind in fields:
            if not kind.endswith('*') and not FIXED.match(kind):
                out.append(f'{header}: {name}.{field} is "{kind}": public structs hold fixed-width integers, sizes and pointers')
            elif f'ABI_FIELD({name}, {field}, ' not in table:
                out.append(f'{header}: {name}.{field} is not in tests/abi/table.h')
    return out


def update(found):
    lines = ['#include <stddef.h>', '#include <stdio.h>']
    lines += [f'#include <postrider/{header}>' for header in sorted({header for header, _, _ in found})]
    lines.append('int main(void) {')
    for _, name, fields in found:
        lines.append(f'printf("ABI_SIZE({name}, %zu)\\n", sizeof(struct {name}));')
        for field, _ in fields:
            lines.append(f'printf("ABI_FIELD({name}, {field}, %zu, %zu)\\n", offsetof(struct {name}, {field}), '
                         f'sizeof((struct {name} *)0)->{field});')
    lines.append('return 0; }')
    with tempfile.TemporaryDirectory() as scratch:
        source, program = os.path.join(scratch, 'a.c'), os.path.join(scratch, 'a')
        with open(source, 'w', encoding='ascii') as file:
            file.write('\n'.join(lines))
        subprocess.run([os.environ.get('CC', 'cc'), '-I', INCLUDE, '-o', program, source], check=True)
        rows = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    with open(TABLE, 'w', encoding='ascii') as file:
        file.write('/* SPDX-License-Identifier: BSD-2-Clause\n *\n * Written by tests/abi/generate.py: size, and offset and size of each'
                   ' field, of the public structs (LP64).\n */\n' + rows)
    print(f'{TABLE}: {rows.count("ABI_SIZE")} structs')


def selftest():
    bad = structs('struct pr_x {\n\tint a;\n\tuint32_t b : 3;\n\tchar c[4];\n\tenum pr_kind d;\n\tlong *e;\n'
                  '\tenum pr_status (*f)(int a,\n\t int b);\n};\n')
    assert bad == [('pr_x', [('a', 'int'), ('uint32_t b : 3', 'something else'), ('char c[4]', 'something else'),
                             ('d', 'enum pr_kind'), ('e', 'pointer *'), ('f', 'function *')])], bad
    assert len(complaints([('x.h',) + bad[0]], '')) == 7
    assert not complaints([('x.h', 'pr_x', [('a', 'uint32_t')])], 'ABI_SIZE(pr_x, 4)\nABI_FIELD(pr_x, a, 0, 4)\n')


def main():
    what = sys.argv[1] if len(sys.argv) == 2 else ''
    if what == 'selftest':
        return selftest()
    found = read_all()
    if what == 'update':
        return update(found)
    if what != 'check':
        sys.exit(__doc__)
    with open(TABLE, encoding='ascii') as file:
        wrong = complaints(found, file.read())
    print('\n'.join(wrong + [f'abi: {len(found)} structs, {len(wrong)} complaints']))
    sys.exit(bool(wrong))


if __name__ == '__main__':
    main()
