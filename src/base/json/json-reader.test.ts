import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { JsonLimitError, JsonSyntaxError, parseJson, readJson, readJsonInPieces } from './json-reader.ts';

const LIMITS = { values: 1000, depth: 100 };

function failure(text: string): string {
	try {
		readJson(text, LIMITS);
	} catch (error) {
		if (error instanceof JsonSyntaxError || error instanceof JsonLimitError) return error.message;
		throw error;
	}
	return 'none';
}

describe('readJson', () => {
	test('accepts what JSON.parse accepts, and its values are written unchanged', () => {
		fc.assert(
			fc.property(fc.json(), fc.constantFrom(undefined, 2, '\t'), (text, space) => {
				const spaced = JSON.stringify(JSON.parse(text), undefined, space);
				assert.equal(JSON.stringify(readJson(spaced, LIMITS).value), JSON.stringify(JSON.parse(spaced)));
			}),
		);
	});

	test('rejects what JSON.parse rejects', () => {
		fc.assert(
			fc.property(
				fc.json(),
				fc.nat(),
				fc.constantFrom('', ',', '"', ']', '1', '\\', '\n'),
				(text, at, put) => {
					const broken =
						text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + 1);
					let isJson = true;
					try {
						JSON.parse(broken);
					} catch {
						isJson = false;
					}
					assert.equal(failure(broken) === 'none', isJson, broken);
				},
			),
		);
	});

	test('keeps of a text only the strings that are still referenced', () => {
		setFlagsFromString('--expose-gc');
		const collectGarbage: () => void = runInNewContext('gc');
		const padding = 'x'.repeat(1_000_000);
		const nameIn = (index: number): string => {
			const text = `{"name":"a-name-of-length-${index}","key-of-this-length":0,"padding":"${padding}"}`;
			const { name } = readJson(text, LIMITS).value as { name: string };
			return name;
		};
		nameIn(0);
		collectGarbage();
		const before = process.memoryUsage().heapUsed;
		const names = Array.from({ length: 30 }, (_, index) => nameIn(index));
		collectGarbage();
		const growth = process.memoryUsage().heapUsed - before;
		assert.equal(names[29], 'a-name-of-length-29');
		assert.ok(growth < 5_000_000, `30 names of texts of 1 MB keep ${growth} bytes`);
	});

	test('reports syntax errors with the messages of Go', () => {
		const texts: Readonly<Record<string, string>> = {
			'': 'unexpected end of JSON input',
			'{"a":': 'unexpected end of JSON input',
			'\ufeff{}': "invalid character 'ï' looking for beginning of value",
			'{a: 1}': "invalid character 'a' looking for beginning of object key string",
			'{"a" 1}': "invalid character '1' after object key",
			'{"a":1 "b":2}': `invalid character '"' after object key:value pair`,
			'[1 2]': "invalid character '2' after array element",
			'{} x': "invalid character 'x' after top-level value",
			'"a\nb"': "invalid character '\\n' in string literal",
			'"\\x"': "invalid character 'x' in string escape code",
			'"\\u00g0"': "invalid character 'g' in \\u hexadecimal character escape",
			'-x': "invalid character 'x' in numeric literal",
			'1.x': "invalid character 'x' after decimal point in numeric literal",
			'1ex': "invalid character 'x' in exponent of numeric literal",
			truth: "invalid character 't' in literal true (expecting 'e')",
			tru: "invalid character ' ' in literal true (expecting 'e')",
			"['a']": "invalid character '\\'' looking for beginning of value",
			é: "invalid character 'Ã' looking for beginning of value",
			'\u0000': "invalid character '\\x00' looking for beginning of value",
		};
		for (const [text, message] of Object.entries(texts)) assert.equal(failure(text), message, text);
	});

	test('reports duplicate keys, compared after unescaping, with all keys of their object in order', () => {
		const { value, repeated } = readJson('{"a":{"x":1,"y":2,"\\u0078":3,"z":4},"b":{"x":1}}', LIMITS);
		assert.deepEqual(value, { a: { x: 3, y: 2, z: 4 }, b: { x: 1 } });
		assert.deepEqual([...repeated.values()], [['x', 'y', 'x', 'z']]);
		assert.equal([...repeated.keys()][0], (value as { a: unknown }).a);
	});

	test('merges objects with the same key, as Go decodes both into the same map', () => {
		const { value } = readJson('{"a":{"x":{"p":1},"y":2},"a":{"x":{"q":3}},"b":{"x":1},"b":[]}', LIMITS);
		assert.deepEqual(value, { a: { x: { p: 1, q: 3 }, y: 2 }, b: [] });
	});

	test('names of inherited JavaScript properties are ordinary keys', () => {
		const text = '{"__proto__":{"a":1},"constructor":2,"toString":3,"hasOwnProperty":4}';
		const { value, repeated } = readJson(text, LIMITS);
		assert.equal(JSON.stringify(value), text);
		assert.equal(repeated.size, 0);
	});

	test('a lone surrogate becomes the replacement character', () => {
		assert.equal(readJson('"\\ud800x\\udc00"', LIMITS).value, '\ufffdx\ufffd');
		assert.equal(readJson('"\\ud83d\\ude00"', LIMITS).value, '😀');
	});

	test('limits the depth and the number of values of any text', () => {
		assert.equal(failure('['.repeat(1_000_000)), 'exceeded max depth');
		assert.equal(failure('{"a":'.repeat(1_000_000)), 'exceeded max depth');
		assert.equal(failure(`[${'[],'.repeat(1_000_000)}[]]`), 'more than 1000 values');
		assert.equal(failure(`[${'0,'.repeat(999)}0]`), 'none');
		assert.equal(failure(`${'['.repeat(100)}${']'.repeat(100)}`), 'none');
	});

	test('limits the number of fields of one object', () => {
		const read = (text: string) => () => readJson(text, { ...LIMITS, keys: 3 });
		assert.doesNotThrow(read('[{"a":1,"b":{},"c":3},{"d":4,"e":5,"f":6}]'));
		assert.throws(read('{"a":1,"b":{},"c":3,"d":4}'), {
			...{ name: 'JsonLimitError', message: 'more than 3 fields in one object' },
		});
	});
});

test('a text that is read in pieces has the same value, and the reader pauses between the pieces', async () => {
	const text = JSON.stringify(Array.from({ length: 50_000 }, (_, index) => ({ name: `n${index}` })));
	let turns = 0;
	const pause = async (): Promise<void> => void turns++;
	const { value } = await readJsonInPieces(text, { values: Infinity, depth: 10 }, pause);
	assert.equal(JSON.stringify(value), text);
	assert.ok(turns > 10, `${turns} pauses`);
});

test('parseJson keeps large numbers exact and equals JSON.parse otherwise', () => {
	const text = '{"a":9007199254740993,"b":[-9223372036854775808],"c":"9007199254740993","d":1.5}';
	assert.equal(JSON.stringify(parseJson(text)), text);
	assert.throws(() => parseJson('{"a":9007199254740993'), SyntaxError);
	assert.throws(() => parseJson('{'), SyntaxError);
});
