import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import { podSpecSchema } from '../../../api/core/pod/schema/spec.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { SchemaNode } from '../../../api/schema/schema.ts';
import type { FieldRule } from './field-rule.ts';
import { FIELD_RULES, findingsOf, type HoldBack, hintsText, holdBack, placesIn } from './field-rules.ts';
import { BARE, C, CASES, container, EVERYTHING, pod, secured, WHO } from './testing/field-cases.ts';

for (const { field, effect, pod: given, traits = BARE, text } of CASES) {
	test(`${field} ${JSON.stringify(text ?? given.spec)} is ${effect}`, () => {
		const found = findingsOf(given, effect, traits).find(({ rule }) => rule.field === field);
		assert.ok(found, `no row applies; others: ${JSON.stringify(effectsOf(given, traits))}`);
		if (text !== undefined) assert.equal(found.text, text);
		assert.ok(found.hint.startsWith(text ?? found.path));
	});
}

function effectsOf(given: Pod, traits: RuntimeTraits): readonly string[] {
	const effects = new Set(FIELD_RULES.map(({ effect }) => effect));
	return [...effects].flatMap((effect) =>
		findingsOf(given, effect, traits).map(({ rule }) => `${rule.field} ${effect}`),
	);
}

/** Rows without a condition that are honoured or harmless need no case. */
function needsCase(rule: FieldRule): boolean {
	return rule.when !== undefined || (rule.effect !== 'honoured' && rule.effect !== 'harmless');
}

test('every row of the table has a case', () => {
	const hit = new Set(
		CASES.flatMap(({ effect, pod: given, traits = BARE }) =>
			findingsOf(given, effect, traits).map(({ rule }) => rule),
		),
	);
	const missing = FIELD_RULES.filter((rule) => needsCase(rule) && !hit.has(rule));
	assert.deepEqual(
		missing.map(({ field, effect, because }) => `${field} ${effect}: ${because}`),
		[],
	);
});

/** The fields whose parts have rows of their own; every other field has a row itself. */
const ENTERED: ReadonlySet<string> = new Set([
	'spec',
	'spec.securityContext',
	'spec.containers[]',
	'spec.containers[].securityContext',
	'spec.containers[].securityContext.capabilities',
	'spec.containers[].resources',
	'spec.containers[].lifecycle',
]);

function fieldsOf(node: SchemaNode, path: string): readonly string[] {
	if (node.type === 'list') return fieldsOf(node.items, `${path}[]`);
	if (node.type !== 'object' || !ENTERED.has(path)) return [];
	return Object.entries(node.fields).flatMap(([name, { schema }]) => {
		const at = `${path}.${name}`;
		return [at, ...fieldsOf(schema, at)];
	});
}

test('the table has exactly the fields of a Pod', () => {
	const known = fieldsOf(podSpecSchema, 'spec').filter((path) => !ENTERED.has(path));
	const rows = new Set(FIELD_RULES.map(({ field }) => field));
	assert.deepEqual(
		known.filter((field) => !rows.has(field)),
		[],
	);
	const inSchema = new Set([...known, 'metadata.annotations']);
	assert.deepEqual(
		[...rows].filter((field) => !inSchema.has(field)),
		[],
	);
});

test('a runtime that supports everything runs every Pod, except for fields that stint itself would have to support', () => {
	for (const { pod: given } of CASES) {
		for (const effect of ['held', 'unmounted', 'warned'] as const) {
			for (const { rule } of findingsOf(given, effect, EVERYTHING))
				assert.equal(rule.byStint, true, rule.field);
		}
	}
});

test('a runtime that supports one field accepts that field', () => {
	const given = container({ tty: true, stdin: true });
	const traits = { ...BARE, honours: new Set([`${C}tty`]) };
	assert.deepEqual(
		findingsOf(given, 'held', traits).map(({ path }) => path),
		['spec.containers[0].stdin'],
	);
});

/** Why the container at `index` is not started, init containers first. */
function firstHeldBack(given: Pod, index = 0): HoldBack | undefined {
	const place = placesIn(given)[index];
	assert.ok(place);
	return holdBack(given, place, BARE);
}

test('a field of a container overrides the one of its Pod', () => {
	const asRoot = { runAsUser: 0 };
	assert.equal(
		firstHeldBack(pod({ securityContext: { runAsUser: 1000 } }, { securityContext: asRoot })),
		undefined,
	);
});

test('fields of the container and of its Pod prevent its start, and the message names all of them', () => {
	const given = pod({
		initContainers: [{ name: 'i', tty: true, stdin: true }],
		containers: [{ name: 'c' }],
	});
	assert.equal(
		firstHeldBack(given)?.message,
		'spec.initContainers[0].stdin is not honoured: containers have no standard input yet: read from a file; ' +
			'spec.initContainers[0].tty is not honoured: containers have no terminal yet: remove the field',
	);
	assert.equal(firstHeldBack(given, 1), undefined);
	assert.match(firstHeldBack(pod({ hostUsers: false }))?.message ?? '', /^spec\.hostUsers is not honoured: /);
});

test("the message of a container that is not started is upstream's, and the hints name all fields", () => {
	const held = firstHeldBack(secured({ runAsNonRoot: true, readOnlyRootFilesystem: true }));
	assert.equal(held?.message, `container has runAsNonRoot and image will run as root ${WHO}`);
	assert.equal(
		held?.hints,
		`container has runAsNonRoot and image will run as root ${WHO}: set runAsUser where containers are isolated, or run stint as another user; ` +
			'spec.containers[0].securityContext.readOnlyRootFilesystem is not honoured: no file system can be mounted read-only for a container here: remove the field',
	);
});

test('the message for a Pod with many containers names the first ones', () => {
	const containers = Array.from({ length: 50 }, (_, index) => ({ name: `c${index}`, tty: true }));
	const text = hintsText(findingsOf(pod({ containers }), 'held', BARE));
	assert.match(text, /containers\[7\].*; and 42 more$/);
	assert.doesNotMatch(text, /containers\[8\]/);
});
