import assert from 'node:assert/strict';
import test from 'node:test';
import { customColumnsText, parseCustomColumns } from './custom-columns.ts';
import { toJson } from './json.ts';
import { fillTemplate } from './jsonpath.ts';
import { JsonPathError } from './jsonpath-parser.ts';

const POD = {
	kind: 'Pod',
	metadata: { name: 'p', labels: { 'a.b/c': 'x', plain: 'y' } },
	spec: {
		n: 3,
		nothing: null,
		containers: [
			{ name: 'one', image: 'i1', ports: [{ containerPort: 1 }, { containerPort: 2 }] },
			{ name: 'two', image: 'i2', args: ['a', '<b>'] },
			{ name: 'three', image: 'i3' },
		],
	},
};

/** Templates with the output of kubectl 1.33. */
const FILLED: readonly (readonly [string, string])[] = [
	['{.metadata.name}', 'p'],
	['name: {.metadata.name}, x', 'name: p, x'],
	['.metadata.name', '.metadata.name'],
	['{.spec.containers[*].name}', 'one two three'],
	['{range .spec.containers[*]}{.name}{"\\t"}{.image}{"\\n"}{end}', 'one\ti1\ntwo\ti2\nthree\ti3\n'],
	['{range .spec.containers[*]}{.name}{range .ports[*]}{.containerPort},{end};{end}', 'one1,2,;two;three;'],
	['{.spec.containers[0].ports}', '[{"containerPort":1},{"containerPort":2}]'],
	['{.spec.containers[-1].name}', 'three'],
	['{.spec.containers[0:2].name}', 'one two'],
	['{.spec.containers[-2:].name}', 'two three'],
	['{.spec.containers[::2].name}', 'one three'],
	['{.spec.containers[0,2].name}', 'one three'],
	['{.spec.containers[?(@.name=="two")].image}', 'i2'],
	['{.spec.containers[?(@.name!="two")].name}', 'one three'],
	['{.spec.containers[?(@.image>"i1")].name}', 'two three'],
	['{.spec.containers[?(@.args)].name}', 'two'],
	['{.spec.containers[?(@.ports[0].containerPort>0)].name}', 'one'],
	['{..containerPort}', '1 2'],
	['{.spec.containers..name}', 'one two three'],
	['{.metadata.labels.a\\.b/c}', 'x'],
	["{.metadata.labels['plain']}", 'y'],
	['{.metadata.labels.*}', 'x y'],
	['{.metadata.labels}', '{"a.b/c":"x","plain":"y"}'],
	['{.spec.containers[*].args}', '["a","\\u003cb\\u003e"]'],
	['{.spec.n} {.spec.nothing}', '3 null'],
	['{.missing}', ''],
	['{$.metadata.name}{ .kind }{@.kind}', 'pPodPod'],
];

test('templates print what kubectl prints', () => {
	for (const [template, text] of FILLED) assert.equal(fillTemplate(template, POD), text, template);
});

test('a template with a syntax error is rejected with the reason', () => {
	const reasons: readonly (readonly [string, RegExp])[] = [
		['{.metadata.name', /unclosed action/],
		['{end}', /not in range, nothing to end/],
		['{range .a}x', /unclosed range/],
		['{kind}', /unrecognized character in action: "k"/],
		['{.a[}', /unrecognized|unexpected/],
		['{.a[0}', /unterminated array/],
		['{.a[?(@.x==1]}', /unterminated filter/],
		['{"x}', /unclosed action/],
	];
	for (const [template, pattern] of reasons) {
		assert.throws(
			() => fillTemplate(template, POD),
			(error) => error instanceof JsonPathError && pattern.test(error.message),
			template,
		);
	}
});

test('custom columns print the values that their paths find, or <none>', () => {
	const columns = parseCustomColumns(
		"NAME:.metadata.name,IMAGES:{.spec.containers[*].image},L:metadata.labels['plain','x']",
	);
	assert.equal(
		customColumnsText(columns, [POD, { metadata: { name: 'empty' } }], { header: true }),
		'NAME    IMAGES     L\np       i1,i2,i3   y\nempty   <none>     <none>\n',
	);
	assert.throws(() => parseCustomColumns('NAME'), JsonPathError);
});

test('JSON has sorted keys, an indent of four spaces, and is safe inside HTML', () => {
	assert.equal(
		toJson({ b: ['<&>'], a: { d: 1, c: [] } }),
		'{\n    "a": {\n        "c": [],\n        "d": 1\n    },\n    "b": [\n        "\\u003c\\u0026\\u003e"\n    ]\n}\n',
	);
});
