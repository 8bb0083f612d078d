import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isRecord, own } from '../json/json.ts';
import { parseJson, readJson } from '../json/json-reader.ts';
import { YamlError, YamlLimitError } from './cursor.ts';
import { readYaml, readYamlInPieces, yamlTextOf } from './read-yaml.ts';
import { NoJsonError } from './resolve.ts';

const LIMITS = { values: 10_000, depth: 100 };

/** A text and its result upstream; tools/yaml-golden generates them. */
interface Golden {
	readonly yaml: string;
	readonly json: unknown;
	readonly error: string;
	readonly strict: string;
}

const goldens: readonly Golden[] = readFileSync(`${import.meta.dirname}/golden.jsonl`, 'utf8')
	.trim()
	.split('\n')
	.map((line) => {
		const { value } = readJson(line, { values: Infinity, depth: 100 });
		const golden = isRecord(value) ? value : {};
		const text = (name: string): string => String(own(golden, name) ?? '');
		return { yaml: text('yaml'), json: own(golden, 'json'), error: text('error'), strict: text('strict') };
	});

function errorOf(text: string, limits = LIMITS): string {
	try {
		readYaml(text, limits);
	} catch (error) {
		if (error instanceof YamlError || error instanceof NoJsonError || error instanceof YamlLimitError) {
			return error.message;
		}
		throw error;
	}
	return '';
}

function jsonOf(text: string): unknown {
	return readYaml(text, LIMITS).value;
}

describe('readYaml', () => {
	test('reads every golden text as upstream does, including the errors', () => {
		assert.ok(goldens.length > 1000);
		for (const { yaml, json, error, strict } of goldens) {
			assert.equal(errorOf(yaml), error, JSON.stringify(yaml));
			if (error !== '') continue;
			const { value, repeated } = readYaml(yaml, LIMITS);
			assert.deepEqual(value, json, JSON.stringify(yaml));
			const expected = strict === '' ? [] : strict.replace('yaml: unmarshal errors:\n  ', '').split('\n  ');
			const messages = repeated.map(({ message }) => message);
			assert.deepEqual(messages, expected, JSON.stringify(yaml));
		}
	});

	test('reads JSON, which is a subset of YAML, as a JSON reader does', () => {
		const key = fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).filter((text) => text !== '<<');
		const value = fc.letrec((tie) => ({
			any: fc.oneof(
				{ maxDepth: 4 },
				fc.constantFrom(null, true, false, 0, 1.5, -3, 1e21),
				key,
				fc.array(tie('any'), { maxLength: 4 }),
				fc.dictionary(key, tie('any'), { maxKeys: 4 }),
			),
		})).any;
		fc.assert(
			fc.property(value, fc.constantFrom(undefined, 2), (json, space) => {
				const text = JSON.stringify(json, undefined, space);
				assert.deepEqual(jsonOf(text), parseJson(text));
			}),
		);
	});

	test('returns a value or throws an error of its own for random texts', () => {
		const fragments = fc.constantFrom(
			'a',
			': ',
			'- ',
			'\n',
			' ',
			'? ',
			'[',
			']',
			'{',
			'}',
			',',
			'&a ',
			'*a',
			'!!str ',
			'|',
			'>',
			'"',
			"'",
			'#',
			'%YAML 1.1',
			'---',
			'...',
			'<<',
			'\t',
			'\\',
			'\r',
			'\u2028',
		);
		fc.assert(
			fc.property(fc.array(fragments, { maxLength: 60 }), (parts) => {
				errorOf(parts.join(''));
			}),
			{ numRuns: 2000 },
		);
	});

	test('names of inherited JavaScript properties are ordinary keys', () => {
		const text = '__proto__: {a: 1}\nconstructor: 2\ntoString: 3\nhasOwnProperty: 4\n';
		const json = '{"__proto__":{"a":1},"constructor":2,"hasOwnProperty":4,"toString":3}';
		assert.equal(JSON.stringify(jsonOf(text)), json);
		assert.equal(
			JSON.stringify(jsonOf('b: &b {__proto__: 1}\n<<: *b\n')),
			'{"__proto__":1,"b":{"__proto__":1}}',
		);
	});

	test('limits the depth and the number of values, and counts the values of aliases', () => {
		assert.equal(errorOf('['.repeat(1_000_000)), 'yaml: exceeded max depth of 100');
		assert.equal(errorOf('- '.repeat(1_000_000)), 'yaml: exceeded max depth of 100');
		assert.equal(errorOf('a: '.repeat(1_000_000)), 'yaml: mapping values are not allowed in this context');
		const keys = Array.from({ length: 200_000 }, (_, index) => `k${index}: v`).join('\n');
		assert.equal(errorOf(keys), 'more than 10000 values');
		const anchors = Array.from({ length: 50_000 }, (_, index) => `- &a${index} x`).join('\n');
		assert.equal(errorOf(anchors), 'more than 10000 values');
		const chain = Array.from(
			{ length: 200 },
			(_, index) => `- &a${index} [${index ? `*a${index - 1}` : 'x'}]`,
		);
		assert.equal(errorOf(chain.join('\n')), 'yaml: exceeded max depth of 100');
		const merges = `a: &a {${Array.from({ length: 500 }, (_, index) => `k${index}: 1`).join(', ')}}\nb:\n${'  <<: *a\n'.repeat(500)}`;
		assert.equal(errorOf(merges), 'more than 10000 values');
		const ten = (index: number): string => Array.from({ length: 10 }, () => `*a${index}`).join(', ');
		const bomb = Array.from(
			{ length: 30 },
			(_, index) => `a${index}: &a${index} [${index ? ten(index - 1) : 'x'}]`,
		);
		assert.equal(errorOf(bomb.join('\n')), 'yaml: document contains excessive aliasing');
		assert.match(errorOf(`"${'\\x41'.repeat(700_000)}"`), /^more than 100000 lines and escapes/);
	});

	test('an alias shares the value of its anchor', () => {
		const value = jsonOf('a: &x {b: [1]}\nc: *x\n') as { a: unknown; c: unknown };
		assert.equal(value.a, value.c);
	});
});

test('a text that is read in pieces has the same value, and the reader pauses between the pieces', async () => {
	const text = Array.from({ length: 9_000 }, (_, index) => `k${index}: "${'x'.repeat(index % 50)}"`).join(
		'\n',
	);
	let turns = 0;
	const pause = async (): Promise<void> => void turns++;
	const inPieces = await readYamlInPieces(text, LIMITS, pause);
	assert.deepEqual(inPieces, readYaml(text, LIMITS));
	assert.ok(turns > 5, `${turns} pauses`);
});

test('a body is decoded as UTF-8, or as UTF-16 if it has the byte order mark of UTF-16', () => {
	assert.equal(yamlTextOf(Buffer.from('\ufeffa: é')), 'a: é');
	assert.equal(yamlTextOf(Buffer.from('\ufeffa: é', 'utf16le')), 'a: é');
	const rows: readonly (readonly [bytes: readonly number[], message: string])[] = [
		[[0x61, 0x80], 'yaml: invalid leading UTF-8 octet'],
		[[0xc3, 0x28], 'yaml: invalid trailing UTF-8 octet'],
		[[0xe2, 0x82], 'yaml: incomplete UTF-8 octet sequence'],
		[[0xc0, 0x80], 'yaml: invalid length of a UTF-8 sequence'],
	];
	for (const [bytes, message] of rows) {
		assert.throws(() => yamlTextOf(Uint8Array.from(bytes)), { message });
	}
});
