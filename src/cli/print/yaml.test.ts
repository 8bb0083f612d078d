import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { JsonNumber } from '../../base/json/json.ts';
import { toYaml } from './yaml.ts';

const LONG = 'a long text that goes over eighty characters and so may be folded by the emitter';

/** The output of kubectl 1.33 for the same values. */
const PRINTED = `a: "true"
aa: ${LONG}
  of yaml or not at all
b: 'x: y'
c: ""
d: |
  multi
  line
e: |-
  multi
  line
f: |+
  a

  b

"false": "~"
g: ' lead'
h: "0x10"
i: it's "q"
j: a#b
k: 'a #c'
l: "2026-01-01"
m: |2-
   multi
  lead
"n": "tab\\there"
o: "emoji \\U0001F600"
p:
- - 1
  - []
- x: {}
  "y": null
- |-
  two
  lines
q: 1.5
r: '${LONG}
  of yaml: or not'
s: "\\"a long text that goes over eighty characters and so\\" may be folded by the emitter
  of yaml: or not\\t"
t: http://x:80/y?z#q
u: '-'
v: -x
w: "1:30"
x: yES
"yes": "Yes"
z: 'it''s: so'
`;

const VALUES = {
	z: "it's: so",
	yes: 'Yes',
	x: 'yES',
	w: '1:30',
	v: '-x',
	u: '-',
	t: 'http://x:80/y?z#q',
	s: `"a long text that goes over eighty characters and so" may be folded by the emitter of yaml: or not\t`,
	r: `${LONG} of yaml: or not`,
	q: 1.5,
	p: [[1, []], { y: null, x: {} }, 'two\nlines'],
	o: 'emoji 😀',
	n: 'tab\there',
	m: ' multi\nlead',
	l: '2026-01-01',
	k: 'a #c',
	j: 'a#b',
	i: 'it\'s "q"',
	h: '0x10',
	g: ' lead',
	false: '~',
	f: 'a\n\nb\n\n',
	e: 'multi\nline',
	d: 'multi\nline\n',
	c: '',
	b: 'x: y',
	aa: `${LONG} of yaml or not at all`,
	a: 'true',
};

test('values are printed as kubectl prints them', () => {
	assert.equal(toYaml(VALUES), PRINTED);
});

test('parsing the printed YAML gives the original value', () => {
	const text = fc.oneof(
		fc.string({ unit: 'grapheme' }),
		fc.string({
			unit: fc.constantFrom(...' \n\t:#-?,[]{}&*!|>\'"%@`~=<0123456789.eExXoOnNyYtTfF_+\\'),
			maxLength: 8,
		}),
		fc.lorem({ maxCount: 30 }),
	);
	const { value } = fc.letrec((tie) => ({
		value: fc.oneof(
			{ maxDepth: 3 },
			text,
			fc.integer(),
			fc.boolean(),
			fc.constant(null),
			fc.array(tie('value'), { maxLength: 3 }),
			fc.dictionary(fc.string({ maxLength: 6 }), tie('value'), { maxKeys: 3 }),
		),
	}));
	fc.assert(
		fc.property(value, (each) => {
			// Normalize to plain JSON: without undefined and prototypes.
			const plain: unknown = JSON.parse(JSON.stringify(each));
			assert.deepEqual(parse(toYaml(plain)), plain);
		}),
		{ numRuns: 300 },
	);
});

test('a number that a double would write differently is printed as it was read', () => {
	assert.equal(
		toYaml({ ratio: new JsonNumber('1.50'), list: [new JsonNumber('1e3')] }),
		'list:\n- 1e3\nratio: 1.50\n',
	);
});
