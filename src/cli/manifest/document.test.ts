import assert from 'node:assert/strict';
import test from 'node:test';
import { checkDocument, isChecked } from './check.ts';
import { type ManifestDocument, readDocuments } from './document.ts';
import { describeProblem } from './excerpt.ts';

function read(text: string): { documents: readonly ManifestDocument[]; problems: readonly string[] } {
	const { documents, problems } = readDocuments({ name: 'f.yaml', text });
	return { documents, problems: problems.map(describeProblem) };
}

/** Parses a text and returns its objects; fails if it has problems. */
function objects(text: string): readonly unknown[] {
	const { documents, problems } = read(text);
	assert.deepEqual(problems, []);
	return documents.map(({ object }) => object);
}

/** The printed problems of a text. */
function problemsOf(text: string): readonly string[] {
	const { documents, problems } = read(text);
	const checked = documents.map((document) => checkDocument(document, { namespace: 'default' }));
	return [...problems, ...checked.flatMap((each) => (isChecked(each) ? [] : each)).map(describeProblem)];
}

/** The line and the part of the text that spanOf returns for a path. */
function at(text: string, path: string): string {
	const [document] = read(text).documents;
	assert.ok(document);
	const { line, column, length } = document.spanOf(path);
	return `${line}: ${(text.split('\n')[line - 1] ?? '').slice(column - 1, column - 1 + length)}`;
}

const JOB = `apiVersion: batch/v1
kind: Job
metadata:
  name: pi
  labels: {a.b/c: x}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: busybox
`;

test('a file of several documents, empty ones and Lists gives its objects', () => {
	assert.deepEqual(objects('---\nkind: A\n---\n\n# nothing\n---\nkind: B\n'), [{ kind: 'A' }, { kind: 'B' }]);
	assert.deepEqual(objects('apiVersion: v1\nkind: List\nitems:\n- kind: A\n- kind: B\n'), [
		{ kind: 'A' },
		{ kind: 'B' },
	]);
	assert.deepEqual(objects('{\n\t"kind": "A",\n\t"list": [\n\t\t1\n\t]\n}'), [{ kind: 'A', list: [1] }]);
	assert.deepEqual(objects(''), []);
});

test('a file may contain several JSON objects, as with kubectl', () => {
	const two = [{ kind: 'A' }, { kind: 'B' }];
	for (const between of ['', '\n', ' ', '\n\n', '\n---\n']) {
		assert.deepEqual(objects(`{"kind": "A"}${between}{"kind": "B"}\n`), two, JSON.stringify(between));
	}
	assert.deepEqual(objects('\ufeff{\n"kind":"A"\n}\n{\n"kind":"B"\n}\n'), two);
});

test('64-bit integers and quantities keep all digits', () => {
	const [value] = objects('a: 9007199254740993\nb: 9223372036854775807\n');
	assert.equal(JSON.stringify(value), '{"a":9007199254740993,"b":9223372036854775807}');
});

test('the reader returns the other documents if one cannot be read', () => {
	const { documents, problems } = read('kind: A\n---\na: b: c\n---\nkind: B\n---\n- *x\n---\nkind: C\n');
	assert.deepEqual(
		documents.map(({ object }) => object),
		[{ kind: 'A' }, { kind: 'B' }, { kind: 'C' }],
	);
	assert.deepEqual(
		problems.map((text) => text.split(' ', 1)[0]),
		['f.yaml:3:5:', 'f.yaml:7:3:'],
	);
	assert.equal(documents[1]?.spanOf('kind').line, 5);
});

test('scalars are read as kubectl reads them', () => {
	const text =
		'a: [y, N, yes, No, ON, off, True, ~, null, 0644, 0o17, 0x1F, 0b11, 1_000, 12:30, 2026-01-01, 1e3, .5, +1, "a", 09, -0_7, tRUE]';
	const [value] = objects(text);
	assert.deepEqual(value, {
		a: [
			true,
			false,
			true,
			false,
			true,
			false,
			true,
			null,
			null,
			420,
			15,
			31,
			3,
			1000,
			'12:30',
			'2026-01-01',
			1000,
			0.5,
			1,
			'a',
			9,
			-7,
			'tRUE',
		],
	});
});

test('a path gives the place of its value, of its name if the value is long, or of the nearest ancestor', () => {
	assert.equal(at(JOB, 'metadata.name'), '4: pi');
	assert.equal(at(JOB, 'metadata.labels[a.b/c]'), '5: x');
	assert.equal(at(JOB, 'spec.template.spec.containers[0].image'), '12: busybox');
	assert.equal(at(JOB, 'spec.template'), '7: template');
	assert.equal(at(JOB, 'spec.template.spec.containers[0].command'), '11: name: main');
	assert.equal(at(JOB, 'spec.completions'), '6: spec');
	assert.equal(at(JOB, 'status.nothing'), '1: apiVersion: batch/v1');
});

test('a syntax error of YAML has its place and a hint', () => {
	const cases: readonly (readonly [string, string])[] = [
		['a:\n- b\n\tc: 1\n', 'f.yaml:3:1: found a tab where YAML takes only spaces'],
		['a:\n    b: 1\n  c: 2\n', 'f.yaml:3:3: bad indentation'],
		['a:\n  b: 1\n   c: 2\n', 'f.yaml:3:4: bad indentation'],
		['a: 1\nb: 2\na: 3\n', 'f.yaml:3:1: duplicate key "a"'],
		['a: *x\n', "f.yaml:1:4: unknown anchor 'x' referenced"],
		['kind:Job\n', 'f.yaml:1:1: an object must be a map with apiVersion and kind'],
		['- a\n', 'f.yaml:1:1: an object must be a map with apiVersion and kind'],
	];
	for (const [text, begin] of cases) {
		const { problems } = read(text);
		assert.equal(problems.length, 1, text);
		assert.equal(problems[0]?.slice(0, begin.length), begin);
	}
	assert.match(read('a: b: c\n').problems.join(), /must be quoted/);
	assert.match(read('kind:Job\n').problems.join(), /a space must follow the colon/);
});

test('a valid object has no problems', () => {
	assert.deepEqual(problemsOf(JOB), []);
});

test('each problem is printed with its place, its line and a hint', () => {
	assert.deepEqual(problemsOf(JOB.replace('restartPolicy: Never', 'restartPolicy: never')), [
		`f.yaml:9:22: Job "pi": spec.template.spec.restartPolicy: Unsupported value: "never": supported values: "OnFailure", "Never"
    9 |       restartPolicy: never
      |                      ^^^^^ did you mean "Never"?`,
	]);
	assert.deepEqual(problemsOf(JOB.replace('  template', '  backofLimit: 3\n  template')), [
		`f.yaml:7:3: Job "pi": strict decoding error: unknown field "spec.backofLimit"
    7 |   backofLimit: 3
      |   ^^^^^^^^^^^ did you mean "backoffLimit"?`,
	]);
});

test('the most common mistakes have hints', () => {
	const hint = (text: string): string =>
		problemsOf(text)
			.join('\n')
			.split('\n')
			.at(-1)
			?.replace(/^.*\^ /, '') ?? '';
	assert.equal(hint(JOB.replace('batch/v1', 'batch/v1beta1')), 'did you mean "batch/v1"?');
	assert.equal(hint(JOB.replace('kind: Job', 'kind: job')), 'did you mean "Job"?');
	assert.match(hint(JOB.replace('kind: Job', 'kind: DaemonSet')), /^supported kinds: .*Job/);
	assert.equal(hint(JOB.replace('image: busybox', 'imgae: busybox')), 'did you mean "image"?');
	assert.equal(
		hint(JOB.replace('      containers', '      backoffLimit: 3\n      containers')),
		'"backoffLimit" belongs under spec',
	);
	assert.equal(
		hint(JOB.replace('  template', '  parallelism: "3"\n  template')),
		'expected a number, without quotes',
	);
	assert.equal(hint(`${JOB}        env: [{name: A, value: 1}]\n`), 'expected a string: put it in quotes');
	assert.equal(
		hint(`${JOB}        command: sleep\n`),
		'expected a list: each item on a line that starts with a dash',
	);
	assert.equal(
		hint(JOB.replace('name: main', 'name: main // the only one')),
		'a comment in YAML starts with #',
	);
});

test('an object with another namespace than that of -n is an error', () => {
	const [document] = read(JOB.replace('name: pi', 'name: pi\n  namespace: a')).documents;
	assert.ok(document);
	assert.ok(isChecked(checkDocument(document, { namespace: 'b' })));
	assert.ok(!isChecked(checkDocument(document, { namespace: 'b', enforced: true })));
});

test('a generated name is validated by its prefix', () => {
	assert.deepEqual(problemsOf(JOB.replace('name: pi', 'generateName: pi-')), []);
	assert.match(problemsOf(JOB.replace('  name: pi\n', '')).join(), /metadata.name: Required value/);
});

test('a long line is cut to the part around the problem', () => {
	const long = `${'x'.repeat(150)}: y`;
	const [problem = ''] = problemsOf(JOB.replace('labels: {a.b/c: x}', `labels: {${long}}`));
	const [, line = '', marks = ''] = problem.split('\n');
	assert.ok(line.length < 120, line);
	assert.match(marks, /\^/);
});

test('all problems of a document are reported at once, each with its line', () => {
	const wrong = JOB.replace('spec:', 'spec:\n  parralelism: "5"\n  completions: ten\n  backoffLimit: -x')
		.replace('image: busybox', 'image: busybox\n        comand: [ls]\n        args: ls')
		.replace('{a.b/c: x}', '{a.b/c: 1}');
	assert.deepEqual(
		problemsOf(wrong).map((text) => text.split('\n', 1)[0]?.replace(/^f\.yaml:(\d+):\d+: Job "pi": /, '$1 ')),
		[
			'7 strict decoding error: unknown field "spec.parralelism"',
			'16 strict decoding error: unknown field "spec.template.spec.containers[0].comand"',
			'5 json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
			'8 json: cannot unmarshal string into Go struct field JobSpec.spec.completions of type int32',
			'9 json: cannot unmarshal string into Go struct field JobSpec.spec.backoffLimit of type int32',
			'17 json: cannot unmarshal string into Go struct field Container.spec.template.spec.containers.args of type []string',
		],
	);
});

test('an unknown field does not hide the validation errors of other fields', () => {
	const wrong = JOB.replace('restartPolicy: Never', 'restartPolicyy: Never').replace(
		'spec:',
		'spec:\n  parallelism: -1',
	);
	assert.deepEqual(
		problemsOf(wrong).map((text) => text.split('\n', 1)[0]?.replace(/^f\.yaml:\d+:\d+: Job "pi": /, '')),
		[
			'strict decoding error: unknown field "spec.template.spec.restartPolicyy"',
			'spec.parallelism: Invalid value: -1: must be greater than or equal to 0',
		],
	);
});
